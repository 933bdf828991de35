//! Variables of the control plane, the kubelets and the way to the internet.

use super::line::Line;
use super::named::named;
use crate::cluster::Cluster;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::HostPath;
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, Oidc, Reserved};
use serde_json::{Map, Value, json};

/// etcd is asked this often before it counts as not healthy; Kubespray's own 4 are short for slow disks.
const ETCD_RETRIES: u32 = 10;
/// Where files wait on nodes. Kubespray's default is below `/tmp`, which is cleaned, and anybody may write there.
pub const RELEASES: HostPath = HostPath::fixed("/var/cache/plinth/releases");

/// How the API servers are reached, and by whom. Port 8081 of the proxy on workers, which the sample inventory sets, belongs to
/// BCM; without a port there is no such check at all.
pub(super) fn access(desired: &Desired) -> Map<String, Value> {
    let kubernetes = &desired.kubernetes;
    let mut vars = named([
        ("kubeconfig_localhost", json!(false)),
        ("override_system_hostname", json!(false)),
        ("auto_renew_certificates", json!(kubernetes.renew_certificates)),
        ("etcd_retries", json!(ETCD_RETRIES)),
    ]);
    if !kubernetes.extra_names.is_empty() {
        vars.insert("supplementary_addresses_in_ssl_keys".into(), json!(kubernetes.extra_names));
    }
    vars.extend(endpoint(&kubernetes.endpoint));
    vars.extend(kubernetes.oidc.as_ref().map(oidc).unwrap_or_default());
    vars
}

/// With a shared address nodes use that; its name would be written nowhere from v2.29 on, so the address is the name.
fn endpoint(endpoint: &ApiEndpoint) -> Map<String, Value> {
    let Some((address, port)) = endpoint.shared() else {
        return named([("loadbalancer_apiserver_localhost", json!(true))]);
    };
    let mut vars = named([
        ("loadbalancer_apiserver_localhost", json!(false)),
        ("loadbalancer_apiserver", json!({"address": address, "port": port})),
        ("apiserver_loadbalancer_domain_name", json!(address)),
    ]);
    if let ApiEndpoint::KubeVip { address, interface } = endpoint {
        for name in ["kube_vip_enabled", "kube_vip_controlplane_enabled", "kube_vip_arp_enabled"] {
            vars.insert(name.into(), json!(true));
        }
        vars.insert("kube_vip_address".into(), json!(address));
        vars.extend(interface.iter().map(|name| ("kube_vip_interface".to_owned(), json!(name))));
    }
    vars
}

/// All three of switch, address and client are needed, else Kubespray leaves everything out without a word.
fn oidc(oidc: &Oidc) -> Map<String, Value> {
    let mut vars = named([
        ("kube_oidc_auth", json!(true)),
        ("kube_oidc_url", json!(oidc.issuer)),
        ("kube_oidc_client_id", json!(oidc.client)),
    ]);
    let optional = [
        ("kube_oidc_username_claim", &oidc.username_claim),
        ("kube_oidc_username_prefix", &oidc.username_prefix),
        ("kube_oidc_groups_claim", &oidc.groups_claim),
        ("kube_oidc_groups_prefix", &oidc.groups_prefix),
    ];
    vars.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
    if let Some(authority) = &oidc.authority {
        vars.insert("kube_oidc_ca_file".into(), json!("/etc/kubernetes/ssl/oidc-ca.pem"));
        vars.insert("kube_oidc_ca_cert".into(), json!(STANDARD.encode(authority)));
    }
    vars
}

/// Kubelets and feature gates.
pub(super) fn kubelet(desired: &Desired, line: Line) -> Map<String, Value> {
    let kubernetes = &desired.kubernetes;
    let mut vars = Map::new();
    vars.extend(kubernetes.max_pods.map(|pods| ("kubelet_max_pods".to_owned(), json!(pods))));
    let gates: Vec<String> = kubernetes.feature_gates.iter().map(|(gate, on)| format!("{gate}={on}")).collect();
    if !gates.is_empty() {
        vars.insert("kube_feature_gates".into(), json!(gates));
    }
    vars.extend(reserved("system", &kubernetes.system_reserved, line));
    vars.extend(reserved("kube", &kubernetes.kube_reserved, line));
    vars
}

/// Amounts kept back. Releases before v2.27 write them only when they are switched on, and have separate ones for the control
/// plane.
fn reserved(scope: &str, reserved: &Reserved, line: Line) -> Map<String, Value> {
    let mut vars = Map::new();
    if *reserved == Reserved::default() {
        return vars;
    }
    let scopes = if line.reserves_always() {
        vec![scope.to_owned()]
    } else {
        vars.insert(format!("{scope}_reserved"), json!(true));
        vec![scope.to_owned(), format!("{scope}_master")]
    };
    let pids = reserved.pids.map(|pids| pids.to_string());
    let amounts = [
        ("cpu", &reserved.cpu),
        ("memory", &reserved.memory),
        ("ephemeral_storage", &reserved.ephemeral_storage),
        ("pid", &pids),
    ];
    for scope in scopes {
        let given = amounts.iter().filter_map(|(what, amount)| Some((what, amount.as_ref()?)));
        vars.extend(given.map(|(what, amount)| (format!("{scope}_{what}_reserved"), json!(amount))));
    }
    vars
}

/// Web proxy. Workers stay out of `no_proxy`: with them each new node would restart containerd everywhere.
pub(super) fn proxy(desired: &Desired, cluster: &Cluster) -> Map<String, Value> {
    let Some(proxy) = &desired.kubernetes.proxy else { return Map::new() };
    let mut vars = named([("no_proxy_exclude_workers", json!(true))]);
    let addresses = [("http_proxy", &proxy.http), ("https_proxy", &proxy.https)];
    vars.extend(addresses.into_iter().filter_map(|(name, address)| Some((name.to_owned(), json!(address.as_ref()?)))));
    let production = cluster.production.map(|net| net.to_string());
    let domain = desired.runai.as_ref().map(|runai| runai.domain.to_string());
    let mut direct = proxy.no_proxy.clone();
    direct.extend(production.into_iter().chain(domain));
    vars.insert("additional_no_proxy".into(), json!(direct.join(",")));
    vars
}

/// Places of files and images.
pub(super) fn downloads(desired: &Desired, line: Line) -> Map<String, Value> {
    let downloads = &desired.kubernetes.downloads;
    let mut vars = named([("local_release_dir", json!(RELEASES))]);
    if let Some(files) = downloads.files.as_ref().filter(|_| line.has_base_addresses()) {
        for (name, host) in BASE_ADDRESSES {
            vars.insert(name.into(), json!(format!("{files}/{host}")));
        }
    }
    for (registry, name) in IMAGE_PLACES {
        vars.extend(downloads.images.get(registry).map(|mirror| (name.to_owned(), json!(mirror))));
    }
    vars
}

/// Variables of base addresses, and the hosts they stand for.
const BASE_ADDRESSES: [(&str, &str); 4] = [
    ("github_url", "github.com"),
    ("dl_k8s_io_url", "dl.k8s.io"),
    ("storage_googleapis_url", "storage.googleapis.com"),
    ("get_helm_url", "get.helm.sh"),
];
/// Registries, and the variables that replace them.
const IMAGE_PLACES: [(&str, &str); 5] = [
    ("registry.k8s.io", "kube_image_repo"),
    ("quay.io", "quay_image_repo"),
    ("docker.io", "docker_image_repo"),
    ("ghcr.io", "github_image_repo"),
    ("gcr.io", "gcr_image_repo"),
];
