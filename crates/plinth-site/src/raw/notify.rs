//! Whom a run tells about itself.

use super::rules::{FilePath, Label};
use super::secret::SecretSource;
use super::text::Text;
use schemars::JsonSchema;
use serde::Deserialize;

/// Whom a run tells about itself. It changes nothing that is deployed, and nobody waits for it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Notify {
    /// Addresses to which messages are posted.
    pub(crate) webhooks: Vec<Webhook>,
}

/// An address to which messages are posted by HTTPS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Webhook {
    /// What messages about it call it. The address itself is a secret and is never shown.
    pub(crate) name: Text<Label>,
    /// The address, `https://…`: whoever knows that of a chat may write into it, so it is a secret.
    pub(crate) url: SecretSource,
    /// What the other side reads; `json` when absent.
    #[serde(default)]
    pub(crate) format: Option<Format>,
    /// A key with which each message is signed, so that the other side knows who sent it.
    #[serde(default)]
    pub(crate) key: Option<SecretSource>,
    /// What is told; everything when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) on: Option<Vec<Occasion>>,
    /// Certificates (PEM) of the authority that signed the server's; those that this machine trusts when absent.
    #[serde(default)]
    pub(crate) ca_file: Option<Text<FilePath>>,
}

/// What the other side reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// One JSON object with a schema of its own.
    Json,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow of Microsoft Teams that posts a card.
    Teams,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Occasion {
    /// A run began.
    Start,
    /// Steps failed.
    Failure,
    /// A gate opened.
    Gate,
    /// The run ended.
    Finish,
}
