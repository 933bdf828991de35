//! The run: which play it is, and how it is judged.

use super::CLIENT;
use super::birth::incomplete_install;
use super::choice::{Choice, Sight, choose, left_behind};
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, differs, done, refused};
use crate::steps::{Explanation, StepKind};
use futures::future::{Either, join_all, select};
use plinth_model::engine::{KubesprayRecord, Play};
use plinth_model::finding::code;
use plinth_model::steps::{HostInputs, KubesprayRelease, KubesprayRun, NodeTarget, RunInputs};
use plinth_model::{Digest, EngineRecord, Finding, NodeName, Step, Version, amount};
use plinth_world::ansible::{HostStats, PlayRun, PlayStats};
use plinth_world::{ClientError, ClientResult, FailedOn, deadlines};
use std::collections::BTreeMap;
use std::pin::pin;

/// What is wanted of the run, by the plan.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) release: &'a KubesprayRelease,
    /// Hosts.
    pub(super) targets: &'a [NodeTarget],
    /// What the files are, in parts.
    pub(super) parts: &'a RunInputs,
    /// Workers that are left alone.
    pub(super) without: &'a [NodeName],
}

impl StepKind for KubesprayRun {
    const EXPLANATION: Explanation = Explanation {
        kind: KubesprayRun::KIND,
        title: "Kubernetes is deployed on every host.",
        probe: "Compares release, variables and hosts with those of the last run that succeeded, and asks the API whether it has them; says which play is needed.",
        act: "Runs the smallest safe play (new workers, upgrade, or all of cluster.yml) and judges its final statistics: every host must be there, without a failed task and without having been unreachable. Running it again is how Kubespray resumes.",
    };

    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        probe_run(env, &wanted(self)).await
    }

    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        play(env, &wanted(self)).await
    }
}

const fn wanted(run: &KubesprayRun) -> Wanted<'_> {
    Wanted {
        release: &run.release,
        targets: run.targets.as_slice(),
        parts: &run.parts,
        without: run.without.as_slice(),
    }
}

/// The last run that succeeded was made with this release, these files and these hosts, and the cluster has them.
async fn probe_run(env: &StepEnv, wanted: &Wanted<'_>) -> Result<Probed, ClientError> {
    match choice(env, wanted).await? {
        Ok(Choice::Nothing) => {
            let (version, hosts) = (&wanted.parts.version, amount(wanted.parts.hosts.len(), "host"));
            done(format!("Kubernetes {version} was deployed on {hosts} with {}", wanted.parts.tag))
        }
        Ok(Choice::Run(_, lines) | Choice::Anew(lines)) => Ok(differs(lines)),
        Err(finding) => blocked(*finding),
    }
}

async fn choice(env: &StepEnv, wanted: &Wanted<'_>) -> Result<Result<Choice, Box<Finding>>, ClientError> {
    let mut deployed = deployed(env).await?;
    if let Some(last) = &mut deployed.last {
        if let Some(finding) = left_behind(last, wanted.parts, wanted.without) {
            return Ok(Err(Box::new(finding)));
        }
        last.hosts.retain(|host, _| !wanted.without.contains(host));
    }
    let seen = match &deployed.last {
        Some(last) => seen(env, last, wanted.targets).await?,
        None => BTreeMap::new(),
    };
    let incomplete = incomplete_install(env, &deployed, wanted.targets).await;
    Ok(choose(&deployed, wanted.parts, &seen, incomplete.as_ref()))
}

/// What earlier plays left. A cluster that was taken over is none of Kubespray's.
pub(super) async fn deployed(env: &StepEnv) -> Result<KubesprayRecord, ClientError> {
    match env.record().await?.as_ref() {
        Some(EngineRecord::Kubespray(record)) => Ok((**record).clone()),
        None => Ok(KubesprayRecord::default()),
        Some(EngineRecord::Existing(record)) => {
            let text = format!(
                "the site took over the cluster at {}; Kubespray would install another one over it",
                record.server
            );
            let finding = Finding::error(code::KUBERNETES_ENGINE_CHANGED, "kubernetes.engine", text).fix(
                "write `engine: existing` again; for another cluster use another site name, or another folder with `--state DIR`",
            );
            Err(refused("engine", "looking at what earlier plays left".to_owned(), finding))
        }
    }
}

/// What the cluster says of the nodes that were deployed, and what they say themselves: the cluster calls a node Ready for most of a
/// minute after BCM began to make it anew. Before there is a kubeconfig, or while the API server is away, only the control plane and
/// etcd are asked; what is not known is no reason to run anything.
async fn seen(env: &StepEnv, last: &RunInputs, targets: &[NodeTarget]) -> ClientResult<BTreeMap<NodeName, Sight>> {
    let by_cluster = seen_by_cluster(env, last).await?;
    let asked = last.hosts.iter().filter(|(name, host)| host.is_quorum() || by_cluster.contains_key(*name));
    let asked = asked.map(|(name, _)| async move { Some((name.clone(), lost(env, name, targets).await?)) });
    let lost = join_all(asked).await;
    Ok(by_cluster.into_iter().chain(lost.into_iter().flatten()).collect())
}

