//! What the resolver answers.

use crate::runai::RunaiPart;
use indexmap::IndexMap;
use plinth_model::steps::{Check, Health, PodSecurity, Release, SecretContent};
use plinth_model::{Finding, Stage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Components to install, and what is doubtful about them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Resolution {
    /// Components that are on, each behind everything it needs.
    pub components: Vec<ResolvedComponent>,
    /// Findings; with an error among them there is no plan.
    pub findings: Vec<Finding>,
}

/// One component, ready to be planned.
#[derive(Clone, Debug, Serialize)]
pub struct ResolvedComponent {
    /// Catalog name.
    pub name: String,
    /// For people.
    pub title: String,
    /// `platform` or `runai`.
    pub stage: Stage,
    /// Which part of Run:ai it is.
    pub part: Option<RunaiPart>,
    /// Why it is on, and why this version.
    pub reason: String,
    /// Where the release and its secrets are: the catalog's choice, or the site's.
    pub namespace: String,
    /// Pod Security level the namespace needs.
    pub pod_security: PodSecurity,
    /// The helm release.
    pub release: Release,
    /// Secrets in its namespace that must be there before.
    pub secrets: Vec<ResolvedSecret>,
    /// Objects applied after the release (KnativeServing, address pools).
    pub objects: Vec<Value>,
    /// Further namespaces those objects or the release need.
    pub namespaces: Vec<(String, PodSecurity)>,
    /// What proves that `objects` work; looked at when they have been applied.
    pub objects_health: Vec<Health>,
    /// Objects behind those, in stages: each begins when the one before it works.
    pub stages: Vec<ResolvedStage>,
    /// What proves that it does what it is there for.
    pub checks: Vec<ResolvedCheck>,
    /// Names of components that must be healthy before; only ones that are on.
    pub needs: Vec<String>,
    /// Images that are known: for mirrors.
    pub images: Vec<String>,
    /// What of its images is not known; none: all of them stand in `images`.
    pub unlisted_images: Option<String>,
    /// Images without tag that its objects name and nobody pulls.
    pub idle_images: Vec<String>,
}

/// Objects that are applied together, behind others that must work before.
#[derive(Clone, Debug, Serialize)]
pub struct ResolvedStage {
    /// What they are, as a part of their step's id.
    pub name: String,
    /// Complete manifests, without any expression left.
    pub objects: Vec<Value>,
    /// What proves that these objects work.
    pub health: Vec<Health>,
}

impl ResolvedComponent {
    /// Everything that is applied beside the release, in its order.
    pub fn all_objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().chain(self.stages.iter().flat_map(|stage| &stage.objects))
    }
}

/// A check that a component brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResolvedCheck {
    /// Why it is made: a sentence without its end.
    pub reason: String,
    /// What is looked at, on which nodes and with what.
    #[serde(flatten)]
    pub check: Check,
}

/// A Kubernetes secret that a component reads under a fixed name.
#[derive(Clone, Debug, Serialize)]
pub struct ResolvedSecret {
    /// Where the object stands.
    pub namespace: String,
    /// The fixed one, unique in the component's namespace.
    pub name: String,
    /// What it is for, in words.
    pub reason: String,
    /// What it holds.
    pub content: SecretContent,
    /// Of the secret itself, from the catalog.
    pub labels: IndexMap<String, String>,
}
