//! Kubernetes, etcd, containerd and Helm, built from the Go modules in `go/`: their projects' own sources from the module proxy, with
//! `main` packages of ours where a project's own cannot be built from outside. Nothing is downloaded ready-made.

use crate::cache;
use crate::error::{LabError, LabResult};
use crate::program::{program, run};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Release of Kubernetes that is built.
pub const KUBERNETES: &str = "1.34.2";
/// Release of etcd.
pub const ETCD: &str = "3.5.35";
/// Release of containerd.
pub const CONTAINERD: &str = "2.1.4";
/// Releases of Helm: both majors are in use. Helm 4 needs Go 1.26, which an older Go fetches by itself.
pub const HELM: [&str; 2] = ["3.18.6", "4.3.2"];

/// Release of OpenTelemetry's collector, of which a receiver is built.
pub const COLLECTOR: &str = "0.165.0";

/// Release of KWOK, which plays kubelets.
pub const KWOK: &str = "0.7.0";

/// Programs that are one binary under several names.
const IN_ONE: [&str; 7] =
    ["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm", "kubectl", "kubelet"];

/// How much other work goes before a build, as for `nice`: tests that run beside it keep their time.
const NICE: &str = "5";

/// A Go module of ours and what is built from it.
struct Module {
    name: &'static str,
    /// Files below the module's folder, with their content.
    files: &'static [(&'static str, &'static str)],
    /// Packages to build; the program is called as the last part of the path that is no version.
    packages: &'static [&'static str],
    /// For `-ldflags`. Without a version, clients refuse the server.
    stamp: fn() -> String,
    tags: &'static str,
    /// Other names of the first program.
    links: &'static [&'static str],
    /// How long it takes on two cores, for people.
    takes: &'static str,
}

const MODULES: [Module; 3] = [
    Module {
        name: "etcd",
        files: &[
            ("go.mod", include_str!("../go/etcd/go.mod")),
            ("go.sum", include_str!("../go/etcd/go.sum")),
            ("main.go", include_str!("../go/etcd/main.go")),
        ],
        packages: &[".", "go.etcd.io/etcd/etcdctl/v3", "go.etcd.io/etcd/etcdutl/v3"],
        stamp: String::new,
        tags: "",
        links: &[],
        takes: "half a minute",
    },
    Module {
        name: "kubernetes",
        files: &[
            ("go.mod", include_str!("../go/kubernetes/go.mod")),
            ("go.sum", include_str!("../go/kubernetes/go.sum")),
            ("main.go", include_str!("../go/kubernetes/main.go")),
            ("coredns/main.go", include_str!("../go/kubernetes/coredns/main.go")),
            ("crictl/main.go", include_str!("../go/kubernetes/crictl/main.go")),
            ("pause/main.go", include_str!("../go/kubernetes/pause/main.go")),
            ("probe/main.go", include_str!("../go/kubernetes/probe/main.go")),
        ],
        packages: &[".", "./coredns", "./crictl", "./pause", "./probe"],
        stamp: kubernetes_stamp,
        tags: "",
        links: &IN_ONE,
        takes: "ten minutes",
    },
    Module {
        name: "containerd",
        files: &[
            ("go.mod", include_str!("../go/containerd/go.mod")),
            ("go.sum", include_str!("../go/containerd/go.sum")),
        ],
        packages: &[
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/ctr",
        ],
        stamp: containerd_stamp,
        tags: "no_btrfs,no_devmapper,no_zfs",
        links: &[],
        takes: "a minute",
    },
];

/// Nothing on a node needs Helm, so it stands apart: a mirror of what nodes fetch stays the same.
const HELMS: [Module; 2] = [
    Module {
        name: "helm3",
        files: &[("go.mod", include_str!("../go/helm3/go.mod")), ("go.sum", include_str!("../go/helm3/go.sum"))],
        packages: &["helm.sh/helm/v3/cmd/helm"],
        stamp: helm3_stamp,
        tags: "",
        links: &["helm3"],
        takes: "two minutes",
    },
    Module {
        name: "helm4",
        files: &[("go.mod", include_str!("../go/helm4/go.mod")), ("go.sum", include_str!("../go/helm4/go.sum"))],
        packages: &["helm.sh/helm/v4/cmd/helm"],
        stamp: helm4_stamp,
        tags: "",
        links: &["helm4"],
        takes: "three minutes",
    },
];

/// No node needs KWOK either.
const KWOKS: [Module; 1] = [Module {
    name: "kwok",
    files: &[("go.mod", include_str!("../go/kwok/go.mod")), ("go.sum", include_str!("../go/kwok/go.sum"))],
    packages: &["sigs.k8s.io/kwok/cmd/kwok"],
    stamp: String::new,
    tags: "",
    links: &[],
    takes: "two minutes",
}];

