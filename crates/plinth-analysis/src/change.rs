//! What differs between two runs: what the desired state changed, then what touches that which failed, then the rest.

use crate::graph::Shape;
use crate::kinds::{kind_of, median};
use crate::parameters::{Parameter, differing};
use plinth_model::ranges::ranges;
use plinth_model::run::StepState;
use plinth_model::span::span;
use plinth_model::{Plan, RunView, Step, StepId, amount};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many times longer or shorter is out of band.
const TIMES: f64 = 3.0;
/// Seconds of difference that nobody cares for.
const LEAST_S: f64 = 5.0;
/// Most differing parameters of one step that are told, and names of what has another content.
const PARAMETERS: usize = 6;
const NAMES: usize = 3;
/// Most changes of one fact that are told one by one.
const FACTS: usize = 6;

/// A run with its plan, where that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What its events amount to.
    pub view: &'a RunView,
    /// What it was to do.
    pub plan: Option<&'a Plan>,
}

/// One thing that differs, of one step, or of all steps of a kind of which the same is true.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// `left out`, `taken in` (nodes), `plinth`, `version`, `parameter`, `site`, `inventory`, `catalog`, `node` (what nodes told of themselves),
    /// `new step`, `gone step`, `content` (a file or a digest), `outcome`, `duration`.
    pub what: &'static str,
    /// A step or a kind, nodes, or what it is about.
    pub subject: String,
    /// Steps that it is true of; 0 where it is about no step.
    pub steps: usize,
    /// The parameter, or what a node told; empty where it is about none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How it was in the earlier run; empty: it was not there.
    pub before: String,
    /// How it is in the later run; empty: it is not there. Of nodes: what follows from it.
    pub after: String,
    /// Whether it is a step that failed, or one that such a step needs, or on the same node.
    pub touches_failure: bool,
}

impl Difference {
    /// Whether somebody wanted it otherwise, or it was made from something else: what everything further may follow from.
    #[must_use]
    pub fn is_cause(&self) -> bool {
        self.rank() < FURTHER
    }

    /// What a person asks first comes first.
    fn rank(&self) -> usize {
        ORDER.iter().position(|what| *what == self.what).unwrap_or(ORDER.len())
    }
}

/// What can differ, in the order of telling, and how many of these are causes.
const ORDER: [&str; 14] = [
    "left out",
    "taken in",
    "plinth",
    "version",
    "parameter",
    "site",
    "inventory",
    "catalog",
    "node",
    "new step",
    "gone step",
    "outcome",
    "content",
    "duration",
];
const FURTHER: usize = 8;

/// Two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDiff {
    /// Differences: causes first, and among causes and others those that touch what failed.
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
            differences.extend(steps(before, after, &Moved::between(before, after)));
        }
        differences.extend(outcomes(earlier.view, later.view));
        differences.extend(durations(earlier.view, later.view));
        let near = Near::of(later);
        for difference in &mut differences {
            difference.touches_failure = near.touches(&difference.subject);
        }
        differences.extend(node_facts((earlier.view, later.view), &near.nodes));
        let mut differences = folded(differences);
        // A stable sort: among equals the order stays that in which they were found.
        differences.sort_by_key(|one| match (one.is_cause(), one.rank(), !one.touches_failure) {
            (true, rank, is_far) => (0, rank, usize::from(is_far)),
            (false, rank, is_far) => (1, usize::from(is_far), rank),
        });
        Self { differences, plans_are_read: plans.is_some() }
    }
}

fn difference(what: &'static str, subject: &str, before: &str, after: &str) -> Difference {
    let (subject, before, after) = (subject.to_owned(), before.to_owned(), after.to_owned());
    Difference { what, subject, steps: 0, name: String::new(), before, after, touches_failure: false }
}

fn of_step(what: &'static str, step: &StepId, before: &str, after: &str) -> Difference {
    Difference { steps: 1, ..difference(what, step.as_str(), before, after) }
}

