//! The inventory. Order is meaning: the first host of `kube_control_plane` initialises the cluster, the first of `etcd` makes
//! the certificates; so every map here keeps the order of the site file.

use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use plinth_model::NodeName;
use plinth_site::Desired;
use serde_json::{Map, Value, json};

/// Interpreter on the nodes. Found by Ansible itself, it may be a version manager's stand-in in PATH, and every module fails.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// Hosts, groups and the variables of all hosts, in the form that Ansible reads as YAML.
#[must_use]
pub fn inventory(desired: &Desired, cluster: &Cluster) -> Value {
    let hosts: Map<String, Value> = cluster.members.iter().map(|m| (m.name.to_string(), host(m))).collect();
    json!({
        "all": {
            "hosts": hosts,
            "children": {
                "kube_control_plane": group(cluster.control_plane()),
                "kube_node": group(cluster.workers()),
                "etcd": group(cluster.etcd()),
                "calico_rr": group(std::iter::empty()),
                "k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}, "calico_rr": {}}},
            },
            "vars": all_vars(desired),
        }
    })
}

/// The inventory of a recovery, as Kubespray's document on recovering the control plane wants it: survivors first, and the broken members
/// in two groups more. They stay in their own groups, since machines under their names are taken in.
///
/// Releases from v2.28 on find the members of etcd by facts that their recovery does not gather (`main_access_ip`; seen with v2.30.0), so
/// every host is given them: they are what the role `network_facts` makes of `ip` and `access_ip`. And Kubespray goes on only if it has
/// `ansible_default_ipv4` of the workers that it leaves alone: one that does not answer is given what it would say. Facts that are
/// gathered count more than these variables.
pub(super) fn recovery(desired: &Desired, cluster: &Cluster, broken: &[NodeName]) -> Value {
    let is_broken = |member: &&Member| broken.contains(&member.name);
    let mut inventory = inventory(desired, &cluster.with_last(broken));
    for member in &cluster.members {
        let (host, address) = (&mut inventory["all"]["hosts"][member.name.as_str()], json!(member.address));
        for name in ["main_ip", "main_access_ip"] {
            host[name] = address.clone();
            host[format!("{name}s")] = json!([address]);
        }
        host["ansible_default_ipv4"] = json!({"address": address});
    }
    let groups = &mut inventory["all"]["children"];
    groups["broken_etcd"] = group(cluster.etcd().filter(is_broken));
    groups["broken_kube_control_plane"] = group(cluster.control_plane().filter(is_broken));
    inventory
}

/// Variables of every host: how Ansible gets in. The private key is given by whoever starts the playbook.
pub(super) fn all_vars(desired: &Desired) -> Map<String, Value> {
    let vars = [
        ("ansible_user", json!(desired.access.account.name)),
        ("ansible_port", json!(desired.access.port)),
        ("ansible_become", json!(true)),
        ("ansible_python_interpreter", json!(PYTHON)),
    ];
    vars.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

fn group<'a>(members: impl Iterator<Item = &'a Member>) -> Value {
    let hosts: Map<String, Value> = members.map(|m| (m.name.to_string(), json!({}))).collect();
    json!({ "hosts": hosts })
}

fn host(member: &Member) -> Value {
    Value::Object(host_vars(member))
}

/// Variables of one host. The etcd member's name comes from the node's: Kubespray's default is the position in the group,
/// so that another order would rename members.
pub(super) fn host_vars(member: &Member) -> Map<String, Value> {
    let address = json!(member.address);
    let mut vars = Map::new();
    for name in ["ansible_host", "ip", "access_ip"] {
        vars.insert(name.into(), address.clone());
    }
    if member.is(Role::Etcd) {
        vars.insert("etcd_member_name".into(), json!(format!("etcd-{}", member.name)));
    }
    if member.is_kubernetes_node() && !member.labels.is_empty() {
        vars.insert("node_labels".into(), json!(member.labels));
    }
    if member.is_kubernetes_node() && !member.taints.is_empty() {
        vars.insert("node_taints".into(), json!(member.taints));
    }
    if let Some(path) = &member.storage {
        vars.insert("containerd_storage_dir".into(), json!(path));
    }
    vars
}
