//! What the ingress shows to a user of the platform.

use super::seen;
use crate::api::KubeApi;
use plinth_net::probe;
use plinth_world::keystore::CertificatePart;
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientError, ClientResult};
use std::net::Ipv4Addr;

/// Asks the URL from this machine. Any answer of a server that is believed will do, but one that says that nobody is behind it.
pub(super) async fn check(
    api: &KubeApi,
    url: &str,
    address: Option<Ipv4Addr>,
    certificate: Option<&str>,
) -> ClientResult<CheckSeen> {
    let authority = match certificate {
        None => None,
        Some(name) => Some(api.keystore.read(name, CertificatePart::Authority).map_err(|why| {
            ClientError::new("kube", format!("checking {url}"))
                .happened(format!("the authority of certificate `{name}` {why}"))
                .attempt("run `plinth apply`: it makes the certificate, or takes it over again")
        })?),
    };
    let place = address.map(|address| format!(" at {address}")).unwrap_or_default();
    match probe::https(url, address, authority.as_ref().map(|pem| pem.expose().as_bytes())).await {
        Err(why) => Ok(seen(false, [format!("{url}{place}: {why}")])),
        Ok(answer) => {
            let behind = !matches!(answer.status, 404 | 502 | 503 | 504);
            let until = jiff::Timestamp::from_second(answer.ends).map(|end| format!("{end:.0}")).unwrap_or_default();
            let shown = format!("its certificate is for {}, until {until}", answer.names.join(", "));
            Ok(seen(behind, [format!("{url}{place} answers {} over verified TLS", answer.status), shown]))
        }
    }
}
