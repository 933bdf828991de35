//! Checks a plan without knowing how it was made. Every planner test runs it, and so does the planner itself: a plan with a
//! flaw is our mistake and is never shown or saved.

use crate::literal;
use petgraph::algo::toposort;
use petgraph::graph::DiGraph;
use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::plan::{Plan, Step};
use plinth_model::steps::FreeText;
use plinth_model::{Finding, NodeName, StepId};
use std::collections::{HashMap, HashSet};

/// All flaws; empty when the plan is sound.
#[must_use]
pub fn lint(plan: &Plan) -> Vec<Finding> {
    let mut flaws = content(plan);
    if plan.hash != plan.content_hash() {
        flaws.push(flaw(code::PLAN_HASH_WRONG, "hash", "the plan's hash is not the hash of its content"));
    }
    flaws
}

/// The same for a plan whose hash was made or compared just now: hashing is most of the work of planning a large site.
pub(crate) fn content(plan: &Plan) -> Vec<Finding> {
    let mut flaws = unique(plan);
    let place: HashMap<&StepId, usize> = plan.steps.iter().enumerate().map(|(i, s)| (&s.id, i)).collect();
    flaws.extend(needs(plan, &place));
    flaws.extend(cycle(plan, &place));
    flaws.extend(gates(plan, &place));
    flaws.extend(majority(plan, &place));
    for step in &plan.steps {
        flaws.extend(marks(step));
        flaws.extend(in_clear(step));
    }
    flaws
}

fn flaw(code: Code, subject: &str, message: impl Into<String>) -> Finding {
    Finding::error(code, subject, message).fix("report this: the planner made a plan that must not be run")
}

fn unique(plan: &Plan) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let twice = plan.steps.iter().filter(|s| !seen.insert(&s.id));
    twice.map(|s| flaw(code::PLAN_ID_TWICE, s.id.as_str(), "two steps have this id")).collect()
}

/// Every need exists and stands before the step.
fn needs(plan: &Plan, place: &HashMap<&StepId, usize>) -> Vec<Finding> {
    let mut flaws = Vec::new();
    for (i, step) in plan.steps.iter().enumerate() {
        for need in &step.needs {
            match place.get(need) {
                None => flaws.push(flaw(
                    code::PLAN_NEED_ORPHAN,
                    step.id.as_str(),
                    format!("needs {need}, which is no step"),
                )),
                Some(&at) if at >= i => {
                    flaws.push(flaw(
                        code::PLAN_ORDER_WRONG,
                        step.id.as_str(),
                        format!("stands before {need}, which it needs"),
                    ));
                }
                Some(_) => {}
            }
        }
    }
    flaws
}

fn cycle(plan: &Plan, place: &HashMap<&StepId, usize>) -> Option<Finding> {
    let edges = plan
        .steps
        .iter()
        .enumerate()
        .flat_map(|(to, step)| step.needs.iter().filter_map(move |need| place.get(need).map(|&from| (from, to))));
    let mut graph = DiGraph::<(), (), usize>::with_capacity(plan.steps.len(), plan.steps.len());
    let nodes: Vec<_> = plan.steps.iter().map(|_| graph.add_node(())).collect();
    for (from, to) in edges {
        graph.add_edge(nodes[from], nodes[to], ());
    }
    let stuck = toposort(&graph, None).err()?;
    let step = &plan.steps[stuck.node_id().index()];
    Some(flaw(code::PLAN_CYCLE, step.id.as_str(), "the step waits for itself, through its needs"))
}

