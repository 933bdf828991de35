//! Pods on every node, which ask each other.
//!
//! Each node asks the next few in the list and the service in front of all, so every node is both asked and asking, and the number of
//! ways grows with the nodes and not with their square. Who asks is another pod than who answers: a pod that reaches itself through a
//! service proves nothing about the way between nodes.

use super::cluster::first;
use super::pods::{FOLDER, Outcome, PORT, Until, name, pod};
use super::room::{AT_ONCE, Room};
use super::seen;
use crate::api::Call;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Pod, Service};
use plinth_model::{NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Nodes that each node asks.
const PEERS: usize = 4;
/// How long a pod that asks stays, in the words of `sleep`: longer than any check; it goes with the room.
const SLEEP: &str = "7200";
/// The service in front of all.
const SERVICE: &str = "answer";
/// What stands for it where a node's name stands otherwise; no node has this name.
const BY_NAME: &str = "@service";
/// Asks each `ADDRESS=NODE` of its arguments behind the port, all at once, and says `ok NODE` or `no NODE WHY`. A service needs a moment
/// until every node knows it.
const ASK: &str = r#"
port=$1
shift
ask() {
    tries=0
    until said=$(timeout 5 wget -q -O - "http://$1:$port/" 2>&1); do
        tries=$((tries + 1))
        [ "$tries" -lt 7 ] || break
        sleep 1
    done
    case $said in
    plinth-*) echo "ok $2" ;;
    *) echo "no $2" $said ;;
    esac
}
for way; do ask "${way%%=*}" "${way#*=}" & done
wait
"#;

/// Places a pod on every node that answers, and one that asks on each of `asking`; none named: on all.
pub(super) async fn check(
    call: &Call<'_>,
    nodes: &[NodeName],
    asking: &[NodeName],
    image: &str,
) -> ClientResult<CheckSeen> {
    let questions = questions(nodes, asking);
    let room = Room::make(call, "pod-network").await?;
    let seen = carried_out(&room, &questions, image).await;
    room.leave().await;
    seen
}

async fn carried_out(room: &Room<'_>, questions: &[Question<'_>], image: &str) -> ClientResult<CheckSeen> {
    let limit = deadlines::CHECK_PODS + deadlines::CHECK_POD * u32::try_from(questions.len()).unwrap_or(u32::MAX);
    let asked: BTreeMap<&str, String> =
        questions.iter().flat_map(|one| &one.to).map(|node| (*node, format!("answer-{node}"))).collect();
    let answering = asked.iter().map(|(node, name)| answering(name, node, image));
    let asking = questions.iter().map(|one| pod(&one.name(), image, &["sleep", SLEEP], &[one.from]));
    room.put::<Service>(service()).await?;
    room.put_all::<Pod>(answering.chain(asking).collect()).await?;
    let names: Vec<String> = asked.values().cloned().chain(questions.iter().map(Question::name)).collect();
    let late = room.wait(&names, Until::Ready, limit).await?;
    if !late.is_empty() {
        return Err(room.not_placed(&late));
    }
    let addresses = addresses(room).await?;
    let answers: Vec<_> = questions.iter().map(|question| question.asked(room, &addresses)).collect();
    Ok(judged(questions, &stream::iter(answers).buffered(AT_ONCE).try_collect::<Vec<_>>().await?))
}

/// Each way that was asked must have answered: what a pod did not say is no answer.
fn judged(questions: &[Question<'_>], outcomes: &[Outcome]) -> CheckSeen {
    let (mut wrong, mut good) = (Vec::new(), 0);
    for (question, outcome) in questions.iter().zip(outcomes) {
        for to in question.to.iter().copied().chain([BY_NAME]) {
            let said = |sign: &str| outcome.log.lines().find_map(|line| rest(line, sign, to));
            match (said("ok"), said("no")) {
                (Some(_), _) => good += 1,
                (None, Some(why)) => wrong.push(lost(question.from, to, why)),
                (None, None) => wrong.push(lost(question.from, to, &format!("it said nothing ({})", outcome.why))),
            }
        }
    }
    let counted = format!("{} on {} were answered", amount(good, "question"), amount(questions.len(), "node"));
    seen(wrong.is_empty() && good > 0, std::iter::once(counted).chain(first(wrong)))
}

/// What stands behind `SIGN TO`.
fn rest<'a>(line: &'a str, sign: &str, to: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(sign)?.strip_prefix(' ')?.strip_prefix(to)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix(' ') }
}

/// `a pod on n2 does not reach n3: wget: download timed out`.
fn lost(from: &str, to: &str, why: &str) -> String {
    let to = if to == BY_NAME { "a service by its name" } else { to };
    format!("a pod on {from} does not reach {to}: {}", if why.is_empty() { "no answer in time" } else { why })
}

/// Whom one node asks: the next ones, and the service.
struct Question<'a> {
    from: &'a str,
    to: Vec<&'a str>,
}

