//! Folds steps that differ only in their node into one entry.

use super::sign;
use plinth_model::plan::{Change, Gate, Step};
use std::collections::HashMap;

/// One entry of the text: one step, or the same step on several nodes.
pub(super) struct Entry<'a> {
    /// The first step; all others are like it, with the same reason.
    pub(super) step: &'a Step,
    /// Nodes, in the order of the plan; empty for a step that touches none.
    pub(super) nodes: Vec<&'a str>,
}

/// What steps of one entry have in common.
type Key<'a> = (&'a str, &'a str, char, &'a str, &'a [String]);

/// Folds, in the order of first appearance.
pub(super) fn fold<'a>(steps: impl Iterator<Item = &'a Step>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut by_key: HashMap<Key<'a>, usize> = HashMap::new();
    for step in steps {
        let Some(node) = step.work.node() else {
            entries.push(Entry { step, nodes: Vec::new() });
            continue;
        };
        let key = (step.id.area(), step.id.verb(), sign(step), &*step.reason, diff(step));
        let at = *by_key.entry(key).or_insert(entries.len());
        match entries.get_mut(at) {
            Some(entry) => entry.nodes.push(node.as_str()),
            None => entries.push(Entry { step, nodes: vec![node.as_str()] }),
        }
    }
    side_by_side(entries)
}

/// Puts entries of one verb that touch nodes side by side, where the first of them stands.
fn side_by_side(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut placed = Vec::with_capacity(entries.len());
    for (at, entry) in entries.into_iter().enumerate() {
        let place = if entry.nodes.is_empty() { at } else { *first.entry(entry.step.id.verb()).or_insert(at) };
        placed.push((place, entry));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, entry)| entry).collect()
}

/// Gates with the same question and answers, by their first; with what they are about.
pub(super) fn fold_gates<'a>(gates: &[&'a Gate]) -> Vec<(&'a Gate, Vec<&'a str>)> {
    let mut folded: Vec<(&Gate, Vec<&str>)> = Vec::new();
    let mut by_question: HashMap<(&str, &str), usize> = HashMap::new();
    for &gate in gates {
        let (kind, about) = (gate.id.kind(), gate.id.subject());
        let at = *by_question.entry((kind, &gate.question)).or_insert(folded.len());
        match folded.get_mut(at) {
            Some((_, all)) => all.push(about),
            None => folded.push((gate, vec![about])),
        }
    }
    folded
}

/// The differences seen, if any.
pub(super) fn diff(step: &Step) -> &[String] {
    match &step.change {
        Change::Apply { diff } => diff,
        _ => &[],
    }
}
