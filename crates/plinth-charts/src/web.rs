//! Requests with bounds of size and time, and with logins that go to the host that they are for and to nobody else.

use crate::address::plain;
use crate::challenge::Challenge;
use crate::failure::{Failure, Why};
use crate::login::{Login, sensitive};
use backon::{ExponentialBuilder, RetryableWithContext as _};
use plinth_model::text::host_of;
use plinth_net::fault::{deepest, failed_request};
use plinth_net::trust::config_with_roots;
use plinth_world::seam::Seam;
use plinth_world::{Context, deadlines};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use rustls::RootCertStore;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Redirects and challenges of one request. Registries need three or four.
const HOPS: usize = 10;
/// Largest answer of a token service that is read, bytes.
const LARGEST_TOKEN: usize = 1024 * 1024;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Silence in the middle of an answer.
    pub(crate) silence: Duration,
    /// One answer from beginning to end.
    pub(crate) whole: Duration,
    pub(crate) tries: usize,
    /// Wait before the second try; doubled each time.
    pub(crate) backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: deadlines::CHART_SILENCE,
            whole: deadlines::CHART_REQUEST,
            tries: deadlines::CHART_TRIES,
            backoff: deadlines::FETCH_BACKOFF,
        }
    }
}

/// The client of HTTP. It follows no redirect by itself.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    client: Client,
    limits: Limits,
}

impl Web {
    /// Believes these authorities.
    pub(crate) fn new(roots: RootCertStore, limits: Limits) -> Result<Self, String> {
        let client = Client::builder()
            .tls_backend_preconfigured(config_with_roots(roots)?)
            .redirect(redirect::Policy::none())
            .connect_timeout(deadlines::FETCH_CONNECT)
            .read_timeout(limits.silence)
            .timeout(limits.whole)
            .user_agent(concat!("plinth/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.map_err(|error| deepest(&error))?, limits })
    }

    /// Requests that share a login and the tokens got with it.
    pub(crate) fn session<'a>(&'a self, ctx: &'a Context, login: Option<Login>) -> Session<'a> {
        Session { web: self, ctx, login, proofs: HashMap::new(), without: HashMap::new() }
    }
}

/// What a server sent: the body as a whole, and the headers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) headers: HeaderMap,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// Media types that are taken; none: any.
    pub(crate) accept: Option<&'static str>,
    /// Largest answer that is read, bytes.
    pub(crate) limit: usize,
    /// The login is sent at once, as to a repository, and not only when the server asks for it, as to a registry.
    pub(crate) eager: bool,
    /// What it is, for progress.
    pub(crate) what: &'a str,
}

/// Requests of one task.
pub(crate) struct Session<'a> {
    web: &'a Web,
    ctx: &'a Context,
    login: Option<Login>,
    /// What a host wants to see, by its origin: a token, or a password that it asked for.
    proofs: HashMap<String, HeaderValue>,
    /// Hosts, by their origin, that refused the login, and how: perhaps they ask for none.
    without: HashMap<String, StatusCode>,
}

