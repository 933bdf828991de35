//! Names asked for in pods: those of others than the cluster, and the platform's own, which must lead to its ingress. One pod on each kind of
//! node, since a node's kubelet, its cache for names and its network decide what pods there resolve.

use super::cluster::first;
use super::pods::{Outcome, Until, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, ListParams};
use plinth_model::finding::code;
use plinth_model::steps::WHOLE_GPU;
use plinth_model::{Finding, NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Marks the nodes of the control plane.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// What stands for the cluster's own name in what the pod says; no host has it.
const OWN: &str = "@cluster";
/// How often a name is asked for that is not told.
const TRIES: u32 = 3;
/// What every `nslookup` says before the name that it found.
const FOUND: &str = "Name:";
/// Asks for each name until the answer has the sign in it, and says `ask NAME`, then all that `nslookup` says. The domain of the cluster
/// stands in the pod's search list.
const ASK: &str = r#"
domain=$(sed -n 's/^search .*[^ ]*\.svc\.\([^ ]*\).*/\1/p' /etc/resolv.conf | head -n 1)
ask() {
    tries=0
    end=$(($(date +%s) + LONGEST))
    while :; do
        said=$(timeout 10 nslookup "$2" 2>&1)
        case $said in *"$3"*) break ;; esac
        tries=$((tries + 1))
        [ "$tries" -lt "$TRIES" ] && [ "$(date +%s)" -lt "$end" ] || break
        sleep 2
    done
    echo "ask $1"
    printf '%s\n' "$said"
}
for name in $NAMES; do ask "$name" "$name" "$SIGN"; done
TRIES=3
ask @cluster "kubernetes.default.svc.${domain:-cluster.local}" Name:
"#;

/// What is asked.
struct Question<'a> {
    names: &'a [String],
    /// Where they must lead; none: to any address.
    wanted: Option<Ipv4Addr>,
}

/// Whether each name has an address on each kind of node.
pub(super) async fn resolve(
    call: &Call<'_>,
    nodes: &[NodeName],
    names: &[String],
    image: &str,
) -> ClientResult<CheckSeen> {
    asked(call, nodes, ("dns-out", &Question { names, wanted: None }), image).await
}

/// Whether a name leads to this address on each kind of node.
pub(super) async fn leads(
    call: &Call<'_>,
    nodes: &[NodeName],
    (name, address): (&str, Ipv4Addr),
    image: &str,
) -> ClientResult<CheckSeen> {
    asked(call, nodes, ("dns", &Question { names: &[name.to_owned()], wanted: Some(address) }), image).await
}

/// Asks in a pod on the first Ready node of each kind.
async fn asked(
    call: &Call<'_>,
    nodes: &[NodeName],
    (purpose, question): (&str, &Question<'_>),
    image: &str,
) -> ClientResult<CheckSeen> {
    let (all, params) = (Api::<Node>::all(call.client()), ListParams::default());
    let known = call.read(|| all.list(&params)).await?.items;
    let chosen = of_each_kind(&known, nodes);
    if chosen.is_empty() {
        let attempt = "look at `kubectl get nodes`, and run again";
        let finding = Finding::error(code::CHECKS_NOT_PLACED, "test pods", "no node is Ready").fix(attempt);
        return Err(call.fails("no node is Ready, so no pod can ask", attempt).finding(finding));
    }
    let room = Room::make(call, purpose).await?;
    let seen = carried_out(&room, &chosen, question, image).await;
    room.leave().await;
    seen
}

async fn carried_out(
    room: &Room<'_>,
    chosen: &BTreeMap<String, &str>,
    question: &Question<'_>,
    image: &str,
) -> ClientResult<CheckSeen> {
    let pods: Vec<String> = chosen.values().map(|node| format!("ask-{node}")).collect();
    for (name, node) in pods.iter().zip(chosen.values()) {
        let mut one = pod(name, image, &["sh", "-c", ASK], &[node]);
        one["spec"]["containers"][0]["env"] = question.environment();
        room.put::<Pod>(one).await?;
    }
    let limit = deadlines::CHECK_PODS + question.longest() * u32::try_from(question.names.len()).unwrap_or(u32::MAX);
    let late = room.wait(&pods, Until::Ended, limit).await?;
    if !late.is_empty() {
        return Err(room.not_placed(&late));
    }
    Ok(judged(chosen, question, &room.outcomes(&pods).await?))
}

impl Question<'_> {
    /// A name that leads elsewhere is asked for until what was put in lately is read everywhere.
    const fn longest(&self) -> Duration {
        if self.wanted.is_some() { deadlines::CHECK_NAME_READ } else { deadlines::CHECK_NAME }
    }

    fn environment(&self) -> serde_json::Value {
        let (sign, tries) = match self.wanted {
            // By the time alone.
            Some(address) => (address.to_string(), 1000),
            None => (FOUND.to_owned(), TRIES),
        };
        let longest = self.longest().as_secs();
        json!([
            {"name": "NAMES", "value": self.names.join(" ")}, {"name": "SIGN", "value": sign},
            {"name": "TRIES", "value": tries.to_string()}, {"name": "LONGEST", "value": longest.to_string()},
        ])
    }

    /// Why these addresses are not what they should be; none: they are. Addresses of IPv6 lead elsewhere on purpose.
    fn wrong(&self, addresses: &[String]) -> Option<String> {
        let wanted = self.wanted?;
        let found: BTreeSet<Ipv4Addr> = addresses.iter().filter_map(|address| address.parse().ok()).collect();
        (found != BTreeSet::from([wanted])).then(|| format!("{} and not {wanted}", addresses.join(", ")))
    }
}

