//! Nodes over SSH: one connection for each login, shared by all steps; each operation is one command and one round trip.

mod algorithms;
mod answers;
mod bootstrap;
mod connection;
mod exec;
mod failure;
pub mod fuzzed;
mod handler;
mod heard;
mod hostkeys;
mod line;
mod login;
mod peer;
mod pool;
mod push;
mod seen;
#[cfg(test)]
mod tests;
mod told;

pub use told::LOGS;

use crate::frame::Frames;
use crate::script::Script;
use algorithms::KeepAlive;
use connection::{Connection, Manner};
use exec::Call;
use hostkeys::{HostKeys, Pins, describe};
use line::Line;
use peer::Peer;
use plinth_model::run::CommandFailure;
use plinth_model::steps::{Credential, Jump, NodeTarget};
use plinth_world::node::{HostKey, HostKeyState};
use plinth_world::seam::Seam;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Context, SystemClock, deadlines};
use pool::{Place, Pool};
use russh::keys::PublicKey;
use seen::Seen;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use told::{CLIENT, Said, Telling};

/// Settings of the SSH client.
#[derive(Clone, Debug)]
pub struct SshConfig {
    /// Handshakes and commands at once, over all nodes.
    pub parallel: usize,
    /// How long a TCP connection may take, and again key exchange and login.
    pub connect: Duration,
    /// Silence after which a peer is asked whether it is there.
    pub keep_alive: Duration,
    /// Unanswered questions after which a connection is given up.
    pub keep_alive_max: usize,
    /// Folder of the pins: `<state>/host-keys`.
    pub host_keys: PathBuf,
    /// Folder of the logs of operations that failed: [`LOGS`] below the state directory.
    pub logs: PathBuf,
    /// The person's known_hosts files; those that are not there are no error.
    pub known_hosts: Vec<PathBuf>,
}

impl SshConfig {
    /// Settings for the site whose state is in this directory, without known_hosts files.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self {
            parallel: 64,
            connect: deadlines::SSH_CONNECT,
            keep_alive: deadlines::SSH_KEEP_ALIVE,
            keep_alive_max: 3,
            host_keys: state_dir.join("host-keys"),
            // It is told to people, who may stand in another folder.
            logs: std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_path_buf()).join(LOGS),
            known_hosts: Vec::new(),
        }
    }

    /// The same; hosts that one of these files knows count as pinned.
    #[must_use]
    pub fn known_hosts(mut self, files: Vec<PathBuf>) -> Self {
        self.known_hosts = files;
        self
    }
}

/// Connections to the nodes of a site. All are closed when it is dropped.
pub struct Ssh {
    manner: Manner,
    room: Semaphore,
    host_keys: HostKeys,
    logs: PathBuf,
    seen: Seen,
    secrets: Arc<dyn Secrets>,
    pool: Pool,
}

impl Ssh {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(config: SshConfig, secrets: Arc<dyn Secrets>) -> Self {
        let keep_alive = KeepAlive { interval: config.keep_alive, max: config.keep_alive_max };
        Self {
            manner: Manner { deadline: config.connect, keep_alive },
            room: Semaphore::new(config.parallel.max(1)),
            host_keys: HostKeys::new(config.host_keys, config.known_hosts),
            logs: config.logs,
            seen: Seen::default(),
            secrets,
            pool: Pool::default(),
        }
    }

    /// Runs an operation. Progress that it reports goes to the context. When this future is dropped, or the operation's deadline
    /// passes, what it runs on the node is ended.
    ///
    /// # Errors
    /// Transient when the node is not reached, or the connection or the output is lost; permanent when the node proves to be
    /// another one, refuses the login, or the operation itself says that it failed.
    pub async fn run(&self, ctx: &Context, target: &NodeTarget, script: &Script) -> ClientResult<Frames> {
        let command = told::command(target, told::shell(script), script.name());
        let _room = self.room().await;
        let seam = Seam::program(CLIENT, || command.clone());
        let result = self.run_in_room(ctx, target, script, &command).await;
        seam.end_of(&result);
        result.map_err(|error| told::asked(error, &command))
    }

