//! Faults of the simulated control plane, as data.

use serde_json::Value;

/// Something that goes wrong, some number of times, with some calls.
#[derive(Clone, Debug, PartialEq)]
pub struct RunaiFault {
    kind: RunaiFaultKind,
    times: u32,
    after: u32,
    call: Option<String>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum RunaiFaultKind {
    /// This status with this body; nothing is done.
    Status {
        /// HTTP status.
        status: u16,
        /// JSON, or a text that is sent as it is.
        body: Value,
        /// Seconds in `Retry-After`.
        retry_after: Option<u64>,
    },
    /// It is done, and this status comes instead of the answer.
    StatusAfter(u16),
    /// It is done, and the connection ends without an answer.
    AnswerLost,
    /// The connection ends before anything is done.
    Reset,
    /// A web page instead of JSON.
    Html,
    /// This body instead of the right one.
    Body(Value),
    /// The connection ends before the announced length.
    Truncated,
    /// The body ends in the middle, and its length says so.
    CutJson,
    /// A body without an end.
    Endless,
    /// It is done; the answer comes after so many milliseconds of real time.
    Stall {
        /// Milliseconds.
        millis: u64,
    },
    /// A redirect to this URL.
    Redirect(String),
    /// Every token that was given is over; then the call goes on.
    TokensEnd,
}

impl RunaiFault {
    /// A fault that happens once, with every call.
    #[must_use]
    pub const fn once(kind: RunaiFaultKind) -> Self {
        Self { kind, times: 1, after: 0, call: None }
    }

    /// A fault that happens always.
    #[must_use]
    pub const fn always(kind: RunaiFaultKind) -> Self {
        Self { kind, times: u32::MAX, after: 0, call: None }
    }

    /// This status with this message, as Run:ai words it.
    #[must_use]
    pub fn status(status: u16, message: &str) -> RunaiFaultKind {
        let body = serde_json::json!({"code": status, "message": message, "details": ""});
        RunaiFaultKind::Status { status, body, retry_after: None }
    }

    /// The same, so often.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same, after some calls went well.
    #[must_use]
    pub const fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// The same, with one call only: `discovery`, `token`, `clusters`, `register`, `cluster`, `credentials`, `nodes`, `version`, `page`.
    #[must_use]
    pub fn on(mut self, call: &str) -> Self {
        self.call = Some(call.to_owned());
        self
    }

    /// Whether it happens now; counts.
    fn strikes(&mut self, call: &str) -> bool {
        if self.times == 0 || self.call.as_ref().is_some_and(|wanted| wanted != call) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        if self.times < u32::MAX {
            self.times -= 1;
        }
        true
    }
}

/// The first fault that happens now.
pub(super) fn strike(faults: &mut [RunaiFault], call: &str) -> Option<RunaiFaultKind> {
    faults.iter_mut().find_map(|fault| fault.strikes(call).then(|| fault.kind.clone()))
}
