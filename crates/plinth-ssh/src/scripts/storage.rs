//! Moves containerd's data to a larger partition without losing anything. Stages, guard and the choice of a link are explained in
//! `sh/storage.sh`. An interrupted move is ended by the next one; a copy that cannot be made or differs is rolled back.
//!
//! Whole file systems below `from`, running containers and targets with content are refused before anything is changed.

use super::answer::failure;
use crate::frame::Frames;
use crate::nodes::SshNodes;
use crate::script::Script;
use async_trait::async_trait;
use plinth_model::steps::NodeTarget;
use plinth_world::node::NodeStorage;
use plinth_world::node::StorageState;
use plinth_world::{ClientResult, Context, deadlines};
use std::time::Duration;

const BODY: &str = concat!(
    include_str!("sh/files.sh"),
    include_str!("sh/units.sh"),
    include_str!("sh/storage.sh"),
    include_str!("sh/storage_move.sh"),
    include_str!("sh/storage_main.sh")
);
/// Where the stage of a move is kept on a node.
const STATE: &str = "/var/lib/plinth";

/// Says where the data is.
#[must_use]
pub(crate) fn look_script(from: &str, to: &str) -> Script {
    script("looking at containerd's storage", "look", deadlines::SSH_STORAGE_LOOK, "", from, to)
}

/// Moves the data, or ends a move that was interrupted. Frames `progress` carry bytes while it copies, `stage` each stage.
#[must_use]
pub(crate) fn relocate_script(from: &str, to: &str) -> Script {
    script("moving containerd's storage", "move", deadlines::SSH_STORAGE_MOVE, "", from, to).changing()
}

/// Removes the old copy, if the data is at the new place and containerd works.
#[must_use]
pub(crate) fn remove_old_script(from: &str, to: &str) -> Script {
    script("removing the old copy of containerd's storage", "remove", deadlines::SSH_STORAGE_MOVE, "", from, to)
        .changing()
}

fn script(doing: &'static str, action: &str, deadline: Duration, root: &str, from: &str, to: &str) -> Script {
    Script::new(doing, BODY, deadline)
        .as_root()
        .text("action", action)
        .text("root", root)
        .text("state", STATE)
        .text("from", from.trim_end_matches('/'))
        .text("to", to.trim_end_matches('/'))
}

/// Where the data is.
///
/// # Errors
/// When the script failed, or when `from` leads to a third place; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<StorageState, String> {
    failure(frames)?;
    // The look comes last; a move has told its own stages before it.
    let stage =
        frames.all("stage").last().copied().ok_or("the node did not say anything about containerd's storage")?;
    if !matches!(stage, "" | "done") {
        let from_to = frames.get("from").zip(frames.get("to"));
        let place = from_to.map_or_else(String::new, |(from, to)| format!(" from {from} to {to}"));
        return Ok(StorageState::Begun(format!("a move{place} is at the stage {stage}")));
    }
    if let Some(place) = frames.get("elsewhere") {
        return Err(format!("containerd's directory is a link to {place}, which is not the wanted place"));
    }
    if frames.get("linked").is_none() {
        return Ok(StorageState::Old);
    }
    if frames.get("stopped").is_some() {
        return Ok(StorageState::Begun("the data is at the new place, but containerd does not run".to_owned()));
    }
    let old_copy_mib = frames.number::<u64>("old_kib").map(|kib| kib.div_ceil(1024));
    Ok(StorageState::New { old_copy_mib })
}

/// Whether the data is at the new place now.
///
/// # Errors
/// What was refused or failed, and where the data is; in words.
pub(crate) fn relocate_parse(frames: &Frames) -> Result<(), String> {
    match look_parse(frames)? {
        StorageState::New { .. } => Ok(()),
        StorageState::Begun(stage) => Err(stage),
        StorageState::Old => Err("the data is still at the old place".to_owned()),
    }
}

/// Whether the old copy is gone.
///
/// # Errors
/// Why it stays; in words.
pub(crate) fn remove_old_parse(frames: &Frames) -> Result<(), String> {
    match look_parse(frames)? {
        StorageState::New { old_copy_mib: None } => Ok(()),
        StorageState::New { old_copy_mib: Some(mib) } => Err(format!("an old copy of {mib} MiB is still there")),
        StorageState::Begun(stage) => Err(stage),
        StorageState::Old => Err("the data is still at the old place".to_owned()),
    }
}

#[async_trait]
impl NodeStorage for SshNodes {
    async fn storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<StorageState> {
        self.operation(ctx, target, look_script(from, to), look_parse).await
    }

    async fn relocate_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()> {
        self.operation(ctx, target, relocate_script(from, to), relocate_parse).await
    }

    async fn remove_old_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()> {
        self.operation(ctx, target, remove_old_script(from, to), remove_old_parse).await
    }
}

#[cfg(test)]
#[path = "storage_tests.rs"]
mod tests;
