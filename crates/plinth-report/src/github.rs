//! Lines as GitHub Actions shows them: a group for each stage, and annotations for what failed.
//!
//! What is written to the log of a step is also read by its runner: a line that begins with `::`, or has `##[` in it, is a command to it. Foreign
//! text never is one here. Source of the commands and of their escapes: GitHub's documentation of workflow commands.

use crate::card::headline;
use crate::sink::{Sink, Steady};
use crate::style::{Palette, short};
use crate::text_log::{TextLog, Verbosity};
use plinth_analysis::{FailureGroup, Traits};
use plinth_model::text::{visible_lines, visible_styled};
use plinth_model::{Event, EventBody, Plan, Stage, StepState};
use std::io;

/// Annotations that are written: GitHub shows ten of a step, and other commands of it may need some.
const ANNOTATIONS: usize = 8;

/// The lines of [`crate::Lines`], in groups. The first failure of each cause and the summary stand outside of
/// them: groups are folded.
pub struct GitHub<W> {
    writer: Steady<W>,
    text_log: TextLog,
    /// The stage whose group is open, and the one that was open last. Stages run beside each other: news of a later one stands in the group
    /// of the first that is not over.
    open: Option<Stage>,
    last: Option<Stage>,
    annotated: bool,
}

impl<W: io::Write> GitHub<W> {
    /// Knows the plan.
    pub fn of_plan(writer: W, plan: &Plan, palette: Palette) -> Self {
        Self::new(writer, TextLog::of_plan(plan, palette, Verbosity::All))
    }

    fn new(writer: W, text_log: TextLog) -> Self {
        Self { writer: Steady::new(writer), text_log, open: None, last: None, annotated: false }
    }

    /// Knows this of the nodes: what the failed ones share is said at the end.
    #[must_use]
    pub fn knowing(mut self, traits: Traits) -> Self {
        self.text_log.know(traits);
        self
    }

    /// The first stage that is not over; of a run whose stages are all over, the one that was open last.
    fn stage(&self) -> Option<Stage> {
        let stages = &self.text_log.view().stages;
        let first = stages.iter().find(|(_, stage)| stage.tally.ended() < stage.total.max(1));
        first.map(|(stage, _)| *stage).max(self.last)
    }

    /// Lines that stand in the group of a stage.
    fn grouped(&mut self, stage: Option<Stage>, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        if let Some(stage) = stage.filter(|stage| self.open != Some(*stage)) {
            self.close();
            let again = if self.last == Some(stage) { " (continued)" } else { "" };
            self.writer.line(&format!("::group::{}{again}", stage.title()));
            (self.open, self.last) = (Some(stage), Some(stage));
        }
        self.lines(lines);
    }

    /// Lines that everybody has to see.
    fn plain(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.close();
            self.lines(lines);
        }
    }

    fn lines(&mut self, lines: &[String]) {
        for line in lines.iter().flat_map(|text| text.split('\n')) {
            self.writer.line(&no_command(line));
        }
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.writer.line("::endgroup::");
        }
    }

    /// One annotation for each cause, those that hold up most.
    fn annotate(&mut self) {
        if self.annotated {
            return;
        }
        self.annotated = true;
        for group in self.text_log.failures().iter().take(ANNOTATIONS) {
            self.writer.line(&annotation(group));
        }
    }
}

