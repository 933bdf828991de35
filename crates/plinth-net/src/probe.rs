//! One HTTPS request that proves what a server shows: its certificate is verified, and then told.

use crate::fault::{Fault, failed_request};
use crate::trust::client_config;
use plinth_world::deadlines;
use plinth_world::seam::Seam;
use reqwest::redirect::Policy;
use reqwest::tls::TlsInfo;
use reqwest::{Client, Url};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpStream;
use tokio::time::timeout;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names that its certificate is for.
    pub names: Vec<String>,
    /// When the certificate ends, as seconds since 1970.
    pub ends: i64,
    /// The certificate itself, DER.
    pub certificate: Vec<u8>,
}

/// Why there is no answer that counts; each the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// This machine cannot ask: the address makes no sense, no authority can be used.
    Here(String),
    /// Nobody answers there.
    NoAnswer(String),
    /// Somebody answers with a certificate that is not believed.
    NotBelieved(String),
}

/// Asks, and follows no redirect: only where the name leads is to be known. `address` stands in for a name that this machine does not
/// know; `authority` (PEM) for the roots that this machine trusts. No proxy of the environment stands in between.
///
/// # Errors
/// When nobody answers, or the server is not believed.
pub async fn https(url: &str, address: Option<Ipv4Addr>, authority: Option<&[u8]>) -> Result<Answer, ProbeError> {
    let url = Url::parse(url).map_err(|error| ProbeError::Here(format!("{url} is no address: {error}")))?;
    let client = client(&url, address, authority).map_err(ProbeError::Here)?;
    let seam = Seam::request("probe", || format!("GET {}{}", url.origin().ascii_serialization(), url.path()));
    let answer = client.get(url.clone()).send().await.map_err(|error| refused(&error));
    match &answer {
        Ok(answer) => seam.end(format_args!("HTTP {}", answer.status().as_u16())),
        Err(_) => seam.end("no answer that is believed"),
    }
    let answer = answer?;
    let shown = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate).map(<[u8]>::to_vec);
    let certificate = shown.ok_or_else(|| ProbeError::NotBelieved("the connection had no TLS".to_owned()))?;
    let unread = || ProbeError::NotBelieved("its certificate cannot be read".to_owned());
    let (names, ends) = read(&certificate).ok_or_else(unread)?;
    Ok(Answer { status: answer.status().as_u16(), names, ends, certificate })
}

/// Why nobody answered a request without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The end of a sentence.
    pub why: String,
    /// The host answers, and nothing listens there; else it was not reached, or not in time.
    pub refused: bool,
}

impl Unanswered {
    fn of(fault: &Fault) -> Self {
        Self { why: fault.sentence(), refused: *fault == Fault::NothingListens }
    }
}

/// Whether somebody takes a connection there.
///
/// # Errors
/// When nobody does.
pub async fn tcp(address: SocketAddr) -> Result<(), Unanswered> {
    match timeout(deadlines::TCP_PROBE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Unanswered::of(&Fault::find(&error).unwrap_or(Fault::NoRoute))),
        Err(_) => Err(Unanswered::of(&Fault::Timeout)),
    }
}

/// The status that a server answers with over HTTP without TLS. No redirect is followed, and no proxy stands in between.
///
/// # Errors
/// When nobody answers; an answer that is no HTTP is none.
pub async fn http(address: SocketAddr) -> Result<u16, Unanswered> {
    let here = |error: reqwest::Error| Unanswered { why: error.to_string(), refused: false };
    let client = Client::builder()
        .tls_backend_preconfigured(client_config(None).map_err(|why| Unanswered { why, refused: false })?)
        .redirect(Policy::none())
        .no_proxy()
        .timeout(deadlines::TCP_PROBE)
        .build()
        .map_err(here)?;
    let answer = client.get(format!("http://{address}/")).send().await;
    answer.map(|answer| answer.status().as_u16()).map_err(|error| Unanswered::of(&Fault::of_http(&error)))
}