/// By one list of all nodes: a cluster that cannot be asked says nothing of any.
async fn seen_by_cluster(env: &StepEnv, last: &RunInputs) -> ClientResult<BTreeMap<NodeName, Sight>> {
    let Ok(nodes) = env.nodes().await else { return Ok(BTreeMap::new()) };
    let members = last.hosts.iter().filter(|(_, host)| host.is_kubernetes_node());
    let sight = |name: &NodeName| match nodes.get(name.as_str()) {
        Some(node) => version(name, &node.version).map(Sight::Member),
        None => Ok(Sight::Gone),
    };
    members.map(|(name, _)| Ok((name.clone(), sight(name)?))).collect()
}

/// What a kubelet calls its version. One that cannot be read might be too old for any play, so nothing is chosen then.
fn version(node: &NodeName, told: &str) -> ClientResult<Version> {
    told.parse().map_err(|error| {
        let (doing, attempt) = (format!("reading the version of {node}"), "look at `kubectl get nodes`");
        ClientError::new("kube", doing).happened(format!("{error}")).attempt(attempt)
    })
}

/// Whether nothing of Kubernetes is on a node any more, as on one that BCM made anew. A node that cannot be asked has lost nothing.
async fn lost(env: &StepEnv, name: &NodeName, targets: &[NodeTarget]) -> Option<Sight> {
    let target = targets.iter().find(|target| target.node == *name)?;
    let look = pin!(env.control_plane(target));
    let Either::Left((seen, _)) = select(look, env.ctx.clock().sleep(deadlines::NODE_SAYS)).await else { return None };
    let seen = seen.ok()?;
    (seen.certificates.is_empty() && seen.kubelet != "active").then_some(Sight::Bare)
}

/// Runs the chosen play and judges its final statistics: exit codes say too little (a missing inventory ends with 0).
async fn play(env: &StepEnv, wanted: &Wanted<'_>) -> Result<String, ClientError> {
    let doing = || format!("choosing a play of {}", wanted.release.tag);
    let first = match choice(env, wanted).await?.map_err(|finding| refused(CLIENT, doing(), *finding))? {
        Choice::Run(play, _) => play,
        Choice::Anew(_) => Play::Reset,
        Choice::Nothing => return Ok("it became so meanwhile".to_owned()),
    };
    validate_inventory(env, wanted.release).await?;
    let begins_anew = first == Play::Reset;
    let said = one(env, wanted, first).await?;
    if begins_anew { one(env, wanted, Play::Cluster).await } else { Ok(said) }
}

/// Runs a play and judges its final statistics.
pub(super) async fn one(env: &StepEnv, wanted: &Wanted<'_>, play: Play) -> Result<String, ClientError> {
    let run = PlayRun {
        release: wanted.release.clone(),
        targets: wanted.targets.to_vec(),
        inputs: with_left_out(env, wanted, &play).await?,
        play,
    };
    let stats = env.clients.ansible.play(&env.ctx, &run).await?;
    let expected = run.expected();
    match refusal(&stats, &expected) {
        None => {
            let changed: u64 = stats.hosts.values().map(|host| host.changed).sum();
            let play = if run.play == Play::Cluster { String::new() } else { format!("{}: ", run.play.playbook()) };
            Ok(format!("{play}{}, {changed} tasks changed something, none failed", amount(stats.hosts.len(), "host")))
        }
        Some(finding) => {
            let error = refused(CLIENT, format!("running {} of {}", run.play.playbook(), run.release.tag), finding);
            let nodes = failed_on(&wrong(&stats, &expected));
            Err(error.failed_on(FailedOn { program: stats.failure, nodes }))
        }
    }
}

/// What is deployed when the play has succeeded: a host that was left alone is still there. All of cluster.yml may have changed what the
/// others have; so that it gets that too when it is back, its variables count as unknown.
async fn with_left_out(env: &StepEnv, wanted: &Wanted<'_>, play: &Play) -> ClientResult<RunInputs> {
    let mut inputs = wanted.parts.clone();
    let recovers = matches!(play, Play::Recover { .. });
    if wanted.without.is_empty() && !recovers {
        return Ok(inputs);
    }
    let last = deployed(env).await?.last;
    for (name, host) in last.into_iter().flat_map(|last| last.hosts) {
        // A recovery leaves workers alone: what is known of them stays known, also that they still lack something.
        if recovers && host.is_only_worker() {
            inputs.hosts.insert(name, host);
        } else if wanted.without.contains(&name) {
            let keeps = matches!(play, Play::Scale { .. });
            let variables = if keeps { host.variables.clone() } else { Digest::of("left out") };
            inputs.hosts.insert(name, HostInputs { variables, ..host });
        }
    }
    Ok(inputs)
}

