//! Turns events into lines of text. It writes nowhere: [`crate::Lines`] puts the lines into a log, [`crate::Live`] lets them
//! scroll above the live view.

use crate::card::{Part, rows};
use crate::findings::{LABEL, labelled, parts};
use crate::fold::{Fold, Kind, Line, News};
use crate::style::{Palette, Sign, clean, short, told};
use crate::summary::summary;
use plinth_analysis::{FailureGroup, Traits, failure_group, failure_groups};
use plinth_model::amount;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::{Applied, StepView};
use plinth_model::span::{clock, span};
use plinth_model::wrap::{behind, cut, hanging};
use plinth_model::{Event, EventBody, Finding, Plan, RunView, Stage, StepId, StepState};
use std::collections::BTreeSet;

/// Seconds of event time between two heartbeats, at least.
const HEARTBEAT: f64 = 15.0;
/// A step of an hour is heard of at least so often, seconds: systems that build end what says nothing for ten minutes.
const LONGEST_SILENCE: f64 = 300.0;
/// Seconds of event time between two calm sentences, at least.
const CALM: f64 = 30.0;
/// Seconds of event time in which it is not asked again whether one is due.
const SHORTEST_QUIET: f64 = 1.0;

/// Columns of a step's name, of the word behind it, and of what stands before them.
const HEAD: usize = 36;
const WORD: usize = 9;
const TIME_AND_SIGN: usize = 9;

/// Most columns of a name, and fewest.
const WIDEST_HEAD: usize = 60;
const NARROWEST_HEAD: usize = 24;
/// Columns that the names of most steps have room in. Where a terminal is narrow, the text behind them goes on below at any rate.
const USUAL_HEAD: usize = 40;

/// Columns of a progress message that are shown; the finding of a failed step has all of it.
const LONGEST_MESSAGE: usize = 100;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Everything, with heartbeats.
    All,
    /// What changed, failed or is doubtful: the live view shows the rest.
    Notable,
    /// What failed or is doubtful, and a sentence on the whole now and then.
    Calm,
}

/// Turns events into lines.
pub struct TextLog {
    palette: Palette,
    verbosity: Verbosity,
    view: RunView,
    fold: Fold,
    last_beat: f64,
    /// No heartbeat is due before this moment.
    quiet_until: f64,
    width: Option<usize>,
    /// Columns of a step's name here, and where there is room enough.
    head: usize,
    widest: usize,
    /// Code and cause of what failed before: what fails for one of these is told in a line with others.
    causes: BTreeSet<(String, String)>,
    traits: Traits,
    /// The newest time that stands on a line: told news may be older, a reader's clock does not go back.
    told: f64,
}

impl TextLog {
    /// Without the plan: folded lines wait for their time window.
    #[must_use]
    pub fn new(palette: Palette, verbosity: Verbosity) -> Self {
        Self {
            palette,
            verbosity,
            view: RunView::default(),
            fold: Fold::default(),
            last_beat: 0.0,
            quiet_until: 0.0,
            width: None,
            head: HEAD,
            widest: HEAD,
            causes: BTreeSet::new(),
            traits: Traits::new(),
            told: 0.0,
        }
    }

    /// With the plan: a folded line is written as soon as its last node has spoken.
    #[must_use]
    pub fn of_plan(plan: &Plan, palette: Palette, verbosity: Verbosity) -> Self {
        let mut text_log = Self::new(palette, verbosity);
        for step in plan.steps.iter().filter(|step| step.work.node().is_some()) {
            text_log.fold.expect(label(&step.id));
        }
        let longest = plan.steps.iter().map(|step| step.id.as_str().len()).max().unwrap_or(HEAD);
        text_log.widest = longest.clamp(NARROWEST_HEAD, WIDEST_HEAD);
        text_log.head = text_log.widest;
        text_log
    }

    /// Breaks lines between words where a terminal of `width` columns ends.
    pub fn fit(&mut self, width: usize) {
        self.width = Some(width);
        let most = (width * 2 / 5).max(USUAL_HEAD.min(width / 2));
        self.head = self.widest.min(most).max(NARROWEST_HEAD);
    }

    /// Knows this of the nodes: what the failed ones share is said at the end.
    pub fn know(&mut self, traits: Traits) {
        self.traits = traits;
    }

    /// What failed so far, by cause.
    #[must_use]
    pub fn failures(&self) -> Vec<FailureGroup> {
        failure_groups(&self.view, &self.traits)
    }

