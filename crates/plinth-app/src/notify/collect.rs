//! Events into messages. What happens often is collected: a thousand failures of a minute are one message.

use super::notice::{Notice, SCHEMA};
use jiff::Timestamp;
use plinth_model::run::{RunHead, StepState};
use plinth_model::span::span;
use plinth_model::text::visible;
use plinth_model::{Event, EventBody, Outcome, amount};
use plinth_site::desired::Occasion;
use plinth_world::deadlines;
use plinth_world::secrets::Secrets;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Failures that are told in one message; the rest is counted.
const FAILURES: usize = 5;
/// Longest line, characters.
const LONGEST: usize = 200;

/// Makes messages.
pub(super) struct Collector {
    secrets: Arc<dyn Secrets>,
    head: Option<RunHead>,
    failed: Waiting,
    gates: Waiting,
}

/// What is told together, and not before a moment.
#[derive(Default)]
struct Waiting {
    all: Vec<String>,
    newest: Option<(u64, Timestamp)>,
    /// Told at once until then something was told.
    not_before: Option<Instant>,
}

impl Waiting {
    fn add(&mut self, one: String, event: &Event) {
        self.all.push(one);
        self.newest = Some((event.seq, event.at));
    }

    fn due(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.all.is_empty())
    }

    fn take(&mut self, now: Instant) -> Option<(Vec<String>, (u64, Timestamp))> {
        let newest = self.newest.take()?;
        self.not_before = Some(now + deadlines::NOTIFY_COLLECT);
        Some((std::mem::take(&mut self.all), newest))
    }
}

