//! Variables that the site file may not set behind plinth's back: it has a key for them, or plinth stands on them.

use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_site::Desired;
use serde_json::Value;

/// Variables with a key of the site file. The key is checked against all the rest; the variable would not be.
const KEYED: [(&str, &str); 39] = [
    ("kube_version", "kubernetes.version"),
    ("kube_network_plugin", "kubernetes.network.plugin"),
    ("kube_pods_subnet", "kubernetes.network.pods"),
    ("kube_service_addresses", "kubernetes.network.services"),
    ("kube_network_node_prefix", "kubernetes.network.nodePrefix"),
    ("kube_proxy_mode", "kubernetes.network.proxyMode"),
    ("calico_mtu", "kubernetes.network.mtu"),
    ("calico_veth_mtu", "kubernetes.network.mtu"),
    ("calico_pool_blocksize", "kubernetes.network.calico.blockSize"),
    ("calico_pool_cidr", "kubernetes.network.pods"),
    ("typha_enabled", "kubernetes.network.calico.typha"),
    ("typha_replicas", "kubernetes.network.calico.typha"),
    ("enable_nodelocaldns", "kubernetes.dns.nodeCache"),
    ("upstream_dns_servers", "kubernetes.dns.servers"),
    ("loadbalancer_apiserver", "kubernetes.api.endpoint"),
    ("loadbalancer_apiserver_localhost", "kubernetes.api.endpoint"),
    ("loadbalancer_apiserver_port", "kubernetes.api.endpoint"),
    ("apiserver_loadbalancer_domain_name", "kubernetes.api.endpoint"),
    ("kube_vip_enabled", "kubernetes.api.endpoint.kubeVip"),
    ("kube_vip_controlplane_enabled", "kubernetes.api.endpoint.kubeVip"),
    ("kube_vip_arp_enabled", "kubernetes.api.endpoint.kubeVip"),
    ("kube_vip_address", "kubernetes.api.endpoint.kubeVip.address"),
    ("kube_vip_interface", "kubernetes.api.endpoint.kubeVip.interface"),
    ("kube_oidc_auth", "kubernetes.api.oidc"),
    ("kube_oidc_url", "kubernetes.api.oidc.issuer"),
    ("kube_oidc_client_id", "kubernetes.api.oidc.client"),
    ("kubelet_max_pods", "kubernetes.kubelet.maxPods"),
    ("kube_feature_gates", "kubernetes.featureGates"),
    ("http_proxy", "kubernetes.proxy.http"),
    ("https_proxy", "kubernetes.proxy.https"),
    ("no_proxy", "kubernetes.proxy.noProxy"),
    ("additional_no_proxy", "kubernetes.proxy.noProxy"),
    ("containerd_storage_dir", "storage.images"),
    ("containerd_registries_mirrors", "registries.mirrors"),
    ("containerd_registry_auth", "registries.logins"),
    ("auto_renew_certificates", "kubernetes.renewCertificates"),
    ("ansible_user", "access.account.name"),
    ("ansible_port", "access.port"),
    ("ansible_host", "nodes.overrides.NODE.address"),
];

/// Variables whose values plinth stands on: the one that it takes, and why.
const RELIED: [(&str, &str, &str); 9] = [
    ("kube_override_hostname", "", "nodes are looked up under the names of the inventory"),
    ("kube_apiserver_port", "6443", "plinth reaches the API servers there, and preflight checks that port"),
    ("etcd_deployment_type", "host", "plinth looks after etcd as a service of its nodes"),
    (
        "container_manager",
        "containerd",
        "plinth moves images, writes logins and sets NVIDIA's runtime up for containerd",
    ),
    ("kube_config_dir", "/etc/kubernetes", "plinth reads the kubeconfig and looks for certificates there"),
    ("ipv4_stack", "true", IPV4),
    ("ipv6_stack", "false", IPV4),
    ("enable_dual_stack_networks", "false", IPV4),
    ("kube_cert_dir", "/etc/kubernetes/ssl", "plinth looks for certificates there"),
];

/// Why a cluster of plinth has no IPv6.
const IPV4: &str = "ranges, addresses, certificates and checks are of IPv4 in this release";

/// How Ansible gets onto nodes. plinth has its own account, key and host keys for that.
const WAY_IN: [&str; 15] = [
    "ansible_ssh_user",
    "ansible_ssh_port",
    "ansible_ssh_host",
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_ssh_private_key_file",
    "ansible_private_key_file",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_ssh_args",
    "ansible_ssh_executable",
    "ansible_connection",
    "ansible_become",
    "ansible_become_user",
    "ansible_become_method",
];

/// Why the site may not set this variable; none when it may. `ours`: what plinth would have written.
pub(super) fn refused(desired: &Desired, name: &str, ours: Option<&Value>, value: &Value) -> Option<Finding> {
    if ours == Some(value) {
        return None;
    }
    let (text, fix) = keyed(name)
        .or_else(|| relied(name, value))
        .or_else(|| way_in(name))
        .or_else(|| services(desired, name, value))?;
    let subject = format!("kubernetes.extraVars.{name}");
    let finding = Finding::error(code::KUBERNETES_EXTRA_VAR_OWN, subject, text).fix(fix);
    Some(match ours {
        Some(ours) => finding.evidence(format!("plinth: {ours}")),
        None => finding,
    })
}

type Refusal = (String, String);

fn keyed(name: &str) -> Option<Refusal> {
    let (_, key) = KEYED.iter().find(|(known, _)| *known == name)?;
    let text = format!("`{name}` has a key of its own, and only that is checked against the rest of the site");
    Some((text, format!("remove it, and write `{key}`")))
}

fn relied(name: &str, value: &Value) -> Option<Refusal> {
    let (_, wanted, why) = RELIED.iter().find(|(known, ..)| *known == name)?;
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (written != *wanted).then(|| (format!("plinth relies on another value of `{name}`: {why}"), "remove it".to_owned()))
}

fn way_in(name: &str) -> Option<Refusal> {
    WAY_IN.contains(&name).then(|| {
        let text =
            format!("`{name}` changes how Ansible gets onto nodes; plinth does that with its own account and key");
        (text, "remove it; logins belong under `access`".to_owned())
    })
}

/// Two programs that give services their addresses: both would answer.
fn services(desired: &Desired, name: &str, value: &Value) -> Option<Refusal> {
    let is_on = !matches!(value, Value::Bool(false));
    let both = name == "kube_vip_services_enabled" && is_on && !desired.platform.load_balancer.is_empty();
    both.then(|| {
        let text = "kube-vip and MetalLB would both give services their addresses".to_owned();
        (text, "remove it, or remove `platform.loadBalancer`".to_owned())
    })
}
