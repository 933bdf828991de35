//! A mirror of what an installer of Kubernetes downloads: programs in the places where their projects offer them, and images
//! as archives, all from what [`Parts`] built and from Debian. Nothing of it comes from a registry of images.

use crate::cache;
use crate::error::{LabError, LabResult};
use crate::lab::Lab;
use crate::parts::{CONTAINERD, ETCD, KUBERNETES, Parts};
use crate::program::{program, run};
use crate::root::RootSpec;
use crate::tied::Tied;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("scripts/mirror.sh");
const SERVER: &str = include_str!("scripts/mirror.py");
const NERDCTL_SCRIPT: &str = include_str!("scripts/nerdctl.sh");

/// Releases of what is not built from a module of that release: Debian 12's own, and names for the two stand-ins.
const OTHERS: [(&str, &str); 4] = [("RUNC", "1.1.5"), ("CNI", "1.1.1"), ("CRICTL", "1.34.0"), ("NERDCTL", "2.0.0")];

/// Registries whose images it has. It answers for each of them, when it is asked as a mirror of it.
pub const REGISTRIES: [&str; 4] = ["registry.k8s.io", "docker.io", "nvcr.io", "lab.example"];

/// Tags by which installers ask for images: `CoreDNS` and pause of Kubernetes 1.34 (kubeadm, Kubespray v2.30.0), and the
/// balancer's.
const TAGS: [(&str, &str); 7] = [
    ("COREDNS", "1.12.0 1.12.1 1.12.4"),
    ("PAUSE", "3.10 3.10.1"),
    ("NGINX", "1.28.0-alpine"),
    ("PROBE", PROBE),
    ("BUSYBOX", BUSYBOX),
    ("CUDA", CUDA),
    ("OPERATOR", OPERATOR),
];

/// Image of test pods: Debian's busybox, under the name and tag by which plinth asks for it.
pub const BUSYBOX: &str = "docker.io/library/busybox:1.36.1";

/// Image of test pods with a GPU: busybox with an `nvidia-smi` that shows as many GPUs as `NVIDIA_VISIBLE_DEVICES` names, or one.
pub const CUDA: &str = "nvcr.io/nvidia/cuda:13.0.0-base-ubi9";

/// An image to write an operator of a cluster with, in a shell script: busybox and kubectl.
pub const OPERATOR: &str = "lab.example/operator:1";

/// An image with one program that serves HTTP on port 8080, or asks: `probe get URL`, `probe resolve NAME`.
pub const PROBE: &str = "lab.example/probe:1";

/// Where it is served, on the address of the lab's bridge.
const PORT: u16 = 8099;

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// A mirror on this machine's disk.
#[derive(Clone, Debug)]
pub struct Mirror {
    folder: PathBuf,
    kubectl: PathBuf,
}

/// A mirror that a lab's nodes reach, until this is dropped.
#[derive(Debug)]
pub struct Served {
    address: Ipv4Addr,
    server: Tied,
}

impl Mirror {
    /// Makes it when it is not in the cache yet, with all it needs ([`Parts::have`]).
    pub fn have() -> LabResult<Self> {
        let parts = Parts::have()?;
        let told = |line: &str| eprintln!("lab: {line}");
        let pieces = RootSpec::pieces().made(&told)?;
        let kubectl = parts.program("kubectl")?;
        let folder = cache::folder().join("kubernetes").join(format!("mirror-{}", digest(&parts, &pieces)));
        cache::made(&folder, |beside| {
            told("making the mirror of programs and images (once; about a minute)");
            build(beside, &parts, &pieces)
        })?;
        Ok(Self { folder, kubectl })
    }

    /// Where it lies; images are in `images`, named as `registry.k8s.io_pause_3.10.tar`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// kubectl of the mirror's release, to run on this machine.
    #[must_use]
    pub fn kubectl(&self) -> &Path {
        &self.kubectl
    }

    /// Serves it to a lab's nodes by HTTP, and tells them where.
    pub fn serve(&self, lab: &Lab) -> LabResult<Served> {
        let mut command = lab.command("python3");
        command.args(["-c", SERVER, &lab.bridge().to_string(), &PORT.to_string()]).arg(&self.folder);
        let doing = "serving the mirror to a lab";
        let server = Tied::start(&command, doing, &lab.folder().join("mirror.log"))?;
        let served = Served { address: lab.bridge(), server };
        lab.inside(|| served.answers())??;
        for node in lab.nodes() {
            node.write_file("/etc/lab-mirror", "0644", format!("{}\n", served.url()).as_bytes())?;
        }
        Ok(served)
    }

    /// What tells Kubespray (v2.28 to v2.31) to take everything from a mirror at `url`, and to make do with nodes of a lab: the two
    /// base addresses that it builds its downloads on, releases, checksums, and what the kernel of a lab does not have.
    pub fn kubespray_variables(&self, url: &str) -> LabResult<Map<String, Value>> {
        let path = self.folder.join("sha256sums");
        let sums = std::fs::read_to_string(&path).map_err(LabError::at("reading", &path))?;
        let mut all = Map::new();
        for (name, ending) in CHECKSUMS {
            let line = sums.lines().find(|line| line.contains(ending)).ok_or_else(|| {
                LabError::new(format!("looking for {ending} in the mirror"), "it is not there", "remove the mirror")
            })?;
            let sum = line.split_whitespace().next().unwrap_or_default();
            all.insert(name.to_owned(), json!(format!("sha256:{sum}")));
        }
        let base = [("github_url", json!(url)), ("dl_k8s_io_url", json!(url))];
        let versions = [("etcd_version", ETCD), ("containerd_version", CONTAINERD)].into_iter();
        let others = OTHERS.iter().map(|(name, version)| (*name, *version));
        all.extend(base.map(|(name, value)| (name.to_owned(), value)));
        all.extend(versions.map(|(name, version)| (name.to_owned(), json!(version))));
        all.extend(lab().as_object().cloned().unwrap_or_default());
        all.extend(others.map(|(name, version)| (format!("{}_version", name.to_lowercase()), json!(version))));
        Ok(all)
    }
}

