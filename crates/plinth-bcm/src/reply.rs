//! The shapes of CMDaemon's replies. There is no envelope and no request id: the body is the result.
//!
//! Sources: captures of a live BCM 11 system (lists, entities, `null`, write outcomes, HTTP 400), the vendor's open client
//! (`errormessage` of very old releases), a public Terraform provider (refused writes, HTML for a missing session). What was
//! never captured is accepted in every form that is described anywhere.

use serde_json::{Map, Value};
use std::fmt;

/// Most values in one reply. A node entity has about 150, so this is for 50,000 nodes; each may take 100 bytes of memory, so a reply of
/// nothing but commas would fill 10 GB otherwise.
const VALUES_MAX: usize = 8_000_000;
/// Longest text of BCM that is quoted, characters.
const QUOTE_MAX: usize = 200;
/// Most validation items that are quoted.
const ITEMS_MAX: usize = 5;

/// A reply that is not an error. Whether it fits the call is for the caller to judge: a `null` is "not found" for a getter of
/// one object, and nonsense for a list.
#[derive(Clone, PartialEq)]
pub enum Reply {
    /// A list; empty is success.
    List(Vec<Value>),
    /// An object with `baseType`.
    Entity(Map<String, Value>),
    /// An object with `success: true`: the outcome of a write. May hold warnings in `validation`.
    Outcome(Map<String, Value>),
    /// An object of no known shape.
    Object(Map<String, Value>),
    /// `true` or `false`: login, ping.
    Flag(bool),
    /// `null`: there is no such object.
    Null,
    /// A bare text; some add-calls are said to return a UUID so.
    Text(String),
    /// A bare number; no call is known to return one.
    Number(serde_json::Number),
}

impl Reply {
    /// The kind of reply, for error texts.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Reply::List(_) => "a list",
            Reply::Entity(_) => "one entity",
            Reply::Outcome(_) => "the outcome of a write",
            Reply::Object(_) => "an object of no known shape",
            Reply::Flag(true) => "true",
            Reply::Flag(false) => "false",
            Reply::Null => "null",
            Reply::Text(_) => "a text",
            Reply::Number(_) => "a number",
        }
    }
}

/// Shows the kind only: replies hold passwords.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({})", self.kind())
    }
}

/// One complaint of BCM about an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// `WARNING`; anything else counts as an error.
    pub severity: String,
    /// `BAD_VALUE`, `NOT_NULL`, `DUPLICATE_FIELD`, ...
    pub code: String,
    /// JSON name of the field meant.
    pub field: String,
    /// Text for people, shortened.
    pub message: String,
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.field, self.code, self.message)
    }
}

/// A reply that is an error. Texts are shortened; they may quote what was sent, so a caller that sent a secret takes it out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// HTTP 401, 403, or a page instead of JSON: no session, or one that has ended.
    #[error("the session is not valid ({0})")]
    NotLoggedIn(String),
    /// HTTP 400, or the `errormessage` of very old releases.
    #[error("BCM does not know this call, or not with these arguments")]
    UnknownCall,
    /// HTTP 3xx. Never followed: credentials go nowhere else.
    #[error("the answer is a redirect (HTTP {0})")]
    Redirect(u16),
    /// HTTP 5xx.
    #[error("BCM answered HTTP {0}")]
    Server(u16),
    /// Another status.
    #[error("BCM answered HTTP {0}, which no call is known to give")]
    Status(u16),
    /// The body ends too early.
    #[error("the reply ends in the middle, after {0} bytes")]
    Truncated(usize),
    /// More values than any BCM has to say.
    #[error("the reply holds more than {VALUES_MAX} values")]
    TooManyValues,
    /// The body is not JSON.
    #[error("the reply is not JSON (line {line}, column {column})")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// `success: false`.
    #[error("BCM refused: {}", refusal(text, validation))]
    Refused {
        /// `error` or `warning`, if there was one.
        text: String,
        /// Complaints, at most a few.
        validation: Vec<Validation>,
    },
    /// An object with `error`.
    #[error("BCM reports an error: {0}")]
    Reported(String),
}

