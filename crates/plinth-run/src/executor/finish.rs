//! The end of a run: counts, outcome, what to do next.

use super::options::RunReport;
use super::tick::Run;
use crate::journal::JournalError;
use plinth_check::is_verdict;
use plinth_model::run::{Counts, HeldBy, Interrupted, StepState};
use plinth_model::{EventBody, Exit, Outcome, Problem, Severity, Stage, Step, amount};
use std::collections::{BTreeSet, HashSet};

/// Failed steps whose fix is told; the rest is counted.
const TOLD: usize = 5;

impl Run<'_> {
    /// Last event.
    pub(super) fn close(&mut self) -> Result<RunReport, JournalError> {
        let stopped = self.leave_out_the_rest();
        let (outcome, exit) = self.outcome(stopped);
        let counts = self.counts();
        let duration = self.clock.elapsed().saturating_sub(self.began);
        let (seconds, next) = (duration.as_secs_f64(), self.next(outcome, exit));
        self.batch.events.push(EventBody::RunFinished {
            outcome,
            exit: exit.code(),
            counts,
            seconds,
            next,
            digest: None,
        });
        self.commit()?;
        let step_id = |index: usize| self.plan.steps.get(index).map(|step| step.id.clone());
        let failures = self.failures.iter().filter_map(|(index, f)| Some((step_id(*index)?, f.clone()))).collect();
        let run = self.options.run.clone();
        Ok(RunReport { run, outcome, exit, counts, failures, duration })
    }

    /// The journal failed: nothing more begins. The last event is told all the same, unless there
    /// was no first one or this is a scripted crash. Once a run has begun, a journal that fails is no
    /// wrong input any more: the site is partly applied.
    pub(super) fn broken_off(&mut self, error: JournalError) -> Problem {
        self.drop_in_flight();
        let silent = matches!(error, JournalError::Crashed { .. }) || self.emitter.silent();
        let mut problem = Problem::from(error);
        if !self.emitter.silent() && problem.exit == Exit::Input {
            problem.exit = Exit::Partly;
        }
        if !silent {
            self.emitter.say(EventBody::RunStopping { reason: problem.happened.clone() });
            self.emitter.say(EventBody::RunFinished {
                outcome: Outcome::Stopped,
                exit: problem.exit.code(),
                counts: self.counts(),
                seconds: self.clock.elapsed().saturating_sub(self.began).as_secs_f64(),
                next: vec![problem.attempt.clone()],
                digest: None,
            });
        }
        problem
    }

    /// Steps that have not ended do not run any more. Answers whether there were any: only a stop leaves such.
    fn leave_out_the_rest(&mut self) -> bool {
        let open: Vec<usize> =
            (0..self.ended.len()).filter(|i| self.ended.get(*i).is_some_and(Option::is_none)).collect();
        for index in &open {
            let machine = self.machines.get(index).zip(self.plan.steps.get(*index));
            let reason = match machine.map(|(machine, step)| machine.has_acted(step)) {
                Some(true) => Interrupted::Effect.told(),
                Some(false) => Interrupted::Look.told(),
                None => "the run stopped before it",
            };
            if self.ended.get(*index).is_some_and(Option::is_none) {
                self.leave_out(*index, reason, &HeldBy::Stop);
            }
        }
        !open.is_empty() || (self.stopping.is_some() && self.ended.contains(&Some(StepState::NotRun)))
    }

    fn outcome(&self, stopped: bool) -> (Outcome, Exit) {
        let missing = |ended: &Option<StepState>| {
            !matches!(ended, Some(StepState::Changed | StepState::Unchanged | StepState::Skipped))
        };
        let mut missed = self.plan.steps.iter().zip(&self.ended).filter(|(_, ended)| missing(ended)).peekable();
        if stopped {
            (Outcome::Stopped, Exit::Partly)
        } else if missed.peek().is_none() {
            (Outcome::Done, Exit::Done)
        } else if missed.all(|(step, _)| step.work.stage() == Stage::Acceptance) {
            let fails = self.failures.iter().any(|(_, finding)| is_verdict(finding.code));
            (Outcome::Partly, if fails { Exit::CheckFailed } else { Exit::Unreachable })
        } else {
            (Outcome::Partly, Exit::Partly)
        }
    }

    fn counts(&self) -> Counts {
        let count = |wanted| self.ended.iter().filter(|ended| **ended == Some(wanted)).count();
        Counts {
            changed: count(StepState::Changed),
            unchanged: count(StepState::Unchanged),
            skipped: count(StepState::Skipped),
            failed: count(StepState::Failed),
            not_run: count(StepState::NotRun),
            warnings: self.plan.findings.iter().filter(|f| f.severity == Severity::Warning).count()
                + usize::from(self.options.took_over.is_some())
                + self.options.warnings
                + self.warnings,
            hosts: self.hosts(),
            hosts_failed: self
                .failed_in_step
                .iter()
                .chain(self.failed_nodes.iter().copied())
                .collect::<BTreeSet<_>>()
                .len(),
        }
    }

    /// Nodes the plan touches.
    pub(super) fn hosts(&self) -> usize {
        self.plan.steps.iter().filter_map(|step| step.work.node()).collect::<HashSet<_>>().len()
    }

    fn not_done(&self) -> Option<String> {
        let names: Vec<&str> = self.plan.made_from.without.iter().map(|node| node.as_str()).collect();
        let (it, they) = if names.len() == 1 { ("it", "was") } else { ("them", "were") };
        let verb = if self.options.rehearsal { "rehearse" } else { "apply" };
        let line = format!("{} {they} left out; the next `plinth {verb}` takes {it} in", names.join(", "));
        (!names.is_empty()).then_some(line)
    }

    fn next(&self, outcome: Outcome, exit: Exit) -> Vec<String> {
        let fixes = self.failures.iter().filter_map(|(index, finding)| {
            let step: &Step = self.plan.steps.get(*index)?;
            Some(format!("{}: {}: {}", step.id, finding.owner, finding.fix))
        });
        let mut next: Vec<String> = fixes.take(TOLD).collect();
        if self.failures.len() > TOLD {
            next.push(format!(
                "and {} more that failed: `plinth status` shows them",
                amount(self.failures.len() - TOLD, "step")
            ));
        }
        next.extend(self.not_done());
        next.push(self.last_word(outcome, exit));
        next
    }

    /// What to do next, whatever failed.
    fn last_word(&self, outcome: Outcome, exit: Exit) -> String {
        let only_checks = self.plan.steps.iter().all(|step| step.work.stage() == Stage::Acceptance);
        let word = match (outcome, exit) {
            (Outcome::Done, _) if self.options.rehearsal => {
                "that was a rehearsal; `plinth discover` and `plinth plan` look at the real site"
            }
            (Outcome::Done, _) if !self.plan.made_from.without.is_empty() => "every other node is done",
            (Outcome::Done, _) if only_checks => "every check that was carried out holds",
            (Outcome::Done, _) => "`plinth plan` shows whether anything is left to do",
            _ if !self.options.kept => {
                "nothing of this rehearsal is kept: give `--state DIR` and the next run continues"
            }
            (_, Exit::CheckFailed) if only_checks => "fix what the checks found, then run `plinth check` again",
            (_, Exit::CheckFailed) => {
                "everything is in place, but checks failed; fix what they found, then run `plinth check` again"
            }
            (_, Exit::Unreachable) if only_checks => {
                "no check fails, but not every one could be carried out; see to what they need, then run `plinth check` again"
            }
            (_, Exit::Unreachable) => {
                "everything is in place, but not every check could be carried out; see to what they need, then run `plinth check`"
            }
            _ => return self.goes_on(),
        };
        word.to_owned()
    }

    fn goes_on(&self) -> String {
        let left = self.ended.iter().filter(|e| matches!(e, Some(StepState::Failed | StepState::NotRun))).count();
        format!("run the same command again: it continues with what is left ({})", amount(left, "step"))
    }
}
