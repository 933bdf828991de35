//! How far a run came, as text.

use crate::card::cards;
use crate::findings::{behind_what, is_warning, labelled, warning};
use crate::frame::{Ink, Line};
use crate::style::{Palette, Sign, clean};
use crate::summary::partly;
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::run::status::{ChecksStatus, FailureStatus, RunStatus, SmallStatus, StepStatus};
use plinth_model::run::{Holder, Interrupted, Life, LockView, Progress, Refusal, RunState, Status, StepState};
use plinth_model::span::span;
use plinth_model::{NodeName, SiteName};

/// The text, several lines, without a final line break. `groups`: what failed, by cause.
#[must_use]
pub fn status(site: &SiteName, status: &Status, groups: &[FailureGroup], palette: Palette) -> String {
    let stopping = status.stopping.iter().map(|reason| {
        let reason = reason.strip_prefix("stopping ").unwrap_or(reason);
        format!("  stopping {}", clean(reason))
    });
    let in_flight = status.in_flight.iter().flat_map(|step| in_flight(step, palette));
    whole(site, status, (stopping.chain(in_flight).collect(), groups), palette)
}

/// The same of a run that is on: its frame ([`crate::frame::frame`]) says what is in flight, what it waits for, also while it is being
/// stopped, and which stages there are.
#[must_use]
pub fn status_with(
    site: &SiteName,
    status: &Status,
    (frame, groups): (&[Line], &[FailureGroup]),
    palette: Palette,
) -> String {
    let lines = frame.iter().map(|line| format!("  {}", line.painted(palette))).collect();
    whole(site, status, (lines, groups), palette)
}

/// What stands above the frame where the status is watched: which run, since when, and whether it lives.
#[must_use]
pub fn heading(site: &SiteName, status: &Status, columns: usize, palette: Palette) -> Vec<Line> {
    let RunStatus { id, plan, rehearsal, started, .. } = &status.run;
    let kind = if *rehearsal { " (a rehearsal: its times are virtual)" } else { "" };
    let name = Line::of(Ink::Bold, site.as_str()).and(Ink::Plain, format!(": {}{kind}", state(status)));
    let plan = plan.as_ref().map_or("-", |plan| plan.short());
    let run = id.as_ref().map(|id| format!("  since {}; plan {plan}, run {}", time(*started), clean(id)));
    let told = run.into_iter().chain(status.life.as_ref().and_then(life));
    let told = told.map(|text| Line::of(Ink::Dim, text));
    std::iter::once(name).chain(told).map(|line| line.fitted(columns, palette)).collect()
}

fn whole(
    site: &SiteName,
    status: &Status,
    (in_flight, groups): (Vec<String>, &[FailureGroup]),
    palette: Palette,
) -> String {
    let name = palette.bold(site.as_str());
    let lock = format!("{}{}", lock(status.lock.as_ref()), place(status));
    let RunStatus { id, plan, rehearsal, .. } = &status.run;
    let Some(id) = id else {
        let mut lines = vec![format!("{name}: never applied")];
        lines.extend(status.refused.iter().flat_map(|refusal| refused(refusal, palette)));
        lines.extend(look(status));
        lines.push(lock);
        return lines.join("\n");
    };
    let kind = if *rehearsal { " (a rehearsal: its times are virtual)" } else { "" };
    let plan = plan.as_ref().map_or("-", |plan| plan.short());
    let mut lines = vec![
        format!("{name}: {}{kind}", state(status)),
        format!("  run      {} of plan {plan}", clean(id)),
        format!("  started  {}, last event {}", time(status.run.started), time(status.run.updated)),
        format!("  steps    {}", steps(status)),
    ];
    lines.extend(status.life.as_ref().and_then(life));
    lines.extend(left_out(&status.run));
    lines.extend(in_flight);
    lines.extend(cards(groups, palette).iter().map(|line| format!("  {line}")));
    let warnings = status.findings.iter().filter(|finding| is_warning(finding));
    lines.extend(warnings.map(|one| format!("    {}", warning(one, palette))));
    lines.extend(status.checks.iter().flat_map(|checks| checked(checks, palette)));
    lines.extend(status.small.iter().flat_map(|small| done_since(small, palette)));
    lines.extend(status.refused.iter().flat_map(|refusal| refused(refusal, palette)));
    lines.extend(look(status));
    lines.push(lock);
    lines.join("\n")
}

