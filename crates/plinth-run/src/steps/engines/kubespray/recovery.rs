//! Broken members of the control plane become whole again: a machine that was re-imaged under its old name, a disk that was lost. The
//! survivors take them in, by Kubespray's own playbook.

use super::run::{Wanted, deployed, one, validate_inventory};
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, differs, done};
use crate::steps::{Explanation, StepKind};
use futures::future::join_all;
use plinth_model::amount;
use plinth_model::engine::{KubesprayRecord, Play};
use plinth_model::finding::code;
use plinth_model::steps::{HostInputs, KubesprayRecovery, NodeTarget};
use plinth_model::{Finding, NodeName, Step};
use plinth_world::ClientError;
use plinth_world::node::{ControlPlane, Etcd};

/// Where API servers listen.
const API_PORT: u16 = 6443;

/// What only a member of the control plane or of etcd has.
const PLACES: [&str; 4] = ["/etc/kubernetes", "/var/lib/kubelet", "/var/lib/etcd", "/etc/ssl/etcd"];

/// What one member says of itself.
struct Told<'a> {
    target: &'a NodeTarget,
    seen: ControlPlane,
}

impl StepKind for KubesprayRecovery {
    const EXPLANATION: Explanation = Explanation {
        kind: KubesprayRecovery::KIND,
        title: "Broken members of the control plane are whole again.",
        probe: "Asks every member of the control plane and of etcd itself, since the API may be away: etcd and who its members are, kubelet, certificates. At least one that is not broken must have etcd's data.",
        act: "Runs recover-control-plane.yml, with the survivors first in the inventory and workers left alone, and judges its final statistics. If etcd lost its majority, a survivor's data becomes the cluster's.",
    };

    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        probe_recovery(
            env,
            &Wanted { release: &self.release, targets: &self.targets, parts: &self.parts, without: &[] },
            &self.broken,
        )
        .await
    }

    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        recover(
            env,
            &Wanted { release: &self.release, targets: &self.targets, parts: &self.parts, without: &[] },
            &self.broken,
        )
        .await
    }
}

/// No broken member lacks anything, and no play was broken off. Every member is asked itself, since the API may be away.
async fn probe_recovery(env: &StepEnv, wanted: &Wanted<'_>, broken: &[NodeName]) -> Result<Probed, ClientError> {
    let deployed = deployed(env).await?;
    if let Some(finding) = something_else_first(&deployed, broken) {
        return blocked(finding);
    }
    let is_member = |target: &&NodeTarget| wanted.parts.hosts.get(&target.node).is_some_and(HostInputs::is_quorum);
    let asked = wanted.targets.iter().filter(is_member).map(|target| async move {
        Ok(Told { target, seen: env.clients.node.control_plane(&env.ctx, target).await? })
    });
    let told = join_all(asked).await.into_iter().collect::<Result<Vec<_>, ClientError>>()?;
    let (ill, whole): (Vec<_>, Vec<_>) = told.iter().partition(|told| broken.contains(&told.target.node));
    if !whole.iter().any(|told| told.seen.etcd.is_some()) {
        return blocked(none_survived(&whole));
    }
    let mut lines: Vec<String> =
        deployed.begun.iter().map(|begun| format!("! an earlier {} did not end", begun.play.playbook())).collect();
    for told in &ill {
        if let Some(host) = wanted.parts.hosts.get(&told.target.node) {
            lines.extend(lacks(told, host));
            lines.extend(as_the_cluster_sees_it(env, &told.target.node, host).await);
        }
    }
    if lines.is_empty() {
        return done(format!("{}: nothing is broken", names(broken)));
    }
    let survivors: Vec<NodeName> = whole.iter().map(|told| told.target.node.clone()).collect();
    let playbook = Play::Recover { nodes: Vec::new(), reset: Vec::new() }.playbook();
    lines.push(format!("→ {playbook}: {} takes in {}", names(&survivors), names(broken)));
    Ok(differs(lines))
}

fn names(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}

/// A removal that did not end is finished first, and a recovery goes on with at least the members that it began with.
fn something_else_first(deployed: &KubesprayRecord, broken: &[NodeName]) -> Option<Finding> {
    let begun = deployed.begun.as_ref()?;
    match &begun.play {
        Play::Recover { nodes, .. } if nodes.iter().all(|node| broken.contains(node)) => None,
        Play::Recover { nodes, .. } => Some(super::choice::recovery_unfinished(nodes)),
        play if play.removes() => Some(super::choice::removal_unfinished(begun)),
        _ => None,
    }
}

