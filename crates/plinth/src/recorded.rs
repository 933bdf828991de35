//! Runs as the journal keeps them, chosen by what people call them, with all that is computed of them.

use crate::args::Common;
use crate::kept::Kept;
use crate::printer::Printer;
use crate::sinks;
use plinth_analysis::{
    Columns, CriticalPath, FailureGroup, KindView, RunEntry, Shape, Side, Slow, Traits, Waiting, Which, failure_groups,
    kinds, slow_ones, waiting,
};
use plinth_app::{Failure, state};
use plinth_model::run::{LockView, StreamSeal};
use plinth_model::{Event, Plan, Problem, RunView, SiteName};
use plinth_report::runs::{Look, Shown};
use plinth_run::LockOwner;
use plinth_run::journal::JournalReader;
use plinth_world::{Clock, SystemClock};
use std::io::IsTerminal;
use std::path::PathBuf;

/// Runs of a site.
pub(crate) struct Recorded {
    pub(crate) site: SiteName,
    pub(crate) directory: PathBuf,
    pub(crate) journal: Option<JournalReader>,
    /// Oldest first.
    pub(crate) runs: Vec<RunEntry>,
    pub(crate) lock: Option<LockView>,
}

impl Recorded {
    /// Reads the list of runs. Works while a run is on, and without contacting anybody.
    pub(crate) fn open(common: &Common) -> Result<Self, Failure> {
        let Kept { site, directory, journal } = Kept::open(common)?;
        let now = SystemClock::new().now();
        let mut recorded = Self { site, directory, journal: None, runs: Vec::new(), lock: None };
        let Some(journal) = journal else { return Ok(recorded) };
        recorded.lock = journal.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current()));
        for run in journal.runs().map_err(Problem::from)? {
            let view = RunView::of(&journal.outline(&run).map_err(Problem::from)?);
            recorded.runs.extend(RunEntry::of(&view, recorded.is_held(&run)));
        }
        recorded.journal = Some(journal);
        Ok(recorded)
    }

    fn is_held(&self, run: &str) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.alive && lock.run == run)
    }

    /// The run that is meant.
    pub(crate) fn choose(&self, asked: &str) -> Result<Chosen, Failure> {
        self.choose_before(asked, None)
    }

    /// The same; as `last-good` only a run in front of that one counts.
    pub(crate) fn choose_before(&self, asked: &str, before: Option<&str>) -> Result<Chosen, Failure> {
        let unknown =
            |why: String| Problem::while_doing("finding the run").wrong_input(why).try_this("`plinth runs` lists them");
        let entry = Which::parse(asked).find(&self.runs, before).map_err(|error| unknown(error.to_string()))?;
        self.whole(entry)
    }

    /// A run with all of its events.
    pub(crate) fn whole(&self, entry: &RunEntry) -> Result<Chosen, Failure> {
        let none = || Problem::while_doing("reading the run").bug("there is no journal").try_this("run again");
        let journal = self.journal.as_ref().ok_or_else(none)?;
        let events = journal.since(&entry.run, 0).map_err(Problem::from)?;
        let plan = match &entry.plan {
            Some(hash) => journal.plan(hash).map_err(Problem::from)?.read(),
            None => None,
        };
        let traits = state::facts::traits(&self.directory)?;
        Ok(Chosen::of(entry.clone(), events, plan, &traits))
    }
}

impl Recorded {
    /// The same run of rewritten events: without secrets.
    pub(crate) fn rewritten(&self, chosen: &Chosen, events: Vec<Event>) -> Result<Chosen, Failure> {
        let traits = state::facts::traits(&self.directory)?;
        Ok(Chosen::of(chosen.entry.clone(), events, chosen.plan.clone(), &traits))
    }
}

/// One run, with what is computed of it.
pub(crate) struct Chosen {
    pub(crate) entry: RunEntry,
    pub(crate) events: Vec<Event>,
    pub(crate) view: RunView,
    pub(crate) plan: Option<Plan>,
    pub(crate) shape: Shape,
    pub(crate) columns: Columns,
    pub(crate) kinds: Vec<KindView>,
    pub(crate) groups: Vec<FailureGroup>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) path: CriticalPath,
    pub(crate) slow: Vec<Slow>,
}

impl Chosen {
    fn of(entry: RunEntry, events: Vec<Event>, plan: Option<Plan>, traits: &Traits) -> Self {
        let view = RunView::of(&events);
        let shape = plan.as_ref().map(Shape::of).unwrap_or_default();
        let columns = Columns::of(&events);
        Self {
            kinds: kinds(&view),
            groups: failure_groups(&view, traits),
            waiting: waiting(&view, &shape),
            path: CriticalPath::of(&view, &shape),
            slow: slow_ones(&columns),
            entry,
            events,
            view,
            plan,
            shape,
            columns,
        }
    }

    /// Its events, one JSON object a line.
    pub(crate) fn lines(&self) -> String {
        let events = self.events.iter().filter_map(|event| serde_json::to_string(event).ok());
        events.map(|line| line + "\n").collect()
    }

    /// For a comparison.
    pub(crate) fn side(&self) -> Side<'_> {
        Side { view: &self.view, plan: self.plan.as_ref() }
    }

    /// For whoever draws it.
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown {
            entry: &self.entry,
            view: &self.view,
            kinds: &self.kinds,
            groups: &self.groups,
            waiting: &self.waiting,
            path: &self.path,
            slow: &self.slow,
            whole: StreamSeal::holds(&self.events),
        }
    }
}

/// How data is shown on standard output: lines are broken only where somebody sees them.
pub(crate) fn look(printer: &Printer) -> Look {
    let width = std::io::stdout().is_terminal().then(Printer::width);
    Look { palette: sinks::palette(printer.color_out()), width }
}
