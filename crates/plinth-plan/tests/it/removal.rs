use crate::fixture::catalog::Shelf;
use crate::fixture::{codes, inventory as data, site, unseen};
use plinth_model::plan::Plan;
use plinth_model::steps::Undo;
use plinth_model::steps::{KubesprayRemoval, Removal};
use plinth_model::{Finding, NodeName, Work};
use plinth_plan::removal;

fn planned(wanted: &Removal) -> Result<Plan, Vec<Finding>> {
    removal(&site::basepod(), &unseen(data::basepod()), &Shelf::default(), wanted)
}

fn nodes(names: &[&str], reachable: bool) -> Removal {
    Removal::Nodes { nodes: names.iter().map(|name| NodeName::new(name).unwrap()).collect(), reachable }
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.to_string()).collect()
}

const BEFORE: [&str; 4] = [
    "kubernetes/source/kubespray",
    "kubernetes/environment/kubespray",
    "kubernetes/inventory/kubespray",
    "kubernetes/removal/basepod-a",
];

#[test]
fn a_reset_takes_kubernetes_from_all_hosts_and_proves_it_on_each() {
    let plan = planned(&Removal::All).unwrap();
    let clean = ["cpu-03", "cpu-05", "cpu-06", "dgx-05", "dgx-06"].map(|node| format!("nodes/leftovers/{node}"));
    assert_eq!(lines(&plan), [BEFORE.map(str::to_owned).to_vec(), clean.to_vec()].concat());
    for step in &plan.steps[3..] {
        assert!(
            step.work.destroys().is_some() && matches!(step.work.properties().undo, Undo::OneWay(_)),
            "{}",
            step.id
        );
    }
    assert_eq!(plan.pending(), plan.steps.len(), "what was not looked at may have to be done");
    let Work::KubesprayRemoval(KubesprayRemoval { targets, .. }) = &plan.steps[3].work else {
        panic!("{:?}", plan.steps[3])
    };
    assert_eq!(targets.len(), 5);
}

#[test]
fn where_nothing_of_kubernetes_is_left_nothing_is_fetched_and_no_node_is_touched() {
    let plan = planned(&Removal::Unprovisioned).unwrap();
    assert_eq!(lines(&plan), [BEFORE[3]]);
    let step = &plan.steps[0];
    assert!(step.needs.is_empty() && step.work.destroys().unwrap().contains("no node is touched"));
    assert!(!step.work.changes_on(&NodeName::new("dgx-05").unwrap()));
}

#[test]
fn workers_leave_alone_and_are_cleaned_if_they_answer() {
    let plan = planned(&nodes(&["dgx-06"], true)).unwrap();
    assert_eq!(lines(&plan), [BEFORE.to_vec(), vec!["nodes/leftovers/dgx-06"]].concat());
    assert_eq!(lines(&planned(&nodes(&["dgx-06"], false)).unwrap()), BEFORE);
}

#[test]
fn who_cannot_leave_is_told_before_anything_is_done() {
    let findings = planned(&nodes(&["dgx-77", "cpu-03"], true)).unwrap_err();
    assert_eq!(codes(&findings), ["kubespray.remove-unknown", "kubespray.remove-quorum"]);
}
