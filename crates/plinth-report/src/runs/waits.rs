//! What waits, and for what: ten thousand steps are a handful of roots.

use super::{Look, short};
use crate::style::Sign;
use plinth_analysis::{Again, Busy, Root, Waiting};
use plinth_model::run::{HeldBy, Interrupted, StepState};
use plinth_model::span::span;
use plinth_model::{RunView, StepId, amount};
use std::collections::BTreeMap;

/// Roots that are told; the rest is counted.
const ROOTS: usize = 8;
/// Steps of a chain that are named.
const CHAIN: usize = 4;
/// Kinds that are named of those that hold the slots.
const KINDS: usize = 3;

/// The one sentence on top: what the run waits for, and since when. None when nothing waits, or the run has ended, stops, or nobody is at
/// work on it. What failed is waited for by nobody.
#[must_use]
pub fn sentence(view: &RunView, waiting: &[Waiting]) -> Option<String> {
    let (awaited, count) = most_awaited(view, waiting)?;
    let steps = amount(count, "step");
    Some(match awaited {
        Awaited::Root(root) => {
            let (doing, why) = at_work(root);
            format!("waits for {}, {doing}; {steps} behind it{why}", root.step)
        }
        Awaited::Slot => format!("waits for a slot ({}); {steps} behind it", busy(view)),
        Awaited::Begins(step) => format!("{step} begins; {steps} behind it"),
    })
}

/// The step that [`sentence`] names.
#[must_use]
pub fn awaited<'a>(view: &RunView, waiting: &'a [Waiting]) -> Option<&'a StepId> {
    match most_awaited(view, waiting)?.0 {
        Awaited::Root(root) => Some(&root.step),
        Awaited::Slot | Awaited::Begins(_) => None,
    }
}

/// Of the steps that have all they need, the one that has waited longest for its lane or a slot: `longest ready: nodes/downloads/dgx-07,
/// ready 1 min 27 s, no slot (64 busy with 64 nodes/prepare)`. None when nothing waits so, or the run has ended or nobody is at work on it.
#[must_use]
pub fn oldest_wait(view: &RunView, waiting: &[Waiting]) -> Option<String> {
    if view.end.is_some() || view.running.is_empty() {
        return None;
    }
    let is_ready =
        |one: &&Waiting| one.chain.is_empty() && matches!(one.held_by, Some(HeldBy::Slot { .. } | HeldBy::Lane { .. }));
    let since = |one: &&Waiting| one.seconds.unwrap_or_default();
    // Of equal ones the first of the plan.
    let oldest = waiting.iter().rev().filter(is_ready).max_by(|a, b| since(a).total_cmp(&since(b)))?;
    Some(format!("longest ready: {}, {}", oldest.step, reason(view, oldest)))
}

/// What holds steps up that have not begun.
#[derive(Clone, Copy)]
enum Awaited<'a> {
    Root(&'a Root),
    Slot,
    /// Nothing is in its way.
    Begins(&'a StepId),
}

/// What fails and is tried again, else what most steps wait for.
fn most_awaited<'a>(view: &RunView, waiting: &'a [Waiting]) -> Option<(Awaited<'a>, usize)> {
    if view.end.is_some() || view.stopping.is_some() || view.running.is_empty() {
        return None;
    }
    let mut found: BTreeMap<&str, (Awaited<'_>, usize)> = BTreeMap::new();
    for one in waiting {
        let last = one.chain.last().unwrap_or(&one.step);
        let holder = if one.chain.is_empty() { &one.held_by } else { &one.root_held_by };
        let (key, awaited) = match (&one.root, holder) {
            (Some(root), _) => (root.step.as_str(), Awaited::Root(root)),
            (None, Some(HeldBy::Slot { .. })) => ("", Awaited::Slot),
            (None, None) if view.state_of(last) == StepState::Pending => (last.as_str(), Awaited::Begins(last)),
            _ => continue,
        };
        let is_itself = matches!(awaited, Awaited::Begins(step) if *step == one.step);
        found.entry(key).or_insert((awaited, 0)).1 += usize::from(!is_itself);
    }
    let weight = |awaited: &Awaited<'_>| match awaited {
        Awaited::Root(root) if root.again.is_some() => 2,
        Awaited::Root(_) | Awaited::Slot => 1,
        Awaited::Begins(_) => 0,
    };
    found.into_values().rev().max_by_key(|(awaited, count)| (weight(awaited), *count))
}

