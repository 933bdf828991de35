//! A verdict with the name of its check: one entry of `check --json`.

use crate::claim;
use plinth_model::steps::Check;
use plinth_model::{Finding, Verdict};
use serde::{Deserialize, Serialize};

/// `{check, subject, verdict, evidence, finding}`, and `reason` where a check was skipped or could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerdictRecord {
    /// Name of the claim: `gpu.pod-runs`.
    pub check: String,
    /// What it is about.
    pub subject: String,
    /// `pass`, `fail`, `skip` or `unknown`.
    pub verdict: String,
    /// What was seen, one line each.
    pub evidence: Vec<String>,
    /// What is wrong, when it failed; null otherwise.
    pub finding: Option<Finding>,
    /// Why it was skipped, or could not be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl VerdictRecord {
    /// The record of a check that was carried out.
    #[must_use]
    pub fn new(check: &Check, verdict: &Verdict) -> Self {
        let (word, evidence, finding, reason) = match verdict {
            Verdict::Pass { evidence } => ("pass", evidence.clone(), None, None),
            Verdict::Fail { finding } => ("fail", finding.evidence.clone(), Some((**finding).clone()), None),
            Verdict::Skip { reason } => ("skip", Vec::new(), None, Some(reason.clone())),
            Verdict::Unknown { reason } => ("unknown", Vec::new(), None, Some(reason.clone())),
        };
        Self {
            check: check.name().to_owned(),
            subject: claim::subject(check),
            verdict: word.to_owned(),
            evidence,
            finding,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plinth_model::finding::code;

    #[test]
    fn records_have_the_published_fields() {
        let json = |verdict: &Verdict| serde_json::to_value(VerdictRecord::new(&Check::Storage, verdict)).unwrap();
        let pass = json(&Verdict::Pass { evidence: vec!["bound in 2 s".to_owned()] });
        let wanted = serde_json::json!({
            "check": "storage.claim-binds", "subject": "default", "verdict": "pass", "evidence": ["bound in 2 s"], "finding": null
        });
        assert_eq!(pass, wanted);
        let finding = Finding::error(code::STORAGE_CLAIM_DOES_NOT_BIND, "default", "no").evidence("pending");
        let fail = json(&Verdict::Fail { finding: Box::new(finding) });
        assert_eq!(fail["verdict"], "fail");
        assert_eq!(fail["evidence"], serde_json::json!(["pending"]));
        assert_eq!(fail["finding"]["code"], "storage.claim-does-not-bind");
        assert_eq!(json(&Verdict::Skip { reason: "no GPU".to_owned() })["reason"], "no GPU");
        assert_eq!(json(&Verdict::Unknown { reason: "no answer".to_owned() })["verdict"], "unknown");
    }
}
