//! `plinth plan`.

use crate::args::{Common, GraphFormat, Plan as Arguments};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::{Real, known};
use crate::{clients, session, state};
use plinth_model::plan::MadeFrom;
use plinth_model::{Exit, Finding, Plan, Problem};
use plinth_plan::{Cluster, Observed};
use plinth_world::files;
use std::path::Path;

/// Shows what would be done, and why. Contacts BCM, and with `--preflight` the nodes; what was done before is known from the
/// journal, and what is known of the nodes from the last visit.
pub(crate) fn run(common: &Common, verb: &Arguments, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    state::kind_fits(&directory, false)?;
    let inventory = super::discover::inventory(common, &input, verb.from.inventory.as_deref(), printer)?;
    let mut observed = Observed { facts: known::read(&directory)?, ..Observed::new(inventory) };
    make(common, &input, &observed, printer)?;
    let told = if verb.preflight { visit(common, &input, &directory, &mut observed, printer)? } else { Vec::new() };
    let draft = make(common, &input, &observed, printer)?;
    observed.steps = session::journalled(&directory, &draft)?;
    let mut plan = make(common, &input, &observed, printer)?;
    if !common.json {
        show(common, verb.graph, &plan, printer);
    }
    // People have read these already, folded.
    plan.findings.extend(told);
    if let Some(file) = &verb.out {
        save(&plan, file)?;
    }
    if common.json {
        show(common, verb.graph, &plan, printer);
    }
    Ok(if verb.detailed_exitcode && plan.pending() > 0 { Exit::Pending } else { Exit::Done })
}

/// Visits the nodes, and keeps what they said.
fn visit(
    common: &Common,
    input: &Input,
    directory: &Path,
    observed: &mut Observed,
    printer: &Printer,
) -> Result<Vec<Finding>, Problem> {
    state::open(directory, false)?;
    let real = Real::open(common, input, directory, printer)?;
    let desired = &input.site.desired;
    let (cluster, _) = Cluster::new(desired, &plinth_plan::discover(desired, &observed.inventory));
    let survey = clients::runtime()?.block_on(real.survey(desired, &cluster))?;
    observed.facts.extend(survey.facts);
    known::write(directory, &observed.facts)?;
    if !common.json {
        super::preflight::show(printer, &survey.findings);
    }
    Ok(survey.findings)
}

/// Plans, or prints every reason why not.
pub(crate) fn make(common: &Common, input: &Input, observed: &Observed, printer: &Printer) -> Result<Plan, Problem> {
    match plinth_plan::plan(&input.site.desired, observed, &input.catalog) {
        Ok(mut plan) => {
            plan.findings.extend(input.site.findings.clone());
            plan.findings = input.place(plan.findings);
            Ok(plan)
        }
        Err(findings) => {
            let findings = input.place(findings);
            input.show(common, printer, &findings);
            Err(input::refused(&findings, &common.file.display().to_string()))
        }
    }
}

/// Writes a plan to a file, whole or not at all.
pub(crate) fn save(plan: &Plan, file: &Path) -> Result<(), Problem> {
    input::replaceable(file, |start| start.starts_with(b"{"))?;
    let text = plinth_plan::saved::write(plan)?;
    files::write_whole(file, text.as_bytes()).map_err(|error| {
        let file = file.display().to_string();
        Problem::new(Exit::Input, "saving the plan to", file, error, "choose a folder that you can write to")
    })
}

/// Prints a plan in the form that was asked for.
pub(crate) fn show(common: &Common, graph: Option<GraphFormat>, plan: &Plan, printer: &Printer) {
    match graph {
        Some(GraphFormat::Dot) => printer.data(&plinth_plan::render::dot(plan)),
        None if common.json => printer.json(plan),
        None => printer.data(&plinth_plan::render::text(plan, printer.color_out(), Printer::width())),
    }
}

/// Reads a saved plan and refuses it when what it was made from moved, saying what.
pub(crate) fn saved(file: &Path, now: &Plan) -> Result<Plan, Problem> {
    let plan = read(file)?;
    if plan.site != now.site {
        return Err(stale(file, &format!("it is a plan of site `{}`, and this is site `{}`", plan.site, now.site)));
    }
    fits(file, &plan.made_from, &now.made_from)?;
    Ok(plan)
}

/// Refuses a plan when what it was made from is not what there is now.
pub(crate) fn fits(file: &Path, saved: &MadeFrom, now: &MadeFrom) -> Result<(), Problem> {
    let moved = plinth_plan::diff::moved(saved, now);
    if moved.is_empty() {
        return Ok(());
    }
    let what: Vec<String> = moved.iter().map(ToString::to_string).collect();
    Err(stale(file, &format!("it no longer fits: {}", what.join("; "))))
}

/// Reads a saved plan.
pub(crate) fn read(file: &Path) -> Result<Plan, Problem> {
    let name = file.display().to_string();
    let bytes = files::read_up_to(file, plinth_plan::saved::LARGEST)
        .map_err(|error| Problem::new(Exit::Input, "reading the saved plan", &name, error, "check the path"))?;
    plinth_plan::saved::read(&name, &bytes, None)
}

pub(crate) fn stale(file: &Path, happened: &str) -> Problem {
    Problem::new(
        Exit::Input,
        "using the saved plan",
        file.display().to_string(),
        format!("{happened}. Nothing was done"),
        "look at a new plan, and save that one",
    )
}
