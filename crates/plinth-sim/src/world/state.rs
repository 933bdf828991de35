//! State: all effects folded.

use super::effect::{Effect, Installed, Record};
use super::hardware::{Hardware, Pin};
use indexmap::IndexMap;
use jiff::Timestamp;
use plinth_model::download::DownloadList;
use plinth_model::engine::{ExistingRecord, KubesprayRecord};
use plinth_model::steps::{Account, OrgUnit, PodSecurity};
use plinth_model::{Digest, NodeName, Values, Version};
use plinth_world::helm::{DEPLOYED, SUPERSEDED};
use plinth_world::kube::taint_name;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// How far the account is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AccountProgress {
    /// User without authorised key.
    Begun(Account),
    /// All of it.
    Made(Account),
}

/// A machine and what was done to it.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// What it is.
    pub(crate) hardware: Hardware,
    /// Accepted host key. Kept by the client in reality; here beside the machine.
    pub(crate) pin: Option<Pin>,
    /// Service account.
    pub(crate) account: Option<AccountProgress>,
    /// Where containerd's data moved to.
    pub(crate) relocated_to: Option<String>,
    /// The old copy of that data is still there.
    pub(crate) old_copy: bool,
    /// Digest of what was prepared beside the engine.
    pub(crate) preparation: Option<Digest>,
    /// Digest of mirrors and logins.
    pub(crate) registries: Option<Digest>,
    /// Files that were pushed, path to checksum.
    pub(crate) files: BTreeMap<String, String>,
    /// Whether a play prepared it.
    pub(crate) prepared: bool,
}

/// The machine that runs Ansible.
#[derive(Clone, Debug, Default)]
pub(crate) struct Controller {
    /// Tag to commit and tree.
    pub(crate) sources: BTreeMap<String, (String, String)>,
    /// Tag to ansible-core version.
    pub(crate) environments: BTreeMap<String, String>,
    /// File name to digest.
    pub(crate) files: IndexMap<String, Digest>,
    /// Names that those files put into the cluster's DNS.
    pub(crate) names: BTreeMap<String, Ipv4Addr>,
    /// Hosts of the group `etcd` in those files.
    pub(crate) etcd: Vec<String>,
    /// `kube_version` of those files.
    pub(crate) kube_version: Option<String>,
    /// List of files that the engine needs on nodes.
    pub(crate) list: Option<DownloadList>,
    /// Checksums of files that were fetched.
    pub(crate) held: BTreeSet<String>,
    /// What plays left.
    pub(crate) deployed: KubesprayRecord,
    /// The cluster that was taken over.
    pub(crate) taken_over: Option<ExistingRecord>,
}

/// A member of the cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// kubelet version.
    pub(crate) version: String,
    /// When it is Ready; none: not before a play ends.
    pub(crate) ready_at: Option<Timestamp>,
    pub(crate) labels: IndexMap<String, String>,
    pub(crate) taints: BTreeSet<String>,
    /// Keys of the labels that plinth set.
    pub(crate) own_labels: BTreeSet<String>,
    /// Names of the taints that plinth set.
    pub(crate) own_taints: BTreeSet<String>,
}

impl Member {
    fn label(&mut self, labels: &IndexMap<String, String>, taints: &[String], dropped: &[String]) {
        let is_dropped = |name: &str| dropped.iter().any(|dropped| dropped == name);
        self.labels.retain(|key, _| !is_dropped(key));
        self.taints.retain(|taint| !is_dropped(&taint_name(taint)));
        self.own_labels.retain(|key| !is_dropped(key));
        self.own_taints.retain(|name| !is_dropped(name));
        for (key, value) in labels {
            if self.labels.insert(key.clone(), value.clone()).as_ref() != Some(value) {
                self.own_labels.insert(key.clone());
            }
        }
        for taint in taints.iter().filter(|taint| !self.taints.contains(*taint)).cloned().collect::<Vec<_>>() {
            self.taints.retain(|known| taint_name(known) != taint_name(&taint));
            self.own_taints.insert(taint_name(&taint));
            self.taints.insert(taint);
        }
    }
}

