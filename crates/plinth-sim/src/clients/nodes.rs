//! Simulated nodes.

mod control_plane;

use super::Call;
use crate::data_centre::DataCentre;
use crate::faults::{FaultKind, NodeFault, NodeOperation};
use crate::scenario::host_key;
use crate::timing;
use crate::world::hardware::Pin;
use crate::world::state::{AccountProgress, Machine};
use crate::world::{Effect, State};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plinth_model::download::DownloadFile;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::steps::{Account, Credential, NodeTarget, Preparation};
use plinth_model::{Digest, Secret, SecretRef};
use plinth_world::node::{
    AccountState, Bootstrap, CertificateFile, ControlPlane, Etcd, EtcdMember, HostKey, HostKeyState, Leftovers,
    NodeAccounts, NodeControlPlane, NodeFiles, NodeHostKeys, NodeInspection, NodeLeftovers, NodePreparation,
    NodeRegistries, NodeStorage, PushFile, Registries, StorageState,
};
use plinth_world::secrets::Secrets;
use plinth_world::{Cause, ClientError, ClientResult, Context};
use std::collections::BTreeMap;
use std::sync::Arc;

const CLIENT: &str = "node";
/// What OpenSSH calls the key type of the simulated machines.
const ALGORITHM: &str = "ssh-ed25519";
/// Seconds until a connection that nobody answers is given up.
const CONNECT_TIMEOUT: f64 = 10.0;
/// What Kubernetes gives its own certificates.
const CERTIFICATES_LAST: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Size of what a move leaves behind, MiB.
const OLD_COPY_MIB: u64 = 4_200;

pub(crate) struct SimNodes {
    pub(crate) centre: Arc<DataCentre>,
    pub(crate) secrets: Arc<dyn Secrets>,
}

impl SimNodes {
    fn machine(&self, call: &Call, target: &NodeTarget) -> ClientResult<Machine> {
        let machine = self.centre.look(|state, _| state.machines.get(&target.node).cloned())?;
        machine.filter(|machine| machine.hardware.address == target.address).ok_or_else(|| {
            call.fails(
                format!("nothing called {} answers at {}", target.node, target.address),
                "check the node's production address",
            )
        })
    }

    fn strikes(&self, target: &NodeTarget, fault: impl Fn(NodeFault) -> bool) -> ClientResult<bool> {
        self.centre.strikes(|kind| of_node(kind, target).is_some_and(&fault))
    }

    /// The machine, if it answers.
    async fn answering(&self, call: &Call, target: &NodeTarget, operation: NodeOperation) -> ClientResult<Machine> {
        let machine = self.machine(call, target)?;
        let away =
            |fault| matches!(fault, NodeFault::Unreachable(None)) || fault == NodeFault::Unreachable(Some(operation));
        if self.strikes(target, away)? {
            self.centre.spend("connect-timeout", target.node.as_str(), CONNECT_TIMEOUT).await;
            return Err(call
                .fails(
                    format!("no answer from {} port {}", target.address, target.port),
                    "check that the node is up and its production network is connected",
                )
                .because(Cause::Timeout)
                .transient("a node that restarts comes back"));
        }
        Ok(machine)
    }

    /// Opens a connection far enough to see the host key.
    async fn reach(&self, call: &Call, target: &NodeTarget, operation: NodeOperation) -> ClientResult<Machine> {
        let machine = self.answering(call, target, operation).await?;
        self.centre.spend(operation.as_str(), target.node.as_str(), timing::CONNECT).await;
        Ok(machine)
    }

    /// Opens a connection and logs in; only to a pinned machine.
    async fn log_in(&self, call: &Call, target: &NodeTarget, operation: NodeOperation) -> ClientResult<Machine> {
        let machine = self.reach(call, target, operation).await?;
        let presented = self.presented(target, &machine)?;
        match &machine.pin {
            None => return Err(call.fails("its host key is not pinned yet", "connect to the node first")),
            Some(pin) if pin.fingerprint != presented.fingerprint => {
                return Err(call.fails(
                    format!("its host key {} is not the pinned {}", presented.fingerprint, pin.fingerprint),
                    "find out whether the node was re-provisioned, then pin the new key",
                ));
            }
            Some(_) => {}
        }
        match &target.credential {
            Credential::Password(reference) | Credential::Key(reference) => {
                call.secret(&*self.secrets, reference)?;
            }
            Credential::Agent => {}
        }
        Ok(machine)
    }