fn questions<'a>(nodes: &'a [NodeName], asking: &[NodeName]) -> Vec<Question<'a>> {
    let next =
        |index: usize| (1..nodes.len().min(PEERS + 1)).map(move |step| nodes[(index + step) % nodes.len()].as_str());
    let asks = |node: &NodeName| asking.is_empty() || asking.contains(node);
    let one = |(index, node): (usize, &'a NodeName)| Question { from: node.as_str(), to: next(index).collect() };
    nodes.iter().enumerate().filter(|(_, node)| asks(node)).map(one).collect()
}

impl Question<'_> {
    fn name(&self) -> String {
        format!("ask-{}", self.from)
    }

    /// What its pod says of all ways.
    async fn asked(&self, room: &Room<'_>, addresses: &HashMap<String, String>) -> ClientResult<Outcome> {
        let ways = self.ways(addresses).map_err(|why| room.call.fails(why, "run again"))?;
        let port = PORT.to_string();
        let command = ["sh", "-c", ASK, "ask", &port].into_iter().chain(ways.iter().map(String::as_str));
        room.exec(&self.name(), &command.collect::<Vec<_>>(), deadlines::CHECK_ASK).await
    }

    /// `ADDRESS=NODE` for each.
    fn ways(&self, addresses: &HashMap<String, String>) -> Result<Vec<String>, String> {
        let way = |node: &&str| {
            let address = addresses.get(*node).ok_or_else(|| format!("the test pod on {node} has no address"))?;
            Ok(format!("{address}={node}"))
        };
        let ways: Vec<String> = self.to.iter().map(way).collect::<Result<_, String>>()?;
        Ok([ways, vec![format!("{SERVICE}={BY_NAME}")]].concat())
    }
}

fn answering(name: &str, node: &str, image: &str) -> Value {
    let script = format!("echo plinth-{node} > {FOLDER}/index.html; exec httpd -f -p {PORT} -h {FOLDER}");
    let mut one = pod(name, image, &["sh", "-c", &script], &[node]);
    one["metadata"]["labels"]["plinth.dev/role"] = json!(SERVICE);
    one["spec"]["containers"][0]["readinessProbe"] = json!({"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 60});
    one
}

fn service() -> Value {
    json!({
        "metadata": {"name": SERVICE},
        "spec": {"selector": {"plinth.dev/role": SERVICE}, "ports": [{"port": PORT, "targetPort": PORT}]},
    })
}

/// Addresses of the pods that answer, by their nodes.
async fn addresses(room: &Room<'_>) -> ClientResult<HashMap<String, String>> {
    let of = |pod: Pod| {
        let node = name(&pod).strip_prefix("answer-")?.to_owned();
        Some((node, pod.status?.pod_ip?))
    };
    Ok(room.all::<Pod>().await?.into_iter().filter_map(of).collect())
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
        for count in [2, 3, 5, 40] {
            let nodes = nodes(count);
            let questions = questions(&nodes, &[]);
            let mut asked: HashMap<&str, usize> = HashMap::new();
            for question in &questions {
                assert!(!question.to.contains(&question.from));
                question.to.iter().for_each(|to| *asked.entry(to).or_default() += 1);
            }
            assert!(
                asked.len() == count && asked.values().all(|times| *times == PEERS.min(count - 1)),
                "{count}: {asked:?}"
            );
        }
        let three = nodes(3);
        let one = questions(&three, &three[1..2]);
        assert_eq!((one.len(), one[0].from, one[0].to.len()), (1, "n1", 2), "who asks is narrowed, not who is asked");
    }

    #[test]
    fn what_is_not_answered_is_told_with_both_ends() {
        let nodes = nodes(3);
        let all = questions(&nodes, &[]);
        let outcome = |log: &str| Outcome {
            well: true,
            log: log.to_owned(),
            why: "pod ask-n0 on n0: ended with 137: OOMKilled".to_owned(),
        };
        let good = outcome("ok n1\nok @service\nok n2\n");
        let holds = judged(&all[..1], &[good]);
        assert!(
            matches!(&holds, CheckSeen::Holds(evidence) if evidence == &["3 questions on 1 node were answered"]),
            "{holds:?}"
        );
        let CheckSeen::Fails { evidence, .. } =
            judged(&all[..1], &[outcome("no n1 wget: timed out\nok @service\nok n22\n")])
        else {
            panic!("it must not hold")
        };
        assert_eq!(
            evidence[1..],
            [
                "a pod on n0 does not reach n1: wget: timed out",
                "a pod on n0 does not reach n2: it said nothing (pod ask-n0 on n0: ended with 137: OOMKilled)",
            ]
        );
        let silent = judged(&all[..1], &[outcome("")]);
        assert!(matches!(silent, CheckSeen::Fails { .. }), "an empty log is no answer");
    }
}
