//! The connection: whom it believes, where the name leads, and how much of an answer is read.

use crate::answer::Answer;
use crate::failure::{Cause, Failure};
use crate::jwt;
use crate::timing::RunaiTiming;
use plinth_model::Secret;
use plinth_model::steps::RunaiTarget;
use plinth_model::text::visible;
use plinth_net::trust::client_config;
use plinth_world::seam::Seam;
use plinth_world::secrets::Secrets;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest text of a server that is quoted, characters.
const QUOTE_MAX: usize = 300;
/// Tokens that are known at once: the one in use and those just before it.
const TOKENS_KNOWN: usize = 8;

/// A connection to one control plane. Proxies of the environment are not used: the ingress is a machine of the site, and the
/// password should meet nobody on the way. Redirects are not followed.
pub(crate) struct Link {
    http: Client,
    url: String,
    timing: RunaiTiming,
    secrets: Arc<dyn Secrets>,
    /// Tokens that were given to us lately: a server that repeats one is not quoted with it.
    issued: Mutex<Vec<Secret>>,
}

/// What is sent besides the path.
pub(crate) enum Body {
    /// Nothing.
    Empty,
    Json(String),
    Form(String),
}

impl Link {
    /// Contacts nobody. `authority`: PEM of the authority that signs the URL; none: system roots.
    pub(crate) fn new(
        target: &RunaiTarget,
        authority: Option<&str>,
        timing: RunaiTiming,
        secrets: Arc<dyn Secrets>,
    ) -> Result<Self, Failure> {
        let host = host(&target.url)?;
        let mut http = Client::builder()
            .tls_backend_preconfigured(
                client_config(authority.map(str::as_bytes)).map_err(|why| Failure::new(Cause::Input, why))?,
            )
            .https_only(true)
            .no_proxy()
            .redirect(Policy::none())
            .timeout(timing.request)
            .connect_timeout(timing.connect)
            .user_agent(concat!("plinth/", env!("CARGO_PKG_VERSION")));
        if let Some(address) = target.address {
            // The port of the URL counts; this one is not looked at.
            http = http.resolve(&host, SocketAddr::new(IpAddr::V4(address), 0));
        }
        let http = http.build().map_err(|_| Failure::new(Cause::Input, "the HTTP library does not start"))?;
        Ok(Self { http, url: target.url.clone(), timing, secrets, issued: Mutex::default() })
    }

    /// One exchange, whatever its status.
    pub(crate) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: &Body,
        token: Option<&Secret>,
    ) -> Result<Answer, Failure> {
        // A query may hold what nobody else should see.
        let bare = path.split('?').next().unwrap_or(path);
        let seam = Seam::request("runai", || format!("{method} {}{bare}", self.url));
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        let response = with_body(request, body).send().await.map_err(|error| Failure::of_http(&error));
        let answer = match response {
            Ok(response) => self.read(response).await,
            Err(failure) => Err(failure),
        };
        match &answer {
            Ok(answer) => seam.end(format_args!("HTTP {}", answer.status)),
            Err(failure) => seam.end(format_args!("failed: {}", failure.happened)),
        }
        answer
    }

    async fn read(&self, mut response: Response) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let html = header(CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html"));
        // The form with a date is not used by anything that is known to stand before Run:ai.
        let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let limit = self.timing.reply_max;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broke_off(&error))? {
            if body.len() + chunk.len() > limit {
                let happened = format!("the answer is larger than {limit} bytes");
                return Err(Failure::new(Cause::BadAnswer, happened).perhaps_done());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, html, retry_after, body })
    }

    /// Remembers a token, so that it is never quoted.
    pub(crate) fn remember(&self, token: &Secret) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() >= TOKENS_KNOWN {
            issued.remove(0);
        }
        issued.push(token.clone());
    }

    /// A text of the server: without secrets, on one line, shortened. In this order, so that no beginning of a secret is left.
    pub(crate) fn quote(&self, text: &str) -> String {
        let mut text = self.secrets.redact(text);
        for token in self.issued.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            text = text.replace(token.expose(), "[token]");
        }
        let text = jwt::hidden(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        let text = visible(&text);
        match text.char_indices().nth(QUOTE_MAX) {
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
            None => text.into_owned(),
        }
    }
}

fn with_body(request: RequestBuilder, body: &Body) -> RequestBuilder {
    match body {
        Body::Empty => request,
        Body::Json(text) => request.header(CONTENT_TYPE, "application/json").body(text.clone()),
        Body::Form(text) => request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(text.clone()),
    }
}

fn broke_off(error: &reqwest::Error) -> Failure {
    match Failure::of_http(error) {
        failure if failure.cause == Cause::Unreachable => {
            Failure::new(Cause::Truncated, "the answer ends in the middle").perhaps_done()
        }
        failure => failure.perhaps_done(),
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| Failure::new(Cause::BadAnswer, "the token holds characters that no header can"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The host of `https://host[:port]`.
fn host(url: &str) -> Result<String, Failure> {
    let unusable = |why: &str| Failure::new(Cause::Input, format!("the URL cannot be used: {why}"));
    let parsed = Url::parse(url).map_err(|_| unusable("it is none"))?;
    if parsed.scheme() != "https" {
        return Err(unusable("only https is spoken, since a password is sent"));
    }
    parsed.host_str().map(str::to_owned).ok_or_else(|| unusable("it names no host"))
}
