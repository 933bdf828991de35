//! Components as data: one file of `catalog/components` each.

use crate::expression::Condition;
use crate::runai::{DerivedFact, RunaiPart};
use indexmap::IndexMap;
use plinth_model::Code;
use plinth_model::steps::{CrdPolicy, PodSecurity};
use plinth_model::{ObjectName, Severity, Stage, Version};
use serde::Deserialize;
use serde_json::Value;

/// One thing of the platform. Fields of type [`Value`] may hold expressions ([`crate::expression`]).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// Name; equal to the file's.
    pub name: String,
    /// Name for people: `NVIDIA GPU Operator`.
    pub title: String,
    /// Where its steps belong.
    pub stage: Stage,
    /// Which part of Run:ai it is.
    #[serde(default)]
    pub part: Option<RunaiPart>,
    /// Whether it is on where the site file says nothing, and whether the site file may say anything.
    pub enabled: Enabled,
    /// Why it is on where `enabled` has conditions and they decide so: one clause for the plan.
    #[serde(default)]
    pub reason: Option<String>,
    /// Its table in the compatibility data; none: nothing is known.
    #[serde(default)]
    pub compatibility: Option<String>,
    /// What is installed, from where, and in which versions.
    pub chart: Chart,
    /// Release name.
    pub release: String,
    /// Namespace of the release.
    pub namespace: Namespace,
    /// Further namespaces.
    #[serde(default)]
    pub namespaces: Vec<Namespace>,
    /// Facts that it defines, whether it is on or off, in order; a later one of the same name wins where its conditions hold.
    #[serde(default)]
    pub facts: Vec<DerivedFact>,
    /// Names that its complete values decide, each a text: fact `self.name.<key>` of what is made after the values.
    #[serde(default)]
    pub names: IndexMap<String, Value>,
    /// Secrets in its namespace that it reads under fixed names.
    #[serde(default)]
    pub secrets: Vec<ComponentSecret>,
    /// Who changes its CRDs.
    pub crds: CrdPolicy,
    /// How long helm may wait, seconds.
    pub timeout_s: u32,
    /// What the chart is given, before variants and the site's own values are merged over it.
    #[serde(default)]
    pub values: Value,
    /// What is added under conditions, in order.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// What people should know when conditions hold, which may be about its complete values.
    #[serde(default)]
    pub findings: Vec<ConditionalFinding>,
    /// Objects applied after the release.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// What must be healthy before.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Components that it takes the place of: both cannot be there at the same time.
    #[serde(default)]
    pub replaces: Vec<String>,
    /// Its objects that the site no longer wants go before the wanted ones are applied: what checks them takes no two that clash, not even
    /// for a moment. Otherwise they go when it is up to date.
    #[serde(default)]
    pub drops_first: bool,
    /// Health rules of the release, in the shape of [`plinth_model::steps::Health`]; with `when`, only under these conditions.
    #[serde(default)]
    pub health: Vec<Value>,
    /// Health rules of the objects.
    #[serde(default)]
    pub objects_health: Vec<Value>,
    /// What proves that it does what it is there for, in the shape of [`plinth_model::steps::Check`] with a `reason`; with `when`, only
    /// under these conditions.
    #[serde(default)]
    pub checks: Vec<Value>,
    /// Jobs that a failed attempt leaves behind and that spoil the next.
    #[serde(default)]
    pub stale_jobs: Vec<String>,
    /// Objects that its own controller must clean up behind, so that they go before the release: `apiVersion`, `kind`, `name`, and
    /// `namespace` where they have one.
    #[serde(default)]
    pub remove_first: Vec<ObjectName>,
    /// An object of its own whose version its operator moves by one minor at a time.
    #[serde(default)]
    pub upgrade_path: Option<OneMinorAtATime>,
    /// Images of the first pinned version, each of which must become a text; those of others stand with them. None: nothing is known of them.
    #[serde(default)]
    pub images: Option<Vec<Value>>,
    /// What of the images of the first pinned version is not among them: a clause that follows "not known:".
    #[serde(default)]
    pub unlisted_images: Option<String>,
    /// Images that its objects name and nobody pulls.
    #[serde(default)]
    pub idle_images: Vec<IdleImages>,
    /// What people lose when it is removed again, beside the release: one clause.
    #[serde(default)]
    pub lost: Option<String>,
    /// Facts worth knowing, for people.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// When a component is on, unless the site file says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Enabled {
    /// On, until the site file switches it off.
    Always,
    /// Off, until the site file switches it on.
    Never,
    /// On when this fact is true. It cannot be forced.
    WhenTrue(String),
    /// On when this fact is not empty. It cannot be forced.
    WhenNotEmpty(String),
    /// On when all hold.
    When(Vec<Condition>),
    /// Off when all hold.
    Unless(Vec<Condition>),
}

