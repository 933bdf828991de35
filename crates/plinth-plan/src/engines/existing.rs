//! A cluster that is already there. It is taken over by its kubeconfig; no node is touched.

use super::{Asked, Engine, Install};
use plinth_model::finding::code;
use plinth_model::{Finding, StepId};

/// A cluster that somebody else installed.
pub(super) struct Existing;

impl Engine for Existing {
    fn name(&self) -> &'static str {
        "existing"
    }

    fn install(&self, _: &Asked<'_>, _: Vec<StepId>) -> Result<Install, Vec<Finding>> {
        let text = "engine `existing` is not in this release";
        let finding = Finding::error(code::SITE_ENGINE_NOT_IN_RELEASE, "kubernetes.engine", text);
        Err(vec![finding.fix("use `engine: kubespray`")])
    }

    fn reaches_nodes(&self) -> bool {
        false
    }
}
