//! A session with one control plane: its connection, its token, and calls that carry it.

use crate::answer::Answer;
use crate::failure::{Cause, Failure};
use crate::jwt;
use crate::link::{Body, Link};
use crate::timing::RunaiTiming;
use crate::token::{self, Token};
use backon::{ExponentialBuilder, Retryable as _};
use plinth_model::Secret;
use plinth_model::steps::RunaiTarget;
use plinth_world::Context;
use reqwest::Method;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::Mutex;

/// What became of logging in.
#[derive(Default)]
struct Login {
    token: Option<Token>,
    /// The password was refused: it is not sent again, since the account would be locked by that.
    refused: Option<Failure>,
    /// When that was, by the clock of the call.
    refused_at: Duration,
}

/// A session. The token is got at the first call, renewed before it ends, and once more when it is refused.
pub(crate) struct Session {
    pub(crate) link: Link,
    target: RunaiTarget,
    password: Secret,
    timing: RunaiTiming,
    login: Mutex<Login>,
}

impl Session {
    /// Whether it logs in with this password.
    pub(crate) fn is_with(&self, password: &Secret) -> bool {
        self.password.expose() == password.expose()
    }

    pub(crate) fn new(link: Link, target: &RunaiTarget, password: Secret, timing: RunaiTiming) -> Self {
        Self { link, target: target.clone(), password, timing, login: Mutex::default() }
    }

    /// A read, tried again while that may help: also when the answer breaks off.
    pub(crate) async fn read<T: DeserializeOwned + Send>(&self, ctx: &Context, path: &str) -> Result<T, Failure> {
        let once = || async { self.call(ctx, Method::GET, path, &Body::Empty).await?.decode() };
        self.patiently(ctx, once).await
    }

    /// Tries again what passes, at the pace that the server asks for.
    pub(crate) async fn patiently<T, F>(&self, ctx: &Context, work: impl FnMut() -> F + Send) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let timing = self.timing;
        let backoff = ExponentialBuilder::new()
            .with_min_delay(timing.first_wait)
            .with_max_delay(timing.longest_wait)
            .with_max_times(timing.retries)
            .with_jitter();
        let asked_for =
            |failure: &Failure, wait: Option<Duration>| wait.map(|wait| timing.patience(failure.retry_after).max(wait));
        let again = |failure: &Failure, _| ctx.progress(0, 0, format!("Run:ai: {}; asked again", failure.happened));
        work.retry(backoff).sleep(ctx.pause()).when(Failure::is_passing).adjust(asked_for).notify(again).await
    }

    /// One call with a token; a refused token is replaced once.
    pub(crate) async fn call(&self, ctx: &Context, method: Method, path: &str, body: &Body) -> Result<Answer, Failure> {
        let (token, number) = self.token(ctx, None).await?;
        match self.with_token(&method, path, body, &token).await {
            Err(failure) if failure.cause == Cause::Unauthorized => {
                let (token, _) = self.token(ctx, Some(number)).await?;
                let said = self.with_token(&method, path, body, &token).await;
                said.map_err(|failure| refused_again(failure, &self.target, &token))
            }
            said => said.map_err(|failure| refused_again(failure, &self.target, &token)),
        }
    }

    async fn with_token(&self, method: &Method, path: &str, body: &Body, token: &Secret) -> Result<Answer, Failure> {
        let answer = self.link.exchange(method.clone(), path, body, Some(token)).await?;
        match answer.failure(&self.link) {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }

    /// Lets a password that was refused be sent again, when that is long enough ago: its owner may not have been made then.
    pub(crate) async fn forgive(&self, ctx: &Context) {
        let mut login = self.login.lock().await;
        if ctx.clock().elapsed() >= login.refused_at + self.timing.login_pause {
            login.refused = None;
        }
    }

    /// The token in use, with its number; a new one when there is none, when it is about to end, or when it is the refused one.
    async fn token(&self, ctx: &Context, refused: Option<u64>) -> Result<(Secret, u64), Failure> {
        let mut login = self.login.lock().await;
        let now = ctx.clock().elapsed();
        if let Some(failure) = &login.refused {
            return Err(failure.clone());
        }
        if let Some(token) = login.token.as_ref().filter(|token| token.is_good(now) && Some(token.number) != refused) {
            return Ok((token.value.clone(), token.number));
        }
        let number = login.token.take().map_or(0, |token| token.number.wrapping_add(1));
        let got = self.patiently(ctx, || token::get(&self.link, &self.target, &self.password));
        let got = got.await.map_err(Failure::in_login).inspect_err(|failure| {
            login.refused = Some(failure.clone()).filter(|failure| failure.cause == Cause::Credentials);
            login.refused_at = now;
        })?;
        self.link.remember(&got.value);
        let token = Token::new(got, number, now);
        let answer = (token.value.clone(), number);
        login.token = Some(token);
        Ok(answer)
    }
}

/// What a refusal of a fresh token means: with the issuer in it, which is what Run:ai compares.
fn refused_again(failure: Failure, target: &RunaiTarget, token: &Secret) -> Failure {
    match failure.cause {
        Cause::Issuer => {
            let found = jwt::claim(token.expose(), "iss");
            let found = found.as_ref().and_then(|issuer| issuer.as_str()).unwrap_or("none that can be read");
            failure.evidence(format!("expected: {}", target.issuer())).evidence(format!("in the token: {found}"))
        }
        Cause::Unauthorized => {
            Failure { happened: format!("even a fresh token is refused: {}", failure.happened), ..failure }
        }
        _ => failure,
    }
}
