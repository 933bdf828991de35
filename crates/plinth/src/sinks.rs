//! Where the events of a run go: the terminal, and `--events FILE`.

use crate::args::Verbosity;
use crate::printer::Printer;
use plinth_model::{Event, Plan, Problem};
use plinth_report::{Lines, Live, Ndjson, Palette, Sink};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Open sinks.
pub(crate) struct Sinks {
    terminal: Shared,
    events: Option<(PathBuf, Shared)>,
}

/// A sink that the executor and the verb both hold.
type Shared = Arc<Mutex<Box<dyn Sink + Send>>>;

impl Sinks {
    /// The live view on a terminal, lines elsewhere and beside a log, nothing with `-q`; and the file, if one is wanted.
    pub(crate) fn open(printer: &Printer, plan: &Plan, events: Option<&Path>) -> Result<Self, Problem> {
        let palette = palette(printer);
        let events = match events {
            None => None,
            Some(file) => Some((file.to_path_buf(), shared(Ndjson::new(BufWriter::new(create(file)?))))),
        };
        let terminal = if printer.verbosity() == Verbosity::Quiet {
            shared(Silent)
        } else if printer.draws() {
            shared(Live::of_plan(plan, palette))
        } else {
            shared(Lines::of_plan(std::io::stderr(), plan, palette))
        };
        Ok(Self { terminal, events })
    }

    /// For the executor.
    pub(crate) fn sink(&self) -> plinth_run::executor::Sink {
        let sinks: Vec<Shared> =
            self.events.iter().map(|(_, sink)| sink).chain([&self.terminal]).map(Arc::clone).collect();
        Arc::new(move |event: Event| {
            for sink in &sinks {
                sink.lock().unwrap_or_else(PoisonError::into_inner).event(&event);
            }
        })
    }

    /// No more events come. A terminal that went away is no error; events that were lost are.
    pub(crate) fn close(&self) -> Result<(), Problem> {
        let _ = self.terminal.lock().unwrap_or_else(PoisonError::into_inner).finish();
        let Some((file, sink)) = &self.events else { return Ok(()) };
        sink.lock().unwrap_or_else(PoisonError::into_inner).finish().map_err(|error| {
            Problem::while_doing("writing the events of the run to")
                .to(file.display())
                .wrong_input(format!("{error}; the events behind that are lost, the run itself went on"))
                .try_this("free some space; everything is in the journal (`plinth status`)")
        })
    }
}

/// Says nothing.
struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: &Event) {}

    fn finish(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shared(sink: impl Sink + Send + 'static) -> Shared {
    Arc::new(Mutex::new(Box::new(sink)))
}

/// Colour as the printer decided, signs as the locale allows.
pub(crate) fn palette(printer: &Printer) -> Palette {
    let detected = Palette::detect(Printer::watched(), |name| std::env::var(name).ok());
    Palette { colour: printer.color_err(), ..detected }
}

/// Opens the file; what an earlier run wrote there is replaced, anything else is left alone.
fn create(file: &Path) -> Result<File, Problem> {
    plinth_app::saved::replaceable(file, |start| start.starts_with(b"{\"seq\":"))?;
    File::create(file).map_err(|error| {
        Problem::while_doing("opening the file for events")
            .to(file.display())
            .wrong_input(error)
            .try_this("choose a folder that you can write to")
    })
}
