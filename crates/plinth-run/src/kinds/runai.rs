//! Run:ai: issuer, registration, connection.

use super::outcome::{blocked, done, refused, todo};
use super::wait;
use crate::behaviour::{Probe, StepEnv};
use plinth_model::finding::code;
use plinth_model::steps::RunaiTarget;
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::runai::RunaiCluster;

const DOOR: &str = "runai";
/// State of a cluster that reports.
const CONNECTED: &str = "Connected";

/// Keycloak names exactly the expected issuer.
pub(super) async fn probe_issuer(env: &StepEnv, target: &RunaiTarget) -> Result<Probe, ClientError> {
    let expected = target.issuer();
    match env.clients.runai.issuer(&env.ctx, target).await? {
        Some(found) if found == expected => done(format!("issuer is {expected}")),
        Some(found) => blocked(issuer_mismatch(target, &expected, &found)),
        None => todo(format!("! Keycloak does not answer at {} yet", target.url)),
    }
}

/// The issuer stands in every token and is compared as an exact text, so a port that is missing on one side makes the
/// control plane answer 401 "Issuer is not familiar." to everybody.
fn issuer_mismatch(target: &RunaiTarget, expected: &str, found: &str) -> Finding {
    Finding::error(code::RUNAI_ISSUER_MISMATCH, &target.url, "Keycloak names another issuer than the one that Run:ai expects")
        .evidence(format!("expected: {expected}"))
        .evidence(format!("found:    {found}"))
        .evidence("the two are compared as exact texts; with any port but 443, Keycloak must be told its whole URL with the port")
        .fix(
            "serve Run:ai on port 443 (a load balancer or an ingress proxy); with a node port, the control plane's values must hold \
             KC_HOSTNAME as the full URL with the port, and keycloakExternalEndpoint as host:port",
        )
}

/// Waits until Keycloak answers.
pub(super) async fn wait_issuer(step: &Step, env: &StepEnv, target: &RunaiTarget) -> Result<String, ClientError> {
    let late = |seen: &[String]| {
        let message = "Keycloak did not answer with its discovery document in time";
        let mut finding = Finding::error(code::RUNAI_ISSUER_ABSENT, &target.url, message).fix(
            "look at the pods keycloak and postgresql of namespace runai-backend, and at the ingress of the domain",
        );
        finding.evidence = seen.to_vec();
        finding
    };
    wait::until(&wait::Limit::of(step, env), env, DOOR, || probe_issuer(env, target), late).await
}

/// The cluster, if there is exactly one of that name; several are a finding.
async fn registered(env: &StepEnv, target: &RunaiTarget) -> Result<Result<Option<RunaiCluster>, Finding>, ClientError> {
    let mut clusters = env.clients.runai.clusters(&env.ctx, target).await?;
    if clusters.len() > 1 {
        return Ok(Err(registered_twice(target, &clusters)));
    }
    Ok(Ok(clusters.pop()))
}

/// The interface knows no conflict of cluster names, so two entries of one name are possible, and two installations that
/// share one name fight over it.
fn registered_twice(target: &RunaiTarget, clusters: &[RunaiCluster]) -> Finding {
    let message = format!("{} clusters are registered as `{}`", clusters.len(), target.cluster);
    let mut finding = Finding::error(code::RUNAI_CLUSTER_REGISTERED_TWICE, &target.cluster, message).fix(
        "remove the entries that do not belong to this site in the control plane, or choose another runai.cluster.name; then run again",
    );
    finding.evidence = clusters.iter().map(|c| format!("{}: {}", c.uuid, c.state)).collect();
    finding
}

/// Registered exactly once, and its credentials are kept here.
pub(super) async fn probe_registration(env: &StepEnv, target: &RunaiTarget) -> Result<Probe, ClientError> {
    match registered(env, target).await? {
        Err(finding) => blocked(finding),
        Ok(None) => Ok(Probe::Todo(vec![
            format!("+ cluster {} at {}", target.cluster, target.url),
            "+ its credentials in the state directory".to_owned(),
        ])),
        Ok(Some(cluster)) if env.clients.runai.credentials_kept(&env.ctx, target, &cluster.uuid).await? => {
            done(format!("registered once, as {}", cluster.uuid))
        }
        Ok(Some(cluster)) => todo(format!("+ credentials of cluster {} in the state directory", cluster.uuid)),
    }
}

