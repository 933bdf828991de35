//! Whether every host answers with its pinned key, found out in seconds and for all at once. Inside a play a dead host costs
//! minutes, holds everybody up, and ends the play for all.

use crate::program::CLIENT;
use plinth_model::engine::Play;
use plinth_model::finding::code;
use plinth_model::steps::NodeTarget;
use plinth_model::{Finding, NodeName};
use plinth_world::ansible::PlayRun;
use plinth_world::node::KnownHosts;
use plinth_world::{ClientError, ClientResult, Context};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Asks every host of a run but those that leave without answering, and gives those that answered. How many at once, and how long
/// each may take, is the SSH client's business.
pub(super) async fn check(
    ctx: &Context,
    run: &PlayRun,
    nodes: &Arc<dyn KnownHosts>,
    doing: &str,
) -> ClientResult<Vec<NodeName>> {
    let mut asked: JoinSet<(NodeName, Option<String>)> = JoinSet::new();
    for target in run.targets.iter().filter(|target| !leaves_unheard(&run.play, &target.node)) {
        let (ctx, nodes, target) = (ctx.clone(), Arc::clone(nodes), target.clone());
        asked.spawn(async move { (target.node.clone(), complaint(&ctx, &nodes, &target).await) });
    }
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok((node, None)) => good.push(node),
            Ok((node, Some(happened))) if !run.spares(&node) => bad.push((node, happened)),
            _ => {}
        }
    }
    if bad.is_empty() {
        return Ok(good);
    }
    bad.sort();
    Err(refused(&bad, run.targets.len(), doing))
}

fn leaves_unheard(play: &Play, node: &NodeName) -> bool {
    matches!(play, Play::Remove { nodes, reachable: false } if nodes.contains(node))
}

async fn complaint(ctx: &Context, nodes: &Arc<dyn KnownHosts>, target: &NodeTarget) -> Option<String> {
    match nodes.host_key(ctx, target).await {
        Err(error) => Some(error.happened),
        Ok(key) if key.pinned.as_ref() == Some(&key.presented) => None,
        Ok(key) if key.pinned.is_none() => Some(format!("its host key {} is not pinned", key.presented.fingerprint)),
        Ok(key) => Some(format!("its host key changed to {}", key.presented.fingerprint)),
    }
}

fn refused(bad: &[(NodeName, String)], all: usize, doing: &str) -> ClientError {
    let names = bad.iter().map(|(node, _)| node.as_str()).collect::<Vec<_>>().join(", ");
    let text = format!("{} of {all} hosts cannot take part: {names}; the play was not begun", bad.len());
    let fix = "see that they are on and answer over SSH with their pinned key, or take them out of the site file; then run again";
    let mut finding = Finding::error(code::KUBESPRAY_HOST_DOES_NOT_ANSWER, names, &text).fix(fix);
    finding.evidence = bad.iter().map(|(node, happened)| format!("{node}: {happened}")).collect();
    ClientError::new(CLIENT, doing).happened(text).attempt(fix).transient("a host may come back").finding(finding)
}
