//! `platform.served`.

use crate::Stage;
use crate::steps::{Effect, Lane, Properties, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// The platform's URL answers with the certificate that is kept now. An ingress controller follows its secret by itself, and takes some
/// seconds for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateServed {
    /// The address of the platform, `https://` and a port where it is not 443.
    pub url: String,
    /// Where it is answered; none: as the name resolves here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// Certificate name; none: one that everybody trusts, and which of them it is cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl StepParams for CertificateServed {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Reads,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 10,
        deadline: deadlines::of::CERTIFICATE_SERVED,
    };
}
