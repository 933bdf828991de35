//! Host names of an inventory, as names of nodes.

use plinth_model::finding::code;
use plinth_model::inventory::InventoryNode;
use plinth_model::{Finding, NodeName, misread};
use plinth_site::Desired;
use plinth_site::desired::Engine;

/// The nearest name that Kubernetes takes: lower case, dashes for everything else.
pub(crate) fn as_label(name: &str) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    plain.trim_matches('-').chars().take(63).collect()
}

/// Members whose names Kubernetes does not take, or YAML or Ansible reads as something else.
pub(crate) fn check(desired: &Desired, nodes: &[&InventoryNode], member: &[bool]) -> Vec<Finding> {
    let members = nodes.iter().zip(member).filter(|(_, member)| **member);
    members.filter_map(|(node, _)| bad(desired, &node.name)).collect()
}

fn bad(desired: &Desired, name: &str) -> Option<Finding> {
    let (why, wanted) = match NodeName::new(name) {
        Err(error) => (format!("the host name cannot be that of a node: {error}"), as_label(name)),
        // An existing cluster was not made by Kubespray.
        Ok(_) if desired.kubernetes.engine == Engine::Existing => return None,
        Ok(_) => (format!("a node cannot be called `{name}`: {}", misread(name)?.why()), format!("node-{name}")),
    };
    Some(Finding::error(code::NODES_BAD_NAME, name, why).fix(format!("rename the machine, for example to `{wanted}`")))
}
