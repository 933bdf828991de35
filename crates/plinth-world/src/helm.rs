//! The Helm client: its calls and the values they speak. The real one is `plinth-helm`.

mod differences;
mod manifests;
pub mod marks;
mod objects;
mod program;

pub use differences::{shown, value_differences};
pub use manifests::{ChartDefaults, ManifestRenderer, Rendered, Rendering};
pub use objects::{Drift, HelmObjects, Made, Part};
pub use program::{Helm, HelmMajor, HelmPrograms};

use crate::{Cause, ClientError, ClientResult, Context};
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::finding::code;
use plinth_model::steps::Release;
use plinth_model::{Finding, ReleaseName, Secret, Version};
use std::time::Duration;

/// What helm calls a release that was installed to its end.
pub const DEPLOYED: &str = "deployed";
/// What helm calls a revision that was installed to its end and is no longer the newest such one, or that a failed rollback began from.
pub const SUPERSEDED: &str = "superseded";

/// A release as helm left it. Values are not in here: they hold secrets, and are compared inside the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseState {
    /// Chart version, as the package says (`1.16.0` where the index says `v1.16.0`). One that cannot be read is the client's error.
    pub version: Version,
    /// `deployed`, `failed`, `pending-install`, ...
    pub status: String,
    /// Counts installations, upgrades and rollbacks, from 1.
    pub revision: u32,
    /// Since when it has this status.
    pub since: Timestamp,
    /// When its installation began: upgrades and rollbacks keep it; an installation anew, also a second try of a first one, does not. None: the
    /// record does not tell.
    pub first_deployed: Option<Timestamp>,
}

/// The newest revision that worked before the newest of all, where that one did not, or where somebody wants to go back from it: the one
/// that helm calls `deployed` still, else the newest that is `superseded`. helm also calls one superseded that failed, when going back from
/// it fails.
#[must_use]
pub fn last_good(history: &[ReleaseState]) -> Option<&ReleaseState> {
    let (_, earlier) = history.split_last()?;
    let newest = |status: &str| earlier.iter().rev().find(|one| one.status == status);
    newest(DEPLOYED).or_else(|| newest(SUPERSEDED))
}

impl ReleaseState {
    /// Whether it was installed to its end.
    #[must_use]
    pub fn worked(&self) -> bool {
        self.status == DEPLOYED || self.status == SUPERSEDED
    }
}

/// Releases of one cluster: what is there, how it differs from what is wanted, and changes to it.
#[async_trait]
pub trait HelmClient: Send + Sync {
    /// The release, if there is one.
    async fn release(&self, ctx: &Context, namespace: &str, name: &str) -> ClientResult<Option<ReleaseState>>;
    /// What is otherwise than wanted, one line each: the release is not there (`+`); chart version, package, status and each value by its
    /// dotted path (`+`, `-`, `~`). Secrets are resolved and compared in here, and shown as `(secret)`. Empty: in the desired state.
    async fn differences(&self, ctx: &Context, release: &Release) -> ClientResult<Vec<String>>;
    /// What somebody changed in the objects of a release that is otherwise in the desired state, or removed of them.
    async fn drift(&self, ctx: &Context, release: &Release) -> ClientResult<Drift>;
    /// Installs or upgrades; hooks of the chart are waited for, workloads are not: what proves that it works is the step's to know.
    /// Where only its objects are otherwise, puts those right and answers what. Nothing is done when it is in the desired state. What an attempt before left behind is repaired first, and answered, a sentence each:
    /// an operation of helm that was broken off long ago, left-over Jobs. One that may still be at work is an error.
    async fn upgrade(&self, ctx: &Context, release: &Release) -> ClientResult<Vec<String>>;
    /// All revisions that helm remembers, oldest first.
    async fn history(&self, ctx: &Context, release: &ReleaseName) -> ClientResult<Vec<ReleaseState>>;
    /// What is otherwise than in this revision, one line each, without values. Empty: the newest is deployed and as that one was. One that
    /// helm does not remember is an error.
    async fn differences_to_revision(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
    ) -> ClientResult<Vec<String>>;
    /// Goes back to a revision that was deployed to its end; hooks are waited for, workloads are not. Nothing is done when it is so already.
    /// Answers what was repaired before, as for [`Self::upgrade`]. One that failed, or that helm does not remember, is an error.
    async fn rollback(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
        limit: Duration,
    ) -> ClientResult<Vec<String>>;
    /// Uninstalls the release with its history, and waits until what it made is gone. What helm keeps on purpose stays: its
    /// namespace, custom resource definitions that are no templates, claims of volumes. A release that is not there is fine.
    async fn uninstall(&self, ctx: &Context, release: &ReleaseName, limit: Duration) -> ClientResult<()>;
}

