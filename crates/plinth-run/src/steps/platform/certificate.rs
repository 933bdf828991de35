//! Certificates of the platform.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{self, blocked, compared, days, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::{Certificate, CertificateSource};
use plinth_model::{CertificateName, Finding, Step};
use plinth_world::ClientError;
use plinth_world::keystore::{CertificateState, uncovered};
use std::collections::BTreeSet;
impl StepKind for Certificate {
    const EXPLANATION: Explanation = Explanation {
        kind: Certificate::KIND,
        title: "The platform's certificate is in the state directory.",
        probe: "Reads it: key and chain must match, names must be the wanted ones, and more than a third of its life must be left. Given files are compared with the kept copy.",
        act: "Makes an own authority once and a leaf for the names, or takes over the given files after checking them.",
    };

    /// The certificate is kept, is for these names, is what its source says, and has more than a third of its life left.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { name, names, source } = self;
        let kept = match env.clients.keystore.certificate(&env.ctx, name).await? {
            Some(kept) => kept,
            None => return todo(format!("+ certificate for {}", listed(names))),
        };
        let begun = env.clients.keystore.rotation(&env.ctx, name).await?.is_some();
        let mut differences = certificate_differences(&kept, names, source);
        let of_source = env.clients.keystore.source_differs(&env.ctx, name, source).await?;
        if !of_source.is_empty() && env.clients.keystore.takes_trust(&env.ctx, name, source).await? {
            return blocked(replaced(of_source));
        }
        differences.extend(of_source);
        let compared =
            compared(differences, || format!("for {}, {} left", kept.names.join(", "), days(kept.days_left)));
        let authority = authority_ends_soon(&kept, source);
        Ok(compared.noting(ends_soon(&kept, source).into_iter().chain(authority).chain(begun.then(unfinished))))
    }

    /// Makes the certificate, or takes it over from files.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { name, names, source } = self;
        let made = env.clients.keystore.make_certificate(&env.ctx, name, names, source).await?;
        Ok(format!("certificate for {}, {}", made.names.join(", "), days(made.days_left)))
    }
}

/// Nobody but its giver can renew a given certificate.
fn ends_soon(kept: &CertificateState, source: &CertificateSource) -> Option<Finding> {
    let CertificateSource::Files { certificate, .. } = source else { return None };
    (kept.days_left < outcome::ENOUGH_DAYS).then(|| {
        let message = format!("the certificate for {} ends in {}", kept.names.join(", "), days(kept.days_left));
        Finding::warning(code::PLATFORM_CERTIFICATE_ENDS_SOON, "runai.certificate", message)
            .evidence(format!("file {certificate}"))
            .fix("get a new one from whoever issued it, put it into the files that the site names, then run `plinth rotate certificates`")
    })
}

/// Before the next leaf of full life could be made by it; a given one as its leaf.
fn authority_ends_soon(kept: &CertificateState, source: &CertificateSource) -> Option<Finding> {
    let left = kept.authority.as_ref()?.days_left;
    let (enough, option) = match source {
        CertificateSource::Generated { leaf_days, .. } => (i64::from(*leaf_days), " --authority"),
        CertificateSource::Files { .. } => (outcome::ENOUGH_DAYS, ""),
    };
    (left < enough).then(|| {
        let message = format!("the authority of the certificate for {} ends in {}", kept.names.join(", "), days(left));
        let first = if option.is_empty() { "put the files of the new one in place, then " } else { "" };
        Finding::warning(code::PLATFORM_AUTHORITY_ENDS_SOON, "runai.certificate", message)
            .fix(format!("{first}run `plinth rotate certificates{option}`: everybody goes on meanwhile"))
    })
}

/// Who mounted the old authority fails from the moment on when it is exchanged at once.
fn replaced(seen: Vec<String>) -> Finding {
    let message = "the authority behind the certificate is another one than the kept one, and pods read the old one when they began";
    let mut finding = Finding::error(code::PLATFORM_AUTHORITY_REPLACED, "runai.certificate", message);
    finding.evidence = seen;
    finding.fix("run `plinth rotate certificates`: it has both trusted first, and takes the old one out last")
}

fn unfinished() -> Finding {
    let message = "the exchange of the certificate was begun and not finished";
    Finding::warning(code::PLATFORM_ROTATION_UNFINISHED, "runai.certificate", message)
        .fix("run `plinth rotate certificates`: it goes on where it stopped")
}

/// Own certificates are for exactly the wanted names, and renewed early. Given ones may cover more (wildcards are judged when
/// they are taken over), and only their end counts: nobody but their giver can renew them.
fn certificate_differences(
    kept: &CertificateState,
    names: &[CertificateName],
    source: &CertificateSource,
) -> Vec<String> {
    let mut differences = Vec::new();
    match source {
        CertificateSource::Generated { leaf_days, .. } => {
            let have: BTreeSet<String> = kept.names.iter().map(|name| name.to_ascii_lowercase()).collect();
            if have != names.iter().map(ToString::to_string).collect() {
                differences.push(format!("~ names {} → {}", kept.names.join(", "), listed(names)));
            }
            if kept.days_left.saturating_mul(3) <= i64::from(*leaf_days) {
                differences.push(format!("~ {} of {} left: a new leaf", kept.days_left, days(i64::from(*leaf_days))));
            }
        }
        CertificateSource::Files { .. } => {
            let missing = uncovered(&kept.names, names);
            if !missing.is_empty() {
                differences.push(format!("~ it does not cover {}", missing.join(", ")));
            }
            if kept.days_left <= 0 {
                differences.push("~ it has expired".to_owned());
            }
        }
    }
    differences
}

fn listed(names: &[CertificateName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
