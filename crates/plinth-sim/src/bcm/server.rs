//! The simulated daemon's thread: TLS, HTTP, start and stop.

use super::authority::{Authority, server_config};
use super::daemon::{Daemon, HangUp, Peer, routes};
use super::{BcmFault, BcmFixture, ClientPair, SimAuth, SimBcmError, SimCertificate};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A running simulated BCM. Stops when dropped.
pub struct SimBcm {
    endpoint: String,
    ca_pem: String,
    clients: Authority,
    daemon: Arc<Daemon>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimBcm {
    /// Starts one on a free port of 127.0.0.1, with a good certificate of its own authority.
    ///
    /// # Errors
    /// When no port, thread or certificate can be had.
    pub fn start(fixture: BcmFixture, faults: Vec<BcmFault>, auth: SimAuth) -> Result<Self, SimBcmError> {
        Self::start_with_certificate(fixture, faults, auth, &SimCertificate::default())
    }

    /// Starts one with a certificate that says something else.
    ///
    /// # Errors
    /// When no port, thread or certificate can be had.
    pub fn start_with_certificate(
        fixture: BcmFixture,
        faults: Vec<BcmFault>,
        auth: SimAuth,
        certificate: &SimCertificate,
    ) -> Result<Self, SimBcmError> {
        let authority = Authority::new("simulated BCM")?;
        let clients = Authority::new("simulated BCM clients")?;
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&authority, &clients, certificate)?));
        let (listener, port) = listen().map_err(SimBcmError::of("listening on 127.0.0.1"))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(SimBcmError::of("starting a runtime"))?;
        let daemon = Arc::new(Daemon::new(fixture, faults, auth));
        let router = routes(Arc::clone(&daemon));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("simulated-bcm".to_owned())
            .spawn(move || runtime.block_on(serve(listener, acceptor, router, stopped)))
            .map_err(SimBcmError::of("starting a thread"))?;
        let endpoint = format!("https://127.0.0.1:{port}");
        Ok(Self { endpoint, ca_pem: authority.pem(), clients, daemon, stop: Some(stop), thread: Some(thread) })
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Certificate of the authority that signed the daemon's, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A client certificate that counts as logged in.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn client_pair(&self, name: &str) -> Result<ClientPair, SimBcmError> {
        self.clients.client(name)
    }

    /// Calls so far, in order: `login`, `cmdevice.getNodes`.
    #[must_use]
    pub fn served(&self) -> Vec<String> {
        self.daemon.served()
    }

    /// Requests that no BCM is known to answer; they got HTTP 400 or 404. A test that expects none checks this.
    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        self.daemon.unexpected()
    }
}

impl Drop for SimBcm {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen() -> std::io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Accepts until told to stop. Open connections end with the runtime, which the thread drops right after.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, router: Router, mut stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, acceptor.clone(), router.clone()));
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
) -> std::io::Result<Response<Body>> {
    request.extensions_mut().insert(peer);
    let response = routes.call(request).await.unwrap_or_else(|never| match never {});
    match response.extensions().get::<HangUp>() {
        Some(HangUp) => Err(std::io::Error::other("hung up on purpose")),
        None => Ok(response),
    }
}