impl<W: io::Write> Sink for GitHub<W> {
    fn event(&mut self, event: &Event) {
        // The last news of a stage are its own.
        let stage = self.stage();
        let lines = self.text_log.take(event);
        match &event.body {
            EventBody::StepFinished { outcome: StepState::Failed, .. }
            | EventBody::RunStarted(_)
            | EventBody::RunStopping { .. } => self.plain(&lines),
            EventBody::RunFinished { .. } => {
                self.plain(&lines);
                self.annotate();
            }
            _ => self.grouped(stage, &lines),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let rest = self.text_log.rest();
        self.plain(&rest);
        self.close();
        self.annotate();
        self.writer.finish()
    }
}

/// `::error title=node.unreachable on 47 nodes, dgx-[001-047]::no route to host`.
fn annotation(group: &FailureGroup) -> String {
    let (code, rest) = headline(group);
    let (place, message) = rest.split_once(": ").unwrap_or((&rest, ""));
    let mut text = message.to_owned();
    for (label, more) in [("shared: ", group.shared.join(", ")), ("fix: ", group.fix.clone())] {
        if !more.is_empty() {
            text = format!("{text}\n{label}{}", short(&more));
        }
    }
    format!("::error title={}::{}", property(&format!("plinth: {code} {place}")), data(&text))
}

/// Text of a command.
fn data(text: &str) -> String {
    visible_lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line that the runner takes for nothing but a line.
fn no_command(line: &str) -> String {
    let line = visible_styled(line);
    match line.trim_start().starts_with("::") {
        true => line.replacen("::", ": :", 1),
        false => line.into_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripted::{self, Script};
    use plinth_model::{Code, Finding};

    fn written(events: &[Event]) -> String {
        let mut bytes = Vec::new();
        let mut sink = GitHub::new(&mut bytes, TextLog::new(Palette::PLAIN, Verbosity::All));
        events.iter().for_each(|event| sink.event(event));
        sink.finish().unwrap();
        drop(sink);
        String::from_utf8(bytes).unwrap()
    }

    /// Groups are opened and closed in turn, and never one in another.
    fn assert_groups_are_whole(text: &str) {
        let mut open = false;
        for line in text.lines() {
            match (line.starts_with("::group::"), line == "::endgroup::") {
                (true, _) => assert!(!std::mem::replace(&mut open, true), "{text}"),
                (_, true) => assert!(std::mem::replace(&mut open, false), "{text}"),
                _ => {}
            }
        }
        assert!(!open, "{text}");
    }

    #[test]
    fn stages_are_groups_and_what_failed_stands_outside() {
        let mut events = scripted::run();
        if let EventBody::RunStarted(head) = &mut events[0].body {
            head.stages =
                [(Stage::Discovery, 1), (Stage::Nodes, 10), (Stage::Kubernetes, 2), (Stage::Platform, 1)].into();
        }
        let text = written(&events);
        assert_groups_are_whole(&text);
        assert!(["discovery", "nodes", "kubernetes"].iter().all(|name| text.contains(&format!("::group::{name}\n"))));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_thousand_failures_are_few_annotations_and_escaped() {
        let mut script = Script::new();
        script.begin(1000, 1000);
        for n in 0..1000 {
            let (name, letter) = (format!("dgx-{n:04}"), char::from(b'a' + u8::try_from(n % 20).unwrap()));
            let message = format!("100% of {letter}:\nno, route");
            let finding = Finding::error(Code::named("node.unreachable"), name.clone(), message).fix("look, at it");
            script.fail(1.0, &format!("nodes/connect/{name}"), "no route", finding);
        }
        let text = written(&script.events());
        let told: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
        assert_eq!(told.len(), ANNOTATIONS);
        assert!(told[0].starts_with("::error title=plinth%3A node.unreachable on 50 nodes%2C dgx-["), "{}", told[0]);
        assert!(told[0].ends_with("::100%25 of a: no, route%0Afix: look, at it"), "{}", told[0]);
        assert!(text.len() < 200_000, "{}", text.len());
    }

    #[test]
    fn foreign_text_is_no_command() {
        let mut script = Script::new();
        let said = "::add-mask::x\n::error::y ##[error]z ##vso[task.debug]w\r::set-env name=A::b";
        let finding = Finding::error(Code::named("a.b"), "x", said).evidence("::stop-commands::1").fix(said);
        script.begin(2, 2).fail(1.0, "nodes/account/a", said, finding.evidence("::error::second"));
        let text = written(&script.events());
        let ours = ["::error title=plinth%3A", "::group::", "::endgroup::"];
        for line in text.lines().filter(|line| line.trim_start().starts_with("::")) {
            assert!(ours.iter().any(|begin| line.starts_with(begin)), "{line}");
        }
        assert!(!text.contains("##[") && !text.contains("##vso["), "{text}");
    }
}
