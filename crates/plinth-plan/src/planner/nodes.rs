//! Stage nodes: first contact, account, facts, storage, registries; a chain of steps per node.

use crate::cluster::{Cluster, Member};
use crate::engines;
use crate::ids;
use crate::step::{Refine, step};
use crate::visit;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::plan::{Answer, Gate, Step};
use plinth_model::steps::{
    NodeAccount, NodeConnect, NodeFacts, NodePrepare, NodeRegistries, NodeStorage, NodeStorageOld, Preparation,
};
use plinth_model::{StepId, Work};
use plinth_site::Desired;

const MIB_PER_GIB: f64 = 1024.0;

/// Steps and gates of these members of the cluster; none with an engine that reaches no node. Storage of control-plane and etcd nodes moves one after the other, so that never two members
/// of a majority are interrupted at once.
pub(crate) fn steps(
    (desired, cluster): (&Desired, &Cluster),
    members: &[Member],
    identity: Option<&StepId>,
) -> (Vec<Step>, Vec<Gate>) {
    let (mut steps, mut gates) = (Vec::with_capacity(members.len() * 5), Vec::new());
    let mut previous: Option<StepId> = None;
    for member in members.iter().filter(|_| engines::of(desired).reaches_nodes()) {
        steps.push(connect(desired, member).needing(identity.cloned()));
        steps.push(account(desired, member).needing([ids::connect(&member.name)]));
        steps.push(facts(desired, cluster, member).needing([ids::account(&member.name)]));
        let mut before = ids::facts(&member.name);
        if let Some(storage) = storage(desired, member) {
            gates.extend(storage_gate(desired, member));
            let turn = previous.clone().filter(|_| member.is_quorum());
            steps.push(storage.needing([before]).needing(turn));
            before = ids::storage(&member.name);
            steps.push(storage_old(desired, member).needing([ids::facts(&member.name), before.clone()]));
            previous = if member.is_quorum() { Some(ids::storage_old(&member.name)) } else { previous };
        }
        for more in prepare(desired, cluster, member).into_iter().chain(registries(desired, member)) {
            let id = more.id.clone();
            steps.push(more.needing([std::mem::replace(&mut before, id)]));
        }
    }
    (steps, gates)
}

fn connect(desired: &Desired, member: &Member) -> Step {
    let user = &desired.access.bootstrap.user;
    let reason = format!("SSH as {user} must answer at the production address, and the host key is pinned");
    let work = Work::NodeConnect(NodeConnect { target: Cluster::first_contact(desired, member) });
    step(ids::connect(&member.name), work, reason)
}

fn account(desired: &Desired, member: &Member) -> Step {
    let account = &desired.access.account;
    let reason = format!("every later step signs in as {} ({})", account.name, account.uid);
    let work =
        Work::NodeAccount(NodeAccount { target: Cluster::first_contact(desired, member), account: account.clone() });
    step(ids::account(&member.name), work, reason)
}

fn facts(desired: &Desired, cluster: &Cluster, member: &Member) -> Step {
    let expected = visit::expectation(desired, cluster, member);
    let minimum = &expected.minimum;
    let reason = format!(
        "for {}: {} cores, {:.1} GiB of memory and {} GiB for images",
        member.role_text(),
        minimum.cpus,
        minimum.memory_mib as f64 / MIB_PER_GIB,
        expected.images_gib,
    );
    let work = Work::NodeFacts(NodeFacts { target: Cluster::target(desired, member), expected });
    step(ids::facts(&member.name), work, reason)
}

/// The move; none when the site's own choice is where images are anyway.
fn storage(desired: &Desired, member: &Member) -> Option<Step> {
    let from = &desired.storage.images;
    let to = member.storage.as_ref().unwrap_or(&desired.storage.larger);
    if from == to || !member.moves {
        return None;
    }
    let reason = match &member.storage {
        Some(_) => format!("for {}: the site file keeps images in {to}", member.role_text()),
        None => format!("for {}: {from} may be too small for images", member.role_text()),
    };
    let work =
        Work::NodeStorage(NodeStorage { target: Cluster::target(desired, member), from: from.clone(), to: to.clone() });
    let step = step(ids::storage(&member.name), work, reason);
    Some(match member.storage {
        Some(_) => step,
        None => step.when(GateId::storage(&member.name), GateAnswer::RELOCATE),
    })
}

fn storage_gate(desired: &Desired, member: &Member) -> Option<Gate> {
    let storage = &desired.storage;
    let answer = |answer, meaning| Answer { answer, meaning };
    member.storage.is_none().then(|| Gate {
        id: GateId::storage(&member.name),
        question: format!("free space not checked yet: images need {} GiB in {}", storage.images_gib, storage.images),
        opened_by: ids::facts(&member.name),
        answers: vec![
            answer(GateAnswer::FITS, format!("images stay in {}", storage.images)),
            answer(GateAnswer::RELOCATE, format!("they move to {}", storage.larger)),
        ],
    })
}

/// The old copy goes only after the journal recorded that the move succeeded: a step of its own.
fn storage_old(desired: &Desired, member: &Member) -> Step {
    let from = &desired.storage.images;
    let to = member.storage.as_ref().unwrap_or(&desired.storage.larger);
    let reason = format!("{from} may be on a small partition; a copy beside it would fill it");
    let work = Work::NodeStorageOld(NodeStorageOld {
        target: Cluster::target(desired, member),
        from: from.clone(),
        to: to.clone(),
    });
    let id = ids::storage_old(&member.name);
    let step = step(id, work, reason);
    match member.storage {
        Some(_) => step,
        None => step.when(GateId::storage(&member.name), GateAnswer::RELOCATE),
    }
}

/// What the engine leaves to us. Kubespray loads modules, sets kernel settings and switches swap off by itself; it does not
/// make Run:ai's domain known to the node, whose container engine and API server need it as pods do (NVIDIA Run:ai
/// documentation, DNS).
fn prepare(desired: &Desired, cluster: &Cluster, member: &Member) -> Option<Step> {
    let (runai, address) = (desired.runai.as_ref()?, cluster.ingress_address(desired)?);
    let wanted = Preparation { hosts: [(runai.domain.clone(), address)].into(), ..Preparation::default() };
    let reason = format!("the node itself must find {} at {address}; the engine tells pods only", runai.domain);
    let work = Work::NodePrepare(NodePrepare { target: Cluster::target(desired, member), wanted });
    Some(step(ids::prepare(&member.name), work, reason))
}

/// Mirrors and logins; none without any.
fn registries(desired: &Desired, member: &Member) -> Option<Step> {
    let registries = &desired.registries;
    if registries.mirrors.is_empty() && registries.logins.is_empty() {
        return None;
    }
    let mirrored: Vec<&str> = registries.mirrors.iter().map(|m| m.registry.as_str()).collect();
    let named: Vec<&str> = registries.logins.iter().map(|l| l.registry.as_str()).collect();
    let reason = match (mirrored.join(", "), named.join(", ")) {
        (m, l) if l.is_empty() => format!("images of {m} are pulled through a mirror"),
        (m, l) if m.is_empty() => format!("images are pulled with a login to {l}"),
        (m, l) => format!("images of {m} are pulled through a mirror, with a login to {l}"),
    };
    let work = Work::NodeRegistries(NodeRegistries {
        target: Cluster::target(desired, member),
        mirrors: registries.mirrors.clone(),
        mirrors_by_engine: engines::of(desired).writes_mirrors(),
        logins: registries.logins.clone(),
    });
    Some(step(ids::registries(&member.name), work, reason))
}
