//! Taints of nodes as tolerations of pods. Known is what the site file gives, and what kubeadm gives the control plane.

use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Nodes on which a pod runs that tolerates nothing.
pub(crate) fn untainted(cluster: &Cluster) -> usize {
    let free = |member: &&Member| {
        let only_control_plane = member.is(Role::ControlPlane) && !member.is(Role::Worker);
        let keeps_off = |taint: &String| !taint.ends_with(":PreferNoSchedule");
        member.is_kubernetes_node() && !only_control_plane && !member.taints.iter().any(keeps_off)
    };
    cluster.members.iter().filter(free).count()
}

/// For pods that run on every node.
pub(crate) fn of_all(cluster: &Cluster) -> Vec<Value> {
    let usual = [on_control_plane(), json!({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"})];
    let of_site = tolerations(cluster.members.iter().filter(|member| member.is_kubernetes_node()));
    usual.into_iter().chain(of_site).collect()
}

/// For pods that serve the platform: the nodes of the system services, and the control plane.
pub(crate) fn of_system(cluster: &Cluster) -> Vec<Value> {
    let of_site = tolerations(cluster.members.iter().filter(|m| m.is(Role::System) || m.is(Role::ControlPlane)));
    std::iter::once(on_control_plane()).chain(of_site).collect()
}

/// For pods on GPU nodes: one toleration for each taint that the site gives these.
pub(crate) fn of_gpu(cluster: &Cluster) -> Vec<Value> {
    tolerations(cluster.with(Role::Gpu))
}

fn on_control_plane() -> Value {
    json!({"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"})
}

fn tolerations<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<Value> {
    let taints: BTreeSet<&str> = members.flat_map(|m| &m.taints).map(String::as_str).collect();
    taints.into_iter().map(toleration).collect()
}

fn toleration(taint: &str) -> Value {
    let (name, effect) = taint.rsplit_once(':').unwrap_or((taint, ""));
    let (key, value) = name.split_once('=').unwrap_or((name, ""));
    match value {
        "" => json!({"key": key, "operator": "Exists", "effect": effect}),
        value => json!({"key": key, "operator": "Equal", "value": value, "effect": effect}),
    }
}
