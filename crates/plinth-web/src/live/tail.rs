//! The one reader of what a run writes. It looks four times a second, folds what is new, and makes one patch of it for all.

use super::patch::{News, patch};
use crate::runs::{Followed, Runs};
use plinth_model::Problem;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two looks: at most four patches a second.
const TICK: Duration = Duration::from_millis(250);

/// The reader, on a thread of its own, which ends at its next look once this is dropped.
pub(crate) struct Tail {
    end: Arc<(Mutex<bool>, Condvar)>,
    /// Nothing is sent: the other end goes away with the thread.
    gone: oneshot::Receiver<()>,
}

impl Tail {
    /// Begins to read.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(runs: Arc<Runs>) -> std::io::Result<Self> {
        let end = Arc::new((Mutex::new(false), Condvar::new()));
        let (alive, gone) = oneshot::channel::<()>();
        let told = Arc::clone(&end);
        let read = move || {
            let (_alive, mut trouble) = (alive, String::new());
            loop {
                let problem = look(&runs).err().map(|problem| problem.to_string()).unwrap_or_default();
                if problem != trouble && !problem.is_empty() {
                    tracing::warn!(%problem, "runs cannot be read");
                }
                trouble = problem;
                let (mutex, condition) = &*told;
                let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = condition.wait_timeout_while(guard, TICK, |ended| !*ended);
                if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("page of runs".to_owned()).spawn(read)?;
        Ok(Self { end, gone })
    }

    /// Ends it, and waits until it has ended: for as long as the disk that it reads from takes.
    pub(crate) async fn over(mut self) {
        self.end();
        let _ = (&mut self.gone).await;
    }

    fn end(&self) {
        *self.end.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.end.1.notify_all();
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.end();
    }
}

/// One look: takes in what is new of the newest run. Where there is none any more, none is followed.
pub(crate) fn look(runs: &Runs) -> Result<(), Problem> {
    let Some(newest) = runs.source.newest()? else {
        runs.follow(None);
        return Ok(());
    };
    match runs.live().filter(|live| live.run == newest) {
        Some(live) => go_on(runs, &live),
        None => {
            let followed = Arc::new(runs.load(&newest)?);
            if followed.read().view.end.is_some() {
                followed.feed.close();
            }
            runs.follow(Some(Arc::clone(&followed)));
            // Earlier runs are read now, and not while a patch is waited for.
            let _ = followed.read().left();
            Ok(())
        }
    }
}

fn go_on(runs: &Runs, live: &Followed) -> Result<(), Problem> {
    let (last, from, ended) = {
        let record = live.read();
        (record.events.last().map_or(0, |event| event.seq), record.view.seq(), record.view.end.is_some())
    };
    if ended {
        return Ok(());
    }
    // The lock first: who gives it back has written the end before, so a lock that is gone is never seen without the end.
    let lock = runs.source.lock()?;
    let events = runs.source.events(&live.run, last)?;
    let progress = runs.source.progress(&live.run);
    let mut record = live.write();
    let changed = record.locked(lock) | !events.is_empty();
    let shifted = record.add(events.clone());
    let moved = record.moving(&progress);
    if changed || !moved.is_empty() {
        // Under the lock: whoever reads the page of this event finds this patch or needs none of it.
        let left = live.due().then(|| record.left().map(|left| plinth_report::runs::left(&left))).flatten();
        live.feed.push(patch(&record, from, &News { events: &events, moved: &moved, left, shifted }));
    }
    if record.view.end.is_some() {
        live.feed.close();
    }
    Ok(())
}
