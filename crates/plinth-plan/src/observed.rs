//! What the planner is told about the world.

use plinth_model::facts::NodeFacts;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::inventory::Inventory;
use plinth_model::{ChartVersion, DefaultClass, EngineRecord, Installed, NodeName, StepId, Version};
use std::collections::{BTreeMap, BTreeSet};

/// What the planner is told about the world.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What the inventory source said.
    pub inventory: Inventory,
    /// Facts of nodes, as far as they are known: read now, or by an earlier run.
    pub facts: BTreeMap<NodeName, NodeFacts>,
    /// What runs on the nodes, as far as the site's record knows; none: nothing, or nobody asked.
    pub engine: Option<EngineRecord>,
    /// What plinth installed into the cluster in earlier runs, by the journal.
    pub installed: Installed,
    /// Storage classes that are the default of a cluster that was there before, as they were seen last; empty: none, or nobody looked.
    pub classes: Vec<DefaultClass>,
    /// Nodes to which earlier runs gave labels or taints, by the journal: they may carry some that the site dropped.
    pub labelled: BTreeSet<NodeName>,
    /// Steps that were looked at. A step that is not in here was not.
    pub steps: BTreeMap<StepId, StepObservation>,
    /// Versions that lines of charts were found to mean for this site. A line that is not in here stays one.
    pub lines: Vec<LineMeaning>,
    /// Seconds that steps took when they last changed something, by the journal.
    pub took: crate::duration::Took,
    /// Gates that already opened, with their answers.
    pub answers: BTreeMap<GateId, GateAnswer>,
}

impl Observed {
    /// An inventory, and nothing looked at.
    #[must_use]
    pub fn new(inventory: Inventory) -> Self {
        Self {
            inventory,
            facts: BTreeMap::new(),
            engine: None,
            installed: Installed::default(),
            classes: Vec::new(),
            labelled: BTreeSet::new(),
            steps: BTreeMap::new(),
            lines: Vec::new(),
            took: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }
}

/// What the line of a chart was found to mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineMeaning {
    /// Name of the component.
    pub component: String,
    /// The line: `~2.21.0`.
    pub line: ChartVersion,
    /// The newest patch of the line when somebody asked last; plans stay at it until somebody asks anew.
    pub version: Version,
}

/// What looking at a step told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepObservation {
    /// It is already so.
    Done,
    /// It is not yet so; the differences.
    Todo(Vec<String>),
    /// It could not be seen.
    Unknown(String),
}
