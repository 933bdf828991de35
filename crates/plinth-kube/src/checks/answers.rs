//! Whether the way into the platform answers: the load balancer's address of a service, and the ingress controller behind it.
//!
//! This machine asks first, since users are where it is: outside of the cluster. Only where it does not get there a pod asks. That proves less,
//! because inside the cluster such an address leads to the service whether or not anybody announces it; so the evidence says who asked.

use super::pods::{Until, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use kube::api::{Api, ListParams};
use plinth_model::steps::{AddressRange, Placed};
use plinth_net::probe::{self, Unanswered};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};

/// Says for each port of `$PORTS` `port NUMBER STATUS WORDS` of a request without TLS. Where TLS is spoken it is refused, which is an answer too.
const ASK: &str = r#"
for port in $PORTS; do
    said=$(timeout 10 wget -q -O - "http://$ADDRESS:$port/" 2>&1 >/dev/null)
    echo port "$port" "$?" $said
done
"#;
/// Most warnings that are told of a service.
const WARNINGS: usize = 3;

/// The service has an address of the pool, and each of its ports answers there.
pub(super) async fn balanced(
    call: &Call<'_>,
    service: &Placed,
    pool: &[AddressRange],
    image: &str,
) -> ClientResult<CheckSeen> {
    let services = Api::<Service>::namespaced(call.client(), &service.namespace);
    let place = format!("service {}/{}", service.namespace, service.name);
    let Some(found) = call.read(|| services.get_opt(&service.name)).await? else {
        return Ok(seen(false, [format!("there is no {place}")]));
    };
    let Some(address) = address(&found) else {
        let why = format!("{place} has no address from a load balancer");
        return Ok(seen(false, std::iter::once(why).chain(warnings(call, service).await?)));
    };
    if !pool.iter().any(|range| (range.first..=range.last).contains(&address)) {
        let pool = pool.iter().map(AddressRange::to_string).collect::<Vec<_>>().join(", ");
        return Ok(seen(
            false,
            [format!("{place} has {address}, which is not of platform.loadBalancer.addresses: {pool}")],
        ));
    }
    let ports = ports(&found);
    let (holds, lines) = answers(call, "load-balancer", (address, &ports), false, image).await?;
    Ok(seen(holds && !ports.is_empty(), std::iter::once(format!("{place} has {address}")).chain(lines)))
}

/// Somebody answers HTTP there; that nothing is behind the name is an answer.
pub(super) async fn controller(call: &Call<'_>, address: Ipv4Addr, port: u16, image: &str) -> ClientResult<CheckSeen> {
    let (holds, lines) = answers(call, "ingress", (address, &[port]), true, image).await?;
    Ok(seen(holds, lines))
}

fn address(service: &Service) -> Option<Ipv4Addr> {
    let balancer = service.status.as_ref()?.load_balancer.as_ref()?;
    balancer.ingress.iter().flatten().find_map(|one| one.ip.as_ref()?.parse().ok())
}

