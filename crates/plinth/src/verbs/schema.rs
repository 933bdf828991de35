//! `plinth schema`.

use crate::printer::Printer;
use plinth_model::{Exit, Problem};

/// Prints the JSON Schema of the site file.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
pub(crate) fn run(printer: &Printer) -> Result<Exit, Problem> {
    printer.json(&plinth_site::schema());
    Ok(Exit::Done)
}
