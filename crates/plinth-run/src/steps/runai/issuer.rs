//! The issuer that Keycloak names.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, done, todo};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::{RunaiIssuer, RunaiTarget};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;

const CLIENT: &str = "runai";

impl StepKind for RunaiIssuer {
    const EXPLANATION: Explanation = Explanation {
        kind: RunaiIssuer::KIND,
        title: "Keycloak names exactly the issuer that Run:ai expects.",
        probe: "Reads the discovery document and compares the issuer as an exact text. A mismatch stops, since every token would be refused.",
        act: "Waits until Keycloak answers.",
    };

    /// Keycloak names exactly the expected issuer.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target } = self;
        let expected = target.issuer();
        match env.clients.runai.issuer(&env.ctx, target).await? {
            Some(found) if found == expected => done(format!("issuer is {expected}")),
            Some(found) => blocked(issuer_mismatch(target, &expected, &found)),
            None => todo(format!("! Keycloak does not answer at {} yet", target.url)),
        }
    }

    /// Waits until Keycloak answers.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target } = self;
        let late = |seen: &[String]| {
            let message = "Keycloak did not answer with its discovery document in time";
            let mut finding = Finding::error(code::RUNAI_ISSUER_ABSENT, &target.url, message).fix(
                "look at the pods keycloak and postgresql of namespace runai-backend, and at the ingress of the domain",
            );
            finding.evidence = seen.to_vec();
            finding
        };
        wait::until(&wait::Limit::of(step, env), env, CLIENT, || self.probe(env), late).await
    }
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
