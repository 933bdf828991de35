//! What is done for Run:ai.

mod connected;
mod issuer;
mod register;

pub use connected::RunaiConnected;
pub use issuer::RunaiIssuer;
pub use register::RunaiRegister;

use crate::{SecretRef, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the Run:ai control plane is, from one URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiTarget {
    /// `https://host[:port]`, without a trailing slash.
    pub url: String,
    /// Keycloak realm: `runai` self-hosted.
    pub realm: String,
    /// Administrator's e-mail.
    pub admin: String,
    /// Administrator's password.
    pub password: SecretRef,
    /// Name of the certificate whose authority signs the URL; none: system roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Cluster name.
    pub cluster: String,
    /// Version of the cluster part.
    pub version: Version,
}

impl RunaiTarget {
    /// The issuer that Keycloak must write into tokens; compared as an exact text, so host, port and scheme must all be right.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/auth/realms/{}", self.url, self.realm)
    }
}