/// What a step at work does, and behind everything else what it ran into: `running 6 min 40 s`; `tried for 59 s, attempt 3` and
/// `: no answer from 10.184.162.18 port 22`.
fn at_work(root: &Root) -> (String, String) {
    let time = span(root.seconds);
    match &root.again {
        Some(again) => (format!("tried for {time}, {}", attempt(again)), format!(": {}", short(cause(&again.message)))),
        None if root.acts => (format!("running {time}"), String::new()),
        None => (format!("looking or waiting {time}"), String::new()),
    }
}

/// `attempt 3`, `attempt 3 in 4 s`.
pub(crate) fn attempt(again: &Again) -> String {
    let in_s = again.in_s.map(|left| format!(" in {}", span(left))).unwrap_or_default();
    format!("attempt {}{in_s}", again.attempt)
}

/// An error without its beginning, which says what was being done: the step says that.
pub(crate) fn cause(message: &str) -> &str {
    message.split_once(": ").map_or(message, |(_, cause)| cause)
}

/// What has not begun, under its heading, and what will not run.
#[must_use]
pub fn headed(view: &RunView, waiting: &[Waiting], look: Look) -> Vec<(&'static str, String)> {
    let on = view.end.is_none() && !view.running.is_empty();
    let (wait, left): (Vec<Waiting>, Vec<Waiting>) =
        waiting.iter().cloned().partition(|one| on && view.state_of(&one.step) == StepState::Pending);
    let told = [("waits, and why", wait), ("not run, and why", left)];
    let told = told.into_iter().map(|(title, some)| (title, waits(view, &some, look)));
    told.filter(|(_, text)| !text.is_empty()).collect()
}

/// Why each step waits, equal reasons once: how many, and the first of them with its chain.
#[must_use]
pub fn waits(view: &RunView, waiting: &[Waiting], look: Look) -> String {
    let mut lines: Vec<String> = [Interrupted::Effect, Interrupted::Look]
        .iter()
        .filter_map(|place| interrupted(waiting, *place, look))
        .collect();
    let roots = roots(waiting.iter().filter(|one| !is_interrupted(one)));
    lines.extend(roots.iter().take(ROOTS).map(|(one, count)| line(view, one, *count, look)));
    let more: usize = roots.iter().skip(ROOTS).map(|(_, count)| count).sum();
    if more > 0 {
        lines.push(format!("  and {} for {}", amount(more, "more step"), amount(roots.len() - ROOTS, "other reason")));
    }
    look.fitted(&lines)
}

/// Whether the step itself broke off, and not one that it needs.
fn is_interrupted(one: &Waiting) -> bool {
    one.chain.is_empty() && one.interrupted.is_some()
}

/// `  ! interrupted in the middle of its effect; the next run looks at it first: nodes/storage/dgx-05`; none where nothing was.
fn interrupted(waiting: &[Waiting], place: Interrupted, look: Look) -> Option<String> {
    let of = |one: &&Waiting| is_interrupted(one) && one.interrupted == Some(place);
    let steps: Vec<String> = waiting.iter().filter(of).map(|one| one.step.to_string()).collect();
    let mut named: Vec<String> = steps.iter().take(ROOTS).cloned().collect();
    named.extend((steps.len() > ROOTS).then(|| format!("{} more", steps.len() - ROOTS)));
    let sign = look.palette.painted(Sign::Warning);
    (!steps.is_empty()).then(|| format!("  {sign} {}: {}", place.told(), named.join(", ")))
}

