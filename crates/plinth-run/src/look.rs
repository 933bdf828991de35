//! Looking at the world through the steps of a plan, without changing anything.

use crate::answers::Checked;
use crate::awaited::Awaited;
use crate::behaviour::{Probe, Probed, StepEnv};
use crate::executor::{Graph, Queue, RunOptions, RunWorld, within};
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};
use plinth_model::finding::code;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::steps::Effect;
use plinth_model::{Digest, Finding, NodeName, Plan, Problem, Stage, Step, StepId};
use plinth_plan::StepObservation;
use plinth_world::{ClientError, deadlines};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What bounds a look at the steps of a plan.
#[derive(Clone, Debug)]
pub struct LookOptions {
    /// Steps at once.
    pub parallel: usize,
    /// Nodes that just gave no answer: they are not asked again.
    pub silent: BTreeSet<NodeName>,
    /// Knows which steps have not answered yet.
    pub awaited: Arc<Awaited>,
    /// Nodes that just answered: what they told is not asked again.
    pub checked: Checked,
}

impl Default for LookOptions {
    fn default() -> Self {
        Self {
            parallel: RunOptions::PARALLEL,
            silent: BTreeSet::new(),
            awaited: Arc::default(),
            checked: Checked::default(),
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Per step. A step whose need is not done could not be looked at and counts as `Todo` without differences; one that its
    /// gate skips is not in here.
    pub seen: BTreeMap<StepId, StepObservation>,
    /// Gates that opened, with their answers. An answer the plan did not show is left out, and is a finding.
    pub answers: BTreeMap<GateId, GateAnswer>,
    /// What stands in the way: clashes, changed host keys.
    pub findings: Vec<Finding>,
    /// Steps that were found in the desired state, for [`Remembered`].
    pub done: Done,
}

/// What looking told of steps that were found in the desired state.
pub type Done = HashMap<StepId, SeenDone>;

/// A step that was found in the desired state.
#[derive(Clone, Debug)]
pub struct SeenDone {
    /// Of what the step is to do: a plan with another one is not answered by this.
    pub(crate) digest: Digest,
    /// What was told.
    pub(crate) probed: Probed,
    /// When the oldest part of it was told, at the earliest: [`plinth_world::Clock::elapsed`].
    pub(crate) at: Duration,
}

type Sight<'a> = BoxFuture<'a, (usize, Option<Result<Probed, ClientError>>)>;

/// Probes the steps of a plan in the order of their needs, with the limits of a run. Nothing is changed and nothing is
/// recorded. Acceptance checks are left out: they prove something by starting pods, which is no longer looking. One try per
/// step: clients repeat their reads by themselves.
///
/// # Errors
/// When the plan does not hold together. What cannot be seen is no error: it is [`StepObservation::Unknown`].
pub async fn look(plan: &Plan, world: &RunWorld, options: &LookOptions) -> Result<Look, Problem> {
    let graph = Graph::of(plan)?;
    let queue = Queue::new(&graph, options.parallel, jiff::Timestamp::UNIX_EPOCH);
    let env = world.env.clone().sharing(options.checked.clone());
    let began = env.ctx.clock().elapsed();
    let mut looking = Looking { plan, world, options, env, began, queue, graph, look: Look::default() };
    let mut sights: FuturesUnordered<Sight<'_>> = FuturesUnordered::new();
    loop {
        while let Some(sight) = looking.begin() {
            sights.push(sight);
        }
        let Some((index, probed)) = sights.next().await else { break };
        looking.take(index, probed);
    }
    Ok(looking.finish())
}

/// A look in progress.
struct Looking<'a> {
    plan: &'a Plan,
    world: &'a RunWorld,
    options: &'a LookOptions,
    /// In which steps share what they are told.
    env: StepEnv,
    /// By the clock of the run.
    began: Duration,
    queue: Queue,
    graph: Graph<'a>,
    look: Look,
}

impl<'a> Looking<'a> {
    /// The next step that can be looked at.
    fn begin(&mut self) -> Option<Sight<'a>> {
        loop {
            let index = self.queue.next(&self.graph)?;
            let step = self.plan.steps.get(index)?;
            if step.work.properties().effect == Effect::Proves {
                self.queue.leave(&self.graph, index);
                continue;
            }
            if step.work.stage() == Stage::Nodes
                && step.work.node().is_some_and(|node| self.options.silent.contains(node))
            {
                self.queue.leave(&self.graph, index);
                self.look.seen.insert(
                    step.id.clone(),
                    StepObservation::Unknown("the node did not answer just before".to_owned()),
                );
                continue;
            }
            match step.when.as_ref().map(|when| self.look.answers.get(&when.gate) == Some(&when.answer)) {
                None | Some(true) => {
                    let awaited = Arc::clone(&self.options.awaited);
                    return Some(sight((index, step), self.world, self.env.clone(), awaited));
                }
                Some(false) => self.pass_over(index, step),
            }
        }
    }

