//! Delivers the messages of one webhook, in their order, until each is taken or refused.

use super::beside;
use super::format::body;
use super::notice::Notice;
use super::queue::Queue;
use jiff::Timestamp;
use plinth_net::webhook::{Post, Posted, Webhook as Address};
use plinth_site::desired::Webhook;
use plinth_world::secrets::Secrets;
use plinth_world::{deadlines, files};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

/// Largest CA file that is read, bytes.
const LARGEST_CA: usize = 1024 * 1024;

/// Delivers to one webhook.
pub(super) struct Poster {
    webhook: Webhook,
    folder: PathBuf,
    secrets: Arc<dyn Secrets>,
    queue: Queue,
    waiting: VecDeque<Notice>,
    attempts: u32,
}

impl Poster {
    pub(super) fn new(webhook: Webhook, folder: &Path, secrets: Arc<dyn Secrets>, queue: Queue) -> Self {
        let waiting = queue.waiting(Timestamp::now()).into();
        Self { webhook, folder: folder.to_path_buf(), secrets, queue, waiting, attempts: 0 }
    }

    /// Until no more messages come and none waits.
    pub(super) async fn work(mut self, mut notices: UnboundedReceiver<Notice>) {
        let address = self.address();
        loop {
            while let Ok(notice) = notices.try_recv() {
                self.waiting.push_back(notice);
            }
            let Some(first) = self.waiting.front().cloned() else {
                match notices.recv().await {
                    Some(notice) => self.waiting.push_back(notice),
                    None => return,
                }
                continue;
            };
            let posted = match &address {
                Ok((address, key)) => self.post(address, key.as_deref(), &first).await,
                // It is asked for again by the next run: kept until then.
                Err(why) => return self.queue.failed(why),
            };
            self.went(&first, posted).await;
        }
    }

    /// Address and key, which are only now got.
    fn address(&self) -> Result<(Address, Option<Vec<u8>>), String> {
        let get = |reference| self.secrets.get(reference).map_err(|error| error.to_string());
        let ca = match &self.webhook.ca_file {
            None => None,
            Some(file) => {
                let read = files::read_up_to(&beside(&self.folder, file), LARGEST_CA);
                Some(read.map_err(|error| format!("its CA file {file} cannot be read: {error}"))?)
            }
        };
        let key = self.webhook.key.as_ref().map(get).transpose()?.map(|key| key.expose().as_bytes().to_vec());
        let address = Address::new(get(&self.webhook.url)?.expose(), ca.as_deref())?;
        Ok((address, key))
    }

    async fn post(&self, address: &Address, key: Option<&[u8]>, notice: &Notice) -> Posted {
        let body = body(notice, self.webhook.format);
        address.post(Post { id: &notice.id, body: &body, at: Timestamp::now().as_second(), key }).await
    }

    async fn went(&mut self, notice: &Notice, posted: Posted) {
        let pause = match posted {
            Posted::Taken => {
                self.queue.delivered(&notice.id);
                self.over();
                deadlines::NOTIFY_PACE
            }
            Posted::Refused(why) => {
                tracing::warn!(webhook = self.webhook.name, why, "a message about the run was refused");
                self.queue.refused(&notice.id, &why);
                self.over();
                deadlines::NOTIFY_PACE
            }
            Posted::Later(asked, why) => {
                tracing::info!(webhook = self.webhook.name, why, "a message about the run is posted again");
                self.queue.failed(&why);
                self.attempts += 1;
                asked.map_or_else(|| self.backoff(&notice.id), |asked| asked.min(deadlines::NOTIFY_BACKOFF_MAX))
            }
        };
        if !self.waiting.is_empty() {
            sleep(pause).await;
        }
    }

    fn over(&mut self) {
        self.waiting.pop_front();
        self.attempts = 0;
    }

    /// Doubled each time, plus up to a half by chance: the end of an id is random.
    fn backoff(&self, id: &str) -> Duration {
        let doubled = deadlines::NOTIFY_BACKOFF * 2_u32.saturating_pow(self.attempts.saturating_sub(1).min(16));
        let random =
            id.len().checked_sub(4).and_then(|from| u32::from_str_radix(id.get(from..)?, 16).ok()).unwrap_or(0);
        let part = (random >> self.attempts.min(8)) & 0xff;
        (doubled + doubled * part / 512).min(deadlines::NOTIFY_BACKOFF_MAX)
    }
}
