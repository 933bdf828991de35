//! The state machine of one step in one run, as a table without I/O: each message decides what comes next.
//!
//! Look; if it is not so, take effect, look again. A failure that says it is transient is tried again, after a look where an
//! effect may have happened. A step is done when a look says so, never because an effect returned.

use super::in_flight::{Message, Spawn};
use crate::behaviour::{Probe, Probed};
use crate::unreached::{is_unreached, unreached};
use jiff::Timestamp;
use plinth_model::finding::code;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::CommandFailure;
use plinth_model::{Digest, Finding, NodeName, Step, amount};
use plinth_world::{ClientError, FailedOn, deadlines};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is known of a running step.
pub(crate) struct StepMachine {
    /// Clock time at its start.
    pub(crate) began: Duration,
    /// Digest of the step.
    pub(crate) digest: Digest,
    looks: u32,
    effects: u32,
    last: Effect,
    /// What the node told of itself at the last look.
    pub(crate) facts: BTreeMap<String, String>,
}

/// How the last effect ended.
enum Effect {
    None,
    Running,
    Returned(String),
    Failed(Box<ClientError>),
    Late(Option<Box<CommandFailure>>),
}

/// What the run knows beyond the step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// No new effect may begin, not even a repetition of one that failed.
    pub(crate) stopping: bool,
    /// The step must happen once, and was done before: last then.
    pub(crate) spent: Option<Timestamp>,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Begin this.
    Go(Spawn),
    /// Say that it is tried again, then wait.
    Retry {
        /// Attempt that failed.
        attempt: u32,
        /// What happened.
        message: String,
        /// How long to wait.
        wait: Duration,
    },
    /// Record the intent, then take effect.
    Act {
        /// Differences seen.
        diff: Vec<String>,
        /// Attempt, from 1.
        attempt: u32,
    },
    /// It is in the desired state.
    Done {
        /// This run made it so.
        changed: bool,
        /// One line for people.
        detail: String,
        answers: Vec<(GateId, GateAnswer)>,
        /// What is doubtful all the same.
        notes: Vec<Finding>,
    },
    /// It failed.
    Failed(Box<Failing>),
    /// The run stops before its effect, or before its repetition.
    Left,
}

/// How a step failed.
#[derive(Debug)]
pub(crate) struct Failing {
    /// What is wrong.
    pub(crate) finding: Finding,
    /// The program on which it failed, if it was one.
    pub(crate) program: Option<Box<CommandFailure>>,
    /// Of a step about several nodes, those that it failed on; empty where it did not fail on some only.
    pub(crate) nodes: Vec<NodeName>,
}

impl From<Finding> for Failing {
    fn from(finding: Finding) -> Self {
        Self { finding, program: None, nodes: Vec::new() }
    }
}

impl StepMachine {
    /// A machine that begins now.
    pub(crate) fn new(began: Duration, digest: Digest) -> Self {
        Self { began, digest, looks: 0, effects: 0, last: Effect::None, facts: BTreeMap::new() }
    }

    pub(crate) fn handle(&mut self, step: &Step, mut message: Message, rules: Rules) -> Next {
        if let Message::Probed(Ok(probed)) = &mut message {
            self.facts = std::mem::take(&mut probed.facts);
        }
        match message {
            Message::Waited => Next::Go(Spawn::Probe),
            Message::Acted(Ok(said)) => self.look_after(Effect::Returned(said)),
            Message::Acted(Err(error)) => self.effect_failed(step, error),
            Message::Late(program) if matches!(self.last, Effect::Running) => self.look_after(Effect::Late(program)),
            Message::Late(program) => late(step, "looking at it", program),
            Message::Probed(Err(error)) => self.look_failed(step, error, rules),
            Message::Probed(Ok(Probed { probe: Probe::Blocked(finding), .. })) => failed(*finding),
            Message::Probed(Ok(Probed { probe: Probe::Done(detail), answers, notes, .. })) => {
                self.done(step, detail, (answers, notes))
            }
            Message::Probed(Ok(Probed { probe: Probe::Todo(diff), again, .. })) => {
                self.not_so(step, diff, Rules { spent: rules.spent.filter(|done| !again.may(*done)), ..rules })
            }
        }
    }

    fn look_after(&mut self, effect: Effect) -> Next {
        self.last = effect;
        self.looks = 0;
        Next::Go(Spawn::Probe)
    }

    fn effect_failed(&mut self, step: &Step, error: ClientError) -> Next {
        if error.transient.is_none() {
            return failure(step, error, self.effects);
        }
        let (attempt, message) = (self.effects, error.to_string());
        let look = self.look_after(Effect::Failed(Box::new(error)));
        if attempt >= deadlines::STEP_ATTEMPTS {
            return look;
        }
        Next::Retry { attempt, message, wait: backoff(step, attempt) }
    }

