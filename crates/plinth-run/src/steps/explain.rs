//! What people are told of a kind of step: for `plinth explain` and the reference.

use super::StepKind;

/// One kind of step, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Kind, as in a plan.
    pub kind: &'static str,
    /// What is true when such a step is done: one sentence.
    pub title: &'static str,
    /// How it is found out whether that is true; it changes nothing.
    pub probe: &'static str,
    /// What is done when it is not.
    pub act: &'static str,
}

impl Explanation {
    /// What a kind does that only looks.
    pub(super) const ONLY_LOOKS: &'static str = "Nothing: it only looks.";
    /// What a kind does that proves something.
    pub(super) const ONLY_PROVES: &'static str = "Nothing that stays: a check may make a namespace with pods, services and volume claims, and removes it when it ends.";
}

/// The explanation of a kind such as `node.account`.
#[must_use]
pub fn explain(kind: &str) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|explanation| explanation.kind == kind)
}

macro_rules! explanations {
    ($(($params:ident, $kind:literal))*) => {
        /// All kinds, in the order of the main job.
        pub const EXPLANATIONS: &[Explanation] =
            &[$(<plinth_model::steps::$params as StepKind>::EXPLANATION),*];
    };
}

plinth_model::step_kinds!(explanations);
