//! What verbs have in common that ask for the site's name: they show the plan and the hosts that Kubespray's plays would touch before.

use crate::args::{Common, ConfirmedOptions};
use crate::clients;
use crate::printer::Printer;
use crate::real::Real;
use crate::verbs;
use plinth_model::steps::{KubesprayInventory, KubesprayRecovery, KubesprayRemoval, Removal};
use plinth_model::{Exit, NodeName, Plan, Problem, Work};
use plinth_world::ansible::{Play, PlayHosts, PlayRun};

/// Names of nodes as they were given.
pub(super) fn nodes(names: &[String]) -> Result<Vec<NodeName>, Problem> {
    let name = |name: &String| {
        NodeName::new(name).map_err(|error| {
            Problem::new(Exit::Input, "reading node", name, error, "give exact names, as in the site file")
        })
    };
    names.iter().map(name).collect()
}

/// Refuses before anything is contacted when nobody can confirm, or the name that was given is another one.
pub(super) fn can_be(way: &ConfirmedOptions, name: &str) -> Result<(), Problem> {
    match &way.confirm {
        None if !Printer::can_ask() => Err(nobody_to_ask(name)),
        Some(given) if given != name => Err(other_name(given, name)),
        _ => Ok(()),
    }
}

/// Whether the site's name was given, or is typed now.
pub(super) fn by_name(way: &ConfirmedOptions, name: &str, printer: &Printer) -> bool {
    let confirmed =
        way.confirm.is_some() || printer.ask_for("This cannot be undone. Type the site's name to go on:", name);
    if !confirmed {
        printer.talk("nothing was changed");
    }
    confirmed
}

/// Shows the plan to people. With `--json` the one document on standard output is the report at the end.
pub(super) fn show(common: &Common, plan: &Plan, printer: &Printer) {
    if common.json {
        printer.talk(&plinth_plan::render::text(plan, printer.color_err(), Printer::width()));
    } else {
        verbs::plan::show(common, None, plan, printer);
    }
}

/// Shows the hosts that Kubespray's plays would touch. Source, environment and files must be there for that: they are made, which
/// changes no node.
pub(super) async fn preview(plan: &Plan, real: &Real, printer: &Printer) -> Result<(), Problem> {
    let Some((run, files)) = play(plan) else { return Ok(()) };
    let client = &real.clients.ansible;
    let ready = async {
        client.fetch_source(&real.ctx, &run.release).await?;
        client.make_environment(&real.ctx, &run.release).await?;
        client.write_inventory(&real.ctx, &files).await?;
        client.preview(&real.ctx, &run).await
    };
    let touched = ready.await.map_err(|error| clients::problem(&error))?;
    printer.talk(&hosts_text(&touched));
    Ok(())
}

fn play(plan: &Plan) -> Option<(PlayRun, indexmap::IndexMap<String, String>)> {
    let files = plan.steps.iter().find_map(|step| match &step.work {
        Work::KubesprayInventory(KubesprayInventory { files }) => Some(files.clone()),
        _ => None,
    })?;
    plan.steps.iter().find_map(|step| match &step.work {
        Work::KubesprayRemoval(KubesprayRemoval { release, targets, removal, parts }) => {
            let play = match removal.clone() {
                Removal::All => Play::Reset,
                Removal::Nodes { nodes, reachable } => Play::Remove { nodes, reachable },
            };
            let run = PlayRun { release: release.clone(), play, targets: targets.clone(), inputs: parts.clone() };
            Some((run, files.clone()))
        }
        Work::KubesprayRecovery(KubesprayRecovery { release, targets, broken, parts }) => {
            let play = Play::Recover { nodes: broken.clone(), reset: Vec::new() };
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
