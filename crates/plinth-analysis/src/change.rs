//! What differs between two runs, sorted by what touches that which failed.

use crate::graph::Shape;
use crate::kinds::{kind_of, median};
use plinth_model::run::StepState;
use plinth_model::{Plan, RunView, Step, StepId};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// So many times longer or shorter is out of band.
const TIMES: f64 = 3.0;
/// Seconds of difference that nobody cares for.
const LEAST_S: f64 = 5.0;
/// Most differing parameters of one step that are told.
const PARAMETERS: usize = 6;
/// Longest value that is told, characters.
const VALUE: usize = 120;

/// A run with its plan, where that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What its events amount to.
    pub view: &'a RunView,
    /// What it was to do.
    pub plan: Option<&'a Plan>,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// `site`, `inventory`, `catalog`, `plinth`, `parameter`, `new step`, `gone step`, `outcome`, `duration`, `nodes left out`.
    pub what: &'static str,
    /// A step or a kind, or what it is about.
    pub subject: String,
    /// How it was in the earlier run; empty: it was not there.
    pub before: String,
    /// How it is in the later run; empty: it is not there.
    pub after: String,
    /// Whether it is a step that failed, or one that such a step needs, or on the same node.
    pub touches_failure: bool,
}

/// Two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDiff {
    /// Differences: those that touch what failed first.
    pub differences: Vec<Difference>,
    /// Whether both plans could be read. If not, only outcomes and durations were compared.
    pub plans_are_read: bool,
}

impl RunDiff {
    /// What differs in `later`.
    #[must_use]
    pub fn of(earlier: Side<'_>, later: Side<'_>) -> Self {
        let mut differences = Vec::new();
        let plans = earlier.plan.zip(later.plan);
        if let Some((before, after)) = plans {
            differences.extend(sources(before, after));
            differences.extend(steps(before, after));
        }
        differences.extend(outcomes(earlier.view, later.view));
        differences.extend(durations(earlier.view, later.view));
        let near = Near::of(later);
        for difference in &mut differences {
            difference.touches_failure = near.touches(&difference.subject);
        }
        // A stable sort: among equals the order stays that in which they were found, causes in front of effects.
        differences.sort_by_key(|difference| {
            let is_outcome = matches!(difference.what, "outcome" | "duration");
            (!difference.touches_failure, is_outcome)
        });
        Self { differences, plans_are_read: plans.is_some() }
    }
}

fn difference(what: &'static str, subject: &str, before: &str, after: &str) -> Difference {
    let (subject, before, after) = (subject.to_owned(), shortened(before), shortened(after));
    Difference { what, subject, before, after, touches_failure: false }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= VALUE {
        return text.to_owned();
    }
    text.chars().take(VALUE).chain(" …".chars()).collect()
}

/// What the plans were made from.
fn sources(before: &Plan, after: &Plan) -> Vec<Difference> {
    let (a, b) = (&before.made_from, &after.made_from);
    let names = |plan: &Plan| plan.made_from.without.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let all = [
        ("site", "site file", a.site.short().to_owned(), b.site.short().to_owned()),
        ("inventory", "inventory", a.inventory.short().to_owned(), b.inventory.short().to_owned()),
        ("catalog", "catalog", a.catalog.short().to_owned(), b.catalog.short().to_owned()),
        ("plinth", "version of plinth", a.plinth.clone(), b.plinth.clone()),
        ("nodes left out", "nodes left out", names(before), names(after)),
    ];
    let differ = all.into_iter().filter(|(_, _, before, after)| before != after);
    differ.map(|(what, subject, before, after)| difference(what, subject, &before, &after)).collect()
}

fn steps(before: &Plan, after: &Plan) -> Vec<Difference> {
    let known: BTreeMap<&StepId, &Step> = before.steps.iter().map(|step| (&step.id, step)).collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for step in &after.steps {
        seen.insert(&step.id);
        match known.get(&step.id) {
            None => found.push(difference("new step", step.id.as_str(), "", &step.reason)),
            Some(old) => found.extend(parameters(old, step)),
        }
    }
    let gone = before.steps.iter().filter(|step| !seen.contains(&step.id));
    found.extend(gone.map(|step| difference("gone step", step.id.as_str(), &step.reason, "")));
    found
}