    async fn run_in_room(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        script: &Script,
        command: &str,
    ) -> ClientResult<Frames> {
        let peer = Peer::node(target);
        let password = self.sudo_password(&peer, script)?;
        let place = self.place(&peer, target);
        if script.is_root()
            && let Some(error) = place.no_root().await
        {
            return Err(error);
        }
        let (secrets, telling) = (&*self.secrets, self.telling(ctx, target));
        let call = Call { ctx, peer: &peer, script, password: password.as_ref(), secrets, command, telling };
        let idle = if password.is_some() { place.line().await } else { None };
        let mut line = match idle {
            Some(line) => line,
            None => self.line(&peer, target, &place, script.name()).await?,
        };
        let result = call.run(&mut line).await;
        place.keep(line);
        if let Err(error) = &result {
            place.refuse(&peer, error).await;
        }
        result
    }

    /// The key that a node shows now, and the pinned one.
    ///
    /// # Errors
    /// When the node is not reached or does not speak SSH. A key that differs from the pinned one is no error.
    pub async fn host_key(&self, _ctx: &Context, target: &NodeTarget) -> ClientResult<HostKeyState> {
        let (presented, pins) = self.presented(&Peer::node(target), target).await?;
        Ok(HostKeyState { presented: describe(&presented), pinned: pins.beside(&presented) })
    }

