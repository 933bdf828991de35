//! The loop: begin what may begin, wait, take in what ended, record, go on.

use super::announcer::{Announcer, Sink};
use super::flight::{self, Arrival, Launch};
use super::graph::Graph;
use super::life::Life;
use super::options::{RunOptions, RunReport, RunWorld};
use super::queue::Queue;
use super::stop::{StopLevel, StopSignal};
use crate::journal::{JournalError, Store};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use plinth_model::finding::code;
use plinth_model::run::{RunHead, StepState};
use plinth_model::{EventBody, Finding, NodeName, Outcome, Plan, Severity, Step};
use plinth_world::{Clock, deadlines};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// A run in progress.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) graph: Graph<'a>,
    pub(super) queue: Queue,
    pub(super) options: &'a RunOptions,
    pub(super) journal: &'a mut dyn Store,
    pub(super) announcer: Arc<Announcer>,
    pub(super) clock: Arc<dyn Clock>,
    /// Steps that run now.
    pub(super) lives: HashMap<usize, Life>,
    /// How steps ended.
    pub(super) ended: Vec<Option<StepState>>,
    /// Failed steps, in the order they failed.
    pub(super) failures: Vec<(usize, Finding)>,
    pub(super) failed_nodes: BTreeSet<&'a NodeName>,
    /// Gate id to answer.
    pub(super) answers: HashMap<String, String>,
    /// Why nothing new begins; none while it does.
    pub(super) stopping: Option<String>,
    pub(super) batch: Batch,
    pub(super) began: Duration,
    world: &'a RunWorld,
    stop: StopSignal,
    heard_level: StopLevel,
    flights: FuturesUnordered<BoxFuture<'a, Arrival>>,
    renewed: Duration,
}

/// What one turn decided: recorded first, then told, then begun.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<EventBody>,
    pub(super) launches: Vec<(usize, Launch)>,
}

