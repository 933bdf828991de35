//! Scripted steps, and a bench to run them on.

use crate::clients::clients;
use crate::clock::TestClock;
use async_trait::async_trait;
use plinth_model::Code;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::{Event, EventBody, Finding, Plan, Problem, Secret, SecretRef, Step, StepId};
use plinth_run::journal::{Journal, JournalReader, Memory};
use plinth_run::{
    Again, Behaviour, Done, Durability, LockOwner, LockedJournal, Probe, Probed, Remembered, RunOptions, RunReport,
    RunWorld, Sink, StepEnv, StopSignal, Store, executor,
};
use plinth_world::seam::Seam;
use plinth_world::secrets::MemorySecrets;
use plinth_world::{ClientError, Clock, Context};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// Never to be seen in anything that is written.
pub const SECRET: &str = "hunter2-hunter2";

/// How one step behaves; the default is made so by one effect of ten seconds.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    pub probe_failures: u32,
    pub act_failures: u32,
    pub permanent: bool,
    /// The effect happens although its call fails.
    pub happens_anyway: bool,
    pub never_so: bool,
    /// Why it may act although it is recorded as done.
    pub again: Again,
    pub blocked: bool,
    /// A check whose claim is not true.
    pub does_not_hold: bool,
    pub hangs: bool,
    pub answers: Vec<(GateId, GateAnswer)>,
    pub notes: Vec<Finding>,
    /// What the node tells of itself at every look.
    pub facts: BTreeMap<String, String>,
    pub seconds: u64,
}

#[derive(Default)]
pub struct State {
    pub rules: BTreeMap<String, Rule>,
    /// What is so.
    pub so: BTreeSet<String>,
    /// Effects in the order they began.
    pub effects: Vec<String>,
    /// Effects that came to their end, whatever their call said.
    pub happened: Vec<String>,
    pub probes: Vec<String>,
    busy: usize,
    pub most_busy: usize,
    nodes: BTreeMap<String, usize>,
    pub most_per_node: usize,
}

pub struct Script {
    pub state: Mutex<State>,
}

/// Counts the step as busy until dropped, also when its future is.
struct Busy<'a>(&'a Script, Option<String>);

impl<'a> Busy<'a> {
    fn new(script: &'a Script, step: &Step) -> Self {
        let node = step.work.node().map(ToString::to_string);
        let mut state = script.state.lock().unwrap();
        state.busy += 1;
        state.most_busy = state.most_busy.max(state.busy);
        if let Some(node) = &node {
            let count = state.nodes.entry(node.clone()).or_default();
            *count += 1;
            let count = *count;
            state.most_per_node = state.most_per_node.max(count);
        }
        drop(state);
        Self(script, node)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        state.busy -= 1;
        if let Some(node) = &self.1 {
            *state.nodes.get_mut(node).unwrap() -= 1;
        }
    }
}

impl Script {
    fn rule(&self, step: &Step) -> Rule {
        self.state.lock().unwrap().rules.get(step.id.as_str()).cloned().unwrap_or_default()
    }

    fn error(permanent: bool) -> ClientError {
        let error = ClientError::new("node", "talking")
            .happened(format!("the line dropped ({SECRET})"))
            .attempt("look at the cable");
        if permanent { error } else { error.transient("lines come back") }
    }

    /// Takes one failure off the script.
    fn fails(&self, step: &Step, which: impl Fn(&mut Rule) -> &mut u32) -> bool {
        let mut state = self.state.lock().unwrap();
        let Some(rule) = state.rules.get_mut(step.id.as_str()) else { return false };
        let left = which(rule);
        let fails = *left > 0;
        *left = left.saturating_sub(1);
        fails
    }
}

#[async_trait]
impl Behaviour for Script {
    async fn probe(&self, step: &Step, env: &StepEnv) -> Result<Probed, ClientError> {
        let _busy = Busy::new(self, step);
        let rule = self.rule(step);
        env.ctx.clock().sleep(Duration::from_secs(1)).await;
        self.state.lock().unwrap().probes.push(step.id.to_string());
        if self.fails(step, |rule| &mut rule.probe_failures) {
            return Err(Self::error(rule.permanent));
        }
        if rule.does_not_hold {
            let finding =
                Finding::error(Code::named("gpu.pod-does-not-run"), step.target(), "no GPU in the pod").fix("look");
            return Ok(Probe::Blocked(Box::new(finding)).into());
        }
        if rule.blocked {
            let finding =
                Finding::error(Code::named("node.clash"), step.target(), format!("taken by {SECRET}")).fix("free it");
            return Ok(Probe::Blocked(Box::new(finding)).into());
        }
        if self.state.lock().unwrap().so.contains(step.id.as_str())
            || !rule.answers.is_empty()
            || !rule.notes.is_empty()
        {
            let done = Probed::from(Probe::Done("it is so".to_owned())).answering(rule.answers);
            return Ok(done.noting(rule.notes).told(rule.facts));
        }
        let todo = Probed::from(Probe::Todo(vec![format!("+ {} with {SECRET}", step.id)]));
        Ok(Probed { again: rule.again, ..todo })
    }

    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let _busy = Busy::new(self, step);
        let rule = self.rule(step);
        self.state.lock().unwrap().effects.push(step.id.to_string());
        env.ctx.progress(1, 2, format!("half of {SECRET}"));
        let seconds = if rule.hangs {
            1_000_000
        } else if rule.seconds > 0 {
            rule.seconds
        } else {
            10
        };
        let seam = Seam::program("ssh", || format!("ssh {} # with {SECRET}", step.id));
        env.ctx.clock().sleep(Duration::from_secs(seconds)).await;
        seam.end("done");
        let fails = self.fails(step, |rule| &mut rule.act_failures);
        if (!fails || rule.happens_anyway) && !rule.never_so {
            let mut state = self.state.lock().unwrap();
            state.so.insert(step.id.to_string());
            state.happened.push(step.id.to_string());
        }
        if fails { Err(Self::error(rule.permanent)) } else { Ok(format!("made with {SECRET}")) }
    }
}