/// What waits for the same, with how many do: first for what is tried again, then most first.
fn roots<'a>(waiting: impl IntoIterator<Item = &'a Waiting>) -> Vec<(&'a Waiting, usize)> {
    let mut found: BTreeMap<String, (&'a Waiting, usize)> = BTreeMap::new();
    for one in waiting {
        let key = match (one.chain.last(), &one.held_by) {
            (Some(root), _) => root.to_string(),
            (None, held) => held.as_ref().map_or("", HeldBy::word).to_owned(),
        };
        found.entry(key).and_modify(|(_, count)| *count += 1).or_insert((one, 1));
    }
    let mut roots: Vec<(&'a Waiting, usize)> = found.into_values().collect();
    let again = |one: &Waiting| one.root.as_ref().is_some_and(|root| root.again.is_some());
    roots.sort_by(|(a, many), (b, more)| {
        again(b).cmp(&again(a)).then_with(|| more.cmp(many)).then_with(|| a.step.cmp(&b.step))
    });
    roots
}

fn line(view: &RunView, one: &Waiting, count: usize, look: Look) -> String {
    let others = if count > 1 { format!(" and {}", amount(count - 1, "more step")) } else { String::new() };
    let sign = look.palette.painted(Sign::NotRun);
    format!("  {sign} {}{others}: {}", one.step, reason(view, one))
}

/// Why one step waits: `needs kubernetes/health/lab <- kubernetes/deploy/lab, running 3 min 18 s`.
#[must_use]
pub fn reason(view: &RunView, one: &Waiting) -> String {
    if one.chain.is_empty() {
        if let Some(place) = one.interrupted {
            return place.told().to_owned();
        }
        let since = one.seconds.map(|seconds| format!("ready {}, ", span(seconds))).unwrap_or_default();
        return match &one.held_by {
            Some(HeldBy::Slot { .. }) => format!("{since}no slot ({})", busy(view)),
            Some(HeldBy::Lane { .. }) => format!("{since}{}", lane(view, one)),
            held => held_text(view, held.as_ref()),
        };
    }
    let word = if matches!(one.held_by, Some(HeldBy::Gate { .. })) { "is behind a gate of" } else { "needs" };
    format!("{word} {}{}", chain(&one.chain), standing(view, one))
}

fn chain(steps: &[StepId]) -> String {
    let names = |steps: &[StepId]| steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(" <- ");
    match (steps.get(..CHAIN - 1), steps.last()) {
        (Some(first), Some(last)) if steps.len() > CHAIN => {
            format!("{} <- {} more <- {last}", names(first), steps.len() - CHAIN)
        }
        _ => names(steps),
    }
}

/// Where the last one of the chain stands: `, running 3 min 18 s`.
fn standing(view: &RunView, one: &Waiting) -> String {
    if let Some(root) = one.root.as_ref().filter(|root| Some(&root.step) == one.chain.last()) {
        let (doing, why) = at_work(root);
        return format!(", {doing}{why}");
    }
    if let Some(place) = one.interrupted {
        return format!(", {}", place.of_root());
    }
    match one.root_state {
        StepState::Failed => ", which failed".to_owned(),
        _ => match &one.root_held_by {
            Some(HeldBy::Lane { .. }) => format!(", {}", lane(view, one)),
            Some(held) => format!(", {}", held_text(view, Some(held))),
            None => String::new(),
        },
    }
}

/// `node dgx-05 is busy with nodes/storage/dgx-05`.
fn lane(view: &RunView, one: &Waiting) -> String {
    let held = one.held_by.iter().chain(&one.root_held_by).find(|held| matches!(held, HeldBy::Lane { .. }));
    match (held, one.holders.first()) {
        (Some(HeldBy::Lane { lane }), Some(holder)) => format!("{lane} is busy with {holder}"),
        (held, _) => held_text(view, held),
    }
}

fn held_text(view: &RunView, held: Option<&HeldBy>) -> String {
    match held {
        None => "begins at once".to_owned(),
        Some(HeldBy::Need { step }) => format!("needs {step}"),
        Some(HeldBy::Gate { gate, step }) => format!("gate {gate} is not open; {step} opens it"),
        Some(HeldBy::Lane { lane }) => format!("{lane} is busy with another step"),
        Some(HeldBy::Slot { slots }) => format!("no slot: {slots} run already"),
        Some(HeldBy::Budget { failed, allowed }) => {
            format!("the failure budget is spent: {} failed, {allowed} may", amount(*failed, "node"))
        }
        Some(HeldBy::Quorum { left, all }) => format!("{left} of {all} control-plane nodes are left, no majority"),
        // As long as something is in flight, the run has not stopped yet.
        Some(HeldBy::Stop) if !view.running.is_empty() => "the run is being stopped; the next one does it".to_owned(),
        Some(HeldBy::Stop) => "the run stopped before it".to_owned(),
    }
}

/// `64 busy with 40 nodes/downloads, 24 nodes/prepare`.
fn busy(view: &RunView) -> String {
    let busy = Busy::of(view);
    let mut parts: Vec<String> = busy.iter().take(KINDS).map(|one| format!("{} {}", one.running, one.kind)).collect();
    let more: usize = busy.iter().skip(KINDS).map(|one| one.running).sum();
    parts.extend((more > 0).then(|| format!("{more} others")));
    format!("{} busy with {}", view.running.len(), parts.join(", "))
}
