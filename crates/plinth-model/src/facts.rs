//! Facts of one machine, as read in one round trip. What a machine does not tell is `None` or left out, never a guess.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is asked for beside the fixed part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// Directories whose free space is wanted; one that is not there is asked at its nearest parent.
    pub paths: Vec<String>,
    /// Where container images live now, and where they may live: tells [`NodeFacts::relocated`].
    pub images: Option<(String, String)>,
    /// Names to resolve from the node.
    pub names: Vec<String>,
    /// Addresses to fetch from the node, `https://registry.example.com/v2/`: any HTTP answer counts.
    pub urls: Vec<String>,
}

/// Facts of one machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeFacts {
    /// For people: `Ubuntu 22.04.4 LTS (DGX OS 6.2)`.
    pub os: String,
    /// `ID` of os-release: `ubuntu`.
    pub os_id: String,
    /// `VERSION_ID` of os-release: `22.04`.
    pub os_version: String,
    /// DGX OS release, from /etc/dgx-release.
    pub dgx_release: Option<String>,
    /// Kernel release.
    pub kernel: String,
    /// Headers of the running kernel are installed; a driver that is built on the node needs them.
    pub kernel_headers: bool,
    /// `x86_64`.
    pub architecture: String,
    /// Host name as the kernel has it.
    pub hostname: String,
    /// Cores.
    pub cpus: u32,
    /// As the kernel counts it, `MemTotal` of /proc/meminfo, MiB; 0 when it does not say.
    pub memory_mib: u64,
    /// Swap in use or ready for use, MiB.
    pub swap_mib: u64,
    /// Clock offset to ours, milliseconds; positive when the node is ahead. Half a round trip is its error.
    pub clock_offset_ms: i64,
    /// Time service: none when none is known to run.
    pub time_service: Option<String>,
    /// What systemd says of synchronisation.
    pub time_synchronised: Option<bool>,
    /// Addresses, without those of loopback.
    pub addresses: Vec<Address>,
    /// Interface and next hop of the default route.
    pub default_route: Option<Route>,
    /// Free space of the directories asked for.
    pub spaces: Vec<Space>,
    /// 1 or 2; 0 when neither is mounted.
    pub cgroup_version: u8,
    /// `enforcing`, `permissive`, `disabled`; none without SELinux.
    pub selinux: Option<String>,
    /// The kernel says `Y` (/sys/module/apparmor/parameters/enabled). Where it says nothing: false.
    pub apparmor: bool,
    /// systemd's words on some services: `containerd` → `active`, `inactive`, `failed`. Unknown ones are left out.
    pub services: BTreeMap<String, String>,
    /// Loaded (or built-in) modules among those that Kubernetes and GPUs need.
    pub modules: Vec<String>,
    /// Kernel settings that Kubernetes needs.
    pub sysctls: BTreeMap<String, String>,
    /// GPUs seen on the bus, or by the driver when the bus cannot be read.
    pub gpus: u32,
    /// Their names, as the driver tells them.
    pub gpu_names: Vec<String>,
    /// NVIDIA driver version, if one is loaded.
    pub driver: Option<String>,
    /// The driver is installed on the machine itself, and not in a container of the GPU operator. None: not told.
    pub driver_installed: Option<bool>,
    /// NVIDIA's container runtime is in the machine's own settings of containerd, and not put there by the GPU operator. None: not told.
    pub toolkit_installed: Option<bool>,
    /// Network adapters by Mellanox (NVIDIA), without virtual functions, by the names of their interfaces.
    pub adapters: Vec<Adapter>,
    /// NVSwitches on the bus: those need a fabric manager.
    pub nvswitches: u32,
    /// TCP ports that something listens on, with its name where it is known.
    pub listening: BTreeMap<u16, String>,
    /// What is left of an earlier Kubernetes, or runs beside it: `/etc/kubernetes/admin.conf`, `docker: 3 containers run`.
    pub obstacles: Vec<String>,
    /// containerd, if it is installed.
    pub containerd: Option<Containerd>,
    /// Whether the images directory already lives at the larger path.
    pub relocated: bool,
    /// Proxy settings of the login environment and of systemd: name to address, credentials left out.
    pub proxies: BTreeMap<String, String>,
    /// `apt`, `dnf`, `yum`, `zypper`.
    pub package_manager: Option<String>,
    /// Python versions, newest first.
    pub pythons: Vec<String>,
    /// Name servers of resolv.conf.
    pub nameservers: Vec<String>,
    /// Search domains of resolv.conf.
    pub search: Vec<String>,
    /// Names asked for, with the addresses they resolve to; empty: they do not.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// Addresses asked for, with the HTTP status; 0: no answer. None could be asked without curl or wget: they are left out.
    pub answers: BTreeMap<String, u16>,
    /// File system of the login's home directory: `nfs4`.
    pub home_filesystem: String,
    /// How the login becomes root: `root`, `sudo`, `sudo-password`, `none`.
    pub root: String,
    /// The login shell's own greetings were mixed into the answer: harmless to plinth, not to every tool.
    pub noisy: bool,
}

