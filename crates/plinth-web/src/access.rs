//! Who may look. Loopback is not private on a head node with many users, so there is a token on it too; and a page elsewhere must not read
//! this one by a name that leads here (DNS rebinding), so the host that is asked for must be ours.

use axum::http::header::{AUTHORIZATION, COOKIE, HOST};
use axum::http::{HeaderMap, Uri};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use plinth_model::{Problem, Secret};
use sha2::{Digest as _, Sha256};
use std::net::Ipv6Addr;

/// Bytes of chance in a token.
const BYTES: usize = 32;
/// Fewest characters of a token that somebody gives.
const FEWEST: usize = 20;

/// What lets a reader in.
#[derive(Clone, Debug)]
pub struct Token(Secret);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When this machine has no random numbers.
    pub fn new() -> Result<Self, Problem> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            Problem::while_doing("making a token for the page")
                .bug(error)
                .try_this("look whether `/dev/urandom` works here")
        })?;
        Ok(Self(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// One that was kept.
    ///
    /// # Errors
    /// When it is too short to keep anybody out, or could not stand in an address.
    pub fn given(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.len() >= FEWEST && text.chars().all(fits) {
            return Ok(Self(Secret::new(text.to_owned())));
        }
        Err(Problem::while_doing("reading the token of the page")
            .wrong_input(format!("it is not {FEWEST} or more letters, digits, `-` and `_`"))
            .try_this("remove the file: a token is made and kept there"))
    }

    /// The text, for the link that is printed and the file that keeps it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the cookie says: it lets in, and does not tell the token.
    fn cookie(&self) -> String {
        hex::encode(Sha256::digest(format!("cookie of {}", self.expose())))
    }
}

/// Compares without telling by its time where two texts differ.
fn same(a: &str, b: &str) -> bool {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(a).iter().zip(digest(b)).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Anybody.
    Stranger,
    /// It showed a certificate that was accepted.
    Certified,
    /// Our own user, or the administrator, behind a socket of mode 0600.
    Owner,
}

/// Decides who may look: whoever has the token, and peers that are known without it.
pub(crate) struct Guard {
    token: Token,
    hosts: Vec<String>,
    cookie: String,
    secure: bool,
}

/// Names of this machine for itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Guard {
    /// `hosts` are names beside those of loopback; `port` keeps the cookies of two servers apart.
    pub(crate) fn new(token: Token, hosts: &[String], (port, secure): (u16, bool)) -> Self {
        let own = LOOPBACK.iter().map(|name| (*name).to_owned());
        let given = hosts.iter().map(|name| host_name(name)).filter(|name| !name.is_empty());
        let hosts = own.chain(given).collect();
        Self { token, hosts, cookie: format!("plinth-{port}"), secure }
    }

    /// Whether the host that is asked for is this one.
    pub(crate) fn is_ours(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        let host = match uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => first.and_then(|host| host.to_str().ok()),
        };
        second.is_none() && host.is_some_and(|host| self.hosts.contains(&name_of(host)))
    }

    /// Whether somebody with these headers may look.
    pub(crate) fn lets_in(&self, peer: Peer, headers: &HeaderMap) -> bool {
        if peer != Peer::Stranger {
            return true;
        }
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        bearer.is_some_and(|given| same(given, self.token.expose()))
            || cookies.any(|(name, value)| name == self.cookie && same(value, &self.token.cookie()))
    }

    /// The cookie for whoever came with the token in the address; none: it is not the token.
    pub(crate) fn admitted(&self, given: &str) -> Option<String> {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = || self.token.cookie();
        same(given, self.token.expose())
            .then(|| format!("{}={}; Path=/; HttpOnly; SameSite=Strict{secure}", self.cookie, cookie()))
    }
}

/// A host that somebody names, as it stands in an address: without a port, and with brackets around an address of IPv6.
pub(crate) fn host_name(given: &str) -> String {
    match given.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => name_of(given),
    }
}

/// A host without its port.
fn name_of(host: &str) -> String {
    let end = match host.rfind(']') {
        Some(end) => end + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    host.get(..end).unwrap_or_default().to_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: axum::http::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_hosts_of_ours_are_answered() {
        let given = ["Bastion.example", "page.example:8443", "fd00::1", ""].map(str::to_owned);
        let guard = Guard::new(Token::new().unwrap(), &given, (80, false));
        let asked = |hosts: &[&str]| guard.is_ours(&Uri::from_static("/x"), &with(HOST, hosts));
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:9", "[::1]", "bastion.example:443"] {
            assert!(asked(&[host]), "{host}");
        }
        for host in ["page.example", "Page.Example:8443", "[fd00::1]:443"] {
            assert!(asked(&[host]), "{host} as it was given");
        }
        for hosts in
            [&["evil.example"][..], &[], &[""], &["localhost.evil.example"], &["localhost", "evil"], &["[::2]:1"]]
        {
            assert!(!asked(hosts), "{hosts:?}");
        }
        let absolute = Uri::from_static("http://evil.example/x");
        assert!(!guard.is_ours(&absolute, &with(HOST, &["localhost"])), "the address counts, as in HTTP");
    }

    #[test]
    fn the_token_lets_in_once_as_link_then_as_cookie() {
        let token = Token::new().unwrap();
        let guard = Guard::new(token.clone(), &[], (8080, true));
        let nobody = Peer::Stranger;
        assert!(!guard.lets_in(nobody, &HeaderMap::new()));
        assert!(guard.admitted("x").is_none() && guard.admitted("").is_none());
        let cookie = guard.admitted(token.expose()).unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Secure", "plinth-8080="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains(token.expose()), "the cookie is not the token");
        let pair = cookie.split(';').next().unwrap();
        assert!(guard.lets_in(nobody, &with(COOKIE, &[&format!("a=b; {pair}")])));
        assert!(!guard.lets_in(nobody, &with(COOKIE, &["plinth-8080=x"])));
        let other = Guard::new(Token::new().unwrap(), &[], (8080, true));
        assert!(!other.lets_in(nobody, &with(COOKIE, &[pair])), "of another server");
        assert!(guard.lets_in(nobody, &with(AUTHORIZATION, &[&format!("Bearer {}", token.expose())])));
        for known in [Peer::Certified, Peer::Owner] {
            assert!(guard.lets_in(known, &HeaderMap::new()), "{known:?}");
        }
        assert!(!format!("{token:?}").contains(token.expose()), "nor does a log tell it");
    }

    #[test]
    fn a_token_that_keeps_nobody_out_is_refused() {
        assert!(Token::given("short").is_err() && Token::given(&"ü".repeat(40)).is_err());
        let made = Token::new().unwrap();
        assert_eq!(Token::given(&format!("{}\n", made.expose())).unwrap().expose(), made.expose());
    }
}
