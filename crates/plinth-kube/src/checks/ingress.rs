//! What the ingress shows to a user of the platform.

use super::seen;
use crate::api::KubeApi;
use plinth_model::finding::code;
use plinth_net::probe::{self, ProbeError};
use plinth_net::trust::certificates;
use plinth_world::keystore::CertificatePart;
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientError, ClientResult};
use std::net::Ipv4Addr;

/// Asks the URL from this machine. A server that is believed may say anything but that nobody is behind it.
pub(super) async fn check(
    api: &KubeApi,
    url: &str,
    address: Option<Ipv4Addr>,
    certificate: Option<&str>,
) -> ClientResult<CheckSeen> {
    let read = |name: &str, part| {
        api.keystore.read(name, part).map_err(|why| {
            let attempt = "run `plinth apply`: it makes the certificate, or takes it over again";
            local(url, format!("certificate `{name}`: {why}"), attempt)
        })
    };
    let authority = certificate.map(|name| read(name, CertificatePart::Authority)).transpose()?;
    let chain = certificate.map(|name| read(name, CertificatePart::Chain)).transpose()?;
    let place = address.map(|address| format!(" at {address}")).unwrap_or_default();
    let asked = probe::https(url, address, authority.as_ref().map(|pem| pem.expose().as_bytes())).await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(ProbeError::Here(why)) => {
            return Err(local(url, why, "look at this machine's authorities (ca-certificates)"));
        }
        Err(ProbeError::NotBelieved(why)) => return Ok(seen(false, [format!("{url}{place}: {why}")])),
        Err(ProbeError::NoAnswer(why)) => return Ok(nobody(vec![format!("{url}{place}: {why}")])),
    };
    let until = jiff::Timestamp::from_second(answer.ends).map(|end| format!("{end:.0}")).unwrap_or_default();
    let shown = format!("its certificate is for {}, until {until}", answer.names.join(", "));
    let kept = chain.as_ref().and_then(|pem| certificates(pem.expose().as_bytes()).ok()?.into_iter().next());
    if kept.is_some_and(|kept| *kept != *answer.certificate) {
        return Ok(seen(false, [format!("{url}{place} shows another certificate than the kept one"), shown]));
    }
    let line = format!("{url}{place} answers {} over verified TLS", answer.status);
    Ok(if matches!(answer.status, 404 | 502 | 503 | 504) {
        nobody(vec![line, shown])
    } else {
        seen(true, [line, shown])
    })
}

fn nobody(evidence: Vec<String>) -> CheckSeen {
    CheckSeen::Fails { evidence, code: Some(code::INGRESS_NOBODY_BEHIND) }
}

fn local(url: &str, happened: String, attempt: &str) -> ClientError {
    ClientError::new("kube", format!("checking {url}")).happened(happened).attempt(attempt)
}
