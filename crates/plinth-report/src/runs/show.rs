//! One run as text: its head, kinds with their counts, what waits, what failed, the slow ones.

use super::outlook::{self, Outlook};
use super::{Look, list, path, short, waits};
use crate::card::card;
use crate::style::Sign;
use plinth_analysis::{Analysis, CriticalPath, FailureGroup, KindView, RunEntry, Slow, Subject, Waiting};
use plinth_model::run::{RunState, StepState};
use plinth_model::span::span;
use plinth_model::{RunView, amount};

/// Slow steps that are named.
const SLOW: usize = 5;
/// Steps that are listed; more are counted.
const STEPS: usize = 200;

/// What is shown of a run.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What a list of runs says of it.
    pub entry: &'a RunEntry,
    /// What its events amount to.
    pub view: &'a RunView,
    /// Its steps by area and verb, with counts and times.
    pub kinds: &'a [KindView],
    /// Failures by cause.
    pub groups: &'a [FailureGroup],
    /// Steps that do not run, each with its reason.
    pub waiting: &'a [Waiting],
    /// What the end waited for, step by step.
    pub path: &'a CriticalPath,
    /// Steps that took far longer than their like.
    pub slow: &'a [Slow],
    /// Whether the stream is whole; none when the run does not say.
    pub whole: Option<bool>,
    /// What lies ahead, and the rehearsal.
    pub outlook: Outlook<'a>,
}

impl<'a> Shown<'a> {
    /// All of it, of a run whose events are folded into `view`.
    #[must_use]
    pub fn of(analysis: &'a Analysis, view: &'a RunView) -> Self {
        let Analysis { entry, kinds, groups, waiting, path, slow, whole, .. } = analysis;
        let outlook = Outlook {
            left: analysis.left.as_ref(),
            stop: analysis.stop.as_ref(),
            rehearsal: analysis.rehearsal.as_ref(),
        };
        Self { entry, view, kinds, groups, waiting, path, slow, whole: *whole, outlook }
    }
}

/// The overview of a run, as lines.
#[must_use]
pub fn show(shown: &Shown<'_>, look: Look) -> String {
    let mut lines = vec![list::head(shown.entry, look)];
    lines.extend(missing(shown));
    lines.extend(shown.outlook.left.map(|left| format!("  {}", outlook::left(left))));
    let is_on = shown.entry.state == RunState::Running;
    lines.extend(waits::sentence(shown.view, shown.waiting).filter(|_| is_on).map(|text| format!("  {text}")));
    let wide = shown.kinds.iter().map(|kind| kind.kind.len()).max().unwrap_or(0);
    lines.extend(shown.kinds.iter().map(|kind| kind_line(kind, wide, look)));
    for group in shown.groups {
        lines.extend(card(group, look.palette));
    }
    let mut text = look.fitted(&lines);
    for (title, waiting) in waits::headed(shown.view, shown.waiting, look) {
        text = format!("{text}\n{}\n{waiting}", look.palette.bold(title));
    }
    let mut last: Vec<String> = Vec::new();
    last.extend((!shown.path.steps.is_empty()).then(|| path::summary(shown.path)));
    last.extend(shown.slow.iter().take(SLOW).map(|slow| slow_line(slow, look)));
    if !last.is_empty() {
        text = format!("{text}\n{}", look.fitted(&last));
    }
    shown
        .outlook
        .rehearsal
        .map_or_else(|| text.clone(), |diff| format!("{text}\n{}", outlook::rehearsal_diff(diff, look)))
}

/// What is not known of this run.
fn missing(shown: &Shown<'_>) -> Vec<String> {
    let gaps = shown.view.gaps().iter().map(|gap| format!("  events {} to {} are missing", gap.after + 1, gap.until));
    let mut lines: Vec<String> = gaps.collect();
    if shown.whole == Some(false) {
        lines.push("  the events do not fit the digest of their run: some are missing or of another run".to_owned());
    }
    lines
}

/// `  nodes/account   5 steps: 3 changed, 1 failed, 1 not run; usually 0.9 s, longest 3 s`.
fn kind_line(kind: &KindView, wide: usize, look: Look) -> String {
    let tally = &kind.tally;
    let all = tally.ended() + tally.running() + tally.unknown;
    let parts = [
        (tally.running(), "running"),
        (tally.changed, "changed"),
        (tally.unchanged, "unchanged"),
        (tally.skipped, "skipped"),
        (tally.failed, "failed"),
        (tally.not_run, "not run"),
        (tally.unknown, "interrupted"),
    ];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let sign = if tally.failed > 0 {
        Sign::Failed
    } else if tally.running() > 0 {
        Sign::Running
    } else if tally.not_run > 0 {
        Sign::NotRun
    } else {
        Sign::Changed
    };
    let times = match (kind.median_s, kind.longest_s) {
        (Some(usual), Some(longest)) if longest >= 1.0 => {
            format!("; usually {}, longest {}", span(usual), span(longest))
        }
        _ => String::new(),
    };
    let (sign, steps) = (look.palette.painted(sign), amount(all, "step"));
    format!("  {sign} {:<wide$}  {steps}: {}{times}", kind.kind, told.join(", "))
}

fn slow_line(slow: &Slow, look: Look) -> String {
    format!(
        "  {} slow: {} took {}, {:.1} times the usual {}{}{}",
        look.palette.painted(Sign::Warning),
        slow.step,
        span(slow.seconds),
        slow.times,
        span(slow.median_s),
        slow.hardware.as_ref().map(|hardware| format!(" of {}", short(hardware))).unwrap_or_default(),
        outlook::in_a_row(slow.in_a_row)
    )
}

/// The state in the words of the reason behind it, which says more of a step that was interrupted.
fn stands(subject: &Subject<'_>) -> &'static str {
    let is_interrupted = |waiting: &Waiting| waiting.chain.is_empty() && waiting.interrupted.is_some();
    let state = if subject.waiting.is_some_and(is_interrupted) { StepState::Unknown } else { subject.row.state };
    state.told()
}

/// Steps that a filter chose. What was bounded is said.
#[must_use]
pub fn steps(view: &RunView, chosen: &[Subject<'_>], look: Look) -> String {
    let mut lines = vec![amount(chosen.len(), "step")];
    for subject in chosen.iter().take(STEPS) {
        let row = subject.row;
        let sign = look.palette.painted(Sign::of(row.state));
        let took = row.took_s().map(|took| format!("  {}", span(took))).unwrap_or_default();
        let text = match subject.waiting {
            Some(waiting) => waits::reason(view, waiting),
            None => short(subject.detail),
        };
        lines.push(format!("  {sign} {}  {}{took}  {text}", row.step, stands(subject)));
    }
    if chosen.len() > STEPS {
        lines.push(format!("  the first {STEPS} of {}; `-o json` has all", chosen.len()));
    }
    look.fitted(&lines)
}
