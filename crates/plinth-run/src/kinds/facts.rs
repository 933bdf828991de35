//! Facts of a node: good enough or not, and whether its images have room. Everything wrong is told at once.

use super::outcome::blocked;
use crate::behaviour::{Probe, Probed, StepEnv};
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::work::{NodeMinimum, NodeTarget};
use plinth_model::{Finding, NodeName, Observed, Owner};
use plinth_world::DoorError;

/// Largest clock offset, milliseconds. Certificates and Keycloak's tokens have lives of minutes, and etcd warns much earlier;
/// NTP is a prerequisite of Run:ai (NVIDIA Run:ai docs 2.25, "Cluster System Requirements").
const CLOCK_OFFSET_MAX_MS: u64 = 60_000;

/// What the step asks for.
pub(super) struct Wanted<'a> {
    /// Least.
    pub(super) minimum: &'a NodeMinimum,
    /// Directory of container images.
    pub(super) images: &'a str,
    /// Space wanted, GiB.
    pub(super) images_gib: u64,
    /// Where images may move to; the same as `images` when the site decided the place, so that there is no gate.
    pub(super) larger: &'a str,
}

/// Answers of the storage gate: images stay where they are, or they live (or will live) at the larger place.
const FITS: &str = "fits";
const RELOCATE: &str = "relocate";

/// Where images have room.
enum Room {
    /// Where they are.
    Here,
    /// At the larger place, and they are there already.
    Moved,
    /// At the larger place only.
    Elsewhere,
    /// Nowhere.
    Nowhere(Wrong),
}

/// One thing that is wrong.
struct Wrong {
    code: &'static str,
    message: String,
    owner: Owner,
    fix: String,
}

/// Reads facts, judges them, and answers the storage gate.
pub(super) async fn probe(env: &StepEnv, target: &NodeTarget, wanted: &Wanted<'_>) -> Result<Probed, DoorError> {
    let facts = env.doors.node.facts(&env.ctx, target, &asked(wanted)).await?;
    let mut wrong = judge(&facts, wanted.minimum);
    let answer = match room(&facts, wanted) {
        Room::Here => FITS,
        Room::Moved => RELOCATE,
        _ if runs_kubernetes(env, &target.node).await? => FITS,
        Room::Elsewhere => RELOCATE,
        Room::Nowhere(no_space) => {
            wrong.push(no_space);
            RELOCATE
        }
    };
    if wrong.is_empty() {
        return Ok(Probed { probe: Probe::Done(sentence(&facts)), answers: answers(&target.node, wanted, answer) });
    }
    blocked(finding(&target.node, &facts, &wrong)).map(Probed::from)
}

/// Both places of images.
fn asked(wanted: &Wanted<'_>) -> Asked {
    let (images, larger) = (wanted.images.to_owned(), wanted.larger.to_owned());
    let mut paths = vec![images.clone(), larger.clone()];
    paths.dedup();
    let moves = images != larger;
    Asked { paths, images: moves.then_some((images, larger)), ..Asked::default() }
}

/// Whether the space in question is already taken by our own Kubernetes. Its images fill the disk that was found large enough
/// before, and a look afterwards must not come to another answer.
async fn runs_kubernetes(env: &StepEnv, node: &NodeName) -> Result<bool, DoorError> {
    let deployed = env.doors.ansible.deployed(&env.ctx).await?;
    Ok(matches!(deployed, Observed::Known(deployed) if deployed.hosts.contains(node)))
}

/// Where images have room, by space alone.
fn room(facts: &NodeFacts, wanted: &Wanted<'_>) -> Room {
    let free = |path: &str| facts.free_gib(path);
    let enough = |path: &str| free(path).is_some_and(|gib| gib >= wanted.images_gib);
    if facts.relocated {
        return Room::Moved;
    }
    if enough(wanted.images) {
        return Room::Here;
    }
    if enough(wanted.larger) {
        return Room::Elsewhere;
    }
    let say =
        |path: &str| free(path).map_or(format!("{path} is not there"), |gib| format!("{path} has {gib} GiB free"));
    let mut seen = vec![say(wanted.images), say(wanted.larger)];
    seen.dedup();
    Room::Nowhere(Wrong {
        code: "node.no-space",
        message: format!("{} GiB are wanted for images: {}", wanted.images_gib, seen.join(", ")),
        owner: Owner::You,
        fix: "free space there, name another directory in storage.larger or in the node's override, or lower storage.imagesGib".to_owned(),
    })
}

/// The answer, unless the site decided it beforehand: then there is no gate.
fn answers(node: &NodeName, wanted: &Wanted<'_>, answer: &str) -> Vec<(String, String)> {
    if wanted.images == wanted.larger {
        return Vec::new();
    }
    vec![(format!("storage/{node}"), answer.to_owned())]
}

/// What is wrong apart from space.
fn judge(facts: &NodeFacts, minimum: &NodeMinimum) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut say =
        |code, owner, message: String, fix: &str| wrong.push(Wrong { code, message, owner, fix: fix.to_owned() });
    if facts.cpus < minimum.cpus || facts.memory_mib < minimum.memory_mib {
        let message = format!(
            "it has {} cores and {} MiB of memory; at least {} and {} are wanted",
            facts.cpus, facts.memory_mib, minimum.cpus, minimum.memory_mib
        );
        say("node.too-small", Owner::You, message, "give the node's role to a larger machine");
    }
    if minimum.gpu && facts.gpus == 0 {
        let message = "a GPU is expected, and none is on the bus".to_owned();
        say(
            "node.no-gpu",
            Owner::BcmAdmin,
            message,
            "take the node out of nodes.gpu, or look at `lspci` and the machine's firmware",
        );
    }
    if facts.clock_offset_ms.unsigned_abs() > CLOCK_OFFSET_MAX_MS {
        let message = format!("its clock is {} s off", facts.clock_offset_ms / 1000);
        say("node.clock-off", Owner::BcmAdmin, message, "make NTP work on the node, and on this machine");
    }
    if !facts.obstacles.is_empty() {
        let message = format!("something stands in the way: {}", facts.obstacles.join("; "));
        say(
            "node.in-use",
            Owner::You,
            message,
            "remove what is left of an earlier installation, or choose another node",
        );
    }
    wrong
}

/// One finding for all that is wrong: its code and owner are those of the first, its evidence and fix name every one.
fn finding(node: &NodeName, facts: &NodeFacts, wrong: &[Wrong]) -> Finding {
    let (code, owner) = wrong.first().map_or(("node.unfit", Owner::You), |first| (first.code, first.owner));
    let message = match wrong {
        [one] => one.message.clone(),
        several => format!("{} things make it unfit", several.len()),
    };
    let fixes: Vec<&str> = wrong.iter().map(|w| w.fix.as_str()).collect();
    let mut finding = Finding::error(code, node.as_str(), message).owner(owner).fix(fixes.join("; "));
    finding.evidence = wrong.iter().map(|w| w.message.clone()).collect();
    finding.evidence(sentence(facts))
}

fn sentence(facts: &NodeFacts) -> String {
    let driver = facts.driver.as_ref().map_or(String::new(), |driver| format!(" (driver {driver})"));
    format!(
        "{}, {}, {} cores, {} GiB, {} GPUs{driver}",
        facts.os,
        facts.kernel,
        facts.cpus,
        facts.memory_mib / 1024,
        facts.gpus
    )
}
