//! A cluster that is already there. It is taken over by its kubeconfig; no node is touched, so what the platform needs of nodes is said and
//! not done.

use super::{Asked, Engine, Install};
use crate::ids;
use crate::step::step;
use plinth_model::finding::code;
use plinth_model::plan::Step;
use plinth_model::steps::TakeOver;
use plinth_model::{Finding, StepId, Work};

/// A cluster that somebody else installed.
pub(super) struct Existing;

impl Engine for Existing {
    fn name(&self) -> &'static str {
        "existing"
    }

    /// Nothing is installed.
    fn install(&self, asked: &Asked<'_>, _: Vec<StepId>) -> Result<Install, Vec<Finding>> {
        if asked.desired.kubernetes.kubeconfig.is_none() {
            let text = "an existing cluster is taken over by its kubeconfig, and none is named";
            let finding = Finding::error(code::SITE_KUBECONFIG_MISSING, "kubernetes.kubeconfig", text);
            return Err(vec![finding.fix("add `kubeconfig: FILE` under `kubernetes`")]);
        }
        let findings = [version_unknown(asked), names_on_nodes(asked)].into_iter().flatten().collect();
        Ok(Install { findings, ..Install::default() })
    }

    fn kubeconfig(&self, asked: &Asked<'_>) -> Option<Step> {
        let (name, kubernetes) = (asked.desired.name.as_str(), &asked.desired.kubernetes);
        let file = kubernetes.kubeconfig.clone()?;
        let reason =
            format!("everything inside the cluster is done with a copy of {file}, which is tried before it is kept");
        let nodes = asked.cluster.members.iter().filter(|member| member.is_kubernetes_node());
        let nodes = nodes.map(|member| member.name.clone()).collect();
        let work = Work::TakeOver(TakeOver { file, version: asked.wanted.cloned(), nodes });
        Some(step(ids::kubeconfig(name), work, reason))
    }

    fn reaches_nodes(&self) -> bool {
        false
    }
}

/// What goes together is compared with the version that runs; the first plan may not know it.
fn version_unknown(asked: &Asked<'_>) -> Option<Finding> {
    asked.desired.kubernetes.version.is_none().then(|| {
        let text = "which Kubernetes runs there is not known yet, so nothing was compared with it";
        Finding::info(code::KUBERNETES_VERSION_NOT_KNOWN, "kubernetes.version", text)
            .fix("name it in `kubernetes.version`, or plan again after the first run: the server's own version is known then")
    })
}

/// Nodes resolve Run:ai's domain by whatever the site has; plinth writes no `/etc/hosts` of theirs.
fn names_on_nodes(asked: &Asked<'_>) -> Option<Finding> {
    let runai = asked.desired.runai.as_ref()?;
    let address = asked.cluster.ingress_address(asked.desired)?;
    let text = format!(
        "the nodes themselves must find {} at {address}, and plinth touches no node of this cluster",
        runai.domain
    );
    let finding = Finding::info(code::KUBERNETES_NODES_UNTOUCHED, runai.domain.as_str(), text);
    Some(finding.fix("put the name into the DNS that the nodes ask, or into their /etc/hosts"))
}
