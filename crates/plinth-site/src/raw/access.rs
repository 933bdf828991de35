//! How nodes are reached.

use super::node_rules::NodeGlob;
use super::rules::{ExtraName, UserName};
use super::secret::SecretSource;
use super::text::Text;
use plinth_model::HostPath;
use schemars::JsonSchema;
use serde::Deserialize;

/// How nodes are reached.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Access {
    /// Login for first contact; only used to make the service account.
    pub(crate) bootstrap: Bootstrap,
    /// The service account that plinth makes on every node and works with.
    #[serde(default)]
    pub(crate) account: Option<Account>,
    /// SSH port; 22 when absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// A host that SSH goes through, when the nodes cannot be reached directly: BCM's head node, say.
    #[serde(default)]
    pub(crate) jump: Option<Jump>,
    /// Names or globs of nodes from which SHA-1 keys are accepted, for old SSH servers.
    #[serde(default)]
    pub(crate) legacy_keys: Vec<Text<NodeGlob>>,
}

/// Login for first contact, with exactly one of `password`, `key` and `agent: true`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bootstrap {
    /// User who may become root.
    pub(crate) user: Text<UserName>,
    /// Password.
    #[serde(default)]
    pub(crate) password: Option<SecretSource>,
    /// Private key.
    #[serde(default)]
    pub(crate) key: Option<SecretSource>,
    /// Use the SSH agent of the person who runs plinth.
    #[serde(default)]
    pub(crate) agent: Option<bool>,
}

/// A host that SSH goes through, with exactly one of `password`, `key` and `agent: true`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Jump {
    /// Name or address.
    pub(crate) host: Text<ExtraName>,
    /// SSH port; 22 when absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// User.
    pub(crate) user: Text<UserName>,
    /// Password.
    #[serde(default)]
    pub(crate) password: Option<SecretSource>,
    /// Private key.
    #[serde(default)]
    pub(crate) key: Option<SecretSource>,
    /// Use the SSH agent of the person who runs plinth.
    #[serde(default)]
    pub(crate) agent: Option<bool>,
}

/// Algorithm of the key pair that plinth makes.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyAlgorithm {
    /// RSA, 4096 bits.
    Rsa4096,
    /// Ed25519.
    Ed25519,
}

/// The service account that plinth makes on every node and works with.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    /// User and group name; `plinth` when absent.
    #[serde(default)]
    pub(crate) name: Option<Text<UserName>>,
    /// User id; 60000 when absent.
    #[serde(default)]
    pub(crate) uid: Option<u32>,
    /// Group id; the user id when absent.
    #[serde(default)]
    pub(crate) gid: Option<u32>,
    /// Home folder; `/home/<name>` when absent.
    #[serde(default)]
    pub(crate) home: Option<Text<HostPath>>,
    /// Login shell; `/bin/bash` when absent.
    #[serde(default)]
    pub(crate) shell: Option<Text<HostPath>>,
    /// Private key; made by plinth and kept in the state directory when absent.
    #[serde(default)]
    pub(crate) key: Option<SecretSource>,
    /// Algorithm of the key that plinth makes: `rsa4096` when absent, or `ed25519`.
    #[serde(default)]
    pub(crate) key_algorithm: Option<KeyAlgorithm>,
    /// Further public keys that may log in.
    #[serde(default)]
    pub(crate) authorized_keys: Vec<String>,
}
