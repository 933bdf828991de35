//! Sockets: where the page is served, and the end of it.

mod socket;

use self::socket::{OwnSocket, own_user};
use crate::access::{Guard, Peer, Token, host_name};
use crate::app::App;
use crate::live::Tail;
use crate::runs::Runs;
use crate::source::Source;
use crate::tls::{self, TlsFiles};
use crate::wire::{STALLED, WriteDeadline};
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use plinth_model::Problem;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Connections at once: more are let wait, so that nobody can use up the files of this process.
const CONNECTIONS: usize = 512;
/// A request has to be there after so long, and a handshake.
const REQUEST: Duration = Duration::from_secs(15);
/// At the end, what is being sent is waited for so long.
const LAST: Duration = Duration::from_secs(2);
/// After an error of the listener, such as too many open files.
const AGAIN: Duration = Duration::from_millis(200);

/// Where it listens.
#[derive(Clone, Debug)]
pub enum Listen {
    /// An address; port 0 is any that is free.
    Address(SocketAddr),
    /// A socket in the file system that only its owner may use.
    Socket(PathBuf),
}

/// How it is served.
pub struct Options {
    /// Where.
    pub listen: Listen,
    /// Names of this machine that readers may use, beside those of loopback; beyond loopback the first stands in the link.
    pub hosts: Vec<String>,
    /// Lets readers in.
    pub token: Token,
    /// TLS; needed for every address but loopback.
    pub tls: Option<TlsFiles>,
}

enum Listener {
    Tcp(TcpListener, Option<TlsAcceptor>),
    Unix(OwnSocket),
}

/// A page that is about to be served.
pub struct Server {
    app: Arc<App>,
    listener: Listener,
    stop: watch::Sender<bool>,
    link: String,
    tail: Tail,
}

impl Server {
    /// Opens the socket. Must be called inside a runtime of tokio.
    ///
    /// # Errors
    /// When the address is not ours, is taken, or would show the page to others without TLS.
    pub async fn open(options: Options, source: impl Source) -> Result<Self, Problem> {
        let Options { listen, mut hosts, token, tls } = options;
        let (listener, link, port) = match &listen {
            Listen::Address(address) => {
                let (listener, address) = tcp(*address, tls.as_ref(), &hosts).await?;
                let (scheme, host) = (if tls.is_some() { "https" } else { "http" }, host_of(address, &hosts));
                hosts.push(address.ip().to_string());
                (listener, format!("{scheme}://{host}/?token={}", token.expose()), address.port())
            }
            Listen::Socket(path) => (Listener::Unix(OwnSocket::open(path).await?), path.display().to_string(), 0),
        };
        let guard = Guard::new(token, &hosts, (port, tls.is_some()));
        let (stop, stopped) = watch::channel(false);
        let runs = Arc::new(Runs::new(Arc::new(source)));
        let tail = Tail::start(Arc::clone(&runs)).map_err(|error| {
            Problem::while_doing("serving the page")
                .wrong_input(error)
                .try_this("raise the limit on threads (`ulimit -u`)")
        })?;
        let app = Arc::new(App::new(runs, guard, stopped));
        Ok(Self { app, listener, stop, link, tail })
    }

    /// The link with the token, or the path of the socket.
    #[must_use]
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Serves until that future is ready, then ends every stream and lets what is being sent come to its end.
    pub async fn serve(self, end: impl Future<Output = ()>) {
        let Self { app, listener, stop, tail, .. } = self;
        let (room, mut open) = (Arc::new(Semaphore::new(CONNECTIONS)), JoinSet::new());
        let mut end = std::pin::pin!(end);
        loop {
            // Those that ended are forgotten as others come.
            while open.try_join_next().is_some() {}
            let next = async {
                let place = Arc::clone(&room).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut end => break,
                next = next => next,
            };
            let Ok(accepted) = accepted else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            let (app, stopped) = (Arc::clone(&app), app.stop.clone());
            open.spawn(async move {
                accepted.talk(app, stopped).await;
                drop(place);
            });
        }
        stop.send_replace(true);
        let all = async { while open.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST, all).await;
        open.abort_all();
        drop(listener);
        // Its thread may wait for a disk that hangs: then it is left behind.
        let _ = tokio::time::timeout(LAST, tail.over()).await;
    }
}

/// Somebody who connected.
enum Accepted {
    Tcp(tokio::net::TcpStream, Option<TlsAcceptor>),
    Unix(tokio::net::UnixStream),
}

impl Listener {
    async fn accept(&self) -> std::io::Result<Accepted> {
        match self {
            Self::Tcp(listener, tls) => Ok(Accepted::Tcp(listener.accept().await?.0, tls.clone())),
            Self::Unix(socket) => Ok(Accepted::Unix(socket.accept().await?)),
        }
    }
}

impl Accepted {
    async fn talk(self, app: Arc<App>, stopped: watch::Receiver<bool>) {
        match self {
            Self::Tcp(stream, tls) => {
                let _ = stream.set_nodelay(true);
                let Some(tls) = tls else { return talk(stream, Peer::Stranger, app, stopped).await };
                let Ok(Ok(stream)) = tokio::time::timeout(REQUEST, tls.accept(stream)).await else { return };
                let certified = stream.get_ref().1.peer_certificates().is_some();
                let peer = if certified { Peer::Certified } else { Peer::Stranger };
                talk(stream, peer, app, stopped).await;
            }
            // The mode of the file keeps others out; this does, should somebody have come between its making and its mode.
            Self::Unix(stream) => {
                let ours = stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own_user());
                if ours {
                    talk(stream, Peer::Owner, app, stopped).await;
                }
            }
        }
    }
}

/// Talks HTTP over one connection until it ends, or the server does.
async fn talk<S>(stream: S, peer: Peer, app: Arc<App>, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.answer(peer, request.map(Body::new)).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST).max_buf_size(64 * 1024);
    let connection = builder.serve_connection(TokioIo::new(WriteDeadline::new(stream, STALLED)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        _ = connection.as_mut() => true,
        _ = stopped.wait_for(|stop| *stop) => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// The host of the link: loopback is reached at its address, everything else under the name that readers have for it.
fn host_of(address: SocketAddr, hosts: &[String]) -> String {
    let named = hosts.first().filter(|_| !address.ip().is_loopback());
    named.map_or_else(|| address.to_string(), |name| format!("{}:{}", host_name(name), address.port()))
}

async fn tcp(
    address: SocketAddr,
    files: Option<&TlsFiles>,
    hosts: &[String],
) -> Result<(Listener, SocketAddr), Problem> {
    let failed = |error: String| {
        Problem::while_doing("serving the page at")
            .to(address)
            .wrong_input(error)
            .try_this("choose another address; port 0 is any that is free")
    };
    if files.is_none() && !address.ip().is_loopback() {
        return Err(failed("others could read along there: it is not loopback, and there is no TLS".to_owned())
            .try_this("give `--tls-cert` and `--tls-key`, or stay on 127.0.0.1 and come through `ssh -L`"));
    }
    if address.ip().is_unspecified() && hosts.is_empty() {
        return Err(failed("that is every address of this machine, and none that a reader could open".to_owned())
            .try_this("give the name that readers use with `--host`, or one address of this machine"));
    }
    let acceptor = files.map(tls::config).transpose()?.map(TlsAcceptor::from);
    let listener = TcpListener::bind(address).await.map_err(|error| failed(error.to_string()))?;
    let bound = listener.local_addr().map_err(|error| failed(error.to_string()))?;
    Ok((Listener::Tcp(listener, acceptor), bound))
}