/// A scripted world with a journal, and everything said about its runs.
pub struct Bench {
    pub clock: Arc<TestClock>,
    pub script: Arc<Script>,
    pub events: Arc<Mutex<Vec<Event>>>,
    pub dir: TempDir,
    pub stop: StopSignal,
    pub options: RunOptions,
    /// What a look told, for the next run.
    pub seen: Done,
    /// Runs so far, each with the next number as its id.
    pub runs: usize,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            clock: Arc::default(),
            script: Arc::new(Script { state: Mutex::default() }),
            events: Arc::default(),
            dir: tempfile::tempdir().unwrap(),
            stop: StopSignal::new(),
            options: RunOptions::new("", "me@here"),
            seen: Done::new(),
            runs: 0,
        }
    }

    pub fn rule(&self, step: &str, rule: Rule) {
        self.script.state.lock().unwrap().rules.insert(step.to_owned(), rule);
    }

    pub fn effects(&self) -> Vec<String> {
        self.script.state.lock().unwrap().effects.clone()
    }

    pub fn so(&self) -> BTreeSet<String> {
        self.script.state.lock().unwrap().so.clone()
    }

    pub fn world(&self) -> RunWorld {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let secret = (SecretRef::Env("SECRET".to_owned()), Secret::new(SECRET.to_owned()));
        let env = StepEnv::new(Context::quiet(clock), clients(), Arc::new(MemorySecrets::of([secret])));
        RunWorld { env, behaviour: self.script.clone() }
    }

    /// The journal, locked for the next run.
    pub fn journal(&self) -> LockedJournal {
        self.locked_by(&LockOwner { user: "me".to_owned(), host: "here".to_owned(), pid: 1, process: None })
    }

    pub fn locked_by(&self, owner: &LockOwner) -> LockedJournal {
        self.lock(self.opened(), owner)
    }

    pub fn opened_with(&self, durability: Durability) -> LockedJournal {
        let journal = Journal::open_with(self.dir.path(), durability).unwrap();
        self.lock(journal, &LockOwner { user: "me".to_owned(), host: "here".to_owned(), pid: 1, process: None })
    }

    fn lock(&self, journal: Journal, owner: &LockOwner) -> LockedJournal {
        let clock: Arc<dyn Clock> = self.clock.clone();
        journal.lock(owner, &format!("run-{}", self.runs + 1), &clock).unwrap()
    }

    pub fn opened(&self) -> Journal {
        Journal::open(self.dir.path()).unwrap()
    }

    pub fn reader(&self) -> JournalReader {
        Journal::open_read_only(self.dir.path()).unwrap().unwrap()
    }

    pub fn memory(&self) -> Memory {
        self.reader().memory().unwrap()
    }

    pub fn run(&mut self, plan: &Plan) -> RunReport {
        let mut journal = self.journal();
        self.run_with(plan, &mut journal).unwrap()
    }

    /// Runs with a store of choice. What it said replaces what the run before said.
    pub fn run_with(&mut self, plan: &Plan, journal: &mut dyn Store) -> Result<RunReport, Problem> {
        self.events.lock().unwrap().clear();
        self.runs += 1;
        let options = RunOptions { run: format!("run-{}", self.runs), ..self.options.clone() };
        let events = Arc::clone(&self.events);
        let sink: Sink = Arc::new(move |event| events.lock().unwrap().push(event));
        let behaviour = Arc::new(Remembered::new(self.script.clone(), std::mem::take(&mut self.seen)));
        let world = RunWorld { behaviour, ..self.world() };
        self.clock.drive(executor::run(plan, world, journal, sink, self.stop.clone(), options))
    }

    pub fn said<T>(&self, pick: impl Fn(&EventBody) -> Option<T>) -> Vec<T> {
        self.events.lock().unwrap().iter().filter_map(|event| pick(&event.body)).collect()
    }

    /// How the step ended, with its line.
    pub fn ended(&self, step: &StepId) -> Option<(plinth_model::StepState, String)> {
        self.said(|body| match body {
            EventBody::StepFinished { step: s, outcome, detail, .. } if s == step => Some((*outcome, detail.clone())),
            _ => None,
        })
        .pop()
    }
}
