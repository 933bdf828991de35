//! `platform.certificate`.

use crate::steps::{CertificateSource, StepParams};
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
    const READS_ONLY: bool = false;
}
