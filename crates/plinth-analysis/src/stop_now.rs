//! If I stop now: what is in the middle of its effect, how long a clean stop takes, what would be looked at again, and the line for the
//! colleague who takes over.

use crate::estimate::step_left;
use crate::graph::Shape;
use crate::kinds::kind_of;
use crate::past::{KnownBy, Past, seen};
use jiff::Timestamp;
use plinth_model::run::StepState;
use plinth_model::span::span;
use plinth_model::{RunView, StepId, amount};
use serde::Serialize;
use std::collections::BTreeSet;

/// Steps that the line for the colleague names.
const NAMED: usize = 3;

/// A running step that a stop would wait for, or cut off.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InEffect {
    /// A key of [`RunView::steps`].
    pub step: StepId,
    /// Hostname; null: it touches no node.
    pub node: Option<String>,
    /// Seconds it has run.
    pub running_s: f64,
    /// Seconds that it usually takes from here, from and to; null: its kind was never seen.
    pub left_s: Option<(f64, f64)>,
    /// By what that is known; null with it.
    pub known_by: Option<KnownBy>,
    /// Seconds after which one attempt of it is given up; null: the plan is not known.
    pub deadline_s: Option<u32>,
}

/// What a stop waits for, what it cuts off, and what is left for the next run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StopNow {
    /// In the middle of their effect, longest left first. A clean stop waits for them; a second signal cuts them off, and then the next
    /// run looks at each of them before anything else.
    pub mid_effect: Vec<InEffect>,
    /// Steps that are only looked at, or wait for something: stopping leaves nothing of them, but a clean stop waits for them too.
    pub looking: usize,
    /// Steps that have not begun: the next run does them.
    pub not_begun: usize,
    /// Seconds until a clean stop is over, from and to: the slowest running step. Null when a kind of these was never seen.
    pub clean_s: Option<(f64, f64)>,
    /// The step that it waits for longest.
    pub slowest: Option<StepId>,
    /// Kinds that run and were never seen.
    pub no_history: Vec<String>,
    /// It is being stopped: the first signal came.
    pub stopping: bool,
    /// What to tell the colleague who takes over.
    pub hand_over: String,
}

/// Of a run that is on; none of one that has ended. `now`: by the run's clock.
#[must_use]
pub fn stop_now((view, shape): (&RunView, &Shape), past: &Past, now: Timestamp) -> Option<StopNow> {
    let head = view.run.as_ref().filter(|_| view.end.is_none())?;
    let now = now.max(view.at.unwrap_or(now));
    let (running, seen) = (view.longest_running(), seen(view));
    let mut mid_effect: Vec<InEffect> = Vec::new();
    let mut no_history = BTreeSet::new();
    let mut clean: (f64, f64) = (0.0, 0.0);
    let mut slowest = None;
    for (id, step) in &running {
        let known = step_left((id, step), past, (view, &seen), now);
        match known {
            Some((left, _)) => {
                if left.1 > clean.1 {
                    slowest = Some((*id).clone());
                }
                clean = (clean.0.max(left.0), clean.1.max(left.1));
            }
            None => {
                no_history.insert(kind_of(id));
            }
        }
        if step.state == StepState::Acting {
            let running_s = step.started.map_or(0.0, |from| now.duration_since(from).as_secs_f64().max(0.0));
            let (left_s, known_by, deadline_s) = (known.map(|it| it.0), known.map(|it| it.1), shape.deadline_s(id));
            let (step, node) = ((*id).clone(), step.node.clone());
            mid_effect.push(InEffect { step, node, running_s, left_s, known_by, deadline_s });
        }
    }
    let left = |one: &InEffect| one.left_s.map_or(f64::INFINITY, |left| left.1);
    mid_effect.sort_by(|a, b| left(b).total_cmp(&left(a)).then_with(|| a.step.cmp(&b.step)));
    let mut told = StopNow {
        looking: running.len() - mid_effect.len(),
        not_begun: view.pending(),
        clean_s: no_history.is_empty().then_some(clean),
        slowest,
        no_history: no_history.into_iter().collect(),
        stopping: view.stopping.is_some(),
        hand_over: String::new(),
        mid_effect,
    };
    told.hand_over = hand_over(view, head, &told);
    Some(told)
}

/// `run 018f… of lab, by anna@bastion (process 4711): 41 of 97 steps done; in the middle of kubernetes/deploy/lab for 3 min. Ctrl-C once …`.
fn hand_over(view: &RunView, head: &plinth_model::run::RunHead, told: &StopNow) -> String {
    let by = head.who().map(|who| format!(", by {who}")).unwrap_or_default();
    let done = view.tally().done();
    let (middle, stop) = match (told.mid_effect.as_slice(), told.looking) {
        ([], 0) => ("nothing runs".to_owned(), "ends it"),
        ([], looking) => {
            let looking = amount(looking, "step");
            (format!("nothing is in the middle of its effect; looking or waiting: {looking}"), "lets that end")
        }
        (some, _) => {
            let one = |one: &InEffect| format!("{} for {}", one.step, span(one.running_s));
            let mut named: Vec<String> = some.iter().take(NAMED).map(one).collect();
            named.extend((some.len() > NAMED).then(|| format!("{} more", some.len() - NAMED)));
            (format!("in the middle of {}", named.join(", ")), "lets them end")
        }
    };
    let verb = if head.verb.is_empty() { "apply" } else { head.verb.as_str() };
    let command = head.small.as_deref().unwrap_or(verb);
    let again = if told.mid_effect.is_empty() { "it goes on" } else { "it looks at these first and goes on" };
    let stop = if told.stopping { "It is being stopped".to_owned() } else { format!("Ctrl-C once {stop}") };
    format!(
        "run {} of {}{by}: {done} of {} done; {middle}. {stop}; then `plinth {command}` from any machine with this state directory: {again}",
        head.run,
        head.site,
        amount(head.steps, "step"),
    )
}

#[cfg(test)]
#[path = "stop_now_tests.rs"]
mod tests;
