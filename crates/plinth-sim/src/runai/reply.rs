//! Answers, and what faults make of them.

use super::fault::RunaiFaultKind;
use crate::https::HangUp;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = "<!doctype html><html><title>Run:ai</title></html>";

/// An answer before it becomes HTTP.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    kind: &'static str,
    body: Vec<u8>,
    retry_after: Option<u64>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: JSON, body: body.to_string().into_bytes(), retry_after: None }
    }

    /// A refusal in Run:ai's form.
    pub(super) fn refused(status: u16, message: &str) -> Self {
        Self::json(status, &json!({"code": status, "message": message, "details": ""}))
    }

    /// A refusal in Keycloak's form.
    pub(super) fn keycloak(status: u16, error: &str, description: &str) -> Self {
        Self::json(status, &json!({"error": error, "error_description": description}))
    }

    /// What an ingress says that has nothing behind it.
    pub(super) fn nothing_here() -> Self {
        Self { status: 404, kind: "text/plain", body: b"default backend - 404".to_vec(), retry_after: None }
    }

    /// What an ingress says of a service whose pods are not ready.
    pub(super) fn no_endpoints() -> Self {
        Self {
            status: 503,
            kind: HTML,
            body: b"<html>503 Service Temporarily Unavailable</html>".to_vec(),
            retry_after: None,
        }
    }

    /// The web pages of a control plane.
    pub(super) fn page() -> Self {
        Self::text(200, HTML, PAGE)
    }

    fn text(status: u16, kind: &'static str, body: &str) -> Self {
        Self { status, kind, body: body.as_bytes().to_vec(), retry_after: None }
    }

    pub(super) fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// The whole length announced, half of it sent, then the end of the connection.
    fn broken_off(self) -> Response {
        let length = self.body.len().max(2);
        let half = Bytes::copy_from_slice(&self.body[..self.body.len() / 2]);
        let parts = [Ok(half), Err(std::io::Error::other("broken off on purpose"))];
        let mut response = Self { body: Vec::new(), ..self }.response();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        *response.body_mut() = Body::from_stream(futures::stream::iter(parts));
        response
    }

    fn endless(self) -> Response {
        let piece = Bytes::from(vec![b' '; 64 * 1024]);
        let forever = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
        let mut response = Self { body: Vec::new(), ..self }.response();
        *response.body_mut() = Body::from_stream(forever);
        response
    }
}

/// What comes instead, before anything is done; none: the call goes on.
pub(super) fn instead(fault: &RunaiFaultKind) -> Option<Response> {
    Some(match fault {
        RunaiFaultKind::Status { status, body, retry_after } => {
            let reply = match body {
                Value::String(text) => Reply::text(*status, "text/plain", text),
                body => Reply::json(*status, body),
            };
            Reply { retry_after: *retry_after, ..reply }.response()
        }
        RunaiFaultKind::Reset => hang_up(),
        RunaiFaultKind::Redirect(to) => {
            let mut response = Reply::text(307, HTML, "").response();
            if let Ok(place) = HeaderValue::from_str(to) {
                response.headers_mut().insert(LOCATION, place);
            }
            response
        }
        _ => return None,
    })
}

/// What a fault makes of the answer to what was done.
pub(super) async fn spoilt(reply: Reply, fault: Option<RunaiFaultKind>) -> Response {
    match fault {
        Some(RunaiFaultKind::StatusAfter(status)) => Reply::text(status, HTML, PAGE).response(),
        Some(RunaiFaultKind::AnswerLost) => hang_up(),
        Some(RunaiFaultKind::Html) => Reply::text(200, HTML, PAGE).response(),
        Some(RunaiFaultKind::Body(body)) => Reply::json(reply.status, &body).response(),
        Some(RunaiFaultKind::Truncated) => reply.broken_off(),
        Some(RunaiFaultKind::CutJson) => {
            let half = reply.body.len() / 2;
            Reply { body: reply.body[..half].to_vec(), ..reply }.response()
        }
        Some(RunaiFaultKind::Endless) => reply.endless(),
        Some(RunaiFaultKind::Stall { millis }) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            reply.response()
        }
        _ => reply.response(),
    }
}

fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}
