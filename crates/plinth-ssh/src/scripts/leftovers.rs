//! What Kubernetes leaves on a node when it was taken away: looked for, and cleared.
//!
//! Kubespray's own reset leaves chains of packet filters, single programs and directories behind, so that a node that was reset
//! is not yet one on which nothing is left (seen with v2.30.0). containerd, its images, kernel settings and other people's networks
//! stay. Nothing is cleared while a part of Kubernetes runs.

use super::answer::{failure, owned};
use crate::frame::Frames;
use crate::nodes::SshNodes;
use crate::script::Script;
use async_trait::async_trait;
use plinth_model::steps::NodeTarget;
use plinth_world::node::{Leftovers, NodeLeftovers};
use plinth_world::{ClientResult, Context, deadlines};

const BODY: &str = include_str!("sh/leftovers.sh");

#[must_use]
pub(crate) fn look_script() -> Script {
    script("looking for leftovers of Kubernetes", "look", "")
}

/// Clears, then looks. Refuses while a part of Kubernetes runs.
#[must_use]
pub(crate) fn clear_script() -> Script {
    script("clearing leftovers of Kubernetes", "clear", "").changing()
}

fn script(doing: &'static str, action: &str, root: &str) -> Script {
    Script::new(doing, BODY, deadlines::SSH_LEFTOVERS).as_root().text("action", action).text("root", root)
}

/// What is left.
///
/// # Errors
/// When the script failed or was cut off; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<Leftovers, String> {
    failure(frames)?;
    if frames.get("looked").is_none() {
        return Err("the node did not say what is left of Kubernetes".to_owned());
    }
    Ok(Leftovers { running: owned(frames, "running"), left: owned(frames, "leftovers") })
}

/// Whether nothing is left now.
///
/// # Errors
/// When Kubernetes runs, and nothing was cleared; what could not be cleared; in words.
pub(crate) fn clear_parse(frames: &Frames) -> Result<(), String> {
    let running = frames.all("running").join(", ");
    let leftovers =
        look_parse(frames).map_err(|error| if running.is_empty() { error } else { format!("{error} ({running})") })?;
    if leftovers.is_clean() { Ok(()) } else { Err(format!("still there: {}", leftovers.left.join("; "))) }
}

#[async_trait]
impl NodeLeftovers for SshNodes {
    async fn leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Leftovers> {
        self.operation(ctx, target, look_script(), look_parse).await
    }

    async fn clear_leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<()> {
        self.operation(ctx, target, clear_script(), clear_parse).await
    }
}

#[cfg(test)]
#[path = "leftovers_tests.rs"]
mod tests;
