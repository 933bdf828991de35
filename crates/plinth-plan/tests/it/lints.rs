//! Each flaw is made by hand, and must be found: the checker has to be able to fail.

use crate::fixture::{codes, example};
use plinth_model::plan::{Condition, Plan};
use plinth_model::steps::{ComponentRemoval, HelmRelease};
use plinth_model::{Parts, Stage, StepId, Work};
use plinth_plan::lint::lint;

fn at(plan: &Plan, id: &str) -> usize {
    plan.steps.iter().position(|s| s.id.as_str() == id).unwrap()
}

/// What lint says after the change; the hash is made to fit.
fn after(change: impl FnOnce(&mut Plan)) -> Vec<String> {
    let mut plan = example();
    change(&mut plan);
    plan.hash = plan.content_hash();
    codes(&lint(&plan)).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_sound_plan_has_no_flaw_and_a_changed_one_has_the_wrong_hash() {
    let mut plan = example();
    assert_eq!(lint(&plan), []);
    plan.steps.pop();
    assert_eq!(codes(&lint(&plan)), ["plan.hash-wrong"]);
}

#[test]
fn ids_needs_and_order() {
    assert_eq!(after(|p| p.steps.push(p.steps[p.steps.len() - 1].clone())), ["plan.id-twice"]);
    assert_eq!(after(|p| p.steps[3].needs.push(StepId::new("a", "b", "c"))), ["plan.need-orphan"]);
    let found = after(|p| {
        let (first, last) = (at(p, "nodes/connect/cpu-03"), at(p, "nodes/facts/cpu-03"));
        let last = p.steps[last].id.clone();
        p.steps[first].needs.push(last);
    });
    assert_eq!(found, ["plan.order-wrong", "plan.cycle"]);
}

#[test]
fn gates() {
    let storage = |p: &Plan| at(p, "nodes/storage/dgx-05");
    assert!(after(|p| p.gates.retain(|g| g.id.as_str() != "storage/dgx-05")).contains(&"plan.gate-unknown".into()));
    assert!(after(|p| p.gates[0].opened_by = StepId::new("a", "b", "c")).contains(&"plan.gate-shut".into()));
    assert!(after(|p| p.gates[4].answers.truncate(1)).contains(&"plan.gate-idle".into()));
    let wrong = Condition { gate: "storage/dgx-05".parse().unwrap(), answer: "melt".parse().unwrap() };
    assert_eq!(
        after(|p| {
            let s = storage(p);
            p.steps[s].when = Some(wrong);
        }),
        ["plan.answer-impossible"]
    );
    assert_eq!(
        after(|p| {
            let s = storage(p);
            p.steps[s].needs.clear();
        }),
        ["plan.gate-not-awaited"]
    );
}

#[test]
fn a_majority_is_never_interrupted_at_once() {
    let found = after(|p| {
        let second = at(p, "nodes/storage/cpu-05");
        p.steps[second].needs.retain(|n| n.verb() != "storage-old");
    });
    assert_eq!(found, ["plan.quorum-at-risk"]);
}

#[test]
fn reasons() {
    assert_eq!(after(|p| p.steps[0].reason = " ".into()), ["plan.reason-missing"]);
}

#[test]
fn what_is_destroyed_is_said() {
    let found = after(|p| {
        let release = at(p, "platform/release/runai-control-plane");
        p.steps[release].work = Work::ComponentRemoval(ComponentRemoval {
            parts: Parts { component: "runai-control-plane".to_owned(), ..Parts::default() },
            timeout_s: 60,
            loses: String::new(),
            stage: Stage::Runai,
        });
    });
    assert_eq!(found, ["plan.mark-missing"]);
}

#[test]
fn secrets_in_clear() {
    let found = after(|p| {
        let release = at(p, "platform/release/runai-control-plane");
        let Work::HelmRelease(HelmRelease { release, .. }) = &mut p.steps[release].work else { panic!() };
        let mut json = release.values.clone().into_json();
        json["adminPassword"] = "hunter2".into();
        release.values = json.try_into().unwrap();
    });
    assert_eq!(found, ["plan.secret-in-clear"]);
}
