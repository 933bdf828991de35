//! Size, system, kernel, GPUs, programs.

use super::{Case, Judged, Rule};
use plinth_model::Finding;
use plinth_model::finding::code;

pub(super) const RULES: &[Rule] = &[
    too_small,
    no_gpu,
    no_driver,
    kernel_headers,
    fabric_manager,
    architecture,
    unsupported_os,
    dgx_release,
    old_kernel,
    cgroup,
    no_python,
    no_package_manager,
];

/// Systems that Kubespray names as supported in its releases 2.24 to 2.31, by `ID` of os-release; others stop its run unless
/// `allow_unsupported_distribution_setup` is set. Empty versions: all.
const SYSTEMS: [(&str, &[&str]); 9] = [
    ("ubuntu", &["20.04", "22.04", "24.04"]),
    ("debian", &["11", "12", "13"]),
    ("rhel", &["8", "9", "10"]),
    ("rocky", &["8", "9", "10"]),
    ("almalinux", &["8", "9", "10"]),
    ("centos", &["8", "9", "10"]),
    ("ol", &["8", "9", "10"]),
    ("opensuse-leap", &["15"]),
    ("flatcar", &[]),
];
/// Ubuntu release below each DGX OS release (NVIDIA DGX OS documentation, release notes of 5, 6 and 7).
const DGX_OS: [(&str, &str); 3] = [("5", "20.04"), ("6", "22.04"), ("7", "24.04")];
/// Oldest Python that Ansible manages nodes with: ansible-core 2.17, which Kubespray uses from 2.28 on (ansible-core support
/// matrix).
const OLDEST_PYTHON: [u32; 2] = [3, 7];
/// Oldest kernel for version 2 control groups (Kubernetes documentation, "About cgroup v2").
const OLDEST_CGROUP_2_KERNEL: [u32; 2] = [5, 8];
/// Oldest kernel of all systems that Kubespray supports: that of the Red Hat family's release 8.
const OLDEST_KERNEL: [u32; 2] = [4, 18];

/// Thresholds are those of the plan: Run:ai's and kubeadm's system requirements.
fn too_small(case: &Case<'_>) -> Option<Judged> {
    let (facts, least) = (case.facts, &case.expected.minimum);
    if facts.cpus >= least.cpus && facts.memory_mib >= least.memory_mib {
        return None;
    }
    let message = format!(
        "it has {} cores and {} MiB of memory; at least {} and {} are wanted",
        facts.cpus, facts.memory_mib, least.cpus, least.memory_mib
    );
    Some(
        Finding::error(code::NODE_TOO_SMALL, case.node, message)
            .fix("give the node's role to a larger machine; `nproc` and `free -m` show what this one sees")
            .into(),
    )
}

fn no_gpu(case: &Case<'_>) -> Option<Judged> {
    (case.expected.minimum.gpu && case.facts.gpus == 0).then(|| {
        Finding::error(code::NODE_NO_GPU, case.node, "a GPU is expected, and none is on the bus")
            .fix("take the node out of nodes.gpu, or look at `lspci -d 10de:` and at the machine's firmware")
            .into()
    })
}

/// DGX OS brings its driver, so the GPU Operator is told not to (NVIDIA GPU Operator documentation, pre-installed drivers).
fn no_driver(case: &Case<'_>) -> Option<Judged> {
    (case.facts.gpus > 0 && case.facts.driver.is_none() && case.facts.dgx_release.is_some()).then(|| {
        Finding::warning(code::NODE_NO_DRIVER, case.node, "it has DGX OS and GPUs, but the NVIDIA driver is not loaded")
            .evidence(format!("{}, kernel {}, {} GPUs on the bus", case.facts.os, case.facts.kernel, case.facts.gpus))
            .fix("look at `modprobe nvidia` and `dkms status`; after a kernel update the driver must be rebuilt")
            .into()
    })
}

/// A driver that is built on the node needs them. The GPU Operator's driver container fetches them itself, where it reaches the
/// package sources (NVIDIA GPU Operator documentation, air-gapped installation).
fn kernel_headers(case: &Case<'_>) -> Option<Judged> {
    let built = case.facts.gpus > 0 && case.facts.driver.is_none();
    (built && !case.facts.kernel_headers).then(|| {
        let message =
            format!("a driver will be built for kernel {}, and its headers are not installed", case.facts.kernel);
        let package = match case.facts.package_manager.as_deref() {
            Some("apt") => format!("apt-get install linux-headers-{}", case.facts.kernel),
            Some("zypper") => "zypper install kernel-default-devel".to_owned(),
            _ => format!("dnf install kernel-devel-{}", case.facts.kernel),
        };
        let fix = format!("`{package}`, or install a driver in the node's image");
        Finding::info(code::NODE_NO_KERNEL_HEADERS, case.node, message).fix(fix).into()
    })
}

/// CUDA does not start on GPUs behind NVSwitches before the fabric manager has set them up (NVIDIA Fabric Manager user guide).
fn fabric_manager(case: &Case<'_>) -> Option<Judged> {
    let needed = case.facts.nvswitches > 0 && case.facts.driver.is_some() && !case.facts.services.is_empty();
    let state = case.unit("nvidia-fabricmanager").unwrap_or("not installed");
    (needed && state != "active").then(|| {
        let message = format!("it has NVSwitches, and nvidia-fabricmanager is {state}: CUDA will not start");
        Finding::warning(code::NODE_NO_FABRIC_MANAGER, case.node, message)
            .evidence(format!("{} NVSwitches, driver {}", case.facts.nvswitches, case.facts.driver.as_deref().unwrap_or("-")))
            .fix("install the fabric manager of exactly the driver's version, then `systemctl enable --now nvidia-fabricmanager`")
            .into()
    })
}

