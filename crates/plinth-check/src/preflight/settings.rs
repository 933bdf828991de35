//! Swap, kernel modules, kernel settings, security modules.

use super::{Case, Judged, Rule};
use indexmap::IndexMap;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::steps::Preparation;

pub(super) const RULES: &[Rule] = &[swap, modules, sysctls, ipv6_off, selinux, apparmor];

/// Modules for pods' file systems and bridges (Kubernetes documentation, "Container Runtimes").
const MODULES: [&str; 2] = ["overlay", "br_netfilter"];
/// Kernel settings for pods' networks (the same page).
const SYSCTLS: [(&str, &str); 3] = [
    ("net.ipv4.ip_forward", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
];

/// kubelet does not start with swap unless it is told to (Kubernetes documentation, `failSwapOn`).
fn swap(case: &Case<'_>) -> Option<Judged> {
    (case.facts.swap_mib > 0).then(|| {
        let finding = Finding::new(
            case.unprepared(),
            code::NODE_SWAP,
            case.node,
            "swap is on, and kubelet does not start with it",
        )
        .evidence(format!("{} MiB", case.facts.swap_mib))
        .fix(by_whom(case, "`swapoff -a`, and take its line out of /etc/fstab"));
        fixed(case, finding, Preparation { swap_off: true, ..Preparation::default() })
    })
}

fn modules(case: &Case<'_>) -> Option<Judged> {
    let missing: Vec<String> =
        MODULES.iter().filter(|name| !case.facts.modules.iter().any(|m| m == *name)).map(|m| (*m).to_owned()).collect();
    (!missing.is_empty()).then(|| {
        let finding = Finding::new(
            case.unprepared(),
            code::NODE_MODULES_MISSING,
            case.node,
            format!("kernel modules are not loaded: {}", missing.join(", ")),
        )
        .fix(by_whom(case, &format!("`modprobe -a {}`, and name them in /etc/modules-load.d/", missing.join(" "))));
        fixed(case, finding, Preparation { modules: missing.clone(), ..Preparation::default() })
    })
}

/// Settings of bridges are there only once their module is loaded.
fn sysctls(case: &Case<'_>) -> Option<Judged> {
    let wrong = SYSCTLS.iter().filter(|(name, value)| case.facts.sysctls.get(*name).is_some_and(|is| is != value));
    let wrong: IndexMap<String, String> = wrong.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let list: Vec<String> = wrong.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (!wrong.is_empty()).then(|| {
        let message = format!("kernel settings differ from {}", list.join(", "));
        let finding = Finding::new(case.unprepared(), code::NODE_KERNEL_SETTINGS, case.node, message)
            .fix(by_whom(case, &format!("`sysctl -w {}`, and write them into /etc/sysctl.d/", list.join(" "))));
        fixed(case, finding, Preparation { sysctls: wrong, ..Preparation::default() })
    })
}

/// Nobody has to do by hand what the engine does on every node.
fn by_whom(case: &Case<'_>, by_hand: &str) -> String {
    match case.expected.engine_prepares {
        true => "nothing has to be done: the installation of Kubernetes sets it".to_owned(),
        false => by_hand.to_owned(),
    }
}

fn fixed(case: &Case<'_>, finding: Finding, fix: Preparation) -> Judged {
    if case.expected.engine_prepares { finding.into() } else { Judged::fixed_by(finding, fix) }
}

/// From release 2.28 on Kubespray binds the API server to `::`.
fn ipv6_off(case: &Case<'_>) -> Option<Judged> {
    (case.facts.sysctls.get("net.ipv6.conf.all.disable_ipv6").is_some_and(|value| value == "1")).then(|| {
        let message = "IPv6 is off in the kernel, and Kubespray from 2.28 on binds the API server to an IPv6 address";
        Finding::info(code::NODE_IPV6_OFF, case.node, message)
            .fix("set `kube_apiserver_bind_address: 0.0.0.0` in kubernetes.extraVars, and add 0.0.0.0 to kubernetes.api.extraNames")
            .into()
    })
}

/// Kubespray sets SELinux to permissive on systems of the Red Hat family (its variable `preinstall_selinux_state`).
fn selinux(case: &Case<'_>) -> Option<Judged> {
    (case.facts.selinux.as_deref() == Some("enforcing")).then(|| {
        Finding::info(
            code::NODE_SELINUX,
            case.node,
            "SELinux is enforcing; Kubespray sets it to permissive unless told otherwise",
        )
        .into()
    })
}

fn apparmor(case: &Case<'_>) -> Option<Judged> {
    case.facts.apparmor.then(|| {
        Finding::info(code::NODE_APPARMOR, case.node, "AppArmor is on; containers get containerd's default profile")
            .into()
    })
}
