//! Facts: the flat names that catalog values may refer to. The list is a contract with the catalog's data.

use crate::cluster::Cluster;
use crate::discover::Role;
use crate::taints;
use plinth_catalog::Facts;
use plinth_model::steps::{CertificateSource, ClusterCredential, cluster_uid};
use plinth_model::{DefaultClass, SecretRef, Values};
use plinth_site::Desired;
use plinth_site::desired::{Engine, Runai};
use serde_json::{Value, json};

/// Port that HTTPS URLs need not name.
const HTTPS: u16 = 443;
/// The label by which a node says how its GPUs are cut.
const MIG_CONFIG: &str = "nvidia.com/mig.config";
/// Where local volumes are put when images are on no larger partition.
const VOLUMES: &str = "/opt";

/// All facts of a site.
#[must_use]
pub fn facts(desired: &Desired, cluster: &Cluster) -> Facts {
    let mut facts = site(desired, cluster);
    facts.extend(nodes(cluster));
    facts.extend(platform(desired, cluster));
    facts.extend(metrics(desired));
    facts.extend(infiniband(desired, cluster));
    facts.insert("runai.enabled".into(), json!(desired.runai.is_some()));
    let is_here = desired.runai.as_ref().is_some_and(|runai| runai.control_plane.is_none());
    facts.insert("runai.selfHosted".into(), json!(is_here));
    if let Some(runai) = &desired.runai {
        facts.extend(runai_facts(runai));
    }
    facts
}

fn named<const N: usize>(facts: [(&str, Value); N]) -> Facts {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn site(desired: &Desired, cluster: &Cluster) -> Facts {
    named([
        ("site.name", json!(desired.name)),
        ("kubernetes.version", json!(desired.kubernetes.version)),
        ("kubernetes.engine", json!(desired.kubernetes.engine)),
        ("nodes.count", json!(cluster.members.len())),
        ("nodes.gpuCount", json!(cluster.with(Role::Gpu).count())),
        ("storage.parent", json!(volumes(desired))),
        ("storage.defaults", default_classes(cluster)),
    ])
}

/// Whose they are: plinth's own by the journal, else those of a release, or of nobody.
fn default_classes(cluster: &Cluster) -> Value {
    let one = |(class, own): &(DefaultClass, bool)| {
        let release = class.release.as_ref().map(ToString::to_string);
        json!({"name": class.name, "own": own, "release": release})
    };
    cluster.classes.iter().map(one).collect()
}

/// Where volumes of nodes are put: beside the images when the site keeps those on a larger partition.
#[must_use]
pub fn volumes(desired: &Desired) -> &str {
    match desired.storage.larger.rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => parent,
        _ => VOLUMES,
    }
}

fn nodes(cluster: &Cluster) -> Facts {
    let names = |role: Role| json!(cluster.with(role).map(|m| m.name.as_str()).collect::<Vec<_>>());
    named([
        ("nodes.controlPlane", names(Role::ControlPlane)),
        ("nodes.workers", names(Role::Worker)),
        ("nodes.gpu", names(Role::Gpu)),
        ("nodes.system", names(Role::System)),
        ("nodes.untainted", json!(taints::untainted(cluster))),
        ("nodes.bothWorkers", json!(has_both_workers(cluster))),
        ("nodes.tolerations", json!(taints::of_all(cluster))),
        ("system.tolerations", json!(taints::of_system(cluster))),
        ("gpu.tolerations", json!(taints::of_gpu(cluster))),
    ])
}

/// Whether some workers have GPUs and some do not.
fn has_both_workers(cluster: &Cluster) -> bool {
    let workers = || cluster.with(Role::Worker);
    workers().any(|member| member.is(Role::Gpu)) && workers().any(|member| !member.is(Role::Gpu))
}

fn platform(desired: &Desired, cluster: &Cluster) -> Facts {
    let platform = &desired.platform;
    let balanced = cluster.ingress_address(desired).filter(|address| platform.balances(*address));
    named([
        ("ingress.http", json!(platform.ingress.http)),
        ("ingress.https", json!(platform.ingress.https)),
        ("ingress.address", json!(cluster.ingress_address(desired).map(|a| a.to_string()))),
        ("loadBalancer.ingress", json!(balanced.map(|a| a.to_string()))),
        ("loadBalancer.addresses", json!(platform.load_balancer)),
        ("loadBalancer.others", json!(platform.balanced_without(balanced))),
        ("loadBalancer.spare", json!(more_than_one(desired))),
        ("gpu.mig", json!(platform.gpu.mig)),
        ("gpu.timeSlicing", json!(platform.gpu.time_slicing)),
        ("gpu.renameShared", json!(platform.gpu.rename_shared)),
        ("gpu.resource", json!(platform.gpu.resource())),
        ("checks.image", json!(desired.checks.image)),
        ("checks.gpuImage", json!(desired.checks.gpu_image)),
        ("gpu.driverOnHost", json!(cluster.hardware.driver(desired))),
        ("gpu.toolkitOnHost", json!(cluster.hardware.toolkit_on_host == Some(true))),
        ("gpu.migLabelled", json!(cluster.with(Role::Gpu).filter(|m| m.labels.contains_key(MIG_CONFIG)).count())),
        ("grafana.adminPassword", Values::reference(&generated("grafana-admin-password"))),
    ])
}

/// Whether the load balancer has an address beside the one that the ingress gets.
fn more_than_one(desired: &Desired) -> bool {
    let room = |(first, last): (std::net::Ipv4Addr, std::net::Ipv4Addr)| {
        u64::from(u32::from(last)).saturating_sub(u64::from(u32::from(first))) + 1
    };
    desired.platform.balancer_ranges().into_iter().map(room).sum::<u64>() > 1
}

