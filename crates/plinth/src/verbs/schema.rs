//! `plinth schema`.

use crate::printer::Printer;
use plinth_app::Failure;
use plinth_model::Exit;

/// Prints the JSON Schema of the site file.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
pub(crate) fn run(printer: &Printer) -> Result<Exit, Failure> {
    printer.json(&plinth_site::schema());
    Ok(Exit::Done)
}
