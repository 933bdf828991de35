//! The Ansible client: Kubespray's source, its Python environment, its playbooks. The real one is `plinth-ansible`.

mod play;

pub use play::{HostStats, PlayHosts, PlayRun, PlayStats};

use crate::{ClientResult, Context};
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::Digest;
use plinth_model::steps::KubesprayRelease;
use serde::{Deserialize, Serialize};

/// Something that Kubespray would fetch onto the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Download {
    /// Kubespray's name for it.
    pub name: String,
    /// Groups of hosts that need it.
    pub groups: Vec<String>,
    /// Whether these variables ask for it.
    pub enabled: bool,
    /// A file or an image, and where it comes from.
    pub what: Artifact,
}

/// What is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Artifact {
    /// Fetched over HTTP, and put below Kubespray's folder of releases.
    File {
        /// Where it comes from.
        url: String,
        /// Name below Kubespray's folder of releases; a file of the right content there is not fetched again.
        dest: String,
        /// Lower-case hexadecimal digits; none: Kubespray does not check it.
        sha256: Option<String>,
    },
    /// A container image.
    Image {
        /// Repository, with its registry.
        repo: String,
        /// As it stands behind the `:` of the image's name.
        tag: String,
    },
}

/// Ansible with Kubespray.
#[async_trait]
pub trait AnsibleClient: Send + Sync {
    /// Commit and tree of the source that is here for the tag. Where there is no history to read, the commit is the one that
    /// was pinned when the tree was found to be the right one.
    async fn source(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<Option<(String, String)>>;
    /// Fetches the source and verifies commit and tree. Harmless to repeat.
    async fn fetch_source(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()>;
    /// ansible-core version of the environment that is here for the release.
    async fn environment(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<Option<String>>;
    /// Makes the environment. Harmless to repeat.
    async fn make_environment(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()>;
    /// Files written so far, name to digest.
    async fn inventory(&self, ctx: &Context) -> ClientResult<IndexMap<String, Digest>>;
    /// Writes inventory and variables atomically.
    async fn write_inventory(&self, ctx: &Context, files: &IndexMap<String, String>) -> ClientResult<()>;
    /// Runs a play with progress, over the written inventory. What is begun and how it ends is kept. The statistics are
    /// returned even when hosts failed: the caller judges. Dropping the future ends the play and waits for nothing.
    async fn play(&self, ctx: &Context, run: &PlayRun) -> ClientResult<PlayStats>;
    /// The hosts that each play of a run would touch. Contacts no node.
    async fn preview(&self, ctx: &Context, run: &PlayRun) -> ClientResult<Vec<PlayHosts>>;
    /// What Kubespray's own check of its input says about the written files; empty when it is content, absent when the release
    /// has no such check (before v2.28). Contacts no node.
    async fn validate_inventory(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<Option<Vec<String>>>;
    /// What the release would fetch with the written files. Contacts no node.
    async fn downloads(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<Vec<Download>>;
}
