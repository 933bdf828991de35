//! Simulated Ansible with Kubespray.

use super::Call;
use super::play::{JOINS, PLAYS, PREPARES, etcd, kube_version, names, total};
use crate::data_centre::DataCentre;
use crate::faults::{FaultKind, NodeFault, NodeOperation};
use crate::timing;
use crate::world::Effect;
use crate::world::state::AccountProgress;
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::engine::{Begun, KubesprayRecord, Play};
use plinth_model::run::CommandFailure;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Digest, NodeName};
use plinth_world::ansible::{AnsibleClient, Artifact, Download, HostStats, PlayHosts, PlayRun, PlayStats};
use plinth_world::{ClientResult, Context};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const CLIENT: &str = "ansible";

/// Ansible with Kubespray.
pub(crate) struct SimAnsible {
    pub(crate) centre: Arc<DataCentre>,
}

/// What ends a play early.
struct Broken {
    /// Position of the play.
    play: usize,
    /// Hosts, and whether they are unreachable (else: a task failed).
    hosts: BTreeMap<NodeName, bool>,
}

/// One run of a playbook.
struct Run<'a> {
    hosts: &'a [NodeName],
    version: String,
    duration: Duration,
    broken: Option<Broken>,
}

fn call(doing: &str, release: &KubesprayRelease) -> Call {
    Call::new(CLIENT, format!("{doing} Kubespray {}", release.tag))
}

/// The lowest version a requirement such as `>=2.16.4, <2.18` names.
fn lowest(requirement: &str) -> String {
    let first = requirement.split(',').next().unwrap_or_default();
    first.trim_start_matches(['>', '=', '~', '^', ' ']).trim().to_owned()
}

impl SimAnsible {
    /// Refuses what the real thing would refuse before its first task.
    fn prepare(&self, release: &KubesprayRelease, hosts: &[NodeName]) -> ClientResult<(String, bool)> {
        let call = call("running a playbook of", release);
        self.centre.look(|state, _| {
            let controller = &state.controller;
            if !controller.sources.contains_key(release.tag.as_str())
                || !controller.environments.contains_key(release.tag.as_str())
            {
                return Err(call.fails("its source or its Python environment is not here", "make both first"));
            }
            if controller.files.is_empty() || hosts.is_empty() {
                return Err(call.fails("the inventory is empty", "write the inventory first"));
            }
            let Some(version) = controller.kube_version.clone() else {
                return Err(call.fails("the variables do not name `kube_version`", "pin the Kubernetes version"));
            };
            let made = |host: &&NodeName| {
                let account = state.machines.get(*host).and_then(|machine| machine.account.as_ref());
                matches!(account, Some(AccountProgress::Made(_)))
            };
            let strange: Vec<&str> = hosts.iter().filter(|host| !made(host)).map(NodeName::as_str).collect();
            if !strange.is_empty() {
                let hosts = strange.join(", ");
                return Err(
                    call.fails(format!("no login with the service account on {hosts}"), "prepare these nodes first")
                );
            }
            let again = hosts.iter().all(|host| state.cluster.members.contains_key(host));
            Ok((version, again))
        })?
    }

    fn broken(&self, hosts: &[NodeName]) -> ClientResult<Option<Broken>> {
        let mut failed = BTreeMap::new();
        let mut lost = BTreeMap::new();
        for host in hosts {
            let name = host.as_str();
            if self.centre.strikes(|kind| matches!(kind, FaultKind::Play { node } if node == name))? {
                failed.insert(host.clone(), false);
            }
            if self.centre.strikes(|kind| away(kind, name))? {
                lost.insert(host.clone(), true);
            }
        }
        // The play of a failing task comes first, so a host that would be lost later is not reached.
        Ok(if !failed.is_empty() {
            Some(Broken { play: PREPARES, hosts: failed })
        } else if lost.is_empty() {
            None
        } else {
            Some(Broken { play: JOINS, hosts: lost })
        })
    }

