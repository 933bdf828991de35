//! The loop: begin what may begin, wait, take in what ended, record, go on.

use super::awaited_end;
use super::emitter::{EventEmitter, Sink};
use super::graph::Graph;
use super::in_flight::{self, Arrival, Spawn};
use super::options::{RunOptions, RunReport, RunWorld};
use super::queue::Queue;
use super::step_machine::StepMachine;
use super::stop::{StopLevel, StopSignal};
use crate::journal::{Fence, JournalError, Store};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, poll_fn, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use plinth_model::finding::code;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::{RunHead, StepState};
use plinth_model::{EventBody, Finding, NodeName, Outcome, Plan, Severity, Step, StepId};
use plinth_world::{Clock, deadlines};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A run in progress.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) graph: Graph<'a>,
    pub(super) queue: Queue,
    pub(super) options: &'a RunOptions,
    pub(super) journal: &'a mut dyn Store,
    pub(super) emitter: Arc<EventEmitter>,
    pub(super) clock: Arc<dyn Clock>,
    /// Steps that run now.
    pub(super) machines: HashMap<usize, StepMachine>,
    /// When what is in flight for them is given up at the latest, by the run's clock.
    limits: HashMap<usize, Duration>,
    /// How steps ended.
    pub(super) ended: Vec<Option<StepState>>,
    /// Failed steps, in the order they failed.
    pub(super) failures: Vec<(usize, Finding)>,
    pub(super) failed_nodes: BTreeSet<&'a NodeName>,
    /// Nodes that a step about several of them failed on: they count as failed, and spend no budget.
    pub(super) failed_in_step: BTreeSet<NodeName>,
    /// Warnings that steps noted.
    pub(super) warnings: usize,
    /// Gates that opened.
    pub(super) answers: HashMap<GateId, GateAnswer>,
    /// Why nothing new begins; none while it does.
    pub(super) stopping: Option<String>,
    pub(super) batch: Batch,
    pub(super) began: Duration,
    world: &'a RunWorld,
    stop: StopSignal,
    stop_level: StopLevel,
    in_flight: FuturesUnordered<BoxFuture<'a, Arrival>>,
    renewed: Duration,
    /// Nothing in flight moves while it is not sure that the lock is ours.
    fence: Fence,
}

/// What one tick decided: recorded first, then told, then begun.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<EventBody>,
    pub(super) spawns: Vec<(usize, Spawn)>,
}

/// What ended a wait.
enum Wake {
    Arrived(Arrival),
    Stop(StopLevel),
    Heartbeat,
    /// The lock may have been taken over: it must be looked at before anything goes on.
    Unsure,
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
            queue: Queue::new(&graph, options.parallel, clock.now()),
            emitter: EventEmitter::new(
                sink,
                Arc::clone(&clock),
                Arc::clone(&world.env.secrets),
                (options.run.clone(), options.traceparent.clone()),
            ),
            ended: vec![None; plan.steps.len()],
            machines: HashMap::new(),
            limits: HashMap::new(),
            failures: Vec::new(),
            failed_nodes: BTreeSet::new(),
            failed_in_step: BTreeSet::new(),
            warnings: 0,
            answers: HashMap::new(),
            stopping: None,
            batch: Batch::default(),
            stop_level: StopLevel::Run,
            in_flight: FuturesUnordered::new(),
            renewed: began,
            fence: journal.fence(),
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

    pub(super) async fn execute(&mut self) -> Result<RunReport, JournalError> {
        self.open()?;
        loop {
            self.fill();
            self.commit()?;
            if self.in_flight.is_empty() {
                return self.close();
            }
            let wake = self.wake().await;
            self.queue.turn(self.clock.now());
            match wake {
                Wake::Arrived(arrival) => self.arrive_all(arrival),
                Wake::Stop(level) => self.stop_at(level),
                Wake::Heartbeat => {}
                Wake::Unsure => self.journal.renew()?,
            }
            if self.clock.elapsed().saturating_sub(self.renewed) >= deadlines::LOCK_HEARTBEAT {
                self.journal.renew()?;
                self.renewed = self.clock.elapsed();
                self.heartbeat();
            }
        }
    }

    /// First event.
    fn open(&mut self) -> Result<(), JournalError> {
        self.journal.keep_plan(self.plan)?;
        let memory = self.journal.memory();
        let last = memory.worked.as_ref();
        let continued = last.filter(|run| run.head.plan == self.plan.hash && run.outcome != Some(Outcome::Done));
        let continues_run = continued.map(|run| run.head.run.clone());
        let interrupted: Vec<String> = memory.in_flight().into_iter().map(ToString::to_string).collect();
        self.batch.events.push(EventBody::RunStarted(self.head(continues_run)));
        self.batch.events.extend(self.options.took_over.iter().map(|note| took_over(&self.emitter.text(note))));
        self.batch.events.extend(interrupted.iter().map(|step| was_interrupted(step)));
        self.commit()
    }

    fn head(&self, continues_run: Option<String>) -> RunHead {
        let (plan, options) = (self.plan, self.options);
        let mut stages = BTreeMap::new();
        plan.steps.iter().for_each(|step| *stages.entry(step.work.stage()).or_default() += 1);
        RunHead {
            steps: plan.steps.len(),
            stages,
            hosts: self.hosts(),
            rehearsal: options.rehearsal,
            continues: continues_run.is_some(),
            continues_run,
            owner: options.owner.clone(),
            took_over: options.took_over.as_ref().map(|note| self.emitter.text(note)),
            parallel: options.parallel,
            without: plan.made_from.without.clone(),
            verb: options.verb.clone(),
            who: options.who.clone(),
            traceparent: options.traceparent.clone(),
            small: options.small.clone(),
            warnings: plan.findings.iter().filter(|finding| finding.severity == Severity::Warning).count()
                + options.warnings,
            ..RunHead::new(options.run.clone(), plan.hash.clone(), plan.site.clone())
        }
    }

