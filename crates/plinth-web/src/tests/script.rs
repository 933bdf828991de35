//! A run written down by hand: three nodes; one fails, the others go on.

use crate::source::{Earlier, Seen, Source, Told};
use jiff::{SignedDuration, Timestamp};
use plinth_analysis::{Columns, Past, Prediction, RunEntry, Traits};
use plinth_model::run::{
    CommandFailure, Counts, HeldBy, Holder, LockView, LogFile, LogOf, Logs, Outcome, Progress, RunHead, StepEnd,
};
use plinth_model::{
    Code, Digest, Event, EventBody, Finding, Plan, Problem, RunView, SiteName, Stage, StepId, StepState,
};
use plinth_report::evidence::IsVerdict;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Runs in memory, which tests let grow.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) runs: Mutex<Vec<(String, Vec<Event>)>>,
    pub(crate) lock: Mutex<Option<LockView>>,
    /// Older runs that are not kept.
    pub(crate) removed: u32,
    pub(crate) moving: Mutex<BTreeMap<StepId, Progress>>,
    /// What its nodes say of their kernel.
    pub(crate) kernel: Mutex<String>,
    /// Logs of its runs, with what is in them.
    pub(crate) logs: Mutex<Vec<(LogFile, Vec<u8>)>>,
    /// The plan of its runs; none: it is of another release.
    pub(crate) plan: Mutex<Option<Plan>>,
    /// The run writes these and gives its lock back as soon as the next question about it, whichever it is, was answered.
    pub(crate) meanwhile: Mutex<Vec<Event>>,
}

impl Scripted {
    /// One run with these events.
    pub(crate) fn of(events: Vec<Event>) -> Arc<Self> {
        Self::of_a_few(events, 0)
    }

    /// The same where so many older runs are not kept.
    pub(crate) fn of_a_few(events: Vec<Event>, removed: u32) -> Arc<Self> {
        let source = Self { removed, ..Self::default() };
        source.add("run-1", events);
        Arc::new(source)
    }

    /// Further events of a run, or a new one.
    pub(crate) fn add(&self, run: &str, events: Vec<Event>) {
        let mut runs = self.runs.lock().unwrap();
        match runs.iter_mut().find(|(id, _)| id == run) {
            Some((_, all)) => all.extend(events),
            None => runs.push((run.to_owned(), events)),
        }
    }

    /// A log of the run, by the step that wrote it.
    pub(crate) fn wrote(&self, name: &str, step: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let (at, run) = (Some(start()), Some("run-1".to_owned()));
        let (path, size, step) = (format!("/state/logs/{name}"), bytes.len() as u64, Some(id(step)));
        let log = LogFile { name: name.to_owned(), path, of: LogOf::Play, size, at, run, step, failed: Vec::new() };
        self.logs.lock().unwrap().push((log, bytes));
    }

    fn goes_on(&self) {
        let events = std::mem::take(&mut *self.meanwhile.lock().unwrap());
        if !events.is_empty() {
            self.add("run-1", events);
            *self.lock.lock().unwrap() = None;
        }
    }

    /// Somebody runs it.
    pub(crate) fn held(&self, run: &str, alive: bool) {
        let at = start();
        *self.lock.lock().unwrap() = Some(LockView {
            owner: "anna@bastion (process 4711)".into(),
            run: run.into(),
            acquired: at,
            heartbeat: at,
            expires: at,
            alive,
            process: if alive { Holder::There } else { Holder::Gone },
        });
    }
}

impl Source for Arc<Scripted> {
    fn site(&self) -> SiteName {
        SiteName::new("basepod-a").unwrap()
    }

    fn removed(&self) -> Result<u32, Problem> {
        Ok(self.removed)
    }

    fn runs(&self) -> Result<Vec<RunEntry>, Problem> {
        let lock = self.lock.lock().unwrap().clone();
        let held = |run: &str| lock.as_ref().is_some_and(|lock| lock.alive && lock.run == run);
        let runs = self.runs.lock().unwrap();
        Ok(runs.iter().filter_map(|(id, events)| RunEntry::of(&RunView::of(events), held(id))).collect())
    }

    fn newest(&self) -> Result<Option<String>, Problem> {
        Ok(self.runs.lock().unwrap().last().map(|(id, _)| id.clone()))
    }

