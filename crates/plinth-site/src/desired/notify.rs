//! Whom a run tells about itself.

use plinth_model::SecretRef;
use serde::{Deserialize, Serialize};

/// An address to which messages are posted by HTTPS.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Webhook {
    /// What messages about it call it.
    pub name: String,
    /// The address.
    pub url: SecretRef,
    /// What the other side reads.
    pub format: WebhookFormat,
    /// Key of the signature; none: messages are not signed.
    pub key: Option<SecretRef>,
    /// What is told; empty: everything.
    pub on: Vec<Occasion>,
    /// PEM file of the authority; none: those that this machine trusts.
    pub ca_file: Option<String>,
}

impl Webhook {
    /// Whether it is told of this.
    #[must_use]
    pub fn wants(&self, occasion: Occasion) -> bool {
        self.on.is_empty() || self.on.contains(&occasion)
    }
}

/// What the other side reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// One JSON object.
    Json,
    /// Slack's blocks.
    Slack,
    /// An adaptive card.
    Teams,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A run began.
    Start,
    /// Steps failed.
    Failure,
    /// A gate opened.
    Gate,
    /// The run ended.
    Finish,
}