/// Part of a collector of OpenTelemetry; takes traces on the machine itself.
const COLLECTORS: [Module; 1] = [Module {
    name: "collector",
    files: &[
        ("go.mod", include_str!("../go/collector/go.mod")),
        ("go.sum", include_str!("../go/collector/go.sum")),
        ("main.go", include_str!("../go/collector/main.go")),
    ],
    packages: &["."],
    stamp: String::new,
    tags: "",
    links: &[],
    takes: "a minute",
}];

/// Stands in for the device plugins of GPUs and InfiniBand; only tests that need devices in pods bring it to a node.
const DEVICES: [Module; 1] = [Module {
    name: "device-plugin",
    files: &[
        ("go.mod", include_str!("../go/device-plugin/go.mod")),
        ("go.sum", include_str!("../go/device-plugin/go.sum")),
        ("main.go", include_str!("../go/device-plugin/main.go")),
    ],
    packages: &["."],
    stamp: String::new,
    tags: "",
    links: &[],
    takes: "half a minute",
}];

/// Programs of Kubernetes and around it that are built and ready to run, all of them static.
#[derive(Clone, Debug)]
pub struct Parts {
    folders: Vec<PathBuf>,
}

impl Parts {
    /// Builds what is not in the cache yet (some twelve minutes on two cores; 0.7 GB of sources and 3 GB of Go's own cache),
    /// and answers at once when it is. Needs Go 1.21 or newer and the module proxy.
    pub fn have() -> LabResult<Self> {
        Self::of(&MODULES, &|line| eprintln!("lab: {line}"))
    }

    /// Helm 3 and Helm 4, in the same way (some five minutes).
    pub fn helm() -> LabResult<Self> {
        Self::of(&HELMS, &|line| eprintln!("lab: {line}"))
    }

    /// KWOK, in the same way (some two minutes).
    pub fn kwok() -> LabResult<Self> {
        Self::of(&KWOKS, &|line| eprintln!("lab: {line}"))
    }

    /// The stand-in for device plugins, in the same way (half a minute).
    pub fn devices() -> LabResult<Self> {
        Self::of(&DEVICES, &|line| eprintln!("lab: {line}"))
    }

    /// A collector's own receiver of traces, in the same way (a minute).
    pub fn collector() -> LabResult<Self> {
        Self::of(&COLLECTORS, &|line| eprintln!("lab: {line}"))
    }

    fn of(modules: &[Module], told: &dyn Fn(&str)) -> LabResult<Self> {
        let folders = modules.iter().map(|module| module.made(told)).collect::<LabResult<_>>()?;
        Ok(Self { folders })
    }

    /// Path of a program: `kube-apiserver`, `kube-controller-manager`, `kube-proxy`, `kube-scheduler`, `kubeadm`, `kubectl`,
    /// `kubelet`, `coredns`, `crictl`, `pause`, `probe`, `etcd`, `etcdctl`, `etcdutl`, `containerd`, `containerd-shim-runc-v2`, `ctr`;
    /// of [`Parts::helm`]: `helm3`, `helm4`; of [`Parts::kwok`]: `kwok`; of [`Parts::devices`]: `device-plugin`; of [`Parts::collector`]: `collector`.
    pub fn program(&self, name: &str) -> LabResult<PathBuf> {
        let found = self.folders.iter().map(|folder| folder.join("bin").join(name)).find(|path| path.exists());
        found.ok_or_else(|| {
            let doing = format!("looking for {name} among the parts that are built");
            LabError::new(doing, "no module builds it", "see the list in plinth-lab/src/parts.rs")
        })
    }
}

impl Parts {
    /// Folders of the modules; programs are in `bin`.
    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }
}

impl Module {
    fn folder(&self) -> PathBuf {
        cache::folder().join("kubernetes").join(format!("{}-{}", self.name, self.digest()))
    }