/// Findings of a refusal that are told; the rest is counted.
const REFUSED: usize = 5;

/// `  refused  2026-11-30T01:00:00Z: not fit: dgx-05; nothing was changed`, and below it what was wrong.
fn refused(refusal: &Refusal, palette: Palette) -> Vec<String> {
    let Refusal { at, happened, fix, findings } = refusal;
    let mut lines = vec![format!("  refused  no run began at {at:.0}: {}", clean(happened))];
    for finding in findings.iter().take(REFUSED) {
        let (sign, subject) = (palette.painted(Sign::Failed), clean(&finding.subject));
        lines.push(format!("    {sign} {subject}  {} ({})", clean(&finding.message), clean(finding.code.as_str())));
        lines.extend(behind_what(finding, palette).iter().map(|part| below(part)));
    }
    if findings.len() > REFUSED {
        lines.push(format!("    and {}", amount(findings.len() - REFUSED, "more finding")));
    }
    lines.push(format!("    {}", labelled("next", fix, palette)));
    lines
}

/// Seconds without an event that need no word.
const QUIET_S: f64 = 60.0;

/// `  life     no event for 4 min; process 4711 on bastion is gone`.
fn life(life: &Life) -> Option<String> {
    sign_of_life(life).map(|text| format!("  life     {text}"))
}

/// `no event for 4 min; process 4711 on bastion is gone`; none when all is as it should be.
#[must_use]
pub fn sign_of_life(life: &Life) -> Option<String> {
    let who = life
        .who
        .as_ref()
        .map_or_else(|| "whoever ran it".to_owned(), |who| format!("process {} on {}", who.process, clean(&who.host)));
    let stands = match (life.alive, life.renewed_s) {
        (true, Some(seconds)) if life.quiet_s >= QUIET_S => format!("is alive, last heard of {} ago", span(seconds)),
        (true, _) => return None,
        (false, renewed) => standing(life.process, renewed),
    };
    Some(format!("no event for {}; {who} {stands}", span(life.quiet_s)))
}

/// Of whoever does not renew the lock.
fn standing(process: Option<Holder>, renewed_s: Option<f64>) -> String {
    let renewed = renewed_s.map(|seconds| format!(" for {}", span(seconds))).unwrap_or_default();
    match process {
        Some(Holder::Gone) => "is gone".to_owned(),
        Some(Holder::There) => format!("is there, but has not renewed its lock{renewed}: stopped, or stuck"),
        Some(Holder::Unseen) => {
            format!("has not renewed its lock{renewed}; whether it has ended is not seen from here")
        }
        None => "does not hold the lock any more".to_owned(),
    }
}

fn left_out(run: &RunStatus) -> Option<String> {
    let verb = if run.rehearsal { "rehearse" } else { "apply" };
    let names: Vec<&str> = run.without.iter().map(NodeName::as_str).collect();
    let them = if names.len() == 1 { "it" } else { "them" };
    let line =
        format!("  without  {}: nothing else waits for {them}; `plinth {verb}` takes {them} in", names.join(", "));
    (!names.is_empty()).then_some(line)
}

/// `  checks   9 of 10 hold, 2026-11-30T01:00:00Z (`plinth check`)`.
fn checked(checks: &ChecksStatus, palette: Palette) -> Vec<String> {
    let ChecksStatus { held, all, .. } = checks;
    let counted = match checks.ended {
        false => format!("broken off: {held} of {all} hold"),
        true if held == all => format!("all {all} hold"),
        true => format!("{held} of {all} hold"),
    };
    let mut lines = vec![format!("  checks   {counted}, {} (`plinth check`)", time(checks.updated))];
    lines.extend(checks.failures.iter().flat_map(|step| failure(step, palette)));
    lines
}

/// `  since    `plinth rollback gpu-operator`: done, 2026-11-30T01:00:00Z`.
fn done_since(small: &SmallStatus, palette: Palette) -> Vec<String> {
    let state = small.state.word();
    let mut lines = vec![format!("  since    `plinth {}`: {state}, {}", clean(&small.command), time(small.updated))];
    lines.extend(small.failures.iter().flat_map(|step| failure(step, palette)));
    lines
}

fn place(status: &Status) -> String {
    let Status { directory, logs, .. } = status;
    if directory.is_empty() {
        String::new()
    } else {
        format!("\n  state    {}  (logs: `{}`)", clean(directory), clean(logs))
    }
}

