//! How long Run:ai is waited for, and how often it is asked again.

use plinth_world::deadlines;
use std::time::Duration;

/// Waits and limits. The defaults are [`plinth_world::deadlines`]; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunaiTiming {
    /// Opening a connection.
    pub connect: Duration,
    /// One request, to the last byte of the answer.
    pub request: Duration,
    /// Tries after the first.
    pub retries: usize,
    /// First wait; doubled each time, with jitter.
    pub first_wait: Duration,
    /// Longest wait, before jitter.
    pub longest_wait: Duration,
    /// Largest answer that is read, bytes.
    pub reply_max: usize,
    /// How long the entry of a registration is looked for that was not answered.
    pub read_back: Duration,
    /// Between two looks for it.
    pub read_back_pause: Duration,
    /// Between two logins with a password that was refused, while the administrator may not be made yet.
    pub login_pause: Duration,
}

impl Default for RunaiTiming {
    fn default() -> Self {
        Self {
            connect: deadlines::RUNAI_CONNECT,
            request: deadlines::RUNAI_REQUEST,
            retries: deadlines::RUNAI_RETRIES,
            first_wait: deadlines::RUNAI_BACKOFF,
            longest_wait: deadlines::RUNAI_BACKOFF_MAX,
            reply_max: deadlines::RUNAI_REPLY_MAX,
            read_back: deadlines::RUNAI_READ_BACK,
            read_back_pause: deadlines::RUNAI_READ_BACK_PAUSE,
            login_pause: deadlines::RUNAI_LOGIN_PAUSE,
        }
    }
}

impl RunaiTiming {
    /// How long a server is left alone that asks for it; not longer than our own longest wait.
    pub(crate) fn patience(&self, asked: Option<Duration>) -> Duration {
        asked.unwrap_or_default().min(self.longest_wait)
    }
}
