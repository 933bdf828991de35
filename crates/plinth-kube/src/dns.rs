//! Names in the DNS of the cluster.
//!
//! Its servers (CoreDNS) are asked, each of them, through the API server: a port of the pod is forwarded and DNS is spoken over TCP. A cache on
//! the nodes (nodelocaldns) listens on an address of its node alone, so its configuration is read instead: what it has by itself, and whom it
//! asks otherwise. For names outside the cluster those are the node's own servers and not CoreDNS, so a name of ours has to be in both. What
//! a pod really gets is asked by the check of names, in pods.

use crate::api::{Call, KubeApi, OWNER};
use crate::corefile::{self, Files};
use crate::failure::{Cause, Failure};
use crate::system::NAMESPACE;
use async_trait::async_trait;
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams};
use plinth_world::kube::{ClusterDns, NameSeen};
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// What CoreDNS's pods and their services carry in every cluster; the name is older than CoreDNS.
const PODS: &str = "k8s-app=kube-dns";
/// The map that holds CoreDNS's configuration.
const MAP: &str = "coredns";
/// Those of caches on the nodes: Kubespray's, and that of the manifest in Kubernetes' own repository.
const CACHES: [&str; 2] = ["nodelocaldns", "node-local-dns"];
/// How the keys of these maps begin that hold a configuration; Kubespray has a second one for a second cache.
const COREFILE: &str = "Corefile";
/// What that manifest has for the address of the cluster's servers; the cache fills it in when it starts.
const SERVERS_OF_CLUSTER: &str = "__PILLAR__CLUSTER__DNS__";
const PORT: u16 = 53;
/// Most servers that are asked.
const SERVERS: usize = 10;

#[async_trait]
impl ClusterDns for KubeApi {
    async fn look_up(&self, ctx: &Context, name: &str) -> ClientResult<NameSeen> {
        let call = self.call(ctx, format!("resolving {name} in the cluster")).await?;
        let addresses = answers(&call, name).await?;
        let mut caches = Vec::new();
        for map in [MAP].iter().chain(&CACHES) {
            caches.extend(Map::read(&call, map).await?);
        }
        let caches = if caches.iter().any(Map::is_cache) { apart(&call, &caches, name).await? } else { Vec::new() };
        Ok(NameSeen { addresses, caches })
    }

    async fn own_entries(&self, ctx: &Context) -> ClientResult<BTreeSet<String>> {
        let call = self.call(ctx, "reading the configuration of the cluster's DNS").await?;
        let mut names = BTreeSet::new();
        for map in [MAP].iter().chain(&CACHES) {
            let map = Map::read(&call, map).await?;
            names.extend(map.iter().flat_map(|map| map.corefiles.values()).flat_map(|text| corefile::ours(text)));
        }
        Ok(names)
    }

    /// Read, changed, and written back only if nobody changed it meanwhile. Servers and caches read it again by themselves within two minutes.
    async fn set_entry(&self, ctx: &Context, entry: Option<(&str, Ipv4Addr)>) -> ClientResult<()> {
        let doing = match entry {
            Some((name, _)) => format!("adding {name} to the cluster's DNS"),
            None => "taking plinth's names out of the cluster's DNS".to_owned(),
        };
        let call = self.call(ctx, doing).await?;
        if let (None, Some(entry)) = (Map::read(&call, MAP).await?, entry) {
            return Err(call.fails(format!("there is no {COREFILE} in {NAMESPACE}/{MAP}"), by_hand(entry)));
        }
        for name in [MAP].iter().chain(&CACHES) {
            let told = |error: ClientError| match entry {
                Some(entry) if error.cause == plinth_world::Cause::Refused && error.finding.is_none() => {
                    error.attempt(by_hand(entry))
                }
                _ => error,
            };
            call.change(|| set(&call, name, entry)).await.map_err(told)?;
        }
        Ok(())
    }
}

fn by_hand((name, address): (&str, Ipv4Addr)) -> String {
    format!("let the DNS of the cluster answer {address} for {name}, on the nodes' caches too, then run again")
}

/// A map with configurations.
struct Map {
    name: &'static str,
    version: Option<String>,
    /// By their keys.
    corefiles: BTreeMap<String, String>,
    files: Files,
}

impl Map {
    async fn read(call: &Call<'_>, name: &'static str) -> ClientResult<Option<Self>> {
        let maps = Api::<ConfigMap>::namespaced(call.client(), NAMESPACE);
        Ok(call.read(|| maps.get_opt(name)).await?.and_then(|map| Self::of(name, map)))
    }

