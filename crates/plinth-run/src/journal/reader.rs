//! The journal for everybody else: `status`, `explain`, a page.

use super::events;
use super::lock::Lock;
use super::plans::Text;
use super::{JournalError, Memory, remembered, schema};
use jiff::Timestamp;
use plinth_model::run::{LockView, RunHead, Status};
use plinth_model::{Digest, Event, EventBody, Plan, RunView, Step};
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use std::path::{Path, PathBuf};

/// A journal open for reading, also while a run writes to it.
#[derive(Debug)]
pub struct JournalReader {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    view: RunView,
}

/// The last run that says how far the site is.
#[derive(Clone, Debug)]
pub struct WholeRun {
    /// What its events amount to.
    pub run: RunView,
    /// The newest run since then that was checks alone.
    pub checks: Option<RunView>,
    /// The newest run since then that did one small thing, such as a rollback.
    pub small: Option<RunView>,
}

/// Plans that are looked through for a step; a large one takes part of a second to read.
const LOOKED_THROUGH: u32 = 8;

/// What a journal keeps of a plan that was run.
#[derive(Clone, Debug)]
pub enum StoredPlan {
    /// No plan; runs of before plans were stored have none.
    Absent,
    /// A form that this release does not read.
    OfAnotherRelease,
    /// As it was stored when the run began.
    Read(Box<Plan>),
}

impl StoredPlan {
    fn of(text: &str) -> Self {
        serde_json::from_str(text).map_or(Self::OfAnotherRelease, |plan| Self::Read(Box::new(plan)))
    }

    /// The plan, if it can be read.
    #[must_use]
    pub fn read(self) -> Option<Plan> {
        match self {
            Self::Read(plan) => Some(*plan),
            Self::Absent | Self::OfAnotherRelease => None,
        }
    }
}

impl JournalReader {
    pub(super) fn open(path: &Path) -> Result<Option<Self>, JournalError> {
        let Some(connection) = schema::open_read_only(path)? else { return Ok(None) };
        let mut reader = Self { connection, path: path.to_owned(), view: RunView::default() };
        if let Some(run) = events::last_run(&reader.connection).map_err(|error| reader.error(&error))? {
            reader.view = RunView::of(&reader.since(&run, 0)?);
        }
        Ok(Some(reader))
    }

    /// The last run, as it was when the journal was opened.
    #[must_use]
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// The last run, without the journal.
    #[must_use]
    pub fn into_view(self) -> RunView {
        self.view
    }

    /// The last run that says how far the site is, with what came after it, if the last of all says less.
    ///
    /// # Errors
    /// When the database cannot be read, or events are missing.
    pub fn whole_before(&self) -> Result<Option<WholeRun>, JournalError> {
        let Some(last) = self.view.run.as_ref().filter(|run| !run.is_whole()) else { return Ok(None) };
        let _snapshot = self.snapshot()?;
        let mut since = vec![last.clone()];
        for event in events::heads_before(&self.connection, &self.path, &last.run)? {
            let EventBody::RunStarted(head) = event.body else { continue };
            if head.is_whole() {
                let view = |head: &RunHead| Ok::<_, JournalError>(RunView::of(&self.since(&head.run, 0)?));
                let newest = |is_meant: &dyn Fn(&RunHead) -> bool| since.iter().find(|head| is_meant(head));
                let checks = newest(&RunHead::is_check).map(view).transpose()?;
                let small = newest(&|head| head.small.is_some()).map(view).transpose()?;
                return Ok(Some(WholeRun { run: view(&head)?, checks, small }));
            }
            since.push(head);
        }
        Ok(None)
    }

