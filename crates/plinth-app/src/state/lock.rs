//! The site's lock, with the journal that only its holder may write.

use super::record::same_site;
use plinth_model::{Problem, SiteName};
use plinth_run::{Durability, Journal, LockOwner};
use plinth_world::{Clock, SystemClock};
use std::path::Path;
use std::sync::Arc;

/// Whoever holds this may change the site, and write into its state directory. Given back when it is dropped; if that fails it runs
/// out by itself.
pub struct SiteLock {
    pub(crate) journal: Journal,
    pub(crate) owner: LockOwner,
    first: Option<FirstRun>,
}

/// The lock names the run that it was taken for.
struct FirstRun {
    id: String,
    took_over: Option<String>,
}

impl SiteLock {
    /// Opens the journal and takes the lock.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the journal cannot be used, or is another site's.
    pub fn take(directory: &Path, site: &SiteName, durability: Durability) -> Result<Self, Problem> {
        let (owner, id) = (LockOwner::current(), new_run());
        let mut journal = Journal::open_with(directory, durability)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let took_over = journal.acquire(&owner, &id, &clock)?;
        same_site(directory, site, journal.history())?;
        Ok(Self { journal, owner, first: Some(FirstRun { id, took_over }) })
    }

    /// The id of the next run, and from whom the lock was taken over if that run is the first. One lock may cover several runs.
    pub(crate) fn next_run(&mut self) -> (String, Option<String>) {
        self.first.take().map_or_else(|| (new_run(), None), |first| (first.id, first.took_over))
    }
}

fn new_run() -> String {
    uuid::Uuid::now_v7().to_string()
}