/// Interfaces whose addresses are the same on many machines by design: bridges of container runtimes and virtual machines,
/// networks of Kubernetes, the machine's own controller.
const PRIVATE_INTERFACES: [&str; 11] =
    ["docker", "br-", "cni", "virbr", "cali", "vxlan", "tunl", "flannel", "kube-", "nodelocaldns", "bmc_"];

impl NodeFacts {
    /// What the machine is, in names and values for people: what may explain why it alone fails, or does not do what it did before. What it
    /// did not tell is left out.
    #[must_use]
    pub fn traits(&self) -> BTreeMap<String, String> {
        let addresses: Vec<String> =
            self.own_addresses().map(|one| format!("{}/{}", one.address, one.prefix)).collect();
        let known = |text: &Option<String>| text.clone().unwrap_or_default();
        let rows = [
            ("system", self.os.clone()),
            ("DGX release", known(&self.dgx_release)),
            ("kernel", self.kernel.clone()),
            ("architecture", self.architecture.clone()),
            ("driver", known(&self.driver)),
            ("CPUs", self.cpus.to_string()),
            ("GPUs", self.gpus.to_string()),
            ("SELinux", known(&self.selinux)),
            ("time service", known(&self.time_service)),
            ("addresses", addresses.join(", ")),
        ];
        rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Addresses that only this machine should have.
    pub fn own_addresses(&self) -> impl Iterator<Item = &Address> {
        let is_local = |address: &Address| match address.address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        let is_private = |address: &Address| PRIVATE_INTERFACES.iter().any(|one| address.interface.starts_with(one));
        self.addresses.iter().filter(move |address| !is_local(address) && !is_private(address))
    }

    /// Free space at a directory that was asked for, GiB, rounded down.
    #[must_use]
    pub fn free_gib(&self, path: &str) -> Option<u64> {
        self.space(path).map(|space| space.free_mib / 1024)
    }

    /// What is known of a directory that was asked for.
    #[must_use]
    pub fn space(&self, path: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| space.path == path)
    }
}

/// One address that the machine has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Kernel name of what carries it: `bond0`.
    pub interface: String,
    /// As it is set now, of either family.
    pub address: IpAddr,
    /// Length of the network prefix.
    pub prefix: u8,
}

/// A network adapter by Mellanox (NVIDIA).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adapter {
    /// Kernel name: `ibp24s0`, `ens1f0np0`.
    pub interface: String,
    /// What it speaks.
    pub link: Link,
    /// Virtual functions that its firmware has; none: not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_functions: Option<u32>,
}

/// What an adapter speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Pods can get virtual functions of it.
    Infiniband,
    /// Only adapters that speak InfiniBand are given to pods.
    Ethernet,
}

/// What the nodes of a role must have together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedNeeds {
    /// Who needs it: `Run:ai 2.25`.
    pub who: String,
    /// Processor cores.
    pub cpus: u32,
    /// Of all these nodes together, GB (10^9 bytes), as vendors count.
    pub memory_gb: u32,
    /// Space for volumes, GB.
    pub disk_gb: u32,
    /// Titles of the documents that say so.
    pub sources: Vec<String>,
}

/// The default route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Kernel name of what packets leave by; of several routes the one with the lowest metric.
    pub interface: String,
    /// Next hop, unless the route has none.
    pub via: Option<IpAddr>,
}

/// Space at a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Space {
    /// Directory asked for.
    pub path: String,
    /// The directory itself is there; otherwise the numbers are those of its nearest parent.
    pub exists: bool,
    /// Mount point it is on.
    pub mount: String,
    /// File system: `ext4`.
    pub filesystem: String,
    /// Size, MiB.
    pub total_mib: u64,
    /// Free for everybody but root, MiB.
    pub free_mib: u64,
    /// Free inodes, per cent; none where the file system has no fixed number.
    pub free_inodes_percent: Option<u8>,
}

/// containerd on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Containerd {
    /// As the program tells it, without `v`: `1.7.24`.
    pub version: String,
    /// Directory of its data, as configured.
    pub root: String,
    /// Data there, MiB; none when that takes too long to count.
    pub data_mib: Option<u64>,
    /// Containers with a running task.
    pub running: u32,
}