/// Images of Kubespray, Run:ai and the GPU Operator exist for these two (NVIDIA Run:ai documentation, system requirements).
fn architecture(case: &Case<'_>) -> Option<Judged> {
    let architecture = case.facts.architecture.as_str();
    (!matches!(architecture, "" | "x86_64" | "aarch64")).then(|| {
        Finding::error(code::NODE_ARCHITECTURE, case.node, format!("there are no images for {architecture}"))
            .fix("choose another node; `uname -m` must say x86_64 or aarch64")
            .into()
    })
}

fn unsupported_os(case: &Case<'_>) -> Option<Judged> {
    let (id, version) = (case.facts.os_id.as_str(), case.facts.os_version.as_str());
    let major = version.split('.').next().unwrap_or_default();
    let fits = |versions: &[&str]| versions.is_empty() || versions.contains(&version) || versions.contains(&major);
    let known = SYSTEMS.iter().any(|(system, versions)| *system == id && fits(versions));
    (!id.is_empty() && !known).then(|| {
        Finding::warning(code::NODE_UNSUPPORTED_OS, case.node, format!("Kubespray does not support {}", case.facts.os))
            .evidence(format!("/etc/os-release says ID={id} VERSION_ID={version}"))
            .fix("choose an image with a supported system, or set `allow_unsupported_distribution_setup: true` in kubernetes.extraVars")
            .into()
    })
}

fn dgx_release(case: &Case<'_>) -> Option<Judged> {
    let release = case.facts.dgx_release.as_deref()?;
    let (_, ubuntu) = DGX_OS.iter().find(|(major, _)| release.split('.').next() == Some(*major))?;
    (case.facts.os_id == "ubuntu" && case.facts.os_version != *ubuntu).then(|| {
        let message = format!("DGX OS {release} stands on Ubuntu {ubuntu}, but this is Ubuntu {}", case.facts.os_version);
        Finding::warning(code::NODE_DGX_RELEASE_DIFFERS, case.node, message)
            .fix("compare `cat /etc/dgx-release` with `cat /etc/os-release`; one of them was left by an unfinished upgrade")
            .into()
    })
}

fn old_kernel(case: &Case<'_>) -> Option<Judged> {
    let kernel = numbers(&case.facts.kernel)?;
    let (least, why) = if case.facts.cgroup_version == 2 {
        (OLDEST_CGROUP_2_KERNEL, "version 2 control groups")
    } else {
        (OLDEST_KERNEL, "Kubernetes")
    };
    (kernel < least).then(|| {
        let message = format!("kernel {} is older than {}.{}, which {why} need", case.facts.kernel, least[0], least[1]);
        Finding::warning(code::NODE_OLD_KERNEL, case.node, message)
            .fix("choose an image with a newer kernel; `uname -r` shows the running one")
            .into()
    })
}

/// Version 1 is no longer developed for, and kubelet 1.35 refuses it by default (Kubernetes documentation, "About cgroup v2").
fn cgroup(case: &Case<'_>) -> Option<Judged> {
    (case.facts.cgroup_version == 1).then(|| {
        Finding::warning(code::NODE_CGROUP_V1, case.node, "it uses version 1 control groups, which kubelet 1.35 refuses")
            .fix("boot with the kernel parameter systemd.unified_cgroup_hierarchy=1; `stat -fc %T /sys/fs/cgroup` then says cgroup2fs")
            .into()
    })
}

/// Ansible runs Python on the node. Kubespray installs one where the system's packages can be reached.
fn no_python(case: &Case<'_>) -> Option<Judged> {
    let newest = case.facts.pythons.iter().filter_map(|version| numbers(version)).max();
    let message = match newest {
        Some(version) if version >= OLDEST_PYTHON => return None,
        Some(version) if version[0] == 3 => {
            format!(
                "its newest Python is {}.{}; Ansible wants {}.{}",
                version[0], version[1], OLDEST_PYTHON[0], OLDEST_PYTHON[1]
            )
        }
        _ => "there is no Python 3, which Ansible needs on the node".to_owned(),
    };
    let fix = match case.facts.package_manager.as_deref() {
        Some("apt") => "`apt-get install python3`",
        Some("zypper") => "`zypper install python311`",
        _ => "`dnf install python3.11`",
    };
    Some(Finding::warning(code::NODE_NO_PYTHON, case.node, message).fix(fix).into())
}

/// Kubespray installs packages such as conntrack and socat.
fn no_package_manager(case: &Case<'_>) -> Option<Judged> {
    case.facts.package_manager.is_none().then(|| {
        Finding::warning(
            code::NODE_NO_PACKAGE_MANAGER,
            case.node,
            "none of apt, dnf, yum and zypper is there for Kubespray",
        )
        .fix("choose an image with one; `command -v apt-get dnf yum zypper` finds it")
        .into()
    })
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<[u32; 2]> {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    Some([parts.next()??, parts.next().flatten().unwrap_or(0)])
}
