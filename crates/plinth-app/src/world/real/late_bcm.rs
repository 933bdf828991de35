//! BCM's client, made when BCM is first asked.

use super::bcm;
use async_trait::async_trait;
use plinth_keystore::SiteSecrets;
use plinth_model::Problem;
use plinth_model::inventory::Inventory;
use plinth_site::desired::BcmAccess;
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientError, ClientResult, Context};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// BCM's client. Until BCM is asked neither its login nor its authority is read: with a recorded inventory they need not be there.
pub(crate) struct LateBcm {
    access: BcmAccess,
    secrets: Arc<SiteSecrets>,
    folder: PathBuf,
    made: OnceLock<Arc<dyn BcmClient>>,
}

impl LateBcm {
    /// Of a BCM; relative names of files start at `folder`.
    pub(crate) const fn new(access: BcmAccess, secrets: Arc<SiteSecrets>, folder: PathBuf) -> Self {
        Self { access, secrets, folder, made: OnceLock::new() }
    }

    /// The client itself.
    ///
    /// # Errors
    /// When a secret or a file that it needs cannot be had.
    pub(crate) fn client(&self) -> Result<Arc<dyn BcmClient>, Problem> {
        if let Some(client) = self.made.get() {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(bcm::bcm_client(&self.access, &*self.secrets, &self.folder)?);
        Ok(Arc::clone(self.made.get_or_init(|| client)))
    }

    /// The same for a step, whose failures are of another shape.
    fn asked(&self) -> ClientResult<Arc<dyn BcmClient>> {
        self.client().map_err(|problem| {
            ClientError::new("bcm", format!("{} {}", problem.doing, problem.to))
                .happened(problem.happened)
                .attempt(problem.attempt)
        })
    }
}

#[async_trait]
impl BcmClient for LateBcm {
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity> {
        self.asked()?.identity(ctx).await
    }

    async fn inventory(&self, ctx: &Context) -> ClientResult<Inventory> {
        self.asked()?.inventory(ctx).await
    }
}
