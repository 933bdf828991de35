//! Where the platform's own pods should run: on the nodes of the system services, and so not on nodes whose GPUs are for users.

use crate::Facts;
use crate::runai::NodeRoles;
use serde_json::{Value, json};

/// Fact: the affinity of pods that serve the platform, or null where no node is meant for them.
const SYSTEM_AFFINITY: &str = "system.affinity";
/// Fact: only the part of it that is about nodes, for charts that take this part alone.
const SYSTEM_NODE_AFFINITY: &str = "system.nodeAffinity";
/// Fact: whether there are such nodes.
const SYSTEM_KNOWN: &str = "system.known";
/// Fact: selectors of their labels, for objects that name nodes without leaving a choice; empty where no node is meant.
const SYSTEM_SELECTORS: &str = "system.nodeSelectors";
/// The label that kubeadm gives the control plane.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// The label that kubelet gives each node.
const HOST_NAME: &str = "kubernetes.io/hostname";

/// The facts of placement.
pub(crate) fn of_site(facts: &Facts, roles: &NodeRoles) -> Facts {
    let affinity = system_affinity(facts, roles);
    let of_nodes = affinity.get("nodeAffinity").cloned().unwrap_or_default();
    let selectors = system_selectors(facts, roles);
    [
        (SYSTEM_KNOWN.to_owned(), Value::Bool(!affinity.is_null())),
        (SYSTEM_AFFINITY.to_owned(), affinity),
        (SYSTEM_NODE_AFFINITY.to_owned(), of_nodes),
        (SYSTEM_SELECTORS.to_owned(), selectors),
    ]
    .into()
}

fn names<'f>(facts: &'f Facts, fact: &str) -> Option<&'f Vec<Value>> {
    facts.get(fact).and_then(Value::as_array).filter(|names| !names.is_empty())
}

fn is_on(facts: &Facts, fact: &str) -> bool {
    facts.get(fact) == Some(&Value::Bool(true))
}

/// By a label that is certain: plinth's own, or kubeadm's where Kubespray made the cluster; in the cluster of somebody else names are.
fn system_selectors(facts: &Facts, roles: &NodeRoles) -> Value {
    let Some(system) = names(facts, "nodes.system") else { return json!([]) };
    let is_certain = is_on(facts, "runai.enabled") || facts.get("kubernetes.engine") == Some(&json!("kubespray"));
    let expression = if is_certain { expression(facts, system, roles) } else { by_name(system) };
    json!([{"matchExpressions": [expression]}])
}

fn by_name(system: &[Value]) -> Value {
    json!({"key": HOST_NAME, "operator": "In", "values": system})
}

fn expression(facts: &Facts, system: &Vec<Value>, roles: &NodeRoles) -> Value {
    if is_on(facts, "runai.enabled") {
        json!({"key": roles.system, "operator": "Exists"})
    } else if Some(system) == names(facts, "nodes.controlPlane") {
        json!({"key": CONTROL_PLANE, "operator": "Exists"})
    } else {
        by_name(system)
    }
}

/// A wish and no order: where the nodes have no room, pods run elsewhere. By a label where there is one, so that the values of all
/// releases stay as they are when a node comes or goes.
fn system_affinity(facts: &Facts, roles: &NodeRoles) -> Value {
    let Some(system) = names(facts, "nodes.system") else { return Value::Null };
    let expression = expression(facts, system, roles);
    let preferred = json!({"weight": 100, "preference": {"matchExpressions": [expression]}});
    json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}})
}

#[cfg(test)]
mod tests {
    use super::{of_site, system_affinity};
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

    /// An object has to name labels that are there: nobody would announce otherwise.
    #[test]
    fn selectors_rest_on_labels_that_are_certain() {
        let selected = |engine: &str, runai: bool, system: &[&str]| {
            let facts: Facts = [
                ("runai.enabled".to_owned(), json!(runai)),
                ("kubernetes.engine".to_owned(), json!(engine)),
                ("nodes.controlPlane".to_owned(), json!(["a"])),
                ("nodes.system".to_owned(), json!(system)),
            ]
            .into();
            let roles = NodeRoles { system: "role/system".to_owned(), gpu: String::new(), cpu: String::new() };
            let made = of_site(&facts, &roles);
            (made["system.known"].clone(), made["system.nodeSelectors"].clone())
        };
        let by = |expression: Value| (json!(true), json!([{"matchExpressions": [expression]}]));
        let label = |key: &str| by(json!({"key": key, "operator": "Exists"}));
        let named = |name: &str| by(json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}));
        for engine in ["kubespray", "existing"] {
            assert_eq!(selected(engine, true, &["a"]), label("role/system"), "plinth sets it: {engine}");
            assert_eq!(selected(engine, false, &["b"]), named("b"), "{engine}");
            assert_eq!(selected(engine, true, &[]), (json!(false), json!([])), "{engine}");
        }
        assert_eq!(selected("kubespray", false, &["a"]), label("node-role.kubernetes.io/control-plane"));
        assert_eq!(selected("existing", false, &["a"]), named("a"), "its maker may have set other labels");
    }
}
