//! Variables of the whole cluster. The site's own come last and win; each one that replaces one of ours is a finding.

use crate::CONTAINERD;
use crate::cluster::Cluster;
use crate::literal;
use plinth_catalog::KubernetesVersionForm;
use plinth_model::Finding;
use plinth_model::work::Mirror;
use plinth_site::Desired;
use plinth_site::desired::InventorySource;
use serde_json::{Map, Value, json};

/// The DNS domain of the cluster. Kubespray's `cluster_name` *is* that domain: a human name there ends up in every service's
/// name.
const CLUSTER_DOMAIN: &str = "cluster.local";
/// Typha is advised above this number of nodes (Kubespray, large deployments).
const TYPHA_ABOVE: usize = 50;
/// Nodes that one Typha serves.
const NODES_PER_TYPHA: usize = 100;
/// Add-ons of Kubespray that the platform stage owns: two owners of one object make helm refuse.
const ADD_ONS: [&str; 9] = [
    "metrics_server_enabled",
    "local_path_provisioner_enabled",
    "helm_enabled",
    "cert_manager_enabled",
    "ingress_nginx_enabled",
    "metallb_enabled",
    "argocd_enabled",
    "gateway_api_enabled",
    "node_feature_discovery_enabled",
];
/// Variables that no supported release reads any more, or reads with another meaning, and what to use. What only newer releases
/// do not read is in `removed`.
const DEAD: [(&str, &str); 3] = [
    ("nginx_kube_apiserver_healthcheck_port", "use loadbalancer_apiserver_healthcheck_port"),
    ("nvidia_accelerator_enabled", "the GPU operator does this"),
    ("any_errors_fatal", "it is a reserved name in Ansible"),
];

/// All variables as one value, and findings about the site's own.
#[must_use]
pub fn group_vars(desired: &Desired, cluster: &Cluster, form: KubernetesVersionForm) -> (Value, Vec<Finding>) {
    let mut vars = Map::new();
    for part in [versions(desired, form), network(desired, cluster), dns(desired, cluster), access(desired), add_ons()]
    {
        vars.extend(part);
    }
    vars.extend(containers(desired));
    let findings = site_vars(desired, &mut vars);
    (Value::Object(vars), findings)
}

