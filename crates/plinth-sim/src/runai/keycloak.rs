//! A real Keycloak behind the simulated control plane: requests are passed on, and its tokens are checked by its own keys.

use super::reply::Reply;
use super::tokens::{Worth, claims, now_s};
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderName, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Largest answer that is passed on, bytes.
const LARGEST: usize = 1024 * 1024;
/// Where its keys are.
const KEYS: &str = "/auth/realms/runai/protocol/openid-connect/certs";

/// Passes a request on, as an ingress does: the path as it is, the host as it was asked for.
pub(super) async fn passed_on(address: SocketAddr, request: Request) -> axum::response::Response {
    match exchange(address, request).await {
        Ok(response) => response.map(Body::from),
        Err(_) => Reply::refused(502, "Keycloak does not answer").response(),
    }
}

async fn exchange(address: SocketAddr, mut request: Request) -> std::io::Result<Response<Bytes>> {
    let failed = |error: hyper::Error| std::io::Error::other(error);
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    tokio::spawn(connection);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse();
    *request.uri_mut() = path.map_err(std::io::Error::other)?;
    request
        .headers_mut()
        .insert(HeaderName::from_static("x-forwarded-proto"), axum::http::HeaderValue::from_static("https"));
    let (parts, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
    let body = axum::body::to_bytes(Body::new(body), LARGEST).await.map_err(std::io::Error::other)?;
    let mut response = Response::from_parts(parts, body);
    response.headers_mut().remove(axum::http::header::TRANSFER_ENCODING);
    Ok(response)
}

/// What a token is worth: its signature by one of Keycloak's keys, its time, its issuer.
pub(super) async fn worth(address: SocketAddr, token: &str) -> Worth {
    let Some(keys) = keys(address).await else { return Worth::Nothing };
    let Some(claims) = claims(token).filter(|_| is_signed(token, &keys)) else { return Worth::Nothing };
    let good = claims["exp"].as_u64().is_some_and(|exp| exp > now_s());
    claims["iss"].as_str().filter(|_| good).map_or(Worth::Nothing, |issuer| Worth::By(issuer.to_owned()))
}

async fn keys(address: SocketAddr) -> Option<Value> {
    let request = Request::builder().uri(KEYS).header("host", address.to_string()).body(Body::empty()).ok()?;
    let response = exchange(address, request).await.ok()?;
    serde_json::from_slice(response.body()).ok()
}

/// Whether the key that the token names signed it (RS256).
fn is_signed(token: &str, keys: &Value) -> bool {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let checked = || {
        let (signed, signature) = token.rsplit_once('.')?;
        let header: Value = serde_json::from_slice(&decode(signed.split('.').next()?)?).ok()?;
        let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
        let (n, e) = (decode(key["n"].as_str()?)?, decode(key["e"].as_str()?)?);
        let key = RsaPublicKeyComponents { n, e };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)?).ok()
    };
    checked().is_some()
}
