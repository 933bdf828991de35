//! The site's lock, with the journal that only its holder may write.

use super::record::same_site;
use plinth_model::{Problem, SiteName};
use plinth_run::{Durability, Journal, LockOwner, LockedJournal};
use plinth_world::{Clock, SystemClock};
use std::path::Path;
use std::sync::Arc;

/// Whoever holds this may change the site, and write into its state directory. Given back when it is dropped; if that fails it runs
/// out by itself.
pub struct SiteLock {
    pub(crate) journal: LockedJournal,
    pub(crate) owner: LockOwner,
    /// A run was begun under it.
    is_used: bool,
}

impl SiteLock {
    /// Opens the journal and takes the lock.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the journal cannot be used, or is another site's.
    pub fn take(directory: &Path, site: &SiteName, durability: Durability) -> Result<Self, Problem> {
        let (owner, clock): (_, Arc<dyn Clock>) = (LockOwner::current(), Arc::new(SystemClock::new()));
        let journal = Journal::open_with(directory, durability)?.lock(&owner, &new_run(), &clock)?;
        same_site(directory, site, journal.memory().run.as_ref().map(|run| &run.head.site))?;
        Ok(Self { journal, owner, is_used: false })
    }

    /// The id of the next run, and from whom the lock was taken over if that run is the first. One lock covers several runs.
    pub(crate) fn next_run(&mut self) -> Result<(String, Option<String>), Problem> {
        let took_over = self.journal.took_over().filter(|_| !self.is_used).map(str::to_owned);
        if self.is_used {
            self.journal.begin(&new_run())?;
        }
        self.is_used = true;
        Ok((self.journal.run().to_owned(), took_over))
    }
}

fn new_run() -> String {
    uuid::Uuid::now_v7().to_string()
}
