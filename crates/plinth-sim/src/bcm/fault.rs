//! Faults of the simulated BCM, as data.

use super::SimBcmError;
use crate::server_fault::{ServerFault, Strikes};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const REPLIES: &str = include_str!("../../data/bcm/replies.json");

/// Something that BCM does wrong.
pub type BcmFault = ServerFault<BcmFaultKind>;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BcmFaultKind {
    /// This HTTP status with an empty body.
    Status(u16),
    /// The connection ends before the announced length.
    Truncated,
    /// The body ends in the middle, and its length says so.
    CutJson,
    /// The login page instead of JSON.
    Html,
    /// The session is forgotten; the call is answered so.
    SessionEnded(SessionEnd),
    /// Nothing happens for so many milliseconds of real time; then the normal answer.
    Stall {
        /// Milliseconds.
        millis: u64,
    },
    /// The connection ends without an answer.
    Reset,
    /// A redirect to another host.
    Redirect,
    /// The login is refused, right or wrong.
    LoginRefused(RefusedLogin),
    /// This reply instead of the normal one.
    Reply(ReplyShape),
}

/// How a call without a session is answered. None of them was ever captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionEnd {
    /// HTTP 200 and the login page.
    Html,
    /// HTTP 401.
    Unauthorized,
    /// HTTP 403.
    Forbidden,
}

/// How a refused login looks. Which one BCM uses is not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusedLogin {
    /// Variant a: HTTP 401 and an error object.
    Unauthorized,
    /// Variant b: HTTP 200 and `false`.
    False,
}

/// A reply as data: the entries of `replies.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplyShape {
    /// What it stands for.
    pub name: String,
    /// The number of the reply's status line.
    pub http_status: u16,
    /// Body. A text of type `text/html` is sent bare, an empty text as an empty body, everything else as JSON.
    pub body: Value,
    /// Media type; JSON when none is said.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Whether, and which, cookie comes along.
    #[serde(default)]
    pub set_cookie: Option<String>,
}

/// Every recorded and constructed reply shape.
///
/// # Errors
/// When the embedded data is broken: our bug.
pub fn reply_shapes() -> Result<Vec<ReplyShape>, SimBcmError> {
    serde_json::from_str(REPLIES).map_err(SimBcmError::of("reading embedded data"))
}

impl Strikes for BcmFaultKind {
    fn concerns(&self, wanted: Option<&str>, call: &str) -> bool {
        match (wanted, self) {
            (_, Self::LoginRefused(_)) => call == "login",
            (Some(wanted), _) => wanted == call,
            (None, Self::SessionEnded(_)) => call != "login" && call != "ready",
            (None, _) => call != "ready",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::server_fault::strike;

    #[test]
    fn faults_count_and_choose() {
        let mut faults = vec![
            BcmFault::once(BcmFaultKind::Status(500)).times(2).after(1).on("cmdevice.getNodes"),
            BcmFault::always(BcmFaultKind::LoginRefused(RefusedLogin::False)),
        ];
        let calls = [
            "cmdevice.getNodes",
            "cmnet.getNetworks",
            "cmdevice.getNodes",
            "login",
            "cmdevice.getNodes",
            "cmdevice.getNodes",
        ];
        let struck: Vec<bool> = calls.iter().map(|call| strike(&mut faults, call).is_some()).collect();
        assert_eq!(struck, [false, false, true, true, true, false]);
    }

    #[test]
    fn faults_are_data() {
        let fault = BcmFault::once(BcmFaultKind::Stall { millis: 5 }).on("login");
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(text, r#"{"kind":{"stall":{"millis":5}},"times":1,"after":0,"call":"login"}"#);
        assert_eq!(serde_json::from_str::<BcmFault>(&text).unwrap(), fault);
        assert_eq!(reply_shapes().unwrap().len(), 15);
    }
}