/// Refuses to go back to an older version than the one that is deployed, unless the site file names exactly that one: charts are not
/// made for that, and some lose data by it.
///
/// # Errors
/// When `wanted` is older, and nobody named it.
pub fn not_older(release: &Release, deployed: &Version, wanted: &Version) -> ClientResult<()> {
    if wanted >= deployed || release.named_by_site {
        return Ok(());
    }
    let Release { component, release: name, namespace, .. } = release;
    let text = format!("{component} {} is deployed, and {} would be installed", deployed.bare(), wanted.bare());
    let fix = format!(
        "to stay with what is deployed, write `version: {}` below platform.components.{component}; to go back on purpose, \
         write {} there. Where the site names a line only, `plinth plan --refresh` chooses its newest version again",
        deployed.bare(),
        wanted.bare()
    );
    let finding = Finding::error(code::HELM_OLDER_VERSION, &**component, text.clone())
        .evidence(format!("release {namespace}/{name} has chart version {}", deployed.bare()))
        .evidence(format!("the plan has {}", release.version_in_words()))
        .fix(&*fix);
    Err(ClientError::new("helm", format!("upgrading release {namespace}/{name}"))
        .happened(text)
        .attempt(fix)
        .because(Cause::Input)
        .finding(finding))
}

/// Refuses an upgrade that leaves out versions in between: what the newer one changes about its data begins from those.
///
/// # Errors
/// When the deployed version is older than the oldest that may be upgraded in a single step.
pub fn not_too_far(release: &Release, deployed: &Version) -> ClientResult<()> {
    let Some(from) = release.upgrades_from.as_ref().filter(|from| deployed < *from) else { return Ok(()) };
    let Release { component, release: name, namespace, .. } = release;
    let wanted = release.version_in_words();
    let text =
        format!("{component} {} is deployed, and {wanted} takes an upgrade from {from} or later", deployed.bare());
    let fix =
        format!("upgrade to {from} first: write that version, run `plinth apply`, then write the newer one again");
    let finding = Finding::error(code::HELM_UPGRADE_GAP, &**component, text.clone())
        .evidence(format!("release {namespace}/{name} has chart version {}", deployed.bare()))
        .evidence(format!("the plan has {wanted}"))
        .fix(&*fix);
    Err(ClientError::new("helm", format!("upgrading release {namespace}/{name}"))
        .happened(text)
        .attempt(fix)
        .because(Cause::Input)
        .finding(finding))
}

/// One revision of a release, as helm keeps it in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// Counts from 1.
    pub revision: u32,
    /// `deployed`, `superseded`, `failed`, `pending-upgrade`, ...
    pub status: String,
    /// When it was last written: by the API server's clock when it was made, by that of helm when it was changed later.
    pub written: Timestamp,
    /// Further labels, given by whoever ran helm.
    pub labels: Vec<(String, String)>,
    /// What the API server calls this very state of it: it changes with every write.
    pub state: String,
    /// When it was last written, by the API server's clock alone. None: it does not tell.
    pub settled: Option<Timestamp>,
}

/// What helm keeps of its releases in the cluster: one Secret for each revision, and what it was told of an object there. helm itself
/// is not run for it.
#[async_trait]
pub trait ReleaseRecords: Send + Sync {
    /// All revisions of a release, oldest first, by their labels alone. Those that are not helm's are left out.
    async fn records(&self, ctx: &Context, release: &ReleaseName) -> ClientResult<Vec<ReleaseRecord>>;
    /// What is written in one, in helm's own encoding; it holds values, so it is a secret. None: it is gone.
    async fn content(&self, ctx: &Context, release: &ReleaseName, revision: u32) -> ClientResult<Option<Secret>>;
    /// Removes one, if nobody changed it meanwhile; it is an error when somebody did.
    async fn remove_record(&self, ctx: &Context, release: &ReleaseName, record: &ReleaseRecord) -> ClientResult<()>;
    /// Gives one another status, with content that says the same, if nobody changed it meanwhile; it is an error when somebody did.
    async fn rewrite_record(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        record: &ReleaseRecord,
        status: &str,
        content: &Secret,
    ) -> ClientResult<()>;
    /// What an annotation of a custom resource definition says: empty when it has none of this name. None: there is no such definition.
    async fn definition_annotation(&self, ctx: &Context, definition: &str, key: &str) -> ClientResult<Option<String>>;
}