/// A Kubernetes secret: never its content.
#[derive(Clone, Debug)]
pub(crate) struct StoredSecret {
    /// `registry-login`, `tls`, `authority`, `value`.
    pub(crate) class: String,
    /// Salted digest.
    pub(crate) digest: Digest,
}

/// An applied object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Digest of the manifest.
    pub(crate) digest: Digest,
    /// When its controller made it so.
    pub(crate) settled_at: Timestamp,
    /// The version that it wants, at `spec.version`.
    pub(crate) version: Option<Version>,
    /// The version that it had before.
    pub(crate) before: Option<Version>,
    /// Its controller does not take what it wants.
    pub(crate) refused: bool,
}

impl Object {
    /// Whether its controller made it so.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        !self.refused && self.settled_at <= now
    }

    /// The version that its controller tells, at `status.version`.
    pub(crate) fn told(&self, now: Timestamp) -> Option<&Version> {
        if self.is_settled(now) { self.version.as_ref() } else { self.before.as_ref() }
    }
}

/// Kubernetes. Exists once a host joined.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) members: BTreeMap<NodeName, Member>,
    /// Server of our kubeconfig.
    pub(crate) kubeconfig: Option<String>,
    /// Namespace to level.
    pub(crate) namespaces: BTreeMap<String, PodSecurity>,
    /// `namespace/name` to secret.
    pub(crate) secrets: BTreeMap<String, StoredSecret>,
    /// `namespace/name` of a secret that changed since its readers began: when the restarted ones are ready; none: they were not restarted.
    pub(crate) readers: BTreeMap<String, Option<Timestamp>>,
    /// `resource/namespace/name` to object.
    pub(crate) objects: BTreeMap<String, Object>,
    /// Name to address.
    pub(crate) dns: BTreeMap<String, Ipv4Addr>,
    /// Those names in it that plinth put there, and not the engine.
    pub(crate) own_names: BTreeSet<String>,
    /// `namespace/name` to release.
    pub(crate) releases: BTreeMap<String, Installed>,
    /// `namespace/name` to the revisions before the newest, oldest first.
    pub(crate) history: BTreeMap<String, Vec<Installed>>,
    /// `namespace/name` of a release to what somebody changed in its objects.
    pub(crate) edited: BTreeMap<String, Vec<String>>,
}

/// The Run:ai control plane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runai {
    /// Entries: id and name, in order. Names may occur twice.
    pub(crate) clusters: Vec<(String, String)>,
    /// Entry whose credentials are kept.
    pub(crate) credentials: Option<String>,
    /// Departments and projects.
    pub(crate) units: BTreeMap<OrgUnitKey, OrgUnit>,
}

/// What tells departments and projects apart: a project has one name in the cluster, whatever its department.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrgUnitKey {
    is_project: bool,
    name: String,
}

impl OrgUnitKey {
    /// Of this one.
    pub(crate) fn of(unit: &OrgUnit) -> Self {
        Self { is_project: unit.department.is_some(), name: unit.name.clone() }
    }
}

/// Everything that is true of the data centre: what all effects so far amount to.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) machines: BTreeMap<NodeName, Machine>,
    /// Ansible's machine.
    pub(crate) controller: Controller,
    /// Kubernetes.
    pub(crate) cluster: Cluster,
    /// Run:ai.
    pub(crate) runai: Runai,
    /// Names of generated secrets that were kept.
    pub(crate) kept_secrets: BTreeSet<String>,
    /// Faults that fired.
    pub(crate) fired: BTreeSet<String>,
    /// How often each kind of effect happened.
    pub(crate) counts: BTreeMap<String, usize>,
    /// When the last effect happened.
    pub(crate) last: Option<Timestamp>,
    /// Moments behind the last effect on which answers depend.
    pub(crate) moments: BTreeSet<Timestamp>,
}

