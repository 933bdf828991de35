//! Which release a checkout is: told by the id of its tree, so that a changed file or a moved tag is no release at all.

use crate::commands::{self, Failure, root};
use crate::scratch::Scratch;
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// One release of `catalog/kubespray.yaml`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pin {
    pub(super) tag: String,
    pub(super) commit: String,
    tree: String,
}

#[derive(Deserialize)]
struct Pins {
    releases: Vec<Pin>,
}

impl Pin {
    /// The release whose tree this is.
    pub(super) fn of(source: &Path) -> Result<Self, Failure> {
        let file = root().join("catalog/kubespray.yaml");
        let text = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
        let pins: Pins = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let tree = tree_id(source)?;
        let found = pins.releases.into_iter().find(|pin| pin.tree == tree);
        found.ok_or_else(|| format!("{}: tree {tree} is none of the pinned releases", source.display()))
    }
}

/// The id git gives to the files as they are, with a repository of our own beside them.
fn tree_id(source: &Path) -> Result<String, Failure> {
    let scratch = Scratch::new("kubespray-tree")?;
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.env("GIT_DIR", scratch.path().join("git")).env("GIT_WORK_TREE", source);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.args(["-c", "core.autocrlf=false", "-c", "core.fileMode=true"]).args(arguments).current_dir(source);
        commands::text(&mut command)
    };
    git(&["init", "--quiet"])?;
    git(&["add", "--all", "--force", "."])?;
    Ok(git(&["write-tree"])?.trim().to_owned())
}