fn none_survived(whole: &[&Told<'_>]) -> Finding {
    let others: Vec<&str> = whole.iter().map(|told| told.target.node.as_str()).collect();
    let text = "no member would be left that has etcd's data: there is nothing to recover from";
    let finding = Finding::error(code::KUBESPRAY_NONE_SURVIVED, others.join(", "), text);
    let finding = others.iter().fold(finding, |finding, node| finding.evidence(format!("{node}: etcd is not set up")));
    finding
        .fix("bring a member with its disk back; without one the cluster is gone: `plinth reset`, then `plinth apply`")
}

/// What a member lacks, by its own words.
fn lacks(told: &Told<'_>, host: &HostInputs) -> Vec<String> {
    let node = &told.target.node;
    let mut lacks = Vec::new();
    if host.is_in(super::choice::ETCD) {
        match &told.seen.etcd {
            None => lacks.push(format!("! etcd is not set up on {node}")),
            Some(etcd) => lacks.extend(etcd_lacks(told.target, etcd)),
        }
    }
    if host.is_in(super::choice::CONTROL_PLANE) {
        if !told.seen.certificates.iter().any(|found| found.file.ends_with("/apiserver.crt")) {
            lacks.push(format!("! {node} has no certificate of an API server"));
        }
        if told.seen.kubelet != "active" {
            let state = if told.seen.kubelet.is_empty() { "not there" } else { &told.seen.kubelet };
            lacks.push(format!("! kubelet on {node} is {state}"));
        }
    }
    lacks
}

/// Other members may be ill without this one being so.
fn etcd_lacks(target: &NodeTarget, etcd: &Etcd) -> Vec<String> {
    let (node, own) = (&target.node, format!("//{}:", target.address));
    let silent = |why: &&String| why.starts_with("etcd does not answer") || why.contains(&own);
    let mut lacks: Vec<String> = etcd.unhealthy.iter().filter(silent).map(|why| format!("! {node}: {why}")).collect();
    let is_member = etcd.members.iter().any(|member| member.peers.iter().any(|peer| peer.contains(&own)));
    if lacks.is_empty() && !is_member {
        lacks.push(format!("! {node} is no member of etcd"));
    }
    lacks
}

/// What the API says of it, if it can be asked.
async fn as_the_cluster_sees_it(env: &StepEnv, node: &NodeName, host: &HostInputs) -> Option<String> {
    if !host.is_kubernetes_node() {
        return None;
    }
    match env.clients.kube.node(&env.ctx, node).await.ok()? {
        Some(seen) => (!seen.ready).then(|| format!("! {node} is not Ready")),
        None => Some(format!("! the cluster has no node {node}")),
    }
}

/// Runs the playbook and judges its final statistics. Before that, the address by which nodes join is set to a member that works; without a majority of etcd that works
/// only when the playbook has made a cluster of the survivors, so it is run once more then.
async fn recover(env: &StepEnv, wanted: &Wanted<'_>, broken: &[NodeName]) -> Result<String, ClientError> {
    validate_inventory(env, wanted.release).await?;
    let play = || async {
        let reset = with_leftovers(env, wanted, broken).await?;
        one(env, wanted, Play::Recover { nodes: broken.to_vec(), reset }).await
    };
    let led = redirect_joins(env, wanted, broken).await;
    let said = match play().await {
        Err(_) if led.is_err() && redirect_joins(env, wanted, broken).await.unwrap_or(false) => play().await?,
        other => other?,
    };
    // The playbook ends with other settings of every API server, which starts again then. What comes next looks at it, and tells if it stays
    // away; here it is only given the time.
    let _ = reach_survivor(env, wanted, broken).await;
    Ok(format!("{} taken in again; {said}", amount(broken.len(), "member")))
}

/// Broken members on which something of Kubernetes runs or is left, as after a recovery that did not end.
async fn with_leftovers(env: &StepEnv, wanted: &Wanted<'_>, broken: &[NodeName]) -> Result<Vec<NodeName>, ClientError> {
    let mut found = Vec::new();
    for target in wanted.targets.iter().filter(|target| broken.contains(&target.node)) {
        let leftovers = env.clients.node.leftovers(&env.ctx, target).await?;
        let of_a_member = |left: &String| PLACES.iter().any(|place| left.ends_with(place));
        if !leftovers.running.is_empty() || leftovers.left.iter().any(of_a_member) {
            found.push(target.node.clone());
        }
    }
    Ok(found)
}

/// Has those that join find the API on the first member of the control plane that survived.
async fn redirect_joins(env: &StepEnv, wanted: &Wanted<'_>, broken: &[NodeName]) -> Result<bool, ClientError> {
    let Some(server) = reach_survivor(env, wanted, broken).await? else { return Ok(false) };
    let away: Vec<NodeTarget> = wanted.targets.iter().filter(|t| broken.contains(&t.node)).cloned().collect();
    env.clients.kube.redirect_joins(&env.ctx, &away, &server).await
}

/// Waits until the API answers on the first member of the control plane that survived, and keeps the kubeconfig for it: the usual one may
/// lead to a broken member.
async fn reach_survivor(
    env: &StepEnv,
    wanted: &Wanted<'_>,
    broken: &[NodeName],
) -> Result<Option<String>, ClientError> {
    let serves = |target: &&NodeTarget| {
        let host = wanted.parts.hosts.get(&target.node);
        !broken.contains(&target.node) && host.is_some_and(|host| host.is_in(super::choice::CONTROL_PLANE))
    };
    let Some(survivor) = wanted.targets.iter().find(serves) else { return Ok(None) };
    let server = format!("https://{}:{API_PORT}", survivor.address);
    env.clients.kube.fetch_kubeconfig(&env.ctx, survivor, &server).await?;
    Ok(Some(server))
}