/// Somebody holds the lock for a run that has not begun: the look before it, or a question that waits for its answer.
fn look(status: &Status) -> Option<String> {
    let lock = status.to_come()?;
    let since = format!("{:.0}", lock.acquired);
    let doing = match &status.awaited {
        Some(awaited) => format!("looks at the site before a run, since {since}; waits for {}", clean(awaited)),
        None => format!("looks at the site before a run, or waits for an answer, since {since}"),
    };
    Some(format!("  now      {} {doing}", clean(&lock.owner)))
}

fn state(status: &Status) -> &'static str {
    match (status.run.state, &status.run.counts) {
        (RunState::Partly, Some(counts)) => partly(counts),
        (RunState::Partly, None) => "partly applied",
        (RunState::Interrupted, _) if is_stuck(status) => "interrupted, though its process is there",
        (state, _) => state.word(),
    }
}

fn is_stuck(status: &Status) -> bool {
    let of_run = |lock: &&LockView| Some(&lock.run) == status.run.id.as_ref();
    status.lock.as_ref().filter(of_run).is_some_and(|lock| lock.process == Holder::There)
}

fn time(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"))
}

fn steps(status: &Status) -> String {
    let counts = status.steps;
    let of = |place| status.in_flight.iter().filter(|step| step.interrupted == Some(place)).count();
    let (interrupted, only_looked) = (of(Interrupted::Effect), of(Interrupted::Look));
    let looked_at = status.in_flight.iter().filter(|step| step.state == StepState::Looking).count();
    let running = counts.running + looked_at;
    let waiting = counts.waiting.saturating_sub(interrupted + only_looked + looked_at);
    let mut parts = vec![format!("{} done", counts.done)];
    let further = [
        (running, "running"),
        (interrupted, "interrupted"),
        (only_looked, "interrupted while only looked at"),
        (counts.failed, "failed"),
        (waiting, "waiting"),
    ];
    parts.extend(further.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
    let all = counts.done + counts.running + counts.failed + counts.waiting;
    format!("{}: {}", amount(all, "step"), parts.join(", "))
}

/// The step and since when; below it why it is in the plan, and what it ran into.
fn in_flight(step: &StepStatus, palette: Palette) -> Vec<String> {
    let text = match (step.interrupted, step.state, step.seconds) {
        (Some(place), _, _) => place.told().to_owned(),
        (None, state, Some(seconds)) => {
            let since = step.started.map_or_else(String::new, |at| format!(", since {at:.0}"));
            format!("{} for {}{since}", doing(state), span(seconds))
        }
        (None, state, None) => doing(state).to_owned(),
    };
    let attempt = if step.attempt > 1 { format!(", attempt {}", step.attempt) } else { String::new() };
    let mut lines = vec![format!("    {} {}  {text}{attempt}", palette.painted(Sign::of(step.state)), step.step)];
    if !step.reason.is_empty() && step.state != StepState::Unknown {
        lines.push(below(&labelled("why", &step.reason, palette)));
    }
    if let Some(progress) = &step.progress {
        lines.push(below(&labelled("now", &moving(progress), palette)));
    }
    if let Some(waits) = &step.waits {
        lines.push(below(&labelled("waits", &format!("the last attempt failed: {waits}"), palette)));
    }
    lines
}

/// `play 6/15: preinstall · 3 of 5 hosts, 20 s (task 85 of about 1040)`.
fn moving(progress: &Progress) -> String {
    let Progress { done, total, message } = progress;
    if *total > 0 { format!("{message} ({done} of about {total})") } else { message.clone() }
}

/// What a step does in this state, for people.
const fn doing(state: StepState) -> &'static str {
    match state {
        StepState::Looking => "looking or waiting",
        StepState::Acting => "working",
        other => other.word(),
    }
}

/// The step with what is wrong; below it evidence and fix.
fn failure(step: &FailureStatus, palette: Palette) -> Vec<String> {
    let mut lines = vec![format!("    {} {}  {}", palette.painted(Sign::Failed), step.step, clean(&step.detail))];
    if let Some(finding) = &step.finding {
        lines.extend(behind_what(finding, palette).iter().map(|part| below(part)));
    }
    lines
}

fn below(text: &str) -> String {
    format!("        {text}")
}

fn lock(lock: Option<&LockView>) -> String {
    match lock {
        None => "  lock     free".to_owned(),
        Some(lock) if lock.alive => format!("  lock     held by {} since {:.0}", clean(&lock.owner), lock.acquired),
        Some(lock) => format!("  lock     stale: {}", stale(lock)),
    }
}