impl Session<'_> {
    /// Gets a content, tries again what may pass.
    pub(crate) async fn get<'s>(&'s mut self, url: &Url, asked: Asked<'_>) -> Result<Answer, Failure> {
        let (limits, ctx) = (self.web.limits, self.ctx);
        let backoff =
            ExponentialBuilder::new().with_min_delay(limits.backoff).with_max_times(limits.tries.saturating_sub(1));
        let once = |session: &'s mut Self| async move {
            let answer = session.once(url, asked).await;
            (session, answer)
        };
        let again = |failure: &Failure, _| {
            ctx.progress(0, 0, format!("{}: {}; tried again", asked.what, failure.happened));
        };
        let passes = |failure: &Failure| failure.transient().is_some();
        once.retry(backoff).sleep(ctx.pause()).context(self).when(passes).notify(again).await.1
    }

    async fn once(&mut self, url: &Url, asked: Asked<'_>) -> Result<Answer, Failure> {
        let (mut url, mut challenged) = (url.clone(), HashSet::new());
        for _ in 0..HOPS {
            let response = self.ask(&url, asked).await?;
            let status = response.status();
            if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
                url = target(&url, response.headers())?;
            } else if is_refusal(status) && self.leaves_out_the_login(&url, status, asked) {
                tracing::debug!(host = host_of(url.as_str()), %status, "asked again without the login");
            } else if status == StatusCode::UNAUTHORIZED && challenged.insert(origin(&url)) {
                let challenges = Challenge::of(response.headers());
                if !self.meet(&url, &challenges).await? {
                    return Err(self.refused(&url, status));
                }
            } else if status.is_success() {
                return self.read(&url, response, asked).await;
            } else {
                return Err(self.refused(&url, status));
            }
        }
        Err(Failure::nonsense(format!("{} leads from one address to the next without an end", host_of(url.as_str()))))
    }

    async fn ask(&self, url: &Url, asked: Asked<'_>) -> Result<Response, Failure> {
        let mut request = self.web.client.get(url.clone());
        if let Some(accept) = asked.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(proof) = self.proof(url, asked.eager) {
            request = request.header(AUTHORIZATION, proof);
        }
        told(url, request).await
    }

    /// What this host is shown. A token is for the origin that asked for it.
    fn proof(&self, url: &Url, eager: bool) -> Option<HeaderValue> {
        if let Some(proof) = self.proofs.get(&origin(url)) {
            return Some(proof.clone());
        }
        let sent = eager && !self.without.contains_key(&origin(url));
        self.login.as_ref().filter(|login| sent && login.is_for(url))?.basic()
    }

    /// A login that was sent unasked and is refused may be for the images of a host whose charts everybody reads: without it once.
    fn leaves_out_the_login(&mut self, url: &Url, status: StatusCode, asked: Asked<'_>) -> bool {
        let was_sent = self.proof(url, asked.eager).is_some() && !self.proofs.contains_key(&origin(url));
        was_sent && self.without.insert(origin(url), status).is_none()
    }

    /// Gets what the host asks for; false when there is nothing that could be shown. The login goes to the token service that its
    /// own host names, and to none that another host names.
    async fn meet(&mut self, url: &Url, challenges: &[Challenge]) -> Result<bool, Failure> {
        let login = self.login.clone().filter(|login| login.is_for(url));
        for challenge in challenges {
            let proof = match challenge {
                Challenge::Basic => login.as_ref().and_then(Login::basic),
                Challenge::Bearer { .. } => match challenge.token_url() {
                    Some(realm) => Some(self.token(&realm, login.as_ref()).await?),
                    None => None,
                },
            };
            let before = proof.and_then(|proof| (self.proofs.get(&origin(url)) != Some(&proof)).then_some(proof));
            if let Some(proof) = before {
                self.proofs.insert(origin(url), proof);
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn token(&self, realm: &Url, login: Option<&Login>) -> Result<HeaderValue, Failure> {
        let mut request = self.web.client.get(realm.clone());
        if let Some(basic) = login.and_then(Login::basic) {
            request = request.header(AUTHORIZATION, basic);
        }
        let response = told(realm, request).await?;
        if !response.status().is_success() {
            let (host, status) = (host_of(realm.as_str()).to_owned(), response.status());
            let why = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if login.is_some() => Why::Login,
                status => Why::Status(status.as_u16()),
            };
            return Err(Failure::new(why, format!("{host}, which gives out tokens, answered {status}")));
        }
        let asked = Asked { limit: LARGEST_TOKEN, what: "token", ..Asked::default() };
        let answer = self.read(realm, response, asked).await?;
        let token = serde_json::from_slice::<Token>(&answer.bytes).ok().and_then(Token::text);
        token
            .and_then(|token| sensitive(&format!("Bearer {token}")))
            .ok_or_else(|| Failure::nonsense(format!("{}, which gives out tokens, gave none", host_of(realm.as_str()))))
    }

    async fn read(&self, url: &Url, mut response: Response, asked: Asked<'_>) -> Result<Answer, Failure> {
        let too_large = || {
            let text = format!("{} from {} is larger than {} bytes", asked.what, host_of(url.as_str()), asked.limit);
            Failure::nonsense(text)
        };
        let total = response.content_length().unwrap_or(0);
        if usize::try_from(total).is_ok_and(|total| total > asked.limit) {
            return Err(too_large());
        }
        let headers = std::mem::take(response.headers_mut());
        let (mut bytes, mut paced) = (Vec::new(), plinth_world::context::Paced::new(self.ctx));
        while let Some(piece) = response.chunk().await.map_err(|error| lost(url, &error))? {
            if bytes.len() + piece.len() > asked.limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
            paced.report(bytes.len() as u64, total, asked.what);
        }
        Ok(Answer { bytes, headers })
    }

    /// How this host refused the login, where it was asked without it since.
    fn left_out(&self, url: &Url) -> Option<StatusCode> {
        let origin = origin(url);
        self.without.get(&origin).filter(|_| !self.proofs.contains_key(&origin)).copied()
    }

    fn refused(&self, url: &Url, status: StatusCode) -> Failure {
        let host = host_of(url.as_str());
        // Some hosts hide from strangers what is there: what they say without the login does not count then.
        let final_word = status.is_client_error() && !passes(status);
        if let Some(first) = self.left_out(url).filter(|_| final_word) {
            let happened = format!("{host} answered {first} with the login, and {status} without it");
            return Failure::new(Why::Login, happened).evidence(plain(url));
        }
        let shown = self.proof(url, true).is_some();
        let why = match status {
            status if is_refusal(status) && shown && self.login.is_some() => Why::Login,
            status => Why::Status(status.as_u16()),
        };
        Failure::new(why, format!("{host} answered {status}")).evidence(plain(url))
    }

    /// A failure about what a host gave: where it refused the login before, a page for strangers may stand in its place.
    pub(crate) fn unreadable(&self, url: &Url, failure: Failure) -> Failure {
        match self.left_out(url) {
            Some(first) if failure.why == Why::Nonsense => {
                let host = host_of(url.as_str());
                let happened = format!("{host} answered {first} with the login; without it: {}", failure.happened);
                Failure::new(Why::Login, happened).evidence(plain(url))
            }
            _ => failure,
        }
    }
}

/// Whether the server may answer otherwise in a moment.
fn passes(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// An answer of a token service; both names are in use.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Token {
    fn text(self) -> Option<String> {
        self.token.or(self.access_token).filter(|token| !token.is_empty())
    }
}

/// Scheme, host and port.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Where a redirect leads. From TLS it leads to TLS.
fn target(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let host = host_of(from.as_str());
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| from.join(location).ok());
    let mut target =
        target.ok_or_else(|| Failure::nonsense(format!("{host} leads elsewhere, and does not say where")))?;
    let _no_login_in_it = (target.set_username(""), target.set_password(None));
    let scheme = target.scheme();
    if scheme == "https" || (scheme == "http" && from.scheme() == "http") {
        return Ok(target);
    }
    Err(Failure::nonsense(format!("{host} leads to an address without TLS")).evidence(plain(&target)))
}

/// One request, told in the log without the query of its address, in which a host may put a signature.
async fn told(url: &Url, request: RequestBuilder) -> Result<Response, Failure> {
    let seam = Seam::request("charts", || format!("GET {}{}", origin(url), url.path()));
    let answer = request.send().await.map_err(|error| lost(url, &error));
    match &answer {
        Ok(answer) => seam.end(format_args!("HTTP {}", answer.status().as_u16())),
        Err(_) => seam.end("no answer"),
    }
    answer
}

fn lost(url: &Url, error: &reqwest::Error) -> Failure {
    let (happened, cause) = failed_request(error);
    let host = host_of(url.as_str());
    Failure::new(Why::Lost(cause), format!("{host}: {happened}")).evidence(plain(url))
}
