//! The cluster as Kubernetes sees it: kubeconfig, labels, readiness, names in pods.

use super::outcome::{amount, compared, done, todo, unseen};
use super::wait;
use crate::behaviour::{Probe, StepEnv};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::NodeTarget;
use plinth_model::{Finding, NodeName, Observed, Step, Version};
use plinth_world::ClientError;
use plinth_world::kube::{HeldConfig, KubeNode};
use std::net::Ipv4Addr;

const DOOR: &str = "kube";

/// A kubeconfig that works is here and names this server.
pub(super) async fn probe_kubeconfig(env: &StepEnv, server: &str) -> Result<Probe, ClientError> {
    match env.clients.kube.kubeconfig(&env.ctx).await? {
        Observed::Known(HeldConfig { server: held, .. }) if held != server => {
            todo(format!("~ server {held} → {server}"))
        }
        Observed::Known(HeldConfig { refused: Some(why), .. }) => todo(format!("~ kubeconfig: {why}")),
        Observed::Known(_) => done(format!("{server} answers")),
        Observed::Absent => todo(format!("+ kubeconfig for {server}")),
        Observed::Unknown(reason) => Err(unseen(DOOR, "trying the kubeconfig", &reason)),
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
    let seen = match env.clients.kube.node(&env.ctx, node).await? {
        Observed::Known(seen) => seen,
        Observed::Absent => KubeNode::default(),
        Observed::Unknown(reason) => return Err(unseen(DOOR, format!("looking at node {node}"), &reason)),
    };
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

/// The node is Ready and runs this version; any, where none is named.
pub(super) async fn probe_ready(
    env: &StepEnv,
    node: &NodeName,
    version: Option<&Version>,
) -> Result<Probe, ClientError> {
    let seen = match env.clients.kube.node(&env.ctx, node).await? {
        Observed::Known(seen) => seen,
        Observed::Absent => return todo(format!("! Kubernetes does not know node {node} yet")),
        Observed::Unknown(reason) => return Err(unseen(DOOR, format!("looking at node {node}"), &reason)),
    };
    let mut differences = Vec::new();
    if let Some(version) = version.filter(|version| seen.version.parse().ok().as_ref() != Some(*version)) {
        differences.push(format!("~ version {} → {}", seen.version, version.prefixed()));
    }
    if !seen.ready {
        differences.push("! not Ready".to_owned());
    }
    Ok(compared(differences, || format!("Ready, {}", seen.version)))
}

/// Waits until the node is Ready.
pub(super) async fn wait_ready(
    step: &Step,
    env: &StepEnv,
    node: &NodeName,
    version: Option<&Version>,
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
