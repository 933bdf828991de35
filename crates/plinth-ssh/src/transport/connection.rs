//! One connection: key exchange, the host's key, the login.

use super::algorithms::{KeepAlive, settings};
use super::failure;
use super::handler::{Client, Presented, Trust};
use super::heard::{Heard, Listening};
use super::hostkeys::Pins;
use super::login::login;
use super::peer::Peer;
use super::told::CLIENT;
use plinth_world::ClientResult;
use plinth_world::seam::Seam;
use plinth_world::secrets::Secrets;
use russh::client::{self, Handle};
use russh::keys::PublicKey;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Commands that run on one connection at once. sshd allows ten by default (MaxSessions), and a person's own login may share
/// nothing with us, so two are left.
const CHANNELS: usize = 8;

/// How to connect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// For the TCP connection, and again for key exchange and login.
    pub(super) deadline: Duration,
    /// Questions to a silent peer.
    pub(super) keep_alive: KeepAlive,
}

/// A connection on which we are logged in.
pub(super) struct Connection {
    /// The protocol.
    pub(super) handle: Handle<Client>,
    /// Room for commands.
    pub(super) room: Arc<Semaphore>,
    /// The connection that this one goes through lives as long.
    through: Option<Arc<Connection>>,
}

impl Connection {
    /// Whether commands can still be sent.
    pub(super) fn is_open(&self) -> bool {
        !self.handle.is_closed() && self.through.as_ref().is_none_or(|through| through.is_open())
    }
}

/// A host that was met: keys are exchanged, nobody is logged in.
pub(super) struct Met {
    handle: Handle<Client>,
    /// The key that it showed. It may not show another one on this connection.
    pub(super) key: PublicKey,
    through: Option<Arc<Connection>>,
}

impl std::fmt::Debug for Met {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Met").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Met {
    /// Whether a login can go on here: it is there still, and it proved to be the pinned host.
    pub(super) fn is_good(&self, pins: &Pins) -> bool {
        let open = self.through.as_ref().is_none_or(|through| through.is_open());
        open && !self.handle.is_closed() && pins.hold(&self.key)
    }
}

/// Connects, or goes on where a look stopped, and logs in.
pub(super) async fn connect(
    peer: &Peer,
    pins: &Pins,
    manner: Manner,
    through: Option<Arc<Connection>>,
    met: Option<Met>,
    secrets: &dyn Secrets,
) -> ClientResult<Connection> {
    let heard = Heard::default();
    let entering = async {
        let (mut handle, through) = match met.filter(|met| met.is_good(pins)) {
            Some(met) => (met.handle, met.through),
            None => {
                let shaken = match dial(peer, manner, through.as_deref()).await? {
                    Line::Tcp(stream) => shake(stream, peer, pins, manner, &heard).await,
                    Line::Channel(stream) => shake(*stream, peer, pins, manner, &heard).await,
                };
                (shaken.map_err(|refusal| refusal.error(peer, pins, &heard))?, through)
            }
        };
        let seam = Seam::begin(CLIENT, || format!("logging in to {peer}"));
        let entered = login(&mut handle, peer, secrets).await;
        seam.end_of(&entered);
        entered?;
        Ok((handle, through))
    };
    let (handle, through) =
        timeout(manner.deadline * 2, entering).await.map_err(|_| failure::late(peer, &heard, manner.deadline))??;
    Ok(Connection { handle, room: Arc::new(Semaphore::new(CHANNELS)), through })
}

/// Connects only to see the host's key; it need not be pinned.
pub(super) async fn look(
    peer: &Peer,
    pins: &Pins,
    manner: Manner,
    through: Option<Arc<Connection>>,
) -> ClientResult<Met> {
    let (heard, presented) = (Heard::default(), Presented::default());
    let looking = async {
        let client = Client::new(Trust::First, &presented);
        let handle = match dial(peer, manner, through.as_deref()).await? {
            Line::Tcp(stream) => exchange(stream, peer, client, &pins.keys, manner, &heard).await,
            Line::Channel(stream) => exchange(*stream, peer, client, &pins.keys, manner, &heard).await,
        };
        handle.map_err(|error| failure::handshake(peer, &error, &heard))
    };
    let handle =
        timeout(manner.deadline * 2, looking).await.map_err(|_| failure::late(peer, &heard, manner.deadline))??;
    let key = presented.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let no_key = || failure::permanent("connecting", peer, "it showed no host key", "look at sshd's log on that host");
    Ok(Met { handle, key: key.ok_or_else(no_key)?, through })
}