/// A helm chart.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chart {
    /// Name, or the whole address for `oci://`.
    pub name: String,
    /// Repository address; absent when the name has it. One with `oci://` becomes part of the name.
    #[serde(default)]
    pub repository: Option<Value>,
    /// Its maker publishes no chart but one file of objects; digests of the versions are those of the file.
    #[serde(default)]
    pub objects: Option<ObjectsFile>,
    /// Login for the repository.
    #[serde(default)]
    pub login: Option<Login>,
    /// Versions that were looked at. The default is the first whose `when` holds, else the first without one.
    #[serde(default)]
    pub versions: Vec<PinnedVersion>,
    /// Fact that gives the version instead.
    #[serde(default)]
    pub version_from: Option<String>,
}

/// One file of objects, from which a chart is made.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectsFile {
    /// Its address, with `{version}` where the version stands (with `v`); none: its maker publishes only what it is made from.
    #[serde(default)]
    pub address: Option<String>,
    /// How a person gets it, as a command; `{version}` as above.
    pub how: String,
}

impl ObjectsFile {
    /// A text of this file for a version.
    pub(crate) fn of_version(text: &str, version: &Version) -> String {
        text.replace("{version}", &version.prefixed())
    }
}

/// An object whose version, one of the component's parts, its operator moves by one minor at a time. Which lines a release of the operator
/// carries stands in the compatibility data.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OneMinorAtATime {
    /// The part: `knative_serving`.
    pub part: String,
    /// The object: `apiVersion`, `kind`, `name`, and `namespace` where it has one.
    pub object: ObjectName,
}

/// Login for a chart repository.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Login {
    /// Only under these conditions.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Address the login is for: must become a text.
    pub registry: Value,
    /// User: must become a text.
    pub username: Value,
    /// Password: must become a secret reference.
    pub password: Value,
}

/// A version that was looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinnedVersion {
    /// Version, as the repository writes it.
    pub version: Version,
    /// SHA-256 of the package, when known.
    #[serde(default)]
    pub digest: Option<String>,
    /// SHA-256 of the manifest in a registry that names the package, when known. Only for `oci://`.
    #[serde(default)]
    pub manifest_digest: Option<String>,
    /// Why this one, or why not.
    pub reason: String,
    /// It is the default when all hold; none: it is the default when no such version is.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// It is the default as well when all of one of these lists hold.
    #[serde(default)]
    pub or_when: Vec<Vec<Condition>>,
    /// What else it carries, by the compatibility data's names.
    #[serde(default)]
    pub parts: IndexMap<String, Version>,
    /// Its images, where it is not the first. None: nothing is known of them.
    #[serde(default)]
    pub images: Option<Vec<Value>>,
    /// What of its images is not among them: a clause that follows "not known:".
    #[serde(default)]
    pub unlisted_images: Option<String>,
}

/// A namespace that a component works in, and how strict Kubernetes is with its pods.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Namespace {
    /// The usual one; a site may choose another unless `fixed` says why not.
    pub name: String,
    /// Pod Security level.
    pub pod_security: PodSecurity,
    /// Why that level.
    pub reason: String,
    /// Why it cannot be another namespace; none: it can.
    #[serde(default)]
    pub fixed: Option<String>,
    /// Values of the site that need another level.
    #[serde(default)]
    pub raised: Vec<RaisedSecurity>,
}

