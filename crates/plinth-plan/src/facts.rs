//! Facts: the flat names that catalog values may refer to. The list is a contract with the catalog's data.

use crate::cluster::Cluster;
use crate::discover::Role;
use plinth_catalog::Facts;
use plinth_model::SecretRef;
use plinth_model::steps::{CertificateSource, SECRET_KEY};
use plinth_site::Desired;
use plinth_site::desired::{ArtifactSource, Runai};
use serde_json::{Value, json};

/// Port that HTTPS URLs need not name.
const HTTPS: u16 = 443;
/// Where local volumes are kept on a node: the default of the local path provisioner.
const LOCAL_VOLUMES: &str = "/opt/local-path-provisioner";
/// Server of Run:ai's registry login, as the vendor writes it for pull secrets (NVIDIA Run:ai documentation, 2.17 to 2.25).
const JFROG: (&str, &str) = ("https://runai.jfrog.io", "self-hosted-image-puller-prod");
/// The same for NVIDIA's registry (NVIDIA Run:ai documentation, from 2.24); the user is that very text.
const NGC: (&str, &str) = ("https://nvcr.io", "$oauthtoken");

/// All facts of a site.
#[must_use]
pub fn facts(desired: &Desired, cluster: &Cluster) -> Facts {
    let mut facts = site(desired, cluster);
    facts.extend(nodes(cluster));
    facts.extend(platform(desired, cluster));
    facts.insert("runai.enabled".into(), json!(desired.runai.is_some()));
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
        ("storage.path", json!(volumes(desired))),
    ])
}

/// Beside the images when the site keeps those on a larger partition, else the provisioner's own default.
fn volumes(desired: &Desired) -> String {
    match desired.storage.larger.rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => format!("{parent}/local-path-provisioner"),
        _ => LOCAL_VOLUMES.to_owned(),
    }
}

fn nodes(cluster: &Cluster) -> Facts {
    let names = |role: Role| json!(cluster.with(role).map(|m| m.name.as_str()).collect::<Vec<_>>());
    named([
        ("nodes.controlPlane", names(Role::ControlPlane)),
        ("nodes.workers", names(Role::Worker)),
        ("nodes.gpu", names(Role::Gpu)),
        ("nodes.system", names(Role::System)),
    ])
}

fn platform(desired: &Desired, cluster: &Cluster) -> Facts {
    let platform = &desired.platform;
    let balanced = cluster.ingress_address(desired).filter(|address| platform.balances(*address));
    named([
        ("ingress.http", json!(platform.ingress.http)),
        ("ingress.https", json!(platform.ingress.https)),
        ("ingress.address", json!(cluster.ingress_address(desired).map(|a| a.to_string()))),
        ("ingress.class", json!("nginx")),
        ("loadBalancer.ingress", json!(balanced.map(|a| a.to_string()))),
        ("loadBalancer.addresses", json!(platform.load_balancer)),
        ("gpu.mig", json!(platform.gpu.mig)),
        ("gpu.timeSlicing", json!(platform.gpu.time_slicing)),
        ("gpu.driverOnHost", json!(platform.gpu.driver_on_host)),
        ("grafana.adminPassword", secret(&generated("grafana-admin-password"))),
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
        ("runai.endpoint", json!(endpoint(runai))),
        ("runai.source", json!(runai.source)),
        ("runai.mirror", json!(runai.mirror)),
        ("runai.cluster", json!(runai.cluster)),
        ("runai.adminEmail", json!(runai.admin_email)),
        ("runai.privateAuthority", json!(private_authority(runai))),
        ("runai.mirrorHost", json!(runai.mirror.as_deref().map(host))),
        ("runai.chartLogin", json!(chart_login(runai))),
        ("runai.registryServer", json!(registry(runai).0)),
        ("runai.registryUser", json!(registry(runai).1)),
        ("runai.adminPassword", secret(&runai.admin_password)),
        ("runai.clientSecret", secret(&generated("runai-client-secret"))),
        ("runai.clusterUid", secret(&generated("runai-cluster-uid"))),
    ]);
    let token = runai.registry_token.as_ref().map_or(Value::Null, secret);
    facts.insert("runai.registryToken".into(), token);
    facts
}

/// `mirror.example.com:5000` of `mirror.example.com:5000/runai`.
fn host(mirror: &str) -> &str {
    mirror.split('/').next().unwrap_or(mirror)
}

/// Whether charts are behind a login: always at NVIDIA, at a mirror when the site has a token for it.
fn chart_login(runai: &Runai) -> bool {
    match runai.source {
        ArtifactSource::Jfrog => false,
        ArtifactSource::Ngc => true,
        ArtifactSource::Airgapped => runai.registry_token.is_some(),
    }
}

fn generated(name: &str) -> SecretRef {
    SecretRef::Generated(name.to_owned())
}

fn secret(reference: &SecretRef) -> Value {
    json!({ SECRET_KEY: reference })
}

/// `host[:port]`.
#[must_use]
pub fn endpoint(runai: &Runai) -> String {
    match runai.port {
        HTTPS => runai.domain.clone(),
        port => format!("{}:{port}", runai.domain),
    }
}

/// `https://host[:port]`. Every part of the platform must use exactly this text: token issuers are compared as texts.
#[must_use]
pub fn url(runai: &Runai) -> String {
    format!("https://{}", endpoint(runai))
}

/// Whether clients need our own authority to trust the URL.
#[must_use]
pub fn private_authority(runai: &Runai) -> bool {
    match &runai.certificate {
        CertificateSource::Generated { .. } => true,
        CertificateSource::Files { authority, .. } => authority.is_some(),
    }
}

/// Server and user of the registry login.
#[must_use]
pub fn registry(runai: &Runai) -> (String, String) {
    let (server, user) = match runai.source {
        ArtifactSource::Jfrog => JFROG,
        ArtifactSource::Ngc => NGC,
        ArtifactSource::Airgapped => ("", ""),
    };
    let server = runai.mirror.clone().unwrap_or_else(|| server.to_owned());
    let user = runai.registry_user.clone().unwrap_or_else(|| user.to_owned());
    (server, user)
}