/// Parameters of a step that differ: `version` of a release. They hold references to secrets, never secrets.
fn parameters(before: &Step, after: &Step) -> Vec<Difference> {
    if before.work == after.work {
        return Vec::new();
    }
    let (old, new) = (leaves(before), leaves(after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let none = String::new();
    let differ = names.into_iter().filter_map(|name| {
        let (before, after) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
        (before != after).then_some((name, before, after))
    });
    let told = differ.map(|(name, old, new)| {
        let named = |value: &str| if value.is_empty() { String::new() } else { format!("{name} {value}") };
        difference("parameter", after.id.as_str(), &named(old), &named(new))
    });
    let mut told: Vec<Difference> = told.collect();
    let more = told.len().saturating_sub(PARAMETERS);
    told.truncate(PARAMETERS);
    if more > 0 {
        told.push(difference("parameter", after.id.as_str(), "", &format!("and {more} more parameters")));
    }
    told
}

fn leaves(step: &Step) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Ok(value) = serde_json::to_value(&step.work) {
        gather("", value.get("params").unwrap_or(&value), &mut found);
    }
    found
}

fn gather(name: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| gather(&below(key), value, found)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| gather(&below(&at.to_string()), value, found));
        }
        Value::String(text) => drop(found.insert(name.to_owned(), text.clone())),
        Value::Null => {}
        other => drop(found.insert(name.to_owned(), other.to_string())),
    }
}

/// How well a step ended; done is done, whether it was changed or found so.
const fn quality(state: StepState) -> u8 {
    match state {
        StepState::Changed | StepState::Unchanged => 0,
        StepState::Skipped => 1,
        StepState::NotRun => 2,
        StepState::Failed => 3,
        StepState::Pending | StepState::Looking | StepState::Acting | StepState::Unknown => 4,
    }
}

fn outcomes(before: &RunView, after: &RunView) -> Vec<Difference> {
    let both = after.steps.iter().filter_map(|(id, step)| Some((id, before.steps.get(id)?.state, step.state)));
    let mut differ: Vec<_> = both.filter(|(_, old, new)| quality(*old) != quality(*new)).collect();
    // What failed in either of them first: what did not run follows from it.
    differ.sort_by_key(|(_, old, new)| std::cmp::Reverse(quality(*old).max(quality(*new))));
    differ.into_iter().map(|(id, old, new)| difference("outcome", id.as_str(), old.word(), new.word())).collect()
}

/// Kinds, and single steps that are out of band although their kind is not.
fn durations(before: &RunView, after: &RunView) -> Vec<Difference> {
    let (old, new) = (seconds(before), seconds(after));
    let (old_kinds, new_kinds) = (by_kind(&old), by_kind(&new));
    let mut found = Vec::new();
    let mut kinds_told = BTreeSet::new();
    for (kind, now) in &new_kinds {
        if let Some(was) = old_kinds.get(kind).filter(|was| is_out_of_band(**was, *now)) {
            kinds_told.insert(kind.as_str());
            found.push(difference("duration", kind, &format!("{was:.1} s"), &format!("{now:.1} s")));
        }
    }
    for (id, now) in &new {
        if kinds_told.contains(kind_of(id).as_str()) {
            continue;
        }
        if let Some(was) = old.get(*id).filter(|was| is_out_of_band(**was, *now)) {
            found.push(difference("duration", id.as_str(), &format!("{was:.1} s"), &format!("{now:.1} s")));
        }
    }
    found
}

fn seconds(view: &RunView) -> BTreeMap<&StepId, f64> {
    let ended = view.steps.iter().filter(|(_, step)| step.started.is_some() && step.state.is_done());
    ended.filter_map(|(id, step)| Some((id, step.seconds?))).collect()
}

fn by_kind(seconds: &BTreeMap<&StepId, f64>) -> BTreeMap<String, f64> {
    let mut kinds: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    seconds.iter().for_each(|(id, took)| kinds.entry(kind_of(id)).or_default().push(*took));
    kinds.into_iter().filter_map(|(kind, mut all)| Some((kind, median(&mut all)?))).collect()
}

fn is_out_of_band(was: f64, now: f64) -> bool {
    (now - was).abs() >= LEAST_S && (now >= was * TIMES || now * TIMES <= was)
}

/// What is near to a failure: failed steps, what they need at any distance, and their nodes.
struct Near {
    steps: BTreeSet<String>,
    kinds: BTreeSet<String>,
    nodes: BTreeSet<String>,
}

impl Near {
    fn of(side: Side<'_>) -> Self {
        let shape = side.plan.map(Shape::of).unwrap_or_default();
        let (mut steps, mut nodes) = (BTreeSet::new(), BTreeSet::new());
        for (id, step) in side.view.failures() {
            steps.insert(id.to_string());
            steps.extend(shape.reach(id, false).iter().map(ToString::to_string));
            nodes.extend(step.node.clone());
        }
        let kinds = side.view.failures().map(|(id, _)| kind_of(id)).collect();
        Self { steps, kinds, nodes }
    }

    fn touches(&self, subject: &str) -> bool {
        let target = subject.rsplit('/').next().unwrap_or_default();
        self.steps.contains(subject) || self.kinds.contains(subject) || self.nodes.contains(target)
    }
}