    /// Logs in as the service account.
    async fn log_in_as_account(
        &self,
        call: &Call,
        target: &NodeTarget,
        operation: NodeOperation,
    ) -> ClientResult<Machine> {
        let machine = self.log_in(call, target, operation).await?;
        match &machine.account {
            Some(AccountProgress::Made(account)) if account.name == target.user => Ok(machine),
            _ => Err(call.fails(
                format!("permission denied for {} (publickey)", target.user),
                "make the service account on this node first",
            )),
        }
    }

    /// The connection is lost in the middle of an operation.
    fn dropped(&self, call: &Call, target: &NodeTarget, operation: NodeOperation) -> ClientResult<Option<ClientError>> {
        let lost = self
            .centre
            .strikes_once(|kind| of_node(kind, target).is_some_and(|fault| fault == NodeFault::Drop(operation)))?;
        Ok(lost.then(|| {
            call.fails("the connection was lost in the middle", "run again: what was done is found and kept")
                .because(Cause::Unreachable)
                .transient("a lost connection can be opened again")
        }))
    }

    /// A machine shows another key only to those who know its old one.
    fn presented(&self, target: &NodeTarget, machine: &Machine) -> ClientResult<HostKey> {
        let changed = machine.pin.is_some() && self.strikes(target, |fault| fault == NodeFault::HostKeyChanged)?;
        let fingerprint = if changed {
            host_key(self.centre.timing.seed, target.node.as_str(), 1)
        } else {
            machine.hardware.host_key.clone()
        };
        Ok(HostKey { algorithm: ALGORITHM.to_owned(), fingerprint })
    }

    /// Free space by mount point, as it is now.
    fn partitions(&self, target: &NodeTarget, machine: &Machine) -> ClientResult<BTreeMap<String, u64>> {
        let mut partitions = machine.hardware.free_gib.clone();
        if self.strikes(target, |fault| fault == NodeFault::SmallDisk)? {
            partitions.insert("/var".to_owned(), 6);
            partitions.entry("/local".to_owned()).or_insert(1_800);
        }
        if self.strikes(target, |fault| fault == NodeFault::DiskFull)? {
            partitions.values_mut().for_each(|gib| *gib = 0);
        }
        Ok(partitions)
    }
}

fn of_node(kind: &FaultKind, target: &NodeTarget) -> Option<NodeFault> {
    match kind {
        FaultKind::Node { node, fault } if node == target.node.as_str() => Some(*fault),
        _ => None,
    }
}

fn call(doing: &str, target: &NodeTarget) -> Call {
    let asked = format!("{doing} {} (simulated)", target.node);
    Call::new(CLIENT, format!("{doing} {} ({})", target.node, target.address)).asking(target.command("sudo sh", &asked))
}

fn compare(machine: &Machine, wanted: &Account) -> AccountState {
    let clash: Vec<String> = machine
        .hardware
        .users
        .iter()
        .filter(|(name, uid)| (**uid == wanted.uid) != (**name == wanted.name))
        .map(|(name, uid)| format!("user id {uid} belongs to {name}"))
        .collect();
    if !clash.is_empty() {
        return AccountState::Clash(clash);
    }
    match &machine.account {
        None => AccountState::Absent,
        Some(AccountProgress::Made(account)) if account == wanted => AccountState::Same,
        Some(AccountProgress::Made(account)) if account.name == wanted.name && account.uid != wanted.uid => {
            AccountState::Clash(vec![format!("{} has user id {}, not {}", account.name, account.uid, wanted.uid)])
        }
        Some(AccountProgress::Made(_)) => AccountState::Partial(vec!["it differs from the wanted one".to_owned()]),
        Some(AccountProgress::Begun(_)) => AccountState::Partial(vec!["its key is not authorised".to_owned()]),
    }
}

