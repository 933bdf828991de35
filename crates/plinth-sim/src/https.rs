//! A simulated server: TLS and HTTP on loopback, on a thread and a runtime of its own, so that callers on any runtime, or on
//! virtual time, can talk to it.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Whether it showed a client certificate that was accepted.
    pub(crate) certified: bool,
}

/// Marks a response in whose place the connection ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

/// What new connections are shown; an ingress exchanges it while it runs.
type Shown = Arc<Mutex<TlsAcceptor>>;

/// A running server. Stops when dropped.
pub(crate) struct HttpsServer {
    port: u16,
    acceptor: Shown,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpsServer {
    /// Starts one at this address; its port may be 0, for any that is free. Its routes may depend on the port.
    ///
    /// # Errors
    /// When no port, thread or runtime can be had.
    pub(crate) fn start(
        name: &str,
        tls: ServerConfig,
        listen: SocketAddr,
        routes: impl FnOnce(u16) -> Router,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (acceptor, router) = (Arc::new(Mutex::new(TlsAcceptor::from(Arc::new(tls)))), routes(port));
        let shown = Arc::clone(&acceptor);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(serve(listener, shown, router, stopped)))?;
        Ok(Self { port, acceptor, stop: Some(stop), thread: Some(thread) })
    }

    /// New connections are shown this certificate.
    pub(crate) fn show(&self, tls: ServerConfig) {
        *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = TlsAcceptor::from(Arc::new(tls));
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Accepts until told to stop. Open connections end with the runtime, which the thread drops right after.
async fn serve(listener: TcpListener, shown: Shown, router: Router, mut stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let acceptor = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    tokio::spawn(connection(stream, acceptor, router.clone()));
                }
            }
        }
    }
}

/// One connection. A failed handshake and a client that goes away are ordinary.
async fn connection(stream: TcpStream, acceptor: TlsAcceptor, router: Router) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let peer = Peer { certified: stream.get_ref().1.peer_certificates().is_some() };
    let service = service_fn(move |request| exchange(TowerToHyperService::new(router.clone()), peer, request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn exchange(
    routes: TowerToHyperService<Router>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    request.extensions_mut().insert(peer);
    let response = routes.call(request).await.unwrap_or_else(|never| match never {});
    match response.extensions().get::<HangUp>() {
        Some(HangUp) => Err(io::Error::other("hung up on purpose")),
        None => Ok(response),
    }
}
