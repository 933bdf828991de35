//! What applying each step would do, from what was seen. Moves no hash: a look at the world changes no plan.

use crate::observed::{Observed, StepObservation};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::plan::{Change, Gate, Step};
use plinth_model::steps::Effect;

/// Sets the change of every step.
pub(super) fn set(steps: &mut [Step], observed: &Observed) {
    for step in steps {
        step.change = change(step, observed);
    }
}

fn change(step: &Step, observed: &Observed) -> Change {
    let seen = observed.steps.get(&step.id);
    if seen == Some(&StepObservation::Done) {
        return Change::None;
    }
    if let Some(condition) = &step.when {
        match observed.answers.get(&condition.gate) {
            None => return Change::Maybe,
            Some(answer) if *answer != condition.answer => return Change::Skip,
            Some(_) => {}
        }
    }
    match (&step.work, seen) {
        (work, _) if work.properties().effect != Effect::Changes => Change::Check,
        (_, Some(StepObservation::Todo(diff))) => Change::Apply { diff: diff.clone() },
        _ => Change::Apply { diff: Vec::new() },
    }
}

/// Answers that a gate does not have: the plan was shown with a bounded set.
pub(super) fn bad_answers(gates: &[Gate], observed: &Observed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for gate in gates {
        let Some(answer) = observed.answers.get(&gate.id) else { continue };
        if !gate.answers.iter().any(|a| a.answer == *answer) {
            let known: Vec<&str> = gate.answers.iter().map(|a| a.answer.as_str()).collect();
            findings.push(
                Finding::error(
                    code::PLAN_ANSWER_UNKNOWN,
                    gate.id.as_str(),
                    format!("`{answer}` is not among the gate's answers"),
                )
                .evidence(format!("answers: {}", known.join(", ")))
                .fix("report this: the step that opens the gate and the plan disagree"),
            );
        }
    }
    findings
}
