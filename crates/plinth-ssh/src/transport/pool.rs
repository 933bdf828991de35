//! One connection for each login, opened when first needed and used by all its steps.

use super::connection::Connection;
use super::line::Line;
use super::peer::Peer;
use plinth_model::finding::code;
use plinth_model::steps::Credential;
use plinth_world::{ClientError, ClientResult};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by login.
#[derive(Default)]
pub(super) struct Pool {
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// The place of one connection. Whoever opens it holds the lock, so that others wait for that one.
#[derive(Default)]
pub(super) struct Place {
    content: tokio::sync::Mutex<Content>,
    /// Where sudo was given the password, and no operation runs. One is enough: operations of a node mostly follow each other.
    idle: Mutex<Option<Line>>,
}

#[derive(Default)]
struct Content {
    connection: Option<Arc<Connection>>,
    /// The password was refused: it is not sent again.
    refused: Option<ClientError>,
    /// sudo refused, and may have been sent the password: it is not asked again.
    no_root: Option<ClientError>,
}

impl Pool {
    /// The place of a login.
    pub(super) fn place(&self, peer: &Peer, through: Option<&Peer>) -> Arc<Place> {
        let key = format!("{peer:?} {through:?}");
        Arc::clone(self.places.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }
}

impl Place {
    /// The open connection, or a new one.
    pub(super) async fn connection<F>(&self, peer: &Peer, open: impl FnOnce() -> F) -> ClientResult<Arc<Connection>>
    where
        F: Future<Output = ClientResult<Connection>>,
    {
        let mut content = self.content.lock().await;
        if let Some(refused) = &content.refused {
            return Err(refused.clone());
        }
        if let Some(connection) = content.connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(Arc::clone(connection));
        }
        content.connection = None;
        let opened = open().await.map(Arc::new);
        match &opened {
            Ok(connection) => content.connection = Some(Arc::clone(connection)),
            Err(error) => content.remember(peer, error),
        }
        opened
    }

    /// A line on which sudo needs no proof any more.
    pub(super) async fn line(&self) -> Option<Line> {
        let mut line = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let is_open = self.content.lock().await.connection.as_ref().is_some_and(|connection| connection.is_open());
        (is_open && line.is_ready().await).then_some(line)
    }

    /// Keeps such a line for the next operation, and closes any other.
    pub(super) fn keep(&self, line: Line) {
        if line.is_used() {
            let _closed_if_there_was_one = self.idle.lock().unwrap_or_else(PoisonError::into_inner).replace(line);
        }
    }

    /// Forgets a connection that turned out to be broken.
    pub(super) async fn broken(&self, connection: &Arc<Connection>) {
        let mut content = self.content.lock().await;
        if content.connection.as_ref().is_some_and(|held| Arc::ptr_eq(held, connection)) {
            content.connection = None;
        }
    }

    /// Why this login does not become root, if that is known.
    pub(super) async fn no_root(&self) -> Option<ClientError> {
        self.content.lock().await.no_root.clone()
    }

    /// Remembers a refusal of the password.
    pub(super) async fn refuse(&self, peer: &Peer, error: &ClientError) {
        self.content.lock().await.remember(peer, error);
    }
}

impl Content {
    fn remember(&mut self, peer: &Peer, error: &ClientError) {
        if !matches!(peer.credential, Credential::Password(_)) {
            return;
        }
        let Some(finding) = &error.finding else { return };
        if finding.code == code::NODE_LOGIN_REFUSED {
            self.refused = Some(told_anew(error));
        } else if finding.code == code::NODE_NO_ROOT {
            self.no_root = Some(told_anew(error));
        }
    }
}

/// The error without the operation on which it was met: another one is refused next time.
fn told_anew(error: &ClientError) -> ClientError {
    ClientError { failed_on: None, ..error.clone() }
}