    /// Begins every step that may begin. Skipped steps make others ready, so this goes on until nothing moves. Which steps get the free
    /// places, the queue says; those of one tick begin in the order of the plan, so that a run without a shortage is told in that order.
    fn fill(&mut self) {
        while self.stopping.is_none() {
            let mut chosen: Vec<usize> = std::iter::from_fn(|| self.queue.next(&self.graph)).collect();
            if chosen.is_empty() {
                return;
            }
            chosen.sort_unstable();
            for index in chosen {
                let open = self.stopping.is_none() && self.ended.get(index).is_some_and(Option::is_none);
                match self.plan.steps.get(index) {
                    Some(step) if open => self.start(index, step),
                    _ => self.queue.leave(&self.graph, index),
                }
            }
        }
    }

    fn start(&mut self, index: usize, step: &'a Step) {
        self.machines.insert(index, StepMachine::new(self.clock.elapsed(), step.digest()));
        if !self.gate_lets_through(index, step) {
            return;
        }
        self.batch.events.push(self.started(index, step));
        self.batch.spawns.push((index, Spawn::Probe));
    }

    /// Makes the tick's events durable, tells them, begins its spawns: in this order.
    pub(super) fn commit(&mut self) -> Result<(), JournalError> {
        let Batch { events, spawns } = std::mem::take(&mut self.batch);
        if !events.is_empty() {
            self.emitter.record(events, self.journal)?;
        }
        for (index, spawn) in spawns {
            if let Some(step) = self.plan.steps.get(index) {
                self.limits.insert(index, awaited_end::limit(step, spawn, self.clock.elapsed()));
                self.in_flight.push(in_flight::begin((index, step), spawn, self.world, &self.emitter));
            }
        }
        Ok(())
    }

    /// Waits for the first of: something ended, a stop, time to renew the lock.
    async fn wake(&mut self) -> Wake {
        let due = (self.renewed + deadlines::LOCK_HEARTBEAT).saturating_sub(self.clock.elapsed());
        let (clock, stop, level) = (Arc::clone(&self.clock), self.stop.clone(), self.stop_level);
        let (stopped, lost) = (pin!(stop.above(level)), pin!(self.fence.lost()));
        let (fence, in_flight) = (&self.fence, &mut self.in_flight);
        let arrival = poll_fn(|cx| {
            if !fence.is_sure() {
                return Poll::Ready(Wake::Unsure);
            }
            in_flight.poll_next_unpin(cx).map(|arrived| arrived.map_or(Wake::Heartbeat, Wake::Arrived))
        });
        let work = select(select(stopped, lost), arrival);
        match select(work, clock.sleep(due)).await {
            Either::Left((Either::Left((Either::Left(_), _)), _)) => Wake::Stop(self.stop.level()),
            Either::Left((Either::Left((Either::Right(_), _)), _)) => Wake::Unsure,
            Either::Left((Either::Right((wake, _)), _)) => wake,
            Either::Right(_) => Wake::Heartbeat,
        }
    }

    /// Takes in the arrival and everything else that has arrived by now, so that one transaction serves them all.
    fn arrive_all(&mut self, first: Arrival) {
        let mut arrival = Some(first);
        while let Some(Arrival { index, message }) = arrival {
            self.handle(index, message);
            arrival = self.fence.is_sure().then(|| self.in_flight.next().now_or_never()).flatten().flatten();
        }
    }

    fn stop_at(&mut self, level: StopLevel) {
        self.stop_level = level;
        let reason = match level {
            StopLevel::Run => return,
            StopLevel::Finish => awaited_end::sentence(self.awaited(), &*self.clock),
            StopLevel::Now => {
                self.drop_in_flight();
                "stopped now: the running steps were cut off, and the next run looks at them first".to_owned()
            }
        };
        self.stop_because(reason);
    }

    /// Steps that run, each with the moment at which what is in flight for it is given up.
    fn awaited(&self) -> Vec<(&'a StepId, Duration)> {
        let running = self.machines.keys().filter_map(|index| Some((self.plan.steps.get(*index)?, index)));
        running.filter_map(|(step, index)| Some((&step.id, *self.limits.get(index)?))).collect()
    }

    /// Begins nothing new from now on. The reason is the whole sentence that people read.
    pub(super) fn stop_because(&mut self, reason: String) {
        self.batch.events.push(EventBody::RunStopping { reason: reason.clone() });
        self.stopping = Some(reason);
    }

    /// Cancels everything in flight, and everything about to be.
    pub(super) fn drop_in_flight(&mut self) {
        self.in_flight.clear();
        self.batch.spawns.clear();
    }
}

fn was_interrupted(step: &str) -> EventBody {
    let finding = Finding::info(
        code::RUN_STEP_WAS_INTERRUPTED,
        step,
        "an earlier run began it and did not see its end; it is looked at before anything is done",
    );
    EventBody::Finding { finding: Box::new(finding), step: None }
}

fn took_over(note: &str) -> EventBody {
    EventBody::Finding { finding: Box::new(Finding::warning(code::RUN_LOCK_TAKEN_OVER, "lock", note)), step: None }
}
