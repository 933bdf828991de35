//! What a step's news means for the run: records, gates, dependents, the failure budget.

use super::in_flight::{Message, Spawn};
use super::step_machine::{Failing, Next, Rules, StepMachine};
use super::tick::Run;
use crate::behaviour::Probed;
use crate::without::{go_on_without, leave_out};
use plinth_model::finding::code;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::{CommandFailure, HeldBy, StepEnd, StepState};
use plinth_model::{EventBody, Finding, Gate, InstalledChange, NodeName, Severity, Stage, Step, amount, span};
use plinth_world::Clock;
use std::time::Duration;

impl<'a> Run<'a> {
    /// Handles a message about a step.
    pub(super) fn handle(&mut self, index: usize, message: Message) {
        let plan = self.plan;
        let Some(step) = plan.steps.get(index) else { return };
        if let Some(finding) = self.wrong_answer(step, &message) {
            self.stop_because(format!(
                "{}: {}; the running steps are finished first",
                finding.subject, finding.message
            ));
            self.end_failed(index, step, finding.into());
            return;
        }
        let Some(machine) = self.machines.get_mut(&index) else { return };
        let spent = step.once().and_then(|once| self.journal.memory().last_made(&step.id, &once));
        let rules = Rules { stopping: self.stopping.is_some(), spent };
        match machine.handle(step, message, rules) {
            Next::Go(spawn) => self.batch.spawns.push((index, spawn)),
            Next::Retry { attempt, message, wait } => self.retry(index, step, (attempt, message, wait)),
            Next::Act { diff, attempt } => self.intend(index, step, diff, attempt),
            Next::Done { changed, detail, answers, notes } => {
                let detail = if machine.waited(step) { waited(&detail, machine.began, &*self.clock) } else { detail };
                self.note(step, notes);
                self.end_done(index, step, changed, detail, answers);
            }
            Next::Failed(failing) => self.end_failed(index, step, *failing),
            Next::Left => self.leave_out(index, "the run stopped before its change", &HeldBy::Stop),
        }
    }

    fn retry(&mut self, index: usize, step: &Step, (attempt, message, wait): (u32, String, Duration)) {
        let (wait_s, now) = (wait.as_secs_f64(), self.clock.now());
        let next_at = now.checked_add(wait).ok();
        self.batch.events.push(EventBody::StepRetrying { step: step.id.clone(), attempt, message, wait_s, next_at });
        self.batch.spawns.push((index, Spawn::Wait(wait)));
    }

    /// Records the intent, then acts. A step that only looks waits instead: it has no effect to be intended.
    fn intend(&mut self, index: usize, step: &Step, diff: Vec<String>, attempt: u32) {
        let reads_only = step.work.reads_only();
        let installed = step.work.installed().filter(InstalledChange::brings).map(Box::new);
        self.batch.events.push(EventBody::StepActing { step: step.id.clone(), diff, attempt, reads_only, installed });
        self.batch.spawns.push((index, Spawn::Act));
    }

    /// Tells what is doubtful about a step that is in the desired state.
    fn note(&mut self, step: &Step, notes: Vec<Finding>) {
        for finding in notes {
            self.warnings += usize::from(finding.severity == Severity::Warning);
            let step = Some(step.id.clone());
            self.batch.events.push(EventBody::Finding { finding: Box::new(finding), step });
        }
    }

    fn end_done(
        &mut self,
        index: usize,
        step: &Step,
        changed: bool,
        detail: String,
        answers: Vec<(GateId, GateAnswer)>,
    ) {
        for (gate, answer) in answers {
            self.answers.insert(gate.clone(), answer.clone());
            self.batch.events.push(EventBody::GateOpened { gate, answer, by: Some(step.id.clone()) });
        }
        self.end(index, if changed { StepState::Changed } else { StepState::Unchanged }, &detail, Ended::default());
        self.queue.satisfy(&self.graph, index);
    }

    fn end_failed(&mut self, index: usize, step: &'a Step, failing: Failing) {
        let Failing { finding, program, nodes } = failing;
        let finding = self.or_without(step, &nodes, finding);
        self.failed_in_step.extend(nodes);
        let ended = Ended { finding: Some(Box::new(finding.clone())), failure: program, ..Ended::default() };
        self.end(index, StepState::Failed, &finding.message, ended);
        self.failures.push((index, finding));
        let held = HeldBy::Need { step: step.id.clone() };
        self.leave_out_dependents(index, &format!("needs {}, which failed", step.id), &held);
        if let Some(node) = step.work.node()
            && self.failed_nodes.insert(node)
        {
            self.keep_budget();
            self.keep_quorum(node);
        }
    }

