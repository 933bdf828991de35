//! Where the platform's own pods should run: on the nodes of the system services, and so not on nodes whose GPUs are for users.

use crate::Facts;
use crate::runai::NodeRoles;
use serde_json::{Value, json};

/// Fact: the affinity of pods that serve the platform, or null where no node is meant for them.
const SYSTEM_AFFINITY: &str = "system.affinity";
/// Fact: only the part of it that is about nodes, for charts that take this part alone.
const SYSTEM_NODE_AFFINITY: &str = "system.nodeAffinity";
/// The label that kubeadm gives the control plane.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// The label that kubelet gives each node.
const HOST_NAME: &str = "kubernetes.io/hostname";

/// The facts of placement.
pub(crate) fn of_site(facts: &Facts, roles: &NodeRoles) -> Facts {
    let affinity = system_affinity(facts, roles);
    let of_nodes = affinity.get("nodeAffinity").cloned().unwrap_or_default();
    [(SYSTEM_AFFINITY.to_owned(), affinity), (SYSTEM_NODE_AFFINITY.to_owned(), of_nodes)].into()
}

/// A wish and no order: where the nodes have no room, pods run elsewhere. By a label where there is one, so that the values of all
/// releases stay as they are when a node comes or goes.
fn system_affinity(facts: &Facts, roles: &NodeRoles) -> Value {
    let names = |fact: &str| facts.get(fact).and_then(Value::as_array).filter(|names| !names.is_empty());
    let Some(system) = names("nodes.system") else { return Value::Null };
    let expression = if facts.get("runai.enabled") == Some(&Value::Bool(true)) {
        json!({"key": roles.system, "operator": "Exists"})
    } else if Some(system) == names("nodes.controlPlane") {
        json!({"key": CONTROL_PLANE, "operator": "Exists"})
    } else {
        json!({"key": HOST_NAME, "operator": "In", "values": system})
    };
    let preferred = json!({"weight": 100, "preference": {"matchExpressions": [expression]}});
    json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}})
}

#[cfg(test)]
mod tests {
    use super::system_affinity;
    use crate::Facts;
    use crate::runai::NodeRoles;
    use serde_json::{Value, json};

    fn preferred(runai: bool, control_plane: &[&str], system: &[&str]) -> Value {
        let facts: Facts = [
            ("runai.enabled".to_owned(), json!(runai)),
            ("nodes.controlPlane".to_owned(), json!(control_plane)),
            ("nodes.system".to_owned(), json!(system)),
        ]
        .into();
        let roles = NodeRoles { system: "role/system".to_owned(), gpu: String::new(), cpu: String::new() };
        let affinity = system_affinity(&facts, &roles);
        let path = "/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/preference/matchExpressions/0";
        affinity.pointer(path).cloned().unwrap_or(affinity)
    }

    #[test]
    fn the_label_is_the_one_that_is_there() {
        assert_eq!(preferred(true, &["a"], &["b"]), json!({"key": "role/system", "operator": "Exists"}));
        let control_plane = json!({"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"});
        assert_eq!(preferred(false, &["a"], &["a"]), control_plane);
        let named = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": ["b"]});
        assert_eq!(preferred(false, &["a"], &["b"]), named);
        assert_eq!(preferred(true, &["a"], &[]), Value::Null);
    }
}
