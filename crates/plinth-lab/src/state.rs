//! The record of a lab: written before anything of the lab exists, removed after everything is gone. Whatever can be left
//! behind has a name that follows from it.

use crate::error::{LabError, LabResult};
use crate::owner::Owner;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Folder of all labs of a machine. On a plain file system, since containerd cannot stand on an overlay.
pub(crate) const LABS: &str = "/var/lib/plinth-lab";

/// Record of a lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) name: String,
    /// None: kept until `down`.
    pub(crate) owner: Option<Owner>,
    pub(crate) network: Ipv4Net,
    pub(crate) bridge: Ipv4Addr,
    /// Of the account `ubuntu` (and root) on every node; the file is 0600 in a folder that is 0700.
    pub(crate) password: String,
    /// The root file system that nodes stand on.
    pub(crate) root: PathBuf,
    /// Range of all pods, if Kubernetes is to run.
    #[serde(default)]
    pub(crate) pods: Option<Ipv4Net>,
    pub(crate) nodes: Vec<NodeState>,
}

/// Record of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodeState {
    pub(crate) name: String,
    /// Place in the lab, from zero; names its link.
    pub(crate) index: usize,
    pub(crate) address: Ipv4Addr,
    pub(crate) hostname: String,
    /// Control groups, the unified one first.
    pub(crate) groups: Vec<PathBuf>,
    /// File systems of its own: where, and mebibytes.
    pub(crate) disks: Vec<(String, u32)>,
    /// Mebibytes of containerd content.
    pub(crate) seed: u32,
}

impl State {
    /// Folder of a lab.
    pub(crate) fn folder_of(name: &str) -> PathBuf {
        Path::new(LABS).join(name)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        Self::folder_of(&self.name)
    }

    pub(crate) fn node_folder(&self, node: &NodeState) -> PathBuf {
        self.folder().join("nodes").join(&node.name)
    }

    /// The bridge's namespace.
    pub(crate) fn namespace(&self) -> String {
        format!("plinth-lab.{}", self.name)
    }

    pub(crate) fn node_namespace(&self, node: &NodeState) -> String {
        format!("plinth-lab.{}.{}", self.name, node.name)
    }

    /// Takes the lab's folder for ourselves and writes the record into it.
    pub(crate) fn begin(&self) -> LabResult<()> {
        use std::os::unix::fs::DirBuilderExt;
        let labs = Path::new(LABS);
        std::fs::create_dir_all(labs).map_err(LabError::at("making", labs))?;
        // The folder appears with the record in it or not at all.
        let beside = labs.join(format!(".{}.{}", self.name, std::process::id()));
        let _ = std::fs::remove_dir_all(&beside);
        std::fs::DirBuilder::new().mode(0o700).create(&beside).map_err(LabError::at("making", &beside))?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let file = beside.join("state.json");
        crate::root::write_private(&file, &text).map_err(LabError::at("writing", &file))?;
        std::fs::rename(&beside, self.folder()).map_err(|error| {
            let _ = std::fs::remove_dir_all(&beside);
            let doing = format!("making the lab {}", self.name);
            LabError::new(
                doing,
                format!("its folder cannot be taken: {error}"),
                "choose another name, or `cargo xtask lab down`",
            )
        })
    }

    /// Reads the record of a lab.
    pub(crate) fn read(name: &str) -> LabResult<Self> {
        let file = Self::folder_of(name).join("state.json");
        let text = std::fs::read_to_string(&file).map_err(|error| {
            LabError::new(format!("looking for the lab {name}"), error.to_string(), "`cargo xtask lab status`")
        })?;
        serde_json::from_str(&text).map_err(|error| {
            LabError::new(
                format!("reading {}", file.display()),
                error.to_string(),
                "it was made by another version: use that one to take it down",
            )
        })
    }

    /// Held while labs are taken down that their makers left, so that two processes do not take down the same one.
    pub(crate) fn lock() -> LabResult<std::fs::File> {
        let labs = Path::new(LABS);
        std::fs::create_dir_all(labs).map_err(LabError::at("making", labs))?;
        let path = labs.join(".lock");
        let file = std::fs::File::create(&path).map_err(LabError::at("making", &path))?;
        file.lock().map_err(LabError::at("locking", &path))?;
        Ok(file)
    }

    /// Removes folders of labs whose makers died before the record was in place; nothing else of such a lab exists.
    pub(crate) fn clear_unborn() -> LabResult<()> {
        let entries = std::fs::read_dir(LABS).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') && maker_is_gone(name) {
                crate::tree::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Names of all labs of this machine.
    pub(crate) fn names() -> Vec<String> {
        let entries = std::fs::read_dir(LABS).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }
}

/// Whether the process whose id ends the name of a temporary folder has ended.
pub(crate) fn maker_is_gone(name: &str) -> bool {
    let pid = name.rsplit(['.', '-']).next().and_then(|pid| pid.parse::<u32>().ok());
    pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_of_temporary_folders() {
        let own = std::process::id();
        for (name, want) in [(format!(".a.{own}"), false), (".a.4194305".to_owned(), true), (".lock".to_owned(), false)]
        {
            assert_eq!(maker_is_gone(&name), want, "{name}");
        }
    }

    #[test]
    fn the_record_is_read_as_it_was_written() {
        let node = NodeState {
            name: "n1".to_owned(),
            index: 0,
            address: "10.77.0.11".parse().unwrap(),
            hostname: "other".to_owned(),
            groups: vec!["/sys/fs/cgroup/unified/plinth-lab.a.n1".into()],
            disks: vec![("/var".to_owned(), 64)],
            seed: 3,
        };
        let state = State {
            name: "a".to_owned(),
            owner: Owner::own(),
            network: "10.77.0.0/22".parse().unwrap(),
            bridge: "10.77.0.1".parse().unwrap(),
            password: "secret".to_owned(),
            root: "/root-1".into(),
            pods: None,
            nodes: vec![node],
        };
        let text = serde_json::to_string(&state).unwrap();
        let again: State = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{again:?}"), format!("{state:?}"));
    }
}
