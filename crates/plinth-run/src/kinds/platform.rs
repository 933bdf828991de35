//! What releases stand on: certificates, namespaces, secrets, objects beside a release.

use super::outcome::{amount, compared, done, todo};
use super::{release, wait};
use crate::behaviour::{Probe, StepEnv};
use indexmap::IndexMap;
use plinth_model::Step;
use plinth_model::steps::{CertificateSource, Health, PodSecurity, SecretContent};
use plinth_world::ClientError;
use plinth_world::keystore::{CertificateState, uncovered};
use serde_json::Value;
use std::collections::BTreeSet;

const DOOR: &str = "kube";

/// The certificate is kept, is for these names, is what its source says, and has more than a third of its life left.
pub(super) async fn probe_certificate(
    env: &StepEnv,
    name: &str,
    names: &[String],
    source: &CertificateSource,
) -> Result<Probe, ClientError> {
    let kept = match env.clients.keystore.certificate(&env.ctx, name).await? {
        Some(kept) => kept,
        None => return todo(format!("+ certificate for {}", names.join(", "))),
    };
    let mut differences = certificate_differences(&kept, names, source);
    differences.extend(env.clients.keystore.source_differs(&env.ctx, name, source).await?);
    Ok(compared(differences, || format!("for {}, {} days left", kept.names.join(", "), kept.days_left)))
}

/// Own certificates are for exactly the wanted names, and renewed early. Given ones may cover more (wildcards are judged when
/// they are taken over), and only their end counts: nobody but their giver can renew them.
fn certificate_differences(kept: &CertificateState, names: &[String], source: &CertificateSource) -> Vec<String> {
    let mut differences = Vec::new();
    let set = |names: &[String]| names.iter().map(|n| n.to_ascii_lowercase()).collect::<BTreeSet<_>>();
    match source {
        CertificateSource::Generated { leaf_days, .. } => {
            if set(&kept.names) != set(names) {
                differences.push(format!("~ names {} → {}", kept.names.join(", "), names.join(", ")));
            }
            if kept.days_left.saturating_mul(3) <= i64::from(*leaf_days) {
                differences.push(format!("~ {} of {leaf_days} days left: a new leaf", kept.days_left));
            }
        }
        CertificateSource::Files { .. } => {
            let missing = uncovered(&kept.names, names);
            if !missing.is_empty() {
                differences.push(format!("~ it does not cover {}", missing.join(", ")));
            }
            if kept.days_left <= 0 {
                differences.push("~ it has expired".to_owned());
            }
        }
    }
    differences
}

/// Makes the certificate, or takes it over from files.
pub(super) async fn make_certificate(
    env: &StepEnv,
    name: &str,
    names: &[String],
    source: &CertificateSource,
) -> Result<String, ClientError> {
    let made = env.clients.keystore.make_certificate(&env.ctx, name, names, source).await?;
    Ok(format!("certificate for {}, {} days", made.names.join(", "), made.days_left))
}

/// The namespace exists with exactly this level.
pub(super) async fn probe_namespace(env: &StepEnv, name: &str, level: PodSecurity) -> Result<Probe, ClientError> {
    let wanted = level_name(level);
    match env.clients.kube.namespace(&env.ctx, name).await? {
        Some(Some(present)) if present == level => done(format!("exists, {wanted}")),
        Some(present) => todo(format!("~ Pod Security {} → {wanted}", present.map_or("unset", level_name))),
        None => todo(format!("+ namespace {name}, {wanted}")),
    }
}

const fn level_name(level: PodSecurity) -> &'static str {
    match level {
        PodSecurity::Restricted => "restricted",
        PodSecurity::Baseline => "baseline",
        PodSecurity::Privileged => "privileged",
    }
}

/// Makes the namespace, or sets its level.
pub(super) async fn make_namespace(env: &StepEnv, name: &str, level: PodSecurity) -> Result<String, ClientError> {
    env.clients.kube.make_namespace(&env.ctx, name, level).await?;
    Ok(format!("namespace {name}, {}", level_name(level)))
}

/// A secret of a namespace.
pub(super) struct Secret<'a> {
    /// Namespace.
    pub(super) namespace: &'a str,
    /// Name.
    pub(super) name: &'a str,
    /// Content, by reference.
    pub(super) content: &'a SecretContent,
    /// Labels.
    pub(super) labels: &'a IndexMap<String, String>,
}

/// The secret exists with this content; the comparison happens inside the client, so the content goes nowhere.
pub(super) async fn probe_secret(env: &StepEnv, secret: &Secret<'_>) -> Result<Probe, ClientError> {
    let Secret { namespace, name, content, labels } = secret;
    match env.clients.kube.secret_matches(&env.ctx, namespace, name, content, labels).await? {
        Some(true) => done(format!("secret {namespace}/{name} is as wanted")),
        Some(false) => todo(format!("~ secret {namespace}/{name}: content or labels differ")),
        None => todo(format!("+ secret {namespace}/{name}")),
    }
}

/// Makes or replaces the secret.
pub(super) async fn make_secret(env: &StepEnv, secret: &Secret<'_>) -> Result<String, ClientError> {
    let Secret { namespace, name, content, labels } = secret;
    env.clients.kube.make_secret(&env.ctx, namespace, name, content, labels).await?;
    Ok(format!("secret {namespace}/{name} written"))
}

/// The objects are as wanted, and work.
pub(super) async fn probe_objects(
    env: &StepEnv,
    component: &str,
    objects: &[Value],
    health: &[Health],
) -> Result<Probe, ClientError> {
    let differences = env.clients.kube.diff(&env.ctx, objects).await?;
    if !differences.is_empty() {
        return Ok(Probe::Todo(differences));
    }
    let unhealthy = release::unhealthy(env, namespace_of(objects), health).await?;
    Ok(compared(unhealthy, || format!("{} of {component} as wanted and working", amount(objects.len(), "object"))))
}

/// Namespace in which workloads of the objects are looked for: the first that one of them names.
fn namespace_of(objects: &[Value]) -> &str {
    objects.iter().find_map(|object| object.pointer("/metadata/namespace")?.as_str()).unwrap_or_default()
}

/// Applies the objects and waits until they work.
pub(super) async fn apply_objects(
    step: &Step,
    env: &StepEnv,
    component: &str,
    objects: &[Value],
    health: &[Health],
) -> Result<String, ClientError> {
    let limit = wait::Limit::of(step, env);
    env.clients.kube.apply(&env.ctx, objects).await?;
    let late = |seen: &[String]| release::not_healthy(component, namespace_of(objects), seen);
    wait::until(&limit, env, DOOR, || probe_objects(env, component, objects, health), late).await?;
    Ok(format!("{} of {component} applied and working", amount(objects.len(), "object")))
}
