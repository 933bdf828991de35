//! `plinth completions`.

use crate::args::{Arguments, Completions};
use clap::CommandFactory;
use plinth_app::Failure;
use plinth_model::Exit;

/// Prints completions for a shell.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
pub(crate) fn run(verb: &Completions) -> Result<Exit, Failure> {
    clap_complete::generate(verb.shell, &mut Arguments::command(), "plinth", &mut std::io::stdout());
    Ok(Exit::Done)
}
