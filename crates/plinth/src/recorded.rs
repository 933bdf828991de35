//! Runs as the journal keeps them, chosen by what people call them, with all that is computed of them.

use crate::args::Common;
use crate::kept::Kept;
use crate::prediction;
use crate::printer::{Printer, palette};
use jiff::Timestamp;
use plinth_analysis::{Analysis, Columns, Past, Prediction, RunEntry, Shape, Side, Traits, Which, hardware};
use plinth_app::{Failure, state};
use plinth_model::run::{LockView, RunState};
use plinth_model::{Event, Plan, Problem, RunView, SiteName};
use plinth_report::runs::{Listed, Look, Shown};
use plinth_run::journal::{JournalError, JournalReader};
use plinth_run::{Journal, LockOwner};
use plinth_world::{Clock, SystemClock};
use std::cell::OnceCell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Runs that an estimate is made of, at most: what was long ago says little of now.
const EARLIER: usize = 8;
/// Characters of an id that tell runs apart.
const SHORT: usize = 13;

/// Runs of a site.
pub(crate) struct Recorded {
    pub(crate) site: SiteName,
    pub(crate) directory: PathBuf,
    pub(crate) journal: Option<JournalReader>,
    /// Oldest first.
    pub(crate) runs: Vec<RunEntry>,
    pub(crate) lock: Option<LockView>,
    /// Older ones that are not kept any more.
    removed: u32,
    traits: OnceCell<Traits>,
}

impl Recorded {
    /// Reads the list of runs. Works while a run is on, and without contacting anybody.
    pub(crate) fn open(common: &Common) -> Result<Self, Failure> {
        let Kept { site, directory, journal } = Kept::open(common)?;
        let now = SystemClock::new().now();
        let (runs, traits) = (Vec::new(), OnceCell::new());
        let mut recorded = Self { site, directory, journal: None, runs, lock: None, removed: 0, traits };
        let Some(journal) = journal else { return Ok(recorded) };
        recorded.lock = journal.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current()));
        for run in journal.runs().map_err(Problem::from)? {
            let view = RunView::of(&journal.outline(&run).map_err(Problem::from)?);
            recorded.runs.extend(RunEntry::of(&view, recorded.is_held(&run)));
        }
        recorded.removed = journal.removed().map_err(Problem::from)?;
        recorded.journal = Some(journal);
        Ok(recorded)
    }

    /// Some of them, to be listed.
    pub(crate) fn listed<'a>(&'a self, chosen: &'a [RunEntry]) -> Listed<'a> {
        Listed { site: &self.site, runs: chosen, removed: self.removed }
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
        let fix = match before {
            Some(run) if asked == "last-good" => self.other_than(run),
            _ => "`plinth runs` lists them".to_owned(),
        };
        let unknown = |why: String| Problem::while_doing("finding the run").wrong_input(why).try_this(fix.as_str());
        let entry = Which::parse(asked).find(&self.runs, before).map_err(|error| unknown(error.to_string()))?;
        self.whole(entry)
    }

    /// What a run can be compared with where no good one stands in front of it.
    fn other_than(&self, run: &str) -> String {
        let at = self.runs.iter().position(|entry| entry.run == run);
        match at.and_then(|at| self.runs.get(at.checked_sub(1)?)) {
            Some(before) => {
                let short = |run: &str| run.chars().take(SHORT).collect::<String>();
                format!(
                    "compare it with the run before it, good or not: `plinth runs diff {} {}`; `plinth runs` lists all",
                    short(run),
                    short(&before.run)
                )
            }
            None => "there is no run before it: nothing can be compared yet".to_owned(),
        }
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
        Ok(Chosen::of(entry.clone(), events, plan, self.traits()?))
    }

    /// The same run of rewritten events: without secrets.
    pub(crate) fn rewritten(&self, chosen: &Chosen, events: Vec<Event>) -> Result<Chosen, Failure> {
        Ok(Chosen::of(chosen.analysis.entry.clone(), events, chosen.plan.clone(), self.traits()?))
    }

    /// What is known of nodes, read when it is asked for first.
    fn traits(&self) -> Result<&Traits, Failure> {
        if let Some(known) = self.traits.get() {
            return Ok(known);
        }
        let read = state::facts::traits(&self.directory)?;
        Ok(self.traits.get_or_init(|| read))
    }

    /// The same with the nodes that were slow. Reads earlier runs where there are any such.
    pub(crate) fn find_slow(&self, chosen: &mut Chosen, printer: &Printer) -> Result<(), Failure> {
        let hardware = hardware(self.traits()?);
        let Chosen { analysis, before, .. } = chosen;
        let run = analysis.entry.run.clone();
        analysis.find_slow(&hardware, || self.before(before, &run, printer).columns());
        Ok(())
    }

    /// The same with what lies ahead of it, as of `now` by its own clock, and with its rehearsal.
    pub(crate) fn ahead(&self, chosen: &mut Chosen, now: Timestamp, printer: &Printer) -> Result<(), Failure> {
        self.find_slow(chosen, printer)?;
        let kept = prediction::kept(&self.site);
        let Chosen { analysis, view, shape, before, .. } = chosen;
        if analysis.goes_on() {
            let now = if analysis.entry.rehearsal { view.at.unwrap_or(now) } else { now };
            let run = analysis.entry.run.clone();
            let past = self.before(before, &run, printer).past(kept.as_ref(), &run);
            analysis.look_ahead((view, shape), &past, now);
        }
        analysis.lay_over(kept.as_ref(), view);
        Ok(())
    }

    /// What steps took in runs before this one.
    pub(crate) fn past(&self, chosen: &Chosen, printer: &Printer) -> Past {
        let run = &chosen.analysis.entry.run;
        self.before(&chosen.before, run, printer).past(prediction::kept(&self.site).as_ref(), run)
    }

    /// Runs before this one, read when they are asked for first.
    fn before<'a>(&self, before: &'a OnceCell<Before>, run: &str, printer: &Printer) -> &'a Before {
        before.get_or_init(|| match &self.journal {
            Some(journal) => Before::read(journal, run).told(printer),
            None => Before::default(),
        })
    }
}

