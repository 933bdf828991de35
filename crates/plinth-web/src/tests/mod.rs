//! Tests of the whole, without a browser.

#![allow(clippy::unwrap_used)]

mod access;
mod checks;
mod hostile;
mod links;
mod logs;
mod nodes;
mod pages;
mod patched;
mod pictures;
mod plan;
mod script;
mod sockets;
mod strain;
mod stream;

use crate::access::{Guard, Peer, Token};
use crate::app::App;
use crate::live::look;
use crate::runs::Runs;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use script::Scripted;
use std::sync::Arc;
use tokio::sync::watch;

/// The server without sockets.
pub(super) struct Page {
    pub(super) app: Arc<App>,
    pub(super) token: Token,
    /// Ends it.
    pub(super) stop: watch::Sender<bool>,
}

/// What came back.
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Page {
    pub(super) fn of(source: &Arc<Scripted>) -> Self {
        let token = Token::given("a-token-that-is-long-enough").unwrap();
        let (stop, stopped) = watch::channel(false);
        let runs = Arc::new(Runs::new(Arc::new(Arc::clone(source))));
        let guard = Guard::new(token.clone(), &[], (1, false));
        let app = Arc::new(App::new(runs, guard, stopped));
        Self { app, token, stop }
    }

    /// What the thread does four times a second.
    pub(super) fn look(&self) {
        look(&self.app.runs).unwrap();
    }

    /// Asks as somebody who may look.
    pub(super) async fn get(&self, address: &str) -> Got {
        let bearer = format!("Bearer {}", self.token.expose());
        self.ask("GET", address, &[("host", "localhost"), ("authorization", &bearer)]).await
    }

    pub(super) async fn ask(&self, method: &str, address: &str, headers: &[(&str, &str)]) -> Got {
        let response = self.respond(method, address, headers).await;
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Got { status: head.status, headers: head.headers, body }
    }

    pub(super) async fn respond(
        &self,
        method: &str,
        address: &str,
        headers: &[(&str, &str)],
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        Arc::clone(&self.app).answer(Peer::Stranger, request).await
    }
}
