//! Messages that wait, one file each, in `notify/NAME` of the state directory, and the same in memory. They hold what the journal holds;
//! neither address nor key.

use super::notice::Notice;
use jiff::Timestamp;
use plinth_model::amount;
use plinth_model::text::visible;
use plinth_world::{deadlines, files, private_file};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const FOLDER: &str = "notify";
/// What was not delivered, and why.
const TROUBLE: &str = "trouble";
/// Largest message that is read, bytes.
const LARGEST: usize = 64 * 1024;
/// Most messages that wait for one webhook; beyond, the oldest goes.
pub(super) const MOST: usize = 500;

/// Work on a disk or with a program, which may hang: away from the threads on which the run goes on. None when the process ends.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::debug!(%error, "work on messages about the run was cut off")).ok()
}

/// Messages of one webhook that were not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undelivered {
    /// Name of the webhook.
    pub webhook: String,
    /// Messages that wait for the next run.
    pub waiting: usize,
    /// Messages that were refused, or got too old, and of which no earlier run has told.
    pub refused: usize,
    /// What happened when it was tried last.
    pub why: Option<String>,
}

impl Undelivered {
    /// `webhook ops: 2 messages kept for the next run: nobody listens there`.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("webhook {}: {}", visible(&self.webhook), self.what())
    }

    pub(super) fn what(&self) -> String {
        let mut parts = Vec::new();
        parts.extend((self.waiting > 0).then(|| format!("{} kept for the next run", amount(self.waiting, "message"))));
        parts.extend((self.refused > 0).then(|| format!("{} not delivered", amount(self.refused, "message"))));
        let why = self.why.as_ref().map(|why| format!(": {}", visible(why))).unwrap_or_default();
        format!("{}{why}", parts.join(", "))
    }

    /// The same where no run comes after this one.
    pub(super) fn with_no_next_run(self) -> Self {
        Self { waiting: 0, refused: self.waiting + self.refused, ..self }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Trouble {
    /// Messages that will never be delivered.
    refused: usize,
    /// Why the last of them was not.
    refusal: String,
    /// Why the last attempt came to nothing; none after one that did.
    why: Option<String>,
    /// Whether a run that ended has told of those that were refused.
    is_told: bool,
}

/// Messages that were not delivered, by webhook; for `plinth status`.
#[must_use]
pub fn undelivered(directory: &Path) -> Vec<Undelivered> {
    let Ok(folders) = std::fs::read_dir(directory.join(FOLDER)) else { return Vec::new() };
    let of = |entry: io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let webhook = entry.file_name().into_string().ok()?;
        let folder = Folder(entry.path());
        let (waiting, trouble) = (folder.names().len(), folder.trouble());
        let refusal = Some(trouble.refusal).filter(|text| !text.is_empty());
        let (refused, why) = (trouble.refused, trouble.why.or(refusal));
        (waiting + refused > 0).then_some(Undelivered { webhook, waiting, refused, why })
    };
    let mut all: Vec<Undelivered> = folders.filter_map(of).collect();
    all.sort_by(|a, b| a.webhook.cmp(&b.webhook));
    all
}

/// What was refused was told now. It stays for `plinth status` until the next run begins.
pub(super) fn told(directory: &Path, webhook: &str) {
    let folder = Folder(directory.join(FOLDER).join(webhook));
    let trouble = folder.trouble();
    if trouble.refused > 0 {
        folder.note(&Trouble { is_told: true, ..trouble });
    }
}

/// Messages of webhooks that the site file no longer has go, and with them what `plinth status` would tell of them for ever.
pub(super) fn forget_others(directory: &Path, names: &[String]) {
    let folders = std::fs::read_dir(directory.join(FOLDER)).into_iter().flatten().flatten();
    for other in folders.filter(|entry| !names.iter().any(|name| entry.file_name() == name.as_str())) {
        let (webhook, gone) = (other.file_name(), std::fs::remove_dir_all(other.path()));
        tracing::info!(webhook = %visible(&webhook.to_string_lossy()), ?gone, "the site file no longer has a webhook of this name");
    }
}

/// The messages of one webhook. What it does waits for the disk.
#[derive(Debug)]
pub(super) struct Queue {
    folder: Folder,
    /// In the order in which they are posted. Those that the disk did not take are here alone.
    waiting: Mutex<VecDeque<Notice>>,
}

impl Queue {
    /// With what earlier runs left, oldest first. What is too old, or cannot be read, is given up.
    pub(super) fn open(directory: &Path, webhook: &str, now: Timestamp) -> Self {
        let folder = Folder(directory.join(FOLDER).join(webhook));
        let trouble = folder.trouble();
        if trouble.is_told {
            folder.note(&Trouble { why: trouble.why, ..Trouble::default() });
        }
        let waiting = folder.waiting(now);
        Self { folder, waiting: Mutex::new(waiting) }
    }

