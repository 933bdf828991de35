//! What is taken when the file says nothing.

use crate::raw::runai::{Runai, Source};
use ipnet::Ipv4Net;
use plinth_model::HostPath;
use std::net::Ipv4Addr;

/// Kubespray v2.27.1, `kube_pods_subnet`.
pub(crate) const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 233, 64, 0), 18);
/// Kubespray v2.27.1, `kube_service_addresses`.
pub(crate) const SERVICES: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 233, 0, 0), 18);
/// Kubespray v2.27.1, `kube_network_node_prefix`.
pub(crate) const NODE_PREFIX: u8 = 24;
/// Folder of images.
pub(crate) const IMAGES: HostPath = HostPath::fixed("/var/lib/containerd");
/// Where images move to when there is no room.
pub(crate) const LARGER: HostPath = HostPath::fixed("/local/containerd");
/// Where homes of accounts are.
pub(crate) const HOMES: HostPath = HostPath::fixed("/home");
/// Login shell of the service account.
pub(crate) const SHELL: HostPath = HostPath::fixed("/bin/bash");
/// Image of test pods: the one of which local-path's helper pods are made, so that a mirror has it already.
pub(crate) const CHECK_IMAGE: &str = "docker.io/library/busybox:1.36.1";
/// Image of test pods with a GPU: GPU Operator v25.3.3 names it too.
pub(crate) const CHECK_GPU_IMAGE: &str = "nvcr.io/nvidia/cuda:13.0.0-base-ubi9";
/// Ingress node port.
pub(crate) const HTTP: u16 = 30080;
/// Ingress node port.
pub(crate) const HTTPS: u16 = 30443;
/// Virtual functions of an InfiniBand adapter (NVIDIA DGX BasePOD deployment guide, SR-IOV).
pub(crate) const VIRTUAL_FUNCTIONS: u8 = 8;
/// User and group id of the service account.
pub(crate) const UID: u32 = 60000;
/// Name under which plinth keeps the key it made.
pub(crate) const KEY: &str = "ssh-key";

/// NVIDIA's registry is documented from Run:ai 2.25 on; before, the vendor's former one is (NVIDIA Run:ai docs 2.25, preparations). Without a
/// token, 3.0 comes as its open-source artefacts, which ask for none, and the cluster part of a control plane elsewhere from the former
/// registry as long as that has it (2.25): its charts and images were readable without a login.
pub(crate) fn source(runai: &Runai) -> Source {
    let number = runai.version.0.semver();
    let line = (number.major, number.minor);
    let has_token = runai.registry.as_ref().is_some_and(|registry| registry.token.is_some());
    match has_token {
        false if line >= (3, 0) => Source::Oss,
        false if line == (2, 25) && runai.control_plane.is_some() => Source::Jfrog,
        _ if line < (2, 25) => Source::Jfrog,
        _ => Source::Ngc,
    }
}
