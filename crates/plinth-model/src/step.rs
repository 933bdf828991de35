//! Step ids and stages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// `area/verb/target`: `nodes/account/dgx-05`, `platform/release/gpu-operator`. Stable across plans, cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct StepId(Arc<str>);

/// A text that is not a step id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a step id: it has the form area/verb/target")]
pub struct StepIdError(String);

impl StepId {
    /// Puts an id together. Slashes and white space inside a part become dashes, so the result always has three parts.
    #[must_use]
    pub fn new(area: &str, verb: &str, target: &str) -> Self {
        let clean = |part: &str| part.replace(|c: char| c == '/' || c.is_whitespace(), "-");
        Self(Arc::from(format!("{}/{}/{}", clean(area), clean(verb), clean(target))))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part.
    #[must_use]
    pub fn area(&self) -> &str {
        self.0.split('/').next().unwrap_or("")
    }

    /// The second part.
    #[must_use]
    pub fn verb(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or("")
    }

    /// The third part.
    #[must_use]
    pub fn target(&self) -> &str {
        self.0.split('/').nth(2).unwrap_or("")
    }
}

impl TryFrom<String> for StepId {
    type Error = StepIdError;
    fn try_from(text: String) -> Result<Self, StepIdError> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.len() == 3 && parts.iter().all(|p| !p.is_empty() && !p.contains(char::is_whitespace)) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(StepIdError(text.chars().take(120).collect()))
        }
    }
}

impl From<StepId> for String {
    fn from(id: StepId) -> Self {
        id.0.to_string()
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where in the main job a step belongs. The order is the order of display, not of execution: needs alone order execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Inventory, through BCM.
    Discovery,
    /// Accounts and preparation of the machines, over SSH.
    Nodes,
    /// Kubernetes itself, by an engine.
    Kubernetes,
    /// Components that helm installs, and their objects.
    Platform,
    /// The Run:ai control plane, registration, cluster part.
    Runai,
    /// Acceptance, with evidence.
    Acceptance,
}

impl Stage {
    /// All stages, in order of display.
    pub const ALL: [Stage; 6] =
        [Stage::Discovery, Stage::Nodes, Stage::Kubernetes, Stage::Platform, Stage::Runai, Stage::Acceptance];

    /// Where components belong unless the catalog says otherwise.
    pub(crate) const fn platform() -> Self {
        Stage::Platform
    }

    pub(crate) fn is_platform(&self) -> bool {
        *self == Stage::Platform
    }

    /// Name of the stage in texts for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Stage::Discovery => "discovery",
            Stage::Nodes => "nodes",
            Stage::Kubernetes => "kubernetes",
            Stage::Platform => "platform",
            Stage::Runai => "Run:ai",
            Stage::Acceptance => "acceptance",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}
