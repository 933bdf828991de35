use super::*;
use plinth_model::run::RunHead;
use plinth_model::{Digest, Event, EventBody, SiteName, Stage};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn id(text: &str) -> StepId {
    StepId::try_from(text.to_owned()).unwrap()
}

/// Steps with their beginning, the beginning of their effect and their end.
fn view(run: &str, steps: &[(&str, i64, Option<i64>, Option<i64>)]) -> RunView {
    let head = RunHead {
        steps: 10,
        owner: "anna@bastion (process 4711)".into(),
        ..RunHead::new(run, Digest::of(""), SiteName::new("lab").unwrap())
    };
    let mut told = vec![(0, EventBody::RunStarted(head))];
    for (name, began, acting, ended) in steps {
        let (step, stage) = (id(name), Stage::Nodes);
        told.push((
            *began,
            EventBody::StepStarted {
                step: step.clone(),
                stage,
                node: None,
                reason: "r".into(),
                ready_at: None,
                held_by: None,
                last_need: None,
            },
        ));
        told.extend(acting.map(|when| {
            (
                when,
                EventBody::StepActing {
                    step: step.clone(),
                    diff: Vec::new(),
                    attempt: 1,
                    reads_only: false,
                    installed: None,
                },
            )
        }));
        told.extend(ended.map(|when| {
            (
                when,
                EventBody::StepFinished {
                    step: step.clone(),
                    stage,
                    node: None,
                    outcome: StepState::Changed,
                    seconds: 0.0,
                    detail: String::new(),
                    finding: None,
                    digest: None,
                    installed: None,
                    attempts: 1,
                    failure: None,
                    held_by: None,
                },
            )
        }));
    }
    told.sort_by_key(|(when, _)| *when);
    let events: Vec<Event> =
        (1..).zip(told).map(|(seq, (when, body))| Event { seq, after: None, at: at(when), body }).collect();
    RunView::of(&events)
}

#[test]
fn a_clean_stop_takes_as_long_as_the_slowest_step_that_runs() {
    let mut past = Past::default();
    for run in 0..4 {
        let end = 300 + run * 10;
        past.take(&view(
            "old",
            &[("kubernetes/deploy/lab", 0, Some(1), Some(end)), ("nodes/account/a", 0, Some(1), Some(3))],
        ));
    }
    let now = view(
        "r-1",
        &[
            ("nodes/account/b", 0, Some(1), Some(3)),
            ("kubernetes/deploy/lab", 3, Some(4), None),
            ("nodes/account/a", 60, Some(61), None),
            ("nodes/facts/a", 61, None, None),
        ],
    );
    let told = stop_now(&now, &past, at(63)).unwrap();
    let named: Vec<&str> = told.mid_effect.iter().map(|one| one.step.as_str()).collect();
    assert_eq!(named, ["kubernetes/deploy/lab", "nodes/account/a"]);
    assert_eq!((told.looking, told.not_begun), (1, 6));
    let (low, high) = told.clean_s.unwrap();
    assert!((130.0..260.0).contains(&low) && (250.0..500.0).contains(&high), "{low} {high}");
    assert_eq!(told.slowest, Some(id("kubernetes/deploy/lab")));
    assert!(
        told.hand_over.contains("anna@bastion") && told.hand_over.contains("kubernetes/deploy/lab for 1 min"),
        "{}",
        told.hand_over
    );
}

#[test]
fn what_was_never_seen_has_no_time_and_an_ended_run_is_not_stopped() {
    let now = view("r-1", &[("kubernetes/deploy/lab", 3, Some(4), None)]);
    let told = stop_now(&now, &Past::default(), at(63)).unwrap();
    assert_eq!((told.clean_s, told.no_history.as_slice()), (None, &["kubernetes/deploy".to_owned()][..]));
    let mut ended = now;
    ended.end = Some(plinth_model::run::RunEnd {
        outcome: plinth_model::Outcome::Done,
        exit: 0,
        counts: plinth_model::run::Counts::default(),
        seconds: 1.0,
        next: Vec::new(),
    });
    assert_eq!(stop_now(&ended, &Past::default(), at(63)), None);
}
