//! What every engine answers, and what it is asked.

use crate::catalog::Components;
use crate::cluster::{Cluster, Member};
use crate::ids;
use crate::source::Source;
use crate::step::step;
use plinth_model::finding::code;
use plinth_model::plan::Step;
use plinth_model::steps::{Kubeconfig, Removal};
use plinth_model::{Finding, NodeName, StepId, Version, Work};
use plinth_site::Desired;
use plinth_site::desired::ApiEndpoint;

/// The site that an engine is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) cluster: &'a Cluster,
    pub(crate) catalog: &'a dyn Components,
    /// Version that the site file asks for. `desired` may have the one that the record knows instead.
    pub(crate) wanted: Option<&'a Version>,
}

/// What an engine does to get Kubernetes onto nodes.
#[derive(Default)]
pub(crate) struct Install {
    /// Its steps, every one behind its needs.
    pub(crate) steps: Vec<Step>,
    /// The step that everything else in the cluster waits for; none: there is nothing to wait for.
    pub(crate) end: Option<StepId>,
    /// What is doubtful about the site's settings of this engine, or wrong: with an error among them nothing is planned.
    pub(crate) findings: Vec<Finding>,
}

fn not_ours(engine: &str, desired: &Desired, what: &str) -> Finding {
    let text = format!("with `engine: {engine}` plinth did not install Kubernetes, so it never {what}");
    Finding::error(code::KUBERNETES_NOT_OURS, desired.name.as_str(), text)
        .fix("use the program that installed the cluster")
}

/// One way in which Kubernetes gets onto the nodes, and away from them. Pure: steps out of values.
pub(crate) trait Engine: Sync {
    /// Its name in the site file, for people.
    fn name(&self) -> &'static str;

    /// Puts Kubernetes onto all members. `prepared`: the last steps of the preparation of the nodes.
    fn install(&self, asked: &Asked<'_>, prepared: Vec<StepId>) -> Result<Install, Vec<Finding>>;

    /// Takes Kubernetes away. An engine that did not bring it refuses.
    fn removal(&self, asked: &Asked<'_>, removal: &Removal) -> Result<Vec<Step>, Vec<Finding>> {
        let _ = removal;
        Err(vec![not_ours(self.name(), asked.desired, "takes Kubernetes away")])
    }

    /// Makes broken members of the control plane whole again. An engine that did not make the control plane refuses.
    fn recovery(&self, asked: &Asked<'_>, broken: &[NodeName], prepared: Vec<StepId>) -> Result<Install, Vec<Finding>> {
        let _ = (broken, prepared);
        Err(vec![not_ours(self.name(), asked.desired, "repairs the control plane")])
    }

    /// The step that brings the kubeconfig into the state directory: as a rule read from the first control-plane node.
    fn kubeconfig(&self, asked: &Asked<'_>) -> Option<Step> {
        let (desired, first) = (asked.desired, asked.cluster.control_plane().next()?);
        let (host, port) = desired.kubernetes.endpoint.shared().unwrap_or((first.address, ApiEndpoint::PORT));
        let server = format!("https://{host}:{port}");
        let work = Work::Kubeconfig(Kubeconfig { target: Cluster::target(desired, first), server });
        let reason = format!("everything inside the cluster is done through its API server on {}", first.name);
        let id = ids::kubeconfig(desired.name.as_str());
        Some(step(id, work, reason))
    }

    /// Where these of its steps fetch from.
    fn sources(&self, desired: &Desired, steps: &[&Step]) -> Vec<Source> {
        let _ = (desired, steps);
        Vec::new()
    }

    /// Where nodes fetch from for themselves.
    fn sources_of_nodes(&self, desired: &Desired) -> Vec<Source> {
        let _ = desired;
        Vec::new()
    }

    /// Whether nodes are reached over SSH at all: checked, prepared, and asked how they are.
    fn reaches_nodes(&self) -> bool {
        true
    }

    /// Ports that the engine itself takes on a node, beside those of Kubernetes.
    fn own_ports(&self, member: &Member) -> Vec<u16> {
        let _ = member;
        Vec::new()
    }

    /// Whether it sees to swap, kernel modules and kernel settings of a node by itself.
    fn prepares_nodes(&self) -> bool {
        false
    }

    /// Whether it writes the registry mirrors of a node by itself; logins never.
    fn writes_mirrors(&self) -> bool {
        false
    }

    /// Whether its runs write containerd's settings again, so that NVIDIA's runtime has to be put back.
    fn rewrites_containerd(&self) -> bool {
        false
    }
}
