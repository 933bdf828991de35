//! Where the events of a run go: the terminal, and `--events FILE`.

use crate::printer::Printer;
use plinth_model::{Event, Exit, Plan, Problem};
use plinth_report::{Lines, Live, Ndjson, Palette, Sink as _, Tee};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Open sinks.
#[derive(Clone)]
pub(crate) struct Sinks(Arc<Mutex<Tee>>);

impl Sinks {
    /// The live view on a terminal, lines elsewhere; and the file, if one is wanted.
    pub(crate) fn open(printer: &Printer, plan: &Plan, events: Option<&Path>) -> Result<Self, Problem> {
        let mut tee = Tee::new();
        if let Some(file) = events {
            tee = tee.with(Ndjson::new(BufWriter::new(create(file)?)));
        }
        let palette = palette(printer);
        tee = if Printer::watched() {
            tee.with(Live::of_plan(plan, palette))
        } else {
            tee.with(Lines::of_plan(std::io::stderr(), plan, palette))
        };
        Ok(Self(Arc::new(Mutex::new(tee))))
    }

    /// For the executor.
    pub(crate) fn sink(&self) -> plinth_run::executor::Sink {
        let sinks = Arc::clone(&self.0);
        Arc::new(move |event: Event| sinks.lock().unwrap_or_else(PoisonError::into_inner).event(&event))
    }

    /// No more events come.
    pub(crate) fn close(&self) -> Result<(), Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).finish().map_err(|error| {
            Problem::new(
                Exit::Input,
                "writing the events of the run",
                "",
                error,
                "free some space; the run itself is in the journal (`plinth status`)",
            )
        })
    }
}

/// Colour as the printer decided, signs as the locale allows.
pub(crate) fn palette(printer: &Printer) -> Palette {
    let detected = Palette::detect(Printer::watched(), |name| std::env::var(name).ok());
    Palette { colour: printer.color_err(), ..detected }
}

fn create(file: &Path) -> Result<File, Problem> {
    File::create(file).map_err(|error| {
        Problem::new(
            Exit::Input,
            "opening the file for events",
            file.display().to_string(),
            error,
            "choose a folder that you can write to",
        )
    })
}
