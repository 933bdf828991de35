//! A machine as it was delivered, and the host key that was believed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What stands in the rack. Comes from the scenario, not from what plinth does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hardware {
    /// Where SSH answers.
    pub(crate) address: Ipv4Addr,
    /// Operating system, as people write it.
    pub(crate) os: String,
    /// Kernel release.
    pub(crate) kernel: String,
    /// Cores.
    pub(crate) cpus: u32,
    pub(crate) memory_mib: u64,
    /// GPUs on the bus.
    pub(crate) gpus: u32,
    /// NVIDIA driver on the host.
    pub(crate) driver: Option<String>,
    /// Clock offset, milliseconds.
    pub(crate) clock_offset_ms: i64,
    /// Mount point to free space, GiB.
    pub(crate) free_gib: BTreeMap<String, u64>,
    /// Host key fingerprint, `SHA256:...`.
    pub(crate) host_key: String,
    /// Users that are there from the beginning, name to uid.
    #[serde(default)]
    pub(crate) users: BTreeMap<String, u32>,
    /// Things that stand in the way.
    #[serde(default)]
    pub(crate) obstacles: Vec<String>,
}

/// A pinned host key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    /// `ssh-ed25519`.
    pub(crate) algorithm: String,
    /// `SHA256:...`.
    pub(crate) fingerprint: String,
}
