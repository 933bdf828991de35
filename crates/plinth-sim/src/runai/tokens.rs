//! Tokens of the simulated Keycloak: of the form of Keycloak's, known by heart instead of by a signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Tokens that were given out, and until when they count.
#[derive(Default)]
pub(super) struct Tokens(BTreeMap<String, Instant>);

/// What a token is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Good, by this issuer.
    By(String),
    /// Over, or never given.
    Nothing,
}

impl Tokens {
    /// A new one.
    pub(super) fn give(&mut self, issuer: &str, valid_s: u64) -> String {
        let token = signed_like(&json!({"iss": issuer, "exp": now_s() + valid_s, "typ": "Bearer"}));
        self.0.insert(token.clone(), Instant::now() + Duration::from_secs(valid_s));
        token
    }

    /// Every token that was given is over.
    pub(super) fn end(&mut self) {
        self.0.values_mut().for_each(|until| *until = Instant::now());
    }

    /// All that were ever given.
    pub(super) fn all(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn worth(&self, token: &str) -> Worth {
        let good = self.0.get(token).is_some_and(|until| Instant::now() < *until);
        let issuer = claims(token).and_then(|claims| claims["iss"].as_str().map(str::to_owned));
        issuer.filter(|_| good).map_or(Worth::Nothing, Worth::By)
    }
}

/// A token of the form of a signed one, whose signature is a random number.
pub(super) fn signed_like(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode([*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat());
    format!("{}.{}.{signature}", part(&json!({"alg": "RS256", "typ": "JWT", "kid": "simulated"})), part(claims))
}

pub(super) fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Seconds since 1970.
pub(super) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}
