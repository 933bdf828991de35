//! Variables that releases of Kubespray stopped reading. Ansible never reports an unknown variable, so a site would believe in a
//! setting that is not there.

use plinth_model::Finding;
use plinth_model::Version;
use plinth_model::finding::code;
use plinth_site::Desired;

/// A name, or with `*` its beginning or end; the first minor of Kubespray 2 without it; what to do instead. Read from the release
/// tags.
const REMOVED: [(&str, u64, &str); 8] = [
    ("kube_master_*_reserved", 27, "use system_* and kube_* without `master`"),
    ("etcd_kubeadm_enabled", 28, "use etcd_deployment_type: kubeadm"),
    ("enable_dual_stack_networks", 28, "use ipv4_stack and ipv6_stack"),
    ("populate_inventory_to_hosts_file", 29, "remove it; names come from DNS"),
    ("dashboard_*", 31, "remove it, and install the dashboard by helm"),
    ("ingress_nginx_*", 31, "use platform.components.ingress-nginx"),
    ("deploy_netchecker", 31, "remove it"),
    ("kubelet_static_pod_path", 31, "remove it"),
];

/// The site's variables that the chosen release does not read any more.
#[must_use]
pub fn removed(desired: &Desired, tag: &Version) -> Vec<Finding> {
    let release_minor = (tag.semver().major, tag.semver().minor);
    let finding = |name: &String| {
        let (_, minor, instead) =
            REMOVED.iter().find(|(gone, minor, _)| release_minor >= (2, *minor) && fits(gone, name))?;
        let text = format!("Kubespray {tag} does not read `{name}`: it was removed in v2.{minor}");
        Some(
            Finding::error(code::KUBERNETES_EXTRA_VAR_REMOVED, format!("kubernetes.extraVars.{name}"), text)
                .fix(*instead),
        )
    };
    desired.kubernetes.extra_vars.keys().filter_map(finding).collect()
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((begin, end)) => name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end),
        None => pattern == name,
    }
}