/// Each name must have an address on each kind of node.
fn judged(chosen: &BTreeMap<String, &str>, question: &Question<'_>, outcomes: &[Outcome]) -> CheckSeen {
    let (mut wrong, mut good) = (Vec::new(), BTreeSet::new());
    for ((kind, node), outcome) in chosen.iter().zip(outcomes) {
        let own = answer(&outcome.log, OWN);
        for name in question.names {
            match answer(&outcome.log, name) {
                Ok(addresses) => match question.wrong(&addresses) {
                    Some(why) => wrong.push(format!("for a pod on {node} ({kind}) {name} is {why}")),
                    None => {
                        good.insert(format!("{name} is {}", addresses.join(", ")));
                    }
                },
                Err(why) => {
                    let own = match &own {
                        Ok(_) => "the cluster's own names resolve there".to_owned(),
                        Err(why) => format!("nor the cluster's own: {why}"),
                    };
                    let why = if why.is_empty() { outcome.why.clone() } else { why };
                    wrong.push(format!("a pod on {node} ({kind}) does not resolve {name}: {why}; {own}"));
                }
            }
        }
    }
    let kinds = chosen.keys().map(String::as_str).collect::<Vec<_>>().join("; ");
    let counted = format!("{} of nodes asked: {kinds}", amount(chosen.len(), "kind"));
    let holds = wrong.is_empty() && !good.is_empty();
    seen(holds, std::iter::once(counted).chain(first(wrong)).chain(first(good.into_iter().collect())))
}

/// Addresses behind `Name:`, or what `nslookup` said instead. Programs differ in all but these two words.
fn answer(log: &str, name: &str) -> Result<Vec<String>, String> {
    let mut lines = log.lines().skip_while(|line| line.strip_prefix("ask ") != Some(name)).skip(1);
    let said: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("ask ")).collect();
    let named = said.iter().skip_while(|line| !line.starts_with("Name:"));
    let address = |line: &&str| {
        let (word, rest) = line.split_once(':')?;
        // `Address 1: 192.0.2.7 host.example` of an older busybox.
        word.starts_with("Address").then(|| rest.split_whitespace().next().map(str::to_owned))?
    };
    let addresses: Vec<String> = named.filter_map(address).collect();
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    let telling =
        |line: &&&str| !line.trim().is_empty() && !line.starts_with("Server:") && !line.starts_with("Address");
    Err(said.iter().filter(telling).map(|line| line.trim()).collect::<Vec<_>>().join(" ").chars().take(300).collect())
}

/// The first Ready node of each kind, among these.
fn of_each_kind<'a>(known: &'a [Node], nodes: &[NodeName]) -> BTreeMap<String, &'a str> {
    let mut chosen = BTreeMap::new();
    let mut fit: Vec<(&str, &Node)> = known
        .iter()
        .filter_map(|node| Some((node.metadata.name.as_deref()?, node)))
        .filter(|(name, node)| nodes.iter().any(|wanted| wanted.as_str() == *name) && is_ready(node))
        .collect();
    fit.sort_unstable_by_key(|(name, _)| *name);
    for (name, node) in fit {
        chosen.entry(kind(node)).or_insert(name);
    }
    chosen
}

