//! The site's lock, with the journal that only its holder may write.

use super::record::same_site;
use super::{journal_fits, private};
use plinth_model::{Problem, SiteName};
use plinth_run::journal::Retention;
use plinth_run::{Durability, Journal, LockOwner, LockedJournal};
use plinth_site::desired::Keep;
use plinth_world::{Clock, SystemClock, deadlines};
use std::path::Path;
use std::sync::Arc;

/// Whoever holds this may change the site, and write into its state directory. Given back when it is dropped; if that fails it runs
/// out by itself.
pub struct SiteLock {
    pub(crate) journal: LockedJournal,
    pub(crate) owner: LockOwner,
    clock: Arc<dyn Clock>,
    /// A run was begun under it.
    is_used: bool,
}

impl SiteLock {
    /// Opens the journal and takes the lock. From now on a thread of its own renews it; what processes that were killed left half
    /// written is removed.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the journal cannot be used, is another site's or of the other kind of run.
    pub fn take(directory: &Path, site: &SiteName, rehearsal: bool, durability: Durability) -> Result<Self, Problem> {
        let (owner, clock): (_, Arc<dyn Clock>) = (LockOwner::current(), Arc::new(SystemClock::new()));
        let mut journal = Journal::open_with(directory, durability)?.lock(&owner, &new_run(&*clock)?, &clock)?;
        let last = journal.memory().run.as_ref().map(|run| &run.head);
        same_site(directory, site, last.map(|head| &head.site))?;
        journal_fits(directory, last, rehearsal)?;
        journal.keep_renewing(deadlines::LOCK_HEARTBEAT)?;
        private::sweep(directory);
        Ok(Self { journal, owner, clock, is_used: false })
    }

    /// Removes the oldest runs where there are too many. Nothing that is done next needs the room, so that it may fail.
    #[must_use]
    pub fn retaining(mut self, keep: Keep) -> Self {
        match self.journal.retain(Retention { runs: keep.runs, bytes: i64::from(keep.mib) * 1024 * 1024 }) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed the oldest runs from the journal"),
            Err(error) => tracing::warn!(%error, "the oldest runs stay in the journal"),
        }
        self
    }

    /// An error unless the lock is ours, looked at when that is not certain.
    pub(crate) fn still_ours(&self) -> Result<(), Problem> {
        if self.journal.fence().is_sure() { Ok(()) } else { Ok(self.journal.renew()?) }
    }

    /// The id of the next run, and from whom the lock was taken over if that run is the first. One lock covers several runs.
    pub(crate) fn next_run(&mut self) -> Result<(String, Option<String>), Problem> {
        let took_over = self.journal.took_over().filter(|_| !self.is_used).map(str::to_owned);
        if self.is_used {
            self.journal.begin(&new_run(&*self.clock)?)?;
        }
        self.is_used = true;
        Ok((self.journal.run().to_owned(), took_over))
    }
}

/// A new id: time first, so that ids sort as runs began. The time is the clock's; a clock before 1970 counts as 1970.
fn new_run(clock: &dyn Clock) -> Result<String, Problem> {
    let mut random = [0; 10];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::while_doing("naming the run").wrong_input(error).try_this("look at /dev/urandom"))?;
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
}