    /// Pins a key on first contact. The key that a look of ours saw a moment ago is taken as shown now, without another connection:
    /// a node that changed it in between proves nothing by it, and is stopped at the login.
    ///
    /// # Errors
    /// When another key is pinned, when the node does not show this one, or when the pin cannot be written.
    pub async fn pin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        let peer = Peer::node(target);
        let jump = target.jump.as_ref().map(Peer::jump);
        let (presented, pins) = match self.seen.key(&peer, jump.as_ref()) {
            Some(presented) => (presented, self.pins(&peer)?),
            None => self.presented(&peer, target).await?,
        };
        if pins.revoke(&presented) {
            let happened =
                format!("its host key {} is revoked in a known_hosts file", describe(&presented).fingerprint);
            let attempt = "give the host a new key, or remove the @revoked line if it is a mistake";
            return Err(failure::permanent("pinning the host key", &peer, happened, attempt));
        }
        if !pins.keys.is_empty() && !pins.hold(&presented) {
            return Err(failure::host_key(&peer, &pins, &presented));
        }
        self.pin(ctx, &peer, key, &presented, "accepted on first contact")
    }

    /// Pins a key whatever was pinned before.
    ///
    /// # Errors
    /// When the node does not show this key, or when the pin cannot be written.
    pub async fn repin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        let peer = Peer::node(target);
        let (presented, _) = self.presented(&peer, target).await?;
        self.pin(ctx, &peer, key, &presented, "accepted by a person in place of any other")
    }

    /// All pins as one known_hosts text, for programs that plinth runs.
    ///
    /// # Errors
    /// When a pin cannot be read.
    pub fn known_hosts(&self) -> std::io::Result<String> {
        self.host_keys.text()
    }

    /// What proves these hosts and the hosts in between, and nothing else, as a known_hosts text.
    ///
    /// # Errors
    /// When a pin cannot be read.
    pub fn pinned(&self, targets: &[NodeTarget]) -> std::io::Result<String> {
        let peers = targets
            .iter()
            .flat_map(|target| std::iter::once(Peer::node(target)).chain(target.jump.as_ref().map(Peer::jump)));
        let mut lines = std::collections::BTreeSet::new();
        for peer in peers {
            lines.extend(self.host_keys.lines(&peer)?);
        }
        Ok(lines.into_iter().collect())
    }

    /// The failure of an operation that ended well, with answers that cannot be understood or say that it did not do its work.
    pub(crate) fn unanswered(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        script: &Script,
        frames: &Frames,
    ) -> CommandFailure {
        let lines: Vec<String> = frames.iter().map(|frame| format!("{} {}", frame.key, frame.value)).collect();
        let said = Said { out: self.secrets.redact(&lines.join("\n")), errors: String::new() };
        let command = told::command(target, told::shell(script), script.name());
        self.telling(ctx, target).failure(&command, Some(0), &said)
    }

    fn telling<'a>(&'a self, ctx: &'a Context, target: &'a NodeTarget) -> Telling<'a> {
        Telling { ctx, target, logs: &self.logs, secrets: &*self.secrets }
    }

    async fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.room.acquire().await.ok()
    }

    fn place(&self, peer: &Peer, target: &NodeTarget) -> Arc<Place> {
        self.pool.place(peer, target.jump.as_ref().map(Peer::jump).as_ref())
    }

    fn sudo_password(&self, peer: &Peer, script: &Script) -> ClientResult<Option<plinth_model::Secret>> {
        match &peer.credential {
            Credential::Password(reference) if script.is_root() && peer.user != "root" => {
                login::secret(peer, &*self.secrets, reference).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A new channel; a connection that was lost meanwhile is opened again once, since nothing was sent yet.
    async fn line(&self, peer: &Peer, target: &NodeTarget, place: &Place, doing: &str) -> ClientResult<Line> {
        let mut again = true;
        loop {
            let through = self.through(target).await?;
            let connection = place.connection(peer, || self.connect(peer, target.jump.as_ref(), through)).await?;
            let room = Arc::clone(&connection.room).acquire_owned().await.ok();
            let error = match timeout(self.manner.deadline, connection.handle.channel_open_session()).await {
                Ok(Ok(channel)) => return Ok(Line::new(channel, room)),
                Ok(Err(error)) => error,
                Err(_) => russh::Error::ConnectionTimeout,
            };
            if failure::is_loss(&error) {
                place.broken(&connection).await;
            }
            if !again || !failure::is_loss(&error) {
                return Err(failure::no_channel(doing, peer, &error));
            }
            again = false;
        }
    }

    async fn through(&self, target: &NodeTarget) -> ClientResult<Option<Arc<Connection>>> {
        let Some(jump) = &target.jump else { return Ok(None) };
        let peer = Peer::jump(jump);
        self.meet(&peer).await?;
        let place = self.pool.place(&peer, None);
        place.connection(&peer, || self.connect(&peer, None, None)).await.map(Some)
    }

    /// Pins the key of a host in between on first contact; a node's own key is pinned by a step of its own.
    async fn meet(&self, peer: &Peer) -> ClientResult<()> {
        let pins = self.pins(peer)?;
        if !pins.keys.is_empty() {
            return Ok(());
        }
        let met = connection::look(peer, &pins, self.manner, None).await?;
        self.host_keys
            .pin(peer, &met.key, "accepted on first contact, a host in between", &SystemClock::new())
            .map_err(|error| {
                failure::permanent("pinning the host key", peer, error.to_string(), "make the state directory writable")
            })?;
        self.seen.keep(peer, None, met);
        Ok(())
    }

    async fn connect(
        &self,
        peer: &Peer,
        jump: Option<&Jump>,
        through: Option<Arc<Connection>>,
    ) -> ClientResult<Connection> {
        let pins = self.pins(peer)?;
        let met = self.seen.met(peer, jump.map(Peer::jump).as_ref());
        connection::connect(peer, &pins, self.manner, through, met, &*self.secrets).await
    }

    async fn presented(&self, peer: &Peer, target: &NodeTarget) -> ClientResult<(PublicKey, Pins)> {
        let _room = self.room().await;
        let command = told::command(target, told::NOTHING, "reading the host key");
        self.presented_in_room(peer, target).await.map_err(|error| told::asked(error, &command))
    }

    async fn presented_in_room(&self, peer: &Peer, target: &NodeTarget) -> ClientResult<(PublicKey, Pins)> {
        let pins = self.pins(peer)?;
        let through = self.through(target).await?;
        let met = connection::look(peer, &pins, self.manner, through).await?;
        let key = met.key.clone();
        self.seen.keep(peer, target.jump.as_ref().map(Peer::jump).as_ref(), met);
        Ok((key, pins))
    }

    fn pins(&self, peer: &Peer) -> ClientResult<Pins> {
        self.host_keys.pins(peer).map_err(|error| {
            let attempt = match error.kind() {
                std::io::ErrorKind::InvalidData => format!(
                    "put the file back from a backup; or remove it, compare the key that `plinth trust {}` shows with the one on \
                     the host's console, and pin it",
                    peer.name
                ),
                _ => "look at the state directory's host-keys and at ~/.ssh/known_hosts".to_owned(),
            };
            failure::permanent("reading the pinned host key", peer, error.to_string(), attempt)
        })
    }

    fn pin(&self, ctx: &Context, peer: &Peer, wanted: &HostKey, presented: &PublicKey, why: &str) -> ClientResult<()> {
        let shown = describe(presented);
        if shown != *wanted {
            let happened =
                format!("it shows {} {} now, not {}", shown.algorithm, shown.fingerprint, wanted.fingerprint);
            return Err(failure::permanent(
                "pinning the host key",
                peer,
                happened,
                "look at both fingerprints and decide again",
            ));
        }
        self.host_keys.pin(peer, presented, why, &**ctx.clock()).map_err(|error| {
            failure::permanent("pinning the host key", peer, error.to_string(), "make the state directory writable")
        })
    }
}