impl State {
    /// Folds one record in.
    pub(crate) fn apply(&mut self, record: &Record) {
        *self.counts.entry(record.effect.kind()).or_default() += 1;
        let last = self.last.map_or(record.at, |last| last.max(record.at));
        self.last = Some(last);
        self.moments.extend(record.effect.moments());
        while self.moments.first().is_some_and(|moment| *moment <= last) {
            self.moments.pop_first();
        }
        self.apply_to_machines(&record.effect);
        self.apply_to_controller(&record.effect);
        self.apply_to_cluster(&record.effect);
        self.apply_to_rest(&record.effect);
    }

    fn apply_to_machines(&mut self, effect: &Effect) {
        if let Effect::MachineInstalled { node, hardware } = effect {
            return self.install(node, hardware);
        }
        let mut change = |node: &NodeName, with: &dyn Fn(&mut Machine)| {
            if let Some(machine) = self.machines.get_mut(node) {
                with(machine);
            }
        };
        match effect {
            Effect::HostKeyPinned { node, pin } => change(node, &|m| m.pin = Some(pin.clone())),
            Effect::AccountBegun { node, account } => {
                change(node, &|m| m.account = Some(AccountProgress::Begun(account.clone())));
            }
            Effect::AccountMade { node, account } => {
                change(node, &|m| m.account = Some(AccountProgress::Made(account.clone())));
            }
            Effect::StorageRelocated { node, to } => change(node, &|m| {
                m.relocated_to = Some(to.clone());
                m.old_copy = true;
            }),
            Effect::OldStorageRemoved { node } => change(node, &|m| m.old_copy = false),
            Effect::NodePrepared { node, digest } => change(node, &|m| m.preparation = Some(digest.clone())),
            Effect::RegistriesSet { node, digest } => change(node, &|m| m.registries = Some(digest.clone())),
            Effect::FilePushed { node, path, sha256 } => {
                change(node, &|m| drop(m.files.insert(path.clone(), sha256.clone())));
            }
            Effect::HostPrepared { node } => change(node, &|m| m.prepared = true),
            _ => {}
        }
    }

    fn install(&mut self, node: &NodeName, hardware: &Hardware) {
        let machine = self.machines.entry(node.clone()).or_insert_with(|| Machine {
            hardware: hardware.clone(),
            pin: None,
            account: None,
            relocated_to: None,
            old_copy: false,
            preparation: None,
            registries: None,
            files: BTreeMap::new(),
            prepared: false,
        });
        machine.hardware = hardware.clone();
    }

    fn apply_to_controller(&mut self, effect: &Effect) {
        let controller = &mut self.controller;
        match effect {
            Effect::SourceFetched { tag, commit, tree } => {
                controller.sources.insert(tag.clone(), (commit.clone(), tree.clone()));
            }
            Effect::EnvironmentMade { tag, ansible_core } => {
                controller.environments.insert(tag.clone(), ansible_core.clone());
            }
            Effect::InventoryWritten { files, kube_version, names, etcd } => {
                controller.files.clone_from(files);
                controller.names.clone_from(names);
                controller.etcd.clone_from(etcd);
                controller.kube_version.clone_from(kube_version);
            }
            Effect::ListKept { list } => controller.list = Some(list.clone()),
            Effect::FileFetched { sha256 } => {
                controller.held.insert(sha256.clone());
            }
            Effect::TakenOver { record } => controller.taken_over = Some(record.clone()),
            Effect::PlayBegun { begun } => controller.deployed.begun = Some(begun.clone()),
            Effect::PlayFinished { inputs, .. } => {
                controller.deployed = KubesprayRecord { last: Some(inputs.clone()), begun: None, at: None };
            }
            Effect::HostsLeft { left, .. } => {
                controller.deployed = KubesprayRecord { last: left.clone(), begun: None, at: None }
            }
            _ => {}
        }
    }

