//! The real BCM client: CMDaemon's JSON interface over HTTPS.
//!
//! Uses tokio's own time for timeouts and waits between tries, since it does real I/O.

pub use crate::config::{BcmConfig, BcmProof, BcmTiming, BcmTrust};

use crate::entity::{Category, Device, Entity, Network, decode_list};
use crate::failure::{Cause, Failure};
use crate::reply::{Reply, ReplyError, decode_reply};
use crate::{convert, tls};
use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use plinth_model::Secret;
use plinth_model::inventory::Inventory;
use plinth_net::trust::GivenCertificates;
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::seam::Seam;
use plinth_world::{ClientError, ClientResult, Context};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use reqwest::{Response, Url};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Name of the session cookie (public Terraform provider).
const COOKIE_NAME: &str = "cm-login-token";

/// A reading call without arguments. Service names are lower case: other spellings work for some services only.
#[derive(Clone, Copy, Debug)]
struct Call {
    service: &'static str,
    name: &'static str,
}

const GET_NODES: Call = Call { service: "cmdevice", name: "getNodes" };
const GET_HEAD_NODES: Call = Call { service: "cmdevice", name: "getHeadNodes" };
const GET_CATEGORIES: Call = Call { service: "cmdevice", name: "getCategories" };
const GET_NETWORKS: Call = Call { service: "cmnet", name: "getNetworks" };

/// A session: the cookie, and its number, so that two calls that find it ended log in once.
#[derive(Clone)]
struct Session {
    number: u64,
    cookie: HeaderValue,
}

/// What came over the wire.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Raw {
    fn decode(&self) -> Result<Reply, ReplyError> {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        decode_reply(self.status, kind, &self.body)
    }
}

/// A connection to BCM. Logs in at the first call. Proxies of the environment are not used: the head node is a machine of the
/// site, and its password should meet nobody on the way.
pub struct CmdaemonClient {
    /// What the caFile holds, if there is one.
    given: Option<Arc<GivenCertificates>>,
    http: reqwest::Client,
    url: Url,
    endpoint: String,
    config: BcmConfig,
    session: Mutex<Option<Session>>,
}

