//! `plinth man`.

use crate::args::{Arguments, Man};
use crate::printer::Printer;
use clap::CommandFactory;
use plinth_app::{Failure, overwrite};
use plinth_model::{Exit, Problem};
use plinth_world::files;
use std::path::Path;

/// Prints the manual page, or writes one for every verb.
pub(crate) fn run(verb: &Man, printer: &Printer) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| {
        Problem::while_doing("writing the manual pages")
            .wrong_input(error)
            .try_this("name a folder that is there and that you can write to with `--out DIR`")
    };
    match &verb.out {
        Some(folder) => {
            let rendered = tempfile::tempdir().map_err(failed)?;
            clap_mangen::generate_to(Arguments::command(), rendered.path()).map_err(failed)?;
            for page in std::fs::read_dir(rendered.path()).map_err(failed)? {
                let page = page.map_err(failed)?;
                let goal = folder.join(page.file_name());
                overwrite::replaceable(&goal, is_page)?;
                files::write_whole(&goal, &std::fs::read(page.path()).map_err(failed)?).map_err(failed)?;
            }
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

/// Largest manual page that is looked at, bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// Whether the file is a page that plinth wrote.
fn is_page(file: &Path) -> bool {
    let text = files::read_up_to(file, LARGEST).unwrap_or_default();
    String::from_utf8_lossy(&text).contains(".TH plinth")
}
