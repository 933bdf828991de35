//! Facts of a node: good enough or not, and whether its images have room. Everything wrong is told at once.

use crate::behaviour::{Probe, Probed, StepEnv};
use crate::steps::outcome::{blocked, only_looks};
use crate::steps::{Explanation, StepKind};
use plinth_check::preflight::judge;
use plinth_model::finding::code;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::steps::{NodeExpectation, NodeFacts};
use plinth_model::{Finding, NodeName, Owner, Step, facts};
use plinth_world::ClientError;

impl StepKind for NodeFacts {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeFacts::KIND,
        title: "The machine is good enough, and it is known where its images have room.",
        probe: "Reads system, processors, memory, GPUs, clock and free space with the service account, tells everything wrong at once, and answers the storage gate: `fits` or `relocate`. Space is not judged again once Kubernetes runs there.",
        act: Explanation::ONLY_LOOKS,
    };

    /// Reads facts, judges them, and answers the storage gate.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, expected } = self;
        let facts = env.facts(target, &expected.asked()).await?;
        let expected = NodeExpectation { deployed: runs_kubernetes(env, &target.node).await?, ..expected.clone() };
        let judged = judge(&target.node, &facts, &expected);
        let unseen = unseen_space(&target.node, &facts, &expected);
        let wrong: Vec<Finding> =
            judged.into_iter().map(|one| one.finding).filter(Finding::is_error).chain(unseen).collect();
        if wrong.is_empty() {
            let answers = answers(&target.node, &facts, &expected);
            return Ok(Probed::from(Probe::Done(sentence(&facts))).answering(answers).told(facts.traits()));
        }
        Ok(blocked(finding(&target.node, &facts, wrong))?.told(facts.traits()))
    }

    async fn act(&self, step: &Step, _: &StepEnv) -> Result<String, ClientError> {
        Err(only_looks(step))
    }
}

/// Whether the space in question is already taken by our own Kubernetes. Its images fill the disk that was found large enough
/// before, and a look afterwards must not come to another answer.
async fn runs_kubernetes(env: &StepEnv, node: &NodeName) -> Result<bool, ClientError> {
    Ok(env.record().await?.as_ref().as_ref().is_some_and(|record| record.has(node)))
}

/// Space that the node did not tell is not space that is there.
fn unseen_space(node: &NodeName, facts: &facts::NodeFacts, expected: &NodeExpectation) -> Option<Finding> {
    let unseen = facts.free_gib(&expected.images).is_none() && !facts.relocated && !expected.deployed;
    unseen.then(|| {
        let text = format!("the free space of {} could not be read", expected.images);
        Finding::error(code::NODE_NO_SPACE, node.as_str(), text)
            .fix(format!("look at `df {}` on the node", expected.images))
    })
}

/// The answer of the storage gate, by space alone, unless the place was decided beforehand: then there is no gate.
fn answers(node: &NodeName, facts: &facts::NodeFacts, expected: &NodeExpectation) -> Vec<(GateId, GateAnswer)> {
    if expected.images == expected.larger {
        return Vec::new();
    }
    let room = facts.free_gib(&expected.images).is_some_and(|gib| gib >= expected.images_gib);
    let fits = !facts.relocated && (room || expected.deployed);
    vec![(GateId::storage(node), if fits { GateAnswer::FITS } else { GateAnswer::RELOCATE })]
}

/// One finding for all that is wrong: its code and owner are those of the first, its evidence and fix name every one.
fn finding(node: &NodeName, facts: &facts::NodeFacts, wrong: Vec<Finding>) -> Finding {
    let (code, owner) = wrong.first().map_or((code::NODE_UNFIT, Owner::You), |f| (f.code, f.owner));
    let message = match wrong.as_slice() {
        [one] => one.message.clone(),
        several => format!("{} things make it unfit", several.len()),
    };
    let fixes: Vec<&str> = wrong.iter().map(|w| w.fix.as_str()).collect();
    let mut finding = Finding::error(code, node.as_str(), message).owner(owner).fix(fixes.join("; "));
    finding.evidence = wrong.iter().map(|w| w.message.clone()).collect();
    finding.evidence(sentence(facts))
}

fn sentence(facts: &facts::NodeFacts) -> String {
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