impl CmdaemonClient {
    /// Checks the configuration; contacts nobody.
    ///
    /// # Errors
    /// When the endpoint is not `https://host:port`, or certificate, key or CA file cannot be used.
    pub fn new(config: BcmConfig) -> ClientResult<Self> {
        let (url, endpoint) = endpoint(&config.endpoint)?;
        let fail = |happened: String| {
            let doing = format!("preparing the connection to BCM at {endpoint}");
            ClientError::new("bcm", doing)
                .happened(happened)
                .attempt("correct `inventory.bcm` in the site file, or the files it names")
                .because(plinth_world::Cause::Input)
        };
        let (tls, given) = tls::config(&config.proof, &config.trust).map_err(fail)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(config.timing.request)
            .user_agent(concat!("plinth/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| fail("the HTTP library does not start".to_owned()))?;
        Ok(Self { http, url, endpoint, config, given, session: Mutex::new(None) })
    }

    /// A call that returns a list of entities.
    async fn list<E: Entity>(&self, ctx: &Context, call: Call) -> ClientResult<Vec<E>> {
        let reply = self.call(ctx, call).await;
        self.entities(call, reply)
    }

    fn entities<E: Entity>(&self, call: Call, reply: Result<Reply, Failure>) -> ClientResult<Vec<E>> {
        let entities = reply.and_then(|reply| match reply {
            Reply::List(items) => decode_list(items).map_err(Failure::from),
            other => Err(Failure::new(Cause::BadReply, format!("a list was expected, {} came", other.kind()))),
        });
        entities.map_err(|failure| self.error(call, failure))
    }

    /// One reading call, tried again while it may help. Says so before each wait.
    async fn call(&self, ctx: &Context, call: Call) -> Result<Reply, Failure> {
        let body = json!({"service": call.service, "call": call.name}).to_string();
        let timing = &self.config.timing;
        let backoff = ExponentialBuilder::new()
            .with_min_delay(timing.first_wait)
            .with_max_delay(timing.longest_wait)
            .with_max_times(timing.retries)
            .with_jitter();
        let (mut next, tries) = (1, timing.retries + 1);
        let again = |_: &Failure, _| {
            next += 1;
            ctx.progress(0, 0, format!("BCM does not answer, try {next} of {tries}"));
        };
        let what = format!("{}.{}", call.service, call.name);
        (|| self.attempt(&what, &body)).retry(backoff).when(Failure::is_transient).notify(again).await
    }

    /// One try: with the session there is, and if that has ended, once more with a new one.
    async fn attempt(&self, what: &str, body: &str) -> Result<Reply, Failure> {
        let BcmProof::Password { username, password } = &self.config.proof else {
            let refused = |failure| refused_for_good(failure, "BCM does not accept this client certificate");
            return self.exchange(what, body, None).await.map_err(refused);
        };
        let session = self.session(username, password, None).await?;
        match self.exchange(what, body, Some(&session)).await {
            Err(failure) if failure.cause == Cause::Session => {
                let session = self.session(username, password, Some(session.number)).await?;
                let refused = |failure| {
                    refused_for_good(failure, "BCM does not accept its own session, even after a fresh login")
                };
                self.exchange(what, body, Some(&session)).await.map_err(refused)
            }
            result => result,
        }
    }

    /// The session; made when there is none, or only the one that has ended.
    async fn session(&self, username: &Secret, password: &Secret, ended: Option<u64>) -> Result<Session, Failure> {
        let mut current = self.session.lock().await;
        if let Some(session) = current.as_ref().filter(|session| Some(session.number) != ended) {
            return Ok(session.clone());
        }
        let number = ended.map_or(0, |number| number.wrapping_add(1));
        *current = None;
        let cookie = self.login(username, password).await.map_err(Failure::in_login)?;
        let session = Session { number, cookie };
        *current = Some(session.clone());
        Ok(session)
    }

    /// Success is HTTP 200, the body `true`, and the cookie; all three are needed.
    async fn login(&self, username: &Secret, password: &Secret) -> Result<HeaderValue, Failure> {
        let body =
            json!({"service": "login", "username": username.expose(), "password": password.expose()}).to_string();
        let raw = self.post("login", &body, None).await?;
        match raw.decode() {
            Ok(Reply::Flag(true)) => session_cookie(&raw.headers).ok_or_else(|| {
                Failure::new(Cause::BadReply, format!("BCM accepts the login but sends no {COOKIE_NAME} cookie"))
            }),
            Ok(Reply::Flag(false)) => Err(Failure::new(Cause::Credentials, "BCM refuses user name or password")),
            Ok(other) => Err(Failure::new(Cause::BadReply, format!("`true` was expected, {} came", other.kind()))),
            Err(ReplyError::NotLoggedIn(_) | ReplyError::UnknownCall) if raw.status != 200 => Err(Failure::new(
                Cause::Credentials,
                format!("BCM refuses user name or password (HTTP {})", raw.status),
            )),
            Err(ReplyError::Reported(text)) => {
                Err(Failure::new(Cause::Credentials, format!("BCM refuses user name or password: {text}")))
            }
            Err(ReplyError::NotLoggedIn(_)) => {
                Err(Failure::new(Cause::BadReply, "a web page came instead of JSON: this may not be CMDaemon's port"))
            }
            Err(error) => Err(Failure::from(error)),
        }
    }

    async fn exchange(&self, what: &str, body: &str, session: Option<&Session>) -> Result<Reply, Failure> {
        let raw = self.post(what, body, session).await?;
        raw.decode().map_err(Failure::from)
    }

    /// One request. `what` is told in the log: the service and the call, never the body.
    async fn post(&self, what: &str, body: &str, session: Option<&Session>) -> Result<Raw, Failure> {
        let seam = Seam::request("bcm", || format!("{what} at {}", self.endpoint));
        let raw = self.posted(body, session).await;
        match &raw {
            Ok(raw) => seam.end(format_args!("HTTP {}, {} bytes", raw.status, raw.body.len())),
            Err(failure) => seam.end(format_args!("failed: {}", failure.happened)),
        }
        raw
    }

    async fn posted(&self, body: &str, session: Option<&Session>) -> Result<Raw, Failure> {
        let mut request =
            self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body.to_owned());
        if let Some(session) = session {
            request = request.header(COOKIE, session.cookie.clone());
        }
        let response = request.send().await.map_err(|error| Failure::of_http(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Raw { status, headers, body: self.body(response).await? })
    }

    /// The body, up to the limit.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let limit = self.config.timing.reply_max;
        let too_large = || Failure::new(Cause::TooLarge, format!("the reply is larger than {limit} bytes"));
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if announced > limit {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_http(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Who said it, and by what we know them where that is unusual.
    fn source(&self) -> String {
        let pinned = self.given.as_ref().is_some_and(|given| given.has_pinned());
        let how = if pinned { ", known by exactly the certificate in the caFile" } else { "" };
        format!("bcm {}{how}", self.endpoint)
    }

    fn error(&self, call: Call, mut failure: Failure) -> ClientError {
        let doing = if failure.login {
            format!("logging in to BCM at {}", self.endpoint)
        } else {
            format!("calling {}.{} of BCM at {}", call.service, call.name, self.endpoint)
        };
        if let BcmProof::Password { password, .. } = &self.config.proof
            && !password.expose().is_empty()
        {
            failure.happened = without(&failure.happened, password.expose());
        }
        failure.into_error(doing, &self.endpoint)
    }
}

/// A text without the secret, and without the beginning of it where the text was cut short in the middle of the secret.
fn without(text: &str, secret: &str) -> String {
    let text = text.replace(secret, "[secret]");
    let beginnings = secret.char_indices().map(|(end, _)| end).filter(|end| *end >= 3).rev();
    let cut = beginnings.filter_map(|end| secret.get(..end)).map(|beginning| format!("{beginning}..."));
    let found = cut.into_iter().find(|cut| text.contains(cut.as_str()));
    found.map_or_else(|| text.clone(), |cut| text.replace(&cut, "[secret]..."))
}

#[async_trait]
impl BcmClient for CmdaemonClient {
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity> {
        let heads: Vec<Device> = match self.call(ctx, GET_HEAD_NODES).await {
            Err(failure) if failure.cause == Cause::UnknownCall => {
                self.list::<Device>(ctx, GET_NODES).await?.into_iter().filter(convert::is_head).collect()
            }
            reply => self.entities(GET_HEAD_NODES, reply)?,
        };
        if heads.is_empty() {
            let failure = Failure::new(Cause::BadReply, "BCM lists no head node, and there is always one");
            return Err(self.error(GET_HEAD_NODES, failure));
        }
        Ok(BcmIdentity {
            head_nodes: heads.iter().map(|head| head.uuid.clone()).collect(),
            names: heads.into_iter().map(|head| head.hostname).collect(),
        })
    }

    async fn inventory(&self, ctx: &Context) -> ClientResult<Inventory> {
        ctx.progress(0, 3, "nodes");
        let devices: Vec<Device> = self.list(ctx, GET_NODES).await?;
        ctx.progress(1, 3, "networks");
        let networks: Vec<Network> = self.list(ctx, GET_NETWORKS).await?;
        ctx.progress(2, 3, "categories");
        let categories: Vec<Category> = self.list(ctx, GET_CATEGORIES).await?;
        ctx.progress(3, 3, "read");
        Ok(convert::inventory(self.source(), &devices, &networks, &categories))
    }
}

/// A refusal that logging in again would not fix.
fn refused_for_good(failure: Failure, what: &str) -> Failure {
    if failure.cause == Cause::Session {
        Failure::new(Cause::Credentials, format!("{what}: {}", failure.happened))
    } else {
        failure
    }
}

/// The cookie to send back, from the headers of a login.
fn session_cookie(headers: &HeaderMap) -> Option<HeaderValue> {
    let values = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.filter_map(|value| value.split(';').next()?.trim().split_once('='));
    let token =
        pairs.filter(|(name, token)| *name == COOKIE_NAME && !token.is_empty()).map(|(_, token)| token).next()?;
    let mut cookie = HeaderValue::from_str(&format!("{COOKIE_NAME}={token}")).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

/// The address that calls go to, and the endpoint as it may be shown.
fn endpoint(text: &str) -> ClientResult<(Url, String)> {
    let fail = |happened: &str| {
        let shown = if text.contains('@') { "(not shown, it holds credentials)" } else { text };
        ClientError::new("bcm", format!("reading the BCM endpoint {shown}"))
            .happened(happened)
            .attempt("write it as https://HOST:8081")
            .because(plinth_world::Cause::Input)
    };
    let mut url = Url::parse(text).map_err(|_| fail("it is not a URL"))?;
    if url.scheme() != "https" {
        return Err(fail("only https is spoken: credentials do not travel in clear"));
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err(fail("credentials do not belong into the endpoint"));
    }
    if !matches!(url.path(), "/" | "") || url.query().is_some() || url.fragment().is_some() {
        return Err(fail("it must have scheme, host and port only"));
    }
    let shown = text.trim_end_matches('/').to_owned();
    url.set_path("/json");
    Ok((url, shown))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn config(endpoint: &str) -> BcmConfig {
        let proof =
            BcmProof::Password { username: Secret::new("root".into()), password: Secret::new("hunter22".into()) };
        BcmConfig::new(endpoint, proof, BcmTrust::Insecure)
    }

    fn refusal(config: BcmConfig) -> ClientError {
        match CmdaemonClient::new(config) {
            Ok(_) => panic!("accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn endpoints_that_are_refused() {
        let cases = [
            ("http://head:8080", "only https"),
            ("head:8081", "only https"),
            ("", "not a URL"),
            ("https://root:hunter22@head:8081", "credentials do not belong"),
            ("https://head:8081/json", "scheme, host and port only"),
            ("https://head:8081/?x=1", "scheme, host and port only"),
        ];
        for (endpoint, expected) in cases {
            let error = refusal(config(endpoint));
            assert!(error.happened.contains(expected), "{endpoint}: {error}");
            assert!(!format!("{error:?}").contains("hunter22"), "{error:?}");
        }
    }

    #[test]
    fn a_trailing_slash_is_no_matter() {
        let client = CmdaemonClient::new(config("https://head:8081/")).unwrap();
        assert_eq!((client.url.as_str(), client.endpoint.as_str()), ("https://head:8081/json", "https://head:8081"));
    }

    #[test]
    fn unusable_files_are_named() {
        let with = |trust: BcmTrust, proof: Option<(&str, &str)>| {
            let mut config = BcmConfig { trust, ..config("https://head:8081") };
            if let Some((certificate, key)) = proof {
                config.proof = BcmProof::Certificate { certificate: certificate.into(), key: Secret::new(key.into()) };
            }
            refusal(config).happened
        };
        assert_eq!(with(BcmTrust::CaPem(vec![]), None), "the CA file holds no certificate");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        assert!(with(BcmTrust::CaPem(broken), None).contains("no authority"));
        assert_eq!(with(BcmTrust::Insecure, Some(("", "x"))), "the client certificate file holds no certificate");
    }

    #[test]
    fn only_the_session_cookie_counts() {
        let headers = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(SET_COOKIE, HeaderValue::from_str(value).unwrap());
            }
            session_cookie(&headers).map(|cookie| cookie.to_str().unwrap().to_owned())
        };
        assert_eq!(headers(&["a=b", "cm-login-token=abc=; Secure; HttpOnly"]), Some("cm-login-token=abc=".to_owned()));
        for none in [&[][..], &["cm-login-token="], &["cm-login-tokens=x"], &["cm-login-token"]] {
            assert_eq!(headers(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_secret_goes_out_of_a_text_also_where_the_text_was_cut() {
        assert_eq!(without("no hunter22 here", "hunter22"), "no [secret] here");
        assert_eq!(without("refused: hunt...", "hunter22"), "refused: [secret]...");
        assert_eq!(without("the hunt goes on...", "hunter22"), "the hunt goes on...");
        assert_eq!(without("pässwör...", "pässwört"), "[secret]...");
    }

    #[test]
    fn debug_of_a_configuration_shows_no_secret() {
        assert!(!format!("{:?}", config("https://head:8081")).contains("hunter22"));
    }
}
