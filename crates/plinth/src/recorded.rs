//! Runs as the journal keeps them, chosen by what people call them, with all that is computed of them.

use crate::args::Common;
use crate::kept::Kept;
use crate::prediction;
use crate::printer::{Printer, palette};
use jiff::Timestamp;
use plinth_analysis::{Analysis, Columns, Hardware, Past, RunEntry, Shape, Side, Traits, Which};
use plinth_app::{Failure, state};
use plinth_model::run::{LockView, RunState};
use plinth_model::{Event, Plan, Problem, RunView, SiteName};
use plinth_report::runs::{Look, Shown};
use plinth_run::journal::JournalReader;
use plinth_run::{Journal, LockOwner};
use plinth_world::{Clock, SystemClock};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Runs that an estimate is made of, at most: what was long ago says little of now.
const EARLIER: usize = 8;

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
        let mut chosen = Chosen::of(entry.clone(), events, plan, &traits);
        let earlier = || Ok::<Vec<_>, Failure>(self.earlier(entry)?.iter().map(Columns::of_view).collect());
        chosen.analysis.find_slow(&hardware(&traits), earlier)?;
        Ok(chosen)
    }

    /// The same with what lies ahead of it, as of `now` by its own clock, and with its rehearsal. Reads earlier runs.
    pub(crate) fn ahead(&self, chosen: &mut Chosen, now: Timestamp) -> Result<(), Failure> {
        let Chosen { analysis, view, shape, .. } = chosen;
        if analysis.goes_on() {
            let now = if analysis.entry.rehearsal { view.at.unwrap_or(now) } else { now };
            analysis.look_ahead((view, shape), &self.past(&analysis.entry)?, now);
        }
        analysis.lay_over(prediction::kept(&self.site).as_ref(), view);
        Ok(())
    }

    /// What steps took in runs before this one.
    pub(crate) fn past(&self, entry: &RunEntry) -> Result<Past, Failure> {
        match &self.journal {
            Some(journal) => past_before(journal, &self.site, &entry.run),
            None => Ok(Past::default()),
        }
    }

    fn earlier(&self, entry: &RunEntry) -> Result<Vec<RunView>, Failure> {
        self.journal.as_ref().map_or_else(|| Ok(Vec::new()), |journal| before(journal, &entry.run))
    }
}

/// Runs in front of this one, newest first, [`EARLIER`] at most.
pub(crate) fn before(journal: &JournalReader, run: &str) -> Result<Vec<RunView>, Failure> {
    let runs = journal.runs().map_err(Problem::from)?;
    let at = runs.iter().position(|known| known == run).unwrap_or(runs.len());
    let mut views = Vec::new();
    for earlier in runs.iter().take(at).rev().take(EARLIER) {
        views.push(RunView::of(&journal.since(earlier, 0).map_err(Problem::from)?));
    }
    Ok(views)
}

/// What steps took in runs of the site before this one, and in its last rehearsal.
pub(crate) fn past_before(journal: &JournalReader, site: &SiteName, run: &str) -> Result<Past, Failure> {
    let mut past = Past::default();
    before(journal, run)?.iter().for_each(|view| past.take(view));
    let rehearsed = prediction::kept(site).filter(|rehearsed| rehearsed.run != run);
    rehearsed.iter().for_each(|rehearsed| past.take_prediction(rehearsed));
    Ok(past)
}

/// The same for who draws a run and can do without: what cannot be read is not known.
pub(crate) fn past_in(directory: &Path, site: &SiteName, run: &str) -> Past {
    let journal = Journal::open_read_only(directory).ok().flatten();
    journal.and_then(|journal| past_before(&journal, site, run).ok()).unwrap_or_default()
}

/// Nodes by what they are made of: a node is slow among its like. BCM's categories follow the hardware, and only that is kept here. One of
/// which nothing is known has none.
pub(crate) fn hardware(traits: &Traits) -> Hardware {
    let of = |traits: &std::collections::BTreeMap<String, String>| {
        let parts = ["GPUs", "CPUs", "architecture"].iter().filter_map(|part| {
            let value = traits.get(*part)?;
            Some(if *part == "architecture" { value.clone() } else { format!("{value} {part}") })
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    let known = traits.iter().map(|(node, traits)| (node.clone(), of(traits)));
    known.filter(|(_, parts)| !parts.is_empty()).collect()
}

impl Recorded {
    /// The same run of rewritten events: without secrets.
    pub(crate) fn rewritten(&self, chosen: &Chosen, events: Vec<Event>) -> Result<Chosen, Failure> {
        let traits = state::facts::traits(&self.directory)?;
        Ok(Chosen::of(chosen.analysis.entry.clone(), events, chosen.plan.clone(), &traits))
    }
}

/// One run, with what is computed of it.
pub(crate) struct Chosen {
    pub(crate) analysis: Analysis,
    pub(crate) events: Vec<Event>,
    pub(crate) view: RunView,
    pub(crate) plan: Option<Plan>,
    pub(crate) shape: Shape,
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
        Self { analysis, events, view, plan, shape }
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
    use plinth_model::run::RunHead;
    use plinth_model::{Digest, EventBody, Stage, StepId, StepState};

    #[test]
    fn nothing_is_at_work_in_a_run_whose_runner_is_gone() {
        let step = StepId::try_from("nodes/account/dgx-01".to_owned()).unwrap();
        let head = RunHead::new("run-1", Digest::of_bytes(b"plan"), SiteName::new("lab").unwrap());
        let begun = EventBody::StepStarted {
            step: step.clone(),
            stage: Stage::Nodes,
            node: Some("dgx-01".to_owned()),
            reason: "wanted".into(),
            ready_at: None,
            held_by: None,
            last_need: None,
        };
        let at: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let bodies = [EventBody::RunStarted(head), begun].into_iter().zip(1_u64..);
        let events: Vec<Event> = bodies.map(|(body, seq)| Event { seq, after: Some(seq - 1), at, body }).collect();
        for (held, state) in [(true, StepState::Looking), (false, StepState::Unknown)] {
            let entry = RunEntry::of(&RunView::of(&events), held).unwrap();
            let chosen = Chosen::of(entry, events.clone(), None, &Traits::default());
            assert_eq!(chosen.view.state_of(&step), state);
            assert_eq!(chosen.analysis.columns.rows.iter().map(|row| row.state).collect::<Vec<_>>(), [state]);
            assert_eq!(chosen.view.running.is_empty(), !held);
        }
    }
}