/// When the node became, or becomes, part of Kubernetes; none before a play ended.
fn ready_at(state: &State, target: &NodeTarget) -> Option<Timestamp> {
    state.cluster.members.get(&target.node)?.ready_at
}

/// etcd runs where the inventory wanted it, as soon as the play came so far; certificates last a year from then.
fn seen_of_control_plane(state: &State, target: &NodeTarget) -> ControlPlane {
    let group = &state.controller.etcd;
    let deployed = state.controller.deployed.last.is_some();
    let member = |name: &String| {
        let address = state.machines.iter().find(|(node, _)| node.as_str() == name)?.1.hardware.address;
        let id = Digest::of(name).as_str().chars().take(16).collect();
        let peers = vec![format!("https://{address}:2380")];
        Some(EtcdMember { name: format!("etcd-{name}"), id, peers, learner: false })
    };
    let here = deployed && group.iter().any(|name| name == target.node.as_str());
    let mut members: Vec<EtcdMember> = group.iter().filter_map(member).collect();
    members.sort();
    let certificate = |at: Timestamp| CertificateFile {
        file: "/etc/kubernetes/ssl/apiserver.crt".to_owned(),
        expires: at.saturating_add(CERTIFICATES_LAST).unwrap_or(Timestamp::MAX),
    };
    ControlPlane {
        etcd: here.then(|| Etcd { members, unhealthy: Vec::new() }),
        certificates: ready_at(state, target).map(certificate).into_iter().collect(),
        kubelet: if deployed { "active".to_owned() } else { String::new() },
        nvidia_runtime: deployed.then_some(false),
    }
}

fn registries_digest(wanted: &Registries<'_>) -> Digest {
    Digest::of(&(wanted.mirrors, wanted.logins))
}

#[async_trait]
impl NodeHostKeys for SimNodes {
    async fn host_key(&self, _: &Context, target: &NodeTarget) -> ClientResult<HostKeyState> {
        let call = call("connecting to", target);
        let machine = self.reach(&call, target, NodeOperation::Connect).await?;
        if let Some(lost) = self.dropped(&call, target, NodeOperation::Connect)? {
            return Err(lost);
        }
        let presented = self.presented(target, &machine)?;
        let pinned = machine.pin.map(|pin| HostKey { algorithm: pin.algorithm, fingerprint: pin.fingerprint });
        Ok(HostKeyState { presented, pinned })
    }

    async fn pin_host_key(&self, _: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        let call = call("pinning the host key of", target);
        let machine = self.answering(&call, target, NodeOperation::Connect).await?;
        let presented = self.presented(target, &machine)?;
        match machine.pin {
            Some(pin) if pin.fingerprint == key.fingerprint => Ok(()),
            Some(_) => Err(call.fails("another key is pinned", "find out whether the node was re-provisioned")),
            None if *key != presented => Err(call.fails("the node does not show this key", "connect again")),
            None => self.centre.effect(Effect::HostKeyPinned {
                node: target.node.clone(),
                pin: Pin { algorithm: key.algorithm.clone(), fingerprint: key.fingerprint.clone() },
            }),
        }
    }

    async fn repin_host_key(&self, _: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        let call = call("pinning the host key of", target);
        let machine = self.answering(&call, target, NodeOperation::Connect).await?;
        if *key != self.presented(target, &machine)? {
            return Err(call.fails("the node does not show this key", "connect again"));
        }
        let pin = Pin { algorithm: key.algorithm.clone(), fingerprint: key.fingerprint.clone() };
        self.centre.effect(Effect::HostKeyPinned { node: target.node.clone(), pin })
    }
}

/// Whose mark a node has that another state directory manages.
const ELSEWHERE: &str =
    "by anna@bastion, directory /home/anna/.local/state/plinth/basepod-a, since 2026-01-01T00:00:00Z";

#[async_trait]
impl NodeAccounts for SimNodes {
    async fn account(&self, _: &Context, target: &NodeTarget, account: &Account) -> ClientResult<AccountState> {
        let call = call("looking at the account on", target);
        let machine = self.log_in(&call, target, NodeOperation::Account).await?;
        if target.user == account.name && !matches!(machine.account, Some(AccountProgress::Made(_))) {
            return Err(call.fails(format!("permission denied for {}", target.user), "use the first-contact login"));
        }
        self.centre.spend("account-look", target.node.as_str(), timing::LOOK).await;
        if self.strikes(target, |fault| fault == NodeFault::ManagedElsewhere)? {
            return Ok(AccountState::Managed(ELSEWHERE.to_owned()));
        }
        Ok(compare(&machine, account))
    }

