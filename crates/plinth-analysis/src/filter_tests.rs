#![allow(clippy::unwrap_used)]
use super::*;
use crate::graph::tests::shape_step;
use plinth_model::{Stage, StepState};

fn row(step: &str, state: StepState, took: f64) -> Row {
    let step = StepId::try_from(step.to_owned()).unwrap();
    Row {
        kind: crate::kind_of(&step),
        node: (step.area() == "nodes").then(|| step.target().to_owned()),
        step,
        stage: Stage::Nodes,
        ready_s: Some(0.0),
        started_s: Some(1.0),
        acting_s: None,
        ended_s: Some(1.0 + took),
        state,
        attempts: 1,
        held_by: None,
    }
}

#[test]
fn every_term_chooses_and_the_one_that_empties_the_list_is_named() {
    let rows = [
        row("nodes/downloads/dgx-05", StepState::Failed, 40.0),
        row("nodes/downloads/dgx-06", StepState::Changed, 2.0),
        row("kubernetes/deploy/lab", StepState::NotRun, 0.0),
    ];
    let held = Waiting {
        step: rows[2].step.clone(),
        held_by: Some(HeldBy::Need { step: rows[0].step.clone() }),
        chain: vec![rows[0].step.clone()],
        root: None,
        root_state: StepState::Failed,
        seconds: None,
        root_held_by: None,
        holders: Vec::new(),
        root_next_at: None,
        interrupted: None,
    };
    let subjects: Vec<Subject<'_>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| Subject { row, waiting: (at == 2).then_some(&held), detail: "No route to host" })
        .collect();
    let shape = Shape::new(vec![
        shape_step("nodes/downloads/dgx-05", &[], None),
        shape_step("nodes/downloads/dgx-06", &[], None),
        shape_step("kubernetes/deploy/lab", &[0], None),
    ]);
    let chosen = |text: &str| Filter::parse(text).unwrap().choose(&subjects, &shape);
    for (text, wanted) in [
        ("", vec![0, 1, 2]),
        ("state:failed", vec![0]),
        ("state:not-*", vec![2]),
        ("node:dgx-*", vec![0, 1]),
        ("node:*-06", vec![1]),
        ("kind:nodes/downloads took:>30s", vec![0]),
        ("took:<5", vec![1, 2]),
        ("took:>0.5min", vec![0]),
        ("waiting:need", vec![2]),
        ("waiting:any", vec![2]),
        ("down:nodes/downloads/dgx-05", vec![0, 2]),
        ("up:kubernetes/deploy/lab", vec![0, 2]),
        ("stage:nodes", vec![0, 1, 2]),
        ("stage:Nodes dgx*6", vec![1]),
        ("ROUTE", vec![0, 1, 2]),
        ("ROUTE dgx", vec![0, 1]),
        ("no*host d*-05", vec![0]),
    ] {
        assert_eq!(chosen(text), Ok(wanted), "{text}");
    }
    assert_eq!(chosen("node:dgx-* waiting:slot state:failed"), Err("waiting:slot".to_owned()));
    for wrong in ["state:", "took:30", "took:>x", "color:red", "waiting:godot", "up:nothing", "stage:moon"] {
        assert!(Filter::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn patterns_are_stars_alone() {
    for (pattern, text, fits) in [
        ("dgx-*", "dgx-05", true),
        ("*", "", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b", "a-b-c", false),
        ("dgx", "dgx-05", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(like(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn a_state_is_asked_for_as_it_is_told_too() {
    for (state, words) in
        [(StepState::Pending, ["waiting", "pending"]), (StepState::Unknown, ["interrupted", "unknown"])]
    {
        let row = row("nodes/downloads/dgx-05", state, 1.0);
        let subject = Subject { row: &row, waiting: None, detail: "" };
        for word in words {
            let filter = Filter::parse(&format!("state:{word}")).unwrap();
            assert_eq!(filter.choose(&[subject], &Shape::default()), Ok(vec![0]), "{word}");
        }
    }
}

#[test]
fn a_stage_is_asked_for_as_it_is_told_and_as_it_is_typed() {
    let mut row = row("platform/release/runai", StepState::Changed, 1.0);
    row.stage = Stage::Runai;
    let subject = Subject { row: &row, waiting: None, detail: "" };
    for (text, fits) in [("stage:Run:ai", true), ("stage:runai", true), ("stage:run*", true), ("stage:platform", false)]
    {
        let found = Filter::parse(text).unwrap().choose(&[subject], &Shape::default());
        assert_eq!(found.is_ok(), fits, "{text}");
    }
    let error = Filter::parse("stage:moon").unwrap_err().to_string();
    assert!(error.contains("discovery, nodes, kubernetes, platform, runai, acceptance"), "{error}");
}
