//! `plinth kubeconfig`.

use crate::args::{Common, Kubeconfig};
use crate::input;
use crate::printer::Printer;
use plinth_app::kubeconfig::HeldKubeconfig;
use plinth_app::{Failure, Input};
use plinth_model::Exit;
use serde::Serialize;
use std::path::Path;

/// What was written, and where; never what it holds.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    context: &'a str,
    server: &'a str,
    file: String,
}

/// Prints the kubeconfig that `apply` fetched, or puts it where it is wanted. Nobody is contacted.
pub(crate) fn run(common: &Common, verb: &Kubeconfig, printer: &Printer) -> Result<Exit, Failure> {
    let held = HeldKubeconfig::of(&Input::load(&common.file)?, common.state.as_deref())?;
    let file = match (&verb.out, verb.merge) {
        (Some(file), _) => held.write(file, verb.force)?,
        (None, true) => held.merge(verb.force)?,
        (None, false) => {
            printer.file(held.text(common.json)?.expose());
            return Ok(Exit::Done);
        }
    };
    report(common, &held, &file, printer);
    Ok(Exit::Done)
}

fn report(common: &Common, held: &HeldKubeconfig, file: &Path, printer: &Printer) {
    let (site, server, file) = (held.site(), held.server(), file.display().to_string());
    if common.json {
        printer.json(&Report { schema: input::SCHEMA, context: site.as_str(), server, file });
    } else {
        printer
            .talk(&format!("context {site} for {server} is in {file}; `kubectl --context {site} get nodes` uses it"));
    }
}
