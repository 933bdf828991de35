//! Messages that wait, one file each, in `notify/NAME` of the state directory. They hold what the journal holds; neither address nor key.

use super::notice::Notice;
use jiff::Timestamp;
use plinth_model::amount;
use plinth_model::text::visible;
use plinth_world::{deadlines, files, private_file};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

const FOLDER: &str = "notify";
/// Why the last message was not delivered.
const TROUBLE: &str = "trouble";
/// Largest message that is read, bytes.
const LARGEST: usize = 64 * 1024;
/// Most messages that wait for one webhook; beyond, the oldest goes.
const MOST: usize = 500;

/// The messages of one webhook.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    folder: PathBuf,
}

/// Messages of one webhook that were not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undelivered {
    /// Name of the webhook.
    pub webhook: String,
    /// Messages that wait for the next run.
    pub waiting: usize,
    /// Messages that were refused, or got too old, since the last one was delivered.
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
}

#[derive(Default, Serialize, Deserialize)]
struct Trouble {
    refused: usize,
    why: String,
}

/// Messages that were not delivered, by webhook; for `plinth status`.
#[must_use]
pub fn undelivered(directory: &Path) -> Vec<Undelivered> {
    let Ok(folders) = std::fs::read_dir(directory.join(FOLDER)) else { return Vec::new() };
    let of = |entry: io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let webhook = entry.file_name().into_string().ok()?;
        let queue = Queue { folder: entry.path() };
        let (waiting, trouble) = (queue.names().len(), queue.trouble());
        let refused = trouble.as_ref().map_or(0, |trouble| trouble.refused);
        let why = trouble.map(|trouble| trouble.why);
        (waiting + refused > 0).then_some(Undelivered { webhook, waiting, refused, why })
    };
    let mut all: Vec<Undelivered> = folders.filter_map(of).collect();
    all.sort_by(|a, b| a.webhook.cmp(&b.webhook));
    all
}

impl Queue {
    pub(super) fn of(directory: &Path, webhook: &str) -> Self {
        Self { folder: directory.join(FOLDER).join(webhook) }
    }

    /// Keeps a message until it is delivered.
    pub(super) fn put(&self, notice: &Notice) -> io::Result<()> {
        let names = self.names();
        names.iter().take((names.len() + 1).saturating_sub(MOST)).for_each(|name| self.give_up(name, "too many wait"));
        let text = serde_json::to_vec(notice).map_err(io::Error::other)?;
        private_file::write(&self.file(&notice.id), &text)
    }

    /// Messages that wait, oldest first. What is older than [`deadlines::NOTIFY_AGE`], or cannot be read, is given up.
    pub(super) fn waiting(&self, now: Timestamp) -> Vec<Notice> {
        let mut notices = Vec::new();
        for name in self.names() {
            let bytes = files::read_up_to(&self.folder.join(&name), LARGEST).ok();
            let notice = bytes.and_then(|bytes| serde_json::from_slice::<Notice>(&bytes).ok());
            match notice {
                Some(notice) if now.duration_since(notice.made).as_secs() < age_s() => notices.push(notice),
                Some(_) => self.give_up(&name, "it was older than a day"),
                None => self.give_up(&name, "it was kept by another release"),
            }
        }
        notices
    }

    /// It was delivered: the trouble before it is over.
    pub(super) fn delivered(&self, id: &str) {
        remove(&self.file(id));
        remove(&self.folder.join(TROUBLE));
        // Only an empty folder goes.
        let _others_wait = std::fs::remove_dir(&self.folder);
    }

    /// It will never be delivered.
    pub(super) fn refused(&self, id: &str, why: &str) {
        self.give_up(&format!("{id}.json"), why);
    }

    /// It was not delivered so far.
    pub(super) fn failed(&self, why: &str) {
        let refused = self.trouble().map_or(0, |trouble| trouble.refused);
        self.note(&Trouble { refused, why: why.to_owned() });
    }

    fn give_up(&self, name: &str, why: &str) {
        remove(&self.folder.join(name));
        let refused = self.trouble().map_or(0, |trouble| trouble.refused) + 1;
        self.note(&Trouble { refused, why: why.to_owned() });
    }

    fn note(&self, trouble: &Trouble) {
        let text = serde_json::to_vec(trouble).map_err(io::Error::other);
        if let Err(error) = text.and_then(|text| private_file::write(&self.folder.join(TROUBLE), &text)) {
            tracing::debug!(%error, "the trouble with a webhook cannot be kept");
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        let bytes = files::read_up_to(&self.folder.join(TROUBLE), LARGEST).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Names of the messages, oldest first: ids are in the order of time.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter(|name| name.ends_with(".json") && !files::is_neighbour(name)).collect();
        names.sort_unstable();
        names
    }
}

fn age_s() -> i64 {
    i64::try_from(deadlines::NOTIFY_AGE.as_secs()).unwrap_or(i64::MAX)
}

fn remove(file: &Path) {
    if let Err(error) = std::fs::remove_file(file)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %file.display(), "a message cannot be removed, and may be delivered again");
    }
}