/// Conditions name gates and answers that exist; gates are opened by a step that stands before what depends on them.
fn gates(plan: &Plan, place: &HashMap<&StepId, usize>) -> Vec<Finding> {
    let mut flaws = Vec::new();
    let mut by_id = HashMap::new();
    for gate in &plan.gates {
        if by_id.insert(&gate.id, gate).is_some() {
            flaws.push(flaw(code::PLAN_GATE_TWICE, gate.id.as_str(), "two gates have this id"));
        }
        if !place.contains_key(&gate.opened_by) {
            flaws.push(flaw(
                code::PLAN_GATE_SHUT,
                gate.id.as_str(),
                format!("is opened by {}, which is no step", gate.opened_by),
            ));
        }
        if gate.answers.len() < 2 {
            flaws.push(flaw(code::PLAN_GATE_IDLE, gate.id.as_str(), "has fewer than two answers"));
        }
    }
    for step in &plan.steps {
        let Some(when) = &step.when else { continue };
        let Some(gate) = by_id.get(&when.gate) else {
            flaws.push(flaw(
                code::PLAN_GATE_UNKNOWN,
                step.id.as_str(),
                format!("depends on {}, which is no gate", when.gate),
            ));
            continue;
        };
        if !gate.answers.iter().any(|a| a.answer == when.answer) {
            let text = format!("waits for `{}`, which {} never answers", when.answer, when.gate);
            flaws.push(flaw(code::PLAN_ANSWER_IMPOSSIBLE, step.id.as_str(), text));
        }
        if !step.needs.contains(&gate.opened_by) {
            let text = format!("does not wait for {}, which opens its gate", gate.opened_by);
            flaws.push(flaw(code::PLAN_GATE_NOT_AWAITED, step.id.as_str(), text));
        }
    }
    flaws
}

/// Destructive steps on nodes of the control plane or of etcd come one after the other. Who they are, the plan's own
/// plays tell.
fn majority(plan: &Plan, place: &HashMap<&StepId, usize>) -> Vec<Finding> {
    let quorum = quorum(plan);
    let risky: Vec<usize> =
        plan.steps.iter().enumerate().filter(|(_, s)| interrupts(s, &quorum)).map(|(i, _)| i).collect();
    let mut flaws = Vec::new();
    for pair in risky.windows(2) {
        let [first, second] = pair else { continue };
        let (first, second) = (*first, *second);
        if plan.steps[first].work.node() != plan.steps[second].work.node() && !waits(plan, place, second, first) {
            let text = format!("may run beside {}: a majority could be interrupted at once", plan.steps[first].id);
            flaws.push(flaw(code::PLAN_QUORUM_AT_RISK, plan.steps[second].id.as_str(), text));
        }
    }
    flaws
}

fn interrupts(step: &Step, quorum: &HashSet<&NodeName>) -> bool {
    step.work.properties().interrupts_member && step.work.node().is_some_and(|node| quorum.contains(node))
}

/// Members of the control plane and of etcd, by the plays of the plan.
fn quorum(plan: &Plan) -> HashSet<&NodeName> {
    plan.steps.iter().flat_map(|step| step.work.members()).collect()
}

/// Whether a step waits for another one, directly or not.
fn waits(plan: &Plan, place: &HashMap<&StepId, usize>, step: usize, other: usize) -> bool {
    let mut open = vec![step];
    let mut seen = HashSet::new();
    while let Some(at) = open.pop() {
        if at == other {
            return true;
        }
        if at > other && seen.insert(at) {
            open.extend(plan.steps[at].needs.iter().filter_map(|need| place.get(need)));
        }
    }
    false
}

/// Nothing destructive without saying what, nothing without a reason.
fn marks(step: &Step) -> Vec<Finding> {
    let mut flaws = Vec::new();
    let id = step.id.as_str();
    let destructive = step.work.properties().destructive;
    if destructive != step.work.destroys().is_some_and(|what| !what.is_empty()) {
        flaws.push(flaw(
            code::PLAN_MARK_MISSING,
            id,
            "its mark of being destructive does not fit what it says that it destroys",
        ));
    }
    if step.reason.trim().is_empty() {
        flaws.push(flaw(code::PLAN_REASON_MISSING, id, "does not say why it is in the plan"));
    }
    flaws
}

/// Secrets in clear: only where a site's own text can get in.
fn in_clear(step: &Step) -> Option<Finding> {
    let place = step.work.free_text().into_iter().find_map(|text| match text {
        FreeText::Json(name, value) => literal::find(name, value),
        FreeText::Value(key, value) => literal::find(key, &value.into()),
        FreeText::JsonFile(text) => in_file(text),
    })?;
    Some(
        Finding::error(code::PLAN_SECRET_IN_CLEAR, step.id.as_str(), format!("{place} looks like a secret in clear"))
            .fix("write a reference instead of the value, for example `{env: NAME}`"),
    )
}

fn in_file(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    literal::find("file", &value)
}
