use super::*;
use crate::made::{self, acting, at, finished, head, id, started};
use plinth_model::run::RunHead;
use plinth_model::{EventBody, StepState};

/// Steps with their beginning, the beginning of their effect and their end.
fn view(run: &str, steps: &[(&str, i32, Option<i32>, Option<i32>)]) -> RunView {
    let head = RunHead { steps: 10, owner: "anna@bastion (process 4711)".into(), ..head(run) };
    let mut told = vec![(0, EventBody::RunStarted(head))];
    for (name, began, acts, ended) in steps {
        told.push((*began, started(id(name), None, None)));
        told.extend(acts.map(|when| (when, acting(id(name)))));
        let outcome = if acts.is_some() { StepState::Changed } else { StepState::Unchanged };
        told.extend(ended.map(|when| (when, finished(id(name), None, outcome))));
    }
    told.sort_by_key(|(when, _)| *when);
    made::view(told.into_iter().map(|(when, body)| (at(f64::from(when)), body)))
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
    let told = stop_now((&now, &Shape::default()), &past, at(63.0)).unwrap();
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
    let told = stop_now((&now, &Shape::default()), &Past::default(), at(63.0)).unwrap();
    assert_eq!((told.clean_s, told.no_history.as_slice()), (None, &["kubernetes/deploy".to_owned()][..]));
    let mut ended = now;
    ended.end = Some(plinth_model::run::RunEnd {
        outcome: plinth_model::Outcome::Done,
        exit: 0,
        counts: plinth_model::run::Counts::default(),
        seconds: 1.0,
        next: Vec::new(),
    });
    assert_eq!(stop_now((&ended, &Shape::default()), &Past::default(), at(63.0)), None);
}

#[test]
fn a_stop_waits_for_looks_too_and_nothing_is_called_them() {
    let mut past = Past::default();
    past.take(&view("old", &[("checks/dns/lab", 0, None, Some(1_200))]));
    let told =
        stop_now((&view("r-1", &[("checks/dns/lab", 0, None, None)]), &Shape::default()), &past, at(10.0)).unwrap();
    assert_eq!((told.mid_effect.len(), told.looking), (0, 1));
    assert!(told.clean_s.unwrap().1 > 600.0 && told.slowest == Some(id("checks/dns/lab")), "{told:?}");
    let said = "nothing is in the middle of its effect; looking or waiting: 1 step. Ctrl-C once lets that end; then";
    assert!(told.hand_over.contains(said), "{}", told.hand_over);
    let mut small = view("r-1", &[("checks/dns/lab", 0, None, None)]);
    small.run.as_mut().unwrap().small = Some("rollback gpu-operator".into());
    assert!(
        stop_now((&small, &Shape::default()), &past, at(10.0))
            .unwrap()
            .hand_over
            .contains("then `plinth rollback gpu-operator` from")
    );
    let idle =
        stop_now((&view("r-1", &[("nodes/account/a", 0, Some(1), Some(2))]), &Shape::default()), &past, at(10.0))
            .unwrap();
    assert!(idle.hand_over.contains("nothing runs. Ctrl-C once ends it; then"), "{}", idle.hand_over);
}

/// Two releases have little in common, two nodes much: of the first nothing is made up.
#[test]
fn what_other_releases_took_in_this_run_says_nothing_of_one_that_was_never_seen() {
    let now = view(
        "r-1",
        &[("platform/release/lws", 0, Some(1), Some(35)), ("platform/release/gpu-operator", 36, Some(37), None)],
    );
    let told = stop_now((&now, &Shape::default()), &Past::default(), at(60.0)).unwrap();
    assert_eq!((told.clean_s, told.no_history.as_slice()), (None, &["platform/release".to_owned()][..]));
    assert_eq!((told.mid_effect[0].left_s, told.mid_effect[0].known_by), (None, None));

    let mut past = Past::default();
    past.take(&view("old", &[("platform/release/gpu-operator", 0, Some(1), Some(200))]));
    let told = stop_now((&now, &Shape::default()), &past, at(60.0)).unwrap();
    assert_eq!(told.mid_effect[0].known_by, Some(KnownBy { runs: 1, rehearsals: 0, steps: 0 }));
    assert!(told.mid_effect[0].left_s.is_some() && told.clean_s.is_some());
}

#[test]
fn a_run_that_is_being_stopped_is_not_told_how_to_be_stopped() {
    let mut now = view("r-1", &[("kubernetes/deploy/lab", 3, Some(4), None)]);
    now.stopping = Some("stopping after 1 running step has finished".into());
    let told = stop_now((&now, &Shape::default()), &Past::default(), at(63.0)).unwrap();
    assert!(told.stopping && !told.hand_over.contains("Ctrl-C once"), "{}", told.hand_over);
}
