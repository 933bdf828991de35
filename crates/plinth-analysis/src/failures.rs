//! Causes, not failures: what failed with the same code and the same message but for names and numbers is one group.

use crate::ranges;
use plinth_model::run::{CommandFailure, HeldBy, StepState, StepView};
use plinth_model::{RunView, StepId, amount};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// What is known of nodes, by name: `kernel` is `5.15.0`. Only what may explain a failure.
pub type Traits = BTreeMap<String, BTreeMap<String, String>>;

/// Steps that failed for one cause.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureGroup {
    /// Code of the finding; empty when a step failed without one.
    pub code: String,
    /// The message without names, addresses and numbers.
    pub cause: String,
    /// The message of the first.
    pub message: String,
    /// The first step that failed so.
    pub first: StepId,
    /// When, seconds since the run started.
    pub first_s: f64,
    /// All of them, in the order they failed.
    pub steps: Vec<StepId>,
    /// Their nodes, as ranges; empty when they are about none.
    pub nodes: String,
    /// How many nodes.
    pub node_count: usize,
    /// What these nodes have in common, and at most half of the others have: `kernel 5.15.0`.
    pub shared: Vec<String>,
    /// What was seen, of the first.
    pub evidence: Vec<String>,
    /// How to fix it, of the first.
    pub fix: String,
    /// Who can fix it, in words; empty where a failure has no finding.
    pub owner: String,
    /// The program that failed, of the first.
    pub failure: Option<CommandFailure>,
    /// Steps that do not run because of them.
    pub holds_up: usize,
}

impl FailureGroup {
    /// Where: `on 47 nodes, dgx-[001-047]`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.node_count {
            0 if self.steps.len() == 1 => format!("in {}", self.first),
            0 => format!("in {}", amount(self.steps.len(), "step")),
            1 => format!("on {}", self.nodes),
            count => format!("on {}, {}", amount(count, "node"), self.nodes),
        }
    }
}

/// All failures of a run by cause: the one that holds up most first, of equal ones the one that came first.
#[must_use]
pub fn failure_groups(view: &RunView, traits: &Traits) -> Vec<FailureGroup> {
    let held = held_up(view);
    let mut groups = grouped(view, view.failures());
    for (group, nodes) in &mut groups {
        group.holds_up = group.steps.iter().filter_map(|id| held.get(id)).sum();
        group.shared = shared(nodes, traits);
    }
    let mut groups: Vec<FailureGroup> = groups.into_iter().map(|(group, _)| group).collect();
    groups.sort_by(|a, b| b.holds_up.cmp(&a.holds_up).then(a.first_s.total_cmp(&b.first_s)));
    groups
}

/// One failure, as a group of its own: at the moment it happens, when what it holds up and whom it meets is not known yet. None for a
/// step that did not fail.
#[must_use]
pub fn failure_group(view: &RunView, step: &StepId) -> Option<FailureGroup> {
    let found = view.steps.get_key_value(step).filter(|(_, step)| step.state == StepState::Failed);
    grouped(view, found.into_iter()).pop().map(|(group, _)| group)
}

/// Failures by cause, in the order of the first of each, with their nodes.
fn grouped<'a>(
    view: &RunView,
    failures: impl Iterator<Item = (&'a StepId, &'a StepView)>,
) -> Vec<(FailureGroup, BTreeSet<String>)> {
    let is_node = |name: &str| view.nodes.contains_key(name);
    let mut groups: Vec<(FailureGroup, BTreeSet<String>)> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for (id, step) in failures {
        let (code, message) = said(step);
        let cause = without_names(message, &is_node);
        let place = *places.entry((code.clone(), cause.clone())).or_insert_with(|| {
            groups.push((new_group(view, (id, step), code, cause), BTreeSet::new()));
            groups.len() - 1
        });
        let Some((group, nodes)) = groups.get_mut(place) else { continue };
        group.steps.push(id.clone());
        nodes.extend(nodes_of(id, step, &is_node));
    }
    for (group, nodes) in &mut groups {
        group.nodes = ranges(nodes.iter().map(String::as_str));
        group.node_count = nodes.len();
    }
    groups
}

fn said(step: &StepView) -> (String, &str) {
    match &step.finding {
        Some(finding) => (finding.code.as_str().to_owned(), &finding.message),
        None => (String::new(), &step.detail),
    }
}

fn new_group(view: &RunView, (id, step): (&StepId, &StepView), code: String, cause: String) -> FailureGroup {
    let finding = step.finding.as_deref();
    let first_s = view.started.zip(step.ended).map_or(0.0, |(from, to)| to.duration_since(from).as_secs_f64().max(0.0));
    FailureGroup {
        code,
        cause,
        message: said(step).1.to_owned(),
        first: id.clone(),
        first_s,
        steps: Vec::new(),
        nodes: String::new(),
        node_count: 0,
        shared: Vec::new(),
        evidence: finding.map(|finding| finding.evidence.clone()).unwrap_or_default(),
        fix: finding.map(|finding| finding.fix.clone()).unwrap_or_default(),
        owner: finding.map(|finding| finding.owner.to_string()).unwrap_or_default(),
        failure: step.failure.as_deref().cloned(),
        holds_up: 0,
    }
}