    /// Goes through the plays; answers how many tasks each host did.
    async fn go(&self, ctx: &Context, run: &Run<'_>) -> ClientResult<u64> {
        let mut done = 0;
        for (position, play) in PLAYS.iter().enumerate() {
            let ends = run.broken.as_ref().is_some_and(|broken| broken.play == position);
            let parts = play.tasks.div_ceil(40).min(6);
            // A play breaks in its middle: any_errors_fatal then stops it for all hosts.
            let parts_done = if ends { parts.div_ceil(2) } else { parts };
            for part in 0..parts_done {
                ctx.progress(
                    done + play.tasks * part / parts,
                    total(),
                    format!("play {}/15: {}", position + 1, play.title),
                );
                self.centre.wait(share(run.duration, play.tasks, total()) / u32::try_from(parts).unwrap_or(1)).await;
            }
            done += play.tasks * parts_done / parts;
            self.leave(position, run)?;
            if ends {
                return Ok(done);
            }
        }
        ctx.progress(total(), total(), "all plays done");
        Ok(done)
    }

    /// What is irrevocable behind a play. With the linear strategy the other hosts finish the task at which one is lost.
    fn leave(&self, position: usize, run: &Run<'_>) -> ClientResult<()> {
        if position != PREPARES && position != JOINS {
            return Ok(());
        }
        let lost = |host: &NodeName| {
            run.broken.as_ref().is_some_and(|broken| broken.play == position && broken.hosts.contains_key(host))
        };
        for host in run.hosts.iter().filter(|host| !lost(host)) {
            let there = self.centre.look(|state, _| match position {
                PREPARES => state.machines.get(host).is_some_and(|machine| machine.prepared),
                _ => state.cluster.members.get(host).is_some_and(|member| member.version == run.version),
            })?;
            if !there && position == PREPARES {
                self.centre.effect(Effect::HostPrepared { node: host.clone() })?;
            } else if !there {
                self.centre.effect(Effect::HostJoined { node: host.clone(), version: run.version.clone() })?;
            }
        }
        Ok(())
    }

    fn begin(&self, run: &PlayRun) -> ClientResult<()> {
        let begun = Begun { play: run.play.clone(), inputs: run.inputs.clone(), since: None };
        let deployed = self.centre.look(|state, _| state.controller.deployed.clone())?;
        // Going over what is done already leaves no trace here; elsewhere it would be one more record for every run.
        if deployed.begun.as_ref() == Some(&begun) || deployed.last.as_ref() == Some(&run.inputs) {
            return Ok(());
        }
        self.centre.effect(Effect::PlayBegun { begun })
    }

    fn finish(&self, run: &PlayRun) -> ClientResult<()> {
        let deployed = KubesprayRecord { last: Some(run.inputs.clone()), begun: None, at: None };
        let (same, waiting) = self.centre.look(|state, _| {
            let members = &state.cluster.members;
            let waits = |host: &&NodeName| members.get(*host).is_none_or(|member| member.ready_at.is_none());
            let waiting: Vec<NodeName> = run.inputs.hosts.keys().filter(waits).cloned().collect();
            (state.controller.deployed == deployed, waiting)
        })?;
        if same && waiting.is_empty() {
            return Ok(());
        }
        let timing = self.centre.timing;
        let ready = |host: NodeName| {
            let wait = timing.between("node-ready", host.as_str(), timing::NODE_READY);
            (host, self.centre.after(wait))
        };
        self.centre.effect(Effect::PlayFinished {
            inputs: run.inputs.clone(),
            ready_at: waiting.into_iter().map(ready).collect(),
        })
    }

    /// Takes Kubernetes away from hosts.
    async fn remove(&self, ctx: &Context, run: &PlayRun, hosts: &[NodeName]) -> ClientResult<PlayStats> {
        ctx.progress(0, 0, run.play.playbook());
        self.centre.spend("play-remove", run.release.tag.as_str(), timing::ENVIRONMENT).await;
        self.centre.effect(Effect::HostsLeft { nodes: hosts.to_vec(), left: run.leaves() })?;
        let stats = HostStats { ok: 1, changed: 1, ..HostStats::default() };
        let hosts = run.expected().into_iter().map(|host| (host.to_string(), stats)).collect();
        Ok(PlayStats { hosts, ..PlayStats::default() })
    }
}

