//! `plinth status`: the view of the last run and the site's lock, in small.

use super::{Interrupted, Progress, RunState, RunView, StepState, Who};
use crate::{Digest, Finding, NodeName, StepId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Schema number of the machine shape.
pub const SCHEMA: u32 = 1;

/// How the last run of a site stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// [`SCHEMA`] of the plinth that answers.
    pub schema: u32,
    /// The last run.
    pub run: RunStatus,
    /// How many of its steps are done, run, failed or wait.
    pub steps: StepCounts,
    /// Steps that are looked at or changed now, longest first; after an interruption those whose end was not seen.
    pub in_flight: Vec<StepStatus>,
    /// Why nothing new begins, while the run waits for what is in flight: what it waits for, and until when at the latest.
    pub stopping: Option<String>,
    /// Steps that failed, in the order they failed.
    pub failures: Vec<FailureStatus>,
    /// What was doubtful, in the order in which it was seen.
    pub findings: Vec<Finding>,
    /// The checks that were carried out alone since that run.
    pub checks: Option<ChecksStatus>,
    /// The last small thing that was done since that run: a rollback, new host keys.
    pub small: Option<SmallStatus>,
    /// The site's lock, if somebody holds it.
    pub lock: Option<LockView>,
    /// Who is waited for before the next run begins, as long as somebody holds the lock for one and has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaited: Option<String>,
    /// What refused a run that was to begin since that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The site's state directory: journal, keys, pins, logs.
    pub directory: String,
    /// The command that tells where the logs are, with the flags that lead here. For people: programs know what they asked.
    #[serde(skip)]
    pub logs: String,
    /// Whether whoever runs it lives; none when the run is over, and for rehearsals, whose time is virtual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
}

/// Why a run did not begin: it was refused after a look at the site, and nothing was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// When, by the machine's clock, in a rehearsal too.
    pub at: Timestamp,
    /// Why, in a line.
    pub happened: String,
    /// What to do, and what to run then.
    pub fix: String,
    /// What was wrong: errors, as many as are kept.
    pub findings: Vec<Finding>,
}

/// Signs of life of a run that has no end.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Life {
    /// Seconds since its newest event.
    pub quiet_s: f64,
    /// Who runs it.
    pub who: Option<Who>,
    /// Whether that process shows signs of life: it renews the site's lock.
    pub alive: bool,
    /// Seconds since it last renewed the lock, as long as that is there.
    pub renewed_s: Option<f64>,
    /// What is known of that process; null when the lock, which would name it, is not there any more.
    pub process: Option<Holder>,
}

impl Life {
    fn of(view: &RunView, lock: Option<&LockView>, (held, now): (bool, Timestamp)) -> Option<Self> {
        let head = view.run.as_ref().filter(|head| !head.rehearsal && view.end.is_none())?;
        let since = |at: Timestamp| now.duration_since(at).as_secs_f64().max(0.0);
        let lock = lock.filter(|lock| lock.run == head.run);
        let (renewed_s, process) = lock.map(|lock| (since(lock.heartbeat), lock.process)).unzip();
        Some(Self { quiet_s: since(view.at?), who: head.who(), alive: held, renewed_s, process })
    }
}

/// The last run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// Run id; null when there was no run.
    pub id: Option<String>,
    /// `none` when there was no run; `running` only while somebody shows signs of life.
    pub state: RunState,
    /// What it counted, once it ended.
    pub counts: Option<super::Counts>,
    /// Hash of the plan that it ran.
    pub plan: Option<Digest>,
    /// When its first event happened.
    pub started: Option<Timestamp>,
    /// When its newest event happened.
    pub updated: Option<Timestamp>,
    /// Whether it was a rehearsal.
    pub rehearsal: bool,
    /// Nodes of the site that it left out.
    pub without: Vec<NodeName>,
    /// `seq` of the last event stored.
    pub seq: u64,
}

/// Steps of the last run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepCounts {
    /// Changed, unchanged or skipped.
    pub done: usize,
    /// Their effect has begun. Steps that are only looked at count as waiting.
    pub running: usize,
    /// Ended outside of the desired state; a later apply tries them again.
    pub failed: usize,
    /// The rest of the plan.
    pub waiting: usize,
}

