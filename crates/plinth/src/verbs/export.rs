//! `plinth export`.

use crate::args::{Common, Export, ExportFormat};
use crate::out_file;
use crate::printer::Printer;
use crate::recorded::Recorded;
use plinth_app::Failure;
use plinth_model::text::{visible_json, visible_lines};
use plinth_model::{Exit, Problem};
use plinth_report::export::{Exported, Format};

/// Writes a run in the format of another tool, whole or not at all. Reads the journal only.
pub(crate) fn run(common: &Common, verb: &Export, printer: &Printer) -> Result<Exit, Failure> {
    let recorded = Recorded::open(common)?;
    let chosen = recorded.choose(&verb.which.run)?;
    let (shown, columns) = (chosen.shown(), &chosen.analysis.columns);
    let run = Exported { site: &recorded.site, shown, columns, plinth: env!("PLINTH_VERSION") };
    let format = of(verb.format);
    let text = run.write(format).map_err(|error| {
        Problem::while_doing("writing the run").bug(error).try_this("try another format, and report this one")
    })?;
    let text = match format {
        Format::Trace | Format::Otlp | Format::Ctrf => visible_json(&text),
        Format::Junit | Format::Markdown | Format::Metrics => visible_lines(&text),
    };
    match &verb.out {
        None => printer.data(&text),
        Some(file) => {
            out_file::write(file, text.as_bytes(), 0o644, "writing the run to", |there| {
                out_file::is_export(there, &text)
            })?;
        }
    }
    Ok(Exit::Done)
}

const fn of(format: ExportFormat) -> Format {
    match format {
        ExportFormat::Trace => Format::Trace,
        ExportFormat::Otlp => Format::Otlp,
        ExportFormat::Ctrf => Format::Ctrf,
        ExportFormat::Junit => Format::Junit,
        ExportFormat::Markdown => Format::Markdown,
        ExportFormat::Metrics => Format::Metrics,
    }
}
