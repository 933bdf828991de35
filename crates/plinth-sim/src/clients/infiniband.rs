//! Virtual functions of InfiniBand adapters, as the SR-IOV operator makes them of applied policies.

use crate::world::State;
use jiff::Timestamp;
use plinth_model::NodeName;

/// Resource of the functions of one adapter: `nvidia.com/resibp24s0`, of the policy `ibp24s0`.
const RESOURCE: &str = "nvidia.com/res";
const POLICIES: &str = "sriovnetworknodepolicies.sriovnetwork.openshift.io/";
const NETWORKS: &str = "sriovibnetworks.sriovnetwork.openshift.io/";
const ATTACHMENTS: &str = "network-attachment-definitions.k8s.cni.cncf.io";
const NODE_STATES: &str = "sriovnetworknodestates.sriovnetwork.openshift.io";

/// Whether the resource is one of an adapter's functions, and every one of these nodes offers it; none: it is another resource.
pub(super) fn offered(state: &State, now: Timestamp, resource: &str, nodes: &[NodeName]) -> Option<bool> {
    let adapter = resource.strip_prefix(RESOURCE)?;
    let policy = format!("/{adapter}");
    Some(
        is_made(state, now, |key| key.ends_with(&policy))
            && nodes.iter().all(|node| has_adapters(state, node.as_str())),
    )
}

/// Whether the operator calls this node done; none: the question is about something else.
pub(super) fn node_state(state: &State, now: Timestamp, resource: &str, node: &str) -> Option<bool> {
    (resource == NODE_STATES).then(|| is_made(state, now, |_| true) && has_adapters(state, node))
}

/// Whether the operator made the attachment of a network; none: the question is about something else.
pub(super) fn attachment(state: &State, now: Timestamp, resource: &str, name: &str) -> Option<bool> {
    let network = format!("/{name}");
    let is_made = |(key, at): (&String, Timestamp)| key.starts_with(NETWORKS) && key.ends_with(&network) && at <= now;
    let mut objects = state.cluster.objects.iter().map(|(key, object)| (key, object.settled_at));
    (resource == ATTACHMENTS).then(|| objects.any(is_made))
}

fn is_made(state: &State, now: Timestamp, is_it: impl Fn(&str) -> bool) -> bool {
    let settled = |(key, at): (&String, Timestamp)| key.starts_with(POLICIES) && is_it(key) && at <= now;
    state.cluster.objects.iter().map(|(key, object)| (key, object.settled_at)).any(settled)
}

/// Machines with GPUs have them.
fn has_adapters(state: &State, node: &str) -> bool {
    state.machines.iter().any(|(name, machine)| name.as_str() == node && machine.hardware.gpus > 0)
}
