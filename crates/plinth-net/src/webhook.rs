//! Posting a message to a webhook. Its address is a secret, and nothing of it gets into an error.

use crate::fault::failed_request;
use crate::trust::client_config;
use plinth_world::deadlines;
use plinth_world::seam::Seam;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use ring::hmac;
use std::time::Duration;

/// Name of the header with the id of a message: the same for each attempt, so that one that came twice is known.
pub const ID_HEADER: &str = "x-plinth-id";
/// Name of the header with the second of the attempt, since 1970.
pub const TIME_HEADER: &str = "x-plinth-timestamp";
/// Name of the header with the signature: HMAC-SHA-256 over `TIMESTAMP.BODY`, in hexadecimal digits behind `sha256=`.
pub const SIGNATURE_HEADER: &str = "x-plinth-signature";

/// What became of an attempt; texts are the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was taken.
    Taken,
    /// It may be taken later, not before this time if the answer named one.
    Later(Option<Duration>, String),
    /// The other side failed at it, and does not say that this passes: it may be the message.
    Failed(String),
    /// It will never be taken as it is.
    Refused(String),
}

/// What is posted.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Id of the message.
    pub id: &'a str,
    /// JSON.
    pub body: &'a [u8],
    /// Seconds since 1970.
    pub at: i64,
    /// Key of the signature, if it is to be signed.
    pub key: Option<&'a [u8]>,
}

/// Where messages are posted to.
#[derive(Clone)]
pub struct Webhook {
    client: Client,
    url: Url,
}

impl Webhook {
    /// An address, believed by its certificate: by this authority (PEM), or by those that this machine trusts. No redirect is followed:
    /// the message is for whoever was named. Proxies of the environment are used, as for everything that leaves the site.
    ///
    /// # Errors
    /// The end of a sentence, when it is no address of HTTPS, or the authority cannot be used.
    pub fn new(url: &str, authority: Option<&[u8]>) -> Result<Self, String> {
        let url = Url::parse(url.trim()).map_err(|_| "what the site file refers to is no address".to_owned())?;
        if url.scheme() != "https" || url.host_str().is_none() {
            return Err("what the site file refers to is no address that begins with https://".to_owned());
        }
        let client = Client::builder()
            .tls_backend_preconfigured(client_config(authority)?)
            .redirect(Policy::none())
            .timeout(deadlines::NOTIFY_POST)
            .user_agent(concat!("plinth/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("TLS cannot be set up: {}", error.without_url()))?;
        Ok(Self { client, url })
    }

    /// Posts a message once. What the answer says beside its status is not read.
    pub async fn post(&self, post: Post<'_>) -> Posted {
        let mut request = self.client.post(self.url.clone()).body(post.body.to_vec());
        request =
            request.header(CONTENT_TYPE, "application/json").header(ID_HEADER, post.id).header(TIME_HEADER, post.at);
        if let Some(key) = post.key {
            request = request.header(SIGNATURE_HEADER, format!("sha256={}", signature(key, post.at, post.body)));
        }
        // The rest of the address is as good as a password.
        let seam = Seam::request("webhook", || format!("POST to {}", self.url.host_str().unwrap_or("a host")));
        let answer = request.send().await;
        match &answer {
            Ok(answer) => seam.end(format_args!("HTTP {}", answer.status().as_u16())),
            Err(_) => seam.end("no answer"),
        }
        match answer {
            Ok(answer) => judged(answer.status(), answer.headers()),
            Err(error) => Posted::Later(None, failed_request(&error.without_url()).0),
        }
    }
}

/// The signature of a message, as its reader computes it too.
#[must_use]
pub fn signature(key: &[u8], at: i64, body: &[u8]) -> String {
    hmac_sha256(key, &[format!("{at}.").as_bytes(), body])
}

/// RFC 2104 with SHA-256, over the parts one after the other; hexadecimal digits.
fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> String {
    let mut signed = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| signed.update(part));
    hex::encode(signed.sign())
}

fn judged(status: StatusCode, headers: &HeaderMap) -> Posted {
    let said = format!("the answer was {}", status.as_u16());
    // No time at all is none: there are our own pauses.
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let asked = asked.filter(|seconds| *seconds > 0).map(Duration::from_secs);
    match status {
        status if status.is_success() => Posted::Taken,
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Posted::Later(asked, said),
        status if status.is_server_error() && asked.is_some() => Posted::Later(asked, said),
        status if status.is_server_error() => Posted::Failed(said),
        _ => Posted::Refused(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_https_is_one_and_none_is_ever_told() {
        let secret = "T00000000/B00000000/s3cr3t";
        for wrong in
            [format!("http://hooks.example.com/{secret}"), format!("hooks/{secret}"), format!("file:///{secret}")]
        {
            let why = Webhook::new(&wrong, None).err().unwrap_or_default();
            assert!(why.contains("no address") && !why.contains("s3cr3t"), "{why}");
        }
    }

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // RFC 4231, test case 2.
        let (key, data) = (b"Jefe", b"what do ya want for nothing?");
        let published = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac_sha256(key, &[data]), published);
        assert_eq!(hmac_sha256(key, &[&data[..9], &data[9..]]), published, "parts are one text");
        assert_eq!(signature(key, 7, data), hmac_sha256(key, &[b"7.what do ya want for nothing?"]));
        assert_ne!(signature(key, 7, data), signature(key, 8, data), "an old message is not played again");
    }

    #[test]
    fn an_answer_says_whether_to_come_again_and_when() {
        let answer = |status: u16, after: Option<&'static str>| {
            let after = after.map(|text| (RETRY_AFTER, reqwest::header::HeaderValue::from_static(text)));
            judged(StatusCode::from_u16(status).unwrap(), &after.into_iter().collect())
        };
        let later = |status: u16, seconds: Option<u64>| {
            Posted::Later(seconds.map(Duration::from_secs), format!("the answer was {status}"))
        };
        assert_eq!(answer(202, None), Posted::Taken);
        assert_eq!(answer(429, Some(" 7 ")), later(429, Some(7)));
        assert_eq!(answer(503, Some("0")), later(503, None), "at once, again and again, is no time");
        assert_eq!(answer(502, Some("Fri, 31 Dec 1999 23:59:59 GMT")), later(502, None));
        assert_eq!(answer(500, Some("30")), later(500, Some(30)));
        assert_eq!(answer(500, None), Posted::Failed("the answer was 500".into()));
        for status in [301, 400, 404, 410] {
            assert_eq!(answer(status, Some("5")), Posted::Refused(format!("the answer was {status}")));
        }
    }
}