    fn look_failed(&mut self, step: &Step, error: ClientError, rules: Rules) -> Next {
        self.looks += 1;
        if error.transient.is_none() || self.looks >= deadlines::STEP_ATTEMPTS {
            return failure(step, error, self.looks);
        }
        if rules.stopping && self.effects == 0 {
            return Next::Left;
        }
        Next::Retry { attempt: self.looks, message: error.to_string(), wait: backoff(step, self.looks) }
    }

    /// Attempts so far: to change it, or, as long as there was none, to look at it.
    pub(crate) fn attempts(&self) -> u32 {
        if self.effects > 0 { self.effects } else { self.looks.max(1) }
    }

    /// Whether its effect has begun.
    pub(crate) fn has_acted(&self, step: &Step) -> bool {
        self.effects > 0 && !step.work.reads_only()
    }

    /// Whether it had to wait for what it only looks at.
    pub(crate) fn waited(&self, step: &Step) -> bool {
        self.effects > 0 && step.work.reads_only()
    }

    /// A step that only looks changes nothing, even if it had to wait.
    fn done(&mut self, step: &Step, seen: String, (answers, notes): (Vec<(GateId, GateAnswer)>, Vec<Finding>)) -> Next {
        let changed = self.has_acted(step);
        let detail = match std::mem::replace(&mut self.last, Effect::None) {
            Effect::Returned(said) if !said.is_empty() => said,
            _ => seen,
        };
        Next::Done { changed, detail, answers, notes }
    }

    fn not_so(&mut self, step: &Step, diff: Vec<String>, rules: Rules) -> Next {
        match std::mem::replace(&mut self.last, Effect::None) {
            Effect::Returned(_) => return failed(not_so_after_acting(step, diff)),
            Effect::Late(program) => return late(step, "making it so", program),
            Effect::Failed(error) if self.effects >= deadlines::STEP_ATTEMPTS => {
                return failure(step, *error, self.effects);
            }
            Effect::None | Effect::Failed(_) if rules.stopping => return Next::Left,
            Effect::None if rules.spent.is_some() => return failed(spent(step, diff)),
            Effect::None | Effect::Failed(_) | Effect::Running => {}
        }
        self.effects += 1;
        self.looks = 0;
        self.last = Effect::Running;
        Next::Act { diff, attempt: self.effects }
    }
}

/// Doubled each time, plus up to a quarter that depends on step and attempt alone, so that a rehearsal repeats exactly.
fn backoff(step: &Step, attempt: u32) -> Duration {
    let base = deadlines::STEP_BACKOFF * 2_u32.saturating_pow(attempt.saturating_sub(1));
    let digest = Digest::of(&(&step.id, attempt));
    let part = digest.as_str().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0);
    base + base / 4 * part / 0xffff
}

fn failed(finding: Finding) -> Next {
    Next::Failed(Box::new(finding.into()))
}

fn failure(step: &Step, mut error: ClientError, attempts: u32) -> Next {
    let FailedOn { program, nodes } = error.failed_on.take().map(|on| *on).unwrap_or_default();
    let (program, transient) = (program.map(Box::new), error.transient);
    let mut finding = match (error.finding.take(), step.work.node()) {
        (Some(finding), _) => *finding,
        (None, Some(node)) if is_unreached(&error) => unreached(node.as_str(), error),
        (None, _) => {
            Finding::error(code::RUN_STEP_FAILED, step.target(), format!("{}: {}", error.doing, error.happened))
                .fix(error.attempt)
                .evidence(format!("client: {}", error.client))
        }
    };
    if let Some(why) = transient {
        let times = amount(usize::try_from(attempts).unwrap_or(usize::MAX), "attempt");
        finding = finding.evidence(format!("failed after {times}: {why}"));
    }
    Next::Failed(Box::new(Failing { finding, program, nodes }))
}

fn late(step: &Step, doing: &str, program: Option<Box<CommandFailure>>) -> Next {
    let finding = Finding::error(
        code::RUN_DEADLINE_PASSED,
        step.target(),
        format!("{doing} took longer than {} s, so it was given up", step.work.deadline_s()),
    )
    .evidence(format!("step {}", step.id))
    .fix("find out what hangs there, then run again: the step is looked at before anything is repeated");
    Next::Failed(Box::new(Failing { program, ..Failing::from(finding) }))
}

fn not_so_after_acting(step: &Step, diff: Vec<String>) -> Finding {
    let mut finding = Finding::error(
        code::RUN_NOT_SO_AFTER_ACTING,
        step.target(),
        "the change was made without an error, but a second look does not find it",
    )
    .fix("see what undoes it: another program that configures the same thing, or a service that has not read it yet");
    finding.evidence = diff.into_iter().map(|line| format!("still different: {line}")).collect();
    finding
}

fn spent(step: &Step, diff: Vec<String>) -> Finding {
    let mut finding = Finding::error(
        code::RUN_ONCE_ALREADY_DONE,
        step.target(),
        "it was done before and is no longer there; doing it again might make a second one",
    )
    .fix("find out who removed it and put it back by hand, or change in the site file what is to be made");
    finding.evidence = diff;
    finding
}