    /// Sixteen hexadecimal digits that change with everything the programs are made of. Go's own release is not part of it:
    /// any that builds them will do.
    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (name, content) in self.files {
            digest.update(format!("{name} {}\n{content}", content.len()));
        }
        digest.update(format!("{:?}{}{}{:?}", self.packages, (self.stamp)(), self.tags, self.links));
        hex::encode(&digest.finalize()[..8])
    }

    fn made(&self, told: &dyn Fn(&str)) -> LabResult<PathBuf> {
        let path = self.folder();
        cache::made(&path, |beside| {
            told(&format!("building {} (once; about {} on two idle cores)", self.name, self.takes));
            self.build(beside)
        })?;
        Ok(path)
    }

    fn build(&self, at: &Path) -> LabResult<()> {
        let (sources, programs) = (at.join("src"), at.join("bin"));
        std::fs::create_dir_all(&programs).map_err(LabError::at("making", &programs))?;
        for (name, content) in self.files {
            let path = sources.join(name);
            let folder = path.parent().unwrap_or(&sources);
            std::fs::create_dir_all(folder).map_err(LabError::at("making", folder))?;
            std::fs::write(&path, content).map_err(LabError::at("writing", &path))?;
        }
        let mut command = go()?;
        command.args(["build", "-p", "2", "-trimpath", "-tags", self.tags]);
        command.arg("-ldflags").arg(format!("-s -w {}", (self.stamp)()));
        command.arg("-o").arg(format!("{}/", programs.display())).args(self.packages).current_dir(&sources);
        run(&mut command, &format!("building {} with Go", self.name))?;
        // A package in the module's own folder makes a program that is called like the module.
        let first = self.packages.first().and_then(|package| package.rsplit('/').next()).unwrap_or_default();
        let first = if first == "." { self.name } else { first };
        for link in self.links {
            let path = programs.join(link);
            std::os::unix::fs::symlink(first, &path).map_err(LabError::at("linking", &path))?;
        }
        Ok(())
    }
}

/// Go, which ends with us, is patient with others, and never uses a C compiler: what it makes has to be static.
fn go() -> LabResult<Command> {
    let path =
        ["go", "/usr/local/go/bin/go"].into_iter().find(|path| run(&mut program(path, &["version"]), "").is_ok());
    let path = path.ok_or_else(|| {
        let doing = "looking for Go, to build Kubernetes";
        LabError::new(doing, "there is no program go", "install Go 1.21 or newer and put it into PATH")
    })?;
    let mut command = program("setpriv", &["--pdeathsig", "KILL", "nice", "-n", NICE, path]);
    command.env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly -buildvcs=false").env("GOWORK", "off");
    Ok(command)
}

fn kubernetes_stamp() -> String {
    let mut parts = KUBERNETES.split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let package = "k8s.io/component-base/version";
    // The build of a release names its commit; ours is of the module proxy's archive, which has none.
    let commit = "0".repeat(40);
    format!(
        "-X {package}.gitVersion=v{KUBERNETES} -X {package}.gitMajor={major} -X {package}.gitMinor={minor} \
         -X {package}.gitTreeState=clean -X {package}.gitCommit={commit}"
    )
}

fn containerd_stamp() -> String {
    format!("-X github.com/containerd/containerd/v2/version.Version=v{CONTAINERD}")
}

/// Releases built from source do not know their last number.
fn helm3_stamp() -> String {
    format!("-X helm.sh/helm/v3/internal/version.version=v{}", HELM[0])
}

fn helm4_stamp() -> String {
    format!("-X helm.sh/helm/v4/internal/version.version=v{}", HELM[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_those_of_the_modules() {
        let wanted = [
            ("kubernetes", format!("k8s.io/kubernetes v{KUBERNETES}")),
            ("etcd", format!("go.etcd.io/etcd/server/v3 v{ETCD}")),
            ("containerd", format!("github.com/containerd/containerd/v2 v{CONTAINERD}")),
            ("helm3", format!("helm.sh/helm/v3 v{}", HELM[0])),
            ("helm4", format!("helm.sh/helm/v4 v{}", HELM[1])),
            ("kwok", format!("sigs.k8s.io/kwok v{KWOK}")),
            ("collector", format!("go.opentelemetry.io/collector/receiver/otlpreceiver v{COLLECTOR}")),
        ];
        for (name, line) in wanted {
            let modules = MODULES.iter().chain(&HELMS).chain(&KWOKS).chain(&COLLECTORS);
            let module = modules.into_iter().find(|module| module.name == name).unwrap();
            assert!(module.files[0].1.contains(&line), "{name} requires another release than {line}");
        }
    }

    #[test]
    fn every_source_counts() {
        let [etcd, kubernetes, containerd] = &MODULES;
        assert_ne!(etcd.folder(), containerd.folder());
        let shorter = Module { files: &kubernetes.files[1..], ..*kubernetes };
        assert_ne!(kubernetes.digest(), shorter.digest());
    }

    #[test]
    fn a_program_nobody_builds_is_named() {
        let error = Parts { folders: Vec::new() }.program("nobody").unwrap_err();
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}
