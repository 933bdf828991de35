//! Kubernetes leaves hosts: never without names, and done only when the hosts and the cluster say so.

use super::CLIENT;
use super::run::{deployed, refusal};
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{differs, done, refused};
use crate::steps::{Explanation, StepKind};
use plinth_model::amount;
use plinth_model::engine::{KubesprayRecord, Play};
use plinth_model::steps::{KubesprayRemoval, Removal};
use plinth_model::{NodeName, Step};
use plinth_world::ClientError;
use plinth_world::ansible::PlayRun;

impl StepKind for KubesprayRemoval {
    const EXPLANATION: Explanation = Explanation {
        kind: KubesprayRemoval::KIND,
        title: "Kubernetes left these hosts.",
        probe: "Asks the hosts what runs on them and the cluster which nodes it has, and sees whether a play was broken off.",
        act: "Runs remove-node.yml for the named workers, or reset.yml for all hosts, and judges its final statistics. Where no host has anything of Kubernetes, forgets the record alone.",
    };

    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        probe_removal(env, self).await
    }

    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        remove(env, self).await
    }
}

/// No host that leaves runs Kubernetes, the cluster does not know it, and no play was broken off.
async fn probe_removal(env: &StepEnv, leaving: &KubesprayRemoval) -> Result<Probed, ClientError> {
    let deployed = deployed(env).await?;
    let mut lines: Vec<String> =
        deployed.begun.iter().map(|b| format!("! an earlier {} did not end", b.play.playbook())).collect();
    lines.extend(recorded(&deployed, leaving).map(|host| format!("- {host}, which was deployed")));
    match &leaving.removal {
        Removal::Nodes { nodes, reachable } => {
            lines.extend(known(env, nodes).await?);
            if *reachable {
                lines.extend(running(env, leaving).await?);
            }
        }
        Removal::All => lines.extend(running(env, leaving).await?),
        // All nodes were looked at just before, with whichever login they take.
        Removal::Unprovisioned => {}
    }
    if lines.is_empty() { done("Kubernetes is not there any more") } else { Ok(differs(lines)) }
}

fn recorded<'a>(deployed: &'a KubesprayRecord, leaving: &'a KubesprayRemoval) -> impl Iterator<Item = &'a NodeName> {
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
async fn running(env: &StepEnv, leaving: &KubesprayRemoval) -> Result<Vec<String>, ClientError> {
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
async fn remove(env: &StepEnv, leaving: &KubesprayRemoval) -> Result<String, ClientError> {
    let inputs = deployed(env).await?.last.unwrap_or_else(|| leaving.parts.clone());
    let play = match &leaving.removal {
        Removal::Unprovisioned => {
            env.clients.records.forget(&env.ctx).await?;
            return Ok("the record of the cluster is gone; nothing of it was on the nodes".to_owned());
        }
        Removal::All => Play::Reset,
        Removal::Nodes { nodes, reachable } => Play::Remove { nodes: nodes.clone(), reachable: *reachable },
    };
    let run = PlayRun { release: leaving.release.clone(), play, targets: leaving.targets.to_vec(), inputs };
    let stats = env.clients.ansible.play(&env.ctx, &run).await?;
    match refusal(&stats, &run.expected()) {
        None => Ok(format!("{}: {}", run.play.playbook(), amount(stats.hosts.len(), "host"))),
        Some(finding) => {
            Err(refused(CLIENT, format!("running {} of {}", run.play.playbook(), run.release.tag), finding))
        }
    }
}
