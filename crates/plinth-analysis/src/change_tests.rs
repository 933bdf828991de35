//! What nodes told of themselves, held against an earlier run.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::made::{at, id, started, view};
use plinth_model::run::StepEnd;
use plinth_model::{EventBody, Stage};

/// A run in which each node told this of itself; the last one fails.
fn run(nodes: &[(&str, &[(&str, &str)])], failed: Option<&str>) -> RunView {
    let told = nodes.iter().flat_map(|(node, facts)| {
        let step = id(&format!("nodes/facts/{node}"));
        let state = if failed == Some(node) { StepState::Failed } else { StepState::Unchanged };
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let end = StepEnd {
            node: Some((*node).to_owned()),
            facts: Some(Box::new(facts)),
            ..StepEnd::new(step.clone(), Stage::Nodes, state)
        };
        [(at(1.0), started(step, Some((*node).to_owned()), None)), (at(2.0), EventBody::from(end))]
    });
    view(told)
}

fn told(before: &RunView, after: &RunView) -> Vec<(String, String, String, String, bool)> {
    let side = |view| Side { view, plan: None };
    let diff = RunDiff::of(side(before), side(after));
    let of_nodes = diff.differences.into_iter().filter(|one| one.what == "node");
    of_nodes.map(|one| (one.subject, one.name, one.before, one.after, one.touches_failure)).collect()
}

fn row(subject: &str, name: &str, before: &str, after: &str, near: bool) -> (String, String, String, String, bool) {
    (subject.to_owned(), name.to_owned(), before.to_owned(), after.to_owned(), near)
}

#[test]
fn what_is_new_on_nodes_is_told_once_for_all_of_them_and_first_where_something_failed() {
    let old: &[(&str, &str)] = &[("kernel", "5.15.0"), ("GPUs", "8")];
    let new: &[(&str, &str)] = &[("kernel", "6.8.0"), ("GPUs", "8"), ("driver", "570.1")];
    let less: &[(&str, &str)] = &[("kernel", "5.15.0"), ("GPUs", "7")];
    let before = run(&[("dgx-01", old), ("dgx-02", old), ("dgx-03", old), ("dgx-04", old)], None);
    let after = run(&[("dgx-01", new), ("dgx-02", new), ("dgx-03", old), ("dgx-04", less)], Some("dgx-04"));
    assert_eq!(
        told(&before, &after),
        [
            row("dgx-04", "GPUs", "8", "7", true),
            row("dgx-[01-02]", "driver", "", "570.1", false),
            row("dgx-[01-02]", "kernel", "5.15.0", "6.8.0", false),
        ]
    );
    assert!(told(&after, &after).is_empty());
    assert!(
        !RunDiff::of(Side { view: &before, plan: None }, Side { view: &after, plan: None }).differences[0].is_cause()
    );
}

#[test]
fn a_node_of_which_one_run_knows_nothing_did_not_change() {
    let facts: &[(&str, &str)] = &[("kernel", "5.15.0")];
    let mut before = run(&[("dgx-01", facts)], None);
    let after = run(&[("dgx-01", &[("kernel", "6.8.0")]), ("dgx-02", facts)], None);
    assert_eq!(told(&before, &after).len(), 1);
    // As an earlier release kept it.
    before.steps.values_mut().for_each(|step| step.facts = None);
    assert!(told(&before, &after).is_empty());
}

#[test]
fn of_many_nodes_that_all_have_another_value_it_is_said_which_nodes() {
    let names: Vec<String> = (1..=20).map(|number| format!("dgx-{number:02}")).collect();
    let addresses = |net: &str| -> Vec<String> { (1..=20).map(|number| format!("10.0.{net}.{number}/24")).collect() };
    let of = |addresses: &[String]| {
        let facts: Vec<[(&str, &str); 1]> = addresses.iter().map(|one| [("addresses", one.as_str())]).collect();
        let nodes: Vec<(&str, &[(&str, &str)])> =
            names.iter().zip(&facts).map(|(name, facts)| (name.as_str(), facts.as_slice())).collect();
        run(&nodes, None)
    };
    let (before, after) = (of(&addresses("0")), of(&addresses("1")));
    assert_eq!(told(&before, &after), [row("dgx-[01-20]", "addresses", "", "", false)]);
}
