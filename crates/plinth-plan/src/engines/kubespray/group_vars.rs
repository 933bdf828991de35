//! Variables of the whole cluster. The site's own come last and win; each one that replaces one of ours is a finding.

use super::line::Line;
use super::named::named;
use super::{add_ons, settings, site_vars};
use crate::catalog::KubesprayChoice;
use crate::cluster::Cluster;
use crate::discover::Role;
use crate::gpu::wants_toolkit;
use crate::images::CONTAINERD;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::registry::{MirrorPath, mirror_path};
use plinth_model::steps::Mirror;
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, InventorySource};
use serde_json::{Map, Value, json};

/// The DNS domain of the cluster. Kubespray's `cluster_name` *is* that domain: a human name there ends up in every service's
/// name.
const CLUSTER_DOMAIN: &str = "cluster.local";
/// Typha is advised above this number of nodes (Base Command Manager's containerization manual; Kubespray, large deployments).
const TYPHA_ABOVE: usize = 50;
/// Nodes that one Typha serves, and how many of them there are at least and at most (the same manual).
const NODES_PER_TYPHA: usize = 150;
const LEAST_TYPHAS: usize = 3;
const MOST_TYPHAS: usize = 20;
/// Drop-ins of containerd. The GPU operator's toolkit writes its runtime there; a pattern that matched `config.toml` itself would
/// be read in circles.
const DROP_INS: &str = "/etc/containerd/conf.d/*.toml";

/// All variables as one value, and findings about the site's own.
#[must_use]
pub fn group_vars(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice) -> (Value, Vec<Finding>) {
    let line = Line::of(engine);
    let parts = [
        versions(engine),
        network(desired, cluster),
        dns(desired, cluster, line),
        settings::access(desired),
        settings::kubelet(desired, line),
        settings::proxy(desired, cluster),
        settings::downloads(desired, line),
        add_ons::off(line),
        containers(desired, cluster, line),
    ];
    let mut vars: Map<String, Value> = parts.into_iter().flatten().collect();
    let mut findings = unfit(desired, engine, line);
    findings.extend(site_vars::put(desired, &mut vars));
    (Value::Object(vars), findings)
}

/// Choices that the release cannot carry out.
fn unfit(desired: &Desired, engine: &KubesprayChoice, line: Line) -> Vec<Finding> {
    let (kubernetes, tag) = (&desired.kubernetes, engine.release.tag.as_str());
    let mut findings = Vec::new();
    if kubernetes.proxy_mode == "nftables" && !line.has_nftables() {
        let text = format!("Kubespray {tag} knows no nftables; v2.28 is the first release that does");
        let finding = Finding::error(code::KUBERNETES_PROXY_MODE, "kubernetes.network.proxyMode", text);
        findings.push(finding.fix("use `ipvs` or `iptables`, or a newer release"));
    }
    let downloads = &kubernetes.downloads;
    if downloads.files.is_some() && !downloads.push && !line.has_base_addresses() {
        let text = format!("nodes cannot be told of the mirror of files: Kubespray {tag} has no variable for it");
        let finding = Finding::error(code::KUBERNETES_FILES_MIRROR, "kubernetes.downloads.files", text);
        findings.push(finding.fix("take `push: false` away, so that plinth fetches and pushes, or use v2.25 or newer"));
    }
    findings
}

fn versions(engine: &KubesprayChoice) -> Map<String, Value> {
    named([("kube_version", json!(engine.form.write(&engine.kubernetes))), ("cluster_name", json!(CLUSTER_DOMAIN))])
}

fn network(desired: &Desired, cluster: &Cluster) -> Map<String, Value> {
    let kubernetes = &desired.kubernetes;
    let mut vars = named([
        ("kube_network_plugin", json!(kubernetes.plugin)),
        ("kube_pods_subnet", json!(kubernetes.pods)),
        ("kube_service_addresses", json!(kubernetes.services)),
        ("kube_network_node_prefix", json!(kubernetes.node_prefix)),
        ("kube_proxy_mode", json!(kubernetes.proxy_mode)),
    ]);
    if kubernetes.plugin == "calico" {
        vars.extend(calico(desired, cluster));
    }
    let announced = matches!(kubernetes.endpoint, ApiEndpoint::KubeVip { .. });
    if announced || !desired.platform.load_balancer.is_empty() {
        vars.insert("kube_proxy_strict_arp".into(), json!(true));
    }
    vars
}