    /// How the site stands. A run of checks alone, or of one small thing such as a rollback, says nothing about how far the site is, so it
    /// stands beside the run before it once it is over. `lock` is the site's lock, as it was at `now`.
    ///
    /// # Errors
    /// When the database cannot be read, or events are missing.
    pub fn status(self, lock: Option<LockView>, now: Timestamp) -> Result<Status, JournalError> {
        let last = self.view.run.as_ref().map(|run| &run.run);
        let runs = lock.as_ref().is_some_and(|lock| lock.alive && last == Some(&lock.run));
        let whole = if runs { None } else { self.whole_before()? };
        Ok(match whole {
            Some(WholeRun { run, checks, small }) => {
                Status::of(run, lock, now).followed_by(checks.as_ref(), small.as_ref())
            }
            None => Status::of(self.view, lock, now),
        })
    }

    /// How many runs were removed because there were too many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn removed(&self) -> Result<u32, JournalError> {
        remembered::removed(&self.connection).map_err(|error| self.error(&error))
    }

    /// Ids of all runs that are kept, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn runs(&self) -> Result<Vec<String>, JournalError> {
        events::runs(&self.connection).map_err(|error| self.error(&error))
    }

    /// Every event kept of a run behind `seq`, in order: all but progress. `seq` may be that of a progress event.
    ///
    /// # Errors
    /// When the database cannot be read, or events are missing.
    pub fn since(&self, run: &str, seq: u64) -> Result<Vec<Event>, JournalError> {
        events::since(&self.connection, &self.path, run, seq)
    }

    /// What all runs left for the next one.
    ///
    /// # Errors
    /// When the database cannot be read, or events do not hold.
    pub fn memory(&self) -> Result<Memory, JournalError> {
        let snapshot = self.snapshot()?;
        events::memory(&snapshot, &self.path)
    }

    /// Who removes runs meanwhile changes nothing about what is read, as long as this is held.
    fn snapshot(&self) -> Result<Transaction<'_>, JournalError> {
        self.connection.unchecked_transaction().map_err(|error| self.error(&error))
    }

    /// The site's lock now, if somebody holds it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lock(&self) -> Result<Option<Lock>, JournalError> {
        Lock::read(&self.connection).map_err(|error| self.error(&error))
    }

    /// The text of a plan that was run, by its hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plan_text(&self, hash: &Digest) -> Result<Option<String>, JournalError> {
        self.connection
            .query_row("SELECT body FROM plans WHERE hash = ?1", [hash.as_str()], |row| row.get::<_, Text>(0))
            .optional()
            .map(|found| found.map(|text| text.0))
            .map_err(|error| self.error(&error))
    }

    /// A plan that was run, by its hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plan(&self, hash: &Digest) -> Result<StoredPlan, JournalError> {
        let Some(text) = self.plan_text(hash)? else { return Ok(StoredPlan::Absent) };
        Ok(StoredPlan::of(&text))
    }

    /// The plan of the last run if it has such a step, else the newest one that has: the last run may have been about something else, such
    /// as checks alone.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plan_with(&self, is_meant: impl Fn(&Step) -> bool) -> Result<StoredPlan, JournalError> {
        let Some(run) = &self.view.run else { return Ok(StoredPlan::Absent) };
        let has = |plan: &StoredPlan| matches!(plan, StoredPlan::Read(plan) if plan.steps.iter().any(&is_meant));
        let last = self.plan(&run.plan)?;
        if has(&last) {
            return Ok(last);
        }
        let found = self.newest_plan(has).map_err(|error| self.error(&error))?;
        Ok(found.unwrap_or(last))
    }

    /// The newest plan for which this holds. A plan that was run again counts by its first time.
    fn newest_plan(&self, has: impl Fn(&StoredPlan) -> bool) -> rusqlite::Result<Option<StoredPlan>> {
        let mut statement = self.connection.prepare("SELECT body FROM plans ORDER BY rowid DESC LIMIT ?1")?;
        let mut rows = statement.query([LOOKED_THROUGH])?;
        while let Some(row) = rows.next()? {
            let plan = StoredPlan::of(&row.get::<_, Text>(0)?.0);
            if has(&plan) {
                return Ok(Some(plan));
            }
        }
        Ok(None)
    }

    fn error(&self, error: &rusqlite::Error) -> JournalError {
        JournalError::of(&self.path, error)
    }
}