/// What ended a wait.
enum Wake {
    Arrived(Arrival),
    Stop(StopLevel),
    Heartbeat,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        graph: Graph<'a>,
        world: &'a RunWorld,
        journal: &'a mut dyn Store,
        sink: Sink,
        stop: StopSignal,
        options: &'a RunOptions,
    ) -> Self {
        let clock = Arc::clone(world.env.ctx.clock());
        let began = clock.elapsed();
        Self {
            queue: Queue::new(&graph, options.parallel),
            announcer: Announcer::new(sink, Arc::clone(&clock), Arc::clone(&world.env.secrets)),
            ended: vec![None; plan.steps.len()],
            lives: HashMap::new(),
            failures: Vec::new(),
            failed_nodes: BTreeSet::new(),
            answers: HashMap::new(),
            stopping: None,
            batch: Batch::default(),
            heard_level: StopLevel::Run,
            flights: FuturesUnordered::new(),
            renewed: began,
            plan,
            graph,
            options,
            journal,
            clock,
            began,
            world,
            stop,
        }
    }

    /// Runs.
    pub(super) async fn execute(&mut self) -> Result<RunReport, JournalError> {
        self.open()?;
        loop {
            self.fill();
            self.commit()?;
            if self.flights.is_empty() {
                return self.close();
            }
            match self.wake().await {
                Wake::Arrived(arrival) => self.arrive_all(arrival),
                Wake::Stop(level) => self.stop_at(level),
                Wake::Heartbeat => {}
            }
            if self.clock.elapsed().saturating_sub(self.renewed) >= deadlines::LOCK_HEARTBEAT {
                self.journal.renew()?;
                self.renewed = self.clock.elapsed();
            }
        }
    }

    /// First event.
    fn open(&mut self) -> Result<(), JournalError> {
        self.journal.keep_plan(self.plan)?;
        let memory = self.journal.memory();
        let last = memory.run.as_ref();
        let continued = last.filter(|run| run.head.plan == self.plan.hash && run.outcome != Some(Outcome::Done));
        let continues_run = continued.map(|run| run.head.run.clone());
        let interrupted: Vec<String> = memory.in_flight().into_iter().map(ToString::to_string).collect();
        self.batch.events.push(EventBody::RunStarted(self.head(continues_run)));
        self.batch.events.extend(self.options.took_over.iter().map(|note| took_over(&self.announcer.text(note))));
        self.batch.events.extend(interrupted.iter().map(|step| was_interrupted(step)));
        self.commit()
    }

    fn head(&self, continues_run: Option<String>) -> RunHead {
        let (plan, options) = (self.plan, self.options);
        let mut stages = BTreeMap::new();
        plan.steps.iter().for_each(|step| *stages.entry(step.stage).or_default() += 1);
        RunHead {
            steps: plan.steps.len(),
            stages,
            hosts: self.hosts(),
            rehearsal: options.rehearsal,
            continues: continues_run.is_some(),
            continues_run,
            owner: options.owner.clone(),
            took_over: options.took_over.as_ref().map(|note| self.announcer.text(note)),
            parallel: options.parallel,
            warnings: plan.findings.iter().filter(|finding| finding.severity == Severity::Warning).count(),
            ..RunHead::new(options.run.clone(), plan.hash.clone(), plan.site.clone())
        }
    }

    /// Begins every step that may begin. Skipped steps make others ready, so this goes on until nothing moves.
    fn fill(&mut self) {
        while self.stopping.is_none() {
            let Some(index) = self.queue.next(&self.graph) else { return };
            match self.plan.steps.get(index) {
                Some(step) if self.ended.get(index).is_some_and(Option::is_none) => self.start(index, step),
                _ => self.queue.leave(&self.graph, index),
            }
        }
    }

    fn start(&mut self, index: usize, step: &'a Step) {
        self.lives.insert(index, Life::new(self.clock.elapsed(), step.digest()));
        if !self.gate_lets_through(index, step) {
            return;
        }
        self.batch.events.push(EventBody::StepStarted {
            step: step.id.clone(),
            stage: step.stage,
            node: step.work.node().map(ToString::to_string),
            reason: self.announcer.text(&step.reason),
        });
        self.batch.launches.push((index, Launch::Probe));
    }

    /// Makes the turn's events durable, tells them, begins its launches: in this order.
    pub(super) fn commit(&mut self) -> Result<(), JournalError> {
        let Batch { events, launches } = std::mem::take(&mut self.batch);
        if !events.is_empty() {
            self.announcer.record(events, self.journal)?;
        }
        for (index, launch) in launches {
            if let Some(step) = self.plan.steps.get(index) {
                self.flights.push(flight::begin((index, step), launch, self.world, &self.announcer));
            }
        }
        Ok(())
    }

    /// Waits for the first of: something ended, a stop, time to renew the lock.
    async fn wake(&mut self) -> Wake {
        let due = (self.renewed + deadlines::LOCK_HEARTBEAT).saturating_sub(self.clock.elapsed());
        let (clock, stop, level) = (Arc::clone(&self.clock), self.stop.clone(), self.heard_level);
        let stopped = pin!(stop.above(level));
        let work = select(stopped, self.flights.next());
        match select(work, clock.sleep(due)).await {
            Either::Left((Either::Left(_), _)) => Wake::Stop(self.stop.level()),
            Either::Left((Either::Right((Some(arrival), _)), _)) => Wake::Arrived(arrival),
            Either::Left((Either::Right((None, _)), _)) | Either::Right(_) => Wake::Heartbeat,
        }
    }

    /// Takes in the arrival and everything else that has arrived by now, so that one transaction serves them all.
    fn arrive_all(&mut self, first: Arrival) {
        let mut arrival = Some(first);
        while let Some(Arrival { index, heard }) = arrival {
            self.hear(index, heard);
            arrival = self.flights.next().now_or_never().flatten();
        }
    }

    fn stop_at(&mut self, level: StopLevel) {
        self.heard_level = level;
        let reason = match level {
            StopLevel::Run => return,
            StopLevel::Finish => "asked to stop: what is in flight is finished; once more stops at once",
            StopLevel::Now => {
                self.drop_flights();
                "asked to stop at once: what was in flight is dropped"
            }
        };
        self.stop_because(reason.to_owned());
    }

    /// Begins nothing new from now on. The reason is the whole sentence that people read.
    pub(super) fn stop_because(&mut self, reason: String) {
        self.batch.events.push(EventBody::RunStopping { reason: reason.clone() });
        self.stopping = Some(reason);
    }

    /// Cancels everything in flight, and everything about to be.
    pub(super) fn drop_flights(&mut self) {
        self.flights.clear();
        self.batch.launches.clear();
    }
}

fn was_interrupted(step: &str) -> EventBody {
    let finding = Finding::info(
        code::RUN_STEP_WAS_INTERRUPTED,
        step,
        "an earlier run began it and did not see its end; it is looked at before anything is done",
    );
    EventBody::Finding { finding: Box::new(finding) }
}

fn took_over(note: &str) -> EventBody {
    EventBody::Finding { finding: Box::new(Finding::warning(code::RUN_LOCK_TAKEN_OVER, "lock", note)) }
}
