//! The scenario: which machines stand in the rack. Made from an inventory and a seed, nothing else.

use crate::timing::fraction;
use crate::world::hardware::Hardware;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use plinth_model::inventory::Inventory;
use plinth_model::{Digest, NodeName};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Something odd about one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Somebody else has this user id.
    UserIdTaken(u32),
    /// Something stands in the way: `docker is running`.
    Obstacle(String),
    /// Its clock is off by this, milliseconds.
    ClockOffset(i64),
    /// It has no NVIDIA driver on the host.
    NoDriver,
    /// It has fewer GPUs than eight.
    Gpus(u32),
    /// Free space of a partition, GiB.
    Partition(String, u64),
    /// Memory, MiB.
    Memory(u64),
}

/// The machines of the simulated data centre, each with its hardware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub(crate) machines: BTreeMap<NodeName, Hardware>,
    seed: u64,
}

impl Scenario {
    /// One machine for each address. Nodes in `gpu` are DGX machines: eight GPUs, 2 TiB of memory, a `/var` too small for
    /// container images and a large `/local`; all others have space enough where they stand.
    #[must_use]
    pub fn from_inventory(
        inventory: &Inventory,
        addresses: &BTreeMap<NodeName, Ipv4Addr>,
        gpu: &BTreeSet<NodeName>,
        seed: u64,
    ) -> Self {
        let categories: BTreeMap<&str, &str> =
            inventory.nodes.iter().filter_map(|node| Some((node.name.as_str(), node.category.as_deref()?))).collect();
        let machines = addresses
            .iter()
            .map(|(node, address)| {
                let category = categories.get(node.as_str()).copied().unwrap_or_default();
                let hardware =
                    if gpu.contains(node) { dgx(node, *address, category, seed) } else { server(node, *address, seed) };
                (node.clone(), hardware)
            })
            .collect();
        Self { machines, seed }
    }

    /// Makes one machine odd. A node that is not there stays so.
    #[must_use]
    pub fn odd(mut self, node: &NodeName, oddity: Oddity) -> Self {
        if let Some(hardware) = self.machines.get_mut(node) {
            match oddity {
                Oddity::UserIdTaken(uid) => {
                    hardware.users.insert("somebody-else".to_owned(), uid);
                }
                Oddity::Obstacle(obstacle) => hardware.obstacles.push(obstacle),
                Oddity::ClockOffset(offset) => hardware.clock_offset_ms = offset,
                Oddity::NoDriver => hardware.driver = None,
                Oddity::Gpus(gpus) => hardware.gpus = gpus,
                Oddity::Partition(path, gib) => {
                    hardware.free_gib.insert(path, gib);
                }
                Oddity::Memory(mib) => hardware.memory_mib = mib,
            }
        }
        self
    }

    /// Names of the machines.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeName> {
        self.machines.keys()
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }
}

/// The host key fingerprint of a machine, as OpenSSH prints one; `generation` counts re-installations.
pub(crate) fn host_key(seed: u64, node: &str, generation: u32) -> String {
    let digest = Digest::of_bytes(format!("{seed}/host-key/{node}/{generation}").as_bytes());
    let bytes: Vec<u8> =
        (0..32).filter_map(|i| u8::from_str_radix(digest.as_str().get(2 * i..2 * i + 2)?, 16).ok()).collect();
    format!("SHA256:{}", STANDARD_NO_PAD.encode(bytes))
}

fn partitions(sizes: &[(&str, u64)]) -> BTreeMap<String, u64> {
    sizes.iter().map(|(path, gib)| ((*path).to_owned(), *gib)).collect()
}

/// A whole number between two, the same for the same seed and node.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn pick(seed: u64, node: &NodeName, what: &str, from: u64, to: u64) -> u64 {
    from + (fraction(&format!("{seed}/{what}/{node}")) * (to - from + 1) as f64) as u64
}

fn clock_offset(seed: u64, node: &NodeName) -> i64 {
    i64::try_from(pick(seed, node, "clock", 0, 40)).unwrap_or(0) - 20
}

/// DGX H100 system: 8 GPUs, 2 x 56 cores (224 threads), 2 TiB of memory (NVIDIA DGX H100/H200 User Guide).
fn dgx(node: &NodeName, address: Ipv4Addr, category: &str, seed: u64) -> Hardware {
    let gib = pick(seed, node, "local", 3_300, 3_600);
    let os =
        if category.contains("b200") { "Ubuntu 24.04.2 LTS (DGX OS 7.1)" } else { "Ubuntu 22.04.4 LTS (DGX OS 6.2)" };
    Hardware {
        address,
        os: os.to_owned(),
        kernel: "5.15.0-1063-nvidia".to_owned(),
        cpus: 224,
        memory_mib: 2_063_876,
        gpus: 8,
        driver: Some("550.90.07".to_owned()),
        clock_offset_ms: clock_offset(seed, node),
        free_gib: partitions(&[("/", 38), ("/var", 6), ("/local", gib), ("/raid", 24_000)]),
        host_key: host_key(seed, node.as_str(), 0),
        users: BTreeMap::new(),
        obstacles: Vec::new(),
    }
}

/// A dual-socket server for the control plane.
fn server(node: &NodeName, address: Ipv4Addr, seed: u64) -> Hardware {
    let gib = pick(seed, node, "var", 780, 860);
    Hardware {
        address,
        os: "Ubuntu 22.04.4 LTS".to_owned(),
        kernel: "5.15.0-113-generic".to_owned(),
        cpus: 64,
        memory_mib: 515_543,
        gpus: 0,
        driver: None,
        clock_offset_ms: clock_offset(seed, node),
        free_gib: partitions(&[("/", 70), ("/var", gib)]),
        host_key: host_key(seed, node.as_str(), 0),
        users: BTreeMap::new(),
        obstacles: Vec::new(),
    }
}