/// The node of the step; of a step on several, those that its finding names.
fn nodes_of(id: &StepId, step: &StepView, is_node: IsNode<'_>) -> Vec<String> {
    if let Some(node) = &step.node {
        return vec![node.clone()];
    }
    if id.area() == "nodes" {
        return vec![id.target().to_owned()];
    }
    let subject = step.finding.as_ref().map(|finding| finding.subject.as_str()).unwrap_or_default();
    subject.split(", ").filter(|name| is_node(name)).map(str::to_owned).collect()
}

/// How many steps do not run because of each one.
fn held_up(view: &RunView) -> HashMap<&StepId, usize> {
    let mut held = HashMap::new();
    for step in view.steps.values().filter(|step| step.state == StepState::NotRun) {
        let mut by = step.held_by.as_ref();
        let mut steps = 0;
        while let Some(HeldBy::Need { step }) = by {
            let Some(found) = view.steps.get_key_value(step) else { break };
            steps += 1;
            if found.1.state == StepState::Failed {
                *held.entry(found.0).or_default() += 1;
            }
            by = found.1.held_by.as_ref().filter(|_| found.1.state == StepState::NotRun && steps < view.steps.len());
        }
    }
    held
}

/// What all of these nodes have, and at most half of the others. Of one node everything is its own, so that says nothing.
fn shared(nodes: &BTreeSet<String>, traits: &Traits) -> Vec<String> {
    let of = |node: &String| traits.get(node);
    let (Some(first), true) = (nodes.iter().find_map(of), nodes.len() > 1) else { return Vec::new() };
    let all_have = |key: &str, value: &str| {
        nodes.iter().all(|node| of(node).and_then(|has| has.get(key)).is_some_and(|found| found == value))
    };
    let others_have = |key: &str, value: &str| {
        let others = traits.iter().filter(|(node, _)| !nodes.contains(*node));
        let (mut have, mut all) = (0_usize, 0_usize);
        for (_, has) in others {
            all += 1;
            have += usize::from(has.get(key).is_some_and(|found| found == value));
        }
        all == 0 || have * 2 > all
    };
    let special = first.iter().filter(|(key, value)| all_have(key, value) && !others_have(key, value));
    special.map(|(key, value)| format!("{key} {value}")).collect()
}

/// Whether something is the name of a node.
type IsNode<'a> = &'a dyn Fn(&str) -> bool;

/// A message without what differs from node to node: names of nodes, addresses, hashes and numbers.
fn without_names(message: &str, is_node: IsNode<'_>) -> String {
    let mut out = String::with_capacity(message.len());
    let mut word = String::new();
    for c in message.chars() {
        if c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':') {
            word.push(c);
        } else {
            out.push_str(&masked(&word, is_node));
            word.clear();
            out.push(c);
        }
    }
    out.push_str(&masked(&word, is_node));
    out
}

fn masked(word: &str, is_node: IsNode<'_>) -> String {
    let bare = word.trim_end_matches(['.', ':', '-']);
    let end = word.get(bare.len()..).unwrap_or_default();
    // An address of IPv6 looks as if it had a port.
    if bare.parse::<IpAddr>().is_ok() {
        return format!("ADDRESS{end}");
    }
    let (host, port) = match bare.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (bare, None),
    };
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    if is_node(host) || host.split_once('.').is_some_and(|(name, _)| is_node(name)) {
        return format!("NODE{port}{end}");
    }
    if host.parse::<IpAddr>().is_ok() {
        return format!("ADDRESS{port}{end}");
    }
    let is_hash = bare.len() >= 8
        && bare.bytes().all(|byte| byte.is_ascii_hexdigit())
        && bare.bytes().any(|byte| byte.is_ascii_digit());
    if is_hash {
        return format!("HASH{end}");
    }
    let mut text = String::new();
    let mut in_number = false;
    for c in bare.chars() {
        let digit = c.is_ascii_digit();
        match (digit, in_number) {
            (true, false) => text.push('N'),
            (true, true) => {}
            (false, _) => text.push(c),
        }
        in_number = digit;
    }
    text + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_names_and_numbers_are_one_cause() {
        let nodes = BTreeSet::from(["dgx-05", "dgx-06"]);
        let cause = |text: &str| without_names(text, &|name| nodes.contains(name));
        assert_eq!(cause("ssh dgx-05:22: no route to host"), cause("ssh dgx-06:22: no route to host"));
        assert_eq!(cause("10.1.2.3 is down after 30 s."), "ADDRESS is down after N s.");
        assert_eq!(cause("[fe80::1]:22 refused"), "[ADDRESS]:N refused");
        assert_eq!(cause("digest 0a1b2c3d4e differs on dgx-05.eth.cluster"), "digest HASH differs on NODE");
        assert_ne!(cause("no route to host"), cause("connection refused"));
        assert_eq!(cause("deadbeef is a word"), "deadbeef is a word");
    }

    #[test]
    fn what_nodes_share_is_only_what_others_lack() {
        let node = |kernel: &str, os: &str| {
            BTreeMap::from([("kernel".to_owned(), kernel.to_owned()), ("os".to_owned(), os.to_owned())])
        };
        let traits: Traits = [("a", "5", "x"), ("b", "5", "x"), ("c", "6", "x")]
            .into_iter()
            .map(|(name, kernel, os)| (name.to_owned(), node(kernel, os)))
            .collect();
        let these = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(shared(&these(&["a", "b"]), &traits), ["kernel 5"]);
        assert!(shared(&these(&["a"]), &traits).is_empty());
        assert!(shared(&these(&["a", "c"]), &traits).is_empty());
        assert!(shared(&these(&["a", "x"]), &traits).is_empty(), "of one nothing is known");
    }
}
