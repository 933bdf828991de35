//! The BCM door: CMDaemon's JSON interface. Facts: bcm.md.

use crate::{Context, DoorResult};
use async_trait::async_trait;
use plinth_model::inventory::Inventory;

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcmIdentity {
    /// Entity ids of the head nodes.
    pub head_nodes: Vec<String>,
    /// Host names of the head nodes.
    pub names: Vec<String>,
}

/// Base Command Manager.
#[async_trait]
pub trait BcmDoor: Send + Sync {
    /// Which head nodes answer.
    async fn identity(&self, ctx: &Context) -> DoorResult<BcmIdentity>;
    /// Nodes, networks, categories.
    async fn inventory(&self, ctx: &Context) -> DoorResult<Inventory>;
}