impl Collector {
    pub(super) fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, head: None, failed: Waiting::default(), gates: Waiting::default() }
    }

    /// Whether an event may be told to somebody.
    pub(super) const fn is_told(body: &EventBody) -> bool {
        match body {
            EventBody::RunStarted(_) | EventBody::GateOpened { .. } | EventBody::RunFinished { .. } => true,
            EventBody::StepFinished { outcome, .. } => matches!(outcome, StepState::Failed),
            _ => false,
        }
    }

    /// When what was collected is to be told.
    pub(super) fn due(&self) -> Option<Instant> {
        self.failed.due().into_iter().chain(self.gates.due()).min()
    }

    /// Takes an event in; answers what is to be told now.
    pub(super) fn take(&mut self, event: &Event, now: Instant) -> Vec<Notice> {
        match &event.body {
            EventBody::RunStarted(head) => {
                self.head = Some(head.clone());
                self.started(event).into_iter().collect()
            }
            EventBody::StepFinished { step, detail, outcome: StepState::Failed, .. } => {
                self.failed.add(format!("{step}: {detail}"), event);
                self.ready(now)
            }
            EventBody::GateOpened { gate, answer, .. } => {
                // There is one for each node: what counts is how many of a sort.
                let sort = gate.as_str().split('/').next().unwrap_or_default();
                self.gates.add(format!("{sort}: {}", answer.as_str()), event);
                self.ready(now)
            }
            EventBody::RunFinished { .. } => {
                let mut all = self.flush();
                all.extend(self.finished(event));
                all
            }
            _ => Vec::new(),
        }
    }

    /// Everything that was collected.
    pub(super) fn flush(&mut self) -> Vec<Notice> {
        let now = Instant::now();
        let failed = self.failed.take(now).and_then(|(all, newest)| self.failures(&all, newest));
        let gates = self.gates.take(now).and_then(|(all, newest)| self.opened(&all, newest));
        failed.into_iter().chain(gates).collect()
    }

    /// What need not wait any longer: the first of its sort is told at once.
    fn ready(&mut self, now: Instant) -> Vec<Notice> {
        let is_over = |not_before: Option<Instant>| not_before.is_none_or(|until| until <= now);
        let failed = if is_over(self.failed.not_before) { self.failed.take(now) } else { None };
        let failed = failed.and_then(|(all, newest)| self.failures(&all, newest));
        let gates = if is_over(self.gates.not_before) { self.gates.take(now) } else { None };
        let gates = gates.and_then(|(all, newest)| self.opened(&all, newest));
        failed.into_iter().chain(gates).collect()
    }

    fn started(&self, event: &Event) -> Option<Notice> {
        let head = self.head.as_ref()?;
        let again = if head.continues { ", which continues an earlier one" } else { "" };
        let what = format!("began: {} on {}{again}", amount(head.steps, "step"), amount(head.hosts, "node"));
        self.notice("run.started", Occasion::Start, (event.seq, event.at), &what)
    }

    fn failures(&self, all: &[String], newest: (u64, Timestamp)) -> Option<Notice> {
        let what = format!("{} failed", amount(all.len(), "step"));
        let notice = self.notice("run.failure", Occasion::Failure, newest, &what)?;
        Some(Notice { lines: self.lines(all), ..notice })
    }

    fn opened(&self, all: &[String], newest: (u64, Timestamp)) -> Option<Notice> {
        let mut counted: BTreeMap<&String, usize> = BTreeMap::new();
        all.iter().for_each(|gate| *counted.entry(gate).or_default() += 1);
        let line = |(gate, count): (&String, usize)| match count {
            1 => gate.clone(),
            count => format!("{gate}, {count} times"),
        };
        let lines: Vec<String> = counted.into_iter().map(line).collect();
        let notice = self.notice("run.gate", Occasion::Gate, newest, &amount(all.len(), "gate"))?;
        Some(Notice { lines: self.lines(&lines), brief: format!("{} opened", notice.brief), ..notice })
    }

    fn finished(&self, event: &Event) -> Option<Notice> {
        let EventBody::RunFinished { outcome, exit, counts, seconds, next, .. } = &event.body else { return None };
        let how = match outcome {
            Outcome::Done => "done",
            Outcome::Partly => "not done",
            Outcome::Stopped => "stopped",
        };
        let told = [
            (counts.changed, "changed"),
            (counts.unchanged, "unchanged"),
            (counts.failed, "failed"),
            (counts.not_run, "not run"),
        ];
        let told: Vec<String> = told.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
        let what = format!("{how} after {}{told}", span(*seconds));
        let notice = self.notice("run.finished", Occasion::Finish, (event.seq, event.at), &what)?;
        Some(Notice { lines: self.lines(next), counts: Some(*counts), exit: Some(*exit), ..notice })
    }

    fn notice(&self, kind: &str, on: Occasion, (seq, at): (u64, Timestamp), what: &str) -> Option<Notice> {
        let head = self.head.as_ref()?;
        let verb = head.small.as_deref().unwrap_or(if head.verb.is_empty() { "run" } else { &head.verb });
        let rehearsal = if head.rehearsal { "rehearsal, nothing real: " } else { "" };
        Some(Notice {
            schema: SCHEMA,
            id: uuid::Uuid::now_v7().to_string(),
            kind: kind.to_owned(),
            on,
            site: head.site.to_string(),
            run: head.run.clone(),
            verb: verb.to_owned(),
            by: self.line(&head.who().map(|who| who.to_string()).unwrap_or_default()),
            rehearsal: head.rehearsal,
            seq,
            at,
            made: Timestamp::now(),
            brief: self.line(&format!("{rehearsal}{} {verb}: {what}", head.site)),
            lines: Vec::new(),
            counts: None,
            exit: None,
        })
    }

    fn lines(&self, all: &[String]) -> Vec<String> {
        let mut lines: Vec<String> = all.iter().take(FAILURES).map(|line| self.line(line)).collect();
        lines.extend((all.len() > FAILURES).then(|| format!("and {} more", all.len() - FAILURES)));
        lines
    }

    /// Foreign text: without secrets, hidden characters written out, and no longer than a line.
    fn line(&self, text: &str) -> String {
        let clean = self.secrets.redact(text);
        let clean = visible(&clean);
        let line: String = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{} …", line.get(..end).unwrap_or_default()),
            None => line,
        }
    }
}