    /// What fails on workers alone until Kubernetes runs need not hold up the others: the fix names the command for that, also where they are
    /// not waited for.
    fn or_without(&self, step: &Step, failed_on: &[NodeName], mut finding: Finding) -> Finding {
        let verb = self.options.verb.as_str();
        let (verb, out) = (if verb.is_empty() { "apply" } else { verb }, &self.plan.made_from.without);
        let nodes: Vec<&NodeName> = step.work.node().map_or_else(|| failed_on.iter().collect(), |node| vec![node]);
        let may_go = |node: &&NodeName| self.options.optional.contains(*node) || out.contains(node);
        let before_platform = step.work.stage() <= Stage::Kubernetes && matches!(verb, "apply" | "rehearse");
        if before_platform && !nodes.is_empty() && nodes.iter().all(may_go) {
            let names: Vec<&str> = nodes.iter().map(|node| node.as_str()).collect();
            let is_gone_on = nodes.iter().all(|node| out.contains(node));
            let words = if is_gone_on { leave_out(verb, &names) } else { go_on_without(verb, &names) };
            finding.fix = format!("{}; {words}", finding.fix);
        }
        finding
    }

    /// A step that runs ends: its place is free, its last event is told.
    fn end(&mut self, index: usize, outcome: StepState, detail: &str, ended: Ended) {
        let machine = self.machines.remove(&index);
        if machine.is_some() {
            self.queue.leave(&self.graph, index);
        }
        self.tell_end(index, outcome, detail, Ended { machine, ..ended });
    }

    fn tell_end(&mut self, index: usize, outcome: StepState, detail: &str, told: Ended) {
        let Ended { finding, failure, held_by, mut machine } = told;
        let facts =
            machine.as_mut().map(|machine| std::mem::take(&mut machine.facts)).filter(|facts| !facts.is_empty());
        if let Some(ended) = self.ended.get_mut(index) {
            *ended = Some(outcome);
        }
        let Some(step) = self.plan.steps.get(index) else { return };
        let began = machine.as_ref().map_or_else(|| self.clock.elapsed(), |machine| machine.began);
        let end = StepEnd {
            node: step.work.node().map(ToString::to_string),
            seconds: self.clock.elapsed().saturating_sub(began).as_secs_f64(),
            detail: detail.to_owned(),
            finding,
            attempts: machine.as_ref().map_or(0, StepMachine::attempts),
            once: step.once().filter(|_| is_done(outcome)),
            digest: machine.filter(|_| is_done(outcome)).map(|machine| machine.digest),
            installed: step.work.installed().filter(|_| is_done(outcome)).map(Box::new),
            failure,
            held_by: held_by.map(Box::new),
            facts: facts.map(Box::new),
            ..StepEnd::new(step.id.clone(), step.work.stage(), outcome)
        };
        self.batch.events.push(end.into());
    }

    /// The step does not run, and nothing that needs it does.
    pub(super) fn leave_out(&mut self, index: usize, reason: &str, held: &HeldBy) {
        if self.machines.contains_key(&index) {
            self.end(index, StepState::NotRun, reason, Ended::held(held));
        } else {
            self.tell_end(index, StepState::NotRun, reason, Ended::held(held));
        }
        let Some(step) = self.plan.steps.get(index) else { return };
        let held = HeldBy::Need { step: step.id.clone() };
        self.leave_out_dependents(index, &format!("needs {}, which did not run", step.id), &held);
    }

    /// Everything that needs the step, at any distance, does not run. Each step is left out once, so all calls together cost
    /// no more than the plan has needs.
    fn leave_out_dependents(&mut self, index: usize, reason: &str, held: &HeldBy) {
        let mut open = vec![index];
        while let Some(at) = open.pop() {
            let dependents = self.graph.dependents.get(at).cloned().unwrap_or_default();
            for dependent in dependents {
                if self.ended.get(dependent).is_some_and(Option::is_none) {
                    self.tell_end(dependent, StepState::NotRun, reason, Ended::held(held));
                    open.push(dependent);
                }
            }
        }
    }

    /// Leaves out every step that has not begun and fits.
    fn leave_out_where(&mut self, fits: impl Fn(&Step) -> bool, reason: &str, held: &HeldBy) {
        for (index, step) in self.plan.steps.iter().enumerate() {
            let open = self.ended.get(index).is_some_and(Option::is_none);
            if open && !self.machines.contains_key(&index) && fits(step) {
                self.leave_out(index, reason, held);
            }
        }
    }

