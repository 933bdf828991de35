//! The BCM client: CMDaemon's JSON interface. The real one is `plinth-bcm`, the simulated one lives in `plinth-sim`. Only reads
//! are here: nothing in this release changes BCM.

pub mod wire;

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::inventory::Inventory;

/// Which BCM answered, by its head nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcmIdentity {
    /// Entity ids of the head nodes.
    pub head_nodes: Vec<String>,
    /// Host names of the head nodes.
    pub names: Vec<String>,
}

/// Base Command Manager.
#[async_trait]
pub trait BcmClient: Send + Sync {
    /// Which head nodes answer.
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity>;
    /// Nodes, networks, categories.
    async fn inventory(&self, ctx: &Context) -> ClientResult<Inventory>;
}
