//! Runs of a state directory, for the page. One open journal serves the reader of the newest run and all pages; it is opened again when the
//! file was made or replaced meanwhile.

use crate::args::Common;
use crate::explain;
use crate::kept::Kept;
use crate::prediction;
use crate::recorded::Before;
use plinth_analysis::{Prediction, RunEntry, Traits};
use plinth_app::{Failure, logs, state};
use plinth_model::run::{LockView, LogFile, Logs, Progress};
use plinth_model::{Digest, Event, Plan, Problem, RunView, SiteName, StepId};
use plinth_report::evidence::IsVerdict;
use plinth_run::journal::{FILE, JournalReader};
use plinth_run::steps::is_verdict;
use plinth_run::{Journal, LockOwner};
use plinth_web::{Earlier, Seen, Source, Told};
use plinth_world::{Clock, SystemClock};
use serde_json::json;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Columns of a plan as text.
const COLUMNS: usize = 100;

/// The journal as it was opened.
struct Opened {
    reader: JournalReader,
    /// Device and inode of its file.
    file: (u64, u64),
}

/// The runs of a site.
pub(crate) struct Shelf {
    site: SiteName,
    directory: PathBuf,
    opened: Mutex<Option<Opened>>,
    /// Runs that are over: what is known of them does not change.
    ended: Mutex<BTreeMap<String, RunEntry>>,
}

impl Shelf {
    /// Of a site file, or, where there is none, of the state directory alone.
    pub(crate) fn open(common: &Common) -> Result<Self, Failure> {
        if let (Some(directory), false) = (&common.state, common.file.exists()) {
            return Ok(Self::of_directory(directory)?);
        }
        let kept = Kept::open_if_there(common)?;
        Ok(Self::new(&kept.directory, kept.site))
    }

    /// Of a site whose directory is known to be its own.
    pub(crate) fn new(directory: &Path, site: SiteName) -> Self {
        let directory = directory.to_path_buf();
        Self { site, directory, opened: Mutex::default(), ended: Mutex::default() }
    }

    /// The site is the one of its last run.
    fn of_directory(directory: &Path) -> Result<Self, Problem> {
        state::inspect(directory)?;
        let journal = Journal::open_read_only(directory)?;
        let last = journal.and_then(|journal| Some(journal.view().run.as_ref()?.site.clone()));
        let none = || {
            Problem::while_doing("looking for runs in")
                .to(directory.display())
                .wrong_input("there is neither a run nor a site file")
                .try_this("name the site file with `-f`, or another folder with `--state`")
        };
        Ok(Self::new(directory, last.ok_or_else(none)?))
    }

    /// Asks the journal; none: there is none yet.
    fn ask<T>(&self, question: impl FnOnce(&JournalReader) -> Result<T, Problem>) -> Result<Option<T>, Problem> {
        let mut opened = lock(&self.opened);
        let found = std::fs::metadata(self.directory.join(FILE)).map(|file| (file.dev(), file.ino())).ok();
        if opened.as_ref().map(|opened| opened.file) != found {
            *opened = match found {
                None => None,
                Some(file) => Journal::open_read_only(&self.directory)?.map(|reader| Opened { reader, file }),
            };
            lock(&self.ended).clear();
        }
        opened.as_ref().map(|opened| question(&opened.reader)).transpose()
    }

    fn entry(&self, reader: &JournalReader, run: &str, held: Option<&LockView>) -> Result<Option<RunEntry>, Problem> {
        if let Some(known) = lock(&self.ended).get(run) {
            return Ok(Some(known.clone()));
        }
        let view = RunView::of(&reader.outline(run)?);
        let entry = RunEntry::of(&view, held.is_some_and(|lock| lock.alive && lock.run == run));
        if let Some(entry) = entry.as_ref().filter(|_| view.end.is_some()) {
            lock(&self.ended).insert(run.to_owned(), entry.clone());
        }
        Ok(entry)
    }
}

