//! The platform's URL answers with the certificate that is kept.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{differs, done};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::{CertificateServed, Check};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::kube::CheckSeen;

const CLIENT: &str = "kube";

impl StepKind for CertificateServed {
    const EXPLANATION: Explanation = Explanation {
        kind: CertificateServed::KIND,
        title: "The platform's URL answers with the certificate that is kept now.",
        probe: "Asks the URL over TLS, trusting what is handed out, and compares the certificate that is shown with the kept one.",
        act: "Waits until its deadline, looking often at first and then every ten seconds.",
    };

    /// It is shown, and somebody is behind it.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { url, address, certificate } = self;
        let (url, certificate) = (url.clone(), certificate.clone());
        let check = Check::Ingress { url, address: *address, certificate, nobody_behind: false };
        match env.clients.kube.run_check(&env.ctx, &check).await? {
            CheckSeen::Holds(lines) => done(lines.join("; ")),
            CheckSeen::Fails { evidence, .. } => Ok(differs(evidence.iter().map(|line| format!("! {line}")).collect())),
            CheckSeen::Skipped(reason) => done(reason),
        }
    }

    /// Waits until the new certificate is served; it changes nothing itself.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let late = |seen: &[String]| {
            let message = format!("{} does not answer with the new certificate", self.url);
            let mut finding = Finding::error(code::INGRESS_CERTIFICATE_NOT_TRUSTED, &self.url, message);
            finding.evidence = seen.to_vec();
            finding.fix("see whether the ingress controller reads the secret that its Ingress names (its log says when it reloads), then run the same command again: it goes on here")
        };
        wait::until(&wait::Limit::of(step, env), env, CLIENT, || self.probe(env), late).await
    }
}
