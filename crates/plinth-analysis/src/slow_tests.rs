use super::*;
use crate::chance::Chance;
use crate::kinds::kind_of;
use plinth_model::Stage;

/// Two hundred nodes of two kinds of hardware; those of one take twice as long by nature, and a third had nothing to do.
fn run(number: usize, slow: &[usize]) -> (Columns, Hardware) {
    let mut hardware = Hardware::new();
    let mut rows = Vec::new();
    for node in 0..200_usize {
        let name = format!("dgx-{node:03}");
        let is_large = node % 2 == 0;
        hardware.insert(name.clone(), if is_large { "dgx-h100" } else { "dgx-a100" }.to_owned());
        for (verb, base) in [("downloads", 20.0), ("storage", 60.0), ("account", 0.6)] {
            let step = StepId::try_from(format!("nodes/{verb}/{name}")).unwrap();
            let has_work = verb != "storage" || node % 3 != 0;
            let nature = if is_large { base * 2.0 } else { base };
            let own = (0.25 * Chance::of(step.as_str(), number).normal()).exp();
            let took = if has_work { nature * own } else { 0.4 };
            let took = if slow.contains(&node) { took * 6.0 } else { took };
            rows.push(Row {
                kind: kind_of(&step),
                step,
                stage: Stage::Nodes,
                node: Some(name.clone()),
                ready_s: Some(0.0),
                started_s: Some(0.0),
                acting_s: None,
                ended_s: Some(took),
                state: if has_work { StepState::Changed } else { StepState::Unchanged },
                attempts: 1,
                held_by: None,
            });
        }
    }
    (Columns { rows, elapsed_s: 0.0 }, hardware)
}

fn nodes(slow: &[Slow]) -> BTreeSet<&str> {
    slow.iter().map(|one| one.node.as_str()).collect()
}

#[test]
fn among_two_hundred_nodes_the_slow_ones_are_found_and_nobody_else_is_accused() {
    for number in 0..20 {
        let (columns, hardware) = run(number, &[]);
        assert_eq!(slow_nodes(&columns, &hardware, &[]), [], "run {number}");
        let (columns, hardware) = run(number, &[8, 41, 143]);
        let found = slow_nodes(&columns, &hardware, &[]);
        assert_eq!(nodes(&found), BTreeSet::from(["dgx-008", "dgx-041", "dgx-143"]), "run {number}");
        let downloads = found.iter().filter(|one| one.step.verb() == "downloads").count();
        assert!(downloads >= 2, "{found:?}");
        assert!(found.iter().all(|one| one.times >= 3.0 && one.in_a_row == 1 && one.hardware.is_some()));
    }
}

#[test]
fn how_often_in_a_row_is_counted_from_the_newest_run_back() {
    let earlier: Vec<Columns> =
        [&[8][..], &[8, 41], &[], &[8]].iter().enumerate().map(|(n, slow)| run(n, slow).0).collect();
    let (columns, hardware) = run(9, &[8, 41]);
    let found = slow_nodes(&columns, &hardware, &earlier);
    let row = |node: &str| {
        found.iter().filter(|one| one.node == node && one.step.verb() == "downloads").map(|one| one.in_a_row).max()
    };
    assert_eq!((row("dgx-008"), row("dgx-041")), (Some(3), Some(1)));
}

#[test]
fn hardware_of_one_node_is_judged_among_all() {
    let (columns, mut hardware) = run(3, &[41]);
    hardware.insert("dgx-041".to_owned(), "alone".to_owned());
    let found = slow_nodes(&columns, &hardware, &[]);
    assert_eq!(nodes(&found), BTreeSet::from(["dgx-041"]));
    assert!(found.iter().all(|one| one.hardware.is_none()));
}

#[test]
fn a_node_of_which_nothing_is_known_has_no_hardware() {
    let traits = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let nodes = [("a", traits(&[("GPUs", "8"), ("kernel", "6.8")])), ("b", traits(&[("kernel", "6.8")]))];
    let told = hardware(&nodes.map(|(node, traits)| (node.to_owned(), traits)).into());
    assert_eq!(told, Hardware::from([("a".to_owned(), "8 GPUs".to_owned())]));
}
