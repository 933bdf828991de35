//! Whom a run tells about itself: the webhooks of the site file. Messages wait on the disk until they are delivered, so that the next
//! plinth posts what one that was killed could not. A task of its own posts them: nothing of it makes the run wait or fail.

mod collect;
mod format;
mod notice;
mod post;
mod queue;

pub use queue::{Undelivered, undelivered};

use collect::Collector;
use jiff::Timestamp;
use notice::Notice;
use plinth_model::finding::code;
use plinth_model::{Event, Finding};
use plinth_run::executor::Sink;
use plinth_site::NOTIFY;
use plinth_site::desired::Webhook;
use plinth_world::deadlines;
use plinth_world::secrets::Secrets;
use post::Poster;
use queue::{Queue, aside};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Events that may wait for the task. Only those are handed to it that are told at all; a disk that hangs for longer loses some.
const WAITING: usize = 16 * 1024;

/// What messages are made of and where they go.
pub(crate) struct Told {
    /// State directory.
    pub(crate) directory: PathBuf,
    /// Whether it outlives the process, so that the next run posts what is left.
    pub(crate) is_kept: bool,
    /// Folder of the site file, at which names of files start.
    pub(crate) folder: PathBuf,
    /// Where to.
    pub(crate) webhooks: Vec<Webhook>,
    /// Gives addresses and keys, and takes secrets out of texts.
    pub(crate) secrets: Arc<dyn Secrets>,
}

/// Tells others about a run, as long as this lives.
pub(crate) struct Notifier {
    events: Arc<Mutex<Option<mpsc::Sender<Event>>>>,
    over: oneshot::Receiver<()>,
    directory: PathBuf,
    is_kept: bool,
    names: Vec<String>,
}

impl Notifier {
    /// Begins to; posts first what earlier runs left. None when nobody is to be told.
    pub(crate) fn begin(told: Told) -> Option<Self> {
        let runtime = Handle::try_current();
        let runtime = runtime.inspect_err(|error| tracing::warn!(%error, "nobody can be told about the run")).ok()?;
        if told.webhooks.is_empty() {
            runtime.spawn_blocking(move || queue::forget_others(&told.directory, &[]));
            return None;
        }
        let (events, received) = mpsc::channel(WAITING);
        let (directory, is_kept) = (told.directory.clone(), told.is_kept);
        let names = names(&told.webhooks);
        let (ended, over) = oneshot::channel();
        runtime.spawn(async move {
            work(told, received).await;
            let _nobody_waits = ended.send(());
        });
        Some(Self { events: Arc::new(Mutex::new(Some(events))), over, directory, is_kept, names })
    }

    /// The sink, with this in front of it. It never waits: what does not fit is lost, and told in the log.
    pub(crate) fn before(&self, sink: Sink) -> Sink {
        let events = Arc::clone(&self.events);
        Arc::new(move |event: Event| {
            if Collector::is_told(&event.body) {
                let events = events.lock().unwrap_or_else(PoisonError::into_inner);
                if events.as_ref().is_some_and(|events| events.try_send(event.clone()).is_err()) {
                    tracing::warn!(seq = event.seq, "nobody is told of this event: too many wait");
                }
            }
            sink(event);
        })
    }

    /// No more events come: waits for the last messages for [`deadlines::NOTIFY_LAST`] at most. Answers a finding for each webhook that
    /// did not get all.
    pub(crate) async fn end(self) -> Vec<Finding> {
        let Self { events, over, directory, is_kept, names } = self;
        drop(events.lock().unwrap_or_else(PoisonError::into_inner).take());
        // A disk may hang: then the task is left behind.
        let _over_or_left = timeout(deadlines::NOTIFY_LAST * 2, over).await;
        let left = aside(move || {
            let left = undelivered(&directory).into_iter().filter(|left| names.contains(&left.webhook));
            let left: Vec<Undelivered> = left.collect();
            left.iter().for_each(|left| queue::told(&directory, &left.webhook));
            left
        });
        let left = timeout(deadlines::NOTIFY_LAST, left).await.ok().flatten().unwrap_or_default().into_iter();
        left.map(|left| if is_kept { left } else { left.with_no_next_run() }).map(|left| finding(&left)).collect()
    }
}

fn names(webhooks: &[Webhook]) -> Vec<String> {
    webhooks.iter().map(|webhook| webhook.name.clone()).collect()
}

fn finding(left: &Undelivered) -> Finding {
    let subject = format!("webhook {}", left.webhook);
    Finding::warning(code::RUN_NOTIFICATION_UNDELIVERED, subject, left.what()).fix(format!(
        "check the address that `{NOTIFY}webhooks` of the site file refers to, and whether it answers from here"
    ))
}

/// What the task does: events become messages, messages get onto the disk and to a task for each webhook.
async fn work(told: Told, mut events: mpsc::Receiver<Event>) {
    let posters = Posters::begin(&told).await;
    let mut collector = Collector::new(Arc::clone(&told.secrets));
    loop {
        let due = collector.due();
        let notices = tokio::select! {
            event = events.recv() => match event {
                Some(event) => collector.take(&event, Instant::now()),
                None => break,
            },
            () = due_at(due) => collector.flush(),
        };
        for notice in notices {
            posters.tell(&notice).await;
        }
    }
    for notice in collector.flush() {
        posters.tell(&notice).await;
    }
    posters.end().await;
}

/// The moment; never, where there is none.
async fn due_at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// A task for each webhook, so that a slow one holds up nobody else.
struct Posters {
    all: Vec<(Webhook, Arc<Queue>, watch::Sender<()>)>,
    tasks: JoinSet<()>,
}

impl Posters {
    async fn begin(told: &Told) -> Self {
        let (mut all, mut tasks) = (Vec::new(), JoinSet::new());
        let (directory, names) = (told.directory.clone(), names(&told.webhooks));
        aside(move || queue::forget_others(&directory, &names)).await;
        for webhook in &told.webhooks {
            let (directory, name) = (told.directory.clone(), webhook.name.clone());
            let Some(queue) = aside(move || Queue::open(&directory, &name, Timestamp::now())).await else { continue };
            let (queue, (sender, put)) = (Arc::new(queue), watch::channel(()));
            let poster = Poster::new(webhook.clone(), &told.folder, Arc::clone(&told.secrets), Arc::clone(&queue));
            tasks.spawn(poster.work(put));
            all.push((webhook.clone(), queue, sender));
        }
        Self { all, tasks }
    }

    /// On the disk first, then to whoever posts it.
    async fn tell(&self, notice: &Notice) {
        for (webhook, queue, put) in self.all.iter().filter(|(webhook, ..)| webhook.wants(notice.on)) {
            let (queue, notice) = (Arc::clone(queue), notice.clone());
            if let Some(Err(error)) = aside(move || queue.put(notice)).await {
                tracing::warn!(%error, webhook = webhook.name, "a message about the run cannot be kept: this run alone posts it");
            }
            put.send_replace(());
        }
    }

    async fn end(mut self) {
        self.all.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _some_are_kept = timeout(deadlines::NOTIFY_LAST, all).await;
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
