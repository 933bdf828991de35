//! One run, folded once, with all that is computed of it when somebody asks.

use crate::grid::Grid;
use crate::source::{Earlier, Source};
use jiff::Timestamp;
use plinth_analysis::{
    Analysis, Columns, Filter, Hardware, Past, Prediction, Rehearsed, RunEntry, Shape, Side, Subject, TimeLeft, Traits,
    hardware, time_left,
};
use plinth_model::run::{Holder, Life, LockView, Progress, RunState, Status};
use plinth_model::{Event, Plan, RunView, StepId};
use plinth_report::runs::Shown;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What is asked of other runs when a run is looked at; each is read once, and only when somebody asks.
pub(crate) struct Beside {
    source: Arc<dyn Source>,
    run: String,
    traits: Traits,
    hardware: Hardware,
    before: OnceLock<Earlier>,
    prediction: OnceLock<Option<Prediction>>,
}

impl Beside {
    /// Of a run.
    pub(crate) fn of(source: Arc<dyn Source>, run: &str) -> Arc<Self> {
        let (traits, run) = (source.traits(), run.to_owned());
        let (hardware, before, prediction) = (hardware(&traits), OnceLock::new(), OnceLock::new());
        Arc::new(Self { source, run, traits, hardware, before, prediction })
    }

    /// What runs in front of it say.
    fn before(&self) -> &Earlier {
        self.before.get_or_init(|| self.source.before(&self.run, self.prediction()))
    }

    fn past(&self) -> &Past {
        &self.before().past
    }

    /// Earlier runs, newest first.
    fn earlier(&self) -> &[Columns] {
        &self.before().columns
    }

    fn prediction(&self) -> Option<&Prediction> {
        self.prediction.get_or_init(|| self.source.prediction()).as_ref()
    }
}

/// A run at a moment.
pub(crate) struct Record {
    pub(crate) events: Vec<Event>,
    pub(crate) view: RunView,
    pub(crate) plan: Option<Arc<Plan>>,
    pub(crate) shape: Arc<Shape>,
    pub(crate) grid: Arc<Grid>,
    pub(crate) lock: Option<LockView>,
    beside: Arc<Beside>,
    analysis: OnceLock<Analysis>,
    /// The moment is not now.
    pub(crate) at: Option<u64>,
}

impl Record {
    /// Of the first events of a run.
    pub(crate) fn new(events: Vec<Event>, plan: Option<Plan>, lock: Option<LockView>, beside: Arc<Beside>) -> Self {
        let shape = plan.as_ref().map(Shape::of).unwrap_or_default();
        let mut record = Self {
            view: RunView::default(),
            grid: Arc::new(plan.as_ref().map(Grid::of).unwrap_or_default()),
            plan: plan.map(Arc::new),
            shape: Arc::new(shape),
            events: Vec::new(),
            lock,
            beside,
            analysis: OnceLock::new(),
            at: None,
        };
        record.add(events);
        record
    }

    /// Takes further events in.
    pub(crate) fn add(&mut self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        for event in &events {
            self.view.apply(event);
        }
        self.events.extend(events);
        self.settle();
        self.complete_grid();
    }

    /// What was taken in is all there is now.
    fn settle(&mut self) {
        // They come in order: what is missing in front of the last one does not come any more.
        self.view.settle();
        // Whoever was at work is gone: nothing is at work any more.
        if self.state() == RunState::Interrupted {
            self.view.lose_sight();
        }
        self.analysis = OnceLock::new();
    }

    /// Steps that no plan told of, as in runs of other releases.
    fn complete_grid(&mut self) {
        if self.plan.is_none() {
            self.grid = Arc::new(Grid::of_view(&self.view));
        }
    }

    /// Who holds the site's lock now. Answers whether that changes how the run stands, or since when it was heard of.
    ///
    /// The journal keeps no heartbeats, but the lock is renewed as often: it says as well that the run lived then. In a rehearsal time is
    /// virtual, and the lock's says nothing about it.
    pub(crate) fn locked(&mut self, lock: Option<LockView>) -> bool {
        let before = (self.state(), self.view.at);
        self.lock = lock;
        if self.state() != before.0 {
            // Its runner is gone, or was only silent: then what was lost sight of goes on.
            self.view = RunView::of(&self.events);
            self.settle();
        }
        let real = self.view.run.as_ref().is_some_and(|head| !head.rehearsal);
        if let Some(lock) = self.lock.as_ref().filter(|_| real && self.is_held() && self.view.end.is_none()) {
            self.view.at = self.view.at.max(Some(lock.heartbeat));
        }
        let changed = (self.state(), self.view.at) != before;
        if changed {
            self.analysis = OnceLock::new();
        }
        changed
    }

    /// What moves inside its steps. Answers whether that is new.
    pub(crate) fn moving(&mut self, told: &BTreeMap<StepId, Progress>) -> bool {
        self.view.moving(told)
    }

