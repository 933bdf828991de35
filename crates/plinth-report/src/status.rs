//! How far a run came, as text.

use crate::findings::amount;
use crate::style::{Palette, Sign, clean};
use plinth_model::StepId;

/// What `plinth status` knows, from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusView {
    /// Site.
    pub site: String,
    /// The last run; none: the site was never touched.
    pub run: Option<RunView>,
    /// Steps done.
    pub done: usize,
    /// Steps in flight, with how long (`3 min 12 s`).
    pub running: Vec<(StepId, String)>,
    /// Steps that failed, with what happened.
    pub failed: Vec<(StepId, String)>,
    /// Steps not reached yet.
    pub waiting: usize,
    /// Who holds the lock: `anna@bastion, pid 4711, since 10:02`; none: nobody.
    pub lock: Option<String>,
}

/// The head line of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunView {
    /// Run id.
    pub id: String,
    /// `running`, `done`, `partly`, `stopped`, `interrupted`.
    pub state: String,
    /// Plan hash, short.
    pub plan: String,
    /// When it started.
    pub started: String,
    /// When it was last written to.
    pub updated: String,
}

/// The text, several lines, without a final line break.
#[must_use]
pub fn status(view: &StatusView, palette: Palette) -> String {
    let site = palette.bold(&clean(&view.site));
    let Some(run) = &view.run else {
        return format!("{site}: never applied\n{}", lock(view));
    };
    let mut lines = vec![
        format!("{site}: {}", clean(&run.state)),
        format!("  run      {} of plan {}", clean(&run.id), clean(&run.plan)),
        format!("  started  {}, last written {}", clean(&run.started), clean(&run.updated)),
        format!("  steps    {}", steps(view)),
    ];
    lines.extend(view.running.iter().map(|(step, time)| step_line(Sign::Running, step, time, palette)));
    lines.extend(view.failed.iter().map(|(step, what)| step_line(Sign::Failed, step, what, palette)));
    lines.push(lock(view));
    lines.join("\n")
}

fn steps(view: &StatusView) -> String {
    let all = view.done + view.running.len() + view.failed.len() + view.waiting;
    let (running, failed) = (view.running.len(), view.failed.len());
    format!(
        "{}: {} done, {running} running, {failed} failed, {} waiting",
        amount(all, "step", "steps"),
        view.done,
        view.waiting
    )
}

fn step_line(sign: Sign, step: &StepId, text: &str, palette: Palette) -> String {
    format!("    {} {step}  {}", palette.painted(sign), clean(text))
}

fn lock(view: &StatusView) -> String {
    match &view.lock {
        Some(holder) => format!("  lock     held by {}", clean(holder)),
        None => "  lock     free".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::id;

    #[test]
    fn a_site_that_was_never_applied() {
        let view = StatusView { site: "basepod-a".into(), ..StatusView::default() };
        assert_eq!(status(&view, Palette::PLAIN), "basepod-a: never applied\n  lock     free");
    }

    #[test]
    fn a_run_in_flight() {
        let view = StatusView {
            site: "basepod-a".into(),
            run: Some(RunView {
                id: "run-1".into(),
                state: "running".into(),
                plan: "0123456789ab".into(),
                started: "10:00".into(),
                updated: "10:12".into(),
            }),
            done: 20,
            running: vec![(id("kubernetes/deploy/basepod-a"), "3 min 12 s".into())],
            failed: vec![(id("nodes/account/dgx-06"), "connection reset".into())],
            waiting: 40,
            lock: Some("anna@bastion, pid 4711, since 10:00".into()),
        };
        insta::assert_snapshot!(status(&view, Palette::PLAIN));
    }
}
