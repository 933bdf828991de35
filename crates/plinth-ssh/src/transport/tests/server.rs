//! An SSH server in this process, on loopback: it really runs what it is told, as the user of the test.

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{self, Auth, ChannelOpenHandle, Config, Msg, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, MethodKind, MethodSet};
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{ChildStdin, Command};
use tokio::task::JoinHandle;

pub(super) const PASSWORD: &str = "right password";

/// What the server is like.
#[derive(Clone, Default)]
pub(super) struct Rules {
    /// Ways to log in.
    pub(super) methods: Vec<MethodKind>,
    /// Questions of a keyboard-interactive login, in order; all but the password are answered in vain.
    pub(super) question: &'static str,
    /// Keys that may log in.
    pub(super) authorized: Vec<PublicKey>,
    /// Login shell.
    pub(super) shell: &'static str,
    /// Variables of the login.
    pub(super) variables: Vec<(String, String)>,
}

impl Rules {
    /// A server with passwords and keys.
    pub(super) fn usual() -> Self {
        Self {
            methods: vec![MethodKind::PublicKey, MethodKind::Password],
            question: "Password: ",
            shell: "/bin/sh",
            ..Self::default()
        }
    }
}

/// What happened to the server.
#[derive(Default)]
pub(super) struct Seen {
    /// Connections that were made.
    pub(super) connections: AtomicUsize,
    /// Proofs that were sent, right or wrong.
    pub(super) proofs: AtomicUsize,
    sockets: Mutex<Vec<std::net::TcpStream>>,
}

/// A running server.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) seen: Arc<Seen>,
    listening: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

impl Server {
    pub(super) async fn start(rules: Rules, keys: Vec<PrivateKey>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let methods = MethodSet::from(rules.methods.as_slice());
        let config = Config { keys, methods, auth_rejection_time: Duration::ZERO, nodelay: true, ..Config::default() };
        let seen = Arc::new(Seen::default());
        let listening = tokio::spawn(listen(listener, Arc::new(config), Arc::new(rules), Arc::clone(&seen)));
        Self { address, seen, listening }
    }

    /// Cuts all connections.
    pub(super) fn cut(&self) {
        for socket in self.seen.sockets.lock().unwrap().drain(..) {
            let _already_closed = socket.shutdown(std::net::Shutdown::Both);
        }
    }
}

async fn listen(listener: TcpListener, config: Arc<Config>, rules: Arc<Rules>, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let stream = stream.into_std().unwrap();
        seen.sockets.lock().unwrap().push(stream.try_clone().unwrap());
        let stream = TcpStream::from_std(stream).unwrap();
        let peer = Peer { rules: Arc::clone(&rules), seen: Arc::clone(&seen), channels: HashMap::new() };
        let config = Arc::clone(&config);
        tokio::spawn(async move {
            if let Ok(session) = server::run_stream(config, stream, peer).await {
                let _however_it_ends = session.await;
            }
        });
    }
}

struct Peer {
    rules: Arc<Rules>,
    seen: Arc<Seen>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Peer {
    fn judge(&self, right: bool) -> Auth {
        self.seen.proofs.fetch_add(1, Ordering::SeqCst);
        if right { Auth::Accept } else { Auth::reject() }
    }
}

impl server::Handler for Peer {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.judge(password == PASSWORD))
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let data = key.public_key.key_data().clone();
        Ok(self.judge(self.rules.authorized.iter().any(|known| *known.key_data() == data)))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            let question = (Cow::Borrowed(self.rules.question), false);
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: vec![question].into() });
        };
        let right = response.next().is_some_and(|answer| answer == PASSWORD.as_bytes());
        Ok(self.judge(right))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        let mut there = TcpStream::connect((host, u16::try_from(port).unwrap())).await?;
        reply.accept().await;
        tokio::spawn(async move {
            let _however_it_ends = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut there).await;
        });
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, command: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        session.channel_success(id)?;
        let channel = self.channels.remove(&id).unwrap();
        let command = String::from_utf8(command.to_vec()).unwrap();
        tokio::spawn(serve(channel, command, Arc::clone(&self.rules)));
        Ok(())
    }
}

/// Runs a command as sshd does: its standard input ends when the channel does, and nothing else is done to it.
async fn serve(channel: Channel<Msg>, command: String, rules: Arc<Rules>) {
    let mut child = Command::new(rules.shell)
        .args(["-c", &command])
        .envs(rules.variables.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (read, write) = channel.split();
    let feeding = tokio::spawn(feed(read, child.stdin.take().unwrap()));
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let mut errors = Vec::new();
    let mut block = vec![0; 4096];
    while !feeding.is_finished() {
        match tokio::time::timeout(Duration::from_millis(20), stdout.read(&mut block)).await {
            Err(_) => {}
            Ok(Ok(length)) if length > 0 => {
                if write.data(&block[..length]).await.is_err() {
                    break;
                }
            }
            Ok(_) => break,
        }
    }
    drop(stdout);
    let status = child.wait().await.unwrap();
    let _held_open_by_others = tokio::time::timeout(Duration::from_millis(200), stderr.read_to_end(&mut errors)).await;
    let _gone_with_the_link = write.extended_data(1, errors.as_slice()).await;
    let _gone_with_the_link = write.exit_status(status.code().map_or(255, i32::cast_unsigned)).await;
    let _gone_with_the_link = write.eof().await;
    let _gone_with_the_link = write.close().await;
}

async fn feed(mut read: ChannelReadHalf, mut stdin: ChildStdin) {
    loop {
        match read.wait().await {
            Some(ChannelMsg::Data { data }) => {
                let _it_ended_without_reading = stdin.write_all(&data).await;
            }
            None | Some(ChannelMsg::Eof | ChannelMsg::Close) => return,
            Some(_) => {}
        }
    }
}