fn client(url: &Url, address: Option<Ipv4Addr>, authority: Option<&[u8]>) -> Result<Client, String> {
    let host = url.host_str().ok_or_else(|| format!("{url} names no host"))?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(client_config(authority)?)
        .redirect(Policy::none())
        .no_proxy()
        .tls_info(true)
        .timeout(deadlines::HTTPS_PROBE)
        .user_agent(concat!("plinth/", env!("CARGO_PKG_VERSION")));
    if let Some(address) = address {
        builder = builder.resolve(host, SocketAddr::from((address, url.port_or_known_default().unwrap_or(443))));
    }
    builder.build().map_err(|error| format!("TLS cannot be set up: {error}"))
}

/// Whether the fault is about the certificate that was shown.
fn refused(error: &reqwest::Error) -> ProbeError {
    let why = failed_request(error).0;
    match Fault::of_http(error) {
        Fault::NothingListens | Fault::NoSuchHost | Fault::NoRoute | Fault::Interrupted | Fault::Timeout => {
            ProbeError::NoAnswer(why)
        }
        _ => ProbeError::NotBelieved(why),
    }
}

/// Names and end of a certificate.
fn read(der: &[u8]) -> Option<(Vec<String>, i64)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let alternatives = certificate.subject_alternative_name().ok()??;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    let names = alternatives.value.general_names.iter().filter_map(name).collect();
    Some((names, certificate.validity().not_after.timestamp()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::crypto::ring;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// Serves one answer over TLS, with a certificate for `platform.test`.
    async fn serve(authority: &CertifiedIssuer<'static, KeyPair>) -> u16 {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["platform.test".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, authority).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n")
                    .await;
                let _ = stream.shutdown().await;
            }
        });
        port
    }

    #[tokio::test]
    async fn who_takes_a_connection_or_speaks_http_answers_and_who_refuses_is_told() {
        let port = serve(&authority()).await;
        let there = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        assert_eq!(tcp(there).await, Ok(()));
        assert!(!http(there).await.unwrap_err().refused, "TLS is no HTTP");
        let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = plain.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = plain.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        });
        assert_eq!(http(at).await, Ok(404));
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        for error in [tcp(nobody).await.unwrap_err(), http(nobody).await.unwrap_err()] {
            assert!(error.refused && error.why == "nothing listens there", "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_certificate_is_believed_by_its_authority_and_its_name_only() {
        let (ours, other) = (authority(), authority());
        let port = serve(&ours).await;
        let here = Some(Ipv4Addr::LOCALHOST);
        let (ca, url) = (ours.pem(), format!("https://platform.test:{port}/"));
        let answer = https(&url, here, Some(ca.as_bytes())).await.unwrap();
        assert_eq!((answer.status, answer.names), (302, vec!["platform.test".to_owned()]), "no redirect is followed");
        assert!(answer.ends > 1_800_000_000);
        let wrong = https(&format!("https://other.test:{port}/"), here, Some(ca.as_bytes())).await.unwrap_err();
        assert!(matches!(&wrong, ProbeError::NotBelieved(why) if why.contains("name")), "{wrong:?}");
        for roots in [Some(other.pem()), None] {
            let why = https(&url, here, roots.as_ref().map(|pem| pem.as_bytes())).await.unwrap_err();
            assert!(matches!(&why, ProbeError::NotBelieved(why) if why.contains("authority")), "{why:?}");
        }
        let nobody = https("https://platform.test:9/", here, Some(ca.as_bytes())).await.unwrap_err();
        assert!(matches!(nobody, ProbeError::NoAnswer(_)), "{nobody:?}");
        let nonsense = https("no address", here, Some(ca.as_bytes())).await.unwrap_err();
        assert!(matches!(nonsense, ProbeError::Here(_)), "{nonsense:?}");
    }
}