/// A step in flight.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Which one, as `area/verb/target`.
    pub step: StepId,
    /// `looking`, `acting`, `unknown`.
    pub state: StepState,
    /// Where it was when the run broke off: `effect` or `look`; absent while the run is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interrupted>,
    /// When it started, by the run's clock.
    pub started: Option<Timestamp>,
    /// Seconds since then, if the run is on.
    pub seconds: Option<f64>,
    /// Attempt, from 1; 0 before the first.
    pub attempt: u32,
    /// Why it is in the plan.
    pub reason: String,
    /// What the last attempt ran into, while the next one is waited for.
    pub waits: Option<String>,
    /// What moves inside it, as it was told last: of a play which one, how many of about how many tasks, and its hosts.
    pub progress: Option<Progress>,
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureStatus {
    /// Which one, as `area/verb/target`.
    pub step: StepId,
    /// One line.
    pub detail: String,
    /// What is wrong, and how to fix it.
    pub finding: Option<Box<Finding>>,
}

/// How the acceptance checks stood when they were last carried out alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChecksStatus {
    /// Run id.
    pub run: String,
    /// Its last event.
    pub updated: Option<Timestamp>,
    /// Whether it came to its end.
    pub ended: bool,
    /// Checks that are done: passed, or skipped with a reason.
    pub held: usize,
    /// All checks of that run.
    pub all: usize,
    /// Those that did not hold, or could not be carried out.
    pub failures: Vec<FailureStatus>,
}

impl ChecksStatus {
    fn of(view: &RunView) -> Self {
        let head = view.run.as_ref();
        Self {
            run: head.map(|run| run.run.clone()).unwrap_or_default(),
            updated: view.at,
            ended: view.end.is_some(),
            held: view.tally().done(),
            all: head.map_or(0, |run| run.steps),
            failures: view.failures().map(|(step, view)| failure(step, view)).collect(),
        }
    }
}

/// A run that did one small thing and says nothing about how far the site is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SmallStatus {
    /// Run id.
    pub run: String,
    /// The command: `rollback gpu-operator`.
    pub command: String,
    /// How it ended; `interrupted` when its end was not seen.
    pub state: RunState,
    /// Its last event.
    pub updated: Option<Timestamp>,
    /// Steps that failed.
    pub failures: Vec<FailureStatus>,
}

impl SmallStatus {
    fn of(view: &RunView) -> Option<Self> {
        let head = view.run.as_ref()?;
        Some(Self {
            run: head.run.clone(),
            command: head.small.clone()?,
            state: view.state(false),
            updated: view.at,
            failures: view.failures().map(|(step, view)| failure(step, view)).collect(),
        })
    }
}

/// The site's lock, as others see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LockView {
    /// User, host and process.
    pub owner: String,
    /// Run it was taken for.
    pub run: String,
    /// When it was taken.
    pub acquired: Timestamp,
    /// When its holder last gave a sign of life.
    pub heartbeat: Timestamp,
    /// When it runs out unless renewed.
    pub expires: Timestamp,
    /// Whether it still counts; otherwise the next run takes it over.
    pub alive: bool,
    /// What is known of the process that holds it, or held it.
    pub process: Holder,
}

/// What is known of the process that took a lock, whatever the lock's times say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Holder {
    /// This very process is there: it works, or it was stopped, or it is stuck.
    There,
    /// It has ended, for certain.
    Gone,
    /// It cannot be seen from here: it is on another machine, in another container, or of another boot.
    Unseen,
}

