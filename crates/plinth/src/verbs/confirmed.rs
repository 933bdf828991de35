//! What verbs have in common that ask for the site's name: they show the plan and the hosts that it would touch before.

use crate::args::{Common, ConfirmedOptions};
use crate::clients;
use crate::printer::Printer;
use crate::real::Real;
use crate::verbs;
use plinth_model::{Exit, NodeName, Plan, Problem};

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

/// Shows the hosts that the engine would touch.
pub(super) async fn preview(plan: &Plan, real: &Real, printer: &Printer) -> Result<(), Problem> {
    let touched = plinth_run::engines::preview(plan, &real.world().env).await;
    if let Some(touched) = touched.map_err(|error| clients::problem(&error))? {
        printer.talk(&touched.text());
    }
    Ok(())
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
