//! The last words of a run: what was counted, what failed, what to do next.

use crate::card::{Part, bounded};
use crate::findings::{is_warning, warning};
use crate::style::{Palette, told};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::run::{Counts, Outcome, RunEnd};
use plinth_model::span::span;
use plinth_model::{Finding, RunView};

/// The summary, several lines, without a final line break. A run whose end was never told says so. `groups`: what failed, by cause.
#[must_use]
pub fn summary(view: &RunView, groups: &[FailureGroup], palette: Palette) -> String {
    let mut lines = vec![head(view, palette), tally(&view.counts())];
    if !groups.is_empty() {
        lines.push(palette.bold("failed"));
        // Why and what to do was told when each came first; what it came to is known now.
        lines.extend(bounded(groups, Part::Extent, palette));
    }
    let warnings: Vec<&Finding> = view.findings.iter().filter(|finding| is_warning(finding)).collect();
    if !warnings.is_empty() {
        lines.push(palette.bold("warnings"));
        lines.extend(warnings.iter().map(|finding| format!("  {}", warning(finding, palette))));
    }
    let next = view.end.as_ref().map_or(&[][..], |end| &end.next);
    if !next.is_empty() {
        lines.push(palette.bold("next"));
        lines.extend(next.iter().map(|line| format!("  {}", told(line))));
    }
    lines.join("\n")
}

fn head(view: &RunView, palette: Palette) -> String {
    let counts = view.counts();
    let verdict = match &view.end {
        Some(RunEnd { outcome: Outcome::Done, .. }) if counts.changed == 0 => palette.green("nothing to do"),
        Some(RunEnd { outcome: Outcome::Done, .. }) => palette.green("done"),
        Some(RunEnd { outcome: Outcome::Partly, exit, .. }) => {
            palette.red(&format!("{} (exit {exit})", partly(&counts)))
        }
        Some(RunEnd { outcome: Outcome::Stopped, exit, .. }) => palette.yellow(&format!("stopped (exit {exit})")),
        None => palette.red("interrupted: the end of the run was not seen; run again to continue"),
    };
    let seconds = view.end.as_ref().map_or_else(|| view.elapsed(), |end| end.seconds);
    let rehearsal = view.run.as_ref().is_some_and(|run| run.rehearsal);
    let time = if rehearsal { " of virtual time, which is no estimate of a real run" } else { "" };
    format!("{verdict}  {}{time}", span(seconds))
}

/// How a run that left something is called, by what it did.
pub(crate) const fn partly(counts: &Counts) -> &'static str {
    match (counts.changed, counts.failed) {
        (0, 0) => "nothing was changed",
        (0, _) => "failed, and nothing was changed",
        _ => "partly applied",
    }
}

/// `5 hosts (1 failed), 62 steps: 40 changed, 20 unchanged, 1 failed; 1 warning`. What is none is not said.
fn tally(counts: &Counts) -> String {
    let Counts { changed, unchanged, skipped, failed, not_run, .. } = *counts;
    let steps = changed + unchanged + skipped + failed + not_run;
    let broken = if counts.hosts_failed > 0 { format!(" ({} failed)", counts.hosts_failed) } else { String::new() };
    let parts = [
        (changed, "changed"),
        (unchanged, "unchanged"),
        (skipped, "skipped"),
        (failed, "failed"),
        (not_run, "not run"),
    ];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    let warnings = match counts.warnings {
        0 => String::new(),
        n => format!("; {}", amount(n, "warning")),
    };
    let (hosts, steps) = (amount(counts.hosts, "host"), amount(steps, "step"));
    format!("  {hosts}{broken}, {steps}{told}{warnings}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted;
    use plinth_model::{Event, EventBody};

    fn view(events: &[Event]) -> RunView {
        RunView::of(events)
    }

    fn told(view: &RunView) -> String {
        summary(view, &plinth_analysis::failure_groups(view, &plinth_analysis::Traits::new()), Palette::PLAIN)
    }

    #[test]
    fn a_run_that_failed_names_nodes_and_steps_and_says_what_next() {
        insta::assert_snapshot!(told(&view(&scripted::run())));
    }

    #[test]
    fn a_run_without_its_end_says_so() {
        let mut events = scripted::run();
        events.pop();
        insta::assert_snapshot!(told(&view(&events)));
    }

    #[test]
    fn a_run_that_changed_nothing_is_not_called_partly_applied() {
        let partly = |changed, failed| partly(&Counts { changed, failed, ..Counts::default() });
        assert_eq!(partly(0, 1), "failed, and nothing was changed");
        assert_eq!((partly(0, 0), partly(3, 1)), ("nothing was changed", "partly applied"));
    }

    #[test]
    fn nothing_to_do_is_said_in_these_words() {
        let mut events = scripted::Script::new();
        let counts = Counts { unchanged: 62, hosts: 5, ..Counts::default() };
        let outcome = Outcome::Done;
        events
            .begin(62, 5)
            .at(0.3, EventBody::RunFinished { outcome, exit: 0, counts, seconds: 0.3, next: vec![], digest: None });
        let text = told(&view(&events.events()));
        assert_eq!(
            text,
            "nothing to do  0.3 s of virtual time, which is no estimate of a real run\n  5 hosts, 62 steps: 62 unchanged"
        );
    }
}
