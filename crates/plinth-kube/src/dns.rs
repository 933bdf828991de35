//! Names as pods see them.
//!
//! The cluster's own DNS servers are asked, each of them, through the API server: a port of the pod is forwarded and DNS is spoken
//! over TCP. So no test pod is needed, and no image. Not covered: the way of the packets from a pod to CoreDNS, and a cache on
//! the node (nodelocaldns), which forwards to CoreDNS but has host entries of its own.

use crate::api::{KubeApi, OWNER};
use crate::corefile;
use crate::failure::{Cause, Failure};
use crate::system::NAMESPACE;
use async_trait::async_trait;
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams};
use plinth_world::kube::ClusterDns;
use plinth_world::{ClientResult, Context, deadlines};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// What CoreDNS's pods carry in every cluster; the name is older than CoreDNS.
const PODS: &str = "k8s-app=kube-dns";
/// The map that holds CoreDNS's configuration.
const MAP: &str = "coredns";
/// Its key.
const COREFILE: &str = "Corefile";
const PORT: u16 = 53;
/// Most servers that are asked.
const SERVERS: usize = 10;

#[async_trait]
impl ClusterDns for KubeApi {
    async fn resolve_in_pod(&self, ctx: &Context, name: &str) -> ClientResult<Vec<Ipv4Addr>> {
        let call = self.call(ctx, format!("resolving {name} in the cluster")).await?;
        let id = random_id().map_err(|why| call.fails(why, "look at this machine's kernel log"))?;
        let query =
            query(name, id).ok_or_else(|| call.fails(format!("`{name}` is no name"), "correct the site's domain"))?;
        let list = ListParams::default().labels(PODS);
        let pods = Api::<Pod>::namespaced(call.client(), NAMESPACE);
        let pods = call.read(|| pods.list(&list)).await?;
        let ready: Vec<String> = pods.items.into_iter().filter(is_ready).filter_map(|pod| pod.metadata.name).collect();
        if ready.is_empty() {
            let attempt = format!("look at `kubectl get pods -n {NAMESPACE} -l {PODS}`");
            return Err(call.fails("no pod of CoreDNS is ready", attempt).transient("a pod that starts answers later"));
        }
        let mut found = BTreeSet::new();
        for pod in ready.iter().take(SERVERS) {
            let answer = ask(call.client(), pod, &query).await;
            found.extend(answer.map_err(|why| {
                let failure = Failure::new(Cause::Busy, format!("{pod} gives no answer: {why}"));
                call.error(failure)
            })?);
        }
        Ok(found.into_iter().collect())
    }

    /// Read, changed, and written back only if nobody changed it meanwhile. CoreDNS reads it again by itself within a minute.
    async fn add_dns(&self, ctx: &Context, name: &str, address: Ipv4Addr) -> ClientResult<()> {
        let call = self.call(ctx, format!("adding {name} to the cluster's DNS")).await?;
        let maps = Api::<ConfigMap>::namespaced(call.client(), NAMESPACE);
        let map = call.read(|| maps.get_opt(MAP)).await?;
        let by_hand = format!("let the DNS of the cluster answer {address} for {name}, then run again");
        let text = map.as_ref().and_then(|map| map.data.as_ref()?.get(COREFILE));
        let (Some(map), Some(text)) = (&map, text) else {
            return Err(call.fails(format!("there is no {COREFILE} in {NAMESPACE}/{MAP}"), by_hand));
        };
        let text = corefile::with(text, name, address).map_err(|why| call.fails(why, by_hand))?;
        let patch = json!({
            "metadata": {"resourceVersion": map.metadata.resource_version},
            "data": {COREFILE: text},
        });
        let patch = Patch::Merge(&patch);
        let params = PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() };
        call.write(|| maps.patch(MAP, &params, &patch)).await.map(drop)
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let leaving = pod.metadata.deletion_timestamp.is_some();
    !leaving && conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

/// A question for the address of exactly this name.
fn query(name: &str, id: u16) -> Option<Message> {
    let mut name = Name::from_utf8(name).ok()?;
    name.set_fqdn(true);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, RecordType::A));
    Some(message)
}

/// Not to be guessed, so that nobody else answers.
fn random_id() -> Result<u16, &'static str> {
    let mut bytes = [0; 2];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "this machine gives no random numbers")?;
    Ok(u16::from_be_bytes(bytes))
}

async fn ask(client: Client, pod: &str, query: &Message) -> Result<Vec<Ipv4Addr>, String> {
    let pods = Api::<Pod>::namespaced(client, NAMESPACE);
    match timeout(deadlines::KUBE_DNS_ANSWER, exchange(&pods, pod, query)).await {
        Ok(answer) => addresses(query, &answer?),
        Err(_) => Err(format!("not within {} s", deadlines::KUBE_DNS_ANSWER.as_secs())),
    }
}

/// DNS over TCP: every message behind its length.
async fn exchange(pods: &Api<Pod>, pod: &str, query: &Message) -> Result<Message, String> {
    let lost = |error: std::io::Error| format!("the connection was lost ({})", error.kind());
    let mut forward = pods.portforward(pod, &[PORT]).await.map_err(|error| Failure::from(&error).happened)?;
    let mut stream = forward.take_stream(PORT).ok_or("the port is not forwarded")?;
    let question = query.to_vec().map_err(|_| "the question cannot be written".to_owned())?;
    let length = u16::try_from(question.len()).map_err(|_| "the question is too long".to_owned())?;
    stream.write_all(&[&length.to_be_bytes()[..], &question].concat()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let length = stream.read_u16().await.map_err(lost)?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await.map_err(lost)?;
    forward.abort();
    Message::from_vec(&answer).map_err(|_| "the answer makes no sense".to_owned())
}

fn addresses(query: &Message, answer: &Message) -> Result<Vec<Ipv4Addr>, String> {
    if answer.metadata.id != query.metadata.id {
        return Err("the answer is to another question".to_owned());
    }
    match answer.metadata.response_code {
        // A server that knows nobody else to ask, or whose others do not answer, does not resolve it either: a site without internet is so.
        ResponseCode::NXDomain | ResponseCode::ServFail | ResponseCode::Refused => Ok(Vec::new()),
        ResponseCode::NoError => Ok(answer
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::A(address) => Some(address.0),
                _ => None,
            })
            .collect()),
        other => Err(format!("it answers {other}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::A;

    #[test]
    fn an_answer_is_addresses_or_nothing_or_trouble() {
        let query = query("a.example", 7).unwrap();
        let mut answer = query.clone();
        let record = Record::from_rdata(Name::from_utf8("a.example.").unwrap(), 30, RData::A(A::new(10, 0, 0, 5)));
        answer.add_answer(record);
        let answer = Message::from_vec(&answer.to_vec().unwrap()).unwrap();
        assert_eq!(addresses(&query, &answer).unwrap(), [Ipv4Addr::new(10, 0, 0, 5)]);
        for (code, want) in [
            (ResponseCode::NXDomain, Some(0)),
            (ResponseCode::ServFail, Some(0)),
            (ResponseCode::Refused, Some(0)),
            (ResponseCode::FormErr, None),
        ] {
            let mut empty = query.clone();
            empty.metadata.response_code = code;
            assert_eq!(addresses(&query, &empty).ok().map(|all| all.len()), want, "{code}");
        }
        let mut other = answer.clone();
        other.metadata.id = query.metadata.id.wrapping_add(1);
        assert!(addresses(&query, &other).is_err());
        assert!(super::query("no name!..", 7).is_none());
    }
}
