//! Our side of the protocol: which host keys are believed.

use super::hostkeys::Pins;
use russh::client;
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use std::sync::{Arc, Mutex, PoisonError};

/// The key that a peer showed.
pub(super) type Presented = Arc<Mutex<Option<PublicKey>>>;

/// Which host keys are believed.
pub(super) enum Trust {
    /// Pinned ones.
    Pinned(Pins),
    /// The first one that is shown, for a look at it.
    First,
}

/// Our side of the protocol.
pub(super) struct Client {
    trust: Trust,
    presented: Presented,
}

impl Client {
    /// Writes the key that it is shown into `presented`.
    pub(super) fn new(trust: Trust, presented: &Presented) -> Self {
        Self { trust, presented: Arc::clone(presented) }
    }
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let key = key.public_key();
        let mut presented = self.presented.lock().unwrap_or_else(PoisonError::into_inner);
        let proven = match &self.trust {
            Trust::Pinned(pins) => pins.hold(&key),
            Trust::First => presented.as_ref().is_none_or(|first| first.key_data() == key.key_data()),
        };
        *presented = Some(key);
        Ok(proven)
    }
}