/// A level that the component's complete values decide.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RaisedSecurity {
    /// All must hold.
    pub when: Vec<Condition>,
    /// Level then, if it is the higher one.
    pub pod_security: PodSecurity,
    /// What needs that level, in words.
    pub reason: String,
}

/// A Kubernetes secret that a component reads under a fixed name.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentSecret {
    /// The fixed one, unique in the component's namespace.
    pub name: String,
    /// Which of its namespaces; that of the release when absent.
    #[serde(default)]
    pub namespace: Option<String>,
    /// All must hold; they may be about the complete values.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What it is for: must become a text.
    pub reason: Value,
    /// In the shape of [`plinth_model::steps::SecretContent`].
    pub content: Value,
    /// Dotted paths of values that only it holds where it is made: the chart is not given them.
    #[serde(default)]
    pub takes: Vec<String>,
    /// Of the secret itself; what looks for it by label finds it.
    #[serde(default)]
    pub labels: IndexMap<String, String>,
}

/// What is added when conditions hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variant {
    /// All must hold.
    pub when: Vec<Condition>,
    /// What it is for, in words.
    pub reason: String,
    /// Merged over the values so far.
    #[serde(default)]
    pub values: Option<Value>,
    /// Further health rules.
    #[serde(default)]
    pub health: Vec<Value>,
    /// Further objects, behind those of the component.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// Health rules of these objects.
    #[serde(default)]
    pub objects_health: Vec<Value>,
    /// Objects behind those, in stages: each begins when the one before it works.
    #[serde(default)]
    pub stages: Vec<ObjectsStage>,
    /// Further checks.
    #[serde(default)]
    pub checks: Vec<Value>,
    /// Further images; each must become a text.
    #[serde(default)]
    pub images: Vec<Value>,
    /// Longer waiting, seconds.
    #[serde(default)]
    pub timeout_s: Option<u32>,
    /// What people should know when it applies.
    #[serde(default)]
    pub finding: Option<VariantFinding>,
}

/// Objects that are applied together, behind others that must work before.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectsStage {
    /// What they are, as a part of their step's id: `policies`.
    pub name: String,
    /// As the API server takes them, with expressions in them.
    pub objects: Vec<Value>,
    /// Health rules of these objects.
    #[serde(default)]
    pub objects_health: Vec<Value>,
}

/// A finding under conditions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConditionalFinding {
    /// All must hold.
    pub when: Vec<Condition>,
    /// What is said then.
    pub finding: VariantFinding,
}

/// A finding that comes with a variant, or under conditions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariantFinding {
    /// A declared finding code; a house check refuses any other.
    pub code: Code,
    /// Whether plinth goes on with it.
    pub severity: Severity,
    /// Path in the site file.
    pub subject: String,
    /// What is so, in one sentence.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// Images, without tag, that an operator's object names as long as these conditions hold, and that are not pulled: parts that are off.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdleImages {
    /// All must hold; they may be about the complete values.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Names without tag, as the object has them.
    pub images: Vec<String>,
    /// Why nobody pulls them.
    pub reason: String,
}

/// A component that must be healthy before.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Need {
    /// Its name in the catalog.
    pub component: String,
    /// Others that do as well.
    #[serde(default)]
    pub or: Vec<String>,
    /// Without it this component cannot work; otherwise it only orders the two when both are on.
    #[serde(default)]
    pub required: bool,
    /// It is required only when all hold.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What it needs of it, in words.
    pub reason: String,
}

impl Need {
    /// The component and those that do as well.
    pub fn any_of(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.component).chain(&self.or).map(String::as_str)
    }
}

/// A fact worth knowing.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Note {
    /// What is worth knowing, as a sentence.
    pub text: String,
    /// Title of the document or product it comes from.
    pub source: String,
}
