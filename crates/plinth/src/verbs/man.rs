//! `plinth man`.

use crate::args::{Arguments, Man};
use crate::printer::Printer;
use clap::CommandFactory;
use plinth_app::Failure;
use plinth_model::{Exit, Problem};

/// Prints the manual page, or writes one for every verb.
pub(crate) fn run(verb: &Man, printer: &Printer) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| {
        Problem::while_doing("writing the manual pages")
            .wrong_input(error)
            .try_this("name a folder that is there and that you can write to with `--out DIR`")
    };
    match &verb.out {
        Some(folder) => {
            clap_mangen::generate_to(Arguments::command(), folder).map_err(failed)?;
            printer.talk(&format!("wrote the manual pages into {}", folder.display()));
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page).map_err(failed)?;
            printer.data(&String::from_utf8_lossy(&page));
        }
    }
    Ok(Exit::Done)
}
