//! `plinth plan`.

use crate::args::{Common, GraphFormat, Plan as Arguments};
use crate::input;
use crate::kept::Kept;
use crate::prediction;
use crate::printer::Printer;
use crate::recorded::Before;
use crate::screen::Screen;
use plinth_analysis::{Shape, time_of_plan};
use plinth_app::saved::save;
use plinth_app::{Access, ChartMove, Depth, Failure, Goal, Input, Operation, Refreshed};
use plinth_model::{Exit, Plan};
use plinth_plan::render::Look;
use serde::Serialize;
use std::collections::BTreeSet;

/// Shows what would be done, and why. Contacts BCM, and with `--preflight` the nodes; what was done before is known from the
/// journal, and what is known of the nodes from the last check.
pub(crate) async fn run(common: &Common, verb: &Arguments, printer: &Printer) -> Result<Exit, Failure> {
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));
    let access = if verb.preflight || verb.refresh { Access::Change } else { Access::Read };
    let depth = if verb.preflight { Depth::Nodes } else { Depth::Inventory };
    let mut operation = input::open(common, Input::load(&common.file)?, recorded, access, Goal::Site, &screen)?;
    operation.leave_out(&verb.without.without);
    if verb.sources.skip_source_check {
        operation.skip_source_check();
    }
    let moves = if verb.refresh { Some(refresh(&mut operation, printer).await?) } else { None };
    let seen = operation.observe(depth).await?;
    let mut planned = operation.plan(seen)?;
    if !common.json {
        show_asked(common, verb, &planned.plan, None, printer);
        let told = if verb.graph.is_none() { by_runs(common, &operation, &planned.plan, printer)? } else { None };
        told.iter().for_each(|told| printer.talk(told));
    }
    // On a terminal they were shown before the plan; a file and JSON hold them too.
    planned.plan.findings.append(&mut planned.checks);
    if let Some(file) = &verb.out {
        save(&planned.plan, file)?;
    }
    if common.json {
        show_asked(common, verb, &planned.plan, moves.as_deref(), printer);
    } else if verb.graph.is_none() {
        printer.talk(&next(common, verb, &planned.plan));
    }
    Ok(if verb.detailed_exitcode && planned.plan.pending() > 0 { Exit::Pending } else { Exit::Done })
}

/// How long such a plan takes by real runs of the site, where there were any and they know every kind that matters.
fn by_runs(
    common: &Common,
    operation: &Operation<'_>,
    plan: &Plan,
    printer: &Printer,
) -> Result<Option<String>, Failure> {
    let Kept { site, journal: Some(journal), .. } = Kept::open_if_there(common)? else { return Ok(None) };
    let past = Before::read(&journal, "").told(printer).past(prediction::kept(&site).as_ref(), "");
    if past.count().0 == 0 || plan.pending() == 0 {
        return Ok(None);
    }
    let nodes = plan.steps.iter().filter_map(|step| step.work.node()).collect::<BTreeSet<_>>().len();
    let took = time_of_plan(&Shape::of(plan), &past, nodes, operation.desired().run.parallel, false);
    Ok(plinth_report::runs::of_plan(&took))
}

/// Chooses versions again, and says what moved, with `-q` too: that is a change, and the plan that follows is made of it.
async fn refresh(operation: &mut Operation<'_>, printer: &Printer) -> Result<Vec<ChartMove>, Failure> {
    let Refreshed { moves, failure } = operation.refresh_charts().await?;
    for ChartMove { component, selector, from, to } in &moves {
        match from {
            Some(from) if from == to => printer.talk(&format!("{component} {selector} is {to}, as before")),
            Some(from) => printer.changed(&format!("{component} {selector} is {to} from now on; it was {from}")),
            None => printer.changed(&format!("{component} {selector} is {to}")),
        }
    }
    match failure {
        Some(failure) => return Err(failure),
        None if moves.is_empty() => {
            printer.talk("no chart has a line as its version, so there is nothing to choose again");
        }
        None => {}
    }
    Ok(moves)
}

/// Said where everything but the doing was done.
pub(crate) const DRY_RUN: &str = "dry run: nothing was changed";

/// What to do with the plan.
fn next(common: &Common, verb: &Arguments, plan: &Plan) -> String {
    let site = match common.file.to_str() {
        Some("site.yaml") => String::new(),
        _ => format!(" -f {}", common.file.display()),
    };
    match &verb.out {
        Some(file) => format!("saved; `plinth apply{site} {}` does it", file.display()),
        None if plan.pending() == 0 => "nothing is left to do".to_owned(),
        None => format!("next: `plinth apply{site}` looks at the nodes, shows the plan again, and asks"),
    }
}

/// Prints a plan for people, or for scripts; with `all`, steps that are done already or not needed are shown like others.
pub(crate) fn show(common: &Common, all: bool, plan: &Plan, printer: &Printer) {
    if common.json {
        printer.json(&plinth_plan::render::json(plan));
    } else {
        printer
            .text(&plinth_plan::render::text(plan, Look { colour: printer.color_out(), width: Printer::width(), all }));
    }
}

/// A plan for scripts, and what `--refresh` moved before it was made.
#[derive(Serialize)]
struct AfterRefresh<'a, P: Serialize> {
    #[serde(flatten)]
    plan: P,
    #[serde(skip_serializing_if = "Option::is_none")]
    refreshed: Option<&'a [ChartMove]>,
}

fn show_asked(common: &Common, verb: &Arguments, plan: &Plan, moves: Option<&[ChartMove]>, printer: &Printer) {
    match verb.graph {
        Some(GraphFormat::Dot) => printer.file(&plinth_plan::render::dot(plan)),
        None if common.json => printer.json(&AfterRefresh { plan: plinth_plan::render::json(plan), refreshed: moves }),
        None => show(common, verb.text.all, plan, printer),
    }
}

/// Shows a plan that may run. With `--json` the one document on standard output is the report at the end.
pub(crate) fn show_before(common: &Common, all: bool, plan: &Plan, printer: &Printer) {
    if common.json {
        let look = Look { colour: printer.color_err(), width: Printer::width_of_talk(), all };
        printer.talk(&plinth_plan::render::text(plan, look));
    } else {
        show(common, all, plan, printer);
    }
}