impl Status {
    /// The status of a run, as seen at `now` by the machine's clock.
    #[must_use]
    pub fn of(mut view: RunView, lock: Option<LockView>, now: Timestamp) -> Self {
        let id = view.run.as_ref().map(|run| run.run.clone());
        let held = lock.as_ref().is_some_and(|lock| lock.alive && Some(&lock.run) == id.as_ref());
        let state = view.state(held);
        let life = Life::of(&view, lock.as_ref(), (held, now));
        if state != RunState::Running {
            view.lose_sight();
        }
        let in_flight = in_flight(&view, state, now);
        Self {
            schema: SCHEMA,
            run: RunStatus {
                id,
                state,
                counts: view.end.as_ref().map(|end| end.counts),
                plan: view.run.as_ref().map(|run| run.plan.clone()),
                started: view.started,
                updated: view.at,
                rehearsal: view.run.as_ref().is_some_and(|run| run.rehearsal),
                without: view.run.as_ref().map(|run| run.without.clone()).unwrap_or_default(),
                seq: view.seq(),
            },
            steps: counts(&view),
            in_flight,
            stopping: view.stopping.take().filter(|_| state == RunState::Running),
            failures: view.failures().map(|(step, view)| failure(step, view)).collect(),
            findings: view.findings,
            checks: None,
            small: None,
            lock,
            awaited: None,
            refused: None,
            directory: String::new(),
            logs: String::new(),
            life,
        }
    }

    /// The same, with what moves inside the steps that are in flight.
    #[must_use]
    pub fn moving(mut self, progress: &BTreeMap<StepId, Progress>) -> Self {
        if self.run.state == RunState::Running {
            for step in &mut self.in_flight {
                step.progress = progress.get(&step.step).cloned();
            }
        }
        self
    }

    /// The run for which somebody holds the lock, and which has not begun.
    #[must_use]
    pub fn to_come(&self) -> Option<&LockView> {
        self.lock.as_ref().filter(|lock| lock.alive && Some(&lock.run) != self.run.id.as_ref())
    }

    /// The same, with who is waited for before the next run.
    #[must_use]
    pub fn awaiting(self, awaited: Option<String>) -> Self {
        Self { awaited, ..self }
    }

    /// The same, with what refused the run that was to begin next.
    #[must_use]
    pub fn refused(self, refused: Option<Refusal>) -> Self {
        Self { refused, ..self }
    }

    /// The same, with a later run that was checks alone, and a later one that did one small thing.
    #[must_use]
    pub fn followed_by(self, checks: Option<&RunView>, small: Option<&RunView>) -> Self {
        Self { checks: checks.map(ChecksStatus::of), small: small.and_then(SmallStatus::of), ..self }
    }

    /// The same, with the place where all this is kept, and the command that tells of its logs.
    #[must_use]
    pub fn kept_in(self, directory: &str, logs: String) -> Self {
        Self { directory: directory.to_owned(), logs, ..self }
    }
}

fn in_flight(view: &RunView, state: RunState, now: Timestamp) -> Vec<StepStatus> {
    let running = state == RunState::Running;
    // In a rehearsal time is virtual: the machine's clock says nothing about its steps.
    let virtual_time = view.run.as_ref().is_some_and(|run| run.rehearsal);
    let now = if virtual_time { view.at.unwrap_or(now) } else { now };
    let one = |(id, step): (&StepId, &super::StepView)| StepStatus {
        step: id.clone(),
        state: if running { step.state } else { StepState::Unknown },
        interrupted: step.interrupted(),
        started: step.started,
        seconds: step.started.filter(|_| running).map(|from| now.duration_since(from).as_secs_f64().max(0.0)),
        attempt: step.attempt,
        reason: step.reason.to_string(),
        waits: step.waits.clone(),
        progress: step.progress.clone().filter(|_| running),
    };
    if running {
        return view.longest_running().into_iter().map(one).collect();
    }
    let mut steps: Vec<StepStatus> =
        view.steps.iter().filter(|(_, step)| step.interrupted().is_some()).map(one).collect();
    // What may go on without plinth comes first.
    steps.sort_by_key(|step| step.interrupted);
    steps
}

fn failure(step: &StepId, view: &super::StepView) -> FailureStatus {
    FailureStatus { step: step.clone(), detail: view.detail.clone(), finding: view.finding.clone() }
}

fn counts(view: &RunView) -> StepCounts {
    let tally = view.tally();
    let (done, running, failed) = (tally.done(), tally.acting, tally.failed);
    let all = view.run.as_ref().map_or(0, |run| run.steps);
    StepCounts { done, running, failed, waiting: all.saturating_sub(done + running + failed) }
}