/// Runs in front of one, newest first, [`EARLIER`] at most.
#[derive(Default)]
pub(crate) struct Before {
    views: Vec<RunView>,
    /// Those that cannot be read, and why: less is known without them, and that is all.
    unread: Vec<String>,
}

impl Before {
    pub(crate) fn read(journal: &JournalReader, run: &str) -> Self {
        let mut before = Self::default();
        let unread =
            |what: String, error: JournalError| format!("{what} cannot be read, so nothing is known by it: {error}");
        let runs = journal.runs().unwrap_or_else(|error| {
            before.unread.push(unread("the list of runs".to_owned(), error));
            Vec::new()
        });
        let at = runs.iter().position(|known| known == run).unwrap_or(runs.len());
        for earlier in runs.iter().take(at).rev().take(EARLIER) {
            match journal.since(earlier, 0) {
                Ok(events) => before.views.push(RunView::of(&events)),
                Err(error) => before.unread.push(unread(format!("run {earlier}"), error)),
            }
        }
        before
    }

    /// Says what cannot be read.
    pub(crate) fn told(self, printer: &Printer) -> Self {
        self.unread.iter().for_each(|text| printer.talk(text));
        self
    }

    /// What steps took in them, and in the last rehearsal of the site, which counts once where it is one of them.
    pub(crate) fn past(&self, rehearsed: Option<&Prediction>, run: &str) -> Past {
        let mut past = Past::default();
        self.views.iter().for_each(|view| past.take(view));
        let is = |view: &RunView, run: &str| view.run.as_ref().is_some_and(|head| head.run == run);
        let rehearsed = rehearsed.filter(|kept| kept.run != run);
        let rehearsed = rehearsed.filter(|kept| !self.views.iter().any(|view| is(view, &kept.run)));
        rehearsed.into_iter().for_each(|kept| past.take_prediction(kept));
        past
    }

    /// Their ids.
    pub(crate) fn runs(&self) -> Vec<String> {
        self.views.iter().map(|view| view.run.as_ref().map(|head| head.run.clone()).unwrap_or_default()).collect()
    }

    /// Their steps.
    pub(crate) fn columns(&self) -> Vec<Columns> {
        self.views.iter().map(Columns::of_view).collect()
    }
}

/// What is known of earlier runs, for who draws a run and can do without.
pub(crate) fn past_in(directory: &Path, site: &SiteName, run: &str) -> Past {
    let journal = Journal::open_read_only(directory).ok().flatten();
    journal.map(|journal| Before::read(&journal, run).past(prediction::kept(site).as_ref(), run)).unwrap_or_default()
}

/// One run, with what is computed of it.
pub(crate) struct Chosen {
    pub(crate) analysis: Analysis,
    pub(crate) events: Vec<Event>,
    pub(crate) view: RunView,
    pub(crate) plan: Option<Plan>,
    pub(crate) shape: Shape,
    before: OnceCell<Before>,
}