    async fn make_account(&self, _: &Context, target: &NodeTarget, account: &Account) -> ClientResult<()> {
        let call = call("making the account on", target);
        let machine = self.log_in(&call, target, NodeOperation::Account).await?;
        match compare(&machine, account) {
            AccountState::Same => return Ok(()),
            AccountState::Clash(lines) => {
                return Err(call.script_fails(lines.join("; "), "choose another name or id, or free this one"));
            }
            AccountState::Managed(manager) => return Err(call.script_fails(manager, "use that state directory")),
            AccountState::Absent | AccountState::Partial(_) => {}
        }
        call.secret(&*self.secrets, &account.key)?;
        self.centre.spend("account", target.node.as_str(), timing::ACCOUNT).await;
        let (node, account) = (target.node.clone(), account.clone());
        if let Some(lost) = self.dropped(&call, target, NodeOperation::Account)? {
            self.centre.effect(Effect::AccountBegun { node, account })?;
            return Err(lost);
        }
        self.centre.effect(Effect::AccountMade { node, account })
    }
}

#[async_trait]
impl NodeInspection for SimNodes {
    async fn facts(&self, _: &Context, target: &NodeTarget, asked: &Asked) -> ClientResult<NodeFacts> {
        let call = call("reading facts of", target);
        let machine = match target.credential {
            // plinth's own key is let in once the account is made; any other login is one that the site was given.
            Credential::Key(SecretRef::Generated(_)) => {
                self.log_in_as_account(&call, target, NodeOperation::Facts).await?
            }
            _ => self.log_in(&call, target, NodeOperation::Facts).await?,
        };
        self.centre.spend("facts", target.node.as_str(), timing::FACTS).await;
        if let Some(lost) = self.dropped(&call, target, NodeOperation::Facts)? {
            return Err(lost);
        }
        let partitions = self.partitions(target, &machine)?;
        let mut facts = super::facts::of(target, &machine, &partitions, asked);
        for url in &asked.urls {
            let status = if self.centre.silent(url)? { 0 } else { 200 };
            facts.answers.insert(url.clone(), status);
        }
        Ok(facts)
    }
}

#[async_trait]
impl NodeStorage for SimNodes {
    async fn storage(&self, _: &Context, target: &NodeTarget, _: &str, to: &str) -> ClientResult<StorageState> {
        let call = call("looking at the storage of", target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Storage).await?;
        self.centre.spend("storage-look", target.node.as_str(), timing::LOOK).await;
        Ok(match machine.relocated_to {
            Some(place) if place == to => StorageState::New { old_copy_mib: machine.old_copy.then_some(OLD_COPY_MIB) },
            _ => StorageState::Old,
        })
    }

    async fn relocate_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()> {
        let call = call(&format!("moving {from} to {to} on"), target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Storage).await?;
        if machine.relocated_to.as_deref() == Some(to) {
            return Ok(());
        }
        match super::facts::free_at(&self.partitions(target, &machine)?, to) {
            None => {
                return Err(call.script_fails(format!("there is no {to}"), "name a directory on a mounted partition"));
            }
            Some(0) => return Err(call.script_fails("no space left on device", "free space on the larger partition")),
            Some(_) => {}
        }
        let whole = self.centre.timing.between("relocation", target.node.as_str(), timing::RELOCATION);
        for quarter in 0..4 {
            ctx.progress(quarter * 25, 100, "copying container data");
            self.centre.wait(whole / 4).await;
            if quarter == 1
                && let Some(lost) = self.dropped(&call, target, NodeOperation::Storage)?
            {
                return Err(lost);
            }
        }
        ctx.progress(100, 100, "containerd runs from its new place");
        self.centre.effect(Effect::StorageRelocated { node: target.node.clone(), to: to.to_owned() })
    }

