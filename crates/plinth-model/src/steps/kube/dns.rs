//! `kubernetes.dns`.

use crate::steps::{Effect, Lane, Properties, StepParams, Undo, deadlines};
use crate::{Domain, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// The cluster's DNS leads the name to the address, and has no other name of plinth's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDns {
    /// The host name of Run:ai, or without it one of the cluster's own.
    pub name: Domain,
    /// Where the ingress answers, or the service behind the cluster's own name. None: of the cluster's own name, where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// It is one of the cluster's own, which is never put in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

impl StepParams for ClusterDns {
    // Needs a majority? No. The API server itself refuses to write without a majority; nothing can be half made.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The entry is removed."),
        expected_s: 30,
        deadline: deadlines::of::CLUSTER_DNS,
    };
}