    fn events(&self, run: &str, after: u64) -> Result<Vec<Event>, Problem> {
        let found = {
            let runs = self.runs.lock().unwrap();
            let of = runs.iter().filter(|(id, _)| id == run).flat_map(|(_, events)| events);
            of.filter(|event| event.seq > after).cloned().collect()
        };
        self.goes_on();
        Ok(found)
    }

    fn plan(&self, _: &Digest) -> Result<Option<Plan>, Problem> {
        Ok(self.plan.lock().unwrap().clone())
    }

    fn lock(&self) -> Result<Option<LockView>, Problem> {
        let found = self.lock.lock().unwrap().clone();
        self.goes_on();
        Ok(found)
    }

    fn progress(&self, _: &str) -> BTreeMap<StepId, Progress> {
        self.moving.lock().unwrap().clone()
    }

    fn logs(&self, _: &RunView) -> Result<Logs, Problem> {
        let logs = self.logs.lock().unwrap().iter().map(|(log, _)| log.clone()).collect();
        Ok(Logs { schema: plinth_model::run::logs::SCHEMA, directory: "/state".to_owned(), logs })
    }

    fn log(&self, log: &LogFile, from: u64, most: usize) -> Result<(Vec<u8>, u64), Problem> {
        let logs = self.logs.lock().unwrap();
        let (_, bytes) = logs.iter().find(|(known, _)| known == log).unwrap();
        let from = usize::try_from(from).unwrap().min(bytes.len());
        let until = from.saturating_add(most).min(bytes.len());
        Ok((bytes[from..until].to_vec(), bytes.len() as u64))
    }

    fn traits(&self) -> Traits {
        Traits::default()
    }

    fn before(&self, run: &str, _: Option<&Prediction>) -> Earlier {
        let all = self.runs.lock().unwrap();
        let earlier: Vec<_> = all.iter().take_while(|(id, _)| id != run).collect();
        let (runs, columns) = earlier.iter().rev().map(|(id, events)| (id.clone(), Columns::of(events))).unzip();
        Earlier { past: Past::default(), columns, runs }
    }

    fn seen(&self, node: &str) -> Result<Option<Seen>, Problem> {
        let facts = vec![("kernel".to_owned(), self.kernel.lock().unwrap().clone())];
        Ok((node != "cpu-03").then(|| Seen { at: Some(start()), facts }))
    }

    fn prediction(&self) -> Option<Prediction> {
        None
    }

    fn explain(&self, what: &str, _: Option<&Plan>, _: &RunView) -> Option<Told> {
        (what != "nothing").then(|| Told { text: format!("{what}: is what it is"), data: json!({"topic": what}) })
    }

    fn plan_told(&self, plan: &Plan) -> Told {
        Told { text: format!("{} steps", plan.steps.len()), data: json!(plan) }
    }

    fn verdicts(&self) -> IsVerdict {
        |_| true
    }

    fn version(&self) -> &'static str {
        "0.0.0"
    }

    fn now(&self) -> Timestamp {
        start() + SignedDuration::from_mins(60)
    }
}

pub(crate) fn start() -> Timestamp {
    "2026-01-01T10:00:00Z".parse().unwrap()
}

pub(crate) fn id(text: &str) -> StepId {
    StepId::try_from(text.to_owned()).unwrap()
}

/// Writes events.
#[derive(Default)]
pub(crate) struct Script(pub(crate) Vec<Event>);

impl Script {
    pub(crate) fn begin(run: &str, steps: usize, rehearsal: bool) -> Self {
        let mut script = Self::default();
        let head = RunHead::new(run, Digest::of_bytes(b"plan"), SiteName::new("basepod-a").unwrap());
        let owner = "anna@bastion (process 4711)".to_owned();
        let head = RunHead { steps, hosts: 3, rehearsal, parallel: 2, verb: "apply".into(), owner, ..head };
        script.say(0.0, EventBody::RunStarted(head));
        script
    }

    pub(crate) fn say(&mut self, seconds: f64, body: EventBody) {
        let after = Some(self.0.iter().rev().find(|event| !event.body.may_be_missed()).map_or(0, |event| event.seq));
        let at = start() + SignedDuration::from_secs_f64(seconds);
        self.0.push(Event { seq: self.0.len() as u64 + 1, after, at, body });
    }

