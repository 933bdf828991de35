//! The cluster as Kubernetes sees it: kubeconfig, labels, readiness, names in pods.

use super::outcome::{amount, compared, done, todo};
use super::wait;
use crate::behaviour::{Probe, StepEnv};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::NodeTarget;
use plinth_model::{Finding, NodeName, Step, Version};
use plinth_world::ClientError;
use plinth_world::kube::HeldConfig;
use std::net::Ipv4Addr;

const DOOR: &str = "kube";

/// A kubeconfig that works is here and names this server.
pub(super) async fn probe_kubeconfig(env: &StepEnv, server: &str) -> Result<Probe, ClientError> {
    match env.clients.kube.kubeconfig(&env.ctx).await? {
        Some(HeldConfig { server: held, .. }) if held != server => todo(format!("~ server {held} → {server}")),
        Some(HeldConfig { refused: Some(why), .. }) => todo(format!("~ kubeconfig: {why}")),
        Some(_) => done(format!("{server} answers")),
        None => todo(format!("+ kubeconfig for {server}")),
    }
}

/// Fetches the kubeconfig from a control-plane node.
pub(super) async fn fetch_kubeconfig(env: &StepEnv, target: &NodeTarget, server: &str) -> Result<String, ClientError> {
    env.clients.kube.fetch_kubeconfig(&env.ctx, target, server).await?;
    Ok(format!("kubeconfig fetched from {} for {server}", target.node))
}

/// Wanted labels and taints are there; others are left alone.
pub(super) async fn probe_labels(
    env: &StepEnv,
    node: &NodeName,
    labels: &IndexMap<String, String>,
    taints: &[String],
) -> Result<Probe, ClientError> {
    let seen = env.clients.kube.node(&env.ctx, node).await?.unwrap_or_default();
    let label = |(key, value): (&String, &String)| match seen.labels.get(key) {
        Some(present) if present == value => None,
        Some(present) => Some(format!("~ label {key}: {present} → {value}")),
        None => Some(format!("+ label {key}={value}")),
    };
    let missing_taints = taints.iter().filter(|t| !seen.taints.contains(t)).map(|t| format!("+ taint {t}"));
    let differences = labels.iter().filter_map(label).chain(missing_taints).collect();
    Ok(compared(differences, || {
        format!("{} and {} are there", amount(labels.len(), "label"), amount(taints.len(), "taint"))
    }))
}

/// Adds labels and taints.
pub(super) async fn label(
    env: &StepEnv,
    node: &NodeName,
    labels: &IndexMap<String, String>,
    taints: &[String],
) -> Result<String, ClientError> {
    env.clients.kube.label_node(&env.ctx, node, labels, taints).await?;
    Ok(format!("{} and {} set", amount(labels.len(), "label"), amount(taints.len(), "taint")))
}

/// The node is Ready and runs this version.
pub(super) async fn probe_ready(env: &StepEnv, node: &NodeName, version: &str) -> Result<Probe, ClientError> {
    let seen = match env.clients.kube.node(&env.ctx, node).await? {
        Some(seen) => seen,
        None => return todo(format!("! Kubernetes does not know node {node} yet")),
    };
    let mut differences = Vec::new();
    if !same_version(&seen.version, version) {
        differences.push(format!("~ version {} → {version}", seen.version));
    }
    if !seen.ready {
        differences.push("! not Ready".to_owned());
    }
    Ok(compared(differences, || format!("Ready, {}", seen.version)))
}

fn same_version(seen: &str, wanted: &str) -> bool {
    match (seen.parse::<Version>(), wanted.parse::<Version>()) {
        (Ok(seen), Ok(wanted)) => seen == wanted,
        _ => seen == wanted,
    }
}

/// Waits until the node is Ready.
pub(super) async fn wait_ready(
    step: &Step,
    env: &StepEnv,
    node: &NodeName,
    version: &str,
) -> Result<String, ClientError> {
    let late = |seen: &[String]| {
        let mut finding =
            Finding::error(code::KUBERNETES_NODE_NOT_READY, node.as_str(), "the node did not become Ready in time")
                .fix(format!("look at `kubectl describe node {node}` and at the logs of kubelet and containerd on it"));
        finding.evidence = seen.to_vec();
        finding
    };
    wait::until(&wait::Limit::of(step, env), env, DOOR, || probe_ready(env, node, version), late).await
}

/// Pods get exactly this address for the name.
pub(super) async fn probe_dns(env: &StepEnv, name: &str, address: Ipv4Addr) -> Result<Probe, ClientError> {
    let seen = env.clients.kube.resolve_in_pod(&env.ctx, name).await?;
    if !seen.is_empty() && seen.iter().all(|seen| *seen == address) {
        return done(format!("pods resolve {name} to {address}"));
    }
    if seen.is_empty() {
        return todo(format!("+ {name} → {address}"));
    }
    let seen: Vec<String> = seen.iter().map(Ipv4Addr::to_string).collect();
    todo(format!("~ {name}: {} → {address}", seen.join(", ")))
}

/// Puts the name into the cluster's DNS.
pub(super) async fn add_dns(env: &StepEnv, name: &str, address: Ipv4Addr) -> Result<String, ClientError> {
    env.clients.kube.add_dns(&env.ctx, name, address).await?;
    Ok(format!("{name} → {address} added to the cluster's DNS"))
}
