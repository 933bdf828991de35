//! Logs of programs that steps started, read from the machine that ran them: in pieces, for one may have hundreds of megabytes.

use super::{App, Refused};
use crate::page::OfRun;
use crate::page::logs::{HEAD, LAST, OfStep, Said, TAIL};
use crate::record::Record;
use plinth_model::run::{LogFile, Logs};
use plinth_model::{Problem, StepId};

impl App {
    /// Logs of a run.
    pub(super) fn logs(&self, record: &Record) -> Result<Logs, Problem> {
        self.runs.source.logs(&record.view)
    }

    /// Those that its failures may name; none where none does, or where they cannot be read: the failures are told all the same.
    pub(super) fn named_logs(&self, of_run: &OfRun<'_>) -> Vec<LogFile> {
        let mut failures = of_run.analysis.groups.iter().filter_map(|group| group.failure.as_ref());
        let is_named = failures.any(|failure| failure.log.is_some());
        let logs = is_named.then(|| self.logs(of_run.record).ok()).flatten();
        logs.map(|logs| logs.logs).unwrap_or_default()
    }

    /// A log by its name, or the newest of a step.
    pub(super) fn find_log(&self, record: &Record, what: &str) -> Result<LogFile, Problem> {
        let none = || {
            Problem::while_doing("finding the log")
                .to(what)
                .wrong_input(
                    "this run has no log of that name or step, or it is not kept any more: only the newest are",
                )
                .try_this("the page of a run's logs lists them")
        };
        self.logs(record)?.find(what).cloned().ok_or_else(none)
    }

    /// What stands in it: its beginning and its end, or, with `?from=`, a part from there on.
    pub(super) fn read_log(&self, of_run: &OfRun<'_>, log: &LogFile) -> Result<Said, Refused> {
        let asked = of_run.query.number("from");
        let from = asked.unwrap_or_default();
        let (bytes, size) = self.runs.source.log(log, from, HEAD)?;
        let end = from.saturating_add(bytes.len() as u64);
        let mut said = Said { from, first: bytes, until: end, last: None, size };
        if end >= size {
            return Ok(said);
        }
        if asked.is_none() && size - end <= TAIL as u64 {
            said.first.extend(self.runs.source.log(log, end, TAIL)?.0);
            said.until = size;
            return Ok(said);
        }
        // Whole lines, where there are any.
        if let Some(at) = said.first.iter().rposition(|byte| *byte == b'\n') {
            said.first.truncate(at + 1);
            said.until = from + said.first.len() as u64;
        }
        if asked.is_none() {
            let from = size.saturating_sub(TAIL as u64).max(said.until);
            let (bytes, _) = self.runs.source.log(log, from, TAIL)?;
            said.last = Some(whole_lines(from, bytes));
        }
        Ok(said)
    }

    /// The newest log of a step, with its last lines.
    pub(super) fn log_of(&self, record: &Record, step: &StepId) -> OfStep {
        let logs = match self.logs(record) {
            Ok(logs) => logs.logs,
            Err(problem) => return OfStep { log: None, last: Err(problem.happened) },
        };
        let Some(log) = logs.into_iter().rfind(|log| log.step.as_ref() == Some(step)) else {
            return OfStep { log: None, last: Ok(String::new()) };
        };
        let from = log.size.saturating_sub(LAST as u64);
        let last = self.runs.source.log(&log, from, LAST).map(|(bytes, _)| {
            let (_, bytes) = if from == 0 { (from, bytes) } else { whole_lines(from, bytes) };
            String::from_utf8_lossy(&bytes).into_owned()
        });
        OfStep { log: Some(log), last: last.map_err(|problem| problem.happened) }
    }
}

/// What begins with the first whole line, where there is one.
fn whole_lines(from: u64, mut bytes: Vec<u8>) -> (u64, Vec<u8>) {
    let cut = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let cut = if cut < bytes.len() { cut } else { 0 };
    bytes.drain(..cut);
    (from + cut as u64, bytes)
}
