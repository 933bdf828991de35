//! `plinth trust`.

use crate::approval::Question;
use crate::args::{Common, Trust};
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running};
use plinth_app::{Access, Failure, Goal, Input};
use plinth_model::steps::NodeTarget;
use plinth_model::{Exit, Plan};
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

/// Pins the host keys that nodes present now, after BCM re-imaged them.
pub(crate) async fn run(common: &Common, verb: &Trust, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let first = "compare the fingerprints by another way, then give `--yes`";
    let text = |_: &Plan| "Compare the keys with what the nodes' consoles show. Trust them?".to_owned();
    let question = Question::new(common, printer, (text, verb.yes), first)?;
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));

    let mut operation = input::open(common, input, recorded, Access::Change, Goal::Site, &screen)?;
    let discovered = operation.discover().await?;
    operation.accept(discovered.findings.clone())?;
    let keys = operation.host_keys(&discovered, &verb.nodes).await?;
    let rows: Vec<Row> = keys.iter().map(|(target, state)| row(target, state)).collect();
    if common.json {
        printer.json(&Report { schema: input::SCHEMA, nodes: rows });
    } else {
        printer.data(&table(&rows));
    }
    let planned = operation.plan_trust(&discovered, keys)?;
    if planned.plan.steps.is_empty() {
        printer.talk("every key is pinned already; nothing was changed");
        return Ok(Exit::Done);
    }
    let Some(mut approved) = operation.approve(planned, &question).await? else { return Ok(Exit::Pending) };
    Ok(running::watched(&mut operation, &mut approved, (None, None), printer).await?.exit)
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
    plinth_report::tables::table(&["NODE", "ADDRESS", "PINNED", "PRESENTED"], rows.iter().map(cells).collect())
}
