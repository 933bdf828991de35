//! A simulated server of files over real TLS, such as a repository of charts; what goes wrong with it is data.

use crate::bcm::SimCertificate;
use crate::bcm::authority::{Authority, server_config};
use crate::https::HttpsServer;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use futures::StreamExt as _;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pieces in which a slow file comes.
const PIECES: usize = 8;

/// What goes wrong with every file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// It comes in pieces, with so many milliseconds of real time between two of them.
    Slow {
        /// Milliseconds.
        millis: u64,
    },
    /// The connection ends in the middle of the announced length.
    Truncated,
    /// One byte of it is another.
    Changed,
    /// There is no such file.
    Gone,
}

/// The server cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("simulated server of files: {0}")]
pub struct FileServerError(String);

/// A running server of files. Stops when dropped.
pub struct FileServer {
    held: Arc<Mutex<Held>>,
    ca_pem: String,
    _server: HttpsServer,
}

#[derive(Default)]
struct Held {
    files: BTreeMap<String, Vec<u8>>,
    /// Files whose name ends so are struck.
    fault: Option<(String, FileFault)>,
    served: Vec<String>,
}

impl FileServer {
    /// Starts one with these files, by their paths (`/charts/index.yaml`), and a certificate of an authority of its own for this name.
    ///
    /// # Errors
    /// When no port, thread or certificate can be had.
    pub fn start(name: &str, listen: SocketAddr, files: BTreeMap<String, Vec<u8>>) -> Result<Self, FileServerError> {
        let failed = |error: &dyn std::fmt::Display| FileServerError(error.to_string());
        let authority = Authority::new("simulated server of files").map_err(|error| failed(&error))?;
        let certificate = SimCertificate { names: vec![name.to_owned()], expired: false };
        let tls = server_config(&authority, &authority, &certificate).map_err(|error| failed(&error))?;
        let held = Arc::new(Mutex::new(Held { files, ..Held::default() }));
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&held));
        let server = HttpsServer::start("simulated-files", tls, listen, |_| routes).map_err(|error| failed(&error))?;
        Ok(Self { held, ca_pem: authority.pem(), _server: server })
    }

    /// Certificate of the authority that signed its own, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// From now on this goes wrong with files whose path ends so; none: nothing does.
    pub fn fail(&self, fault: Option<(&str, FileFault)>) {
        held(&self.held).fault = fault.map(|(end, fault)| (end.to_owned(), fault));
    }

    /// Paths that were asked for since the last question.
    pub fn served(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.held).served)
    }
}

/// A poisoned lock still holds good data: nothing here leaves it half changed.
fn held(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(state): State<Arc<Mutex<Held>>>, uri: Uri) -> Response {
    let (found, fault) = {
        let mut held = held(&state);
        held.served.push(uri.path().to_owned());
        let fault = held.fault.clone().filter(|(end, _)| uri.path().ends_with(end)).map(|(_, fault)| fault);
        (held.files.get(uri.path()).cloned(), fault)
    };
    match (found, fault) {
        (None, _) | (_, Some(FileFault::Gone)) => response(StatusCode::NOT_FOUND, 0, Body::empty()),
        (Some(bytes), None) => response(StatusCode::OK, bytes.len(), Body::from(bytes)),
        (Some(mut bytes), Some(FileFault::Changed)) => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            response(StatusCode::OK, bytes.len(), Body::from(bytes))
        }
        (Some(bytes), Some(FileFault::Truncated)) => {
            let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
            let parts = [Ok(half), Err(std::io::Error::other("broken off on purpose"))];
            response(StatusCode::OK, bytes.len(), Body::from_stream(futures::stream::iter(parts)))
        }
        (Some(bytes), Some(FileFault::Slow { millis })) => {
            let pieces = bytes.chunks(bytes.len().div_ceil(PIECES).max(1)).map(Bytes::copy_from_slice);
            let pieces = futures::stream::iter(pieces.collect::<Vec<_>>()).then(move |piece| async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok::<_, std::io::Error>(piece)
            });
            response(StatusCode::OK, bytes.len(), Body::from_stream(pieces))
        }
    }
}

fn response(status: StatusCode, length: usize, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    response
}
