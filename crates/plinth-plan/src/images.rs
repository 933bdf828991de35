//! Where container images go, decided from what is known of the nodes: a node that has none yet needs no move, since the engine
//! can put them on the larger partition from the start. A node of which nothing is known keeps its gate.

use crate::cluster::{Cluster, Member};
use crate::hardware;
use plinth_model::facts::NodeFacts;
use plinth_model::finding::code;
use plinth_model::{Finding, HostPath, NodeName};
use plinth_site::Desired;
use std::collections::BTreeMap;

/// containerd's own place for images.
pub(crate) const CONTAINERD: &str = "/var/lib/containerd";
/// containerd's own files without any image are below this, MiB.
const EMPTY_MIB: u64 = 8;

/// Decides for every node of which facts are known; a note for each that the engine takes care of.
pub(crate) fn place(desired: &Desired, cluster: &mut Cluster, facts: &BTreeMap<NodeName, NodeFacts>) -> Vec<Finding> {
    let mut notes = Vec::new();
    for member in cluster.members.iter_mut().chain(&mut cluster.left_out) {
        let Some(known) = facts.get(&member.name) else { continue };
        if let Some(place) = by_engine(desired, member, known) {
            notes.push(note(member, &place));
            member.storage = Some(place);
            member.moves = false;
        }
    }
    notes
}

/// Whether facts that were just read lead to another plan than those of before: facts decide where images go, who brings the GPU driver and
/// the container toolkit, and which InfiniBand adapters pods get; nothing else. Nodes of which there are no new facts stay as they were.
#[must_use]
pub fn places_differ(
    desired: &Desired,
    cluster: &Cluster,
    before: &BTreeMap<NodeName, NodeFacts>,
    new: &BTreeMap<NodeName, NodeFacts>,
) -> bool {
    let by_engine = |member: &Member, facts: &BTreeMap<NodeName, NodeFacts>| {
        facts.get(&member.name).and_then(|known| by_engine(desired, member, known))
    };
    let mut read = cluster.members.iter().chain(&cluster.left_out).filter(|member| new.contains_key(&member.name));
    if read.any(|member| by_engine(member, before) != by_engine(member, new)) {
        return true;
    }
    let known = |node: &NodeName| before.get(node);
    let known_now = |node: &NodeName| new.get(node).or_else(|| before.get(node));
    hardware::decided(desired, cluster, known) != hardware::decided(desired, cluster, known_now)
}

/// The directory that the engine is told; none when images are to be moved, fit where they are, or nothing is decided.
fn by_engine(desired: &Desired, member: &Member, facts: &NodeFacts) -> Option<HostPath> {
    let storage = &desired.storage;
    let place = member.storage.as_ref().unwrap_or(&storage.larger);
    if *place == storage.images || is_linked(facts) {
        return None;
    }
    if facts.containerd.as_ref().is_some_and(|containerd| containerd.root == place.as_str()) {
        return Some(place.clone());
    }
    let enough = |path: &str| facts.free_gib(path).is_some_and(|gib| gib >= storage.images_gib);
    let mount = |path: &str| facts.space(path).map(|space| space.mount.as_str()).filter(|mount| !mount.is_empty());
    let elsewhere = mount(place).is_none() || mount(place) != mount(&storage.images);
    let wanted = member.storage.is_some() || (!enough(&storage.images) && enough(place) && elsewhere);
    (is_empty(facts) && wanted).then(|| place.clone())
}

/// The usual place leads to the larger one already: a move of ours.
fn is_linked(facts: &NodeFacts) -> bool {
    facts.relocated && facts.containerd.as_ref().is_none_or(|containerd| containerd.root == CONTAINERD)
}

fn is_empty(facts: &NodeFacts) -> bool {
    facts.containerd.as_ref().is_none_or(|containerd| containerd.data_mib.is_some_and(|mib| mib < EMPTY_MIB))
}

fn note(member: &Member, place: &str) -> Finding {
    let text = format!("Kubespray puts its images in {place}: there are none to move");
    Finding::info(code::NODE_IMAGES_BY_ENGINE, member.name.as_str(), text)
}
