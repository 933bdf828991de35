//! The control plane is up: Keycloak names the right issuer, lets the administrator in, and clusters are listed.

use super::is_new;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, done, todo};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::{RunaiIssuer, RunaiTarget};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use std::sync::{Mutex, PoisonError};

const CLIENT: &str = "runai";

impl StepKind for RunaiIssuer {
    const EXPLANATION: Explanation = Explanation {
        kind: RunaiIssuer::KIND,
        title: "The control plane is up, and Keycloak names exactly the issuer that Run:ai expects.",
        probe: "Reads the discovery document and compares the issuer as an exact text: a mismatch stops, since every token would be refused. Then gets a token for the administrator, and lists clusters.",
        act: "Waits until Keycloak, its realm, the administrator and the list of clusters answer. A refused login is tried again every 30 s until the deadline, as long as no cluster was registered from here, or the control plane was installed within the last hour.",
    };

    /// Keycloak names exactly the expected issuer, and the control plane can be worked with.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        Ok(look(self, env).await?.0)
    }

    /// Waits until the control plane is up.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let last = Mutex::new(None);
        let watched = || async {
            let (probed, why) = look(self, env).await?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = why;
            Ok(probed)
        };
        let late = |seen: &[String]| {
            let why = last.lock().unwrap_or_else(PoisonError::into_inner).take();
            late(&self.target, seen, why)
        };
        wait::until(&wait::Limit::of(step, env), env, CLIENT, watched, late).await
    }
}

/// What is seen, and what the control plane lacks where only its interface knows.
async fn look(step: &RunaiIssuer, env: &StepEnv) -> Result<(Probed, Option<Finding>), ClientError> {
    let RunaiIssuer { target, release } = step;
    let expected = target.issuer();
    match env.clients.runai.issuer(&env.ctx, target).await? {
        Some(found) if found == expected => {}
        Some(found) => return Ok((blocked(issuer_mismatch(target, &expected, &found))?, None)),
        None => {
            let missing = format!("! Keycloak does not answer for realm {} at {} yet", target.realm, target.url);
            return Ok((todo(missing)?, None));
        }
    }
    let is_new = is_new(env, release.as_ref()).await?;
    match env.clients.runai.up(&env.ctx, target, is_new).await {
        Ok(()) => Ok((done(format!("issuer is {expected}"))?, None)),
        Err(error) if error.transient.is_some() => {
            Ok((todo(format!("! {}", error.happened))?, error.finding.map(|finding| *finding)))
        }
        Err(error) => Err(error),
    }
}

/// The time is over: what the control plane said last is why, if it said anything.
fn late(target: &RunaiTarget, seen: &[String], why: Option<Finding>) -> Finding {
    let silent = || {
        let message = "Keycloak did not answer with its discovery document in time";
        Finding::error(code::RUNAI_ISSUER_ABSENT, &target.url, message).fix(
            "look at the pods keycloak and postgresql of namespace runai-backend, and at the ingress of the domain",
        )
    };
    let mut finding = why.unwrap_or_else(silent);
    finding.evidence.extend(seen.iter().cloned());
    finding
}

/// The issuer stands in every token and is compared as an exact text, so a port that is missing on one side makes the
/// control plane answer 401 "Issuer is not familiar." to everybody.
fn issuer_mismatch(target: &RunaiTarget, expected: &str, found: &str) -> Finding {
    Finding::error(code::RUNAI_ISSUER_MISMATCH, &target.url, "Keycloak names another issuer than the one that Run:ai expects")
        .evidence(format!("expected: {expected}"))
        .evidence(format!("found:    {found}"))
        .evidence("the two are compared as exact texts; with any port but 443, Keycloak must be told its whole URL with the port")
        .fix(
            "serve Run:ai on port 443 (a load balancer or an ingress proxy); with a node port, the control plane's values must hold \
             KC_HOSTNAME as the full URL with the port, and keycloakExternalEndpoint as host:port",
        )
}
