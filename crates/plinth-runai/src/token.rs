//! Tokens of the administrator, in the ways that the target names.

use crate::answer::Answer;
use crate::failure::{Cause, Failure};
use crate::link::{Body, Link};
use plinth_model::Secret;
use plinth_model::steps::{RunaiTarget, TokenForm, TokenWay};
use plinth_world::deadlines;
use reqwest::Method;
use serde_json::{Map, Value};
use std::time::Duration;

/// Keycloak's names for a client that it does not know, or that may not do this.
const UNKNOWN_CLIENT: [&str; 3] = ["invalid_client", "unauthorized_client", "unsupported_grant_type"];

/// A token as it was given.
pub(crate) struct Given {
    pub(crate) value: Secret,
    valid: Duration,
}

/// A token in use.
pub(crate) struct Token {
    pub(crate) value: Secret,
    /// So that two calls that find it refused replace it once.
    pub(crate) number: u64,
    /// By the clock of the call that got it.
    renew_at: Duration,
}

impl Token {
    pub(crate) fn new(given: Given, number: u64, now: Duration) -> Self {
        // A short life, as tests and strict realms have it, is used for its first half.
        let margin = deadlines::RUNAI_TOKEN_MARGIN.min(given.valid / 2);
        Self { value: given.value, number, renew_at: now + given.valid.saturating_sub(margin) }
    }

    pub(crate) fn is_good(&self, now: Duration) -> bool {
        now < self.renew_at
    }
}

/// Asks in each way, in order, until one is known to the server. A refused password ends it: tried again and again it would lock
/// the account.
pub(crate) async fn get(link: &Link, target: &RunaiTarget, password: &Secret) -> Result<Given, Failure> {
    let mut unknown = None;
    for way in &target.api.tokens {
        match one(link, target, way, password).await {
            Err(failure) if failure.cause == Cause::UnknownWay => drop(unknown.get_or_insert(failure)),
            end => return end,
        }
    }
    Err(unknown.unwrap_or_else(|| Failure::new(Cause::Input, "the catalog names no way to a token for this release")))
}

async fn one(link: &Link, target: &RunaiTarget, way: &TokenWay, password: &Secret) -> Result<Given, Failure> {
    let path = way.path.replace("{realm}", &target.realm);
    let answer = link.exchange(Method::POST, &path, &body(target, way, password), None).await?;
    match answer.status {
        200..=299 => given(&answer, way),
        _ => Err(refusal(&answer, link, target, &path)),
    }
}

fn body(target: &RunaiTarget, way: &TokenWay, password: &Secret) -> Body {
    let value = |text: &str| match text {
        "{admin}" => target.admin.clone(),
        "{password}" => password.expose().to_owned(),
        text => text.to_owned(),
    };
    let fields = way.fields.iter().map(|(name, text)| (name, value(text)));
    match way.form {
        TokenForm::Form => Body::Form(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()),
        TokenForm::Json => {
            let fields: Map<String, Value> = fields.map(|(name, value)| (name.clone(), Value::from(value))).collect();
            Body::Json(Value::Object(fields).to_string())
        }
    }
}

fn given(answer: &Answer, way: &TokenWay) -> Result<Given, Failure> {
    let fields: Map<String, Value> = answer.decode()?;
    let token = fields.get(&way.token).and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token
        .ok_or_else(|| Failure::new(Cause::BadAnswer, format!("the answer to the login holds no `{}`", way.token)))?;
    let valid = fields.get(&way.expires).and_then(Value::as_f64).filter(|seconds| *seconds > 0.0);
    let valid =
        valid.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(deadlines::RUNAI_TOKEN_UNSAID);
    Ok(Given { value: Secret::new(token.to_owned()), valid })
}

/// Status and name of the error are uneven between releases of Keycloak (400 and 401, `invalid_client` and `unauthorized_client`),
/// so the name counts.
fn refusal(answer: &Answer, link: &Link, target: &RunaiTarget, path: &str) -> Failure {
    let refusal = answer.refusal(link);
    let said = match refusal.text.as_str() {
        "" => format!("HTTP {}", answer.status),
        text => format!("HTTP {}: {text}", answer.status),
    };
    let failure = match answer.status {
        400 | 401 if UNKNOWN_CLIENT.contains(&refusal.error.as_str()) => Failure::new(Cause::UnknownWay, said),
        // Run:ai's own ways do not say whether the client or the password was refused; the next way does.
        401 | 404 | 405 if path.starts_with("/api/") && refusal.error.is_empty() => {
            Failure::new(Cause::UnknownWay, said)
        }
        _ if answer.is_of_a_stand_in() || answer.lacks_the_realm(target) => Failure::new(Cause::NotUp, said),
        404 => Failure::new(Cause::UnknownRealm, said),
        400 if refusal.error == "invalid_request" => Failure::new(Cause::Rejected, said),
        400 | 401 => Failure::new(Cause::Credentials, format!("Run:ai refuses the login of the administrator: {said}")),
        _ => return answer.failure(link).unwrap_or_else(|| Failure::new(Cause::Rejected, said)),
    };
    Failure { retry_after: answer.retry_after, ..failure }
}
