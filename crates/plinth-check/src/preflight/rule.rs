//! A rule about one node: what it is given, and what it finds.

use plinth_model::facts::NodeFacts;
use plinth_model::steps::{NodeExpectation, Preparation};
use plinth_model::{Finding, Severity};

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
    pub(super) fn fixed_by(finding: Finding, fix: Preparation) -> Self {
        Self { finding, fix: Some(fix) }
    }
}

/// One node under judgement.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) node: &'a str,
    pub(super) facts: &'a NodeFacts,
    pub(super) expected: &'a NodeExpectation,
}

impl Case<'_> {
    /// How bad it is that something is missing that the engine would set itself.
    pub(super) const fn unprepared(&self) -> Severity {
        if self.expected.engine_prepares { Severity::Info } else { Severity::Warning }
    }

    /// systemd's word on a unit; none when the unit is not installed or systemd was not asked.
    pub(super) fn unit(&self, name: &str) -> Option<&str> {
        self.facts.services.get(name).map(String::as_str)
    }
}

/// A rule finds at most one thing; several instances of it are evidence.
pub(super) type Rule = fn(&Case<'_>) -> Option<Judged>;
