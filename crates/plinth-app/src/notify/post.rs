//! Delivers the messages of one webhook, in their order, until each is taken or refused.

use super::format::body;
use super::notice::Notice;
use super::queue::{Queue, aside};
use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;
use plinth_net::webhook::{Post, Posted, Webhook as Address};
use plinth_site::desired::Webhook;
use plinth_world::secrets::Secrets;
use plinth_world::{deadlines, files};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

/// Largest CA file that is read, bytes.
const LARGEST_CA: usize = 1024 * 1024;
/// Attempts at one message at which the other side failed, until others go before it.
const PATIENT: u32 = 5;

/// Pauses between attempts: doubled each time, plus at most as much again by chance. The longest is a half of what is allowed, so that the
/// chance stays with it.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(deadlines::NOTIFY_BACKOFF)
    .with_max_delay(Duration::from_secs(deadlines::NOTIFY_BACKOFF_MAX.as_secs() / 2))
    .without_max_times()
    .with_jitter();
/// After so many attempts pauses grow no more: 2 to the 16th seconds are far beyond.
const LONGEST_AFTER: usize = 16;

/// Where to and by whom the messages of one webhook are posted.
pub(super) struct Poster {
    webhook: Webhook,
    folder: PathBuf,
    secrets: Arc<dyn Secrets>,
    queue: Arc<Queue>,
}

impl Poster {
    pub(super) fn new(webhook: Webhook, folder: &Path, secrets: Arc<dyn Secrets>, queue: Arc<Queue>) -> Self {
        Self { webhook, folder: folder.to_path_buf(), secrets, queue }
    }

    /// Until nobody puts messages into the queue any more, and none waits.
    pub(super) async fn work(self, put: Receiver<()>) {
        let (queue, name, format) = (Arc::clone(&self.queue), self.webhook.name.clone(), self.webhook.format);
        // The program that gives an address may take half a minute.
        let got = aside(move || {
            // It is asked for again by the next run: kept until then.
            self.address().inspect_err(|why| self.queue.failed(why)).ok()
        });
        let Some((address, key)) = got.await.flatten() else { return };
        let key: Option<Arc<[u8]>> = key.map(Into::into);
        let post = |notice: Notice| {
            let (address, key) = (address.clone(), key.clone());
            async move {
                let (id, body, at) = (notice.id.as_str(), body(&notice, format), Timestamp::now().as_second());
                address.post(Post { id, body: &body, at, key: key.as_deref() }).await
            }
        };
        Delivery::new(name, queue, put).work(post).await;
    }

    /// Address and key, which are only now got.
    fn address(&self) -> Result<(Address, Option<Vec<u8>>), String> {
        let get = |reference| self.secrets.get(reference).map_err(|error| error.to_string());
        let ca = match &self.webhook.ca_file {
            None => None,
            Some(file) => {
                let read = files::read_up_to(&self.folder.join(file), LARGEST_CA);
                Some(read.map_err(|error| format!("its CA file {file} cannot be read: {error}"))?)
            }
        };
        let key = self.webhook.key.as_ref().map(get).transpose()?.map(|key| key.expose().as_bytes().to_vec());
        let address = Address::new(get(&self.webhook.url)?.expose(), ca.as_deref())?;
        Ok((address, key))
    }
}

/// When what is posted.
pub(super) struct Delivery {
    name: String,
    queue: Arc<Queue>,
    /// Changes when a message was put into the queue; closed when none will be any more.
    put: Receiver<()>,
    /// Attempts since the last message that was taken or refused.
    attempts: u32,
    /// When the next message may be posted.
    next: Instant,
    /// Nobody asked for that wait: the end of the run cuts it short.
    is_backoff: bool,
    /// No more messages come: somebody waits for the last ones.
    is_ending: bool,
}

impl Delivery {
    pub(super) fn new(name: String, queue: Arc<Queue>, put: Receiver<()>) -> Self {
        Self { name, queue, put, attempts: 0, next: Instant::now(), is_backoff: false, is_ending: false }
    }

    /// As many attempts at the first message as this have come to nothing.
    #[cfg(test)]
    pub(super) fn after(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Until no more messages come and none waits.
    pub(super) async fn work<F: Future<Output = Posted>>(mut self, post: impl Fn(Notice) -> F) {
        loop {
            if self.first().await.is_none() {
                match self.put.changed().await {
                    Ok(()) => continue,
                    Err(_closed) => return,
                }
            }
            self.wait().await;
            // It may have become too old meanwhile, or one too many.
            if let Some(notice) = self.first().await {
                let id = notice.id.clone();
                let posted = post(notice).await;
                self.went(id, posted).await;
            }
        }
    }

    async fn first(&self) -> Option<Notice> {
        self.on_queue(|queue| queue.first(Timestamp::now())).await.flatten()
    }

    async fn on_queue<T: Send + 'static>(&self, work: impl FnOnce(&Queue) -> T + Send + 'static) -> Option<T> {
        let queue = Arc::clone(&self.queue);
        aside(move || work(&queue)).await
    }

    /// For the next attempt. When no more messages come while nothing but our own caution holds it back, it is made at once: after a
    /// long outage the end of the run is told too, if the other side is there again.
    async fn wait(&mut self) {
        if !self.is_backoff || self.is_ending {
            return sleep_until(self.next).await;
        }
        let put = &mut self.put;
        let closed = async { while put.changed().await.is_ok() {} };
        tokio::select! {
            () = sleep_until(self.next) => {}
            () = closed => (self.is_ending, self.attempts) = (true, 0),
        }
    }

    async fn went(&mut self, id: String, posted: Posted) {
        let (pause, is_backoff) = match posted {
            Posted::Taken => {
                self.on_queue(move |queue| queue.delivered(&id)).await;
                self.attempts = 0;
                (deadlines::NOTIFY_PACE, false)
            }
            Posted::Refused(why) => {
                tracing::warn!(webhook = self.name, why, "a message about the run was refused");
                self.on_queue(move |queue| queue.refused(&id, &why)).await;
                self.attempts = 0;
                (deadlines::NOTIFY_PACE, false)
            }
            Posted::Later(asked, why) => {
                let own = self.failed(why).await;
                asked.map_or((own, true), |asked| (asked.min(deadlines::NOTIFY_BACKOFF_MAX), false))
            }
            Posted::Failed(why) => {
                let patience = if self.is_ending { 1 } else { PATIENT };
                let mut own = self.failed(why).await;
                if self.attempts >= patience && self.on_queue(Queue::first_goes_last).await == Some(true) {
                    // The others are not held up by what this one has come to.
                    self.attempts = self.attempts.min(PATIENT);
                    own = self.backoff();
                }
                (own, true)
            }
        };
        (self.next, self.is_backoff) = (Instant::now() + pause, is_backoff);
    }

    /// Answers the pause that follows.
    async fn failed(&mut self, why: String) -> Duration {
        tracing::info!(webhook = self.name, why, "a message about the run is posted again");
        self.on_queue(move |queue| queue.failed(&why)).await;
        self.attempts = self.attempts.saturating_add(1);
        self.backoff()
    }

    /// The pause after so many attempts.
    fn backoff(&self) -> Duration {
        let nth = usize::try_from(self.attempts.saturating_sub(1)).unwrap_or(usize::MAX).min(LONGEST_AFTER);
        PAUSES.build().nth(nth).unwrap_or(deadlines::NOTIFY_BACKOFF_MAX)
    }
}
