//! Nodes that a site excludes for good, and nodes that one run leaves out.

use crate::fixture::catalog::Shelf;
use crate::fixture::site::{name, names};
use crate::fixture::{codes, inventory as data, planned, site, unseen};
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRun;
use plinth_model::{Finding, NodeName, Plan, Work};
use plinth_plan::{discover, plan};
use plinth_site::Desired;
use plinth_site::desired::Selector;

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn without(nodes: &[&str]) -> Desired {
    let mut desired = site::basepod();
    desired.run.without = nodes.iter().map(|name| node(name)).collect();
    desired
}

fn refused(desired: &Desired) -> Vec<Finding> {
    plan(desired, &unseen(data::basepod()), &Shelf::default()).unwrap_err()
}

fn play(plan: &Plan) -> &KubesprayRun {
    let play =
        plan.steps.iter().find_map(|step| if let Work::KubesprayRun(run) = &step.work { Some(run) } else { None });
    play.unwrap()
}

fn steps_of<'a>(plan: &'a Plan, name: &str) -> Vec<&'a str> {
    let of = |step: &&plinth_model::Step| {
        step.id.as_str().contains(name) || step.needs.iter().any(|n| n.as_str().contains(name))
    };
    plan.steps.iter().filter(of).map(|step| step.id.as_str()).collect()
}

#[test]
fn a_worker_is_left_out_and_the_plan_says_what_it_needs_later() {
    let usual = planned(&site::basepod(), &unseen(data::basepod()));
    let plan = planned(&without(&["dgx-05"]), &unseen(data::basepod()));
    assert_eq!(steps_of(&plan, "dgx-05"), Vec::<&str>::new(), "nothing is done on it, and nothing waits for it");
    assert!(steps_of(&plan, "dgx-06").contains(&"kubernetes/ready/dgx-06"));
    assert_eq!(plan.made_from.without, [node("dgx-05")]);
    assert_ne!(plan.hash, usual.hash, "an approval of one is none of the other");
    let run = play(&plan);
    assert_eq!(run.without, [node("dgx-05")]);
    assert!(!run.parts.hosts.contains_key(&node("dgx-05")));
    assert!(run.targets.iter().all(|target| target.node != node("dgx-05")));
    let said = plan.findings.iter().find(|finding| finding.code == code::NODES_WITHOUT).unwrap();
    let later = said.evidence.join(" ");
    for id in ["nodes/account/dgx-05", "kubernetes/ready/dgx-05"] {
        assert!(later.contains(id), "{later}");
    }
    let moved = plinth_plan::diff::moved(&usual.made_from, &plan.made_from);
    assert_eq!(moved.len(), 1, "{moved:?}");
}

#[test]
fn an_unfit_worker_is_tried_alone_and_nothing_waits_for_it() {
    let mut desired = site::basepod();
    desired.run.unfit = vec![node("dgx-05")];
    let plan = planned(&desired, &unseen(data::basepod()));
    let of = steps_of(&plan, "dgx-05");
    assert!(of.contains(&"nodes/connect/dgx-05"), "{of:?}");
    assert!(of.iter().all(|id| id.starts_with("nodes/") && id.ends_with("/dgx-05")), "{of:?}");
    assert!(!play(&plan).parts.hosts.contains_key(&node("dgx-05")));
}

#[test]
fn who_counts_in_a_majority_or_is_unknown_cannot_be_left_out() {
    let found = refused(&without(&["cpu-05", "dgx-5"]));
    let errors: Vec<&Finding> = found.iter().filter(|finding| finding.is_error()).collect();
    assert_eq!(errors.iter().map(|f| f.code).collect::<Vec<_>>(), [code::NODES_WITHOUT_QUORUM, code::NODES_NO_MATCH]);
    assert!(errors[1].fix.contains("dgx-05"), "{}", errors[1].fix);
    assert!(codes(&refused(&without(&["dgx-05", "dgx-06", "cpu-03"]))).contains(&"nodes.without-quorum"));
}

#[test]
fn an_exclude_takes_nodes_out_of_every_role() {
    let mut desired = site::basepod();
    desired.nodes.workers = vec![Selector::Glob("dgx-*".into())];
    let all = discover(&desired, &data::basepod());
    desired.nodes.exclude = names(&["dgx-05"]);
    let found = discover(&desired, &data::basepod());
    assert_eq!(found.members.workers.len() + 1, all.members.workers.len());
    assert_eq!(found.members.gpu.len() + 1, all.members.gpu.len());
    assert!(!codes(&found.findings).iter().any(|code| code.starts_with("nodes.exclude")), "{:?}", found.findings);
    // Machines without a safe address are no obstacle any more.
    desired.nodes.exclude = names(&["dgx-05", "dgx-07", "dgx-08"]);
    let plan = planned(&desired, &unseen(data::basepod()));
    assert_eq!(steps_of(&plan, "dgx-05"), Vec::<&str>::new());
    assert!(!steps_of(&plan, "dgx-06").is_empty());
}

#[test]
fn an_exclude_that_takes_nothing_away_is_told() {
    let with = |exclude: Vec<Selector>| {
        let mut desired = site::basepod();
        desired.nodes.exclude = exclude;
        discover(&desired, &data::basepod()).findings
    };
    let typo = with(vec![name("dgx-o5")]);
    let typo = typo.iter().find(|finding| finding.subject == "nodes.exclude[0]").unwrap();
    assert!(typo.is_error() && typo.code == code::NODES_NO_MATCH && typo.fix.contains("dgx-05"), "{typo:?}");
    let mut desired = site::basepod();
    desired.nodes.workers = names(&["dgx-05"]);
    desired.nodes.exclude = names(&["dgx-06"]);
    desired.nodes.gpu = names(&["dgx-05"]);
    let unused = discover(&desired, &data::basepod()).findings;
    assert!(codes(&unused).contains(&"nodes.exclude-unused"), "{unused:?}");
}