    /// As it was at an event: later ones had not come.
    pub(crate) fn then(&self, at: u64) -> Self {
        let events: Vec<Event> = self.events.iter().take_while(|event| event.seq <= at).cloned().collect();
        let mut record = Self {
            view: RunView::default(),
            plan: self.plan.clone(),
            shape: Arc::clone(&self.shape),
            grid: Arc::clone(&self.grid),
            events: Vec::new(),
            lock: self.held_then(),
            beside: Arc::clone(&self.beside),
            analysis: OnceLock::new(),
            at: Some(at),
        };
        record.add(events);
        record
    }

    /// Whoever ran it was at work as long as events came.
    fn held_then(&self) -> Option<LockView> {
        let (head, at) = (self.view.run.as_ref()?, self.view.at?);
        Some(LockView {
            owner: head.owner.clone(),
            run: head.run.clone(),
            acquired: self.view.started.unwrap_or(at),
            heartbeat: at,
            expires: at,
            alive: true,
            process: Holder::There,
        })
    }

    fn is_held(&self) -> bool {
        let run = self.view.run.as_ref().map(|head| head.run.as_str());
        self.lock.as_ref().is_some_and(|lock| lock.alive && Some(lock.run.as_str()) == run)
    }

    /// How it stands.
    pub(crate) fn state(&self) -> RunState {
        self.view.state(self.is_held())
    }

    /// Whether more may come of it: it has no end yet. Its runner may be gone, or only silent.
    pub(crate) fn may_go_on(&self) -> bool {
        self.at.is_none() && self.view.end.is_none()
    }

    /// Whether it goes on now.
    pub(crate) fn is_on(&self) -> bool {
        self.at.is_none() && self.state() == RunState::Running
    }

    /// Signs of life of whoever runs it, at this machine's time; none when it is over, at another moment, and for rehearsals.
    pub(crate) fn life(&self, now: Timestamp) -> Option<Life> {
        if self.at.is_some() || self.view.end.is_some() {
            return None;
        }
        // Only the head and the newest time decide: the steps need not be copied.
        let mut view = RunView::default();
        let heard = self.events.last().map(|event| event.at);
        (view.run, view.started, view.at) = (self.view.run.clone(), self.view.started, heard);
        Status::of(view, self.lock.clone(), now).life
    }

    /// This machine's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.beside.source.now()
    }

    /// All that is computed of it: once for all that ask before the next event.
    pub(crate) fn analysis(&self) -> Option<&Analysis> {
        if let Some(known) = self.analysis.get() {
            return Some(known);
        }
        let entry = RunEntry::of(&self.view, self.is_held())?;
        Some(self.analysis.get_or_init(|| self.analyse(entry)))
    }

    /// How long it still takes, if it goes on.
    pub(crate) fn left(&self) -> Option<TimeLeft> {
        let goes_on = self.state() == RunState::Running;
        if goes_on { time_left(&self.view, &self.shape, self.beside.past(), self.time()) } else { None }
    }

    /// Runs in front of it with their steps, newest first.
    pub(crate) fn earlier(&self) -> impl Iterator<Item = (&str, &Columns)> {
        let before = self.beside.before();
        before.runs.iter().map(String::as_str).zip(&before.columns)
    }

    /// When steps ran in the rehearsal that the run is compared with.
    pub(crate) fn rehearsed(&self) -> Option<&BTreeMap<StepId, Rehearsed>> {
        let run = self.view.run.as_ref()?;
        self.beside.prediction().filter(|prediction| prediction.run != run.run).map(|prediction| &prediction.steps)
    }

    /// The time by the run's own clock: of a rehearsal, and of another moment, that of its newest event.
    pub(crate) fn time(&self) -> Timestamp {
        let real = self.at.is_none() && self.view.run.as_ref().is_some_and(|head| !head.rehearsal);
        let now = self.now();
        if real { now } else { self.view.at.unwrap_or(now) }
    }

    fn analyse(&self, entry: RunEntry) -> Analysis {
        let mut analysis = Analysis::of(entry, &self.events, (&self.view, &self.shape), &self.beside.traits);
        if self.at.is_some() {
            analysis.whole = None;
        }
        analysis.find_slow(&self.beside.hardware, || self.beside.earlier());
        if analysis.goes_on() {
            analysis.look_ahead((&self.view, &self.shape), self.beside.past(), self.time());
        }
        analysis.lay_over(self.beside.prediction(), &self.view);
        analysis
    }

    /// For whoever draws it as text.
    pub(crate) fn shown(&self) -> Option<Shown<'_>> {
        Some(Shown::of(self.analysis()?, &self.view))
    }

    /// The run as a comparison takes it.
    pub(crate) fn side(&self) -> Side<'_> {
        Side { view: &self.view, plan: self.plan.as_deref() }
    }

    /// Those of the steps that fit; else the term that none fits.
    pub(crate) fn choose<'a>(&self, filter: &Filter, subjects: &[Subject<'a>]) -> (Vec<Subject<'a>>, Option<String>) {
        match filter.choose(subjects, &self.shape) {
            Ok(places) => (places.into_iter().filter_map(|at| subjects.get(at).copied()).collect(), None),
            Err(term) => (Vec::new(), Some(term)),
        }
    }

    /// Steps with what a filter looks at.
    pub(crate) fn subjects(&self) -> Vec<Subject<'_>> {
        self.analysis().map(|analysis| analysis.subjects(&self.view)).unwrap_or_default()
    }
}
