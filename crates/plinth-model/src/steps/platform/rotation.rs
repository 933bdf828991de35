//! `platform.rotation`.

use crate::steps::{CertificateSource, Effect, Lane, Properties, StepParams, Undo, deadlines};
use crate::{CertificateName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The exchange of a certificate, and of the authority behind it, has come so far in the state directory. Who reads them in the cluster is
/// the concern of steps behind this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRotation {
    /// Name of the certificate: `runai`.
    pub name: String,
    /// Subject and subject alternative names.
    pub names: Vec<CertificateName>,
    /// Source of what comes.
    pub source: CertificateSource,
    /// Certificate or authority that is taken out.
    pub outgoing: Outgoing,
    /// Up to which phase this step goes.
    pub phase: RotationPhase,
}

/// What a rotation takes out. It stands in the plan and in a record beside the certificate, so that whoever goes on after an interruption
/// takes out the same, and nothing that came meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// SHA-256 of the leaf, hexadecimal.
    pub leaf: String,
    /// SHA-256 of each authority, hexadecimal; empty: the authority stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
}

/// Phases of a rotation, in their order. Nobody loses trust at any of them: whoever trusts only the old authority still finds a leaf of it
/// until everybody trusts both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RotationPhase {
    /// The new authority is trusted beside the old one. The leaf is still by the old one.
    TrustBoth,
    /// The leaf is a new one, by the authority that stays.
    NewLeaf,
    /// The old authority is trusted no longer.
    TrustNew,
    /// Nothing of the rotation is left: its record, and the key of the old authority.
    Finished,
}

impl RotationPhase {
    /// The word for it in a step's id.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TrustBoth => "trust-both",
            Self::NewLeaf => "new-leaf",
            Self::TrustNew => "trust-new",
            Self::Finished => "finished",
        }
    }
}

impl StepParams for CertificateRotation {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::OneWay("A leaf that was replaced has no key any more; rotate once more."),
        expected_s: 1,
        deadline: deadlines::of::LOCAL_FILES,
    };
}
