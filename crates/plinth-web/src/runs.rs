//! Runs that somebody looks at: the newest one, which is followed, and a few others, each read and folded once.

use crate::live::Feed;
use crate::record::{Beside, Record};
use crate::source::Source;
use plinth_analysis::{RunEntry, Which};
use plinth_model::{Problem, RunView};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Runs that are kept folded beside the newest one.
const KEPT: usize = 4;

/// A run with those who follow it.
pub(crate) struct Followed {
    pub(crate) run: String,
    record: RwLock<Record>,
    pub(crate) feed: Feed,
    /// When the time left was told last.
    estimated: Mutex<Option<Instant>>,
}

/// Between two estimates of the time left for those who follow: it costs more than the rest of a patch, and nobody reads seconds.
const ESTIMATE: Duration = Duration::from_secs(5);

impl Followed {
    pub(crate) fn new(run: &str, record: Record) -> Self {
        Self { run: run.to_owned(), record: RwLock::new(record), feed: Feed::default(), estimated: Mutex::new(None) }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Record> {
        self.record.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the time left is estimated again now; if so it is not for a while.
    pub(crate) fn due(&self) -> bool {
        let mut last = lock(&self.estimated);
        let due = last.is_none_or(|last| last.elapsed() >= ESTIMATE);
        if due {
            *last = Some(Instant::now());
        }
        due
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Record> {
        self.record.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All runs of a site.
pub(crate) struct Runs {
    pub(crate) source: Arc<dyn Source>,
    live: Mutex<Option<Arc<Followed>>>,
    kept: Mutex<Vec<Arc<Followed>>>,
}

impl Runs {
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, live: Mutex::new(None), kept: Mutex::new(Vec::new()) }
    }

    /// The list, oldest first.
    pub(crate) fn list(&self) -> Result<Vec<RunEntry>, Problem> {
        self.source.runs()
    }

    /// The newest run, once it was looked for.
    pub(crate) fn live(&self) -> Option<Arc<Followed>> {
        lock(&self.live).clone()
    }

    /// From now on this is the newest run, if there is one. Who follows the one before is told that it is over.
    pub(crate) fn follow(&self, run: Option<Arc<Followed>>) {
        let before = std::mem::replace(&mut *lock(&self.live), run);
        if let Some(before) = before {
            before.feed.close();
        }
    }

    /// The id that is meant by what stands in an address.
    pub(crate) fn id(&self, asked: &str, before: Option<&str>) -> Result<String, Problem> {
        if let Some(live) = self.live().filter(|live| live.run == asked) {
            return Ok(live.run.clone());
        }
        let runs = self.list()?;
        let found = Which::parse(asked).find(&runs, before).map_err(|error| {
            Problem::while_doing("finding the run").wrong_input(error).try_this("the page of runs lists them")
        })?;
        Ok(found.run.clone())
    }

    /// A run by its id, folded.
    pub(crate) fn get(&self, run: &str) -> Result<Arc<Followed>, Problem> {
        if let Some(live) = self.live().filter(|live| live.run == run) {
            return Ok(live);
        }
        let kept = lock(&self.kept).iter().find(|kept| kept.run == run).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let loaded = Arc::new(self.load(run)?);
        // Nobody reads on what is not the newest run: a stream of it says so, and ends.
        loaded.feed.close();
        // One that is not over is read again the next time: somebody may go on with it.
        if loaded.read().view.end.is_some() {
            let mut all = lock(&self.kept);
            all.retain(|kept| kept.run != run);
            all.push(Arc::clone(&loaded));
            let more = all.len().saturating_sub(KEPT);
            all.drain(..more);
        }
        Ok(loaded)
    }

    /// Reads a run whole.
    pub(crate) fn load(&self, run: &str) -> Result<Followed, Problem> {
        // The lock first, as whoever follows reads it: its end is written before it is given back.
        let lock = self.source.lock()?;
        let events = self.source.events(run, 0)?;
        let head = RunView::of(events.first());
        let plan = match &head.run {
            Some(head) => self.source.plan(&head.plan)?,
            None => None,
        };
        let beside = Beside::of(Arc::clone(&self.source), run);
        Ok(Followed::new(run, Record::new(events, plan, lock, beside)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
