//! Pods on every node, which ask each other.
//!
//! Each node asks the next few in the list and the service in front of all, so every node is both asked and asking, and the number of
//! ways grows with the nodes and not with their square.

use super::cluster::first;
use super::pods::{FOLDER, PORT, Until, name, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Pod, Service};
use plinth_model::{NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Nodes that each node asks.
const PEERS: usize = 4;
/// The service in front of all, by its name.
const SERVICE: &str = "answer";
/// Asks each `ADDRESS=NODE` and says `ok NODE` or `no NODE WHY`. A service needs a moment until every node knows it.
const ASK: &str = r#"
for way in $WAYS; do
    at=${way%%=*} to=${way#*=} tries=0
    until said=$(timeout 5 wget -q -O - "http://$at:$PORT/" 2>&1); do
        tries=$((tries + 1))
        [ "$tries" -lt 4 ] || break
        sleep 2
    done
    case $said in
    plinth-*) echo "ok $to" ;;
    *) echo "no $to" $said ;;
    esac
done
"#;

/// Places a pod on every node that answers, and one that asks.
pub(super) async fn check(call: &Call<'_>, nodes: &[NodeName], image: &str) -> ClientResult<CheckSeen> {
    let room = Room::make(call, "pod-network").await?;
    for (index, node) in nodes.iter().enumerate() {
        room.put::<Pod>(answering(index, node, image)).await?;
    }
    room.put::<Service>(service()).await?;
    let late = room.wait("answer-", Until::Ready, deadlines::CHECK_PODS).await?;
    if !late.is_empty() {
        return Ok(seen(false, first(late)));
    }
    let addresses = addresses(&room).await?;
    for (index, node) in nodes.iter().enumerate() {
        room.put::<Pod>(asking(index, node, image, &ways(index, nodes, &addresses))).await?;
    }
    let late = room.wait("ask-", Until::Ended, deadlines::CHECK_PODS).await?;
    if !late.is_empty() {
        return Ok(seen(false, first(late)));
    }
    answers(&room, nodes).await
}

/// Reads what the pods that asked wrote.
async fn answers(room: &Room<'_>, nodes: &[NodeName]) -> ClientResult<CheckSeen> {
    let (mut wrong, mut good) = (Vec::new(), 0);
    for (index, node) in nodes.iter().enumerate() {
        let (_, log) = room.outcome(&format!("ask-{index}")).await?;
        good += log.lines().filter(|line| line.starts_with("ok ")).count();
        wrong.extend(log.lines().filter_map(|line| line.strip_prefix("no ")).map(|line| lost(node, line)));
    }
    let counted = format!("{} on {} were answered", amount(good, "question"), amount(nodes.len(), "node"));
    Ok(seen(wrong.is_empty() && good > 0, std::iter::once(counted).chain(first(wrong))))
}

/// `n2 does not reach n3: wget: download timed out`.
fn lost(from: &NodeName, line: &str) -> String {
    let (to, why) = line.split_once(' ').unwrap_or((line, "no answer in time"));
    let to = if to == SERVICE { "a service by its name" } else { to };
    format!("a pod on {from} does not reach {to}: {}", if why.is_empty() { "no answer in time" } else { why })
}

fn answering(index: usize, node: &NodeName, image: &str) -> Value {
    let script = format!("echo plinth-{index} > {FOLDER}/index.html; exec httpd -f -p {PORT} -h {FOLDER}");
    let mut one = pod(&format!("answer-{index}"), image, &["sh", "-c", &script], Some(node));
    one["metadata"]["labels"]["plinth.dev/role"] = json!(SERVICE);
    one["spec"]["containers"][0]["readinessProbe"] =
        json!({"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1, "failureThreshold": 60});
    one
}

fn asking(index: usize, node: &NodeName, image: &str, ways: &str) -> Value {
    let mut one = pod(&format!("ask-{index}"), image, &["sh", "-c", ASK], Some(node));
    one["spec"]["containers"][0]["env"] =
        json!([{"name": "WAYS", "value": ways}, {"name": "PORT", "value": PORT.to_string()}]);
    one
}

fn service() -> Value {
    json!({
        "metadata": {"name": SERVICE},
        "spec": {"selector": {"plinth.dev/role": SERVICE}, "ports": [{"port": PORT, "targetPort": PORT}]},
    })
}

/// Addresses of the pods that answer, by the number of their node.
async fn addresses(room: &Room<'_>) -> ClientResult<BTreeMap<usize, String>> {
    let of = |pod: Pod| {
        let index = name(&pod).strip_prefix("answer-")?.parse::<usize>().ok()?;
        Some((index, pod.status?.pod_ip?))
    };
    Ok(room.all::<Pod>().await?.into_iter().filter_map(of).collect())
}

/// Whom a node asks: the next ones, and the service.
fn ways(index: usize, nodes: &[NodeName], addresses: &BTreeMap<usize, String>) -> String {
    let next = (1..nodes.len().min(PEERS + 1)).map(|step| (index + step) % nodes.len());
    let next = next.filter_map(|peer| Some(format!("{}={}", addresses.get(&peer)?, nodes[peer])));
    next.chain([format!("{SERVICE}={SERVICE}")]).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn nodes(count: usize) -> Vec<NodeName> {
        (0..count).map(|n| NodeName::new(&format!("n{n}")).unwrap()).collect()
    }

    #[test]
    fn every_node_asks_and_is_asked_and_nobody_asks_itself() {
        for count in [1, 2, 3, 5, 40] {
            let (nodes, mut asked) = (nodes(count), vec![0; count]);
            let addresses = (0..count).map(|n| (n, format!("10.0.0.{n}"))).collect();
            for index in 0..count {
                let ways = ways(index, &nodes, &addresses);
                assert!(ways.ends_with("answer=answer"), "{ways}");
                for way in ways.split(' ').filter(|way| !way.starts_with(SERVICE)) {
                    let to: usize = way.split_once("=n").unwrap().1.parse().unwrap();
                    assert_ne!(to, index);
                    asked[to] += 1;
                }
            }
            assert!(asked.iter().all(|times| *times == PEERS.min(count - 1)), "{count}: {asked:?}");
        }
    }

    #[test]
    fn what_is_lost_is_told_with_both_ends() {
        let from = NodeName::new("n2").unwrap();
        assert_eq!(lost(&from, "n3 wget: timed out"), "a pod on n2 does not reach n3: wget: timed out");
        assert_eq!(lost(&from, "answer"), "a pod on n2 does not reach a service by its name: no answer in time");
    }
}
