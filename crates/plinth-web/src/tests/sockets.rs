//! Over real sockets: loopback, a file of mode 0600, TLS; and the end of the server.

use super::script::{Scripted, run};
use crate::{Listen, Options, Server, TlsFiles, Token};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that runs.
struct Running {
    link: String,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

const TOKEN: &str = "a-token-that-is-long-enough";

fn scripted() -> Arc<Scripted> {
    let source = Scripted::of(run("x")[..6].to_vec());
    source.held("run-1", true);
    source
}

async fn start(listen: Listen, tls: Option<TlsFiles>) -> Running {
    start_of(scripted(), listen, tls).await
}

async fn start_of(source: Arc<Scripted>, listen: Listen, tls: Option<TlsFiles>) -> Running {
    let options = Options { listen, hosts: vec!["page.example".into()], token: Token::given(TOKEN).unwrap(), tls };
    let server = Server::open(options, source).await.unwrap();
    let (link, (end, ended)) = (server.link().to_owned(), oneshot::channel());
    let served = tokio::spawn(server.serve(async move { drop(ended.await) }));
    Running { link, end, served }
}

fn loopback() -> Listen {
    Listen::Address("127.0.0.1:0".parse().unwrap())
}

impl Running {
    fn address(&self) -> String {
        self.link.split("://").nth(1).unwrap().split('/').next().unwrap().to_owned()
    }

    /// Ends it; answers how long that took.
    async fn stop(self) -> Duration {
        let began = Instant::now();
        self.end.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), self.served).await.unwrap().unwrap();
        began.elapsed()
    }
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), host: &str, path: &str, more: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A peer that closes without a farewell is a peer that closed.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_link_opens_and_open_streams_do_not_hold_the_end() {
    let server = start(loopback(), None).await;
    let address = server.address();
    assert!(server.link.ends_with(&format!("/?token={TOKEN}")));
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let answer = ask(&mut stream, &address, &format!("/?token={TOKEN}"), "").await;
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("location: /\r\n"), "{answer}");
    let mut follower = TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /r/run-1/live HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    follower.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 512];
    let read = follower.read(&mut first).await.unwrap();
    assert!(String::from_utf8_lossy(&first[..read]).starts_with("HTTP/1.1 200"));
    // One that never asks for anything.
    let _silent = TcpStream::connect(&address).await.unwrap();
    assert!(server.stop().await < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_in_a_file_is_ours_alone_and_needs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.sock");
    let server = start(Listen::Socket(path.clone()), None).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let answer = ask(&mut stream, "localhost:8080", "/r/run-1.txt", "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("nodes/account"), "{answer}");
    let options = |path: &Path| Options {
        listen: Listen::Socket(path.to_owned()),
        hosts: Vec::new(),
        token: Token::given(TOKEN).unwrap(),
        tls: None,
    };
    let taken = Server::open(options(&path), Scripted::of(run("x"))).await;
    assert!(taken.is_err_and(|problem| problem.happened.contains("already")));
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(Server::open(options(&file), Scripted::of(run("x"))).await.is_err(), "no file is taken away");
    server.stop().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_socket_of_ours_that_nobody_serves_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let (left, other) = (folder.path().join("left.sock"), folder.path().join("other.sock"));
    drop(std::os::unix::net::UnixListener::bind(&left).unwrap());
    let server = start(Listen::Socket(left.clone()), None).await;
    std::fs::remove_file(&left).unwrap();
    let _newer = std::os::unix::net::UnixListener::bind(&left).unwrap();
    server.stop().await;
    assert!(left.exists(), "it is another server's by now");
    // One that cannot be asked in this way, as one that we must not ask.
    let _datagrams = std::os::unix::net::UnixDatagram::bind(&other).unwrap();
    let options = Options {
        listen: Listen::Socket(other.clone()),
        hosts: Vec::new(),
        token: Token::given(TOKEN).unwrap(),
        tls: None,
    };
    assert!(Server::open(options, scripted()).await.is_err() && other.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_does_not_hold_the_end() {
    let source = scripted();
    let server = start_of(Arc::clone(&source), loopback(), None).await;
    let (let_go, told) = std::sync::mpsc::channel::<()>();
    let disk = std::thread::spawn(move || {
        let hangs = source.runs.lock().unwrap();
        let _ = told.recv_timeout(Duration::from_secs(15));
        drop(hangs);
    });
    // By then its reader has looked.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(server.stop().await < Duration::from_secs(5));
    drop(let_go);
    disk.join().unwrap();
}

/// Every address of this machine.
fn everywhere(hosts: &[&str], tls: Option<TlsFiles>) -> Options {
    Options {
        listen: Listen::Address("0.0.0.0:0".parse().unwrap()),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        token: Token::given(TOKEN).unwrap(),
        tls,
    }
}

#[tokio::test]
async fn beyond_loopback_there_is_tls_or_nothing() {
    let refused = Server::open(everywhere(&["page.example"], None), scripted()).await;
    assert!(refused.is_err_and(|problem| problem.attempt.contains("--tls-cert")));
}

#[tokio::test]
async fn beyond_loopback_the_link_has_a_name_that_readers_can_open() {
    let folder = tempfile::tempdir().unwrap();
    let made = authority(folder.path());
    let nameless = Server::open(everywhere(&[], Some(made.files.clone())), scripted()).await;
    assert!(nameless.is_err_and(|problem| problem.attempt.contains("--host")));
    let server = Server::open(everywhere(&["Page.example:1", "b"], Some(made.files)), scripted()).await.unwrap();
    let rest = server.link().strip_prefix("https://page.example:").unwrap();
    assert!(!rest.starts_with("1/") && rest.ends_with(&format!("/?token={TOKEN}")), "{rest}");
}

/// Files of a server and of a reader, signed by one authority.
struct Authority {
    files: TlsFiles,
    root: CertificateDer<'static>,
    reader: (CertificateDer<'static>, PrivateKeyDer<'static>),
}

fn authority(folder: &Path) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let signed = |name: &str| {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap(), key)
    };
    let ((server, key), (reader, reader_key)) = (signed("page.example"), signed("reader"));
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let files = TlsFiles {
        certificate: write("cert.pem", server.pem()),
        key: write("key.pem", key.serialize_pem()),
        clients: Some(write("ca.pem", issuer.pem())),
    };
    let reader = (reader.der().clone(), PrivateKeyDer::try_from(reader_key.serialize_der()).unwrap());
    Authority { files, root: issuer.der().clone(), reader }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_certificate_or_the_token_lets_in() {
    let folder = tempfile::tempdir().unwrap();
    let made = authority(folder.path());
    let server = start(loopback(), Some(made.files)).await;
    assert!(server.link.starts_with("https://"));
    let mut roots = RootCertStore::empty();
    roots.add(made.root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots.clone())
    };
    let nobody = builder().with_no_client_auth();
    let known = builder().with_client_auth_cert(vec![made.reader.0], made.reader.1).unwrap();
    let bearer = format!("authorization: Bearer {TOKEN}\r\n");
    for (config, more, wanted) in [(&nobody, "", "401"), (&nobody, bearer.as_str(), "200"), (&known, "", "200")] {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let name = ServerName::try_from("page.example").unwrap();
        let mut stream =
            tokio_rustls::TlsConnector::from(Arc::new(config.clone())).connect(name, stream).await.unwrap();
        let answer = ask(&mut stream, "page.example", "/runs.txt", more).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {wanted}")), "{answer}");
    }
    server.stop().await;
}