    /// The run so far.
    #[must_use]
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// Takes one event; answers the lines to be written now. An event that was seen before gives none.
    pub fn take(&mut self, event: &Event) -> Vec<String> {
        let gaps = self.view.gaps().len();
        match self.view.apply(event) {
            Applied::Known | Applied::Held => Vec::new(),
            Applied::Now => self.told(&event.body),
            Applied::Several(events) => {
                let mut lines = self.missing(gaps);
                lines.extend(events.iter().flat_map(|event| self.told(&event.body)));
                lines
            }
        }
    }

    fn told(&mut self, body: &EventBody) -> Vec<String> {
        let now = self.view.elapsed();
        let due = self.fold.due(now);
        let mut lines = self.written(&due);
        lines.extend(self.news(now, body));
        lines.extend(self.heartbeat(now));
        lines
    }

    /// Events that never came are said, not passed over.
    fn missing(&mut self, known: usize) -> Vec<String> {
        let text = |gap: &plinth_model::run::Gap| {
            format!("events {} to {} never came; the journal has them", gap.after + 1, gap.until)
        };
        let texts: Vec<String> = self.view.gaps().iter().skip(known).map(text).collect();
        let now = self.view.elapsed();
        texts.iter().map(|text| self.line(now, Sign::Warning, "events missing", "warning", text)).collect()
    }

    /// What still waits, when no more events come; with the summary if the run never told its end.
    pub fn rest(&mut self) -> Vec<String> {
        let gaps = self.view.gaps().len();
        let late = self.view.settle();
        let mut lines = self.missing(gaps);
        lines.extend(late.iter().flat_map(|event| self.told(&event.body)));
        lines.extend(self.waiting());
        if self.view.run.is_some() && self.view.end.is_none() {
            lines.push(self.summary());
        }
        lines
    }

    fn summary(&self) -> String {
        let text = summary(&self.view, &self.failures(), self.palette);
        let fitted = |line: &str| hanging(line, 4 + line.len() - line.trim_start().len(), self.width);
        text.lines().map(fitted).collect::<Vec<_>>().join("\n")
    }

    fn news(&mut self, now: f64, body: &EventBody) -> Vec<String> {
        match body {
            EventBody::RunStarted(_) => self.run_head(),
            EventBody::StepFinished { .. } => self.finished(now, body),
            EventBody::StepRetrying { .. } if self.verbosity == Verbosity::Calm => Vec::new(),
            EventBody::StepRetrying { step, attempt, message, wait_s, next_at: _ } => {
                let wait = span(wait_s.max(0.0));
                let text = format!("attempt {attempt} failed: {}; again in {wait}", told(message));
                vec![self.line(now, Sign::Retry, step.as_str(), "retrying", &text)]
            }
            EventBody::GateOpened { gate, answer, by: _ } => self.gate(now, gate, answer),
            EventBody::Finding { finding, step: _ } => self.finding(now, finding),
            EventBody::RunStopping { reason } => {
                vec![self.line(now, Sign::Warning, "stopping", "", &told(reason))]
            }
            EventBody::RunFinished { .. } => {
                let mut lines = self.waiting();
                lines.push(String::new());
                lines.push(self.summary());
                lines
            }
            EventBody::StepStarted { .. }
            | EventBody::StepActing { .. }
            | EventBody::StepProgress { .. }
            | EventBody::RunHeartbeat { .. } => Vec::new(),
        }
    }

    fn run_head(&self) -> Vec<String> {
        let Some(run) = &self.view.run else { return Vec::new() };
        let verb = if run.continues { "continues" } else { "starts" };
        let time = if run.rehearsal { "; a rehearsal: time is virtual" } else { "" };
        let size = format!("{} on {}", amount(run.steps, "step"), amount(run.hosts, "host"));
        let head = format!("{} {verb}: plan {}, {size}{time}", self.palette.bold(run.site.as_str()), run.plan.short());
        let lines = std::iter::once(head).chain(self.stages());
        lines.map(|line| hanging(&line, 4, self.width)).collect()
    }

    /// `discovery 1, nodes 25, kubernetes 16`: stages run beside each other, so they are told once and not as headers.
    fn stages(&self) -> Option<String> {
        let run = self.view.run.as_ref()?;
        let told: Vec<String> = run.stages.iter().map(|(stage, steps)| format!("{} {steps}", stage.title())).collect();
        (!told.is_empty() && self.verbosity == Verbosity::All).then(|| format!("  steps: {}", told.join(", ")))
    }

