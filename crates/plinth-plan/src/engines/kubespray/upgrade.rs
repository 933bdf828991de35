//! How far a cluster may go at once.

use plinth_model::finding::code;
use plinth_model::{Finding, Version};

/// Whether a cluster may go from one version of Kubernetes, or of Kubespray, to another: one minor at a time, and never back. `what` names
/// the program.
///
/// # Errors
/// With the finding that says what to do first.
pub fn one_step(what: &str, from: &Version, to: &Version) -> Result<(), Box<Finding>> {
    let (before, after) = (from.semver(), to.semver());
    let evidence = format!("{what} {from} → {to}");
    let refused = |code, text: String, fix: String| {
        Err(Box::new(Finding::error(code, "kubernetes", text).evidence(evidence.clone()).fix(fix)))
    };
    if after < before {
        let text = format!("{what} {to} is older than {from}, which is deployed; there is no way back");
        return refused(code::KUBESPRAY_DOWNGRADE, text, format!("ask for {from} or newer"));
    }
    if after.major != before.major || after.minor > before.minor + 1 {
        let next = format!("{}.{}", before.major, before.minor + 1);
        let text = format!("{what} goes one minor release at a time, and {from} → {to} leaves some out");
        let fix = format!("go to a release of {what} {next} first, apply, then go on");
        return refused(code::KUBESPRAY_UPGRADE_TOO_FAR, text, fix);
    }
    Ok(())
}