/// Why a lock does not count any more, and what that means for whoever wants to run.
fn stale(lock: &LockView) -> String {
    let LockView { owner, heartbeat, expires, process, .. } = lock;
    let owner = clean(owner);
    match process {
        Holder::Gone => format!("{owner} has ended; the next run will take it over"),
        Holder::There => format!(
            "{owner} is there, but has not renewed it since {heartbeat:.0}; it ran out at {expires:.0}. Look at that process first: it may go on. \
             The next run will take the lock over"
        ),
        Holder::Unseen => format!(
            "{owner} has not renewed it since {heartbeat:.0}; it ran out at {expires:.0}. Whether that process has ended is not seen from here. \
             The next run will take the lock over"
        ),
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
            process: Holder::There,
        }
    }

    /// The run of the script until Kubernetes is half made.
    fn half() -> RunView {
        let events = scripted::run();
        let at = events.iter().rposition(|event| matches!(event.body, EventBody::StepProgress { .. })).unwrap();
        RunView::of(&events[..=at])
    }

    fn told(view: RunView, lock: Option<LockView>) -> String {
        let groups = plinth_analysis::failure_groups(&view, &plinth_analysis::Traits::new());
        let told = Status::of(view, lock, jiff::Timestamp::UNIX_EPOCH);
        status(&site(), &told, &groups, Palette::PLAIN)
    }

    #[test]
    fn a_site_that_was_never_applied() {
        assert_eq!(told(RunView::default(), None), "basepod-a: never applied\n  lock     free");
    }

    /// Somebody at another terminal sees that there is a run to come, and who keeps it waiting.
    #[test]
    fn a_look_before_a_run_says_who_is_waited_for() {
        let first = Status::of(RunView::default(), Some(lock()), jiff::Timestamp::UNIX_EPOCH);
        let later =
            Status::of(half(), Some(LockView { run: "next".to_owned(), ..lock() }), jiff::Timestamp::UNIX_EPOCH);
        for now in [first, later] {
            let text = status(&site(), &now, &[], Palette::PLAIN);
            assert!(text.contains("  now      ") && text.contains("or waits for an answer"), "{text}");
            let text = status(&site(), &now.awaiting(Some("n2 (11 s)".to_owned())), &[], Palette::PLAIN);
            assert!(
                text.contains("looks at the site before a run") && text.contains("; waits for n2 (11 s)"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_run_in_flight() {
        insta::assert_snapshot!(told(half(), Some(lock())));
    }

    /// The frame says why nothing new begins.
    #[test]
    fn why_a_run_stops_is_said_once() {
        let mut view = half();
        view.stopping = Some("stopping after 1 running step has finished".into());
        let now = Status::of(view, Some(lock()), jiff::Timestamp::UNIX_EPOCH);
        let frame = [Line::of(Ink::Doubtful, "stopping after 1 running step has finished")];
        let text = status_with(&site(), &now, (&frame, &[]), Palette::PLAIN);
        assert_eq!(text.matches("has finished").count(), 1, "{text}");
        let text = status(&site(), &now, &[], Palette::PLAIN);
        assert_eq!(text.matches("has finished").count(), 1, "{text}");
    }

    #[test]
    fn a_run_that_was_interrupted() {
        insta::assert_snapshot!(told(half(), Some(LockView { alive: false, process: Holder::Gone, ..lock() })));
    }

    /// Stopped with Ctrl-Z for longer than a lock lasts: whoever reads that it had ended would begin a second run beside it.
    #[test]
    fn a_process_that_is_there_and_does_not_renew_its_lock_has_not_ended() {
        let told = |process| told(half(), Some(LockView { alive: false, process, ..lock() }));
        let text = told(Holder::There);
        assert!(!text.contains("has ended") && !text.contains("is gone"), "{text}");
        assert!(text.contains("(process 4711) is there, but has not renewed it since 2026-01-01T10:06:00Z"), "{text}");
        assert!(text.contains("it ran out at 2026-01-01T10:07:00Z"), "{text}");
        assert!(text.starts_with("basepod-a: interrupted, though its process is there ("), "{text}");
        let text = told(Holder::Unseen);
        assert!(!text.contains(" has ended;") && text.contains("is not seen from here"), "{text}");
    }
}
