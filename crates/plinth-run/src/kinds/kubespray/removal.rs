//! Kubernetes leaves hosts: never without names, and done only when the hosts and the cluster say so.

use super::DOOR;
use super::run::{deployed, refusal};
use crate::behaviour::{Probe, StepEnv};
use crate::kinds::outcome::{amount, done, refused};
use plinth_model::NodeName;
use plinth_model::steps::{KubesprayRelease, NodeTarget, Removal, RunInputs};
use plinth_world::ClientError;
use plinth_world::ansible::{Deployed, Play, PlayRun};

/// What is wanted of the removal, by the plan.
#[derive(Clone, Copy)]
pub(in crate::kinds) struct Leaving<'a> {
    /// Release.
    pub(in crate::kinds) release: &'a KubesprayRelease,
    /// Hosts of the inventory.
    pub(in crate::kinds) targets: &'a [NodeTarget],
    /// Which leave.
    pub(in crate::kinds) removal: &'a Removal,
    /// What the written files are, in parts.
    pub(in crate::kinds) parts: &'a RunInputs,
}

/// No host that leaves runs Kubernetes, the cluster does not know it, and no play was broken off.
pub(in crate::kinds) async fn probe_removal(env: &StepEnv, leaving: &Leaving<'_>) -> Result<Probe, ClientError> {
    let deployed = deployed(env).await?;
    let mut lines: Vec<String> =
        deployed.begun.iter().map(|b| format!("! an earlier {} did not end", b.play.playbook())).collect();
    lines.extend(recorded(&deployed, leaving).map(|host| format!("- {host}, which was deployed")));
    match leaving.removal {
        Removal::Nodes { nodes, reachable } => {
            lines.extend(known(env, nodes).await?);
            if *reachable {
                lines.extend(running(env, leaving).await?);
            }
        }
        Removal::All => lines.extend(running(env, leaving).await?),
    }
    if lines.is_empty() { done("Kubernetes is not there any more") } else { Ok(Probe::Todo(lines)) }
}

fn recorded<'a>(deployed: &'a Deployed, leaving: &'a Leaving<'_>) -> impl Iterator<Item = &'a NodeName> {
    deployed.last.iter().flat_map(|last| last.hosts.keys()).filter(|host| leaving.removal.takes(host))
}

/// Nodes that the cluster still has. It must be asked: not to be seen is not to be gone.
async fn known(env: &StepEnv, nodes: &[NodeName]) -> Result<Vec<String>, ClientError> {
    let mut lines = Vec::new();
    for node in nodes {
        if env.clients.kube.node(&env.ctx, node).await?.is_some() {
            lines.push(format!("- node {node} of the cluster"));
        }
    }
    Ok(lines)
}

/// What runs on the hosts that leave.
async fn running(env: &StepEnv, leaving: &Leaving<'_>) -> Result<Vec<String>, ClientError> {
    let leave = leaving.targets.iter().filter(|target| leaving.removal.takes(&target.node));
    let looks = leave.map(|target| async move { (target, env.clients.node.leftovers(&env.ctx, target).await) });
    let mut lines = Vec::new();
    for (target, seen) in futures::future::join_all(looks).await {
        let running = seen?.running;
        if !running.is_empty() {
            lines.push(format!("- {} on {}", running.join(", "), target.node));
        }
    }
    Ok(lines)
}

/// Runs Kubespray's playbook for it. What stays is recorded as it was deployed, not as the site file has it now.
pub(in crate::kinds) async fn remove(env: &StepEnv, leaving: &Leaving<'_>) -> Result<String, ClientError> {
    let inputs = deployed(env).await?.last.unwrap_or_else(|| leaving.parts.clone());
    let play = match leaving.removal {
        Removal::All => Play::Reset,
        Removal::Nodes { nodes, reachable } => Play::Remove { nodes: nodes.clone(), reachable: *reachable },
    };
    let run = PlayRun { release: leaving.release.clone(), play, targets: leaving.targets.to_vec(), inputs };
    let stats = env.clients.ansible.play(&env.ctx, &run).await?;
    match refusal(&stats, &run.expected()) {
        None => Ok(format!("{}: {}", run.play.playbook(), amount(stats.hosts.len(), "host"))),
        Some(finding) => Err(refused(DOOR, format!("running {} of {}", run.play.playbook(), run.release.tag), finding)),
    }
}
