//! Verdicts of checks.

use crate::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands between the lines of evidence where they are one line.
pub const EVIDENCE: &str = "; ";
/// How the line of a check begins that was not carried out.
pub const SKIPPED: &str = "skipped: ";

/// What one check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "verdict")]
pub enum Verdict {
    /// It holds; with what was seen.
    Pass {
        /// What was seen, one line each.
        evidence: Vec<String>,
    },
    /// It does not hold.
    Fail {
        /// What is wrong and who can fix it.
        finding: Box<Finding>,
    },
    /// It does not apply here.
    Skip {
        /// Why it does not, in words.
        reason: String,
    },
    /// It could not be found out.
    Unknown {
        /// What stood in the way, in words.
        reason: String,
    },
}
