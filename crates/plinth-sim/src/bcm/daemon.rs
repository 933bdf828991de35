//! The simulated CMDaemon: sessions, faults, replies.

use super::answer::{Request, answer};
use super::fault::{BcmFault, BcmFaultKind, RefusedLogin, ReplyShape, SessionEnd};
use super::{BcmFixture, SimAuth};
use crate::https::{HangUp, Peer};
use crate::server_fault::strike;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const COOKIE_NAME: &str = "cm-login-token";
const LOGIN_PAGE: &str = "<!doctype html><html>login page</html>";
const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// What one simulated daemon holds.
pub(super) struct Daemon {
    fixture: BcmFixture,
    auth: SimAuth,
    faults: Mutex<Vec<BcmFault>>,
    sessions: Mutex<Sessions>,
    served: Mutex<Vec<String>>,
    unexpected: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Sessions {
    made: u64,
    valid: BTreeSet<String>,
}

/// A reply before it becomes HTTP.
struct Answer {
    status: u16,
    kind: String,
    body: Vec<u8>,
    cookie: Option<String>,
}

impl Answer {
    fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, kind: kind.to_owned(), body: body.into(), cookie: None }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::new(status, JSON, body.to_string())
    }

    fn shape(shape: &ReplyShape) -> Self {
        let kind = shape.content_type.as_deref().unwrap_or(JSON);
        let body = match &shape.body {
            Value::String(text) if text.is_empty() || kind == HTML => text.clone(),
            other => other.to_string(),
        };
        Self { cookie: shape.set_cookie.clone(), ..Self::new(shape.http_status, kind, body) }
    }

    fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Ok(kind) = self.kind.parse() {
            headers.insert(CONTENT_TYPE, kind);
        }
        if let Some(cookie) = self.cookie.and_then(|cookie| cookie.parse().ok()) {
            headers.insert(SET_COOKIE, cookie);
        }
        response
    }

    /// The whole length announced, half of it sent, then the end of the connection.
    fn broken_off(self) -> Response {
        let length = self.body.len().max(2);
        let half = Bytes::copy_from_slice(&self.body[..self.body.len() / 2]);
        let parts = [Ok(half), Err(std::io::Error::other("broken off on purpose"))];
        let mut response = Answer { body: Vec::new(), ..self }.response();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        *response.body_mut() = Body::from_stream(futures::stream::iter(parts));
        response
    }
}

/// The routes: `POST /json` and `GET /ready`; everything else is unexpected.
pub(super) fn routes(daemon: Arc<Daemon>) -> Router {
    Router::new().route("/json", post(rpc)).route("/ready", get(ready)).fallback(stranger).with_state(daemon)
}

async fn ready(State(daemon): State<Arc<Daemon>>) -> Response {
    let answer = Answer::new(200, "text/plain", "ready");
    daemon.with_fault("ready", answer).await
}

async fn stranger(State(daemon): State<Arc<Daemon>>, method: Method, uri: Uri) -> Response {
    daemon.note_unexpected(format!("{method} {}", uri.path()));
    Answer::new(404, "text/plain", "").response()
}

async fn rpc(
    State(daemon): State<Arc<Daemon>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(request) = Request::read(&body) else {
        daemon.note_unexpected("POST /json with a body that is no request".to_owned());
        return Answer::json(400, &Value::Null).response();
    };
    let name = request.name();
    lock(&daemon.served).push(name.clone());
    let answer = daemon.answer(&request, peer, &headers);
    daemon.with_fault(&name, answer).await
}

impl Daemon {
    pub(super) fn new(fixture: BcmFixture, faults: Vec<BcmFault>, auth: SimAuth) -> Self {
        Self {
            fixture,
            auth,
            faults: Mutex::new(faults),
            sessions: Mutex::default(),
            served: Mutex::default(),
            unexpected: Mutex::default(),
        }
    }

    /// Calls so far, in order.
    pub(super) fn served(&self) -> Vec<String> {
        lock(&self.served).clone()
    }

    /// Requests that no BCM is known to answer.
    pub(super) fn unexpected(&self) -> Vec<String> {
        lock(&self.unexpected).clone()
    }

    fn note_unexpected(&self, request: String) {
        lock(&self.unexpected).push(request);
    }

    fn answer(&self, request: &Request, peer: Peer, headers: &HeaderMap) -> Answer {
        match request {
            Request::Login { username, password } => self.login(username, password),
            Request::Call { .. } if !peer.certified && !self.has_session(headers) => Answer::new(200, HTML, LOGIN_PAGE),
            Request::Call { service, call, args } => match answer(&self.fixture, service, call, args) {
                Some(value) => Answer::json(200, &value),
                None => {
                    self.note_unexpected(format!("{service}.{call} with {} arguments", args.len()));
                    Answer::json(400, &Value::Null)
                }
            },
        }
    }

    fn login(&self, username: &str, password: &str) -> Answer {
        if username != self.auth.username.expose() || password != self.auth.password.expose() {
            return refused_login(RefusedLogin::Unauthorized);
        }
        let mut sessions = lock(&self.sessions);
        sessions.made += 1;
        let token = format!("simulated-session-{}", sessions.made);
        sessions.valid.insert(token.clone());
        let cookie = format!("{COOKIE_NAME}={token}; Path=/; Secure; HttpOnly");
        Answer { cookie: Some(cookie), ..Answer::json(200, &Value::Bool(true)) }
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let sessions = lock(&self.sessions);
        pairs.any(|(name, token)| name == COOKIE_NAME && sessions.valid.contains(token))
    }

    /// The answer, or what a fault makes of it.
    async fn with_fault(&self, call: &str, answer: Answer) -> Response {
        let Some(fault) = strike(&mut lock(&self.faults), call) else { return answer.response() };
        match fault {
            BcmFaultKind::Status(status) => Answer::new(status, JSON, "").response(),
            BcmFaultKind::Truncated => answer.broken_off(),
            BcmFaultKind::CutJson => {
                let half = answer.body.len() / 2;
                Answer { body: answer.body[..half].to_vec(), ..answer }.response()
            }
            BcmFaultKind::Html => Answer::new(200, HTML, LOGIN_PAGE).response(),
            BcmFaultKind::SessionEnded(how) => {
                lock(&self.sessions).valid.clear();
                without_session(how).response()
            }
            BcmFaultKind::Stall { millis } => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                answer.response()
            }
            BcmFaultKind::Reset => hang_up(),
            BcmFaultKind::Redirect => redirect(),
            BcmFaultKind::LoginRefused(variant) => refused_login(variant).response(),
            BcmFaultKind::Reply(shape) => Answer::shape(&shape).response(),
        }
    }
}

fn without_session(how: SessionEnd) -> Answer {
    match how {
        SessionEnd::Html => Answer::new(200, HTML, LOGIN_PAGE),
        SessionEnd::Unauthorized => Answer::json(401, &Value::Null),
        SessionEnd::Forbidden => Answer::json(403, &Value::Null),
    }
}

fn refused_login(variant: RefusedLogin) -> Answer {
    match variant {
        RefusedLogin::Unauthorized => Answer::json(401, &json!({"code": 401, "error": "Authentication failed"})),
        RefusedLogin::False => Answer::json(200, &Value::Bool(false)),
    }
}

fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

fn redirect() -> Response {
    let mut response = Answer::new(302, HTML, "").response();
    response.headers_mut().insert(LOCATION, axum::http::HeaderValue::from_static("https://elsewhere.invalid/json"));
    response
}

/// A poisoned lock still holds good data: nothing here leaves it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
