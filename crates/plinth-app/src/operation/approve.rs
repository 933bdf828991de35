//! Approving: nothing runs that was not approved, by type.

use super::{Operation, Planned};
use async_trait::async_trait;
use plinth_model::Problem;
use plinth_run::Done;

/// Decides about a plan: a person at a terminal, a flag, a page.
#[async_trait]
pub trait Approve: Send + Sync {
    /// Whether it may run.
    ///
    /// # Errors
    /// When nobody could be asked.
    async fn approve(&self, planned: &Planned) -> Result<bool, Problem>;
}

/// Says yes: for plans that change no system but this one, or that were approved by a flag.
#[derive(Clone, Copy, Debug)]
pub struct Always;

#[async_trait]
impl Approve for Always {
    async fn approve(&self, _: &Planned) -> Result<bool, Problem> {
        Ok(true)
    }
}

/// A plan that may run.
#[derive(Debug)]
pub struct Approved(Planned);

impl Approved {
    /// The plan that was shown and approved, with its cluster.
    #[must_use]
    pub const fn planned(&self) -> &Planned {
        &self.0
    }

    /// What a look just found in the desired state; it counts for one run.
    pub(crate) fn take_done(&mut self) -> Done {
        std::mem::take(&mut self.0.done)
    }
}

impl Operation<'_> {
    /// Asks whether the plan may run; none: it may not.
    ///
    /// # Errors
    /// When nobody could be asked.
    pub async fn approve(&self, planned: Planned, by: &dyn Approve) -> Result<Option<Approved>, Problem> {
        Ok(by.approve(&planned).await?.then_some(Approved(planned)))
    }
}