    fn finished(&mut self, now: f64, body: &EventBody) -> Vec<String> {
        let EventBody::StepFinished { step, stage, node, outcome, seconds, detail, .. } = body else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        match (outcome, node) {
            (StepState::Failed, _) => lines.extend(self.failure(now, step, *seconds, detail)),
            (StepState::NotRun, _) => {
                let is_interrupted = self.view.steps.get(step).is_some_and(|step| step.interrupted().is_some());
                let word = if is_interrupted { StepState::Unknown } else { StepState::NotRun }.told();
                let kind = Kind { label: String::new(), word: word.into(), unit: "steps" };
                let news = News { target: step.to_string(), detail: told(detail), seconds: None };
                lines.extend(self.add(now, kind, Sign::NotRun, news));
                let complete = self.fold.spoke(&label(step));
                lines.extend(self.written(&complete));
            }
            (_, Some(_)) => {
                let kind = Kind { label: label(step), word: word(*outcome, *stage).into(), unit: "nodes" };
                let seconds = Some(*seconds).filter(|s| *s > 0.0);
                let news = News { target: step.target().to_owned(), detail: told(detail), seconds };
                lines.extend(self.add(now, kind, sign(*outcome, *stage), news));
            }
            (_, None) if self.tells(sign(*outcome, *stage)) => {
                let text = format!("{} ({})", told(detail), span(*seconds));
                lines.push(self.line(now, sign(*outcome, *stage), step.as_str(), word(*outcome, *stage), &text));
            }
            (_, None) => {}
        }
        lines
    }

    /// The first of a cause at once and in full: what, evidence, the program, fix. Others of the same cause wait for their like.
    fn failure(&mut self, now: f64, step: &StepId, seconds: f64, detail: &str) -> Vec<String> {
        let Some(group) = failure_group(&self.view, step) else { return Vec::new() };
        if !self.causes.insert((group.code.clone(), group.cause.clone())) {
            return self.failed_likewise(now, step, seconds, &group);
        }
        let complete = self.fold.spoke(&label(step));
        let mut lines = self.written(&complete);
        let text = format!("{} ({})", told(detail), span(seconds));
        lines.push(self.line(now, Sign::Failed, step.as_str(), "failed", &text));
        let found = self.view.steps.get(step).and_then(|step| step.finding.as_deref());
        let mut parts = Vec::new();
        if let Some(finding) = found {
            let about = format!("{} ({})", short(&finding.subject), clean(finding.code.as_str()));
            parts.push(labelled("about", &about, self.palette));
            if !detail.contains(&finding.message) {
                parts.push(labelled("what", &told(&finding.message), self.palette));
            }
        }
        parts.extend(rows(&group, Part::Why, self.palette));
        lines.extend(parts.iter().map(|part| self.part(part)));
        lines
    }

    fn failed_likewise(&mut self, now: f64, step: &StepId, seconds: f64, group: &FailureGroup) -> Vec<String> {
        let cause = if group.code.is_empty() { &group.cause } else { &group.code };
        let unit = if group.node_count > 0 { "nodes" } else { "steps" };
        let kind = Kind { label: label(step), word: "failed".into(), unit };
        let detail = format!("for the same cause ({})", short(cause));
        let news = News { target: step.target().to_owned(), detail, seconds: Some(seconds) };
        self.add(now, kind, Sign::Failed, news)
    }

    /// A labelled line below a step.
    fn part(&self, text: &str) -> String {
        hanging(&format!("{}{text}", " ".repeat(TIME_AND_SIGN)), TIME_AND_SIGN + LABEL, self.width)
    }

    fn gate(&mut self, now: f64, gate: &GateId, answer: &GateAnswer) -> Vec<String> {
        let kind = Kind { label: format!("gate {}", clean(gate.kind())), word: clean(answer.as_str()), unit: "nodes" };
        let news = News { target: clean(gate.subject()), detail: "decided".to_owned(), seconds: None };
        self.add(now, kind, Sign::Gate, news)
    }

    fn finding(&mut self, now: f64, finding: &Finding) -> Vec<String> {
        let (code, subject, severity) =
            (clean(finding.code.as_str()), told(&finding.subject), finding.severity.to_string());
        let mut lines = vec![self.line(now, Sign::Warning, &code, &severity, &subject)];
        lines.extend(parts(finding, self.palette).iter().map(|part| self.part(part)));
        lines
    }

    /// A sign of life of the longest running step. The longer it runs, the rarer: a step of an hour needs no 240 lines.
    fn heartbeat(&mut self, now: f64) -> Option<String> {
        if self.verbosity == Verbosity::Calm {
            return self.calm(now);
        }
        if self.verbosity == Verbosity::Notable || now < self.quiet_until {
            return None;
        }
        let running = self.view.longest_running();
        let (step, longest) = running.first()?;
        let since = self.view.running_for(longest);
        if since < HEARTBEAT || now - self.last_beat < HEARTBEAT.max(since / 3.0).min(LONGEST_SILENCE) {
            // No other step runs longer, so none has its turn before this; all that run are not gone through for each event.
            let earliest = (now + HEARTBEAT - since).max(self.last_beat + HEARTBEAT);
            self.quiet_until = earliest.max(now + SHORTEST_QUIET);
            return None;
        }
        let more = running.len() - 1;
        let others = if more > 0 { format!("; {more} more running") } else { String::new() };
        let text = format!("{} ({}){others}", moving(longest), span(since));
        let step = (*step).clone();
        self.last_beat = now;
        Some(self.line(now, Sign::Running, step.as_str(), "running", text.trim_start()))
    }