/// Which parts of the control plane offer their metrics beyond their own node; null where the engine is not known to decide it.
/// Kubespray binds scheduler and controller manager to all addresses, kube-proxy to loopback, and gives etcd no port for metrics
/// (`roles/kubernetes/control-plane/defaults`, v2.24 to v2.31), unless the site's own variables say otherwise.
fn metrics(desired: &Desired) -> Facts {
    let var = |name: &str| {
        desired.kubernetes.extra_vars.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
    };
    let beyond = |name: &str, usual: bool| var(name).map_or(usual, |address| !is_loopback(&address));
    let kubespray = desired.kubernetes.engine == Engine::Kubespray;
    let known = |offered: bool| if kubespray { json!(offered) } else { Value::Null };
    named([
        ("metrics.scheduler", known(beyond("kube_scheduler_bind_address", true))),
        ("metrics.controllerManager", known(beyond("kube_controller_manager_bind_address", true))),
        ("metrics.proxy", known(beyond("kube_proxy_metrics_bind_address", false))),
        ("metrics.etcd", known(var("etcd_metrics_port").is_some())),
    ])
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.")
        || address.starts_with("localhost")
        || address.starts_with("::1")
        || address.starts_with("[::1]")
}

fn infiniband(desired: &Desired, cluster: &Cluster) -> Facts {
    let Some(wanted) = &desired.platform.infiniband else {
        return named([
            ("infiniband.wanted", json!(false)),
            ("infiniband.addresses", Value::Null),
            ("infiniband.firmware", json!("unknown")),
        ]);
    };
    let open = wanted.model.is_none() && wanted.interfaces.is_empty();
    named([
        ("infiniband.wanted", json!(true)),
        ("infiniband.model", json!(wanted.model)),
        ("infiniband.interfaces", json!(if open { &cluster.hardware.adapters } else { &wanted.interfaces })),
        ("infiniband.firmware", json!(cluster.hardware.firmware.word())),
        ("infiniband.addresses", json!(wanted.addresses)),
        ("infiniband.virtualFunctions", json!(wanted.virtual_functions)),
        ("infiniband.maxUnavailable", json!(wanted.max_unavailable)),
    ])
}

fn runai_facts(runai: &Runai) -> Facts {
    let mut facts = named([
        ("runai.version", json!(runai.version)),
        ("runai.minor", json!(runai.version.minor())),
        ("runai.domain", json!(runai.domain)),
        ("runai.port", json!(runai.port)),
        ("runai.standardPort", json!(runai.port == HTTPS)),
        ("runai.url", json!(url(runai))),
        ("runai.controlPlaneUrl", json!(control_plane_url(runai))),
        ("runai.endpoint", json!(endpoint(runai))),
        ("runai.source", json!(runai.source)),
        ("runai.mirror", json!(runai.mirror)),
        ("runai.cluster", json!(runai.cluster)),
        ("runai.inferenceDomain", json!(runai.inference_domain)),
        ("runai.inferenceDomains", inference_domains(runai)),
        ("runai.adminEmail", json!(runai.admin_email)),
        ("runai.privateAuthority", json!(private_authority(runai))),
        ("runai.mirrorHost", json!(runai.mirror.as_deref().map(host))),
        ("runai.givenRegistryUser", json!(runai.registry_user)),
        ("runai.adminPassword", Values::reference(&runai.admin_password)),
        ("runai.clientSecret", Values::reference(&ClusterCredential::ClientSecret.kept())),
        ("runai.bootstrapToken", Values::reference(&ClusterCredential::BootstrapToken.kept())),
        ("runai.clientSecretIfKept", Values::reference_if_kept(&ClusterCredential::ClientSecret.kept())),
        ("runai.bootstrapTokenIfKept", Values::reference_if_kept(&ClusterCredential::BootstrapToken.kept())),
        ("runai.clusterUid", Values::reference(&cluster_uid())),
        ("runai.controlPlaneAuthority", json!(runai.control_plane.as_ref().and_then(|there| there.authority.as_ref()))),
    ]);
    let token = runai.registry_token.as_ref().map_or(Value::Null, Values::reference);
    facts.insert("runai.registryToken".into(), token);
    facts
}

/// As Knative has its domains: each with the labels that its services must have, of which there are none.
fn inference_domains(runai: &Runai) -> Value {
    runai.inference_domain.as_ref().map_or(Value::Null, |domain| json!({domain.to_string(): ""}))
}

/// `mirror.example.com:5000` of `mirror.example.com:5000/runai`.
fn host(mirror: &str) -> &str {
    mirror.split('/').next().unwrap_or(mirror)
}

fn generated(name: &str) -> SecretRef {
    SecretRef::Generated(name.to_owned())
}

/// `host[:port]`.
#[must_use]
pub fn endpoint(runai: &Runai) -> String {
    match runai.port {
        HTTPS => runai.domain.to_string(),
        port => format!("{}:{port}", runai.domain),
    }
}

/// `https://host[:port]`. Every part of the platform must use exactly this text: token issuers are compared as texts.
#[must_use]
pub fn url(runai: &Runai) -> String {
    format!("https://{}", endpoint(runai))
}

/// Where the control plane is: elsewhere, or at the URL of the site.
#[must_use]
pub fn control_plane_url(runai: &Runai) -> String {
    runai.control_plane.as_ref().map_or_else(|| url(runai), |elsewhere| elsewhere.url.clone())
}

/// Whether clients need our own authority to trust the URL.
#[must_use]
pub fn private_authority(runai: &Runai) -> bool {
    match &runai.certificate {
        CertificateSource::Generated { .. } => true,
        CertificateSource::Files { authority, .. } => authority.is_some(),
    }
}
