//! Hosts that a look met a moment ago: their keys, so that pinning one right after it needs no connection of its own, and the
//! connections, on which the login goes on. Nobody is logged in on them, and the login asks for the pin as on a new one.

use super::connection::Met;
use super::peer::Peer;
use plinth_world::deadlines;
use russh::keys::PublicKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// Connections that may wait for a login. A look at ten thousand nodes is not followed by as many logins at once.
const WAITING: usize = 128;

#[derive(Debug)]
struct Meeting {
    at: Instant,
    key: PublicKey,
    met: Option<Met>,
}

type Meetings = HashMap<String, Meeting>;

/// Meetings by host, however one logs in there.
#[derive(Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Meetings>>);

impl Seen {
    /// It was met now.
    pub(super) fn keep(&self, peer: &Peer, through: Option<&Peer>, met: Met) {
        let (mut meetings, name) = (lock(&self.0), name(peer, through));
        let waiting = meetings.values().filter(|meeting| meeting.met.is_some()).count();
        let key = met.key.clone();
        let met = (waiting < WAITING).then_some(met);
        let at = Instant::now();
        meetings.insert(name.clone(), Meeting { at, key, met });
        tokio::spawn(forget(Arc::downgrade(&self.0), name, at));
    }

    pub(super) fn key(&self, peer: &Peer, through: Option<&Peer>) -> Option<PublicKey> {
        let meetings = lock(&self.0);
        meetings.get(&name(peer, through)).map(|meeting| meeting.key.clone())
    }

    /// The connection to it, once.
    pub(super) fn met(&self, peer: &Peer, through: Option<&Peer>) -> Option<Met> {
        lock(&self.0).get_mut(&name(peer, through))?.met.take()
    }
}

/// Closes what nobody logged in on.
async fn forget(meetings: Weak<Mutex<Meetings>>, name: String, at: Instant) {
    tokio::time::sleep(deadlines::SSH_KEY_SEEN).await;
    let Some(meetings) = meetings.upgrade() else { return };
    let mut meetings = lock(&meetings);
    if meetings.get(&name).is_some_and(|meeting| meeting.at == at) {
        meetings.remove(&name);
    }
}

fn lock(meetings: &Mutex<Meetings>) -> MutexGuard<'_, Meetings> {
    meetings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name(peer: &Peer, through: Option<&Peer>) -> String {
    let host = |peer: &Peer| format!("{} {} {} {}", peer.name, peer.host, peer.port, peer.legacy);
    format!("{} {:?}", host(peer), through.map(host))
}
