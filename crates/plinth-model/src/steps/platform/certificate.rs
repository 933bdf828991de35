//! `platform.certificate`.

use crate::steps::{CertificateSource, Effect, Lane, Properties, StepParams, Undo, deadlines};
use crate::{CertificateName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The certificate is in the state directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Name: `runai`.
    pub name: String,
    /// Subject and subject alternative names.
    pub names: Vec<CertificateName>,
    /// Who makes it: plinth, or somebody else who gives files.
    pub source: CertificateSource,
}

impl StepParams for Certificate {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("The files are removed; whoever trusted the authority has to forget it."),
        expected_s: 1,
        deadline: deadlines::of::LOCAL_FILES,
    };
}
