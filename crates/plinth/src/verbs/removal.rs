//! `plinth remove` and `plinth reset`.

use crate::approval::SiteName;
use crate::args::{Common, ConfirmedOptions, Remove, Reset};
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running, verbs};
use plinth_app::{Access, Depth, Failure, Goal, Input};
use plinth_model::steps::Removal;
use plinth_model::{Exit, NodeName};
use plinth_plan::engines;

/// Takes workers out.
pub(crate) async fn remove(common: &Common, verb: &Remove, printer: &Printer) -> Result<Exit, Failure> {
    let removal = Removal::Nodes { nodes: input::node_names(&verb.nodes)?, reachable: !verb.unreachable };
    let said = Said { nothing: "nothing of it is there: nothing to do", done: &afterwards(&removal) };
    run(common, &verb.way, Goal::Removal(removal), &said, printer).await
}

/// Takes Kubernetes away.
pub(crate) async fn reset(common: &Common, verb: &Reset, printer: &Printer) -> Result<Exit, Failure> {
    let said = Said { nothing: "no node has anything of Kubernetes: nothing to do", done: &afterwards(&Removal::All) };
    run(common, &verb.way, Goal::Removal(Removal::All), &said, printer).await
}

/// What is said at the end.
pub(super) struct Said<'a> {
    /// When there was nothing to do.
    pub(super) nothing: &'a str,
    /// When it was done.
    pub(super) done: &'a str,
}

/// Runs a plan that asks for the site's name.
pub(super) async fn run(
    common: &Common,
    way: &ConfirmedOptions,
    goal: Goal,
    said: &Said<'_>,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let name = input.site.desired.name.to_string();
    let confirmation = SiteName::new(way, &name, printer)?;
    let (recorded, screen) = (way.from.inventory.as_deref(), Screen::new(printer));

    let mut operation = input::open(common, input, recorded, Access::Change, goal, &screen)?;
    let seen = operation.observe(Depth::Steps).await?;
    let planned = operation.plan(seen)?;
    verbs::plan::show_before(common, true, &planned.plan, printer);
    if engines::is_done(&planned.plan) {
        printer.talk(said.nothing);
        return Ok(Exit::Done);
    }
    if way.dry_run {
        printer.talk(verbs::plan::DRY_RUN);
        return Ok(Exit::Done);
    }
    if let Some(preview) = operation.preview(&planned).await? {
        printer.talk(&preview.text());
    }
    let Some(approved) = operation.approve(planned, &confirmation).await? else { return Ok(Exit::Pending) };
    let exit = running::run(&mut operation, approved, (common, way.events.events.as_deref(), None), printer).await?;
    if exit == Exit::Done {
        printer.talk(said.done);
    }
    Ok(exit)
}

fn afterwards(removal: &Removal) -> String {
    match removal {
        Removal::All | Removal::Unprovisioned => "Kubernetes is gone. The service account, host keys and the state directory stay; `plinth apply` makes it all again".to_owned(),
        Removal::Nodes { nodes, .. } => {
            let nodes = nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
            format!("Now take {nodes} out of the site file: the next apply would add it again")
        }
    }
}
