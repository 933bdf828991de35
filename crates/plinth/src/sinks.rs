//! Where the events of a run go: the terminal, and `--events FILE`.

use crate::args::Progress;
use crate::github::{self, StepSummary};
use crate::keys::QuietKeys;
use crate::printer::{Printer, palette};
use crate::recorded::past_in;
use crate::shared_sink::{Shared, shared};
use crate::terminal;
use plinth_analysis::Traits;
use plinth_app::state;
use plinth_model::{Event, Plan, Problem};
use plinth_report::{Background, GitHub, Lines, Live, Ndjson, Palette};
use plinth_world::output;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// Open sinks. None of them makes a run wait: each hands on to a thread of its own.
pub(crate) struct Sinks<'a> {
    printer: &'a Printer,
    all: Vec<Shared>,
    view: Option<(Background, QuietKeys)>,
    summary: Option<StepSummary>,
}

impl<'a> Sinks<'a> {
    /// The run as the printer shows it, and the file, if one is wanted. `directory`: where the site's state is. `page`: the link of the page
    /// beside the run.
    pub(crate) fn open(
        printer: &'a Printer,
        (plan, directory): (&Plan, &Path),
        (events, page): (Option<&Path>, Option<&str>),
    ) -> Result<Self, Problem> {
        // What nodes have in common explains failures; without it they are told all the same.
        let traits = state::facts::traits(directory).unwrap_or_default();
        let palette = palette(printer.color_err());
        let mut sinks = Self { printer, all: Vec::new(), view: None, summary: None };
        if let Some(file) = events {
            sinks.all.push(shared(Ndjson::new(printer.streams().events(file, create(file)?).writer())));
        }
        if let Some(summary) = StepSummary::wanted(plan, &traits) {
            sinks.all.push(summary.sink());
            sinks.summary = Some(summary);
        }
        let writer = || printer.streams().err().writer();
        match printer.progress() {
            Progress::None => {}
            Progress::Live => sinks.draw((plan, directory, page), palette, traits)?,
            Progress::Calm => sinks.all.push(shared(Lines::calm(writer(), plan, palette).knowing(traits))),
            Progress::Auto | Progress::Lines if github::is_there() => {
                sinks.all.push(shared(GitHub::of_plan(writer(), plan, palette).knowing(traits)));
            }
            Progress::Auto | Progress::Lines => {
                sinks.all.push(shared(Lines::of_plan(writer(), plan, palette).knowing(traits)));
            }
        }
        Ok(sinks)
    }

    /// Draws a view on the terminal.
    fn draw(
        &mut self,
        (plan, directory, page): (&Plan, &Path, Option<&str>),
        palette: Palette,
        traits: Traits,
    ) -> Result<(), Problem> {
        let (plan, directory, page) = (plan.clone(), directory.to_path_buf(), page.map(str::to_owned));
        let live = move || {
            let site = plan.site.clone();
            let earlier = Box::new(move |run: &str| past_in(&directory, &site, run));
            Live::of_plan(&plan, palette, terminal::on_stderr()).knowing(traits).after(earlier).served_at(page)
        };
        let view = self.printer.streams().show(|| Background::new(live)).map_err(no_thread)?;
        terminal::stops_with(&view);
        self.all.push(shared(view.clone()));
        self.view = Some((view, QuietKeys::new()));
        Ok(())
    }

    pub(crate) fn sink(&self) -> plinth_run::executor::Sink {
        let sinks = self.all.clone();
        Arc::new(move |event: Event| {
            for sink in &sinks {
                sink.lock().unwrap_or_else(PoisonError::into_inner).event(&event);
            }
        })
    }

    /// No more events come. What was lost on the way is told at the end of the process ([`Printer::end`]).
    pub(crate) fn close(self) {
        for sink in &self.all {
            let _ = sink.lock().unwrap_or_else(PoisonError::into_inner).finish();
        }
        if let Some((view, _keys)) = &self.view {
            self.printer.streams().hide(view);
            terminal::is_free();
        }
        if let Some(Err(problem)) = self.summary.as_ref().map(StepSummary::write) {
            self.printer.problem(&problem);
        }
    }
}

fn no_thread(error: std::io::Error) -> Problem {
    Problem::while_doing("showing the run").wrong_input(error).try_this("raise the limit on threads (`ulimit -u`)")
}

/// How the file is opened: what an earlier run wrote there is replaced, anything else is left alone. Nothing is read of what is no
/// plain file, and opening it may wait for its reader: that is the thread's business.
fn create(file: &Path) -> Result<plinth_report::Open, Problem> {
    plinth_app::overwrite::replaceable(file, plinth_app::overwrite::is_events)?;
    let place = file.to_path_buf();
    if output::is_plain(file) {
        let opened = output::create(file).map_err(|error| {
            Problem::while_doing("opening the file for events")
                .to(file.display())
                .wrong_input(error)
                .try_this("choose a folder that you can write to")
        })?;
        return Ok(Box::new(move || Ok(Box::new(opened))));
    }
    Ok(Box::new(move || Ok(Box::new(output::open(&place)?))))
}