    /// A conditional step whose condition does not hold: skipped when its gate opened, otherwise not to be seen.
    fn pass_over(&mut self, index: usize, step: &Step) {
        self.queue.leave(&self.graph, index);
        if step.when.as_ref().is_some_and(|when| self.look.answers.contains_key(&when.gate)) {
            self.queue.satisfy(&self.graph, index);
        } else {
            self.look.seen.insert(step.id.clone(), StepObservation::Todo(Vec::new()));
        }
    }

    fn take(&mut self, index: usize, probed: Option<Result<Probed, ClientError>>) {
        self.queue.leave(&self.graph, index);
        let Some(step) = self.plan.steps.get(index) else { return };
        let redact = |text: &str| self.world.env.secrets.redact(text);
        let seen = match probed {
            None => StepObservation::Unknown(format!("no answer within {} s", look_deadline(step).as_secs())),
            Some(Err(error)) => StepObservation::Unknown(redact(&error.to_string())),
            Some(Ok(Probed { probe: Probe::Todo(diff), .. })) => {
                StepObservation::Todo(diff.iter().map(|d| redact(d)).collect())
            }
            Some(Ok(Probed { probe: Probe::Blocked(finding), .. })) => {
                let line = redact(&format!("blocked: {}", finding.message));
                self.look.findings.push(redacted(*finding, redact));
                StepObservation::Todo(vec![line])
            }
            Some(Ok(Probed { probe: Probe::Done(detail), answers, notes, .. })) => {
                self.answer(step, answers.clone());
                self.queue.satisfy(&self.graph, index);
                let notes = notes.into_iter().map(|note| redacted(note, redact)).collect();
                let probed = Probed { notes, ..Probed::from(Probe::Done(redact(&detail))).answering(answers) };
                let at = self.told_at(step);
                self.look.done.insert(step.id.clone(), SeenDone { digest: step.digest(), probed, at });
                StepObservation::Done
            }
        };
        self.look.seen.insert(step.id.clone(), seen);
    }

    /// When what was seen of a step was told, at the earliest: what its steps share may be as old as the look, and what checking the node
    /// told is older.
    fn told_at(&self, step: &Step) -> Duration {
        let checked = step.work.node().and_then(|node| self.options.checked.at(node));
        checked.map_or(self.began, |at| at.min(self.began))
    }

    fn answer(&mut self, step: &Step, answers: Vec<(GateId, GateAnswer)>) {
        for (id, answer) in answers {
            let gate = self.graph.gate(&id).filter(|gate| gate.opened_by == step.id);
            if gate.is_some_and(|gate| gate.answers.iter().any(|a| a.answer == answer)) {
                self.look.answers.insert(id, answer);
            } else {
                let message = format!("gate {id} would open with `{answer}`, which the plan does not show");
                let finding = Finding::error(code::RUN_GATE_ANSWER_UNKNOWN, step.target(), message);
                self.look.findings.push(finding.fix("look at the node, then make and read the plan again"));
            }
        }
    }

    fn finish(mut self) -> Look {
        for step in self.plan.steps.iter().filter(|step| step.work.properties().effect != Effect::Proves) {
            let skipped =
                step.when.as_ref().is_some_and(|w| self.look.answers.get(&w.gate).is_some_and(|a| *a != w.answer));
            if !skipped {
                self.look.seen.entry(step.id.clone()).or_insert_with(|| StepObservation::Todo(Vec::new()));
            }
        }
        self.look
    }
}

fn sight<'a>((index, step): (usize, &'a Step), world: &'a RunWorld, env: StepEnv, awaited: Arc<Awaited>) -> Sight<'a> {
    async move {
        let clock = Arc::clone(env.ctx.clock());
        let began = clock.elapsed();
        let probe = within(&*clock, look_deadline(step), world.behaviour.probe(step, &env));
        let probed = awaited.during(step.id.as_str(), probe).await.ok();
        tracing::debug!(step = %step.id, seconds = clock.elapsed().saturating_sub(began).as_secs_f64(), "looked");
        (index, probed)
    }
    .boxed()
}

fn look_deadline(step: &Step) -> Duration {
    Duration::from_secs(u64::from(step.work.deadline_s())).min(deadlines::LOOK)
}

fn redacted(mut finding: Finding, redact: impl Fn(&str) -> String) -> Finding {
    finding.subject = redact(&finding.subject);
    finding.message = redact(&finding.message);
    finding.fix = redact(&finding.fix);
    finding.evidence = finding.evidence.iter().map(|line| redact(line)).collect();
    finding
}
