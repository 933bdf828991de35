//! What is done on nodes: logins, accounts, registries, least sizes.

use crate::{NodeName, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// How a login proves itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// A password; keyboard-interactive where sshd asks that way.
    Password(SecretRef),
    /// A private key.
    Key(SecretRef),
    /// The caller's SSH agent.
    Agent,
}

/// Where a node is reached, and as whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTarget {
    /// Node.
    pub node: NodeName,
    /// Production address.
    pub address: Ipv4Addr,
    /// SSH port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Proof.
    pub credential: Credential,
    /// SHA-1 host and user keys are accepted from this node; a visible finding.
    #[serde(default)]
    pub legacy_keys: bool,
}

/// The service account that plinth makes on every node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// User and group name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Our key: the private half's place; the public half is authorised on the node.
    pub key: SecretRef,
    /// Further public keys to authorise.
    #[serde(default)]
    pub authorized_keys: Vec<String>,
}

/// One registry mirror.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// Registry that is mirrored: `docker.io`.
    pub registry: String,
    /// Mirror addresses, first tried first.
    pub endpoints: Vec<String>,
}

/// One registry login.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistryLogin {
    /// Registry host, without scheme for containerd, as the vendor writes it for pull secrets.
    pub registry: String,
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: SecretRef,
}

/// Least a node must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeMinimum {
    /// Processor cores.
    pub cpus: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// GPUs are expected.
    pub gpu: bool,
}
