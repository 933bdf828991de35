//! What lies ahead of a run, and how it compares with its rehearsal, as text.

use super::Look;
use crate::style::Sign;
use plinth_analysis::{Deviation, KnownBy, Longer, RehearsalDiff, StopNow, TimeLeft};
use plinth_model::span::span;
use plinth_model::{StepId, amount};

/// Kinds that are named as never seen; the rest is counted.
const KINDS: usize = 3;
/// Steps that are named as in the middle of their effect.
const STEPS: usize = 5;
/// Steps that deviate from the rehearsal and are listed.
const DEVIATIONS: usize = 5;

/// What is computed of a run beside what it did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outlook<'a> {
    /// How long it still takes.
    pub left: Option<&'a TimeLeft>,
    /// What stopping it now would mean.
    pub stop: Option<&'a StopNow>,
    /// The run beside its rehearsal.
    pub rehearsal: Option<&'a RehearsalDiff>,
}

/// The sentence about the time that is left: `still 12 min to 19 min, by 3 runs of this site`; of what is not known it says why.
#[must_use]
pub fn left(left: &TimeLeft) -> String {
    if let Some(Longer { step, running_s, low_s, high_s }) = &left.longer {
        return format!("longer than usual: {step} has run {}, usually {}", span(*running_s), range((*low_s, *high_s)));
    }
    match (left.low_s.zip(left.high_s), left.no_history.as_slice()) {
        (Some(seconds), _) => format!("still {}, by {}", range(seconds), from(left)),
        (None, kinds) => format!("time left unknown: no history for {}", some(kinds)),
    }
}

/// The same of a plan that has not begun: `four of five such runs take 26 min to 31 min, by 3 runs of this site`. None where no number can
/// be given: the plan's own rough figures stand then.
#[must_use]
pub fn of_plan(took: &TimeLeft) -> Option<String> {
    let seconds = took.low_s.zip(took.high_s)?;
    Some(format!("four of five such runs take {}, by {}", range(seconds), from(took)))
}

/// `4 runs and 1 rehearsal of this site`.
fn from(left: &TimeLeft) -> String {
    match (left.runs, left.rehearsals) {
        (0, 0) => "what it did so far".to_owned(),
        (runs, rehearsals) => of_site(runs, rehearsals),
    }
}

fn of_site(runs: usize, rehearsals: usize) -> String {
    match (runs, rehearsals) {
        (0, rehearsals) => format!("{} of this site", amount(rehearsals, "rehearsal")),
        (runs, 0) => format!("{} of this site", amount(runs, "run")),
        (runs, rehearsals) => {
            format!("{} and {} of this site", amount(runs, "run"), amount(rehearsals, "rehearsal"))
        }
    }
}

/// `12 min to 19 min`, or one figure where both read alike.
fn range((low, high): (f64, f64)) -> String {
    let (low, high) = (span(low), span(high));
    if low == high { format!("about {low}") } else { format!("{low} to {high}") }
}

fn some(kinds: &[String]) -> String {
    let mut named: Vec<String> = kinds.iter().take(KINDS).cloned().collect();
    named.extend((kinds.len() > KINDS).then(|| format!("{} more", kinds.len() - KINDS)));
    named.join(", ")
}

/// What [`stop_lines`] is about.
#[must_use]
pub const fn stop_title(stop: &StopNow) -> &'static str {
    if stop.stopping { "if it is cut off now" } else { "if it is stopped now" }
}

/// What stopping now would mean, in a few lines, behind its title.
#[must_use]
pub fn stop_now(stop: &StopNow, look: Look) -> String {
    let lines = stop_told(stop, look);
    let (title, first) = (stop_title(stop), lines.first().map_or("", String::as_str));
    look.fitted(&[vec![format!("{title}: {first}")], lines.get(1..).unwrap_or_default().to_vec()].concat())
}

/// The same without a title.
#[must_use]
pub fn stop_lines(stop: &StopNow, look: Look) -> String {
    look.fitted(&stop_told(stop, look))
}

fn stop_told(stop: &StopNow, look: Look) -> Vec<String> {
    let mut lines = vec![stop_sentence(stop)];
    for one in stop.mid_effect.iter().take(STEPS) {
        let left = one.left_s.zip(one.known_by).map_or_else(
            || "how long it usually takes is not known".to_owned(),
            |(left, by)| format!("usually {} more, by {}", range(left), known_by(by)),
        );
        let limit = one.deadline_s.map(f64::from).map(|seconds| {
            // Behind an effect that is late comes a look with a deadline of its own: a stop waits for both.
            let (attempt, both) = (span(seconds), span(2.0 * seconds));
            format!("; an attempt is given up after {attempt}, with the look behind it after {both}")
        });
        let left = format!("{left}{}", limit.unwrap_or_default());
        let sign = look.palette.painted(Sign::Running);
        lines.push(format!("  {sign} in the middle of {} for {}; {left}", one.step, span(one.running_s)));
    }
    if stop.mid_effect.len() > STEPS {
        lines.push(format!("  and {}", amount(stop.mid_effect.len() - STEPS, "more step")));
    }
    lines.push(format!("  for whoever takes over: {}", stop.hand_over));
    lines
}