impl Chosen {
    pub(crate) fn of(entry: RunEntry, events: Vec<Event>, plan: Option<Plan>, traits: &Traits) -> Self {
        let mut view = RunView::of(&events);
        let shape = plan.as_ref().map(Shape::of).unwrap_or_default();
        // Whoever ran it is gone: nothing is at work any more, whatever the last events say.
        if entry.state == RunState::Interrupted {
            view.lose_sight();
        }
        let analysis = Analysis::of(entry, &events, (&view, &shape), traits);
        Self { analysis, events, view, plan, shape, before: OnceCell::new() }
    }

    /// Its events, one JSON object a line.
    pub(crate) fn lines(&self) -> String {
        let events = self.events.iter().filter_map(|event| serde_json::to_string(event).ok());
        events.map(|line| line + "\n").collect()
    }

    /// The run as a comparison takes it.
    pub(crate) fn side(&self) -> Side<'_> {
        Side { view: &self.view, plan: self.plan.as_ref() }
    }

    /// The run as overviews and exports take it.
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown::of(&self.analysis, &self.view)
    }
}

/// How data is shown on standard output: lines are broken only where somebody sees them.
pub(crate) fn look(printer: &Printer) -> Look {
    let width = std::io::stdout().is_terminal().then(Printer::width);
    Look { palette: palette(printer.color_out()), width }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::run::{Counts, RunHead, StepEnd};
    use plinth_model::{Digest, EventBody, Outcome, Stage, StepId, StepState};

    fn head(run: &str) -> RunHead {
        RunHead::new(run, Digest::of_bytes(b"plan"), SiteName::new("lab").unwrap())
    }

    fn begun(step: &StepId) -> EventBody {
        EventBody::StepStarted {
            step: step.clone(),
            stage: Stage::Nodes,
            node: Some(step.target().to_owned()),
            reason: "wanted".into(),
            ready_at: None,
            held_by: None,
            last_need: None,
        }
    }

    fn events(bodies: impl IntoIterator<Item = EventBody>) -> Vec<Event> {
        let at: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let bodies = bodies.into_iter().zip(1_u64..);
        bodies.map(|(body, seq)| Event { seq, after: Some(seq - 1), at, body }).collect()
    }

    #[test]
    fn a_rehearsal_that_is_kept_and_stands_in_the_journal_counts_once() {
        let step = StepId::try_from("nodes/account/dgx-01".to_owned()).unwrap();
        let ended = StepEnd {
            node: Some("dgx-01".to_owned()),
            seconds: 1.0,
            attempts: 1,
            ..StepEnd::new(step.clone(), Stage::Nodes, StepState::Changed)
        };
        let (outcome, counts) = (Outcome::Done, Counts::default());
        let over = EventBody::RunFinished { outcome, exit: 0, counts, seconds: 1.0, next: Vec::new(), digest: None };
        let started = EventBody::RunStarted(RunHead { rehearsal: true, ..head("rehearsed") });
        let rehearsal = RunView::of(&events([started, begun(&step), ended.into(), over]));
        let kept = || Some(Prediction::of(&rehearsal).unwrap());
        assert_eq!(Before::default().past(kept().as_ref(), "real").count(), (0, 1));
        let before = Before { views: vec![rehearsal.clone()], unread: Vec::new() };
        assert_eq!((before.past(kept().as_ref(), "real").count(), before.past(None, "real").count()), ((0, 1), (0, 1)));
        assert_eq!(Before::default().past(kept().as_ref(), "rehearsed").count(), (0, 0), "nothing is known by itself");
    }

    #[test]
    fn nothing_is_at_work_in_a_run_whose_runner_is_gone() {
        let step = StepId::try_from("nodes/account/dgx-01".to_owned()).unwrap();
        let events = events([EventBody::RunStarted(head("run-1")), begun(&step)]);
        for (held, state) in [(true, StepState::Looking), (false, StepState::Unknown)] {
            let entry = RunEntry::of(&RunView::of(&events), held).unwrap();
            let chosen = Chosen::of(entry, events.clone(), None, &Traits::default());
            assert_eq!(chosen.view.state_of(&step), state);
            assert_eq!(chosen.analysis.columns.rows.iter().map(|row| row.state).collect::<Vec<_>>(), [state]);
            assert_eq!(chosen.view.running.is_empty(), !held);
        }
    }
}
