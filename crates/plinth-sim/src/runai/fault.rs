//! Faults of the simulated control plane, as data.

use crate::server_fault::{ServerFault, Strikes};
use serde_json::Value;

/// Something that the control plane does wrong. Its calls are `discovery`, `token`, `clusters`, `register`, `cluster`, `credentials`,
/// `nodes`, `version`.
pub type RunaiFault = ServerFault<RunaiFaultKind>;

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

impl Strikes for RunaiFaultKind {}

impl RunaiFault {
    /// This status with this message, as Run:ai words it.
    #[must_use]
    pub fn status(status: u16, message: &str) -> RunaiFaultKind {
        let body = serde_json::json!({"code": status, "message": message, "details": ""});
        RunaiFaultKind::Status { status, body, retry_after: None }
    }
}
