//! The BCM of a site that names none.

use async_trait::async_trait;
use plinth_model::inventory::Inventory;
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientError, ClientResult, Context};

/// The client of a site without BCM. No plan of such a site has a step that asks it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoBcm;

fn refused<T>(doing: &str) -> ClientResult<T> {
    Err(ClientError::new("bcm", doing)
        .happened("the site names no BCM; nothing was done")
        .attempt("this is a defect of plinth: report it"))
}

#[async_trait]
impl BcmClient for NoBcm {
    async fn identity(&self, _: &Context) -> ClientResult<BcmIdentity> {
        refused("asking BCM who it is")
    }

    async fn inventory(&self, _: &Context) -> ClientResult<Inventory> {
        refused("asking BCM for its nodes")
    }
}
