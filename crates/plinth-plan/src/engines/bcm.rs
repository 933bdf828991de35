//! BCM's own set-up program. Not in this release.

use super::{Asked, Engine, Install};
use plinth_model::finding::code;
use plinth_model::{Finding, StepId};

/// BCM's `cm-kubernetes-setup`.
pub(super) struct Bcm;

impl Engine for Bcm {
    fn name(&self) -> &'static str {
        "bcm"
    }

    fn install(&self, asked: &Asked<'_>, _: Vec<StepId>) -> Result<Install, Vec<Finding>> {
        let text = "engine `bcm` is not in this release";
        let finding = Finding::error(code::SITE_ENGINE_NOT_IN_RELEASE, "kubernetes.engine", text);
        let mut findings = vec![finding.fix("use `engine: kubespray` or `engine: existing`")];
        findings.extend(super::kubespray::clear_secrets(asked.desired));
        Err(findings)
    }
}
