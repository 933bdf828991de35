//! Faults of the simulated BCM, as data.

use super::SimBcmError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const REPLIES: &str = include_str!("../../data/bcm/replies.json");

/// Something that goes wrong, some number of times, with some calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BcmFault {
    /// What goes wrong.
    pub kind: BcmFaultKind,
    /// How often; `u32::MAX` is always.
    pub times: u32,
    /// How many calls it lets pass first.
    #[serde(default)]
    pub after: u32,
    /// Only with this call: `cmdevice.getNodes`, `login`, `ready`. None: with every call it makes sense for.
    #[serde(default)]
    pub call: Option<String>,
}

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
    /// HTTP status.
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

impl BcmFault {
    /// A fault that happens once, with every call it makes sense for.
    #[must_use]
    pub fn once(kind: BcmFaultKind) -> Self {
        Self { kind, times: 1, after: 0, call: None }
    }

    /// A fault that happens always.
    #[must_use]
    pub fn always(kind: BcmFaultKind) -> Self {
        Self::once(kind).times(u32::MAX)
    }

    /// The same, so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same, with one call only.
    #[must_use]
    pub fn on(mut self, call: &str) -> Self {
        self.call = Some(call.to_owned());
        self
    }

    /// The same, after some calls went well.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    fn concerns(&self, call: &str) -> bool {
        match (&self.call, &self.kind) {
            (_, BcmFaultKind::LoginRefused(_)) => call == "login",
            (Some(wanted), _) => wanted == call,
            (None, BcmFaultKind::SessionEnded(_)) => call != "login" && call != "ready",
            (None, _) => call != "ready",
        }
    }

    /// Whether it happens now; counts.
    fn strikes(&mut self, call: &str) -> bool {
        if self.times == 0 || !self.concerns(call) {
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
pub(super) fn strike(faults: &mut [BcmFault], call: &str) -> Option<BcmFaultKind> {
    faults.iter_mut().find_map(|fault| fault.strikes(call).then(|| fault.kind.clone()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