/// Looks again before registering, since registering twice makes two entries; then keeps the credentials.
pub(super) async fn register(env: &StepEnv, target: &RunaiTarget) -> Result<String, ClientError> {
    let found = registered(env, target)
        .await?
        .map_err(|finding| refused(DOOR, format!("registering cluster {}", target.cluster), finding))?;
    let (cluster, what) = match found {
        Some(cluster) => (cluster, "was registered already"),
        None => (env.clients.runai.register(&env.ctx, target).await?, "registered"),
    };
    env.clients.runai.keep_credentials(&env.ctx, target, &cluster.uuid).await?;
    Ok(format!("cluster {} {what} as {}, credentials kept", target.cluster, cluster.uuid))
}

/// The cluster reports to the control plane.
pub(super) async fn probe_connection(env: &StepEnv, target: &RunaiTarget) -> Result<Probe, ClientError> {
    match registered(env, target).await? {
        Err(finding) => blocked(finding),
        Ok(None) => todo(format!("! no cluster is registered as `{}`", target.cluster)),
        Ok(Some(cluster)) if cluster.state == CONNECTED => {
            done(format!("Connected, {} GPU nodes: {}", cluster.gpu_nodes.len(), cluster.gpu_nodes.join(", ")))
        }
        Ok(Some(cluster)) => {
            let missing =
                cluster.missing.iter().map(|dependency| format!("! required dependency {dependency} is missing"));
            Ok(Probe::Todo(
                std::iter::once(format!("~ state {} → {CONNECTED}", cluster.state)).chain(missing).collect(),
            ))
        }
    }
}

/// Waits until the cluster reports; a cluster that is not registered will never do so.
pub(super) async fn wait_connected(step: &Step, env: &StepEnv, target: &RunaiTarget) -> Result<String, ClientError> {
    let before = registered(env, target).await?;
    if matches!(before, Ok(None)) {
        let message = format!("no cluster is registered as `{}`", target.cluster);
        let finding = Finding::error(code::RUNAI_CLUSTER_NOT_REGISTERED, &target.cluster, message)
            .fix("somebody removed it since it was registered: find out who, and put it back in the control plane, or choose another runai.cluster.name; then run again");
        return Err(refused(DOOR, format!("waiting for cluster {}", target.cluster), finding));
    }
    let late = |seen: &[String]| not_connected(target, seen);
    wait::until(&wait::Limit::of(step, env), env, DOOR, || probe_connection(env, target), late).await
}

fn not_connected(target: &RunaiTarget, seen: &[String]) -> Finding {
    let mut finding = Finding::error(
        code::RUNAI_NOT_CONNECTED,
        &target.cluster,
        "the cluster did not report to the control plane in time",
    )
    .fix(where_to_look(seen));
    finding.evidence = seen.to_vec();
    finding
}

/// By the state seen last (NVIDIA Run:ai docs 2.25, "Clusters").
fn where_to_look(seen: &[String]) -> &'static str {
    let state = |name: &str| seen.iter().any(|line| line.contains(name));
    if state("MissingPrerequisites") {
        "install the missing dependencies; the same list is in ConfigMap runai-public of namespace runai"
    } else if state("ServiceIssues") {
        "look at the condition Available and the operands of object runai of runaiconfigs.run.ai, in namespace runai"
    } else if state("WaitingToConnect") {
        "nothing ever arrived: look at the logs of runai-agent and cluster-sync in namespace runai for names that do not resolve and certificates that are not trusted"
    } else {
        "look at the logs of runai-agent, cluster-sync and assets-sync in namespace runai, and whether pods reach the control plane's URL"
    }
}