    /// None without a configuration in it.
    fn of(name: &'static str, map: ConfigMap) -> Option<Self> {
        let (corefiles, files) = map
            .data
            .unwrap_or_default()
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(key, _)| key.starts_with(COREFILE));
        (!corefiles.is_empty()).then_some(Self { name, version: map.metadata.resource_version, corefiles, files })
    }

    fn is_cache(&self) -> bool {
        self.name != MAP
    }
}

/// Puts the entry into one map, as the only one of ours; a conflict when somebody else changes it meanwhile.
async fn set(call: &Call<'_>, name: &'static str, entry: Option<(&str, Ipv4Addr)>) -> Result<(), Failure> {
    let maps = Api::<ConfigMap>::namespaced(call.client(), NAMESPACE);
    let Some(map) = call.patiently(|| maps.get_opt(name)).await?.and_then(|map| Map::of(name, map)) else {
        return Ok(());
    };
    let servers = if map.is_cache() && entry.is_some() { servers(call).await? } else { BTreeSet::new() };
    let mut changed = BTreeMap::new();
    for (key, text) in &map.corefiles {
        // A cache that asks the cluster's servers has it from there.
        let entry = match entry {
            Some((name, _)) if asks(text, &map.files, name, &servers)? => None,
            entry => entry,
        };
        let new = corefile::with(text, &map.files, entry).map_err(|why| refused(&map, &why))?;
        if new != *text {
            changed.insert(key, new);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let patch = json!({"metadata": {"resourceVersion": map.version}, "data": changed});
    let (patch, params) =
        (Patch::Merge(&patch), PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() });
    call.attempt(|| maps.patch(name, &params, &patch)).await.map(drop)
}

fn refused(map: &Map, why: &str) -> Failure {
    Failure::new(Cause::Rejected, format!("ConfigMap {NAMESPACE}/{}: {why}", map.name))
}

/// Whether a server with this configuration asks one of these for the name.
fn asks(text: &str, files: &Files, name: &str, servers: &BTreeSet<String>) -> Result<bool, Failure> {
    let seen = corefile::answering(text, files, name).map_err(|why| Failure::new(Cause::Nonsense, why))?;
    Ok(!seen.forwards.is_disjoint(servers))
}

/// Where the cluster's own servers are found.
async fn servers(call: &Call<'_>) -> Result<BTreeSet<String>, Failure> {
    let list = ListParams::default().labels(PODS);
    let services = Api::<Service>::namespaced(call.client(), NAMESPACE);
    let services = call.patiently(|| services.list(&list)).await?;
    let addresses = services.items.into_iter().filter_map(|service| service.spec?.cluster_ip);
    Ok(addresses.chain([SERVERS_OF_CLUSTER.to_owned()]).collect())
}

/// Caches that do not ask the cluster's servers for the name, with the addresses that each has by itself. One that has none and asks whom
/// CoreDNS asks, which has none either, gets what CoreDNS gets.
async fn apart(call: &Call<'_>, maps: &[Map], name: &str) -> ClientResult<Vec<(String, Vec<Ipv4Addr>)>> {
    let servers = servers(call).await.map_err(|failure| call.error(failure))?;
    let (mut server, mut apart) = (None, Vec::new());
    for map in maps {
        for text in map.corefiles.values() {
            let seen = corefile::answering(text, &map.files, name).map_err(|why| call.error(refused(map, &why)))?;
            if !map.is_cache() {
                server = Some(seen);
            } else if seen.addresses.is_empty()
                && (!seen.forwards.is_disjoint(&servers) || server.as_ref() == Some(&seen))
            {
                tracing::debug!(cache = map.name, name, "asks as CoreDNS does, or CoreDNS");
            } else {
                apart.push((map.name.to_owned(), seen.addresses.into_iter().collect()));
            }
        }
    }
    Ok(apart)
}

/// What each of CoreDNS's pods answers, together; nothing when one of them knows no answer: it may not have read its configuration again yet.
async fn answers(call: &Call<'_>, name: &str) -> ClientResult<Vec<Ipv4Addr>> {
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
    let (mut found, mut all_know) = (BTreeSet::new(), true);
    for pod in ready.iter().take(SERVERS) {
        let answer = ask(call.client(), pod, &query).await.map_err(|why| {
            let failure = Failure::new(Cause::Busy, format!("{pod} gives no answer: {why}"));
            call.error(failure)
        })?;
        all_know &= !answer.is_empty();
        found.extend(answer);
    }
    Ok(found.into_iter().filter(|_| all_know).collect())
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
