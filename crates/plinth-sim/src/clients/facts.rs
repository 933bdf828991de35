//! What a simulated machine tells of itself.

use crate::world::state::Machine;
use plinth_model::facts::{Adapter, Address, Asked, Containerd, Link, NodeFacts, Route, Space};
use plinth_model::steps::{NodeTarget, Preparation};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// Directories of the root partition that are always there.
const ROOT_DIRECTORIES: [&str; 8] = ["var", "opt", "home", "usr", "srv", "tmp", "etc", "mnt"];
/// containerd's own place.
const CONTAINERD: &str = "/var/lib/containerd";
/// Of the network between GPUs.
const ADAPTERS: [&str; 8] =
    ["ibp24s0", "ibp64s0", "ibp79s0", "ibp94s0", "ibp154s0", "ibp192s0", "ibp206s0", "ibp220s0"];
const MIB_PER_GIB: u64 = 1024;

/// Facts of a machine whose free space is `partitions`, GiB by mount point: a healthy machine, but for what its hardware says.
pub(super) fn of(
    target: &NodeTarget,
    machine: &Machine,
    partitions: &BTreeMap<String, u64>,
    asked: &Asked,
) -> NodeFacts {
    let hardware = &machine.hardware;
    let to = machine.relocated_to.as_ref();
    NodeFacts {
        os: hardware.os.clone(),
        os_id: "ubuntu".to_owned(),
        os_version: if hardware.os.contains("24.04") { "24.04" } else { "22.04" }.to_owned(),
        kernel: hardware.kernel.clone(),
        kernel_headers: true,
        architecture: "x86_64".to_owned(),
        hostname: target.node.to_string(),
        cpus: hardware.cpus,
        memory_mib: hardware.memory_mib,
        gpus: hardware.gpus,
        driver: hardware.driver.clone(),
        driver_installed: Some(hardware.driver.is_some()),
        toolkit_installed: Some(false),
        adapters: if hardware.gpus > 0 { ADAPTERS.map(adapter).to_vec() } else { Vec::new() },
        clock_offset_ms: hardware.clock_offset_ms,
        spaces: asked.paths.iter().filter_map(|path| space(partitions, path)).collect(),
        obstacles: hardware.obstacles.clone(),
        containerd: Some(Containerd {
            version: "1.7.27".to_owned(),
            root: CONTAINERD.to_owned(),
            ..Containerd::default()
        }),
        relocated: asked.images.as_ref().is_some_and(|(_, larger)| to == Some(larger)),
        ..software(hardware.address)
    }
}

fn adapter(interface: &str) -> Adapter {
    Adapter { interface: interface.to_owned(), link: Link::Infiniband, firmware_functions: Some(8) }
}

/// What BCM's software image brings.
fn software(address: Ipv4Addr) -> NodeFacts {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    NodeFacts {
        time_service: Some("chrony".to_owned()),
        time_synchronised: Some(true),
        addresses: vec![Address { interface: "bond0".to_owned(), address: IpAddr::V4(address), prefix: 24 }],
        default_route: Some(Route { interface: "bond0".to_owned(), via: None }),
        cgroup_version: 2,
        services: [("chrony".to_owned(), "active".to_owned())].into(),
        modules: texts(&["br_netfilter", "overlay"]),
        sysctls: [("net.ipv4.ip_forward".to_owned(), "1".to_owned())].into(),
        package_manager: Some("apt".to_owned()),
        pythons: texts(&["3.10.12"]),
        nameservers: texts(&["192.0.2.53"]),
        search: texts(&["cm.cluster"]),
        home_filesystem: "ext4".to_owned(),
        root: "sudo".to_owned(),
        ..NodeFacts::default()
    }
}

/// What a machine that nobody prepared lacks.
pub(super) fn unprepared(wanted: &Preparation) -> Vec<String> {
    let hosts = wanted.hosts.iter().map(|(name, address)| format!("+ host name {name} → {address}"));
    let modules = wanted.modules.iter().map(|module| format!("+ kernel module {module}"));
    let sysctls = wanted.sysctls.iter().map(|(name, value)| format!("~ {name} = {value}"));
    let swap = wanted.swap_off.then(|| "~ swap off".to_owned());
    hosts.chain(modules).chain(sysctls).chain(swap).collect()
}

/// Free space at a path; at the root, its nearest parent, when the path cannot be there.
fn space(partitions: &BTreeMap<String, u64>, path: &str) -> Option<Space> {
    let there = free_at(partitions, path);
    let gib = there.or_else(|| partitions.get("/").copied())?;
    Some(Space {
        path: path.to_owned(),
        exists: there.is_some(),
        total_mib: (gib + gib / 4) * MIB_PER_GIB,
        free_mib: gib * MIB_PER_GIB,
        ..Space::default()
    })
}

/// Free space at a path, GiB.
pub(super) fn free_at(partitions: &BTreeMap<String, u64>, path: &str) -> Option<u64> {
    let below = |mount: &str| path == mount || path.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/'));
    let mount = partitions.iter().filter(|(mount, _)| below(mount)).max_by_key(|(mount, _)| mount.len());
    let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let root = || partitions.get("/").filter(|_| ROOT_DIRECTORIES.contains(&first));
    mount.map(|(_, gib)| gib).or_else(root).copied()
}
