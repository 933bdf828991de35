//! `plinth remove` and `plinth reset`.

use crate::args::{Common, RemovalOptions, Remove, Reset};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::Real;
use crate::session::Held;
use crate::{carry, doors, state, verbs};
use plinth_model::work::Removal;
use plinth_model::{Exit, NodeName, Plan, Problem, Work};
use plinth_plan::{Cluster, Observed};
use plinth_run::{Durability, LookOptions};
use plinth_world::ansible::{Play, PlayHosts, PlayRun};

/// Takes workers out.
pub(crate) fn remove(common: &Common, verb: &Remove, printer: &Printer) -> Result<Exit, Problem> {
    let names: Result<Vec<NodeName>, Problem> = verb.nodes.iter().map(|name| node_name(name)).collect();
    let removal = Removal::Nodes { nodes: names?, reachable: !verb.unreachable };
    run(common, &verb.way, &removal, printer)
}

/// Takes Kubernetes away.
pub(crate) fn reset(common: &Common, verb: &Reset, printer: &Printer) -> Result<Exit, Problem> {
    run(common, &verb.way, &Removal::All, printer)
}

fn node_name(name: &str) -> Result<NodeName, Problem> {
    NodeName::new(name).map_err(|error| {
        Problem::new(Exit::Input, "reading node", name, error, "give exact names, as in the site file")
    })
}

fn run(common: &Common, way: &RemovalOptions, removal: &Removal, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    let name = input.site.desired.name.as_str();
    match &way.confirm {
        None if !Printer::can_ask() => return Err(nobody_to_ask(name)),
        Some(given) if given != name => return Err(other_name(given, name)),
        _ => {}
    }
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, &input, &directory, printer)?;
    let held = Held::take(&directory, &input.site.desired.name, Durability::Power)?;
    let inventory = verbs::discover::inventory(common, &input, way.from.inventory.as_deref(), printer)?;
    let observed = Observed::new(inventory);
    let desired = &input.site.desired;
    let (cluster, _) = Cluster::new(desired, &plinth_plan::discover(desired, &observed.inventory));
    let runtime = doors::runtime()?;
    let plan = runtime.block_on(plan(common, &input, &observed, removal, &real, printer))?;
    show(common, &plan, printer);
    if is_gone(&plan) {
        printer.talk("nothing of it is there: nothing to do");
        return Ok(Exit::Done);
    }
    let touched = runtime.block_on(preview(&plan, &real))?;
    printer.talk(&hosts_text(&touched));
    if way.confirm.is_none() && !printer.ask_for("This cannot be undone. Type the site's name to go on:", name) {
        printer.talk("nothing was changed");
        return Ok(Exit::Pending);
    }
    let carry = carry::Carry { common, events: way.events.events.as_deref(), desired, printer, real: &real };
    let exit = runtime.block_on(carry.out(&plan, &cluster, held))?;
    if exit == Exit::Done {
        printer.talk(&afterwards(removal));
    }
    Ok(exit)
}

/// Whether every step that takes something away has nothing to do. Source, environment and files are only its tools.
fn is_gone(plan: &Plan) -> bool {
    let takes = |work: &Work| matches!(work, Work::KubesprayRemoval { .. } | Work::NodeRemains { .. });
    plan.steps.iter().filter(|step| takes(&step.work)).all(|step| !step.change.pending())
}

/// The plan, with what was seen of every step.
async fn plan(
    common: &Common,
    input: &Input,
    observed: &Observed,
    removal: &Removal,
    real: &Real,
    printer: &Printer,
) -> Result<Plan, Problem> {
    let make = |observed: &Observed| {
        plinth_plan::removal(&input.site.desired, observed, &input.catalog, removal).map_err(|findings| {
            let findings = input.place(findings);
            input.show(common, printer, &findings);
            input::refused(&findings, &common.file.display().to_string())
        })
    };
    let draft = make(observed)?;
    let look = plinth_run::look(&draft, &real.world(), &LookOptions::default()).await?;
    input.show(common, printer, &look.findings);
    make(&Observed { steps: look.seen, answers: look.answers, ..observed.clone() })
}

/// Shows the plan to people. With `--json` the one document on standard output is the report at the end.
fn show(common: &Common, plan: &Plan, printer: &Printer) {
    if common.json {
        printer.talk(&plinth_plan::render::text(plan, printer.color_err(), Printer::width()));
    } else {
        verbs::plan::show(common, None, plan, printer);
    }
}

/// The hosts that Kubespray's plays would touch. Source, environment and files must be there for that: they are made, which
/// changes no node.
async fn preview(plan: &Plan, real: &Real) -> Result<Vec<PlayHosts>, Problem> {
    let Some((run, files)) = play(plan) else { return Ok(Vec::new()) };
    let door = &real.doors.ansible;
    let ready = async {
        door.fetch_source(&real.ctx, &run.release).await?;
        door.make_environment(&real.ctx, &run.release).await?;
        door.write_inventory(&real.ctx, &files).await?;
        door.preview(&real.ctx, &run).await
    };
    ready.await.map_err(|error| doors::problem(&error))
}

fn play(plan: &Plan) -> Option<(PlayRun, indexmap::IndexMap<String, String>)> {
    let files = plan.steps.iter().find_map(|step| match &step.work {
        Work::KubesprayInventory { files } => Some(files.clone()),
        _ => None,
    })?;
    plan.steps.iter().find_map(|step| match &step.work {
        Work::KubesprayRemoval { release, targets, removal, parts } => {
            let play = match removal.clone() {
                Removal::All => Play::Reset,
                Removal::Nodes { nodes, reachable } => Play::Remove { nodes, reachable },
            };
            let run = PlayRun { release: release.clone(), play, targets: targets.clone(), inputs: parts.clone() };
            Some((run, files.clone()))
        }
        _ => None,
    })
}

/// Plays of the same hosts as one line.
fn hosts_text(plays: &[PlayHosts]) -> String {
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for play in plays.iter().filter(|play| !play.hosts.is_empty()) {
        let hosts = play.hosts.join(", ");
        match lines.iter_mut().find(|(known, _)| *known == hosts) {
            Some((_, names)) => names.push(&play.play),
            None => lines.push((hosts, vec![&play.play])),
        }
    }
    let line = |(hosts, names): (String, Vec<&str>)| format!("  {hosts}: {}", names.join("; "));
    let lines: Vec<String> = lines.into_iter().map(line).collect();
    format!("Kubespray's plays touch these hosts:\n{}", lines.join("\n"))
}

fn afterwards(removal: &Removal) -> String {
    match removal {
        Removal::All => "Kubernetes is gone. The service account, host keys and the state directory stay; `plinth apply` makes it all anew".to_owned(),
        Removal::Nodes { nodes, .. } => {
            let nodes = nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
            format!("Now take {nodes} out of the site file: the next apply would add it again")
        }
    }
}

fn nobody_to_ask(name: &str) -> Problem {
    Problem::new(
        Exit::Input,
        "asking for the site's name",
        "",
        "there is no terminal to ask at; nothing was contacted or changed",
        format!("give `--confirm {name}`"),
    )
}

fn other_name(given: &str, name: &str) -> Problem {
    Problem::new(
        Exit::Input,
        "comparing the site's name with",
        format!("`--confirm {given}`"),
        format!("the site file is that of `{name}`; nothing was contacted or changed"),
        "give the right site file, or the right name",
    )
}