/// What is true of several steps of a kind is told once.
fn folded(all: Vec<Difference>) -> Vec<Difference> {
    let mut told: Vec<Difference> = Vec::new();
    let mut places: BTreeMap<(&'static str, String, String, [String; 2], bool), usize> = BTreeMap::new();
    for one in all {
        let Ok(step) = StepId::try_from(one.subject.clone()) else {
            told.push(one);
            continue;
        };
        let kind = kind_of(&step);
        let key =
            (one.what, kind.clone(), one.name.clone(), [one.before.clone(), one.after.clone()], one.touches_failure);
        match places.get(&key).and_then(|place| told.get_mut(*place)) {
            Some(first) if one.steps > 0 && one.what != "duration" => {
                first.subject = kind;
                first.steps += one.steps;
            }
            _ => {
                places.insert(key, told.len());
                told.push(one);
            }
        }
    }
    told
}

/// What the plans were made from.
fn sources(before: &Plan, after: &Plan) -> Vec<Difference> {
    let (a, b) = (&before.made_from, &after.made_from);
    let all = [
        ("plinth", "version of plinth", a.plinth.as_str(), b.plinth.as_str()),
        ("site", "site file", a.site.short(), b.site.short()),
        ("inventory", "inventory", a.inventory.short(), b.inventory.short()),
        ("catalog", "catalog", a.catalog.short(), b.catalog.short()),
    ];
    let differ = all.into_iter().filter(|(_, _, before, after)| before != after);
    differ.map(|(what, subject, before, after)| difference(what, subject, before, after)).collect()
}

/// Nodes that one of the plans leaves out and the other does not, with what follows from that and needs no word of its own.
struct Moved<'a> {
    left_out: BTreeSet<&'a str>,
    taken_in: BTreeSet<&'a str>,
}

impl<'a> Moved<'a> {
    fn between(before: &'a Plan, after: &'a Plan) -> Self {
        let without = |plan: &'a Plan| plan.made_from.without.iter().map(|node| node.as_str()).collect::<BTreeSet<_>>();
        let (before, after) = (without(before), without(after));
        Self { left_out: &after - &before, taken_in: &before - &after }
    }

