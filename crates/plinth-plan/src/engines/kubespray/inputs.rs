//! The written files taken apart again, into what decides which play is needed. Made from the files and not from what they
//! were made from, so that nothing that is written can be forgotten here.

use super::{Files, GROUP_VARS, INVENTORY};
use crate::catalog::KubesprayChoice;
use indexmap::IndexMap;
use plinth_model::steps::{HostInputs, RunInputs};
use plinth_model::{Digest, NodeName, Version};
use serde_json::{Map, Value};

/// Kept up through the API by a step of their own.
const KEPT_UP: [&str; 2] = ["node_labels", "node_taints"];
/// Beginning of variables that only say how Ansible gets in.
const ACCESS: &str = "ansible_";

/// What a run with these files is made from.
#[must_use]
pub fn inputs(engine: &KubesprayChoice, files: &Files) -> RunInputs {
    parts(&engine.tag, &engine.kubernetes, files)
}

fn parts(tag: &Version, version: &Version, files: &Files) -> RunInputs {
    let parsed = |name: &str| files.get(name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let (inventory, mut variables) = (parsed(INVENTORY), parsed(GROUP_VARS));
    if let Some(map) = variables.as_object_mut() {
        map.shift_remove("kube_version");
    }
    RunInputs {
        tag: tag.clone(),
        version: version.clone(),
        variables: Digest::of(&variables),
        hosts: hosts(&inventory["all"]),
    }
}

fn hosts(all: &Value) -> IndexMap<NodeName, HostInputs> {
    let listed = all["hosts"].as_object().into_iter().flatten();
    let host = |(name, vars): (&String, &Value)| {
        let inputs = HostInputs { groups: groups(all, name), variables: Digest::of(&decisive(vars)) };
        Some((NodeName::new(name).ok()?, inputs))
    };
    listed.filter_map(host).collect()
}

fn groups(all: &Value, host: &str) -> Vec<String> {
    let children = all["children"].as_object().into_iter().flatten();
    children.filter(|(_, group)| group["hosts"].get(host).is_some()).map(|(name, _)| name.clone()).collect()
}

fn decisive(vars: &Value) -> Map<String, Value> {
    let vars = vars.as_object().into_iter().flatten();
    let decides = |name: &str| !name.starts_with(ACCESS) && !KEPT_UP.contains(&name);
    vars.filter(|(name, _)| decides(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(inventory: &Value, variables: &Value) -> RunInputs {
        let files = [(INVENTORY, inventory), (GROUP_VARS, variables)];
        let files = files.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
        parts(&"v2.27.1".parse().unwrap(), &"v1.31.9".parse().unwrap(), &files)
    }

    fn inventory(host: &Value) -> Value {
        json!({"all": {
            "hosts": {"cpu-03": {"ip": "10.0.0.1"}, "dgx-05": host},
            "children": {"kube_control_plane": {"hosts": {"cpu-03": {}}}, "kube_node": {"hosts": {"dgx-05": {}}},
                         "etcd": {"hosts": {"cpu-03": {}}}, "k8s_cluster": {"children": {"kube_node": {}}}},
            "vars": {"ansible_user": "plinth"}}})
    }

    #[test]
    fn groups_and_order_are_those_of_the_inventory() {
        let made = made(&inventory(&json!({"ip": "10.0.0.2"})), &json!({}));
        let names: Vec<&str> = made.hosts.keys().map(NodeName::as_str).collect();
        assert_eq!(names, ["cpu-03", "dgx-05"]);
        assert_eq!(made.hosts[0].groups, ["kube_control_plane", "etcd"]);
        assert!(made.hosts[1].is_only_worker() && !made.hosts[0].is_only_worker());
        assert_eq!(made.first_of("etcd").unwrap().as_str(), "cpu-03");
    }

    #[test]
    fn labels_access_and_the_version_change_nothing_and_all_else_does() {
        let variables = json!({"kube_version": "v1.31.9", "dns_mode": "coredns"});
        let plain = made(&inventory(&json!({"ip": "10.0.0.2"})), &variables);
        let same = [
            json!({"ip": "10.0.0.2", "node_labels": {"a": "b"}, "node_taints": ["a=b:NoSchedule"]}),
            json!({"ip": "10.0.0.2", "ansible_host": "192.0.2.1"}),
        ];
        for host in same {
            assert_eq!(made(&inventory(&host), &json!({"kube_version": "v1.30.1", "dns_mode": "coredns"})), plain);
        }
        assert_ne!(made(&inventory(&json!({"ip": "10.0.0.3"})), &variables).hosts, plain.hosts);
        assert_ne!(
            made(&inventory(&json!({"ip": "10.0.0.2"})), &json!({"dns_mode": "none"})).variables,
            plain.variables
        );
    }
}
