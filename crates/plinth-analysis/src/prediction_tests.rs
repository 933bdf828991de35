use super::*;
use crate::made::{self, at, finished, head, id, run_finished, started};
use plinth_model::{EventBody, Outcome, Stage};

/// A chain of steps: seconds each takes, in a run of this id.
fn run(name: &str, took: &[(&str, f64, StepState)]) -> RunView {
    let mut told = vec![(0.0, EventBody::RunStarted(head(name)))];
    let (mut now, mut last) = (0.0, None);
    for (name, seconds, outcome) in took {
        told.push((now, started(id(name), None, last.map(|last| (last, at(now))))));
        now += seconds;
        last = Some(id(name));
        told.push((now, finished(id(name), None, *outcome)));
    }
    let outcome = if took.iter().any(|step| step.2 == StepState::Failed) { Outcome::Partly } else { Outcome::Done };
    told.push((now, run_finished(outcome, now)));
    made::view(told.into_iter().map(|(when, body)| (at(when), body)))
}

const REHEARSED: [(&str, f64, StepState); 6] = [
    ("nodes/account/a", 2.0, StepState::Changed),
    ("nodes/storage/a", 60.0, StepState::Changed),
    ("kubernetes/deploy/lab", 300.0, StepState::Changed),
    ("platform/release/x", 90.0, StepState::Changed),
    ("platform/release/y", 40.0, StepState::Changed),
    ("checks/dns/lab", 5.0, StepState::Unchanged),
];

fn beside(prediction: &Prediction, view: &RunView) -> Option<RehearsalDiff> {
    RehearsalDiff::of(prediction, view, &CriticalPath::of(view, &crate::Shape::default()))
}

#[test]
fn what_deviates_is_exactly_what_was_delayed() {
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
    let diff = beside(&prediction, &view).unwrap();
    let told: Vec<(&str, f64)> = diff.deviations.iter().map(|one| (one.step.as_str(), one.late_s())).collect();
    assert_eq!(told.len(), 2);
    for ((step, late), (delayed, more)) in told.iter().zip(delays) {
        assert!(*step == delayed && (late - more).abs() < 0.01, "{told:?}");
    }
    assert_eq!(diff.left_at().unwrap().step.as_str(), "kubernetes/deploy/lab");
    assert!(diff.same_plan && diff.is_complete());
    assert_eq!((diff.shared, diff.as_rehearsed, diff.others), (6, 4, 0));
    let exact = beside(&prediction, &run("again", &REHEARSED)).unwrap();
    assert_eq!((exact.deviations.as_slice(), exact.as_rehearsed, exact.is_complete()), (&[][..], 6, true));
}

#[test]
fn what_was_done_before_is_no_deviation_and_what_failed_comes_first() {
    let prediction = Prediction::of(&run("rehearsal", &REHEARSED)).unwrap();
    let real = [
        ("nodes/account/a", 0.4, StepState::Unchanged),
        ("nodes/storage/a", 0.4, StepState::Unchanged),
        ("kubernetes/deploy/lab", 700.0, StepState::Changed),
        ("platform/release/x", 3.0, StepState::Failed),
        ("nodes/account/b", 2.0, StepState::Changed),
    ];
    let view = run("real", &real);
    let diff = beside(&prediction, &view).unwrap();
    assert_eq!((diff.done_before, diff.as_rehearsed, diff.shared, diff.others), (2, 0, 4, 3));
    let told: Vec<&str> = diff.deviations.iter().map(|one| one.step.as_str()).collect();
    assert_eq!(told, ["platform/release/x", "kubernetes/deploy/lab"]);
    assert!(Prediction::of(&view).is_none(), "a run that failed predicts nothing");
    assert_eq!(RehearsalDiff::of(&prediction, &run("rehearsal", &REHEARSED), &CriticalPath::default()), None);
    let kept: Prediction = serde_json::from_str(&serde_json::to_string(&prediction).unwrap()).unwrap();
    assert_eq!(kept, prediction);
}

#[test]
fn a_run_that_was_stopped_is_no_whole_one_and_checks_and_small_runs_are_not_compared() {
    let prediction = Prediction::of(&run("rehearsal", &REHEARSED)).unwrap();
    let mut stopped = REHEARSED[..3].to_vec();
    stopped.push(("platform/release/x", 0.0, StepState::NotRun));
    let diff = beside(&prediction, &run("stopped", &stopped)).unwrap();
    assert_eq!((diff.deviations.as_slice(), diff.as_rehearsed, diff.all()), (&[][..], 3, 6));
    assert!(!diff.is_complete(), "{diff:?}");
    let continued = [REHEARSED.map(|(id, _, _)| (id, 0.4, StepState::Unchanged)), REHEARSED].concat();
    let diff = beside(&prediction, &run("continued", &continued[2..8])).unwrap();
    assert!(!diff.is_complete(), "{diff:?}");

    let mut check = run("check", &REHEARSED[5..]);
    check.run.as_mut().unwrap().stages = [(Stage::Acceptance, 1)].into();
    assert_eq!(beside(&prediction, &check), None);
    let mut small = run("small", &REHEARSED[5..]);
    small.run.as_mut().unwrap().small = Some("rollback x".into());
    assert_eq!(beside(&prediction, &small), None);
}
