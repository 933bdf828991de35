//! Kubernetes secrets that Run:ai reads under fixed names (NVIDIA Run:ai documentation, 2.17 to 2.25).

use super::runai;
use crate::deadlines;
use crate::facts::{private_authority, registry};
use crate::ids;
use crate::step::{Refine, step};
use indexmap::IndexMap;
use plinth_catalog::Resolution;
use plinth_model::plan::Step;
use plinth_model::steps::{KubeSecret, RegistryLogin, SecretContent};
use plinth_model::{Stage, Work};
use plinth_site::desired::Runai;

/// Name of the certificate that serves both.
pub(super) const CERTIFICATE: &str = "runai";
/// Key of the authority inside its secret.
const AUTHORITY_KEY: &str = "runai-ca.pem";

/// All secrets, with their needs, in the namespaces of Run:ai's two parts; none for a part that is off.
pub(super) fn steps(runai: &Runai, resolution: &Resolution) -> Vec<Step> {
    let backend = runai::namespace(resolution, runai::CONTROL_PLANE);
    let cluster = runai::namespace(resolution, runai::CLUSTER);
    let mut wanted = Vec::new();
    if let Some(login) = login(runai) {
        let why = format!("Run:ai's images are pulled from {}", login.registry);
        for namespace in [backend, cluster] {
            let content = SecretContent::RegistryLogin { login: login.clone() };
            wanted.push((namespace, "runai-reg-creds", content, why.clone()));
        }
    }
    let tls = SecretContent::Tls { certificate: CERTIFICATE.into() };
    let why = format!("the ingress answers for {} with it", runai.domain);
    wanted.push((backend, "runai-backend-tls", tls.clone(), why.clone()));
    wanted.push((cluster, "runai-cluster-domain-tls-secret", tls, why));
    if private_authority(runai) {
        let content = SecretContent::Authority { certificate: CERTIFICATE.into(), key: AUTHORITY_KEY.into() };
        let why = "Run:ai's services trust our own authority through it";
        wanted.push((backend, "runai-ca-cert", content.clone(), why.into()));
        wanted.push((cluster, "runai-ca-cert", content, why.into()));
    }
    wanted
        .into_iter()
        .filter_map(|(ns, name, content, why)| {
            let spread = ns == cluster && matches!(content, SecretContent::Authority { .. });
            Some(secret(ns?, name, content, labels(spread), why))
        })
        .collect()
}

/// The registry login; none when the site has no token (a mirror may need none).
fn login(runai: &Runai) -> Option<RegistryLogin> {
    let password = runai.registry_token.clone()?;
    let (registry, username) = registry(runai);
    Some(RegistryLogin { registry, username, password })
}

fn secret(namespace: &str, name: &str, content: SecretContent, labels: IndexMap<String, String>, why: String) -> Step {
    let certificate = (!matches!(content, SecretContent::RegistryLogin { .. })).then(|| ids::certificate(CERTIFICATE));
    let work = Work::KubeSecret(KubeSecret { namespace: namespace.into(), name: name.into(), content, labels });
    step(ids::secret(namespace, name), Stage::Platform, work, deadlines::KUBE_CALL, why)
        .needing([ids::namespace(namespace)])
        .needing(certificate)
}

/// From 2.25 on, these carry the authority from the cluster part into the namespaces of projects; older releases ignore them.
fn labels(spread: bool) -> IndexMap<String, String> {
    let labels = [("run.ai/cluster-wide", "true"), ("run.ai/name", "runai-ca-cert")];
    labels.into_iter().filter(|_| spread).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}
