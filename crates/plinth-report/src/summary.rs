//! The last words of a run: what was counted, what failed, what to do next.

use crate::findings::amount;
use crate::picture::{End, Failure, Picture};
use crate::span::span;
use crate::style::{Palette, Sign, clean};
use plinth_model::StepId;
use plinth_model::event::{Counts, Outcome};

/// The summary, several lines, without a final line break. A run whose end was never told says so.
#[must_use]
pub fn summary(picture: &Picture, palette: Palette) -> String {
    let mut lines = vec![head(picture, palette), tally(&picture.counts())];
    if !picture.failed.is_empty() {
        lines.push(palette.bold("failed"));
        lines.extend(picture.failed.iter().map(|(step, failure)| failed(step, failure, palette)));
    }
    let next = picture.end.as_ref().map_or(&[][..], |end| &end.next);
    if !next.is_empty() {
        lines.push(palette.bold("next"));
        lines.extend(next.iter().map(|line| format!("  {}", clean(line))));
    }
    lines.join("\n")
}

fn head(picture: &Picture, palette: Palette) -> String {
    let verdict = match &picture.end {
        Some(End { outcome: Outcome::Done, .. }) if picture.counts().changed == 0 => palette.green("nothing to do"),
        Some(End { outcome: Outcome::Done, .. }) => palette.green("done"),
        Some(End { outcome: Outcome::Partly, exit, .. }) => palette.red(&format!("partly applied (exit {exit})")),
        Some(End { outcome: Outcome::Stopped, exit, .. }) => palette.yellow(&format!("stopped (exit {exit})")),
        None => palette.red("interrupted: the run did not tell its end; run again to continue"),
    };
    let seconds = picture.end.as_ref().map_or_else(|| picture.elapsed(), |end| end.seconds);
    let time = if picture.run.as_ref().is_some_and(|run| run.rehearsal) { " of virtual time" } else { "" };
    format!("{verdict}  {}{time}", span(seconds))
}

/// `5 hosts (1 failed), 62 steps: 40 changed, 20 unchanged, 2 skipped, 0 failed, 0 not run; 1 warning`.
fn tally(counts: &Counts) -> String {
    let Counts { changed, unchanged, skipped, failed, not_run, warnings, hosts, hosts_failed } = *counts;
    let steps = changed + unchanged + skipped + failed + not_run;
    let broken = if hosts_failed > 0 { format!(" ({hosts_failed} failed)") } else { String::new() };
    format!(
        "  {}{broken}, {}: {changed} changed, {unchanged} unchanged, {skipped} skipped, {failed} failed, {not_run} not run; {}",
        amount(hosts, "host", "hosts"),
        amount(steps, "step", "steps"),
        amount(warnings, "warning", "warnings"),
    )
}

fn failed(step: &StepId, failure: &Failure, palette: Palette) -> String {
    let node = failure.node.as_ref().filter(|node| *node != step.target());
    let node = node.map_or_else(String::new, |node| format!(" on {}", clean(node)));
    let what = failure.finding.as_ref().map_or(&failure.detail, |finding| &finding.message);
    format!("  {} {step}{node}: {}", palette.painted(Sign::Failed), clean(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted;
    use plinth_model::{Event, EventBody};

    fn picture(events: &[Event]) -> Picture {
        let mut picture = Picture::default();
        events.iter().for_each(|event| {
            picture.fold(event);
        });
        picture
    }

    #[test]
    fn a_run_that_failed_names_nodes_and_steps_and_says_what_next() {
        insta::assert_snapshot!(summary(&picture(&scripted::run()), Palette::PLAIN));
    }

    #[test]
    fn a_run_without_its_end_says_so() {
        let mut events = scripted::run();
        events.pop();
        insta::assert_snapshot!(summary(&picture(&events), Palette::PLAIN));
    }

    #[test]
    fn nothing_to_do_is_said_in_these_words() {
        let mut events = scripted::Script::new();
        let counts = Counts { unchanged: 62, hosts: 5, ..Counts::default() };
        let outcome = Outcome::Done;
        events.begin(62, 5).at(0.3, EventBody::RunFinished { outcome, exit: 0, counts, seconds: 0.3, next: vec![] });
        let text = summary(&picture(&events.events()), Palette::PLAIN);
        assert_eq!(
            text,
            "nothing to do  0.3 s of virtual time\n  5 hosts, 62 steps: 0 changed, 62 unchanged, 0 skipped, 0 failed, 0 not run; 0 warnings"
        );
    }
}
