//! What an answer means whose status is no good one, in words that hold no secret of ours.

use crate::answer::Answer;
use crate::failure::{Cause, Failure};
use crate::link::Link;
use serde_json::Value;

/// What a refusal says, in Keycloak's form (`error`, `error_description`) or in Run:ai's (`message`, `details`).
#[derive(Default)]
pub(crate) struct Refusal {
    /// Keycloak's name of the error: `invalid_grant`.
    pub(crate) error: String,
    /// The text for people, cleaned.
    pub(crate) text: String,
}

impl Answer {
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
}

/// What Run:ai says of a token whose issuer is not the one that it was told.
const UNKNOWN_ISSUER: &str = "issuer is not familiar";
