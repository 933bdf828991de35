use crate::fixture::{example, inventory as data, planned, site, unseen};
use plinth_model::{Exit, SiteName};
use plinth_plan::diff::{Origin, moved};
use plinth_plan::render;
use plinth_plan::saved::{read, write};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn refusal(text: &str) -> String {
    let site = SiteName::new("basepod-a").unwrap();
    let problem = read("plan.json", text.as_bytes(), Some(&site)).unwrap_err();
    assert_eq!(problem.exit, Exit::Input);
    assert!(!problem.attempt.is_empty() && problem.to == "plan.json");
    problem.happened
}

#[test]
fn a_plan_comes_back_as_it_was_written() {
    let plan = example();
    let text = write(&plan).unwrap();
    assert_eq!(read("plan.json", text.as_bytes(), Some(&plan.site)).unwrap(), plan);
}

#[test]
fn the_json_has_the_agreed_fields() {
    let value: serde_json::Value = serde_json::from_str(&write(&example()).unwrap()).unwrap();
    for field in ["schema", "hash", "site", "steps", "gates", "findings", "madeFrom"] {
        assert!(value.get(field).is_some(), "{field}");
    }
    for field in ["id", "kind", "needs", "reason", "change", "params"] {
        assert!(value["steps"][1].get(field).is_some(), "{field}");
    }
}

#[test]
fn what_follows_from_the_kind_is_told_to_scripts_and_not_saved() {
    let plan = example();
    let (saved, told) = (write(&plan).unwrap(), serde_json::to_string(&render::json(&plan)).unwrap());
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    for field in ["stage", "target", "undo", "deadlineS", "destructive", "once"] {
        assert!(told.contains(&format!("\"{field}\":")), "{field}");
        assert!(saved["steps"].as_array().unwrap().iter().all(|step| step.get(field).is_none()), "{field}");
    }
    assert_eq!(
        read("plan.json", told.as_bytes(), Some(&plan.site)).unwrap(),
        plan,
        "what scripts are told is a plan too"
    );
}

#[test]
fn a_saved_plan_does_not_repeat_itself_for_each_node() {
    let plan = example();
    let text = write(&plan).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("{\"id\":")).count();
    assert_eq!(lines, plan.steps.len() + plan.gates.len(), "a line a step, a line a gate");
    let on_nodes = plan.steps.iter().filter(|step| step.work.node().is_some());
    for reason in on_nodes.map(|step| &*step.reason).collect::<BTreeSet<&str>>() {
        let quoted = serde_json::to_string(reason).unwrap();
        assert_eq!(text.matches(&quoted).count(), 1, "{reason}");
    }
}

#[test]
fn each_bad_file_has_one_clear_message() {
    let good = write(&example()).unwrap();
    let cases = [
        (String::new(), "it is not JSON"),
        ("\u{0}\u{1}binary".to_owned(), "it is not JSON"),
        ("[".repeat(10_000), "it is JSON, but not a plan"),
        ("{\"a\": 1}".to_owned(), "it is JSON, but not a plan"),
        (good[..good.len() / 2].to_owned(), "it is not JSON"),
        (good.replacen("\"schema\":2", "\"schema\":7", 1), "it has schema 7, and this plinth knows schema 2"),
        (good.replacen("\"schema\":2", "\"schema\":1", 1), "it has schema 1, and this plinth knows schema 2"),
        (
            good.replacen("\"site\":\"basepod-a\"", "\"site\":\"other\"", 1),
            "it is a plan of site other, not of basepod-a",
        ),
        (good.replacen("/local/containerd", "/tmp/containerd", 1), "it was edited by hand"),
        (good.replacen("nodes/connect/cpu-03", "nodes", 1), "it is not a plan"),
    ];
    for (text, says) in cases {
        let happened = refusal(&text);
        assert!(happened.contains(says), "{happened:?} should say {says:?}");
    }
}

#[test]
fn a_plan_that_hashes_well_but_is_not_sound_is_refused() {
    let mut plan = example();
    plan.steps.reverse();
    plan.hash = plan.content_hash();
    assert!(refusal(&write(&plan).unwrap()).contains("it is not valid (plan."));
}

#[test]
fn what_moved_is_named() {
    let plan = example();
    let mut now = plan.made_from.clone();
    assert_eq!(moved(&plan.made_from, &now), []);
    let mut inventory = data::basepod();
    inventory.nodes[4].interfaces[1].address = "10.184.162.111".into();
    now.inventory = planned(&site::basepod(), &unseen(inventory)).made_from.inventory;
    now.plinth = "9.9.9".into();
    let what: Vec<Origin> = moved(&plan.made_from, &now).iter().map(|m| m.what).collect();
    assert_eq!(what, [Origin::Inventory, Origin::Plinth]);
    assert!(moved(&plan.made_from, &now)[0].to_string().starts_with("the inventory says something else ("));
}

proptest! {
    #[test]
    fn the_reader_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read("plan.json", &bytes, None).is_err());
    }

    #[test]
    fn one_changed_byte_is_never_taken_for_another_plan(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let plan = example();
        let mut bytes = write(&plan).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = read("plan.json", &bytes, None) {
            prop_assert_eq!(read.content_hash(), plan.content_hash());
        }
    }
}
