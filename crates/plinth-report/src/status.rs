//! How far a run came, as text.

use crate::findings::{amount, is_warning, warning};
use crate::style::{Palette, Sign, clean};
use plinth_model::run::status::{FailureStatus, RunStatus, StepStatus};
use plinth_model::run::{LockView, Status, StepState};
use plinth_model::span::span;
use plinth_model::{NodeName, SiteName};

/// The text, several lines, without a final line break.
#[must_use]
pub fn status(site: &SiteName, status: &Status, palette: Palette) -> String {
    let name = palette.bold(site.as_str());
    let lock = format!("{}{}", lock(status.lock.as_ref()), place(&status.directory));
    let RunStatus { id, state, plan, rehearsal, .. } = &status.run;
    let Some(id) = id else { return format!("{name}: never applied\n{lock}") };
    let kind = if *rehearsal { " (a rehearsal)" } else { "" };
    let plan = plan.as_ref().map_or("-", |plan| plan.short());
    let mut lines = vec![
        format!("{name}: {}{kind}", state.word()),
        format!("  run      {} of plan {plan}", clean(id)),
        format!("  started  {}, last event {}", time(status.run.started), time(status.run.updated)),
        format!("  steps    {}", steps(status)),
    ];
    lines.extend(left_out(&status.run.without));
    lines.extend(status.in_flight.iter().map(|step| in_flight(step, palette)));
    lines.extend(status.failures.iter().map(|step| failure(step, palette)));
    lines.extend(
        status
            .findings
            .iter()
            .filter(|finding| is_warning(finding))
            .map(|one| format!("    {}", warning(one, palette))),
    );
    lines.push(lock);
    lines.join("\n")
}

fn left_out(nodes: &[NodeName]) -> Option<String> {
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    let them = if names.len() == 1 { "it" } else { "them" };
    let line = format!("  missing  {}: left out of this run; `plinth apply` takes {them} in", names.join(", "));
    (!names.is_empty()).then_some(line)
}

fn place(directory: &str) -> String {
    if directory.is_empty() {
        String::new()
    } else {
        format!("\n  state    {}  (logs: `plinth logs`)", clean(directory))
    }
}

fn time(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"))
}

fn steps(status: &Status) -> String {
    let counts = status.steps;
    let interrupted = status.in_flight.iter().filter(|step| step.state == StepState::Unknown).count();
    let looked_at = status.in_flight.iter().filter(|step| step.state == StepState::Looking).count();
    let running = counts.running + looked_at;
    let waiting = counts.waiting.saturating_sub(interrupted + looked_at);
    let mut parts = vec![format!("{} done", counts.done), format!("{running} running")];
    if interrupted > 0 {
        parts.push(format!("{interrupted} interrupted"));
    }
    parts.extend([format!("{} failed", counts.failed), format!("{waiting} waiting")]);
    let all = counts.done + counts.running + counts.failed + counts.waiting;
    format!("{}: {}", amount(all, "step", "steps"), parts.join(", "))
}

fn in_flight(step: &StepStatus, palette: Palette) -> String {
    let text = match (step.state, step.seconds) {
        (StepState::Unknown, _) => "interrupted; the next run looks at it first".to_owned(),
        (state, Some(seconds)) => format!("{state} for {}", span(seconds)),
        (state, None) => state.to_string(),
    };
    let attempt = if step.attempt > 1 { format!(", attempt {}", step.attempt) } else { String::new() };
    format!("    {} {}  {text}{attempt}", palette.painted(Sign::of(step.state)), step.step)
}

fn failure(step: &FailureStatus, palette: Palette) -> String {
    format!("    {} {}  {}", palette.painted(Sign::Failed), step.step, clean(&step.detail))
}

fn lock(lock: Option<&LockView>) -> String {
    match lock {
        None => "  lock     free".to_owned(),
        Some(lock) if lock.alive => format!("  lock     held by {} since {:.0}", clean(&lock.owner), lock.acquired),
        Some(lock) => {
            format!("  lock     left behind by {}, who is gone; the next run takes it over", clean(&lock.owner))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripted;
    use plinth_model::{EventBody, RunView};

    fn site() -> SiteName {
        SiteName::new("basepod-a").unwrap()
    }

    fn lock() -> LockView {
        let at = |minutes: i64| {
            "2026-01-01T10:00:00Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minutes)
        };
        LockView {
            owner: "anna@bastion (process 4711)".into(),
            run: "run-1".into(),
            acquired: at(0),
            heartbeat: at(6),
            expires: at(7),
            alive: true,
        }
    }

    /// The run of the script until Kubernetes is half made.
    fn half() -> RunView {
        let events = scripted::run();
        let at = events.iter().rposition(|event| matches!(event.body, EventBody::StepProgress { .. })).unwrap();
        RunView::of(&events[..=at])
    }

    #[test]
    fn a_site_that_was_never_applied() {
        let never = Status::of(RunView::default(), None, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(status(&site(), &never, Palette::PLAIN), "basepod-a: never applied\n  lock     free");
    }

    #[test]
    fn a_run_in_flight() {
        let running = Status::of(half(), Some(lock()), jiff::Timestamp::UNIX_EPOCH);
        insta::assert_snapshot!(status(&site(), &running, Palette::PLAIN));
    }

    #[test]
    fn a_run_that_was_interrupted() {
        let interrupted = Status::of(half(), Some(LockView { alive: false, ..lock() }), jiff::Timestamp::UNIX_EPOCH);
        insta::assert_snapshot!(status(&site(), &interrupted, Palette::PLAIN));
    }
}