/// Hosts that a play touches.
fn touched(run: &PlayRun) -> Vec<NodeName> {
    match &run.play {
        Play::Scale { nodes } | Play::Remove { nodes, .. } => nodes.clone(),
        Play::Cluster | Play::Upgrade | Play::Reset | Play::Recover { .. } => {
            run.targets.iter().map(|target| target.node.clone()).collect()
        }
    }
}

fn away(kind: &FaultKind, name: &str) -> bool {
    let FaultKind::Node { node, fault } = kind else { return false };
    node == name
        && matches!(
            fault,
            NodeFault::Unreachable(None | Some(NodeOperation::Kubernetes)) | NodeFault::Drop(NodeOperation::Kubernetes)
        )
}

#[expect(clippy::cast_precision_loss)]
fn share(whole: Duration, part: u64, of: u64) -> Duration {
    whole.mul_f64(part as f64 / of as f64)
}

#[expect(clippy::cast_precision_loss)]
fn seconds(hosts: usize, again: bool) -> f64 {
    let whole = timing::PLAY + timing::PLAY_PER_DOUBLING * (hosts.max(1) as f64).log2();
    if again { whole * timing::PLAY_AGAIN } else { whole }
}

fn stats(run: &Run<'_>, done: u64, again: bool) -> PlayStats {
    let of = |host: &NodeName| {
        let end = run.broken.as_ref().and_then(|broken| broken.hosts.get(host));
        HostStats {
            ok: done,
            changed: if again { done / 40 } else { done / 6 },
            failures: u64::from(end == Some(&false)),
            unreachable: u64::from(end == Some(&true)),
        }
    };
    let hosts: IndexMap<String, HostStats> = run.hosts.iter().map(|host| (host.to_string(), of(host))).collect();
    let failed = hosts.iter().filter(|(_, stats)| stats.failures > 0).map(|(host, _)| host);
    let cards: Vec<String> =
        failed.map(|host| format!("{host}: the task that this rehearsal's fault made fail: made-up failure")).collect();
    // ansible-playbook ends with 2 when a task failed on a host.
    let failure = (!cards.is_empty())
        .then(|| CommandFailure { exit: Some(2), ..CommandFailure::of("ansible-playbook (simulated)", &cards) });
    PlayStats { cards, hosts, failure, ..PlayStats::default() }
}

#[async_trait]
impl AnsibleClient for SimAnsible {
    async fn source(&self, _: &Context, release: &KubesprayRelease) -> ClientResult<Option<(String, String)>> {
        self.centre.look(|state, _| state.controller.sources.get(release.tag.as_str()).cloned())
    }

