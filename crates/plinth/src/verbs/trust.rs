//! `plinth trust`.

use crate::args::{Common, Trust};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::Real;
use crate::session::Held;
use crate::{clients, state, verbs};
use globset::Glob;
use plinth_model::steps::NodeTarget;
use plinth_model::{Exit, Problem};
use plinth_plan::{Cluster, Member};
use plinth_run::Durability;
use plinth_world::node::HostKeyState;
use serde::Serialize;

/// One node's host key, before and after.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    node: String,
    address: String,
    pinned: Option<String>,
    presented: String,
    changed: bool,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    nodes: Vec<Row>,
}

/// Pins the host keys that nodes present now, after BCM provisioned them anew.
pub(crate) fn run(common: &Common, verb: &Trust, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    if !verb.yes && !Printer::can_ask() {
        return Err(nobody_to_ask());
    }
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, &input, &directory, printer)?;
    let _held = Held::take(&directory, &input.site.desired.name, Durability::Power)?;
    let inventory = verbs::discover::inventory(common, &input, verb.from.inventory.as_deref(), printer)?;
    let desired = &input.site.desired;
    let (cluster, findings) = Cluster::new(desired, &plinth_plan::discover(desired, &inventory));
    input.accept(common, printer, findings)?;
    let targets = targets(&input, &cluster, &verb.nodes)?;
    clients::runtime()?.block_on(trust(common, verb, &real, targets, printer))
}

/// Nodes by name or glob; each must match something.
fn targets(input: &Input, cluster: &Cluster, wanted: &[String]) -> Result<Vec<NodeTarget>, Problem> {
    let mut chosen: Vec<&Member> = Vec::new();
    for pattern in wanted {
        let glob = Glob::new(pattern).map_err(|error| unknown(pattern, &error.to_string()))?.compile_matcher();
        let found: Vec<&Member> = cluster.members.iter().filter(|member| glob.is_match(member.name.as_str())).collect();
        if found.is_empty() {
            return Err(unknown(pattern, "no node of the site matches"));
        }
        chosen.extend(
            found
                .into_iter()
                .filter(|member| !chosen.iter().any(|known| known.name == member.name))
                .collect::<Vec<_>>(),
        );
    }
    Ok(chosen.into_iter().map(|member| Cluster::first_contact(&input.site.desired, member)).collect())
}

async fn trust(
    common: &Common,
    verb: &Trust,
    real: &Real,
    targets: Vec<NodeTarget>,
    printer: &Printer,
) -> Result<Exit, Problem> {
    let client = &real.clients.node;
    let mut seen: Vec<(NodeTarget, HostKeyState)> = Vec::new();
    for target in targets {
        let state = client.host_key(&real.ctx, &target).await.map_err(|error| clients::problem(&error))?;
        seen.push((target, state));
    }
    let rows: Vec<Row> = seen.iter().map(|(target, state)| row(target, state)).collect();
    let pending: Vec<&(NodeTarget, HostKeyState)> =
        seen.iter().filter(|(_, state)| state.pinned.as_ref() != Some(&state.presented)).collect();
    if common.json {
        printer.json(&Report { schema: input::SCHEMA, nodes: rows });
    } else {
        printer.data(&table(&rows));
    }
    if pending.is_empty() {
        printer.talk("every key is pinned already; nothing was changed");
        return Ok(Exit::Done);
    }
    let question = "Compare the keys with what the nodes' consoles show. Trust them?";
    if !verb.yes && !printer.ask(question) {
        printer.talk("nothing was changed");
        return Ok(Exit::Pending);
    }
    for (target, state) in pending {
        let pinned = client.repin_host_key(&real.ctx, target, &state.presented).await;
        pinned.map_err(|error| clients::problem(&error))?;
        printer.talk(&format!("{}: {} is pinned", target.node, state.presented.fingerprint));
    }
    Ok(Exit::Done)
}

fn row(target: &NodeTarget, state: &HostKeyState) -> Row {
    let text = |key: &plinth_world::node::HostKey| format!("{} {}", key.algorithm, key.fingerprint);
    Row {
        node: target.node.to_string(),
        address: target.address.to_string(),
        pinned: state.pinned.as_ref().map(text),
        presented: text(&state.presented),
        changed: state.pinned.as_ref().is_some_and(|pinned| *pinned != state.presented),
    }
}

fn table(rows: &[Row]) -> String {
    let cells = |row: &Row| {
        let pinned = row.pinned.clone().unwrap_or_else(|| "none".to_owned());
        vec![row.node.clone(), row.address.clone(), pinned, row.presented.clone()]
    };
    plinth_report::tables::table(&["node", "address", "pinned", "presented"], rows.iter().map(cells).collect())
}

fn unknown(pattern: &str, happened: &str) -> Problem {
    Problem::new(
        Exit::Input,
        "choosing nodes by",
        format!("`{pattern}`"),
        happened,
        "`plinth discover` lists the nodes",
    )
}

fn nobody_to_ask() -> Problem {
    Problem::new(
        Exit::Input,
        "asking whether to trust the keys",
        "",
        "there is no terminal to ask at; nothing was contacted or changed",
        "compare the fingerprints by another way, then give `--yes`",
    )
}
