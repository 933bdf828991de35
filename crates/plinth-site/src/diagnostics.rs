//! Findings about a decoded site, each with its place in the file.

use crate::path::Path;
use crate::tree::{Counting, Node};
use plinth_model::Finding;
use plinth_model::finding::code;

/// Most findings of the checks: a wrong range in a large site concerns every node of it.
const MAX_FINDINGS: usize = 200;

/// Collects findings and gives them their places. What concerns a made-up value is dropped: its cause was reported.
pub(crate) struct Diagnostics<'a> {
    tree: &'a Node,
    findings: Vec<Finding>,
}

impl<'a> Diagnostics<'a> {
    pub(crate) fn new(tree: &'a Node) -> Self {
        Self { tree, findings: Vec::new() }
    }

    /// Reports a finding whose subject is a path of the decoded site.
    pub(crate) fn report(&mut self, finding: Finding) {
        self.place(finding, Counting::Decoded);
    }

    /// The same, where there may be nothing to report.
    pub(crate) fn report_some(&mut self, finding: Option<Finding>) {
        finding.into_iter().for_each(|finding| self.report(finding));
    }

    /// Reports a finding whose subject is a path of the file.
    pub(crate) fn report_in_file(&mut self, finding: Finding) {
        self.place(finding, Counting::File);
    }

    /// Reports a finding about two places; the subject is the one pointed at.
    pub(crate) fn report_pair(&mut self, finding: Finding, other: &str) {
        let other = self.tree.locate(&Path::parse(other), Counting::Decoded);
        if other.synthetic {
            return;
        }
        let finding = match other.depth {
            0 => finding,
            _ => finding.evidence(format!("`{}` is on line {}", other.path, other.position.line)),
        };
        self.report(finding);
    }

    /// Whether everything below a section was sound, so that what it lacks can be judged. True for an absent one.
    pub(crate) fn is_whole(&self, section: &[&str]) -> bool {
        let found = section.iter().try_fold(self.tree, |node, key| node.get(key));
        found.is_none_or(Node::is_whole)
    }

    fn place(&mut self, mut finding: Finding, counting: Counting) {
        let located = self.tree.locate(&Path::parse(&finding.subject), counting);
        if located.synthetic {
            return;
        }
        if self.findings.len() == MAX_FINDINGS {
            self.findings.push(too_many());
        }
        if self.findings.len() < MAX_FINDINGS {
            finding.subject = located.path.to_string();
            self.findings.push(finding.at(located.position));
        }
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

fn too_many() -> Finding {
    let message = format!("more than {MAX_FINDINGS} things do not fit together; the rest is not shown");
    Finding::error(code::SITE_TOO_MANY_FINDINGS, "", message).fix("fix these first")
}
