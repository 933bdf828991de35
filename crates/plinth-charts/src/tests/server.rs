//! A server with TLS whose answers a test decides.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Path with query.
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
}

/// How far the server sends what it announced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sends {
    All,
    /// So many bytes, then the connection ends.
    Cut(usize),
    /// So many bytes, then nothing more for a long time.
    Stalls(usize),
    /// One byte after the other, for ever.
    Drips,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) sends: Sends,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), sends: Sends::All }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::ok("no") }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn to(address: impl Into<String>) -> Self {
        Self::status(302).header("Location", address)
    }

    pub(crate) fn sending(mut self, sends: Sends) -> Self {
        self.sends = sends;
        self
    }
}

struct Authority {
    roots: RootCertStore,
    config: Arc<ServerConfig>,
}

/// One authority and one certificate for all servers of these tests.
fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&leaf_key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der())),
            )
            .unwrap();
        Authority { roots, config: Arc::new(config) }
    })
}

/// Whom a client has to believe.
pub(crate) fn roots() -> RootCertStore {
    authority().roots.clone()
}

/// A server on a port of its own.
pub(crate) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Over TLS.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(answer, true).await
    }

    pub(crate) async fn in_clear(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(answer, false).await
    }

    async fn listen(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static, tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let (list, acceptor) = (Arc::clone(&seen), TlsAcceptor::from(Arc::clone(&authority().config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (list, answer, acceptor) = (Arc::clone(&list), Arc::clone(&answer), acceptor.clone());
                tokio::spawn(async move {
                    if !tls {
                        serve(stream, &list, &*answer).await;
                    } else if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, &list, &*answer).await;
                    }
                });
            }
        });
        Self { port, seen }
    }

    /// Its address by name.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Host and port.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Paths that were asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.path.clone()).collect()
    }

    /// What was shown, in order.
    pub(crate) fn shown(&self) -> Vec<Option<String>> {
        self.seen.lock().unwrap().iter().map(|request| request.authorization.clone()).collect()
    }

    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
) {
    let (mut text, mut piece) = (Vec::new(), [0; 1024]);
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            // A greeting of TLS, which a server that speaks none takes for a broken request.
            Ok(read) if read > 0 && piece[0] == 0x16 && text.is_empty() => {
                let _the_client_may_be_gone = stream.write_all(b"HTTP/1.1 400 X\r\n\r\n").await;
                return;
            }
            Ok(read) if read > 0 => text.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    let text = String::from_utf8(text).unwrap();
    let header = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let path = text.split_whitespace().nth(1).unwrap().to_owned();
    let request = Request { path, authorization: header("authorization") };
    let reply = answer(&request);
    seen.lock().unwrap().push(request);
    let mut head =
        format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let _the_client_may_be_gone = send(stream, &head, &reply).await;
}

async fn send(mut stream: impl AsyncWrite + Unpin, head: &str, reply: &Reply) -> std::io::Result<()> {
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    match reply.sends {
        Sends::All => stream.write_all(&reply.body).await?,
        Sends::Cut(bytes) => stream.write_all(&reply.body[..bytes]).await?,
        Sends::Stalls(bytes) => {
            stream.write_all(&reply.body[..bytes]).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        Sends::Drips => {
            for byte in reply.body.iter().cycle() {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    stream.shutdown().await
}
