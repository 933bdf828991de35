use super::*;
use crate::columns::Columns;
use plinth_model::run::{Counts, RunHead};
use plinth_model::{Event, EventBody, Outcome, SiteName, Stage};

/// A chain of steps and some beside it: seconds each takes, in a run of this id.
fn run(id: &str, took: &[(&str, f64, StepState)]) -> RunView {
    let mut bodies =
        vec![(0.0, EventBody::RunStarted(RunHead::new(id, Digest::of("plan"), SiteName::new("lab").unwrap())))];
    let (mut now, mut last) = (0.0, None);
    for (name, seconds, outcome) in took {
        let step = StepId::try_from((*name).to_owned()).unwrap();
        let stage = Stage::Nodes;
        bodies.push((
            now,
            EventBody::StepStarted {
                step: step.clone(),
                stage,
                node: None,
                reason: "r".into(),
                ready_at: Some(at(now)),
                held_by: None,
                last_need: last.clone(),
            },
        ));
        now += seconds;
        last = Some(step.clone());
        bodies.push((
            now,
            EventBody::StepFinished {
                step,
                stage,
                node: None,
                outcome: *outcome,
                seconds: *seconds,
                detail: String::new(),
                finding: None,
                digest: None,
                installed: None,
                attempts: 1,
                failure: None,
                held_by: None,
            },
        ));
    }
    let outcome = if took.iter().any(|step| step.2 == StepState::Failed) { Outcome::Partly } else { Outcome::Done };
    bodies.push((
        now,
        EventBody::RunFinished {
            outcome,
            exit: 0,
            counts: Counts::default(),
            seconds: now,
            next: Vec::new(),
            digest: None,
        },
    ));
    let events: Vec<Event> =
        (1..).zip(bodies).map(|(seq, (when, body))| Event { seq, after: None, at: at(when), body }).collect();
    let _ = Columns::of(&events);
    RunView::of(&events)
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap()
}

const REHEARSED: [(&str, f64, StepState); 6] = [
    ("nodes/account/a", 2.0, StepState::Changed),
    ("nodes/storage/a", 60.0, StepState::Changed),
    ("kubernetes/deploy/lab", 300.0, StepState::Changed),
    ("platform/release/x", 90.0, StepState::Changed),
    ("platform/release/y", 40.0, StepState::Changed),
    ("checks/dns/lab", 5.0, StepState::Unchanged),
];

#[test]
fn the_drift_is_exactly_what_was_delayed() {
    let prediction = Prediction::of(&run("rehearsal", &REHEARSED)).unwrap();
    let delays = [("kubernetes/deploy/lab", 400.0), ("platform/release/y", 35.0)];
    let real: Vec<_> = REHEARSED
        .iter()
        .map(|(id, seconds, state)| {
            let more = delays.iter().find(|(delayed, _)| delayed == id).map_or(0.5, |(_, more)| *more);
            (*id, seconds + more, *state)
        })
        .collect();
    let view = run("real", &real);
    let ghost = Ghost::of(&prediction, &view, &CriticalPath::of(&view, &crate::Shape::default())).unwrap();
    let told: Vec<(&str, f64)> = ghost.drift.iter().map(|drift| (drift.step.as_str(), drift.late_s())).collect();
    assert_eq!(told.len(), 2);
    for ((step, late), (delayed, more)) in told.iter().zip(delays) {
        assert!(*step == delayed && (late - more).abs() < 0.01, "{told:?}");
    }
    assert_eq!(ghost.left_at().unwrap().step.as_str(), "kubernetes/deploy/lab");
    assert!(ghost.same_plan && ghost.shared == 6 && ghost.others == 0);
    let exact = run("again", &REHEARSED);
    assert_eq!(Ghost::of(&prediction, &exact, &CriticalPath::of(&exact, &crate::Shape::default())).unwrap().drift, []);
}

#[test]
fn what_was_done_before_is_no_drift_and_what_failed_comes_first() {
    let prediction = Prediction::of(&run("rehearsal", &REHEARSED)).unwrap();
    let real = [
        ("nodes/account/a", 0.4, StepState::Unchanged),
        ("nodes/storage/a", 0.4, StepState::Unchanged),
        ("kubernetes/deploy/lab", 700.0, StepState::Changed),
        ("platform/release/x", 3.0, StepState::Failed),
        ("nodes/account/b", 2.0, StepState::Changed),
    ];
    let view = run("real", &real);
    let ghost = Ghost::of(&prediction, &view, &CriticalPath::of(&view, &crate::Shape::default())).unwrap();
    assert_eq!((ghost.done_before, ghost.shared, ghost.others), (2, 4, 3));
    let told: Vec<&str> = ghost.drift.iter().map(|drift| drift.step.as_str()).collect();
    assert_eq!(told, ["platform/release/x", "kubernetes/deploy/lab"]);
    assert!(Prediction::of(&view).is_none(), "a run that failed predicts nothing");
    let bars = ghost_bars(&prediction, &view);
    assert_eq!(bars.len(), 7);
    let of = |id: &str| bars.iter().find(|bar| bar.step.as_str() == id).unwrap();
    assert_eq!((of("nodes/account/b").rehearsed, of("checks/dns/lab").real), (None, None));
    assert_eq!(Ghost::of(&prediction, &run("rehearsal", &REHEARSED), &CriticalPath::default()), None);
    let kept: Prediction = serde_json::from_str(&serde_json::to_string(&prediction).unwrap()).unwrap();
    assert_eq!(kept, prediction);
}