    /// Keeps a message until it is delivered. One that the disk does not take waits all the same, but for this run only.
    pub(super) fn put(&self, notice: Notice) -> io::Result<()> {
        let mut waiting = self.waiting();
        while waiting.len() >= MOST {
            let Some(oldest) = waiting.pop_front() else { break };
            self.folder.give_up(&file(&oldest.id), "too many wait");
        }
        let kept = self.folder.keep(&notice);
        waiting.push_back(notice);
        kept
    }

    /// The message that is to be posted now. What is older than [`deadlines::NOTIFY_AGE`] is given up.
    pub(super) fn first(&self, now: Timestamp) -> Option<Notice> {
        let mut waiting = self.waiting();
        while let Some(first) = waiting.front().cloned() {
            if !is_old(&first, now) {
                return Some(first);
            }
            waiting.pop_front();
            self.folder.give_up(&file(&first.id), OLD);
        }
        None
    }

    /// It was delivered: what hindered the attempts before it is over.
    pub(super) fn delivered(&self, id: &str) {
        let mut waiting = self.waiting();
        waiting.retain(|notice| notice.id != id);
        self.folder.delivered(id);
    }

    /// It will never be delivered.
    pub(super) fn refused(&self, id: &str, why: &str) {
        let mut waiting = self.waiting();
        waiting.retain(|notice| notice.id != id);
        self.folder.give_up(&file(id), why);
    }

    /// It was not delivered so far.
    pub(super) fn failed(&self, why: &str) {
        let _alone = self.waiting();
        self.folder.note(&Trouble { why: Some(why.to_owned()), ..self.folder.trouble() });
    }

    /// Lets the others go before the first one. Answers whether there are any.
    pub(super) fn first_goes_last(&self) -> bool {
        let mut waiting = self.waiting();
        let others = waiting.len() > 1;
        if others {
            waiting.rotate_left(1);
        }
        others
    }

    /// The lock is for the folder too.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Notice>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of one webhook.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn keep(&self, notice: &Notice) -> io::Result<()> {
        let text = serde_json::to_vec(notice).map_err(io::Error::other)?;
        private_file::write(&self.0.join(file(&notice.id)), &text)
    }

    fn waiting(&self, now: Timestamp) -> VecDeque<Notice> {
        let mut notices = VecDeque::new();
        for name in self.names() {
            let bytes = files::read_up_to(&self.0.join(&name), LARGEST).ok();
            let notice = bytes.and_then(|bytes| serde_json::from_slice::<Notice>(&bytes).ok());
            match notice {
                Some(notice) if !is_old(&notice, now) => notices.push_back(notice),
                Some(_) => self.give_up(&name, OLD),
                None => self.give_up(&name, "it was kept by another release"),
            }
        }
        notices
    }

    fn delivered(&self, id: &str) {
        remove(&self.0.join(file(id)));
        match self.trouble() {
            Trouble { refused: 0, .. } => remove(&self.0.join(TROUBLE)),
            Trouble { why: None, .. } => (),
            // What was refused is told at the end, whatever is delivered until then.
            trouble => self.note(&Trouble { why: None, ..trouble }),
        }
        // Only an empty folder goes.
        let _others_wait = std::fs::remove_dir(&self.0);
    }

    fn give_up(&self, name: &str, why: &str) {
        remove(&self.0.join(name));
        let Trouble { refused, why: last, .. } = self.trouble();
        self.note(&Trouble { refused: refused + 1, refusal: why.to_owned(), why: last, is_told: false });
    }

    fn note(&self, trouble: &Trouble) {
        let text = serde_json::to_vec(trouble).map_err(io::Error::other);
        if let Err(error) = text.and_then(|text| private_file::write(&self.0.join(TROUBLE), &text)) {
            tracing::debug!(%error, "the trouble with a webhook cannot be kept");
        }
    }

    /// None at all where nothing can be read.
    fn trouble(&self) -> Trouble {
        let bytes = files::read_up_to(&self.0.join(TROUBLE), LARGEST).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Names of the messages, oldest first: ids are in the order of time.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter(|name| name.ends_with(".json") && !files::is_neighbour(name)).collect();
        names.sort_unstable();
        names
    }
}

const OLD: &str = "it was older than a day";

fn is_old(notice: &Notice, now: Timestamp) -> bool {
    let most = i64::try_from(deadlines::NOTIFY_AGE.as_secs()).unwrap_or(i64::MAX);
    now.duration_since(notice.made).as_secs() >= most
}

fn file(id: &str) -> String {
    format!("{id}.json")
}

fn remove(file: &Path) {
    if let Err(error) = std::fs::remove_file(file)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %file.display(), "a message cannot be removed, and may be delivered again");
    }
}
