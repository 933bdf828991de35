//! Plans: immutable, hashed lists of steps with reasons.

use crate::gate::{GateAnswer, GateId};
use crate::steps::Lane;
use crate::{Digest, Finding, NodeName, SiteName, StepId, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Schema number of a saved plan. Others are refused.
pub const SCHEMA: u32 = 2;

/// What a plan was made from. `apply plan.json` refuses when one of these moved, and says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MadeFrom {
    /// Digest of the desired state: the site file after defaults, so a changed comment does not move it.
    pub site: Digest,
    /// Digest of what the inventory said.
    pub inventory: Digest,
    /// Digest of all files of the catalog that it was made with.
    pub catalog: Digest,
    /// Version of plinth.
    pub plinth: String,
    /// Nodes of the site that this plan leaves out: a person asked for it, or they were not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<NodeName>,
}

/// What applying a step would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "change")]
pub enum Change {
    /// It is in the desired state.
    None,
    /// It will be made so; with the differences seen, if anything could be looked at.
    Apply {
        /// Lines such as `+ user ansiblebcm (60000)`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        diff: Vec<String>,
    },
    /// It only looks.
    Check,
    /// Decided when its gate opens.
    Maybe,
    /// Its gate opened with another answer.
    Skip,
}

impl Change {
    /// Whether something may change.
    #[must_use]
    pub const fn pending(&self) -> bool {
        matches!(self, Change::Apply { .. } | Change::Maybe)
    }
}

/// A step runs only if its gate opened with this answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// One of the plan's gates; the step also needs the step that opens it.
    pub gate: GateId,
    /// The one at which the step runs; at every other it is skipped.
    pub answer: GateAnswer,
}

/// One idempotent unit on one target, as data. What holds for every step of its kind, or follows from its parameters, is asked of
/// `work` and is no field: stage, deadline, what it destroys, how it is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Names it in plans, events and the journal, in all runs of the site; unique in a plan.
    pub id: StepId,
    /// What it does: `kind` and `params`.
    #[serde(flatten)]
    pub work: Work,
    /// Steps that must be done (or skipped by their gate) before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<StepId>,
    /// Why it is in the plan.
    pub reason: Arc<str>,
    /// What applying it would do.
    pub change: Change,
    /// Runs only under this condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

impl Step {
    /// The lane in which it runs, `node dgx-05`: of the steps of one lane never two run together. None: it may run beside all others.
    #[must_use]
    pub fn lane(&self) -> Option<String> {
        match self.work.properties().lane {
            Lane::Free => None,
            Lane::Node => self.work.node().map(|node| format!("node {node}")),
            Lane::Exclusive(name) => Some(name.to_owned()),
        }
    }
}

/// One thing a gate may turn into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Short name: `relocate`.
    pub answer: GateAnswer,
    /// What it means.
    pub meaning: String,
}

/// A named unknown, with the bounded set of things it may turn into. Opening it selects among steps that are already shown;
/// an answer outside the set stops the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// Id: `storage/dgx-05`.
    pub id: GateId,
    /// What is not known, and why.
    pub question: String,
    /// The step that answers it.
    pub opened_by: StepId,
    /// The bounded set.
    pub answers: Vec<Answer>,
}

/// Everything that one run is to do, in order, with why. What is shown is what is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// [`SCHEMA`] of the plinth that made it; another number is refused.
    pub schema: u32,
    /// Digest of everything below except `change` and `findings`: what was seen of the world does not move it.
    pub hash: Digest,
    /// The site that it was made for.
    pub site: SiteName,
    /// Digests of its sources; a saved plan is refused when one of them moved.
    pub made_from: MadeFrom,
    /// Steps; every step stands behind all its needs.
    pub steps: Vec<Step>,
    /// What is not known yet, each opened by one of the steps.
    pub gates: Vec<Gate>,
    /// What could not be decided, and why; what is doubtful.
    pub findings: Vec<Finding>,
    /// How long applying it usually takes; none when nothing is to be done, or nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// How long applying a plan usually takes. A range, never a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// Seconds, when all goes well.
    pub shortest_s: u64,
    /// Seconds, when it is slow.
    pub longest_s: u64,
    /// Steps that take time.
    pub steps: usize,
    /// Those of them whose time is known from this site's own earlier runs; of the others it is a rough figure of their kind.
    pub measured: usize,
}

impl Plan {
    /// Steps that may change something.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.steps.iter().filter(|s| s.change.pending()).count()
    }

    /// The hash of the content: everything but what was seen of the world (`change`, `findings`) and the hash itself.
    #[must_use]
    pub fn content_hash(&self) -> Digest {
        Digest::of(&Content {
            schema: self.schema,
            site: &self.site,
            made_from: &self.made_from,
            steps: self.steps.iter().map(StepContent::of).collect(),
            gates: &self.gates,
        })
    }
}

/// What the hash of a plan covers.
#[derive(Serialize)]
struct Content<'a> {
    schema: u32,
    site: &'a SiteName,
    made_from: &'a MadeFrom,
    steps: Vec<StepContent<'a>>,
    gates: &'a [Gate],
}

/// What the hash covers of a step.
#[derive(Serialize)]
struct StepContent<'a> {
    id: &'a StepId,
    work: &'a Work,
    needs: &'a [StepId],
    reason: &'a str,
    when: &'a Option<Condition>,
}

impl<'a> StepContent<'a> {
    fn of(step: &'a Step) -> Self {
        let Step { id, work, needs, reason, when, change: _ } = step;
        Self { id, work, needs, reason, when }
    }
}

/// Version of the form of all parameters, as journals know it since the first release: with another one, a step that must be done only
/// once would be taken for a new step.
pub(crate) const FORM: u32 = 1;

impl Step {
    /// What it acts on, for people: its node, or the last part of its id.
    #[must_use]
    pub fn target(&self) -> &str {
        self.work.node().map_or_else(|| self.id.target(), NodeName::as_str)
    }

    /// Digest of what the step is to do: a journal entry speaks of the same step only if this is equal. What only helps to look is not in it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let left_out = self.work.not_in_digest();
        if left_out.is_empty() {
            return Digest::of(&(&self.work, FORM));
        }
        let mut work = serde_json::to_value(&self.work).unwrap_or_default();
        if let Some(params) = work.get_mut("params").and_then(serde_json::Value::as_object_mut) {
            params.retain(|name, _| !left_out.contains(&name.as_str()));
        }
        Digest::of(&(work, FORM))
    }

    /// Digest of what the step makes, if that may be made only once. An upgrade does not move it, unlike [`Self::digest`].
    #[must_use]
    pub fn once(&self) -> Option<Digest> {
        self.work.made_once().map(|made| Digest::of(&(&self.id, made, FORM)))
    }
}
