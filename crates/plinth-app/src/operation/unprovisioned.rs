//! A reset of a site on whose nodes nothing of Kubernetes is left: no play is run, and nothing has to be fetched for one.

use super::{Discovered, Operation};
use crate::failure::Failure;
use crate::goal::Goal;
use plinth_model::steps::Removal;
use plinth_run::{Awaited, unprovisioned};

impl Operation<'_> {
    /// Whether this is the reset of such a site. Then only what is recorded of its cluster is left to go.
    ///
    /// # Errors
    /// When the lock was lost meanwhile.
    pub(super) async fn is_unprovisioned(&self, discovered: &Discovered) -> Result<bool, Failure> {
        if !matches!(self.goal, Goal::Removal(Removal::All)) {
            return Ok(false);
        }
        let visits = plinth_plan::visits(&self.desired, &discovered.cluster);
        if visits.is_empty() {
            return Ok(false);
        }
        let (env, awaited) = (self.env()?, Awaited::default());
        let work = unprovisioned::provisioned(&visits, &env, self.desired.run.parallel, &awaited);
        let work = self.named(self.world.drive(work, false), || awaited.words());
        let seen = self.fenced(work).await?;
        tracing::info!(nodes = visits.len(), provisioned = seen.nodes.len(), "looked for Kubernetes on the nodes");
        self.tell(&seen.pinned);
        Ok(seen.nodes.is_empty())
    }
}
