//! Certificates for a review: what would be made or is given, and who reads it under which names.

use crate::failure::{Failure, bug, client_problem};
use crate::operation::{Operation, Planned};
use plinth_keystore::{FileKeystore, Review, SeenCertificate};
use plinth_model::plan::Step;
use plinth_model::steps::{Certificate, CertificateSource, HelmRelease, KubeSecret, SecretContent};
use plinth_model::{Plan, Work};
use plinth_world::{Clock as _, SystemClock};
use serde_json::{Value, json};

/// A certificate of the site.
#[derive(Clone, Debug)]
pub struct CertificateReview {
    wanted: Certificate,
    seen: Review,
    read_by: Vec<Reader>,
}

/// A place where it is read.
#[derive(Clone, Debug)]
struct Reader {
    component: String,
    namespace: String,
    secret: String,
    keys: Vec<String>,
    reason: String,
}

impl Operation<'_> {
    /// Every certificate of the plan, with what is kept and given of it. Reads files only, and no private key.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn certificates(&self, planned: &Planned) -> Result<Vec<CertificateReview>, Failure> {
        let secrets = self.secrets().ok_or_else(|| bug("looking at certificates", "there are no secrets"))?;
        let keystore = FileKeystore::new(self.directory(), secrets).below(self.input().site.folder());
        let now = SystemClock::new().now();
        let wanted = planned.plan.steps.iter().filter_map(|step| match &step.work {
            Work::Certificate(certificate) => Some(certificate),
            _ => None,
        });
        let review = |wanted: &Certificate| {
            let seen = keystore.review(&wanted.name, &wanted.names, &wanted.source, now);
            let seen = seen.map_err(|error| client_problem(&error))?;
            Ok(CertificateReview { wanted: wanted.clone(), seen, read_by: readers(&planned.plan, &wanted.name) })
        };
        wanted.map(review).collect()
    }
}

/// Secrets that are made of the certificate, with the releases that stand behind them.
fn readers(plan: &Plan, certificate: &str) -> Vec<Reader> {
    let of_secret = |step: &Step| {
        let Work::KubeSecret(secret) = &step.work else { return Vec::new() };
        let Some(keys) = keys(secret, certificate) else { return Vec::new() };
        let behind = plan.steps.iter().filter_map(|other| match &other.work {
            Work::HelmRelease(HelmRelease { release, .. }) if other.needs.contains(&step.id) => Some(release),
            _ => None,
        });
        let reader = |component: &String| Reader {
            component: component.clone(),
            namespace: secret.namespace.clone(),
            secret: secret.name.clone(),
            keys: keys.clone(),
            reason: step.reason.to_string(),
        };
        behind.map(|release| reader(&release.component)).collect::<Vec<_>>()
    };
    plan.steps.iter().flat_map(of_secret).collect()
}

/// The keys of a secret that hold something of the certificate; none: nothing does.
fn keys(secret: &KubeSecret, wanted: &str) -> Option<Vec<String>> {
    match &secret.content {
        SecretContent::Tls { certificate } if certificate == wanted => {
            Some(vec!["tls.crt".to_owned(), "tls.key".to_owned()])
        }
        SecretContent::Authority { certificate, key } if certificate == wanted => Some(vec![key.clone()]),
        _ => None,
    }
}

/// The reviews as text for people.
#[must_use]
pub fn text(reviews: &[CertificateReview]) -> String {
    let all: Vec<String> = reviews.iter().map(CertificateReview::text).collect();
    if all.is_empty() { "no certificate is wanted\n".to_owned() } else { all.join("\n") }
}

/// The reviews as JSON for programs.
#[must_use]
pub fn json(reviews: &[CertificateReview]) -> Value {
    json!({"schema": 1, "certificates": reviews.iter().map(CertificateReview::json).collect::<Vec<_>>()})
}

impl CertificateReview {
    fn text(&self) -> String {
        let mut lines = vec![format!("certificate {}", self.wanted.name)];
        lines.push(format!(
            "  names    {}",
            self.wanted.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ));
        lines.push(format!("  source   {}", self.source()));
        if self.seen.kept.is_empty() {
            lines.push("  kept     nothing yet".to_owned());
        }
        for (what, chain) in
            [("kept", &self.seen.kept), ("given", &self.seen.given), ("authority", &self.seen.authority)]
        {
            lines.extend(chain.iter().flat_map(|one| shown(what, one)));
        }
        lines.extend(self.seen.wrong.iter().map(|why| format!("  ! {why}")));
        for reader in &self.read_by {
            let Reader { component, namespace, secret, keys, reason } = reader;
            lines.push(format!("  read by  {component}: {} of secret {namespace}/{secret}", keys.join(" and ")));
            lines.push(format!("           {reason}"));
        }
        lines.join("\n") + "\n"
    }

    fn source(&self) -> String {
        match &self.wanted.source {
            CertificateSource::Generated { authority_days, leaf_days } => format!(
                "made here: an own authority for {authority_days} days, and the certificate for {leaf_days} days by it"
            ),
            CertificateSource::Files { certificate, key, authority } => format!(
                "files of the site: {certificate}, its key from {key}, authority {}",
                authority.as_deref().unwrap_or("that everybody trusts")
            ),
        }
    }

    fn json(&self) -> Value {
        let chain = |chain: &[SeenCertificate]| -> Vec<Value> { chain.iter().map(document).collect() };
        let reader = |reader: &Reader| {
            let Reader { component, namespace, secret, keys, reason } = reader;
            json!({"component": component, "namespace": namespace, "secret": secret, "keys": keys, "reason": reason})
        };
        json!({
            "name": self.wanted.name,
            "names": self.wanted.names,
            "source": self.wanted.source,
            "kept": chain(&self.seen.kept),
            "given": chain(&self.seen.given),
            "authority": chain(&self.seen.authority),
            "wrong": self.seen.wrong,
            "readBy": self.read_by.iter().map(reader).collect::<Vec<_>>(),
        })
    }
}

fn shown(what: &str, one: &SeenCertificate) -> [String; 3] {
    let kind = if one.is_authority { "an authority" } else { "for" };
    let names = if one.names.is_empty() { String::new() } else { format!(" {}", one.names.join(", ")) };
    [
        format!("  {what:<8} {}: {kind}{names}", one.subject),
        format!("           signed by {}", one.issuer),
        format!("           from {} until {}, SHA-256 {}", one.from, one.until, one.fingerprint),
    ]
}

fn document(one: &SeenCertificate) -> Value {
    json!({
        "subject": one.subject,
        "issuer": one.issuer,
        "names": one.names,
        "from": one.from.to_string(),
        "until": one.until.to_string(),
        "sha256": one.fingerprint,
        "isAuthority": one.is_authority,
    })
}
