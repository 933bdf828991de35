//! What waits, and for what: ten thousand steps are a handful of roots.

use super::Look;
use crate::style::Sign;
use plinth_analysis::{Busy, Waiting};
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

/// The one sentence on top: what the run waits for, and since when. None when nothing waits, or the run has ended.
#[must_use]
pub fn sentence(view: &RunView, waiting: &[Waiting]) -> Option<String> {
    if view.end.is_some() || waiting.is_empty() {
        return None;
    }
    let (first, count) = roots(waiting).into_iter().next()?;
    let text = match (&first.chain.last(), &first.held_by) {
        (Some(root), _) => format!("waits for {root}{}", standing(first)),
        (None, Some(HeldBy::Slot { .. })) => format!("waits for a slot ({})", busy(view)),
        (None, Some(HeldBy::Lane { .. })) => format!("waits: {}", lane(first)),
        (None, held) => format!("waits: {}", held_text(held.as_ref())),
    };
    Some(format!("{text}; {} behind it", amount(count, "step")))
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

/// What waits for the same, with how many do; most first.
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
    roots.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.step.cmp(&b.0.step)));
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
            Some(HeldBy::Lane { .. }) => format!("{since}{}", lane(one)),
            held => held_text(held.as_ref()),
        };
    }
    let word = if matches!(one.held_by, Some(HeldBy::Gate { .. })) { "is behind a gate of" } else { "needs" };
    format!("{word} {}{}", chain(&one.chain), standing(one))
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

/// Where the root stands: `, running 3 min 18 s`.
fn standing(one: &Waiting) -> String {
    let time = one.seconds.map(|seconds| format!(" {}", span(seconds))).unwrap_or_default();
    if let Some(at) = one.root_next_at {
        return format!(", tried again at {at:.0}");
    }
    if let Some(place) = one.interrupted {
        return format!(", {}", place.of_root());
    }
    match one.root_state {
        StepState::Looking => format!(", looking or waiting{time}"),
        StepState::Acting => format!(", running{time}"),
        StepState::Failed => ", which failed".to_owned(),
        _ => match &one.root_held_by {
            Some(HeldBy::Lane { .. }) => format!(", {}", lane(one)),
            Some(held) => format!(", {}", held_text(Some(held))),
            None => String::new(),
        },
    }
}

/// `node dgx-05 is busy with nodes/storage/dgx-05`.
fn lane(one: &Waiting) -> String {
    let held = one.held_by.iter().chain(&one.root_held_by).find(|held| matches!(held, HeldBy::Lane { .. }));
    match (held, one.holders.first()) {
        (Some(HeldBy::Lane { lane }), Some(holder)) => format!("{lane} is busy with {holder}"),
        (held, _) => held_text(held),
    }
}

fn held_text(held: Option<&HeldBy>) -> String {
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