    async fn fetch_source(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()> {
        let wanted = (release.commit.clone(), release.tree.clone());
        if self.centre.look(|state, _| state.controller.sources.get(release.tag.as_str()) == Some(&wanted))? {
            return Ok(());
        }
        ctx.progress(0, 0, format!("fetching {}", release.tag));
        self.centre.spend("kubespray-source", release.tag.as_str(), timing::SOURCE).await;
        let (commit, tree) = wanted;
        self.centre.effect(Effect::SourceFetched { tag: release.tag.to_string(), commit, tree })
    }

    async fn environment(&self, _: &Context, release: &KubesprayRelease) -> ClientResult<Option<String>> {
        self.centre.look(|state, _| state.controller.environments.get(release.tag.as_str()).cloned())
    }

    async fn make_environment(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()> {
        let call = call("making the Python environment of", release);
        let (source, here) = self.centre.look(|state, _| {
            let controller = &state.controller;
            (
                controller.sources.contains_key(release.tag.as_str()),
                controller.environments.get(release.tag.as_str()).cloned(),
            )
        })?;
        if !source {
            return Err(
                call.fails("its source is not here, so its requirements are not known", "fetch the source first")
            );
        }
        let ansible_core = lowest(&release.ansible_core);
        if here.as_ref() == Some(&ansible_core) {
            return Ok(());
        }
        ctx.progress(0, 0, format!("installing ansible {}", release.ansible));
        self.centre.spend("kubespray-environment", release.tag.as_str(), timing::ENVIRONMENT).await;
        self.centre.effect(Effect::EnvironmentMade { tag: release.tag.to_string(), ansible_core })
    }

    async fn inventory(&self, _: &Context) -> ClientResult<IndexMap<String, Digest>> {
        self.centre.look(|state, _| state.controller.files.clone())
    }

    async fn write_inventory(&self, _: &Context, files: &IndexMap<String, String>) -> ClientResult<()> {
        let digests: IndexMap<String, Digest> =
            files.iter().map(|(name, content)| (name.clone(), Digest::of_bytes(content.as_bytes()))).collect();
        if self.centre.look(|state, _| state.controller.files == digests)? {
            return Ok(());
        }
        let kube_version = kube_version(files.values().map(String::as_str));
        let names = names(files.values().map(String::as_str));
        let etcd = etcd(files.values().map(String::as_str));
        self.centre.effect(Effect::InventoryWritten { files: digests, kube_version, names, etcd })
    }

    async fn play(&self, ctx: &Context, run: &PlayRun) -> ClientResult<PlayStats> {
        let hosts = touched(run);
        let (version, again) = self.prepare(&run.release, &hosts)?;
        self.begin(run)?;
        if run.play.removes() {
            return self.remove(ctx, run, &hosts).await;
        }
        let duration = self.centre.timing.around("play", run.release.tag.as_str(), seconds(hosts.len(), again));
        let one = Run { hosts: &hosts, version, duration, broken: self.broken(&hosts)? };
        let done = self.go(ctx, &one).await?;
        if one.broken.is_none() {
            self.finish(run)?;
        }
        Ok(stats(&one, done, again))
    }

    async fn preview(&self, _: &Context, run: &PlayRun) -> ClientResult<Vec<PlayHosts>> {
        let hosts: Vec<String> = touched(run).iter().map(ToString::to_string).collect();
        let play = |play: &super::play::Play| PlayHosts { play: play.title.to_owned(), hosts: hosts.clone() };
        Ok(PLAYS.iter().map(play).collect())
    }

    /// The simulated release has no check of its own.
    async fn validate_inventory(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<Vec<String>>> {
        Ok(None)
    }

    /// Some of what the real thing names: with checksums that are nobody's, since nothing is fetched.
    async fn downloads(&self, _: &Context, release: &KubesprayRelease) -> ClientResult<Vec<Download>> {
        let call = call("asking what is needed of", release);
        if self.centre.look(|state, _| !state.controller.environments.contains_key(release.tag.as_str()))? {
            return Err(call.fails("its Python environment is not here", "make it first"));
        }
        self.centre.spend("downloads", release.tag.as_str(), timing::LIST).await;
        Ok(FILES.iter().map(|(name, groups)| download(release, name, groups)).collect())
    }
}

/// Files, and the groups that need them.
const FILES: [(&str, &str); 6] = [
    ("etcd", "etcd"),
    ("kubeadm", "k8s_cluster"),
    ("kubelet", "k8s_cluster"),
    ("kubectl", "kube_control_plane"),
    ("containerd", "k8s_cluster"),
    ("runc", "k8s_cluster"),
];

fn download(release: &KubesprayRelease, name: &str, group: &str) -> Download {
    let file = Artifact::File {
        url: format!("https://example.com/{}/{name}", release.tag),
        dest: format!("{name}-{}", release.tag),
        sha256: Some(Digest::of(&(release.tag.as_str(), name)).as_str().to_owned()),
    };
    Download { name: name.to_owned(), groups: vec![group.to_owned()], enabled: true, what: file }
}