    /// How far the whole run is, in a sentence; rarer in a long run.
    fn calm(&mut self, now: f64) -> Option<String> {
        if now - self.last_beat < CALM.max(now / 10.0).min(LONGEST_SILENCE) || self.view.end.is_some() {
            return None;
        }
        self.last_beat = now;
        let tally = self.view.tally();
        let all = self.view.run.as_ref().map_or(0, |run| run.steps);
        let failed = if tally.failed > 0 { format!(", {} failed", tally.failed) } else { String::new() };
        let longest = self.view.longest_running().into_iter().next();
        let longest = longest.map(|(id, step)| format!("; {id} has run for {}", span(self.view.running_for(step))));
        let text = format!("{} of {} done{failed}{}", tally.done(), amount(all, "step"), longest.unwrap_or_default());
        Some(hanging(&format!("{}  {text}", clock(now)), TIME_AND_SIGN, self.width))
    }

    fn add(&mut self, now: f64, kind: Kind, sign: Sign, news: News) -> Vec<String> {
        let lines = self.fold.add(now, kind, sign, news);
        self.written(&lines)
    }

    fn waiting(&mut self) -> Vec<String> {
        let lines = self.fold.rest();
        self.written(&lines)
    }

    fn written(&mut self, lines: &[Line]) -> Vec<String> {
        let told: Vec<&Line> = lines.iter().filter(|line| self.tells(line.sign)).collect();
        told.into_iter().map(|line| self.folded(line)).collect()
    }

    fn tells(&self, sign: Sign) -> bool {
        match self.verbosity {
            Verbosity::All => true,
            Verbosity::Notable => !matches!(sign, Sign::Unchanged | Sign::Skipped),
            Verbosity::Calm => matches!(sign, Sign::Failed | Sign::Warning),
        }
    }

    fn folded(&mut self, line: &Line) -> String {
        let time = match line.seconds {
            None => String::new(),
            Some((low, high)) if span(low) == span(high) => format!(" ({})", span(high)),
            Some((low, high)) => format!(" ({} to {})", span(low), span(high)),
        };
        let names = if line.names.is_empty() { String::new() } else { format!(": {}", line.names) };
        self.line(line.at, line.sign, &line.head, &line.word, &format!("{}{time}{names}", line.detail))
    }

    /// `12:04  ✓ nodes/account/dgx-05        changed    user ansiblebcm made (0.6 s)`. The time is that of the telling.
    fn line(&mut self, at: f64, sign: Sign, head: &str, word: &str, text: &str) -> String {
        self.told = self.told.max(at);
        let (time, mark) = (self.palette.dim(&clock(self.told)), self.palette.painted(sign));
        let column = self.head;
        let padded = format!("{head:<column$}");
        let used = TIME_AND_SIGN + padded.chars().count() + word.len().max(WORD) + 4;
        let padded = if sign == Sign::Failed { self.palette.red(&padded) } else { padded };
        behind(&format!("{time}  {mark} {padded}  {word:<WORD$}  "), used, text, self.width, TIME_AND_SIGN)
    }
}

/// `60/870 container-engine`, as far as known.
pub(crate) fn moving(running: &StepView) -> String {
    let Some(progress) = &running.progress else { return String::new() };
    let message = cut(&short(&progress.message), LONGEST_MESSAGE);
    match (progress.done, progress.total) {
        (0, 0) => message,
        (done, 0) => format!("{done} {message}"),
        (done, total) => format!("{done}/{total} {message}"),
    }
}

fn label(step: &StepId) -> String {
    format!("{}/{}", step.area(), step.verb())
}

/// A check changes nothing, so "unchanged" would say nothing about it: it holds.
const fn word(outcome: StepState, stage: Stage) -> &'static str {
    match outcome {
        StepState::Unchanged if matches!(stage, Stage::Acceptance) => "holds",
        StepState::NotRun => "not run",
        other => other.word(),
    }
}

const fn sign(outcome: StepState, stage: Stage) -> Sign {
    match outcome {
        StepState::Unchanged if matches!(stage, Stage::Acceptance) => Sign::Changed,
        other => Sign::of(other),
    }
}
