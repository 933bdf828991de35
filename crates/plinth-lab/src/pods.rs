//! The network of pods: a range for every node, a bridge on it, and routes between all. No network plugin of a cluster runs
//! from public registries alone, and nothing here needs one: the kernel routes.

use crate::error::{LabError, LabResult};
use crate::state::{NodeState, State};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Size of a node's range.
const PREFIX: u8 = 24;

/// What the bridge of a node is to be, and the script that makes it so when plugins appear.
pub(crate) const CONTENT: &str = "/usr/lib/lab/pods.conflist";
pub(crate) const SCRIPT: &str = include_str!("scripts/pods.sh");

/// Every node's range with the address it is reached by; none without Kubernetes.
pub(crate) fn routes(state: &State) -> Vec<(Ipv4Net, Ipv4Addr)> {
    let route = |node: &NodeState| Some((range(state, node)?, node.address));
    state.nodes.iter().filter_map(route).collect()
}

fn range(state: &State, node: &NodeState) -> Option<Ipv4Net> {
    state.pods?.subnets(PREFIX).ok()?.nth(node.index)
}

/// What the bridge of a node is to be; none if the lab has no pods.
pub(crate) fn configuration(state: &State, node: &NodeState) -> LabResult<Option<String>> {
    if state.pods.is_none() {
        return Ok(None);
    }
    let range = range(state, node).ok_or_else(|| {
        let doing = format!("giving {} a range for its pods", node.name);
        LabError::new(doing, "the lab's range for pods is too small", "use one of at least a /24 for every node")
    })?;
    let text = serde_json::json!({
        "cniVersion": "1.0.0",
        "name": "lab",
        "plugins": [
            {
                "type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "hairpinMode": true,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": range}]]},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    });
    Ok(Some(format!("{text:#}\n")))
}
