//! What a run is given, and what it gives back.

use crate::behaviour::{Behaviour, StepEnv};
use plinth_model::run::{Counts, Who};
use plinth_model::{Exit, Finding, NodeName, Outcome, StepId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The world a run acts in.
#[derive(Clone)]
pub struct RunWorld {
    /// Clients, secrets and clock. The context's progress is replaced by the run's own, step by step.
    pub env: StepEnv,
    /// How steps are looked at and carried out.
    pub behaviour: Arc<dyn Behaviour>,
}

/// What a run is told beside its plan: who it is, what it may do at once, when it stops.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Id of this run, the one that the lock was taken for; never used before in this journal.
    pub run: String,
    /// Who runs it, as recorded.
    pub owner: String,
    /// Word of the command line, `apply`: kept in the head of the run.
    pub verb: String,
    /// Who runs it, in parts.
    pub who: Option<Who>,
    /// The trace that the run is a part of.
    pub traceparent: Option<String>,
    /// Nothing real is touched.
    pub rehearsal: bool,
    /// Whether journal and world outlive this process, so that the next run continues.
    pub kept: bool,
    /// Steps at once.
    pub parallel: usize,
    /// Nodes that may fail before no new step of the stage `nodes` is started.
    pub node_failures: usize,
    /// Control-plane nodes; when no majority of them is left, no Kubernetes engine is run. Empty: the rule is off.
    pub control_plane: Vec<NodeName>,
    /// Nodes that a run can be made without: what fails on one of them is told with the command for that.
    pub optional: BTreeSet<NodeName>,
    /// From whom the lock was taken over, and why: [`crate::journal::LockedJournal::took_over`].
    pub took_over: Option<String>,
    /// Warnings that were told before the run, such as those of checking the nodes.
    pub warnings: usize,
    /// The command of a run that does one small thing: [`plinth_model::RunHead::small`].
    pub small: Option<String>,
}

impl RunOptions {
    /// Steps at once, unless said otherwise: enough for a rack, few enough for one head node's SSH and API.
    pub const PARALLEL: usize = 64;

    /// Options with the defaults: 64 at once, no failure budget, the real world, everything kept.
    pub fn new(run: impl Into<String>, owner: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            owner: owner.into(),
            verb: String::new(),
            who: None,
            traceparent: None,
            rehearsal: false,
            kept: true,
            parallel: Self::PARALLEL,
            node_failures: usize::MAX,
            control_plane: Vec::new(),
            optional: BTreeSet::new(),
            took_over: None,
            warnings: 0,
            small: None,
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Its id.
    pub run: String,
    /// Whether everything is done.
    pub outcome: Outcome,
    /// How the process should end.
    pub exit: Exit,
    /// How many steps ended in which way, as the last event says.
    pub counts: Counts,
    /// Failed steps with what is wrong, in the order they failed.
    pub failures: Vec<(StepId, Finding)>,
    /// Clock time it took.
    pub duration: Duration,
}
