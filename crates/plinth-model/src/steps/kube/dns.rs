//! `kubernetes.dns`.

use crate::steps::StepParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Pods resolve the name to the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDns {
    /// Name.
    pub name: String,
    /// Address.
    pub address: Ipv4Addr,
}

impl StepParams for ClusterDns {
    const READS_ONLY: bool = false;
}
