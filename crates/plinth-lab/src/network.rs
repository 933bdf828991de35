//! Network of a lab: a namespace with the bridge, one per node, and nothing in the machine's own.

use crate::error::LabResult;
use crate::inside::inside;
use crate::pods;
use crate::program::{fed, program, run};
use crate::state::{NodeState, State};
use std::path::{Path, PathBuf};

/// Where `ip netns` keeps namespaces.
const FOLDER: &str = "/run/netns";

pub(crate) fn path(namespace: &str) -> PathBuf {
    Path::new(FOLDER).join(namespace)
}

/// Names of all namespaces of this machine.
pub(crate) fn all() -> Vec<String> {
    let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Makes all namespaces, the bridge, and a link to every node, which comes up when the node starts.
pub(crate) fn make(state: &State) -> LabResult<()> {
    let doing = format!("making the network of the lab {}", state.name);
    let bridge = state.namespace();
    let mut names: Vec<String> = vec![bridge.clone()];
    names.extend(state.nodes.iter().map(|node| state.node_namespace(node)));
    let batch: String = names.iter().map(|name| format!("netns add {name}\n")).collect();
    fed(&mut program("ip", &["-batch", "-"]), &doing, batch.as_bytes())?;
    let mut batch = format!(
        "link set lo up\nlink add lab0 type bridge\naddr add {}/{} dev lab0\nlink set lab0 up\n",
        state.bridge,
        state.network.prefix_len()
    );
    for node in &state.nodes {
        let (link, space) = (link(node), state.node_namespace(node));
        batch += &format!("link add {link} type veth peer name host0 netns {space}\nlink set {link} master lab0 up\n");
    }
    for (range, address) in pods::routes(state) {
        batch += &format!("route add {range} via {address}\n");
    }
    fed(&mut program("ip", &["-n", &bridge, "-batch", "-"]), &doing, batch.as_bytes())?;
    inside(&path(&bridge), || {
        // Nodes route through the bridge's namespace; what the bridge carries is not the business of iptables. The second
        // setting is there only where the kernel has that part.
        let _ = std::fs::write("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")
    })?
    .map_err(crate::error::LabError::at("writing", Path::new("/proc/sys/net/ipv4/ip_forward")))
}

/// Plugs a node's link in or out at the bridge.
pub(crate) fn plug(state: &State, node: &NodeState, up: bool) -> LabResult<()> {
    let arguments = ["-n", &state.namespace(), "link", "set", &link(node), if up { "up" } else { "down" }];
    run(&mut program("ip", &arguments), &format!("setting the link of {}", node.name)).map(drop)
}

/// Removes all namespaces that are there.
pub(crate) fn remove(state: &State) -> LabResult<()> {
    let doing = format!("removing the network of the lab {}", state.name);
    let mut names: Vec<String> = state.nodes.iter().map(|node| state.node_namespace(node)).collect();
    names.push(state.namespace());
    names.retain(|name| path(name).exists());
    let batch: String = names.iter().map(|name| format!("netns del {name}\n")).collect();
    fed(&mut program("ip", &["-force", "-batch", "-"]), &doing, batch.as_bytes()).map(drop)
}

/// The bridge's end of a node's link.
fn link(node: &NodeState) -> String {
    format!("v{}", node.index)
}
