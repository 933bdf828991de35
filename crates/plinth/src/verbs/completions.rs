//! `plinth completions`.

use crate::args::{Arguments, Completions};
use crate::printer::Printer;
use clap::CommandFactory;
use plinth_app::Failure;
use plinth_model::Exit;

/// Prints completions for a shell.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
pub(crate) fn run(verb: &Completions, printer: &Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(verb.shell, &mut Arguments::command(), "plinth", &mut script);
    printer.file(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
