//! `platform.certificate`.

use crate::steps::{CertificateSource, Effect, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The certificate is in the state directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Name: `runai`.
    pub name: String,
    /// Subject and subject alternative names.
    pub names: Vec<String>,
    /// Source.
    pub source: CertificateSource,
}

impl StepParams for Certificate {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 1,
    };
}
