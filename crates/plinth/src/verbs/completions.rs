//! `plinth completions`.

use crate::args::Completions;
use crate::printer::Printer;
use clap_complete::env::Shells;
use plinth_app::Failure;
use plinth_model::{Exit, Problem};

/// The variable by which a shell asks for completions.
pub(crate) const VARIABLE: &str = "PLINTH_COMPLETE";

/// Prints what makes a shell ask plinth itself for completions: nodes and steps of the site are offered too.
pub(crate) fn run(verb: &Completions, printer: &Printer) -> Result<Exit, Failure> {
    let bug = |happened: String| Problem::while_doing("writing completions for").to(verb.shell).bug(happened);
    let shells = Shells::builtins();
    let name = verb.shell.to_string();
    let shell = shells.completer(&name).ok_or_else(|| bug("no such shell".to_owned()))?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "plinth", "plinth", "plinth", &mut script).map_err(|e| bug(e.to_string()))?;
    printer.file(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