fn named<const N: usize>(vars: [(&str, Value); N]) -> Map<String, Value> {
    vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn versions(desired: &Desired, form: KubernetesVersionForm) -> Map<String, Value> {
    let version = &desired.kubernetes.version;
    named([("kube_version", json!(form.write(version))), ("cluster_name", json!(CLUSTER_DOMAIN))])
}

fn network(desired: &Desired, cluster: &Cluster) -> Map<String, Value> {
    let kubernetes = &desired.kubernetes;
    let mut vars = named([
        ("kube_network_plugin", json!(kubernetes.plugin)),
        ("kube_pods_subnet", json!(kubernetes.pods)),
        ("kube_service_addresses", json!(kubernetes.services)),
        ("kube_network_node_prefix", json!(kubernetes.node_prefix)),
    ]);
    if kubernetes.plugin == "calico" {
        vars.extend(calico(desired, cluster));
    }
    if !desired.platform.load_balancer.is_empty() {
        vars.insert("kube_proxy_strict_arp".into(), json!(true));
    }
    vars
}

/// Calico. On machines with several networks it may choose the wrong interface: it is told to take the one that reaches the
/// first control-plane node. The MTU must be a number; a text is dropped without a word.
fn calico(desired: &Desired, cluster: &Cluster) -> Map<String, Value> {
    let mut vars = Map::new();
    if let Some(first) = cluster.control_plane().next() {
        vars.insert("calico_ip_auto_method".into(), json!(format!("can-reach={}", first.address)));
    }
    if let Some(mtu) = desired.kubernetes.mtu {
        vars.insert("calico_mtu".into(), json!(mtu));
    }
    let nodes = cluster.members.len();
    if nodes > TYPHA_ABOVE {
        vars.insert("typha_enabled".into(), json!(true));
        vars.insert("typha_replicas".into(), json!(nodes.div_ceil(NODES_PER_TYPHA)));
    }
    vars
}

/// DNS. On images that BCM makes, BCM owns `resolv.conf`: Kubespray must leave it alone.
fn dns(desired: &Desired, cluster: &Cluster) -> Map<String, Value> {
    let resolvconf = match desired.inventory {
        InventorySource::Bcm(_) => "none",
        InventorySource::Static(_) => "host_resolvconf",
    };
    let mut vars = named([
        ("dns_mode", json!("coredns")),
        ("enable_nodelocaldns", json!(true)),
        ("resolvconf_mode", json!(resolvconf)),
    ]);
    if let (Some(runai), Some(address)) = (&desired.runai, cluster.ingress_address(desired)) {
        vars.insert("dns_etchosts".into(), json!(format!("{address} {}\n", runai.domain)));
    }
    vars
}

/// The address that API servers bind to is left to the release: from v2.28 on Kubespray asks the API server at that address
/// unless it is `::`, and no certificate is for 0.0.0.0 (Kubespray v2.30.0, tried: the first control-plane node fails).
fn access(desired: &Desired) -> Map<String, Value> {
    let mut vars = named([("loadbalancer_apiserver_localhost", json!(true)), ("kubeconfig_localhost", json!(true))]);
    let names = &desired.kubernetes.extra_names;
    if !names.is_empty() {
        vars.insert("supplementary_addresses_in_ssl_keys".into(), json!(names));
    }
    vars
}

fn add_ons() -> Map<String, Value> {
    ADD_ONS.into_iter().map(|name| (name.to_owned(), json!(false))).collect()
}

/// Containers. Registry logins are not here: this file is kept in clear, so they are written on the nodes by
/// `nodes/registries`, from references.
fn containers(desired: &Desired) -> Map<String, Value> {
    let mut vars = named([("container_manager", json!("containerd"))]);
    if desired.storage.images != CONTAINERD {
        vars.insert("containerd_storage_dir".into(), json!(desired.storage.images));
    }
    let mirrors: Vec<Value> = desired.registries.mirrors.iter().map(mirror).collect();
    if !mirrors.is_empty() {
        vars.insert("containerd_registries_mirrors".into(), Value::Array(mirrors));
    }
    vars
}

/// One mirror, with the origin behind it: a mirror that lacks an image then is no failure.
fn mirror(mirror: &Mirror) -> Value {
    let host = |address: &str| {
        let skip_verify = address.starts_with("http://");
        json!({"host": address, "capabilities": ["pull", "resolve"], "skip_verify": skip_verify})
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

/// Puts the site's variables last.
fn site_vars(desired: &Desired, vars: &mut Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in &desired.kubernetes.extra_vars {
        let subject = format!("kubernetes.extraVars.{name}");
        if let Some((_, instead)) = DEAD.iter().find(|(dead, _)| dead == name) {
            let text = format!("`{name}` has no effect in Kubespray");
            findings.push(Finding::warning("kubernetes.extra-var-dead", subject.clone(), text).fix(*instead));
        }
        if let Some(place) = literal::find(name, value) {
            let text = format!("{place} looks like a secret in clear; this file and the plan are kept in clear");
            findings.push(
                Finding::error("kubernetes.extra-var-secret", subject.clone(), text).fix(
                    "use registries.logins for registry logins; other secrets cannot be given to Kubespray this way",
                ),
            );
        }
        if let Some(ours) = vars.insert(name.clone(), value.clone()).filter(|ours| ours != value) {
            let text = format!("`{name}` replaces what plinth would have written");
            findings.push(
                Finding::warning("kubernetes.extra-var-replaces", subject, text)
                    .evidence(format!("plinth: {ours}"))
                    .evidence(format!("site: {}", shown(name, value)))
                    .fix("take it away unless you know why it is needed"),
            );
        }
    }
    findings
}

fn shown(name: &str, value: &Value) -> String {
    if literal::find(name, value).is_some() { "[withheld]".to_owned() } else { value.to_string() }
}