    fn apply_to_cluster(&mut self, effect: &Effect) {
        let cluster = &mut self.cluster;
        match effect {
            Effect::HostJoined { node, version } => {
                cluster.members.entry(node.clone()).or_default().version.clone_from(version);
            }
            Effect::PlayFinished { ready_at, .. } => {
                cluster.dns.extend(self.controller.names.clone());
                for (node, at) in ready_at {
                    cluster.members.entry(node.clone()).or_default().ready_at = Some(*at);
                }
            }
            Effect::ClusterFound { nodes, version } => {
                let ready_at = self.last;
                let member = || Member { version: version.clone(), ready_at, ..Member::default() };
                cluster.members.extend(nodes.iter().map(|node| (node.clone(), member())));
            }
            Effect::HostsLeft { nodes, .. } => cluster.members.retain(|name, _| !nodes.contains(name)),
            Effect::KubeconfigFetched { server } => cluster.kubeconfig = Some(server.clone()),
            Effect::NodeLabelled { node, labels, taints, dropped } => {
                cluster.members.entry(node.clone()).or_default().label(labels, taints, dropped);
            }
            Effect::NamespaceMade { name, level } => {
                cluster.namespaces.insert(name.clone(), *level);
            }
            Effect::DnsAdded { name, address } => {
                cluster.dns.insert(name.clone(), *address);
                cluster.own_names.insert(name.clone());
            }
            Effect::DnsRemoved { name } => {
                cluster.dns.remove(name);
                cluster.own_names.remove(name);
            }
            _ => cluster.apply_to_contents(effect, self.last.unwrap_or_default()),
        }
    }

    fn apply_to_rest(&mut self, effect: &Effect) {
        match effect {
            Effect::ClusterRegistered { uuid, name } => self.runai.clusters.push((uuid.clone(), name.clone())),
            Effect::CredentialsKept { uuid } => self.runai.credentials = Some(uuid.clone()),
            Effect::OrgUnitSet { unit } => {
                self.runai.units.insert(OrgUnitKey::of(unit), unit.clone());
            }
            Effect::SecretKept { name } => {
                self.kept_secrets.insert(name.clone());
            }
            Effect::SecretForgotten { name } => drop(self.kept_secrets.remove(name)),
            Effect::ControlPlaneLost => {
                self.runai.clusters.clear();
                self.runai.units.clear();
            }
            Effect::FaultFired { fault } => {
                self.fired.insert(fault.clone());
            }
            _ => {}
        }
    }
}

impl Cluster {
    fn apply_to_contents(&mut self, effect: &Effect, now: Timestamp) {
        match effect {
            Effect::SecretMade { namespace, name, class, digest } => {
                let secret = StoredSecret { class: class.clone(), digest: digest.clone() };
                let key = format!("{namespace}/{name}");
                let before = self.secrets.insert(key.clone(), secret);
                // What a release mounts by sub-path; certificates follow their secrets.
                let inside = format!("{namespace}/");
                let is_read = class == "authority" && self.releases.keys().any(|release| release.starts_with(&inside));
                if is_read && before.is_some_and(|before| before.digest != *digest) {
                    self.readers.insert(key, None);
                }
            }
            Effect::ReadersRestarted { namespace, secret, ready_at } => {
                self.readers.insert(format!("{namespace}/{secret}"), Some(*ready_at));
            }
            Effect::ObjectApplied { key, digest, settled_at, version, refused } => {
                let before = self.objects.get(key).and_then(|object| object.told(now)).cloned();
                let (digest, version) = (digest.clone(), version.clone());
                let object = Object { digest, settled_at: *settled_at, version, before, refused: *refused };
                self.objects.insert(key.clone(), object);
            }
            Effect::ObjectRemoved { key } => drop(self.objects.remove(key)),
            Effect::ObjectsEdited { namespace, name, lines } => {
                let key = format!("{namespace}/{name}");
                self.edited.remove(&key);
                self.edited.extend((!lines.is_empty()).then(|| (key, lines.clone())));
            }
            Effect::ReleaseRemoved { namespace, name } => {
                let key = format!("{namespace}/{name}");
                self.edited.remove(&key);
                self.releases.remove(&key);
                self.history.remove(&key);
            }
            Effect::ReleaseRolledBack { namespace, name, to, healthy_at } => {
                self.roll_back(&format!("{namespace}/{name}"), *to, now, *healthy_at);
            }
            Effect::ReleaseBegun { namespace, name, chart, version, component } => {
                let key = format!("{namespace}/{name}");
                self.remember(&key);
                self.begin(key, Installed::begun(chart, version, component), now);
            }
            Effect::ReleaseEnded { namespace, name, release } => {
                let key = format!("{namespace}/{name}");
                let there = self.releases.get(&key);
                let (revision, first_deployed) = there.map_or((1, now), |there| (there.revision, there.first_deployed));
                if release.status == DEPLOYED {
                    self.supersede(&key);
                }
                self.edited.remove(&key);
                let ended = Installed { revision, since: now, first_deployed, ..(**release).clone() };
                self.releases.insert(key, ended);
            }
            _ => {}
        }
    }
}