    fn all(&self) -> impl Iterator<Item = &&'a str> {
        self.left_out.iter().chain(&self.taken_in)
    }

    /// Whether it is a step of one of these nodes.
    fn has(&self, nodes: &BTreeSet<&'a str>, step: &Step) -> bool {
        step.work.node().is_some_and(|node| nodes.contains(node.as_str())) || nodes.contains(step.id.target())
    }

    /// One line for all that were left out, one for all that were taken in.
    fn told(&self, steps: [usize; 2], others: usize) -> Vec<Difference> {
        let line = |what, nodes: &BTreeSet<&str>, after: String, steps: usize| {
            let subject = ranges(nodes.iter().copied());
            (!nodes.is_empty()).then(|| Difference { steps, ..difference(what, &subject, "", &after) })
        };
        let others = (others > 0).then(|| format!("{} changed by that", amount(others, "other step")));
        // Where nodes moved both ways, the others follow from both.
        let (with_gone, with_new) = if self.left_out.is_empty() { (None, others) } else { (others, None) };
        // None is gone where a run found the node not fit: then its own steps are tried all the same.
        let so_many = |count: usize, how| (count > 0).then(|| format!("{} {how}", amount(count, "step")));
        let told = |moved: Option<String>, others: Option<String>| {
            moved.into_iter().chain(others).collect::<Vec<_>>().join(", ")
        };
        let [gone, new] = steps;
        let left_out = told(so_many(gone, "gone"), with_gone);
        let taken_in = told(so_many(new, "more"), with_new);
        [line("left out", &self.left_out, left_out, gone), line("taken in", &self.taken_in, taken_in, new)]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn steps(before: &Plan, after: &Plan, moved: &Moved<'_>) -> Vec<Difference> {
    let known: BTreeMap<&StepId, &Step> = before.steps.iter().map(|step| (&step.id, step)).collect();
    let stays: BTreeSet<&StepId> = after.steps.iter().map(|step| &step.id).collect();
    let mut found = Vec::new();
    let (mut gone_with, mut new_with, mut others) = (0, 0, 0);
    for step in &after.steps {
        match known.get(&step.id) {
            None if moved.has(&moved.taken_in, step) => new_with += 1,
            None => found.push(of_step("new step", &step.id, "", &step.reason)),
            Some(old) => {
                let all = differing(old, step);
                let own: Vec<&Parameter> =
                    all.iter().filter(|one| !moved.all().any(|node| one.is_about(node))).collect();
                others += usize::from(own.len() < all.len());
                found.extend(parameters(&step.id, &own));
            }
        }
    }
    for step in before.steps.iter().filter(|step| !stays.contains(&step.id)) {
        match moved.has(&moved.left_out, step) {
            true => gone_with += 1,
            false => found.push(of_step("gone step", &step.id, &step.reason, "")),
        }
    }
    found.extend(moved.told([gone_with, new_with], others));
    found
}

/// Parameters of a step that differ; those whose values say nothing to a person are one line.
fn parameters(step: &StepId, all: &[&Parameter]) -> Vec<Difference> {
    let (contents, values): (Vec<&Parameter>, Vec<&Parameter>) = all.iter().partition(|one| one.is_content());
    let told = |what, one: &Parameter| {
        let (before, after) = one.told();
        Difference { name: one.name(), ..of_step(what, step, &before, &after) }
    };
    let (versions, values): (Vec<&Parameter>, Vec<&Parameter>) = values.into_iter().partition(|one| one.is_version());
    let mut found: Vec<Difference> = versions.into_iter().map(|one| told("version", one)).collect();
    found.extend(values.iter().take(PARAMETERS).map(|one| told("parameter", one)));
    if values.len() > PARAMETERS {
        let more = amount(values.len() - PARAMETERS, "more parameter");
        found.push(Difference { name: more, ..of_step("parameter", step, "", "") });
    }
    if let Some(first) = contents.first() {
        let mut names: Vec<String> = contents.iter().take(NAMES).map(|one| one.name()).collect();
        names.extend((contents.len() > NAMES).then(|| format!("{} more", contents.len() - NAMES)));
        found.push(Difference { name: names.join(", "), ..told("content", first) });
    }
    found
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
    differ.into_iter().map(|(id, old, new)| of_step("outcome", id, old.word(), new.word())).collect()
}

/// Kinds, and single steps that are out of band although their kind is not. Only what ended alike in both is compared: a step that found
/// nothing to do took less than one that changed something, and that is no news.
fn durations(before: &RunView, after: &RunView) -> Vec<Difference> {
    let both = after.steps.iter().filter_map(|(id, now)| {
        let was = before.steps.get(id)?;
        let is_alike = was.state == now.state && now.state.is_done() && was.started.is_some() && now.started.is_some();
        Some((id, was.seconds?, now.seconds?)).filter(|_| is_alike)
    });
    let both: Vec<(&StepId, f64, f64)> = both.collect();
    let mut kinds: BTreeMap<String, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (id, was, now) in &both {
        let (earlier, later) = kinds.entry(kind_of(id)).or_default();
        earlier.push(*was);
        later.push(*now);
    }
    let mut found = Vec::new();
    let mut kinds_told = BTreeSet::new();
    let told = |subject: &str, was: f64, now: f64| difference("duration", subject, &span(was), &span(now));
    for (kind, (earlier, later)) in &mut kinds {
        let medians = median(earlier).zip(median(later)).filter(|(was, now)| is_out_of_band(*was, *now));
        found.extend(medians.map(|(was, now)| Difference { steps: earlier.len(), ..told(kind, was, now) }));
        kinds_told.extend(medians.map(|_| kind.clone()));
    }
    let single = both.iter().filter(|(id, was, now)| !kinds_told.contains(&kind_of(id)) && is_out_of_band(*was, *now));
    found.extend(single.map(|(id, was, now)| Difference { steps: 1, ..told(id.as_str(), *was, *now) }));
    found
}

/// Nodes by what a fact was and is.
type ByValues = BTreeMap<(String, String), Vec<String>>;

/// What nodes told of themselves in both runs and is not the same: once for all nodes of which the same is true, apart for those that something
/// failed on. Where more values are new than anybody reads, only of which nodes.
fn node_facts((before, after): (&RunView, &RunView), failed: &BTreeSet<String>) -> Vec<Difference> {
    let told =
        |view: &RunView, id: &StepId| Some((view.steps.get(id)?.node.clone()?, view.steps.get(id)?.facts.clone()?));
    // By the fact, and whether something failed on the nodes.
    let mut found: BTreeMap<(String, bool), ByValues> = BTreeMap::new();
    for id in after.steps.keys() {
        let (Some((_, was)), Some((node, now))) = (told(before, id), told(after, id)) else { continue };
        let value = |facts: &BTreeMap<String, String>, name: &String| facts.get(name).cloned().unwrap_or_default();
        let names: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
        for name in names {
            let (was, now) = (value(&was, name), value(&now, name));
            if was != now {
                let of_name = found.entry((name.clone(), failed.contains(&node))).or_default();
                of_name.entry((was, now)).or_default().push(node.clone());
            }
        }
    }
    found
        .into_iter()
        .flat_map(|((name, touches_failure), values)| changed_fact(&name, touches_failure, values))
        .collect()
}

/// One fact, of nodes that all have to do with a failure or all have not.
fn changed_fact(name: &str, touches_failure: bool, values: ByValues) -> Vec<Difference> {
    let told = |nodes: &[String], (before, after): (&str, &str)| {
        let subject = ranges(nodes.iter().map(String::as_str));
        Difference { name: name.to_owned(), touches_failure, ..difference("node", &subject, before, after) }
    };
    if values.len() > FACTS {
        let nodes: Vec<String> = values.into_values().flatten().collect();
        return vec![told(&nodes, ("", ""))];
    }
    values.into_iter().map(|((before, after), nodes)| told(&nodes, (&before, &after))).collect()
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

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