/// The hosts that a play failed on; none when of one of them nothing is known.
fn failed_on(wrong: &[(&str, Wrong)]) -> Vec<NodeName> {
    if wrong.iter().any(|(_, wrong)| matches!(wrong, Wrong::Missing)) {
        return Vec::new();
    }
    // Nor when one is none of the site.
    wrong.iter().map(|(name, _)| NodeName::new(name).ok()).collect::<Option<_>>().unwrap_or_default()
}

/// The check of its input that Kubespray itself has, where the release has such a check: it takes seconds, and nothing is touched yet.
pub(super) async fn validate_inventory(env: &StepEnv, release: &KubesprayRelease) -> Result<(), ClientError> {
    let complaints = match env.clients.ansible.validate_inventory(&env.ctx, release).await? {
        Some(complaints) if !complaints.is_empty() => complaints,
        _ => return Ok(()),
    };
    let message = format!("Kubespray {} does not take its input: {} complaints", release.tag, complaints.len());
    let mut finding = Finding::error(code::KUBESPRAY_INPUT_REFUSED, "kubespray", message).fix(
        "correct what it names in the site file (`kubernetes`, `extraVars`), then run again: Kubespray touched no node",
    );
    finding.evidence = complaints;
    Err(refused(CLIENT, format!("having Kubespray {} check its input", release.tag), finding))
}

/// What went wrong with a host in a play.
enum Wrong {
    /// It answered no more; no task failed.
    Unreachable,
    /// This many tasks failed.
    Failed(u64),
    /// The final statistics do not have it.
    Missing,
}

impl Wrong {
    fn of(host: &HostStats) -> Option<Self> {
        match (host.failures, host.unreachable) {
            (0, 0) => None,
            (0, _) => Some(Self::Unreachable),
            (failures, _) => Some(Self::Failed(failures)),
        }
    }

    fn sentence(&self, host: &str) -> String {
        match self {
            Self::Unreachable => format!("{host}: became unreachable"),
            Self::Failed(1) => format!("{host}: 1 task failed"),
            Self::Failed(tasks) => format!("{host}: {tasks} tasks failed"),
            Self::Missing => format!("{host}: not in the final statistics, so nothing is known of it"),
        }
    }
}

/// Every expected host must be in the statistics; no host at all may have failed or been unreachable.
fn wrong<'a>(stats: &'a PlayStats, expected: &[&'a NodeName]) -> Vec<(&'a str, Wrong)> {
    let judged = stats.hosts.iter().filter_map(|(name, host)| Some((name.as_str(), Wrong::of(host)?)));
    let missing = expected.iter().map(|host| host.as_str()).filter(|host| !stats.hosts.contains_key(*host));
    judged.chain(missing.map(|host| (host, Wrong::Missing))).collect()
}

/// What is to be said of a play that did not succeed everywhere.
pub(super) fn refusal(stats: &PlayStats, expected: &[&NodeName]) -> Option<Finding> {
    let wrong = wrong(stats, expected);
    (!wrong.is_empty()).then(|| not_everywhere(stats, &wrong, expected.len()))
}

fn not_everywhere(stats: &PlayStats, wrong: &[(&str, Wrong)], expected: usize) -> Finding {
    let names = wrong.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let message = format!("Kubespray did not succeed on {} of {expected} hosts: {names}", wrong.len());
    let mut finding = Finding::error(code::KUBESPRAY_HOST_FAILED, names, message).fix(remedy(wrong, &stats.hints));
    let sentences = wrong.iter().map(|(name, wrong)| wrong.sentence(name));
    finding.evidence = sentences.chain(stats.cards.iter().cloned()).collect();
    finding
}

/// What to try: lost hosts must answer again, failed tasks must be fixed.
fn remedy(wrong: &[(&str, Wrong)], hints: &[String]) -> String {
    let (lost, others): (Vec<_>, Vec<_>) = wrong.iter().partition(|(_, wrong)| matches!(wrong, Wrong::Unreachable));
    let mut parts: Vec<String> = hints.to_vec();
    if !others.is_empty() && hints.is_empty() {
        let names: Vec<&str> = others.iter().map(|(name, _)| *name).collect();
        parts.push(format!("fix what the failed task of {} says above", names.join(", ")));
    }
    if !lost.is_empty() {
        let names: Vec<&str> = lost.iter().map(|(name, _)| *name).collect();
        let answer = if lost.len() == 1 { "answers" } else { "answer" };
        parts.push(format!("see that {} {answer} over SSH again", names.join(", ")));
    }
    format!("{}, then run again: Kubespray goes over finished tasks quickly", parts.join(", "))
}
