//! What is not there: a BCM that the site does not name, and what this release cannot do.

use async_trait::async_trait;
use plinth_model::Work;
use plinth_model::inventory::Inventory;
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientError, ClientResult, Context};

/// The client of a site without BCM. No plan of such a site has a step that asks it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoBcm;

/// What a real site needs for this step and this release lacks, in words; none: it can be carried out. Nothing is lacking at present; a
/// kind of step whose client is not written yet is named here, and plans mark it and end before it.
#[must_use]
pub const fn lacks(_: &Work) -> Option<&'static str> {
    None
}

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