/// Calico. On machines with several networks it may choose the wrong interface: it is told to take the one that reaches the
/// first control-plane node. The MTU must be a number; a text is dropped without a word.
fn calico(desired: &Desired, cluster: &Cluster) -> Map<String, Value> {
    let calico = &desired.kubernetes.calico;
    let mut vars = Map::new();
    let reaching = || cluster.control_plane().next().map(|first| format!("can-reach={}", first.address));
    let method = calico.interface.as_ref().map(|name| format!("interface={name}")).or_else(reaching);
    vars.extend(method.map(|method| ("calico_ip_auto_method".to_owned(), json!(method))));
    vars.extend(desired.kubernetes.mtu.map(|mtu| ("calico_mtu".to_owned(), json!(mtu))));
    vars.extend(calico.block_size.map(|size| ("calico_pool_blocksize".to_owned(), json!(size))));
    let typha = calico.typha.map_or_else(|| typhas(cluster.members.len()), |typha| typha as usize);
    if typha > 0 || calico.typha.is_some() {
        vars.insert("typha_enabled".into(), json!(typha > 0));
        vars.insert("typha_replicas".into(), json!(typha.max(1)));
    }
    vars
}

/// Typhas for a cluster of this many nodes.
const fn typhas(nodes: usize) -> usize {
    match nodes.div_ceil(NODES_PER_TYPHA) {
        _ if nodes <= TYPHA_ABOVE => 0,
        0..LEAST_TYPHAS => LEAST_TYPHAS,
        many if many > MOST_TYPHAS => MOST_TYPHAS,
        enough => enough,
    }
}

/// DNS. On images that BCM makes, BCM owns `resolv.conf` and `/etc/hosts`: Kubespray must leave them alone.
fn dns(desired: &Desired, cluster: &Cluster, line: Line) -> Map<String, Value> {
    let is_bcm = matches!(desired.inventory, InventorySource::Bcm(_));
    let mut vars = named([
        ("dns_mode", json!("coredns")),
        ("enable_nodelocaldns", json!(desired.kubernetes.node_dns_cache)),
        ("resolvconf_mode", json!(if is_bcm { "none" } else { "host_resolvconf" })),
    ]);
    if is_bcm && line.writes_hosts_file() {
        vars.insert("populate_inventory_to_hosts_file".into(), json!(false));
    }
    if !desired.kubernetes.dns_servers.is_empty() {
        vars.insert("upstream_dns_servers".into(), json!(desired.kubernetes.dns_servers));
    }
    if let (Some(runai), Some(address)) = (&desired.runai, cluster.ingress_address(desired)) {
        vars.insert("dns_etchosts".into(), json!(format!("{address} {}\n", runai.domain)));
    }
    vars
}

/// Containers. Registry logins are not here: this file is kept in clear, so they are written on the nodes by
/// `nodes/registries`, from references.
fn containers(desired: &Desired, cluster: &Cluster, line: Line) -> Map<String, Value> {
    let mut vars = named([("container_manager", json!("containerd"))]);
    if desired.storage.images.as_str() != CONTAINERD {
        vars.insert("containerd_storage_dir".into(), json!(desired.storage.images));
    }
    if wants_toolkit(desired) && line.has_imports() && cluster.with(Role::Gpu).next().is_some() {
        vars.insert("containerd_extra_args".into(), json!(format!("imports = [\"{DROP_INS}\"]")));
    }
    let mirrors: Vec<Value> = desired.registries.mirrors.iter().map(mirror).collect();
    if !mirrors.is_empty() {
        vars.insert("containerd_registries_mirrors".into(), Value::Array(mirrors));
    }
    vars
}

/// One mirror, with the origin behind it: a mirror that lacks an image then is no failure. A mirror whose address leads through
/// `/v2` is asked there, and not at `/v2` below it.
fn mirror(mirror: &Mirror) -> Value {
    let host = |address: &str| {
        let skip_verify = address.starts_with("http://");
        let mut host = json!({"host": address, "capabilities": ["pull", "resolve"], "skip_verify": skip_verify});
        if mirror_path(address) == MirrorPath::Interface {
            host["override_path"] = json!(true);
        }
        host
    };
    let hosts = mirror.endpoints.iter().map(|e| host(&with_scheme(e)));
    let hosts: Vec<Value> = hosts.chain([host(&origin(&mirror.registry))]).collect();
    json!({"prefix": mirror.registry, "mirrors": hosts})
}

fn with_scheme(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("https://{address}") }
}

/// Docker Hub's registry answers under another name than its images carry.
fn origin(registry: &str) -> String {
    let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
    with_scheme(host)
}

#[cfg(test)]
mod tests {
    use super::typhas;

    #[test]
    fn one_typha_for_150_nodes_at_least_3_and_at_most_20() {
        let cases = [(5, 0), (50, 0), (51, 3), (450, 3), (451, 4), (3000, 20), (5000, 20)];
        for (nodes, wanted) in cases {
            assert_eq!(typhas(nodes), wanted, "{nodes} nodes");
        }
    }
}
