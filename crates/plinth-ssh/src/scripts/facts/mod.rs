//! Facts of a machine: one script that reads, and the reader of its answers. What is not told stays empty.

mod machine;
mod network;
mod software;
mod storage;

use crate::frame::Frames;
use crate::nodes::{NO_ROOT, SshNodes, failed};
use crate::script::Script;
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::steps::NodeTarget;
use plinth_world::deadlines::NODE_FACTS;
use plinth_world::node::NodeInspection;
use plinth_world::{ClientResult, Context};
use std::collections::BTreeSet;

/// Reads, and changes nothing.
const BODY: &str = include_str!("../sh/facts.sh");

/// When the script was sent and when its last answer was here, by our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) sent: Timestamp,
    pub(crate) received: Timestamp,
}

/// The script. It works for every login; with [`Script::as_root`] it also sees names of listening processes, etcd's data, running
/// containers and the size of containerd's data.
#[must_use]
pub(crate) fn script(asked: &Asked) -> Script {
    let (from, to) = asked.images.as_ref().map_or(("", ""), |(from, to)| (from.as_str(), to.as_str()));
    Script::new("reading facts", BODY, NODE_FACTS)
        .lines("paths", asked.paths.iter().map(String::as_str))
        .lines("names", asked.names.iter().map(String::as_str))
        .lines("urls", asked.urls.iter().map(String::as_str))
        .text("images_from", from)
        .text("images_to", to)
}

/// What the answers say.
///
/// # Errors
/// When one of those is missing that every Linux tells: kernel, host name, processors, memory, time. Says which.
pub(crate) fn parse(frames: &Frames, asked: &Asked, exchange: &Exchange) -> Result<NodeFacts, String> {
    let mut facts = NodeFacts { noisy: frames.noisy, ..NodeFacts::default() };
    machine::read(frames, &mut facts);
    facts.clock_offset_ms = machine::clock_offset_ms(frames, exchange)?;
    network::read(frames, asked, &mut facts);
    storage::read(frames, asked, &mut facts);
    software::read(frames, &mut facts);
    complete(facts)
}

/// Programs that did not answer, and whose silence would be taken for "not there": a node whose containerd is slow to tell its
/// version is not one without images.
fn unanswered(frames: &Frames) -> Option<String> {
    let silent: BTreeSet<&str> = frames.all("unanswered").into_iter().collect();
    let named: Vec<String> = silent.iter().map(|program| format!("`{program}`")).collect();
    (!named.is_empty()).then(|| format!("{} did not answer within 20 s", named.join(", ")))
}

fn complete(facts: NodeFacts) -> Result<NodeFacts, String> {
    let told = [
        (!facts.kernel.is_empty(), "kernel release"),
        (!facts.hostname.is_empty(), "host name"),
        (facts.cpus > 0, "number of processors"),
        (facts.memory_mib > 0, "amount of memory"),
    ];
    match told.iter().find(|(told, _)| !told) {
        Some((_, missing)) => Err(format!("the node did not tell its {missing}")),
        None => Ok(facts),
    }
}

/// `KEY=value` or `KEY="value"` of files that a shell could read.
fn setting<'a>(lines: &[&'a str], key: &str) -> Option<&'a str> {
    let value = lines.iter().rev().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

impl SshNodes {
    /// Facts by this way of running the script. A node that is too busy to answer may have time later.
    async fn facts_by(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        asked: &Asked,
        script: Script,
    ) -> ClientResult<NodeFacts> {
        let (sent, name) = (ctx.clock().now(), script.name());
        let read = |frames: &Frames| match unanswered(frames) {
            Some(silent) => Ok(Err(silent)),
            None => parse(frames, asked, &Exchange { sent, received: ctx.clock().now() }).map(Ok),
        };
        self.operation(ctx, target, script, read).await?.map_err(|silent| {
            // The node was reached: it is not the network that is late.
            failed(name, target, silent)
                .transient("a node that is busy may answer later")
                .attempt("look at the node: its load, a disk that hangs, a mount whose server is gone")
        })
    }
}

#[async_trait]
impl NodeInspection for SshNodes {
    /// As root where that is possible, which sees more; otherwise as the login, and the facts say so.
    async fn facts(&self, ctx: &Context, target: &NodeTarget, asked: &Asked) -> ClientResult<NodeFacts> {
        match self.facts_by(ctx, target, asked, script(asked).as_root()).await {
            Err(error) if error.finding.as_ref().is_some_and(|finding| finding.code == NO_ROOT) => {}
            answer => return answer,
        }
        let facts = self.facts_by(ctx, target, asked, script(asked)).await?;
        // A sudo that asks for a password does not say whether it would have let the login in; it was tried, and did not.
        Ok(NodeFacts { root: "none".to_owned(), ..facts })
    }
}

#[cfg(test)]
mod tests;
