//! What runs on the nodes of a site, as far as plinth put it there or took it over: one record for each site, whatever the engine.

use crate::steps::RunInputs;
use crate::{NodeName, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The record of a site. Versions in it are versions: one that cannot be read makes the whole record unreadable, which is an error and
/// never "nothing runs".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "engine")]
pub enum EngineRecord {
    /// plinth installed it with Kubespray's plays.
    Kubespray(Box<KubesprayRecord>),
    /// A cluster that somebody else installed.
    Existing(ExistingRecord),
}

/// What Kubespray's plays left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRecord {
    /// What the last successful play was made from; none: no play was ever whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<RunInputs>,
    /// A play that was begun since and did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// When the last successful play ended; none in records of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A cluster that was taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExistingRecord {
    /// Its API server, as its kubeconfig names it.
    pub server: String,
    /// What that server said of its version.
    pub kubernetes: Version,
    /// Its nodes, by the names that Kubernetes has for them; empty in records of older releases.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<String>,
    /// When it was taken over.
    pub at: Timestamp,
}

/// A play that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    /// Which play, with what decides its hosts.
    #[serde(flatten)]
    pub play: Play,
    /// What it is made from.
    pub inputs: RunInputs,
    /// When the first of the plays began that have not succeeded since; none in records of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl EngineRecord {
    /// Version of Kubernetes that runs, as far as the record knows.
    #[must_use]
    pub fn kubernetes(&self) -> Option<&Version> {
        match self {
            Self::Kubespray(record) => record.last.as_ref().map(|last| &last.version),
            Self::Existing(record) => Some(&record.kubernetes),
        }
    }

    /// Whether plinth has, or may have, put Kubernetes on this node. Of a cluster that was taken over no node is ours.
    #[must_use]
    pub fn has(&self, node: &NodeName) -> bool {
        match self {
            Self::Kubespray(record) => record.has(node),
            Self::Existing(_) => false,
        }
    }
}

impl KubesprayRecord {
    /// Whether a play has, or may have, put Kubernetes on this node.
    #[must_use]
    pub fn has(&self, node: &NodeName) -> bool {
        let in_last = self.last.as_ref().is_some_and(|inputs| inputs.hosts.contains_key(node));
        in_last || self.begun.as_ref().is_some_and(|begun| begun.inputs.hosts.contains_key(node))
    }
}

/// One of Kubespray's playbooks, with whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "play")]
pub enum Play {
    /// Everything, on every host: the first installation, and the supported way to resume.
    Cluster,
    /// New workers join; facts of all hosts are read before, since the limited play needs them.
    Scale {
        /// Workers that join.
        nodes: Vec<NodeName>,
    },
    /// Another version of Kubernetes or of Kubespray, host by host.
    Upgrade,
    /// Hosts leave. Never run without names: older releases would take every host.
    Remove {
        /// Hosts that leave.
        nodes: Vec<NodeName>,
        /// Whether they answer; if not, nothing is cleaned on them.
        reachable: bool,
    },
    /// Kubernetes leaves every host, with its data.
    Reset,
    /// Members of the control plane that broke are taken in again by those that survived, which stand first in the written inventory.
    Recover {
        /// Members that broke.
        nodes: Vec<NodeName>,
        /// Those of them on which something of Kubernetes is left. It goes first, by reset.yml: kubeadm would not join them again.
        #[serde(default)]
        reset: Vec<NodeName>,
    },
}

impl Play {
    /// Its name for people and in records.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Play::Cluster => "cluster",
            Play::Scale { .. } => "scale",
            Play::Upgrade => "upgrade",
            Play::Remove { .. } => "remove",
            Play::Reset => "reset",
            Play::Recover { .. } => "recover",
        }
    }

    /// Kubespray's playbook for it.
    #[must_use]
    pub const fn playbook(&self) -> &'static str {
        match self {
            Play::Cluster => "cluster.yml",
            Play::Scale { .. } => "scale.yml",
            Play::Upgrade => "upgrade-cluster.yml",
            Play::Remove { .. } => "remove-node.yml",
            Play::Reset => "reset.yml",
            Play::Recover { .. } => "recover-control-plane.yml",
        }
    }

    /// Whether it takes Kubernetes away from hosts.
    #[must_use]
    pub const fn removes(&self) -> bool {
        matches!(self, Play::Remove { .. } | Play::Reset)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_cannot_be_read_makes_the_record_unreadable() {
        let record = |version: &str| {
            format!(
                r#"{{"engine": "existing", "server": "https://x", "kubernetes": "{version}", "at": "2026-11-29T12:00:00Z"}}"#
            )
        };
        let good: EngineRecord = serde_json::from_str(&record("v1.31.9")).unwrap();
        assert_eq!(good.kubernetes().unwrap().minor(), "1.31");
        assert!(!good.has(&NodeName::new("dgx-05").unwrap()), "no node of it is ours");
        assert!(serde_json::from_str::<EngineRecord>(&record("newest")).is_err());
        assert!(serde_json::from_str::<EngineRecord>("{}").is_err(), "a record without an engine is none");
    }
}
