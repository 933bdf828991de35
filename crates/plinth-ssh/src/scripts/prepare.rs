//! Prepares a node: hosts lines, kernel modules and settings, no swap, a running time service.
//!
//! Only what differs is changed. A line of somebody else that contradicts (a hosts line, a kernel setting that is read after ours)
//! is told and left. No package is installed: a node without a time service stays without one, and says so.

use super::answer::{failure, owned};
use crate::frame::Frames;
use crate::nodes::SshNodes;
use crate::script::Script;
use async_trait::async_trait;
use plinth_model::steps::NodeTarget;
use plinth_model::steps::Preparation;
use plinth_world::node::NodePreparation;
use plinth_world::{ClientResult, Context, deadlines};
use std::time::Duration;

const BODY: &str = concat!(
    include_str!("sh/files.sh"),
    include_str!("sh/units.sh"),
    include_str!("sh/prepare.sh"),
    include_str!("sh/prepare_main.sh")
);

/// Compares.
#[must_use]
pub(crate) fn look_script(wanted: &Preparation) -> Script {
    script("looking at the preparation", "look", deadlines::SSH_PREPARE_LOOK, "", wanted)
}

/// Does what differs, then compares.
#[must_use]
pub(crate) fn set_script(wanted: &Preparation) -> Script {
    script("preparing the node", "set", deadlines::SSH_PREPARE, "", wanted).changing()
}

fn script(doing: &'static str, action: &str, deadline: Duration, root: &str, wanted: &Preparation) -> Script {
    let hosts: Vec<String> = wanted.hosts.iter().map(|(name, address)| format!("{address} {name}")).collect();
    let sysctls: Vec<String> = wanted.sysctls.iter().map(|(key, value)| format!("{key}={}", spaced(value))).collect();
    let yes = |wanted: bool| if wanted { "yes" } else { "no" };
    Script::new(doing, BODY, deadline)
        .as_root()
        .text("action", action)
        .text("root", root)
        .lines("hosts", hosts.iter().map(String::as_str))
        .lines("modules", wanted.modules.iter().map(String::as_str))
        .lines("sysctls", sysctls.iter().map(String::as_str))
        .text("swap_off", yes(wanted.swap_off))
        .text("time_service", yes(wanted.time_service))
}

/// One space between the parts of a value, as the script reads the kernel's.
fn spaced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Differences; empty when all is well.
///
/// # Errors
/// When the script failed or was cut off; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<Vec<String>, String> {
    failure(frames)?;
    if frames.get("looked").is_none() {
        return Err("the node did not say anything about its preparation".to_owned());
    }
    Ok(owned(frames, "lack").into_iter().chain(owned(frames, "foreign")).collect())
}

/// Whether the node is prepared now.
///
/// # Errors
/// What failed, or what is still different: that is somebody else's; in words.
pub(crate) fn set_parse(frames: &Frames) -> Result<(), String> {
    let differences = look_parse(frames).map_err(|error| match frames.get("unset") {
        Some(setting) => format!("{error}: {setting}"),
        None => error,
    })?;
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

#[async_trait]
impl NodePreparation for SshNodes {
    async fn preparation(&self, ctx: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<Vec<String>> {
        self.operation(ctx, target, look_script(wanted), look_parse).await
    }

    async fn prepare(&self, ctx: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<()> {
        self.operation(ctx, target, set_script(wanted), set_parse).await
    }
}

#[cfg(test)]
#[path = "prepare_tests.rs"]
mod tests;