fn ports(service: &Service) -> Vec<u16> {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let tcp = ports.filter(|port| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP"));
    tcp.filter_map(|port| u16::try_from(port.port).ok()).collect()
}

/// What was complained about the service, the last at first.
async fn warnings(call: &Call<'_>, service: &Placed) -> ClientResult<Vec<String>> {
    let events = Api::<Event>::namespaced(call.client(), &service.namespace);
    let of = format!("involvedObject.kind=Service,involvedObject.name={},type=Warning", service.name);
    let params = ListParams::default().fields(&of);
    let mut events = call.read(|| events.list(&params)).await?.items;
    events.sort_by_key(|event| std::cmp::Reverse(event.last_timestamp.as_ref().map(|time| time.0)));
    let told = events.into_iter().filter_map(|event| Some(format!("{}: {}", event.reason?, event.message?)));
    Ok(told.take(WARNINGS).collect())
}

/// Whether each port answers, and a line for each.
async fn answers(
    call: &Call<'_>,
    purpose: &str,
    (address, ports): (Ipv4Addr, &[u16]),
    http: bool,
    image: &str,
) -> ClientResult<(bool, Vec<String>)> {
    let (mut lines, mut holds, mut unreached) = (Vec::new(), true, Vec::new());
    for &port in ports {
        let at = SocketAddr::from((address, port));
        let asked = if http { probe::http(at).await.map(Some) } else { probe::tcp(at).await.map(|()| None) };
        match asked {
            Ok(status) => lines.push(format!("{at} answers this machine{}", in_words(status))),
            Err(Unanswered { why, refused: true }) => {
                holds = false;
                lines.push(format!("{at} does not answer this machine: {why}"));
            }
            Err(Unanswered { why, refused: false }) => unreached.push((port, why)),
        }
    }
    if unreached.is_empty() {
        return Ok((holds, lines));
    }
    let room = Room::make(call, purpose).await?;
    let asked = from_pod(&room, address, &unreached, image).await;
    room.leave().await;
    for ((port, why), said) in unreached.iter().zip(asked?) {
        let at = SocketAddr::from((address, *port));
        holds = holds && said.is_ok();
        lines.push(match said {
            Ok(()) => {
                format!("{at} answers a pod, and not this machine ({why}), so whether users reach it is not known")
            }
            Err(said) => format!("{at} answers neither this machine ({why}) nor a pod ({said})"),
        });
    }
    Ok((holds, lines))
}

fn in_words(status: Option<u16>) -> String {
    status.map(|status| format!(" with {status}")).unwrap_or_default()
}

/// What a pod gets for each of these ports; the error says why it is no answer.
async fn from_pod(
    room: &Room<'_>,
    address: Ipv4Addr,
    ports: &[(u16, String)],
    image: &str,
) -> ClientResult<Vec<Result<(), String>>> {
    let mut one = pod("ask", image, &["sh", "-c", ASK], &[]);
    let numbers: Vec<String> = ports.iter().map(|(port, _)| port.to_string()).collect();
    one["spec"]["tolerations"] = json!([{"operator": "Exists"}]);
    one["spec"]["containers"][0]["env"] =
        json!([{"name": "ADDRESS", "value": address.to_string()}, {"name": "PORTS", "value": numbers.join(" ")}]);
    room.put::<Pod>(one).await?;
    let names = ["ask".to_owned()];
    let late = room.wait(&names, Until::Ended, deadlines::CHECK_PODS).await?;
    if !late.is_empty() {
        return Err(room.not_placed(&late));
    }
    let outcome = room.outcome("ask").await?;
    Ok(numbers.iter().map(|port| answered(&outcome.log, port, &outcome.why)).collect())
}

/// 0 is an answer with success, and words with `HTTP/` or of an answer that makes no sense are one as well: somebody is there (busybox).
fn answered(log: &str, port: &str, otherwise: &str) -> Result<(), String> {
    let said = log.lines().find_map(|line| line.strip_prefix("port ")?.strip_prefix(port)?.strip_prefix(' '));
    let Some((status, words)) = said.map(|said| said.split_once(' ').unwrap_or((said, ""))) else {
        return Err(otherwise.to_owned());
    };
    match status {
        "0" => Ok(()),
        _ if ["HTTP/", "error getting response", "bad header"].iter().any(|sign| words.contains(sign)) => Ok(()),
        _ if words.is_empty() => Err("no answer in time".to_owned()),
        _ => Err(words.to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pod_says_is_an_answer_or_the_reason_why_not() {
        let log = "port 80 1 wget: server returned error: HTTP/1.1 404 Not Found\nport 443 1 wget: error getting response: Connection reset by peer\n\
                   port 8080 0\nport 9 1 wget: can't connect to remote host (192.0.2.7): Connection refused\nport 10 143\n";
        for port in ["80", "443", "8080"] {
            assert_eq!(answered(log, port, ""), Ok(()), "{port}");
        }
        for (port, why) in [("9", "Connection refused"), ("10", "no answer in time"), ("8", "ended with 137")] {
            assert!(answered(log, port, "ended with 137").unwrap_err().contains(why), "{port}");
        }
    }

    #[test]
    fn the_address_and_the_ports_of_a_service_are_found() {
        let service: Service = serde_json::from_value(json!({
            "spec": {"ports": [{"port": 80, "protocol": "TCP"}, {"port": 443}, {"port": 443, "protocol": "UDP"}]},
            "status": {"loadBalancer": {"ingress": [{"hostname": "x"}, {"ip": "2001:db8::1"}, {"ip": "192.0.2.7"}]}},
        }))
        .unwrap();
        assert_eq!((address(&service), ports(&service)), (Some(Ipv4Addr::new(192, 0, 2, 7)), vec![80, 443]));
        assert_eq!(address(&Service::default()), None);
    }
}
