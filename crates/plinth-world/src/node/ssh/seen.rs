//! Host keys that a look saw a moment ago, so that pinning one right after it needs no connection of its own.

use super::peer::Peer;
use russh::keys::PublicKey;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer ago, the node is asked again: a person may have thought about the key meanwhile.
const MOMENT: Duration = Duration::from_secs(30);

/// Keys by peer.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<String, (Instant, PublicKey)>>);

impl Seen {
    /// It was seen now.
    pub(super) fn keep(&self, peer: &Peer, key: &PublicKey) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(format!("{peer:?}"), (Instant::now(), key.clone()));
    }

    /// The key, once.
    pub(super) fn take(&self, peer: &Peer) -> Option<PublicKey> {
        let (at, key) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&format!("{peer:?}"))?;
        (at.elapsed() < MOMENT).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::key::safe_rng;
    use russh::keys::{Algorithm, PrivateKey};

    #[test]
    fn a_key_is_taken_once_and_only_for_its_peer() {
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap().public_key().clone();
        let (peer, seen) = (Peer::example(), Seen::default());
        seen.keep(&peer, &key);
        assert_eq!(seen.take(&Peer { host: "10.0.0.2".to_owned(), ..peer.clone() }), None);
        assert_eq!(seen.take(&peer), Some(key));
        assert_eq!(seen.take(&peer), None);
    }
}
