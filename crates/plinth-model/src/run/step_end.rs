//! How a step ended, to be told as an event.

use super::{CommandFailure, EventBody, HeldBy, StepState};
use crate::{Digest, Finding, InstalledChange, Stage, StepId};
use std::collections::BTreeMap;

/// What [`EventBody::StepFinished`] tells, with [`StepEnd::new`] for what is usual: `StepEnd { seconds, ..StepEnd::new(step, stage, outcome) }.into()`.
/// The fields mean what they mean there.
#[derive(Clone, Debug)]
pub struct StepEnd {
    /// Which step.
    pub step: StepId,
    /// Where it belongs in an apply.
    pub stage: Stage,
    /// Node, if it touches one.
    pub node: Option<String>,
    /// How it ended.
    pub outcome: StepState,
    /// Seconds since it started.
    pub seconds: f64,
    /// One line for people.
    pub detail: String,
    /// What is wrong, when it failed.
    pub finding: Option<Box<Finding>>,
    /// Digest of what it was to do, when it is done.
    pub digest: Option<Digest>,
    /// Digest of what may be made only once, when it is done and makes such a thing.
    pub once: Option<Digest>,
    /// What it brought into the cluster or took away, when it is done.
    pub installed: Option<Box<InstalledChange>>,
    /// Attempts in this run.
    pub attempts: u32,
    /// The program on which it failed.
    pub failure: Option<Box<CommandFailure>>,
    /// Why it does not run.
    pub held_by: Option<Box<HeldBy>>,
    /// What its node told of itself.
    pub facts: Option<Box<BTreeMap<String, String>>>,
}

impl StepEnd {
    /// An end of which nothing more is known: no node, no time, no words.
    #[must_use]
    pub const fn new(step: StepId, stage: Stage, outcome: StepState) -> Self {
        Self {
            step,
            stage,
            node: None,
            outcome,
            seconds: 0.0,
            detail: String::new(),
            finding: None,
            digest: None,
            once: None,
            installed: None,
            attempts: 0,
            failure: None,
            held_by: None,
            facts: None,
        }
    }
}

impl From<StepEnd> for EventBody {
    fn from(end: StepEnd) -> Self {
        let StepEnd {
            step,
            stage,
            node,
            outcome,
            seconds,
            detail,
            finding,
            digest,
            once,
            installed,
            attempts,
            failure,
            held_by,
            facts,
        } = end;
        Self::StepFinished {
            step,
            stage,
            node,
            outcome,
            seconds,
            detail,
            finding,
            digest,
            once,
            installed,
            attempts,
            failure,
            held_by,
            facts,
        }
    }
}
