//! Preflight: facts of nodes held against what is expected of them. Nothing here looks at a node; what a node did not tell is
//! not judged.

mod across;
mod login;
mod machine;
mod network;
mod occupancy;
mod rule;
mod settings;
mod shared;
mod storage;
mod time;

pub use across::across;
pub use rule::Judged;
pub use shared::shared;

use plinth_model::NodeName;
use plinth_model::facts::NodeFacts;
use plinth_model::steps::NodeExpectation;
use rule::{Case, Rule};

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