    /// The failure budget: once it is spent, no new node is touched.
    fn keep_budget(&mut self) {
        let (failed, allowed) = (self.failed_nodes.len(), self.options.node_failures);
        if allowed.checked_add(1) == Some(failed) {
            let reason = format!("the failure budget is spent: {} failed, {allowed} may", amount(failed, "node"));
            let held = HeldBy::Budget { failed, allowed };
            self.leave_out_where(|step| step.work.stage() == Stage::Nodes, &reason, &held);
        }
    }

    /// Without a majority of control-plane nodes there is no etcd quorum to build or keep, so no step begins that needs one.
    fn keep_quorum(&mut self, failed: &NodeName) {
        let all = &self.options.control_plane;
        let left = all.iter().filter(|node| !self.failed_nodes.contains(node)).count();
        if left * 2 > all.len() || !all.contains(failed) {
            return;
        }
        let reason = format!("{left} of {} control-plane nodes are left, which is no majority", all.len());
        let held = HeldBy::Quorum { left, all: all.len() };
        self.leave_out_where(|step| step.work.needs_quorum(), &reason, &held);
    }

    /// Whether the step runs. One whose gate opened with another answer is skipped and counts as satisfied.
    pub(super) fn gate_lets_through(&mut self, index: usize, step: &'a Step) -> bool {
        let Some(when) = &step.when else { return true };
        let Some(answer) = self.answers.get(&when.gate).cloned() else {
            let finding = Finding::error(
                code::RUN_GATE_UNANSWERED,
                step.target(),
                format!("{} depends on gate {}, which was not answered", step.id, when.gate),
            )
            .fix("this is a bug in plinth: please report it");
            self.end_failed(index, step, finding.into());
            return false;
        };
        if answer == when.answer {
            return true;
        }
        let reason = not_needed(self.graph.gate(&when.gate), &answer);
        self.end(index, StepState::Skipped, &reason, Ended::default());
        self.queue.satisfy(&self.graph, index);
        false
    }

    /// An answer that the plan did not show.
    fn wrong_answer(&self, step: &Step, message: &Message) -> Option<Finding> {
        let Message::Probed(Ok(Probed { answers, .. })) = message else { return None };
        let allowed = |gate: &GateId| -> Vec<&str> {
            let gate = self.graph.gate(gate).filter(|gate| gate.opened_by == step.id);
            gate.map(|gate| gate.answers.iter().map(|a| a.answer.as_str()).collect()).unwrap_or_default()
        };
        answers.iter().find(|(gate, answer)| !allowed(gate).contains(&answer.as_str())).map(|(gate, answer)| {
            Finding::error(
                code::RUN_GATE_ANSWER_UNKNOWN,
                step.target(),
                format!("gate {gate} opened with `{answer}`, which the plan did not show"),
            )
            .evidence(format!("shown: {}", allowed(gate).join(", ")))
            .evidence(format!("answered by {}", step.id))
            .fix("look at the node, then make and read the plan again")
        })
    }
}

/// What is told of the end of a step beside its outcome.
#[derive(Default)]
struct Ended {
    finding: Option<Box<Finding>>,
    failure: Option<Box<CommandFailure>>,
    /// Why it does not run.
    held_by: Option<HeldBy>,
    machine: Option<StepMachine>,
}

impl Ended {
    fn held(by: &HeldBy) -> Self {
        Self { held_by: Some(by.clone()), ..Self::default() }
    }
}

/// Why a gate skips a step, in the words of the answer.
fn not_needed(gate: Option<&Gate>, answer: &GateAnswer) -> String {
    let found = gate.and_then(|gate| gate.answers.iter().find(|known| known.answer == *answer));
    format!("not needed: {}", found.map_or(answer.as_str(), |found| &found.meaning))
}

/// Whether the step is in the desired state. One that its gate skips says nothing about that.
const fn is_done(outcome: StepState) -> bool {
    matches!(outcome, StepState::Changed | StepState::Unchanged)
}

/// What was seen, and how long it took to become so.
fn waited(seen: &str, began: Duration, clock: &dyn Clock) -> String {
    let waited = clock.elapsed().saturating_sub(began);
    if waited < Duration::from_secs(1) {
        seen.to_owned()
    } else {
        format!("{seen}, after {} of waiting", span::of(waited))
    }
}
