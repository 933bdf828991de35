//! What is asked of a node before anything is changed on it, and what the answers are measured against.

use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use crate::engines;
use crate::facts::volumes;
use crate::sources;
use plinth_model::HostPath;
use plinth_model::facts::Asked;
use plinth_model::registry::api_root;
use plinth_model::steps::{NodeExpectation, NodeMinimum, NodeTarget};
use plinth_site::Desired;

/// Ports of a control-plane node: API server, controller manager, scheduler (kubernetes.io, "Ports and Protocols").
const CONTROL_PLANE_PORTS: [u16; 3] = [6443, 10257, 10259];
/// Ports of an etcd member: clients and peers (kubernetes.io, "Ports and Protocols").
const ETCD_PORTS: [u16; 2] = [2379, 2380];
/// Ports of every node: kubelet, and kube-proxy's health (kubernetes.io, "Ports and Protocols").
const NODE_PORTS: [u16; 2] = [10250, 10256];
/// BGP between the nodes (Calico documentation, "System requirements").
const CALICO_PORT: u16 = 179;

/// One node to visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// With the first-contact login.
    pub first: NodeTarget,
    /// With the service account, once it is made.
    pub account: NodeTarget,
    /// What its answers depend on: directories, addresses and names to try.
    pub asked: Asked,
    /// What the answers are measured against.
    pub expected: NodeExpectation,
}

/// A visit for each member; none with an engine that reaches no node.
#[must_use]
pub fn visits(desired: &Desired, cluster: &Cluster) -> Vec<Visit> {
    let members = cluster.members.iter().filter(|_| engines::of(desired).reaches_nodes());
    members.map(|member| visit(desired, cluster, member)).collect()
}

fn visit(desired: &Desired, cluster: &Cluster, member: &Member) -> Visit {
    let expected = expectation(desired, cluster, member);
    let mut asked = expected.asked();
    let more: Vec<String> =
        sources::asked_on_nodes(desired).into_iter().filter(|url| !asked.urls.contains(url)).collect();
    asked.urls.extend(more);
    let volumes = volumes(desired).to_owned();
    if !asked.paths.contains(&volumes) {
        asked.paths.push(volumes);
    }
    Visit { first: Cluster::first_contact(desired, member), account: Cluster::target(desired, member), asked, expected }
}

/// What a member is measured against.
pub(crate) fn expectation(desired: &Desired, cluster: &Cluster, member: &Member) -> NodeExpectation {
    let (images, larger) = places(desired, member);
    NodeExpectation {
        minimum: minimum(desired, member),
        images: images.clone(),
        images_gib: desired.storage.images_gib,
        larger: larger.clone(),
        address: member.address,
        ports: ports(desired, member),
        names: desired.runai.iter().map(|r| (r.domain.clone(), cluster.ingress_address(desired))).collect(),
        urls: registries(desired),
        deployed: false,
        engine_prepares: engines::of(desired).prepares_nodes(),
        docker_may_go: desired.kubernetes.remove_docker,
    }
}

/// Where images are looked for, and where they may go: one place when it is decided.
fn places<'a>(desired: &'a Desired, member: &'a Member) -> (&'a HostPath, &'a HostPath) {
    match &member.storage {
        Some(path) => (path, path),
        None => (&desired.storage.images, &desired.storage.larger),
    }
}

/// Least a node must have. Workers: 2 cores, 4 GB; nodes with Run:ai's system services: 10 cores, 20 GB (NVIDIA Run:ai
/// documentation, system requirements); control plane: 2 cores, 2 GB (kubeadm documentation). Memory is asked a tenth lower,
/// since machines report less than what is built in.
fn minimum(desired: &Desired, member: &Member) -> NodeMinimum {
    let (cpus, memory_mib) = match (member.is(Role::System), member.is(Role::Worker)) {
        (true, _) if desired.runai.is_some() => (10, 17_160),
        (_, true) => (2, 3_430),
        _ => (2, 1_710),
    };
    NodeMinimum { cpus, memory_mib, gpu: member.is(Role::Gpu) }
}

fn ports(desired: &Desired, member: &Member) -> Vec<u16> {
    let mut ports = Vec::new();
    if member.is(Role::ControlPlane) {
        ports.extend(CONTROL_PLANE_PORTS);
    }
    ports.extend(engines::of(desired).own_ports(member));
    if member.is(Role::Etcd) {
        ports.extend(ETCD_PORTS);
    }
    if member.is_kubernetes_node() {
        ports.extend(NODE_PORTS);
        ports.extend((desired.kubernetes.plugin == "calico").then_some(CALICO_PORT));
        ports.extend([desired.platform.ingress.http, desired.platform.ingress.https]);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Every registry that the site names: its API's root answers, 401 too.
fn registries(desired: &Desired) -> Vec<String> {
    let mirrors = desired.registries.mirrors.iter().flat_map(|mirror| mirror.endpoints.iter().cloned());
    let logins = desired.registries.logins.iter().map(|login| login.registry.clone());
    let mut urls: Vec<String> = mirrors.chain(logins).map(|place| api_root(&place)).collect();
    urls.sort();
    urls.dedup();
    urls
}
