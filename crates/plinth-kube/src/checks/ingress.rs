//! What the ingress shows to a user of the platform.

use super::seen;
use crate::api::KubeApi;
use plinth_model::finding::code;
use plinth_net::probe::{self, Answer, ProbeError};
use plinth_net::trust::certificates;
use plinth_world::keystore::CertificatePart;
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientError, ClientResult};
use std::net::Ipv4Addr;

/// Asks the URL from this machine. A server that is believed may say anything, but that nobody is behind it only where nobody has to be.
pub(super) async fn check(
    api: &KubeApi,
    (url, address): (&str, Option<Ipv4Addr>),
    certificate: Option<&str>,
    behind: bool,
) -> ClientResult<CheckSeen> {
    let read = |name: &str, part| {
        api.keystore.read(name, part).map_err(|why| {
            let attempt = "run `plinth apply`: it makes the certificate, or takes it over again";
            local(url, format!("certificate `{name}`: {why}"), attempt)
        })
    };
    let authority = certificate.map(|name| read(name, CertificatePart::Authority)).transpose()?;
    let chain = certificate.map(|name| read(name, CertificatePart::Chain)).transpose()?;
    let kept = chain.as_ref().and_then(|pem| certificates(pem.expose().as_bytes()).ok()?.into_iter().next());
    let asked = probe::https(url, address, authority.as_ref().map(|pem| pem.expose().as_bytes())).await;
    let place = address.map(|address| format!(" at {address}")).unwrap_or_default();
    judged(asked, kept.as_deref(), behind, &format!("{url}{place}"))
        .map_err(|why| local(url, why, "look at this machine's authorities (ca-certificates)"))
}

/// What the answer proves, if `kept` is the certificate that users are told to trust; the error says why nobody could be asked.
fn judged(
    asked: Result<Answer, ProbeError>,
    kept: Option<&[u8]>,
    behind: bool,
    place: &str,
) -> Result<CheckSeen, String> {
    let answer = match asked {
        Ok(answer) => answer,
        Err(ProbeError::Here(why)) => return Err(why),
        Err(ProbeError::NotBelieved(why)) => return Ok(seen(false, [format!("{place}: {why}")])),
        Err(ProbeError::NoAnswer(why)) => return Ok(nobody(vec![format!("{place}: {why}")])),
    };
    let until = jiff::Timestamp::from_second(answer.ends).map(|end| format!("{end:.0}")).unwrap_or_default();
    let shown = format!("its certificate is for {}, until {until}", answer.names.join(", "));
    if kept.is_some_and(|kept| *kept != *answer.certificate) {
        return Ok(seen(false, [format!("{place} shows another certificate than the kept one"), shown]));
    }
    let line = format!("{place} answers {} over verified TLS", answer.status);
    Ok(if behind && matches!(answer.status, 404 | 502 | 503 | 504) {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PLACE: &str = "https://runai.lab.example at 192.0.2.5";

    fn answer(status: u16) -> Answer {
        Answer { status, names: vec!["runai.lab.example".to_owned()], ends: 1_800_000_000, certificate: vec![1, 2] }
    }

    #[test]
    fn only_an_answer_of_somebody_behind_it_with_the_kept_certificate_holds() {
        let seen = judged(Ok(answer(200)), Some(&[1, 2]), true, PLACE).unwrap();
        let CheckSeen::Holds(evidence) = seen else { panic!("{seen:?}") };
        assert_eq!(
            evidence,
            [
                "https://runai.lab.example at 192.0.2.5 answers 200 over verified TLS",
                "its certificate is for runai.lab.example, until 2027-01-15T08:00:00Z"
            ]
        );
        assert!(judged(Ok(answer(401)), None, true, PLACE).unwrap().holds(), "a login page is somebody");
        for status in [404, 503] {
            assert!(!judged(Ok(answer(status)), None, true, PLACE).unwrap().holds(), "{status}");
            assert!(
                judged(Ok(answer(status)), None, false, PLACE).unwrap().holds(),
                "{status}: nobody has to be there"
            );
        }
        let other = judged(Ok(answer(404)), Some(&[9]), false, PLACE).unwrap();
        assert!(!other.holds(), "the certificate counts all the same");
    }

    #[test]
    fn each_failure_names_what_is_broken() {
        let cases = [
            (Ok(answer(200)), "shows another certificate than the kept one", None),
            (Ok(Answer { certificate: vec![9], ..answer(503) }), "answers 503", Some(code::INGRESS_NOBODY_BEHIND)),
            (
                Err(ProbeError::NoAnswer("nothing listens".to_owned())),
                "nothing listens",
                Some(code::INGRESS_NOBODY_BEHIND),
            ),
            (Err(ProbeError::NotBelieved("it expired".to_owned())), "it expired", None),
        ];
        for (asked, line, wanted) in cases {
            let CheckSeen::Fails { evidence, code } = judged(asked, Some(&[9]), true, PLACE).unwrap() else {
                panic!("{line}")
            };
            assert!(evidence[0].contains(line), "{evidence:?}");
            assert_eq!(code, wanted, "{line}");
        }
        assert_eq!(
            judged(Err(ProbeError::Here("no authorities".to_owned())), None, true, PLACE).unwrap_err(),
            "no authorities"
        );
    }
}
