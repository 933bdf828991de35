//! The site file as it is written: one source of truth for what is parsed and for the JSON Schema. Doc comments here are the
//! descriptions in the schema, so they speak to the person who writes a site file.

pub(crate) mod access;
pub(crate) mod cluster;
pub(crate) mod cluster_rules;
mod host_ranges;
pub(crate) mod inventory;
pub(crate) mod kubernetes;
pub(crate) mod node_rules;
pub(crate) mod nodes;
pub(crate) mod notify;
pub(crate) mod platform;
pub(crate) mod registry_rules;
pub(crate) mod rules;
pub(crate) mod runai;
pub(crate) mod secret;
pub(crate) mod slips;
pub(crate) mod text;

use plinth_model::SiteName;
use schemars::JsonSchema;
use serde::Deserialize;
use text::Text;

/// The `apiVersion` this release reads.
pub(crate) const API_VERSION: &str = "plinth/v1";
/// The one `kind`.
pub(crate) const KIND: &str = "Site";

/// One deployment of Kubernetes and Run:ai on bare metal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Site")]
pub(crate) struct Site {
    /// Version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub(crate) api_version: String,
    /// What the file describes.
    #[schemars(extend("const" = KIND))]
    pub(crate) kind: String,
    /// About the site.
    pub(crate) metadata: Metadata,
    /// Where nodes are listed.
    pub(crate) inventory: inventory::Inventory,
    /// Which addresses may be used.
    pub(crate) networks: inventory::Networks,
    /// Which node does what.
    pub(crate) nodes: nodes::Nodes,
    /// How nodes are reached. Only `engine: existing`, which reaches none, does without.
    #[serde(default)]
    pub(crate) access: Option<access::Access>,
    /// Kubernetes.
    pub(crate) kubernetes: kubernetes::Kubernetes,
    /// Container registries, as the nodes use them.
    #[serde(default)]
    pub(crate) registries: Option<inventory::Registries>,
    /// Where container images live on the nodes.
    #[serde(default)]
    pub(crate) storage: Option<inventory::Storage>,
    /// What runs on the cluster besides Run:ai.
    #[serde(default)]
    pub(crate) platform: Option<platform::Platform>,
    /// Run:ai, self-hosted. Without it the platform is installed alone.
    #[serde(default)]
    pub(crate) runai: Option<runai::Runai>,
    /// What acceptance checks are made with.
    #[serde(default)]
    pub(crate) checks: Option<platform::Checks>,
    /// Limits of a run. They do not change what is deployed.
    #[serde(default)]
    pub(crate) run: Option<platform::Run>,
    /// Whom a run tells that it began, that something failed, and how it ended.
    #[serde(default)]
    pub(crate) notify: Option<notify::Notify>,
}

/// About the site.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Metadata {
    /// Name of the site; also the name of its folder in the state directory.
    pub(crate) name: Text<SiteName>,
}
