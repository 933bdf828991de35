//! What is sent back, with what every answer carries.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// Nothing but files of ours may run or be shown, nobody may put the page into a frame, and no form leads elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Smaller answers are sent as they are.
const PACKED_FROM: usize = 1024;

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Vec<u8>,
    /// It never changes, for its name says what is in it; so it is packed once.
    lasting: Option<&'static [u8]>,
    more: Vec<(HeaderName, String)>,
}

impl Answer {
    pub(crate) fn new(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: StatusCode::OK, kind, body: body.into(), lasting: None, more: Vec::new() }
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// It may be kept for ever; this is its packed form.
    pub(crate) fn lasting(mut self, packed: &'static [u8]) -> Self {
        self.lasting = Some(packed);
        self
    }

    /// The way to where it is.
    pub(crate) fn elsewhere(place: &str) -> Self {
        let mut answer = Self::new(TEXT, format!("it is at {place}\n")).status(StatusCode::SEE_OTHER);
        answer.more.push((LOCATION, place.to_owned()));
        answer
    }

    pub(crate) fn cookie(mut self, cookie: String) -> Self {
        self.more.push((SET_COOKIE, cookie));
        self
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.more.push((name, value.to_owned()));
        self
    }

    /// The response: packed where the other side can read that, without its body where only the head was asked for.
    pub(crate) fn response(self, accepts_gzip: bool, head_only: bool) -> Response<Body> {
        let mut body = self.body;
        let packed = accepts_gzip && body.len() >= PACKED_FROM;
        if packed {
            body = self.lasting.map_or_else(|| pack(&body, Compression::new(3)), <[u8]>::to_vec);
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding, cookie"));
        let kept = if self.lasting.is_some() { "private, max-age=31536000, immutable" } else { "no-store" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
        if packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        for (name, value) in self.more {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        if !head_only {
            *response.body_mut() = Body::from(body);
        }
        guarded(response)
    }
}

/// What every answer carries.
pub(crate) fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let same = HeaderValue::from_static("same-origin");
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), same.clone());
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), same);
    response
}

/// Packed with gzip. Writing into memory does not fail; if it did, what was packed so far would be told as broken by the reader.
pub(crate) fn pack(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), level);
    packer.write_all(bytes).and_then(|()| packer.finish()).unwrap_or_default()
}
