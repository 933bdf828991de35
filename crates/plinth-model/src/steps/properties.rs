//! What planner, lint and executor have to know of a kind of step, so that none of them names a kind.

use super::deadlines::Deadline;
use crate::{InstalledChange, NodeName, Stage};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Properties of a kind. Each kind states all of them in its file: there are no defaults to forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Where in the main job it belongs.
    pub stage: Stage,
    /// What carrying it out may change.
    pub effect: Effect,
    /// What it must not run beside.
    pub lane: Lane,
    /// Whether it may begin only while a majority of the control plane is left. The comment above it in the kind's file says why.
    pub needs_quorum: bool,
    /// Whether it destroys or moves data or interrupts service; its steps say what, in words.
    pub destructive: bool,
    /// Whether it puts a member of the control plane or of etcd at risk, so that two of them must never do it at once.
    pub interrupts_member: bool,
    /// Whether its effect must not happen twice, so that it is never repeated on mere suspicion.
    pub once: bool,
    /// How it could be undone; never automatic.
    pub undo: Undo,
    /// How long it usually takes, seconds: what runs first is decided by it, and nothing else. A rough figure is enough.
    pub expected_s: u32,
    /// How long one attempt may take, and why; of [`super::deadlines`]. A kind whose parameters decide it answers in
    /// [`StepParams::deadline`].
    pub deadline: Deadline,
}

/// How a step could be undone, in a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "undo", content = "reason")]
pub enum Undo {
    /// There is nothing to undo: it changes nothing that stays.
    Nothing,
    /// Undoing restores what was before.
    Exact(&'static str),
    /// Undoing leaves an equivalent state; the text says what remains.
    Compensate(&'static str),
    /// It cannot be undone, and why.
    OneWay(&'static str),
}

impl Undo {
    /// One sentence for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Undo::Nothing => "Nothing to undo.",
            Undo::Exact(text) | Undo::Compensate(text) | Undo::OneWay(text) => text,
        }
    }
}

/// What carrying out a step may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing, ever: it looks, and waits.
    Reads,
    /// Nothing that stays: it is carried out by looking, with test objects that are removed again. Too much for a mere look.
    Proves,
    /// What the plan says.
    Changes,
}

/// What a step must not run beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Nothing: only the global limit counts.
    Free,
    /// Another step on the same node.
    Node,
    /// Another step of any kind with this lane.
    Exclusive(&'static str),
}

/// A place in the parameters into which the site's own text can get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FreeText<'a> {
    /// A name, and the values below it.
    Json(&'static str, &'a Value),
    /// A key and its value.
    Value(&'a str, &'a str),
    /// A file that holds JSON.
    JsonFile(&'a str),
}

/// What the parameters of every kind of step answer.
pub trait StepParams {
    /// What holds for every step of the kind.
    const PROPERTIES: Properties;

    /// Parameters that only help to look: no journal tells steps apart by them, so they are not in the digest.
    const NOT_IN_DIGEST: &'static [&'static str] = &[];

    /// For a kind that is done only once: what tells one thing that it makes from another, and nothing that an upgrade changes. Empty: what
    /// the id of the step names is made once.
    fn made_once(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where in the main job this very step belongs.
    fn stage(&self) -> Stage {
        Self::PROPERTIES.stage
    }

    /// How long one attempt of this very step may take, and why.
    fn deadline(&self) -> Deadline {
        Self::PROPERTIES.deadline
    }

    /// What it destroys, moves or interrupts, in words. A kind with the property `destructive` must say it.
    fn destroys(&self) -> Option<String> {
        None
    }

    /// The node it touches, for limits per target and failure budgets; none when it touches several, or the cluster.
    fn node(&self) -> Option<&NodeName> {
        None
    }

    /// Whether this very step may begin only while a majority of the control plane is left.
    fn needs_quorum(&self) -> bool {
        Self::PROPERTIES.needs_quorum
    }

    /// Members of the control plane and of etcd, if the step knows them.
    fn members(&self) -> Vec<&NodeName> {
        Vec::new()
    }

    /// Whether it may change something on this node. A step on several nodes has to name them here.
    fn changes_on(&self, node: &NodeName) -> bool {
        Self::PROPERTIES.effect == Effect::Changes && self.node() == Some(node)
    }

    /// Where the site's own text can get in, secrets in clear among it.
    fn free_text(&self) -> Vec<FreeText<'_>> {
        Vec::new()
    }

    /// What it brings into the cluster, or takes away, for the record of what is installed.
    fn installed(&self) -> Option<InstalledChange> {
        None
    }
}

/// [`StepParams`] as a trait object.
pub(super) trait AnyParams {
    fn properties(&self) -> Properties;
    fn not_in_digest(&self) -> &'static [&'static str];
    fn made_once(&self) -> Vec<&str>;
    fn stage(&self) -> Stage;
    fn deadline(&self) -> Deadline;
    fn destroys(&self) -> Option<String>;
    fn node(&self) -> Option<&NodeName>;
    fn needs_quorum(&self) -> bool;
    fn members(&self) -> Vec<&NodeName>;
    fn changes_on(&self, node: &NodeName) -> bool;
    fn free_text(&self) -> Vec<FreeText<'_>>;
    fn installed(&self) -> Option<InstalledChange>;
}

impl<P: StepParams> AnyParams for P {
    fn properties(&self) -> Properties {
        P::PROPERTIES
    }

    fn not_in_digest(&self) -> &'static [&'static str] {
        P::NOT_IN_DIGEST
    }

    fn made_once(&self) -> Vec<&str> {
        StepParams::made_once(self)
    }

    fn stage(&self) -> Stage {
        StepParams::stage(self)
    }

    fn deadline(&self) -> Deadline {
        StepParams::deadline(self)
    }

    fn destroys(&self) -> Option<String> {
        StepParams::destroys(self)
    }

    fn node(&self) -> Option<&NodeName> {
        StepParams::node(self)
    }

    fn needs_quorum(&self) -> bool {
        StepParams::needs_quorum(self)
    }

    fn members(&self) -> Vec<&NodeName> {
        StepParams::members(self)
    }

    fn changes_on(&self, node: &NodeName) -> bool {
        StepParams::changes_on(self, node)
    }

    fn free_text(&self) -> Vec<FreeText<'_>> {
        StepParams::free_text(self)
    }

    fn installed(&self) -> Option<InstalledChange> {
        StepParams::installed(self)
    }
}
