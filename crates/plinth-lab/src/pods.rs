//! The network of pods: a range for every node, a bridge on it, and routes between all. No network plugin of a cluster runs
//! from public registries alone, and nothing here needs one: the kernel routes.

use crate::error::{LabError, LabResult};
use crate::node::Node;
use crate::state::{NodeState, State};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Size of a node's range.
const PREFIX: u8 = 24;

/// What the bridge of a node is to be, and the script that makes it so when plugins appear.
const CONTENT: &str = "/usr/lib/lab/pods.conflist";
const SCRIPT: &str = include_str!("scripts/pods.sh");

/// Every node's range with the address it is reached by; none without Kubernetes.
pub(crate) fn routes(state: &State) -> Vec<(Ipv4Net, Ipv4Addr)> {
    let route = |node: &NodeState| Some((range(state, node)?, node.address));
    state.nodes.iter().filter_map(route).collect()
}

fn range(state: &State, node: &NodeState) -> Option<Ipv4Net> {
    state.pods?.subnets(PREFIX).ok()?.nth(node.index)
}

/// Has a node configure its bridge as soon as an installer has brought the plugins, if the lab has pods. Not before: a
/// configuration on a bare node is what is left of another cluster.
pub(crate) fn configure(node: &Node<'_>) -> LabResult<()> {
    if node.state.pods.is_none() {
        return Ok(());
    }
    let range = range(node.state, node.own).ok_or_else(|| {
        let doing = format!("giving {} a range for its pods", node.name());
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
    node.write_file(CONTENT, "0644", format!("{text:#}\n").as_bytes())?;
    node.fed(&["/bin/sh", "-eu"], SCRIPT.as_bytes()).map(drop)
}
