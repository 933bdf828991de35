//! Values that the kinds of this area share. What is done for Run:ai.

use crate::{SecretRef, Version};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Where the Run:ai control plane is, from one URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiTarget {
    /// `https://host[:port]`, without a trailing slash.
    pub url: String,
    /// Address that the URL's host leads to in this site: that of the ingress. The name itself may mean nothing where plinth runs;
    /// TLS and HTTP use it all the same. None: the machine's own name service is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// Keycloak realm: `runai` self-hosted.
    pub realm: String,
    /// Administrator's e-mail.
    pub admin: String,
    /// Administrator's password.
    pub password: SecretRef,
    /// Name of the certificate whose authority signs the URL; none: system roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// PEM text of the authority that signs the URL of a control plane elsewhere; none: that of `authority`, or system roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_text: Option<String>,
    /// Cluster name.
    pub cluster: String,
    /// Where the cluster itself is reached; none: at the URL of the control plane, which is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_url: Option<String>,
    /// Version of the cluster part.
    pub version: Version,
    /// How a control plane of that version is spoken to.
    pub api: RunaiApi,
}

impl RunaiTarget {
    /// Whether it is the control plane that plinth installs in this cluster, and not one elsewhere.
    #[must_use]
    pub const fn is_here(&self) -> bool {
        self.cluster_url.is_none()
    }

    /// The issuer that Keycloak must write into tokens; compared as an exact text, so host, port and scheme must all be right.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/auth/realms/{}", self.url, self.realm)
    }
}

/// How the REST interface of one line of versions is spoken: paths and names of fields. Comes from the catalog, so that a new
/// line of versions is data. In paths, `{realm}`, `{uuid}` and `{version}` stand for what is meant by the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiApi {
    /// Ways to a token, in order. The next one is tried when the server does not know a way, or its client.
    pub tokens: Vec<TokenWay>,
    /// Clusters: `GET` lists them, `POST` makes one.
    pub clusters: String,
    /// What the cluster part needs to sign in.
    pub credentials: String,
    /// Which field of it is the credential.
    pub credential: ClusterCredential,
    /// Nodes of a cluster: paths in order. The next one is tried when the server does not know a path.
    pub nodes: Vec<String>,
    /// Departments: `GET` lists those of all clusters, `POST` makes one; below `/ID/resources` the quota is changed.
    #[serde(default)]
    pub departments: String,
    /// Projects, in the same way.
    #[serde(default)]
    pub projects: String,
    /// Node pools of a cluster: `GET` lists them. Quotas are given by pool.
    #[serde(default)]
    pub node_pools: String,
    /// Workloads of all kinds: below `/ID` is one, with what the scheduler says of it.
    #[serde(default)]
    pub workloads: String,
    /// Trainings: `POST` starts one, `DELETE` of `/ID` ends it.
    #[serde(default)]
    pub trainings: String,
}

/// A department, or a project of one. Names are unique in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrgUnit {
    /// The one that people see; units are found by it.
    pub name: String,
    /// The department that it belongs to; none: it is a department itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Quota of whole GPUs in the node pool `default`. Quotas of processors and memory, and of other pools, are left as they are.
    pub gpus: u32,
}

impl OrgUnit {
    /// For people: `project team-a`.
    #[must_use]
    pub fn title(&self) -> String {
        let what = if self.department.is_some() { "project" } else { "department" };
        format!("{what} {}", self.name)
    }
}

/// One way to get a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenWay {
    /// Below the address of the control plane.
    pub path: String,
    /// How the fields are sent.
    pub form: TokenForm,
    /// Fields; `{admin}` and `{password}` stand for the login of the site.
    pub fields: IndexMap<String, String>,
    /// The field of the answer that is the token.
    pub token: String,
    /// The field of the answer that says how many seconds it is valid.
    pub expires: String,
}

/// How the fields of a request for a token are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TokenForm {
    /// As a form, as OAuth 2 has it.
    Form,
    /// As one JSON object.
    Json,
}

/// What the cluster part signs in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClusterCredential {
    /// A secret of the cluster, which stays the same and can be read again: control planes from 2.15 to 2.26.
    #[default]
    ClientSecret,
    /// A token that is used once and is valid for two hours: control planes from 3.0 on.
    BootstrapToken,
}

impl ClusterCredential {
    /// Its field in the answer of the control plane.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::ClientSecret => "clientSecret",
            Self::BootstrapToken => "bootstrapToken",
        }
    }

    /// What may be kept instead, where another release of Run:ai made the cluster known.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::ClientSecret => Self::BootstrapToken,
            Self::BootstrapToken => Self::ClientSecret,
        }
    }

    /// The generated secret that keeps it.
    #[must_use]
    pub fn kept(self) -> SecretRef {
        let name = match self {
            Self::ClientSecret => "runai-client-secret",
            Self::BootstrapToken => "runai-bootstrap-token",
        };
        SecretRef::Generated(name.to_owned())
    }
}

/// The generated secret that keeps the id under which the control plane knows the cluster. No secret, but learnt like one.
#[must_use]
pub fn cluster_uid() -> SecretRef {
    SecretRef::Generated("runai-cluster-uid".to_owned())
}