impl Cluster {
    /// The newest revision becomes one of history, before there is another one.
    fn remember(&mut self, key: &str) {
        let Some(mut there) = self.releases.get(key).cloned() else { return };
        if there.status.starts_with("pending-") {
            "failed".clone_into(&mut there.status);
        }
        self.history.entry(key.to_owned()).or_default().push(there);
    }

    /// One more revision. Before one was ever deployed it is a new installation, however often that was tried before: only the number of the
    /// revision goes on (`helm install --replace`).
    fn begin(&mut self, key: String, new: Installed, now: Timestamp) {
        let mut earlier = self.history.get(&key).into_iter().flatten();
        let was_deployed = earlier.any(|one| one.status == DEPLOYED || one.status == SUPERSEDED);
        let release = self.releases.entry(key).or_insert(new);
        let pending = if was_deployed { "pending-upgrade" } else { "pending-install" };
        pending.clone_into(&mut release.status);
        (release.revision, release.since) = (release.revision + 1, now);
        if !was_deployed {
            release.first_deployed = now;
        }
    }

    /// Those that worked and are not the newest such one are superseded.
    fn supersede(&mut self, key: &str) {
        for earlier in self.history.get_mut(key).into_iter().flatten().filter(|earlier| earlier.status == DEPLOYED) {
            SUPERSEDED.clone_into(&mut earlier.status);
        }
    }

    fn roll_back(&mut self, key: &str, to: u32, now: Timestamp, healthy_at: Timestamp) {
        let earlier = self.history.get(key).into_iter().flatten().find(|earlier| earlier.revision == to);
        let (Some(goal), Some(there)) = (earlier.cloned(), self.releases.get(key)) else { return };
        let revision = there.revision + 1;
        let answers_at = goal.answers_at.map(|_| healthy_at);
        self.remember(key);
        self.supersede(key);
        let status = DEPLOYED.to_owned();
        let back = Installed { revision, status, since: now, healthy_at: Some(healthy_at), answers_at, ..goal };
        self.releases.insert(key.to_owned(), back);
    }
}

impl Installed {
    fn begun(chart: &str, version: &Version, component: &str) -> Self {
        Self {
            component: component.to_owned(),
            chart: chart.to_owned(),
            version: version.clone(),
            values: Values::empty(),
            status: String::new(),
            revision: 0,
            since: Timestamp::UNIX_EPOCH,
            first_deployed: Timestamp::UNIX_EPOCH,
            healthy_at: None,
            answers_at: None,
            domain: None,
            health: Vec::new(),
        }
    }

    /// Whether helm calls it deployed and what it installed works at `now`.
    pub(crate) fn works(&self, now: Timestamp) -> bool {
        self.status == "deployed" && self.healthy_at.is_some_and(|at| at <= now)
    }
}