/// Variables of Kubespray for checksums, with what the path in the mirror contains.
const CHECKSUMS: [(&str, &str); 9] = [
    ("kubelet_binary_checksum", "/kubelet"),
    ("kubeadm_binary_checksum", "/kubeadm"),
    ("kubectl_binary_checksum", "/kubectl"),
    ("etcd_binary_checksum", "/etcd-v"),
    ("cni_binary_checksum", "/cni-plugins-"),
    ("crictl_binary_checksum", "/crictl-v"),
    ("runc_binary_checksum", "/runc."),
    ("nerdctl_archive_checksum", "/nerdctl-"),
    ("containerd_archive_checksum", "/containerd-"),
];

/// What nodes of a lab need. The network of pods is the lab's own; there are no dummy links for a cache of DNS; settings of
/// connection tracking belong to the machine; limits of the machine hold; the disk is shared, so its being full is no reason to
/// evict; nobody may touch resolv.conf, and nobody lowers the scores of the out-of-memory killer.
fn lab() -> Value {
    json!({
        "kube_network_plugin": "cni",
        "kube_proxy_mode": "iptables",
        "kube_proxy_conntrack_max_per_core": 0,
        "kube_proxy_conntrack_min": 0,
        "enable_nodelocaldns": false,
        "enable_dns_autoscaler": false,
        "resolvconf_mode": "none",
        "etcd_deployment_type": "host",
        "ntp_enabled": false,
        "containerd_extra_runtime_args": {"restrict_oom_score_adj": true},
        "containerd_base_runtime_spec_rlimit_nofile": 20000,
        "eviction_hard": {
            "memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
            "imagefs.available": "1%", "imagefs.inodesFree": "1%",
        },
        "kubelet_image_gc_high_threshold": 100,
        "kubelet_image_gc_low_threshold": 99,
    })
}

impl Served {
    /// Such as `http://10.77.0.1:8099`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}:{PORT}", self.address)
    }

    fn answers(&self) -> LabResult<()> {
        let (until, address) = (Instant::now() + ANSWER, SocketAddr::from((self.address, PORT)));
        while let Err(error) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            if self.server.has_ended() || Instant::now() > until {
                let doing = format!("waiting for the mirror at {address}");
                return Err(LabError::new(doing, error.to_string(), "install python3; read mirror.log of the lab"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Changes with everything the mirror is made of.
fn digest(parts: &Parts, pieces: &Path) -> String {
    let recipe = format!("{SCRIPT}{NERDCTL_SCRIPT}{:?}{}{OTHERS:?}{TAGS:?}", parts.folders(), pieces.display());
    hex::encode(&Sha256::digest(recipe.as_bytes())[..8])
}

fn build(at: &Path, parts: &Parts, pieces: &Path) -> LabResult<()> {
    let programs =
        tempfile::tempdir_in(at.parent().unwrap_or(at)).map_err(LabError::at("making a folder beside", at))?;
    for folder in parts.folders() {
        let bin = folder.join("bin");
        for entry in std::fs::read_dir(&bin).map_err(LabError::at("listing", &bin))?.flatten() {
            let link = programs.path().join(entry.file_name());
            std::os::unix::fs::symlink(entry.path(), &link).map_err(LabError::at("linking", &link))?;
        }
    }
    let mut command = program("setpriv", &["--pdeathsig", "KILL", "/bin/sh", "-euc", SCRIPT]);
    command.env("OUT", at).env("BIN", programs.path()).env("PIECES", pieces).env("NERDCTL_SCRIPT", NERDCTL_SCRIPT);
    command.env("KUBERNETES", KUBERNETES).env("ETCD", ETCD).env("CONTAINERD", CONTAINERD);
    command.envs(OTHERS).envs(TAGS);
    run(&mut command, "making the mirror").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_releases_are_told_to_kubespray() {
        let scratch = tempfile::tempdir().unwrap();
        let line = |(n, (_, ending)): (usize, &(&str, &str))| format!("{n:064}  some/place{ending}x\n");
        let sums: String = CHECKSUMS.iter().enumerate().map(line).collect();
        std::fs::write(scratch.path().join("sha256sums"), sums).unwrap();
        let mirror = Mirror { folder: scratch.path().to_owned(), kubectl: PathBuf::new() };
        let variables = mirror.kubespray_variables("http://mirror.example").unwrap();
        assert_eq!(variables["kubeadm_binary_checksum"], format!("sha256:{:064}", 1));
        assert_eq!(variables["containerd_archive_checksum"], format!("sha256:{:064}", 8));
        assert_eq!(variables["runc_version"], "1.1.5");
        assert_eq!(variables["github_url"], "http://mirror.example");
        std::fs::write(scratch.path().join("sha256sums"), "").unwrap();
        assert!(mirror.kubespray_variables("http://mirror.example").is_err());
    }
}