    pub(crate) fn starts(&mut self, at: f64, step: &str) {
        let (stage, node) = place(step);
        let ready_at = Some(start() + SignedDuration::from_secs_f64((at - 0.5).max(0.0)));
        let body = EventBody::StepStarted {
            step: id(step),
            stage,
            node,
            reason: "wanted by the site file".into(),
            ready_at,
            held_by: Some(Box::new(HeldBy::Slot { slots: 2 })),
            last_need: None,
        };
        self.say(at, body);
    }

    pub(crate) fn acts(&mut self, at: f64, step: &str, diff: &str) {
        let body = EventBody::StepActing {
            step: id(step),
            diff: vec![diff.to_owned()],
            attempt: 1,
            reads_only: false,
            installed: None,
        };
        self.say(at, body);
    }

    pub(crate) fn ends(&mut self, at: f64, step: &str, outcome: StepState, detail: &str, finding: Option<Finding>) {
        let (stage, node) = place(step);
        let failure = finding.as_ref().map(|_| {
            Box::new(CommandFailure {
                exit: Some(1),
                log: Some("/logs/x".into()),
                ..CommandFailure::of(format!("helm upgrade {detail}"), &[detail.to_owned()])
            })
        });
        let held_by =
            (outcome == StepState::NotRun).then(|| Box::new(HeldBy::Need { step: id("nodes/account/dgx-06") }));
        let end = StepEnd {
            node,
            seconds: 1.0,
            detail: detail.to_owned(),
            finding: finding.map(Box::new),
            attempts: 1,
            failure,
            held_by,
            ..StepEnd::new(id(step), stage, outcome)
        };
        self.say(at, end.into());
    }

    pub(crate) fn over(&mut self, at: f64, outcome: Outcome) {
        let counts = Counts { changed: 3, failed: 1, not_run: 2, ..Counts::default() };
        let (exit, next) = (4, vec!["fix dgx-06, then run the same command again".to_owned()]);
        self.say(at, EventBody::RunFinished { outcome, exit, counts, seconds: at, next, digest: None });
    }
}

fn place(step: &str) -> (Stage, Option<String>) {
    let step = id(step);
    match step.area() {
        "nodes" => (Stage::Nodes, Some(step.target().to_owned())),
        "checks" => (Stage::Acceptance, None),
        _ => (Stage::Kubernetes, None),
    }
}

pub(crate) fn broken(message: &str) -> Finding {
    Finding::error(Code::named("node.connection-lost"), "dgx-06", message)
        .evidence(format!("ssh: {message}"))
        .fix("check the node's port on the switch, then run again")
}

/// The run; `word` stands wherever others may write.
pub(crate) fn run(word: &str) -> Vec<Event> {
    let mut script = Script::begin("run-1", 8, false);
    for node in ["cpu-03", "dgx-05", "dgx-06"] {
        script.starts(1.0, &format!("nodes/account/{node}"));
    }
    script.acts(1.5, "nodes/account/dgx-05", word);
    script.say(
        1.6,
        EventBody::StepProgress { step: id("nodes/account/dgx-05"), done: 1, total: 3, message: word.to_owned() },
    );
    script.ends(2.0, "nodes/account/cpu-03", StepState::Unchanged, word, None);
    script.ends(3.0, "nodes/account/dgx-05", StepState::Changed, word, None);
    script.say(3.0, EventBody::Finding { finding: Box::new(broken(word)), step: None });
    script.ends(4.0, "nodes/account/dgx-06", StepState::Failed, word, Some(broken(word)));
    script.ends(4.0, "nodes/storage/dgx-06", StepState::NotRun, word, None);
    script.starts(5.0, "kubernetes/deploy/basepod-a");
    script.acts(5.5, "kubernetes/deploy/basepod-a", word);
    script.ends(60.0, "kubernetes/deploy/basepod-a", StepState::Changed, word, None);
    script.starts(61.0, "checks/dns/basepod-a");
    script.ends(62.0, "checks/dns/basepod-a", StepState::Unchanged, word, None);
    script.over(63.0, Outcome::Partly);
    script.0
}