/// `2 runs of this site`, `5 such steps on other nodes in this run`.
fn known_by(by: KnownBy) -> String {
    match by {
        KnownBy { runs: 0, rehearsals: 0, steps } => {
            format!("{} on other nodes in this run", amount(steps, "such step"))
        }
        KnownBy { runs, rehearsals, .. } => of_site(runs, rehearsals),
    }
}

fn stop_sentence(stop: &StopNow) -> String {
    let not_begun = amount(stop.not_begun, "step");
    if stop.stopping {
        let again = amount(stop.mid_effect.len(), "step");
        return format!("{again} would be looked at again; {not_begun} not begun");
    }
    let waits = match (stop.mid_effect.len() + stop.looking, stop.clean_s, &stop.slowest) {
        (0, _, _) => "nothing runs, so it ends at once".to_owned(),
        (_, Some(seconds), Some(slowest)) => format!("Ctrl-C once waits {} for {slowest}", range(seconds)),
        (_, Some(_), None) => "Ctrl-C once waits a moment for what runs".to_owned(),
        (_, _, _) => format!("how long a clean stop takes is not known: no history for {}", some(&stop.no_history)),
    };
    let again = match stop.mid_effect.len() {
        0 => String::new(),
        count => format!("; cut off, {} would be looked at again", amount(count, "step")),
    };
    format!("{waits}{again}; {not_begun} not begun")
}

/// The headline: where reality left the prediction.
#[must_use]
pub fn rehearsal_headline(diff: &RehearsalDiff) -> String {
    let whole = format!("rehearsed {}, took {}", span(diff.rehearsed_s), span(diff.took_s));
    // The rehearsal may have been one of other nodes, or of what is done by now.
    let (of, with) = if diff.same_plan { ("", "") } else { (" of another plan", " with another plan") };
    match diff.left_at() {
        Some(first) => format!("left the rehearsal{of} at {}: {} ({whole})", first.step, how(first)),
        None if !diff.is_complete() => {
            format!("as rehearsed{with} in {} of {} ({whole})", diff.as_rehearsed, amount(diff.all(), "step"))
        }
        None if diff.deviations.is_empty() => format!("as rehearsed{with}, step by step ({whole})"),
        None => format!("as rehearsed{with} on the critical path ({whole})"),
    }
}

/// The headline and the list behind it.
#[must_use]
pub fn rehearsal_diff(diff: &RehearsalDiff, look: Look) -> String {
    let mut lines = vec![rehearsal_headline(diff)];
    let first: Option<&StepId> = diff.left_at().map(|one| &one.step);
    let others = diff.deviations.iter().filter(|one| Some(&one.step) != first);
    lines.extend(others.take(DEVIATIONS).map(|one| {
        let sign = look.palette.painted(if one.ended.is_some() { Sign::Failed } else { Sign::Warning });
        format!("  {sign} {}: {}", one.step, how(one))
    }));
    let told = usize::from(first.is_some()) + DEVIATIONS;
    if diff.deviations.len() > told {
        lines.push(format!("  and {}; `-o json` has all", amount(diff.deviations.len() - told, "more step")));
    }
    let mut rest = Vec::new();
    rest.extend((diff.others > 0).then(|| format!("{} in one of the two only", amount(diff.others, "step"))));
    rest.extend((diff.done_before > 0).then(|| format!("{} done before", amount(diff.done_before, "step"))));
    lines.extend((!rest.is_empty()).then(|| format!("  {}", rest.join("; "))));
    look.fitted(&lines)
}

/// `11 min instead of 5 min`.
fn how(one: &Deviation) -> String {
    match one.ended {
        Some(_) => format!("it failed after {}; rehearsed {}", span(one.took_s), span(one.rehearsed_s)),
        None => format!("{} instead of {}", span(one.took_s), span(one.rehearsed_s)),
    }
}

/// `, the third run in a row`.
pub(super) fn in_a_row(times: usize) -> String {
    match times {
        0 | 1 => String::new(),
        2 => ", the second run in a row".to_owned(),
        3 => ", the third run in a row".to_owned(),
        more => format!(", {more} runs in a row"),
    }
}

#[cfg(test)]
#[path = "outlook_tests.rs"]
mod tests;
