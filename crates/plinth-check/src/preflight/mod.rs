//! Preflight: facts of nodes held against what is expected of them. Nothing here looks at a node; what a node did not tell is
//! not judged.

mod across;
mod login;
mod machine;
mod network;
mod occupancy;
mod settings;
mod shared;
mod storage;
mod time;

pub use across::across;
pub use shared::shared;

use plinth_model::facts::NodeFacts;
use plinth_model::steps::{NodeExpectation, Preparation};
use plinth_model::{Finding, NodeName, Severity};

/// One thing found, and what plinth may do about it by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What is wrong with which node, with evidence.
    pub finding: Finding,
    /// The part of a preparation that fixes it without harm to anything that runs; none where a person has to decide.
    pub fix: Option<Preparation>,
}

impl From<Finding> for Judged {
    fn from(finding: Finding) -> Self {
        Self { finding, fix: None }
    }
}

impl Judged {
    fn fixed_by(finding: Finding, fix: Preparation) -> Self {
        Self { finding, fix: Some(fix) }
    }
}

/// One node under judgement.
#[derive(Clone, Copy)]
struct Case<'a> {
    node: &'a str,
    facts: &'a NodeFacts,
    expected: &'a NodeExpectation,
}

impl Case<'_> {
    /// How bad it is that something is missing that the engine would set itself.
    const fn unprepared(&self) -> Severity {
        if self.expected.engine_prepares { Severity::Info } else { Severity::Warning }
    }

    /// systemd's word on a unit; none when the unit is not installed or systemd was not asked.
    fn unit(&self, name: &str) -> Option<&str> {
        self.facts.services.get(name).map(String::as_str)
    }
}

/// A rule finds at most one thing; several instances of it are evidence.
type Rule = fn(&Case<'_>) -> Option<Judged>;

/// Judges one node. Worst findings come first.
#[must_use]
pub fn judge(node: &NodeName, facts: &NodeFacts, expected: &NodeExpectation) -> Vec<Judged> {
    let case = Case { node: node.as_str(), facts, expected };
    let groups: [&[Rule]; 7] =
        [machine::RULES, storage::RULES, occupancy::RULES, network::RULES, time::RULES, settings::RULES, login::RULES];
    let mut judged: Vec<Judged> = groups.into_iter().flatten().filter_map(|rule| rule(&case)).collect();
    judged.sort_by_key(|one| std::cmp::Reverse(one.finding.severity));
    judged
}

#[cfg(test)]
mod tests;