    async fn remove_old_storage(&self, _: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()> {
        let call = call(&format!("removing the old copy of {from} on"), target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Storage).await?;
        if machine.relocated_to.as_deref() != Some(to) {
            return Err(call.script_fails(format!("the data is not in {to}"), "move it first"));
        }
        self.centre.spend("storage-remove", target.node.as_str(), timing::ACCOUNT).await;
        if machine.old_copy {
            self.centre.effect(Effect::OldStorageRemoved { node: target.node.clone() })
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl NodePreparation for SimNodes {
    async fn preparation(&self, _: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<Vec<String>> {
        let call = call("looking at the preparation of", target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Prepare).await?;
        self.centre.spend("prepare-look", target.node.as_str(), timing::LOOK).await;
        let same = *wanted == Preparation::default() || machine.preparation == Some(Digest::of(wanted));
        Ok(if same { Vec::new() } else { super::facts::unprepared(wanted) })
    }

    async fn prepare(&self, _: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<()> {
        let call = call("preparing", target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Prepare).await?;
        let digest = Digest::of(wanted);
        if machine.preparation.as_ref() == Some(&digest) {
            return Ok(());
        }
        self.centre.spend("prepare", target.node.as_str(), timing::ACCOUNT).await;
        if let Some(lost) = self.dropped(&call, target, NodeOperation::Prepare)? {
            return Err(lost);
        }
        self.centre.effect(Effect::NodePrepared { node: target.node.clone(), digest })
    }
}

#[async_trait]
impl NodeRegistries for SimNodes {
    async fn registries(
        &self,
        _: &Context,
        target: &NodeTarget,
        wanted: &Registries<'_>,
    ) -> ClientResult<Option<Vec<String>>> {
        let call = call("looking at registries on", target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Registries).await?;
        self.centre.spend("registries-look", target.node.as_str(), timing::LOOK).await;
        let nothing_to_write = (wanted.mirrors.is_empty() || wanted.mirrors_by_engine) && wanted.logins.is_empty();
        Ok(match machine.registries {
            None if nothing_to_write => Some(Vec::new()),
            Some(digest) if digest == registries_digest(wanted) => Some(Vec::new()),
            Some(_) => Some(vec!["mirrors or logins differ".to_owned()]),
            None => None,
        })
    }

    async fn set_registries(&self, _: &Context, target: &NodeTarget, wanted: &Registries<'_>) -> ClientResult<()> {
        let call = call("writing registries on", target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Registries).await?;
        let digest = registries_digest(wanted);
        if machine.registries.as_ref() == Some(&digest) {
            return Ok(());
        }
        for login in wanted.logins {
            call.secret(&*self.secrets, &login.password)?;
        }
        self.centre.spend("registries", target.node.as_str(), timing::REGISTRIES).await;
        if let Some(lost) = self.dropped(&call, target, NodeOperation::Registries)? {
            return Err(lost);
        }
        self.centre.effect(Effect::RegistriesSet { node: target.node.clone(), digest })
    }
}

#[async_trait]
impl NodeLeftovers for SimNodes {
    async fn leftovers(&self, _: &Context, target: &NodeTarget) -> ClientResult<Leftovers> {
        let call = call("looking for leftovers of Kubernetes on", target);
        match target.credential {
            Credential::Key(SecretRef::Generated(_)) => {
                self.log_in_as_account(&call, target, NodeOperation::Prepare).await?
            }
            _ => self.log_in(&call, target, NodeOperation::Prepare).await?,
        };
        self.centre.spend("leftovers-look", target.node.as_str(), timing::LOOK).await;
        let is_member = self.centre.look(|state, _| state.cluster.members.contains_key(&target.node))?;
        let running = if is_member { vec!["kubelet".to_owned()] } else { Vec::new() };
        Ok(Leftovers { running, left: Vec::new() })
    }

    async fn clear_leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<()> {
        if self.leftovers(ctx, target).await?.running.is_empty() {
            return Ok(());
        }
        let call = call("clearing leftovers of Kubernetes on", target);
        Err(call
            .script_fails("Kubernetes still runs here: nothing was taken away", "reset it, or remove the node first"))
    }
}
