//! Which files of a list are in a folder of the node, told by their checksums.

use super::answer::{failure, owned};
use crate::frame::Frames;
use crate::nodes::SshNodes;
use crate::script::Script;
use async_trait::async_trait;
use plinth_model::download::DownloadFile;
use plinth_model::steps::NodeTarget;
use plinth_world::node::NodeFiles;
use plinth_world::node::PushFile;
use plinth_world::{ClientResult, Context, deadlines};

/// Tells which files are missing or have another content; changes nothing.
#[must_use]
pub(crate) fn look_script(folder: &str, files: &[DownloadFile]) -> Script {
    let lines: Vec<String> = files.iter().map(|file| format!("{} {}", file.sha256, file.dest)).collect();
    Script::new("looking at pushed files", include_str!("sh/downloads.sh"), deadlines::SSH_DOWNLOADS_LOOK)
        .as_root()
        .text("folder", folder)
        .lines("files", lines.iter().map(String::as_str))
}

/// Names of the files that are not there with the right content.
///
/// # Errors
/// When the script failed or was cut off; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<Vec<String>, String> {
    failure(frames)?;
    if frames.get("looked").is_none() {
        return Err("the node did not say anything about its files".to_owned());
    }
    Ok(owned(frames, "missing"))
}

#[async_trait]
impl NodeFiles for SshNodes {
    async fn missing_files(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        folder: &str,
        files: &[DownloadFile],
    ) -> ClientResult<Vec<String>> {
        self.operation(ctx, target, look_script(folder, files), look_parse).await
    }

    async fn push_file(&self, ctx: &Context, target: &NodeTarget, push: &PushFile<'_>) -> ClientResult<()> {
        self.ssh.push(ctx, target, push).await
    }
}

#[cfg(test)]
#[path = "downloads_tests.rs"]
mod tests;