fn held(reader: &JournalReader) -> Result<Option<LockView>, Problem> {
    let now = SystemClock::new().now();
    Ok(reader.lock()?.map(|lock| lock.view(now, &LockOwner::current())))
}

impl Source for Shelf {
    fn site(&self) -> SiteName {
        self.site.clone()
    }

    fn runs(&self) -> Result<Vec<RunEntry>, Problem> {
        let all = self.ask(|reader| {
            let (ids, lock) = (reader.runs()?, held(reader)?);
            let entries = ids.iter().map(|run| self.entry(reader, run, lock.as_ref()));
            entries.collect::<Result<Vec<_>, _>>()
        })?;
        Ok(all.unwrap_or_default().into_iter().flatten().collect())
    }

    fn removed(&self) -> Result<u32, Problem> {
        Ok(self.ask(|reader| Ok(reader.removed()?))?.unwrap_or_default())
    }

    fn newest(&self) -> Result<Option<String>, Problem> {
        Ok(self.ask(|reader| Ok(reader.runs()?.pop()))?.flatten())
    }

    fn events(&self, run: &str, after: u64) -> Result<Vec<Event>, Problem> {
        Ok(self.ask(|reader| Ok(reader.since(run, after)?))?.unwrap_or_default())
    }

    fn plan(&self, hash: &Digest) -> Result<Option<Plan>, Problem> {
        Ok(self.ask(|reader| Ok(reader.plan(hash)?.read()))?.flatten())
    }

    fn lock(&self) -> Result<Option<LockView>, Problem> {
        Ok(self.ask(held)?.flatten())
    }

    fn progress(&self, run: &str) -> BTreeMap<StepId, Progress> {
        state::progress(&self.directory, run)
    }

    fn logs(&self, view: &RunView) -> Result<Logs, Problem> {
        logs::of_run(&self.directory, view)
    }

    fn log(&self, log: &LogFile, from: u64, most: usize) -> Result<(Vec<u8>, u64), Problem> {
        let piece = logs::piece(&self.directory, log, from, most)?;
        Ok((piece.bytes, piece.size))
    }

    fn traits(&self) -> Traits {
        state::facts::traits(&self.directory).unwrap_or_default()
    }

    fn seen(&self, node: &str) -> Result<Option<Seen>, Problem> {
        let seen = state::facts::of_node(&self.directory, node)?;
        let named =
            |facts: Vec<(&'static str, String)>| facts.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(seen.map(|seen| Seen { at: seen.at, facts: named(seen.facts).collect() }))
    }

    fn before(&self, run: &str, rehearsed: Option<&Prediction>) -> Earlier {
        let before = self.ask(|reader| Ok(Before::read(reader, run))).ok().flatten().unwrap_or_default();
        Earlier { past: before.past(rehearsed, run), columns: before.columns(), runs: before.runs() }
    }

    fn prediction(&self) -> Option<Prediction> {
        prediction::kept(&self.site)
    }

    fn explain(&self, what: &str, plan: Option<&Plan>, view: &RunView) -> Option<Told> {
        let of_plan = || explain::steps(what, plan?, &view.steps);
        let explained = explain::word(what).or_else(of_plan)?;
        let data = explain::machine(Some(what), explained.data);
        Some(Told { text: explained.text, data })
    }

    fn plan_told(&self, plan: &Plan) -> Told {
        let data = serde_json::to_value(plinth_plan::render::json(plan));
        Told { text: plinth_plan::render::text(plan, false, COLUMNS), data: data.unwrap_or_else(|_| json!(null)) }
    }

    fn verdicts(&self) -> IsVerdict {
        |finding| is_verdict(finding.code)
    }

    fn version(&self) -> &'static str {
        env!("PLINTH_VERSION")
    }

    fn now(&self) -> jiff::Timestamp {
        SystemClock::new().now()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