fn refusal(text: &str, validation: &[Validation]) -> String {
    let parts: Vec<String> = Some(text.to_owned())
        .filter(|t| !t.is_empty())
        .into_iter()
        .chain(validation.iter().map(Validation::to_string))
        .collect();
    if parts.is_empty() { "it gave no reason".to_owned() } else { parts.join("; ") }
}

/// Reads a reply: HTTP status first, then JSON, then the error shapes in objects; what is left is a [`Reply`].
///
/// Memory is bounded by the size of the body and the number of values in it; nesting deeper than 128 is refused by the JSON reader.
///
/// # Errors
/// [`ReplyError`] for each error shape.
pub fn decode_reply(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<Reply, ReplyError> {
    check_status(status)?;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if body.first() == Some(&b'<') {
        return Err(ReplyError::NotLoggedIn("a web page came instead of JSON".to_owned()));
    }
    if values_in(body) > VALUES_MAX {
        return Err(ReplyError::TooManyValues);
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        if content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html")) {
            ReplyError::NotLoggedIn("a web page came instead of JSON".to_owned())
        } else if error.is_eof() {
            ReplyError::Truncated(body.len())
        } else {
            ReplyError::NotJson { line: error.line(), column: error.column() }
        }
    })?;
    sort(value)
}

/// How many values a text of JSON holds, at most: commas and colons outside of texts, and the outermost one.
fn values_in(body: &[u8]) -> usize {
    let (mut values, mut in_text, mut escaped) = (1, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b':' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

fn check_status(status: u16) -> Result<(), ReplyError> {
    match status {
        200 => Ok(()),
        300..=399 => Err(ReplyError::Redirect(status)),
        400 => Err(ReplyError::UnknownCall),
        401 | 403 => Err(ReplyError::NotLoggedIn(format!("HTTP {status}"))),
        500..=599 => Err(ReplyError::Server(status)),
        _ => Err(ReplyError::Status(status)),
    }
}

fn sort(value: Value) -> Result<Reply, ReplyError> {
    Ok(match value {
        Value::Null => Reply::Null,
        Value::Bool(flag) => Reply::Flag(flag),
        Value::Number(number) => Reply::Number(number),
        Value::String(text) => Reply::Text(text),
        Value::Array(items) => Reply::List(items),
        Value::Object(fields) => return sort_object(fields),
    })
}

fn sort_object(fields: Map<String, Value>) -> Result<Reply, ReplyError> {
    if let Some(text) = fields.get("errormessage") {
        let text = quote_value(text);
        let unknown = text.to_ascii_lowercase().starts_with("unknown");
        return Err(if unknown { ReplyError::UnknownCall } else { ReplyError::Reported(text) });
    }
    if fields.get("success") == Some(&Value::Bool(false)) {
        return Err(refused(&fields));
    }
    if fields.contains_key("baseType") {
        return Ok(Reply::Entity(fields));
    }
    if let Some(error) = fields.get("error").filter(|error| !is_blank(error)) {
        return Err(ReplyError::Reported(quote_value(error)));
    }
    Ok(if fields.contains_key("success") { Reply::Outcome(fields) } else { Reply::Object(fields) })
}

/// An `error` field that says there is none.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn refused(fields: &Map<String, Value>) -> ReplyError {
    let text = ["error", "warning"].iter().find_map(|key| fields.get(*key)).map(quote_value).unwrap_or_default();
    let items = fields.get("validation").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    ReplyError::Refused { text, validation: items.iter().take(ITEMS_MAX).map(validation).collect() }
}

fn validation(item: &Value) -> Validation {
    let text = |key: &str| item.get(key).map(quote_value).unwrap_or_default();
    Validation { severity: text("severity"), code: text("error_code"), field: text("field"), message: text("message") }
}

/// A text of BCM, shortened and on one line. Values that are no text are not quoted.
fn quote_value(value: &Value) -> String {
    value.as_str().map(quote).unwrap_or_else(|| "(no text)".to_owned())
}

fn quote(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTE_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(QUOTE_MAX).is_some() {
        quoted.push_str("...");
    }
    quoted
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_reply_of_nothing_but_commas_is_refused_before_it_fills_the_memory() {
        assert_eq!(values_in(br#"{"a,:\",": [1, {"b": null}], "c": "x:y"}"#), 6);
        let many = format!("[{}0]", "0,".repeat(VALUES_MAX));
        assert_eq!(decode(200, &many), Err(ReplyError::TooManyValues));
    }

    fn decode(status: u16, body: &str) -> Result<Reply, ReplyError> {
        decode_reply(status, Some("application/json"), body.as_bytes())
    }

    #[test]
    fn good_shapes() {
        let cases = [
            ("[]", "a list"),
            (r#"{"baseType":"Device","error":"kept"}"#, "one entity"),
            ("true", "true"),
            ("false", "false"),
            ("null", "null"),
            (r#"{"success":true,"validation":[]}"#, "the outcome of a write"),
            (r#"{"success":true,"error":""}"#, "the outcome of a write"),
            (r#""95a75a76-09ba-4bbe-9ff0-ae68dc0c330e""#, "a text"),
            ("{}", "an object of no known shape"),
            ("4", "a number"),
            ("\u{feff} [] \n", "a list"),
        ];
        for (body, kind) in cases {
            assert_eq!(decode(200, body).unwrap().kind(), kind, "{body}");
        }
    }

    #[test]
    fn error_shapes() {
        let cases: [(u16, &str, ReplyError); 16] = [
            (400, "null", ReplyError::UnknownCall),
            (400, "[]", ReplyError::UnknownCall),
            (200, r#"{"errormessage":"Unknown cmdevice call specified"}"#, ReplyError::UnknownCall),
            (200, r#"{"errormessage":"out of memory"}"#, ReplyError::Reported("out of memory".into())),
            (401, r#"{"error":"x"}"#, ReplyError::NotLoggedIn("HTTP 401".into())),
            (403, "", ReplyError::NotLoggedIn("HTTP 403".into())),
            (404, "", ReplyError::Status(404)),
            (500, "[]", ReplyError::Server(500)),
            (503, "", ReplyError::Server(503)),
            (302, "", ReplyError::Redirect(302)),
            (200, "<!doctype html>", ReplyError::NotLoggedIn("a web page came instead of JSON".into())),
            (200, r#"[{"a": 1"#, ReplyError::Truncated(8)),
            (200, "", ReplyError::Truncated(0)),
            (200, "ready", ReplyError::NotJson { line: 1, column: 1 }),
            (200, r#"{"error":"some text","code":404}"#, ReplyError::Reported("some text".into())),
            (200, r#"{"success":false}"#, ReplyError::Refused { text: String::new(), validation: vec![] }),
        ];
        for (status, body, expected) in cases {
            assert_eq!(decode(status, body).unwrap_err(), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_refused_write_says_why() {
        let body = json!({"success": false, "validation": [{"severity": "ERROR", "error_code": "NOT_NULL", "field": "uuid", "message": "Zero UUID"}]});
        let error = decode(200, &body.to_string()).unwrap_err();
        assert_eq!(error.to_string(), "BCM refused: uuid NOT_NULL: Zero UUID");
        let bare = decode(200, r#"{"success":false,"warning":"in use"}"#).unwrap_err();
        assert_eq!(bare.to_string(), "BCM refused: in use");
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        let body = "[".repeat(100_000);
        assert!(matches!(decode(200, &body), Err(ReplyError::NotJson { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_bounded_answer(status in 0u16..1000, html: bool, body in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let kind = if html { Some("text/html") } else { None };
            if let Err(error) = decode_reply(status, kind, &body) {
                prop_assert!(error.to_string().chars().count() < 6000);
            }
        }

        #[test]
        fn quoted_text_is_one_short_line(text in ".{0,2000}", key in "error|errormessage|warning") {
            let body = json!({"success": false, key: text}).to_string();
            let error = decode(200, &body).unwrap_err().to_string();
            prop_assert!(error.chars().count() < 300);
            prop_assert!(!error.contains('\n'));
        }
    }
}
