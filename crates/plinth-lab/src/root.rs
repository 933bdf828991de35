//! The root file system that all nodes stand on: made once by mmdebstrap, kept in the user's cache, never written again.

use crate::cache;
use crate::error::{LabError, LabResult};
use crate::program::{fed, program, run};
use crate::sources;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Debian's suite.
const SUITE: &str = "bookworm";

/// What nodes need: to be reached, to run containers and Kubernetes (kubeadm's and Kubespray's checks), and to be odd.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,iputils-ping,ca-certificates,curl,procps,\
kmod,iptables,nftables,conntrack,ethtool,socat,ebtables,containerd,runc,containernetworking-plugins,python3-minimal,\
python3-apt,jq,mount,util-linux,libpam-systemd,lsb-release,gnupg,busybox,tcsh,e2fsprogs,pciutils,rsync,less";

/// What is left out of a root without containers.
const CONTAINERS: [&str; 3] = ["containerd", "runc", "containernetworking-plugins"];

/// What Kubespray v2.30.0 asks for on Debian 12, so that it finds nothing to fetch.
const KUBESPRAY: &str = "apparmor,apt-transport-https,bash-completion,ipset,libseccomp2,mergerfs,openssl,\
software-properties-common,tar,unzip,xfsprogs";

/// What images and the mirror take from Debian: what kube-proxy calls, the balancer on every node, and the programs of
/// containers that are not built from Go modules.
const PIECES: &str =
    "iptables,ipset,nftables,nginx-light,libnginx-mod-stream,runc,containernetworking-plugins,busybox-static";

/// What is changed once, inside the new root.
const TOUCHES: &str = include_str!("scripts/root.sh");

/// And then inside one without containers.
const BARE: &str = include_str!("scripts/bare.sh");

/// What a root file system is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flavour {
    /// Nodes with containerd.
    #[default]
    Usual,
    /// Nodes that are to get Kubernetes.
    Bare,
    /// No nodes: programs are taken from it.
    Pieces,
}

/// Settings of this machine's apt that decide whether a mirror can be reached and believed.
const APT: [&str; 4] =
    ["Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date"];

/// The recipe of a root file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootSpec {
    /// Debian packages beside the usual ones.
    pub packages: Vec<String>,
    flavour: Flavour,
}

impl RootSpec {
    /// Without containerd, runc and CNI plugins, and with the packages that Kubespray asks for.
    #[must_use]
    pub fn bare() -> Self {
        Self { flavour: Flavour::Bare, ..Self::default() }
    }

    /// Not for nodes: Debian's nginx, iptables, runc and CNI plugins, for the mirror.
    pub(crate) fn pieces() -> Self {
        Self { flavour: Flavour::Pieces, ..Self::default() }
    }

    /// Where the root made by this recipe lies or would lie.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        cache::folder().join(format!("root-{}", self.digest()))
    }

    /// Sixteen hexadecimal digits that change with everything the root is made of, but not with the mirror.
    fn digest(&self) -> String {
        let recipe = format!("{SUITE}\n{}\n{}", self.packages(), self.touches());
        hex::encode(&Sha256::digest(recipe.as_bytes())[..8])
    }

    fn packages(&self) -> String {
        let mut all: Vec<&str> = match self.flavour {
            Flavour::Usual => PACKAGES.split(',').collect(),
            Flavour::Bare => {
                let usual = PACKAGES.split(',').filter(|name| !CONTAINERS.contains(name));
                usual.chain(KUBESPRAY.split(',')).collect()
            }
            Flavour::Pieces => PIECES.split(',').collect(),
        };
        all.extend(self.packages.iter().map(String::as_str));
        all.join(",")
    }

    /// What is changed once, inside the new root.
    fn touches(&self) -> String {
        match self.flavour {
            Flavour::Usual => TOUCHES.to_owned(),
            Flavour::Bare => format!("{TOUCHES}{BARE}"),
            Flavour::Pieces => String::new(),
        }
    }

    /// Makes the root unless it is there; `told` hears what takes time. Another process that makes the same is waited for.
    pub fn made(&self, told: &dyn Fn(&str)) -> LabResult<PathBuf> {
        let path = self.path();
        cache::made(&path, |beside| {
            told("making the root file system with mmdebstrap (once; about a minute and a half)");
            self.build(beside)?;
            told(&format!("the root file system is {}", path.display()));
            Ok(())
        })?;
        Ok(path)
    }

    fn build(&self, at: &Path) -> LabResult<()> {
        let doing = format!("making the root file system {}", at.display());
        let temporary =
            |error: std::io::Error| LabError::new(&doing, error.to_string(), "make room in the cache folder");
        // Through files, since a mirror or a proxy may carry a password.
        let mut beginning = at.as_os_str().to_owned();
        beginning.push("-");
        let folder = at.parent().unwrap_or(Path::new("/"));
        let name = Path::new(&beginning).file_name().unwrap_or_default();
        // Beside the root, under the name that the next build clears.
        let scratch = tempfile::Builder::new().prefix(name).tempdir_in(folder).map_err(temporary)?;
        let (list, settings) = (scratch.path().join("lab.list"), scratch.path().join("apt.conf"));
        write_private(&list, &(sources::own(SUITE)?.join("\n") + "\n")).map_err(temporary)?;
        write_private(&settings, &apt_settings()).map_err(temporary)?;
        // Its processes and mounts stand in namespaces of their own and end with us: half a root file system that goes on
        // growing, or one with the machine's /proc and /sys mounted below it, must not stay.
        let mut command = program("setpriv", &["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "slave"]);
        command.args(["--pid", "--fork", "--kill-child=KILL", "--mount-proc", "mmdebstrap"]);
        command.args(["--quiet", "--mode=root", "--variant=minbase"]);
        command.arg(format!("--include={}", self.packages()));
        command.arg(format!("--aptopt={}", settings.display()));
        // What it forgets when it is killed is cleared with the rest.
        command.arg(SUITE).arg(at).arg(&list).env("TMPDIR", scratch.path());
        run(&mut command, &doing)?;
        fed(program("chroot", &[]).arg(at).args(["/bin/sh", "-eu"]), &doing, self.touches().as_bytes())?;
        Ok(())
    }
}

/// A file that only its owner reads, from its first moment.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// As apt.conf(5); settings that are not set are left out.
fn apt_settings() -> String {
    let set = |name: &str| {
        let dump = run(&mut program("apt-config", &["dump", name]), "asking apt for its settings").ok()?;
        dump.lines().find(|line| line.starts_with(&format!("{name} ")) && !line.contains("\"\"")).map(str::to_owned)
    };
    APT.iter().filter_map(|name| set(name)).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn another_recipe_is_another_root() {
        let plain = RootSpec::default();
        let more = RootSpec { packages: vec!["zsh".to_owned()], ..RootSpec::default() };
        assert_eq!(plain.path(), RootSpec::default().path());
        assert_ne!(plain.path(), more.path());
        assert!(!plain.packages().contains(' '), "{}", plain.packages());
        let bare = RootSpec::bare();
        assert_ne!(plain.path(), bare.path());
        assert!(
            bare.packages().contains(",xfsprogs") && !bare.packages().contains("containerd"),
            "{}",
            bare.packages()
        );
    }

    #[test]
    fn private_files_are_private_and_replaced_whole() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("secret");
        write_private(&path, "a longer text").unwrap();
        write_private(&path, "short").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