/// What the protocol runs on.
enum Line {
    Tcp(TcpStream),
    Channel(Box<russh::ChannelStream<client::Msg>>),
}

async fn dial(peer: &Peer, manner: Manner, through: Option<&Connection>) -> ClientResult<Line> {
    let way = if through.is_some() { " through the host in between" } else { "" };
    let seam = Seam::begin(CLIENT, || format!("connecting to {peer}{way}"));
    let line = dialled(peer, manner, through).await;
    seam.end_of(&line);
    line
}

async fn dialled(peer: &Peer, manner: Manner, through: Option<&Connection>) -> ClientResult<Line> {
    let Some(jump) = through else {
        let stream = timeout(manner.deadline, TcpStream::connect((peer.host.as_str(), peer.port)))
            .await
            .map_err(|_| failure::unreachable_in_time(peer, manner.deadline))?
            .map_err(|error| failure::unreachable(peer, &error))?;
        // Without it, every small message waits for the answer to the one before. It can only fail on a dead socket.
        let _dead_sockets_are_noticed_by_reading = stream.set_nodelay(true);
        return Ok(Line::Tcp(stream));
    };
    let opened = timeout(
        manner.deadline,
        jump.handle.channel_open_direct_tcpip(&peer.host, u32::from(peer.port), "127.0.0.1", 0),
    );
    match opened.await {
        Err(_) => Err(failure::unreachable_in_time(peer, manner.deadline)),
        Ok(Ok(channel)) => Ok(Line::Channel(Box::new(channel.into_stream()))),
        Ok(Err(error)) => Err(failure::not_through(peer, &error)),
    }
}

/// Why a key exchange was given up.
struct Refusal {
    error: russh::Error,
    presented: Option<PublicKey>,
}

impl Refusal {
    fn error(&self, peer: &Peer, pins: &Pins, heard: &Heard) -> plinth_world::ClientError {
        match (&self.error, &self.presented) {
            (russh::Error::UnknownKey, Some(key)) => failure::host_key(peer, pins, key),
            (error, _) => failure::handshake(peer, error, heard),
        }
    }
}

async fn shake<S>(stream: S, peer: &Peer, pins: &Pins, manner: Manner, heard: &Heard) -> Result<Handle<Client>, Refusal>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let presented = Presented::default();
    let client = Client::new(Trust::Pinned(pins.clone()), &presented);
    exchange(stream, peer, client, &pins.keys, manner, heard)
        .await
        .map_err(|error| Refusal { error, presented: presented.lock().unwrap_or_else(PoisonError::into_inner).take() })
}

/// The exchange of keys. Algorithms of the keys in `order` come first.
async fn exchange<S>(
    stream: S,
    peer: &Peer,
    client: Client,
    order: &[PublicKey],
    manner: Manner,
    heard: &Heard,
) -> Result<Handle<Client>, russh::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = Arc::new(settings(order, peer.legacy, manner.keep_alive));
    let seam = Seam::begin(CLIENT, || format!("exchanging keys with {peer}, and its host key"));
    let handle = client::connect_stream(config, Listening::new(stream, heard.clone()), client).await;
    seam.end_of(&handle);
    handle
}

/// Meets a server whose key is not known; answers nothing but a verdict.
pub(super) async fn greeted<S>(stream: S, peer: &Peer, manner: Manner) -> ClientResult<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (heard, pins) = (Heard::default(), Pins::default());
    match timeout(manner.deadline, shake(stream, peer, &pins, manner, &heard)).await {
        Err(_) => Err(failure::late(peer, &heard, manner.deadline)),
        Ok(Err(refusal)) => Err(refusal.error(peer, &pins, &heard)),
        Ok(Ok(_)) => Ok(()),
    }
}
