//! An answer, judged by its status and then by its form.

use crate::failure::{Cause, Failure};
use crate::link::Link;
use plinth_model::steps::RunaiTarget;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// What Run:ai says of a token whose issuer is not the one that it was told.
const UNKNOWN_ISSUER: &str = "issuer is not familiar";

/// What came over the wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether it calls itself a web page.
    pub(crate) html: bool,
    /// How long the server wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// What a refusal says, in Keycloak's form (`error`, `error_description`) or in Run:ai's (`message`, `details`).
#[derive(Default)]
pub(crate) struct Refusal {
    /// Keycloak's name of the error: `invalid_grant`.
    pub(crate) error: String,
    /// The text for people, cleaned.
    pub(crate) text: String,
}

impl Answer {
    /// Whether it is of the kind that something else gives while what should answer is not up.
    pub(crate) fn is_of_a_stand_in(&self) -> bool {
        matches!(self.status, 502..=504) || self.status == 404 && self.json().is_none()
    }

    /// Whether Keycloak itself does not know the realm. In a control plane that plinth installs, the realm comes some time after
    /// Keycloak; in one elsewhere it is named by the site file, and wrong.
    pub(crate) fn lacks_the_realm(&self, target: &RunaiTarget) -> bool {
        self.status == 404 && target.is_here()
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }

    pub(crate) fn refusal(&self, link: &Link) -> Refusal {
        let Some(body) = self.json() else { return Refusal::default() };
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let said = ["error_description", "message", "error"].map(text).into_iter().find(|said| !said.is_empty());
        let said = match (said.unwrap_or_default(), text("details")) {
            (said, "") => said.to_owned(),
            (said, details) => format!("{said} ({details})"),
        };
        Refusal { error: text("error").to_owned(), text: link.quote(&said) }
    }

    /// The failure that the status means for a call of the interface; none: it went well.
    pub(crate) fn failure(&self, link: &Link) -> Option<Failure> {
        let said = || match self.refusal(link).text {
            none if none.is_empty() => format!("HTTP {}", self.status),
            text => format!("HTTP {}: {text}", self.status),
        };
        let failure = match self.status {
            200..=299 => return None,
            300..=399 => Failure::new(Cause::Redirect, format!("HTTP {}: the answer is a redirect", self.status)),
            401 if said().to_ascii_lowercase().contains(UNKNOWN_ISSUER) => Failure::new(Cause::Issuer, said()),
            401 => Failure::new(Cause::Unauthorized, said()),
            403 => Failure::new(Cause::Forbidden, said()),
            404 if self.is_of_a_stand_in() => Failure::new(Cause::NotUp, said()),
            404 => Failure::new(Cause::NotFound, said()),
            409 => Failure::new(Cause::Conflict, said()),
            429 => Failure::new(Cause::TooMany, said()),
            502 | 504 => Failure::new(Cause::Gateway, said()).perhaps_done(),
            500..=599 => Failure::new(Cause::Server, said()).perhaps_done(),
            _ => Failure::new(Cause::Rejected, said()),
        };
        Some(Failure { retry_after: self.retry_after, is_404: self.status == 404, ..failure })
    }

    /// The body as what it should be. No value of it is quoted: it may hold secrets.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let bad = |happened: String| Failure::new(Cause::BadAnswer, happened).perhaps_done();
        if self.html || self.body.trim_ascii_start().first() == Some(&b'<') {
            return Err(bad("a web page came instead of JSON".to_owned()));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner());
            if inner.is_eof() {
                let happened = format!("the answer ends in the middle, after {} bytes", self.body.len());
                return Failure::new(Cause::Truncated, happened).perhaps_done();
            }
            if inner.is_data() {
                return bad(format!(
                    "the answer does not have the form of one: `{path}` is missing or of another kind"
                ));
            }
            bad(format!("the answer is not JSON (line {}, column {})", inner.line(), inner.column()))
        })?;
        reader.end().map_err(|_| bad("something stands behind the JSON of the answer".to_owned()))?;
        Ok(value)
    }
}