/// `control plane, Ubuntu 22.04.5 LTS`, `GPUs, DGX OS`.
fn kind(node: &Node) -> String {
    let status = node.status.as_ref();
    let has_gpus = status.and_then(|status| status.capacity.as_ref()).is_some_and(|all| all.contains_key(WHOLE_GPU));
    let controls = node.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(CONTROL_PLANE));
    let role = match (controls, has_gpus) {
        (true, _) => "control plane",
        (false, true) => "GPUs",
        (false, false) => "worker",
    };
    let info = status.and_then(|status| status.node_info.as_ref());
    info.map_or_else(|| role.to_owned(), |info| format!("{role}, {}", info.os_image))
}

pub(super) fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GOOD: &str = "ask @cluster\nServer:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tkubernetes.default.svc.cluster.local\nAddress: 10.96.0.1\n";

    fn node(name: &str, labels: serde_json::Value, ready: &str) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }))
        .unwrap()
    }

    fn outcome(log: &str) -> Outcome {
        Outcome { well: true, log: log.to_owned(), why: "pod ask-n1 on n1: ended with 137: OOMKilled".to_owned() }
    }

    #[test]
    fn one_ready_node_of_each_kind_asks() {
        let controls = json!({CONTROL_PLANE: ""});
        let known = [
            node("n1", controls.clone(), "False"),
            node("n2", controls, "True"),
            node("n4", json!({}), "True"),
            node("n3", json!({}), "True"),
        ];
        let names = ["n1", "n2", "n3", "n4"].map(|name| NodeName::new(name).unwrap());
        let chosen = of_each_kind(&known, &names);
        assert_eq!(chosen, BTreeMap::from([("control plane".to_owned(), "n2"), ("worker".to_owned(), "n3")]));
        assert!(of_each_kind(&known, &names[..1]).is_empty());
    }

    #[test]
    fn what_does_not_resolve_is_told_with_the_node_and_with_what_does() {
        let chosen = BTreeMap::from([("worker".to_owned(), "n1")]);
        let names = ["a.example".to_owned()];
        let question = Question { names: &names, wanted: None };
        let say = |log: &str| judged(&chosen, &question, &[outcome(log)]);
        let good = say(&format!(
            "{GOOD}ask a.example\nServer: 10.96.0.10\nAddress 1: 10.96.0.10 kube-dns\n\nName: a.example\nAddress 1: 192.0.2.7 a.example\n"
        ));
        let CheckSeen::Holds(evidence) = good else { panic!("{good:?}") };
        assert_eq!(evidence, ["1 kind of nodes asked: worker", "a.example is 192.0.2.7"]);
        let cases = [
            (
                format!("{GOOD}ask a.example\nServer:\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n** server can't find a.example: NXDOMAIN\n"),
                "does not resolve a.example: ** server can't find a.example: NXDOMAIN; the cluster's own names resolve there",
            ),
            (
                "ask @cluster\n;; connection timed out; no servers could be reached\nask a.example\n;; connection timed out; no servers could be reached\n".to_owned(),
                "nor the cluster's own: ;; connection timed out",
            ),
            (String::new(), "ended with 137: OOMKilled"),
        ];
        for (log, why) in cases {
            let CheckSeen::Fails { evidence, .. } = say(&log) else { panic!("{log}") };
            assert!(evidence[1].contains(why) && evidence[1].contains("n1 (worker)"), "{evidence:?}");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_told() {
        let chosen = BTreeMap::from([("GPUs".to_owned(), "n2"), ("worker".to_owned(), "n1")]);
        let names = ["a.example".to_owned()];
        let question = Question { names: &names, wanted: Some(Ipv4Addr::new(192, 0, 2, 7)) };
        let said =
            |found: &str| outcome(&format!("ask a.example\nServer: 10.96.0.10\n\nName: a.example\n{found}\n{GOOD}"));
        let say = |found: &str| judged(&chosen, &question, &[said("Address: 192.0.2.7"), said(found)]);
        let good = say("Address: 192.0.2.7\nName: a.example\nAddress: 2001:db8::7");
        assert!(good.holds(), "{good:?}");
        for (found, why) in [
            ("Address: 192.0.2.77", "for a pod on n1 (worker) a.example is 192.0.2.77 and not 192.0.2.7"),
            ("Address: 192.0.2.7\nAddress: 192.0.2.8", "192.0.2.7, 192.0.2.8 and not 192.0.2.7"),
        ] {
            let CheckSeen::Fails { evidence, .. } = say(found) else { panic!("{found}") };
            assert!(evidence[1].contains(why) && !evidence[1].contains("n2"), "{evidence:?}");
        }
    }
}
