//! The BCM client: CMDaemon's JSON interface.
//!
//! [`client`] is the real thing, [`recorded`] answers from a saved inventory, the simulated one lives in `plinth-sim`. Field
//! names, reply shapes and defaults come from captures of a live BCM 11 system and from the vendor's published field
//! definitions; BCM 10 differs in places, so decoding is lenient. Only reads are here: nothing in this release changes BCM.

pub mod client;
pub mod config;
pub mod convert;
pub mod entity;
mod failure;
mod handshake;
pub mod mask;
pub mod recorded;
pub mod reply;
mod tls;

use crate::{ClientResult, Context};
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
pub trait BcmClient: Send + Sync {
    /// Which head nodes answer.
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity>;
    /// Nodes, networks, categories.
    async fn inventory(&self, ctx: &Context) -> ClientResult<Inventory>;
}
