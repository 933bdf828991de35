use super::*;
use crate::graph::tests::shape_step;
use crate::made;
use plinth_model::EventBody;
use plinth_model::run::RunHead;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Random shapes in some moment of a run that could have happened: steps that ended or run have all that they need, two of a lane never run
/// together, and no more than the slots.
fn moments() -> impl Strategy<Value = (Shape, Situation)> {
    let row = (prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0_u8..5, 0_u8..5);
    (prop::collection::vec(row, 1..25), 1_usize..5).prop_map(|(rows, slots)| {
        let steps = rows.iter().enumerate().map(|(i, (needs, lane, _))| {
            let needs: Vec<usize> = needs.iter().filter(|_| i > 0).map(|need| need.index(i)).collect();
            shape_step(&format!("nodes/s/{i}"), &needs, ["node a", "node b"].get(usize::from(*lane)).copied())
        });
        let shape = Shape::new(steps.collect());
        let states = vec![StepState::Pending; rows.len()];
        let mut at = Situation { states, again: BTreeSet::new(), slots, stopping: false };
        for (i, (_, _, luck)) in rows.iter().enumerate() {
            let begins = at.reasons(&shape).get(i) == Some(&Some(Reason::None));
            if begins && *luck > 0 {
                at.states[i] = match luck {
                    1 => StepState::Acting,
                    2 => StepState::Looking,
                    _ => StepState::Changed,
                };
                at.again.extend((*luck == 2).then_some(i));
            }
        }
        (shape, at)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is taken away is only what the reason names; nothing else is touched, so a wrong reason would not let the step begin.
    #[test]
    fn each_step_that_does_not_run_has_one_reason_and_without_it_it_begins((shape, at) in moments()) {
        for (index, reason) in at.reasons(&shape).into_iter().enumerate() {
            let pending = at.states[index] == StepState::Pending;
            prop_assert_eq!(reason.is_some(), pending);
            let mut then = at.clone();
            let mut told = Vec::new();
            while let Some(Some(reason)) = then.reasons(&shape).get(index).cloned() {
                if reason == Reason::None {
                    break;
                }
                prop_assert!(!told.contains(&reason), "{reason:?} was taken away and is told again");
                told.push(reason.clone());
                match reason {
                    Reason::Need(place) | Reason::Lane(place) => then.states[place] = StepState::Changed,
                    Reason::Slot => then.slots += 1,
                    Reason::Stop | Reason::None => prop_assert!(false, "{reason:?}"),
                }
            }
            // Needs come first, then one of lane and slot: what begins is never held twice.
            let needs = told.iter().take_while(|reason| matches!(reason, Reason::Need(_))).count();
            prop_assert!(told.len() - needs <= 1, "{told:?}");
        }
        let stopping = Situation { stopping: true, ..at };
        prop_assert!(stopping.reasons(&shape).into_iter().flatten().all(|reason| reason == Reason::Stop));
    }
}

/// The view of a moment: what runs began, what is done ended.
fn view_of(shape: &Shape, at: &Situation) -> RunView {
    let mut told =
        vec![EventBody::RunStarted(RunHead { parallel: at.slots, steps: at.states.len(), ..made::head("r") })];
    for (step, state) in shape.steps().iter().zip(&at.states) {
        if *state != StepState::Pending {
            told.push(made::started(step.id.clone(), None, None));
        }
        if state.is_done() {
            told.push(made::finished(step.id.clone(), None, *state));
        }
    }
    made::view((1_u32..).zip(told).map(|(second, body)| (made::at(f64::from(second)), body)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each step that has not begun is told once; what holds its lane or the slots is named, runs, and is what it waits for.
    #[test]
    fn whoever_holds_a_lane_or_a_slot_is_named((shape, at) in moments()) {
        let view = view_of(&shape, &at);
        let all = waiting(&view, &shape, made::at(100.0));
        let pending = at.states.iter().filter(|state| **state == StepState::Pending).count();
        prop_assert_eq!(all.len(), pending);
        for one in &all {
            let root = one.chain.last().unwrap_or(&one.step);
            let place = shape.place(root).unwrap();
            let held = one.root_held_by.as_ref().or(one.held_by.as_ref().filter(|_| one.chain.is_empty()));
            let waits_for_holder = matches!(held, Some(HeldBy::Lane { .. } | HeldBy::Slot { .. }));
            prop_assert_eq!(!one.holders.is_empty(), waits_for_holder, "{:?}", one);
            for holder in &one.holders {
                let holding = shape.place(holder).unwrap();
                prop_assert!(at.states[holding].is_running());
                // Its end, and what is done then is no more in the way.
                let mut then = at.clone();
                then.states[holding] = StepState::Changed;
                let reason = then.reasons(&shape)[place].clone();
                prop_assert!(matches!(reason, Some(Reason::None | Reason::Slot)), "{:?} holds {}: {:?}", holder, root, reason);
                let is_lane = matches!(held, Some(HeldBy::Lane { .. }));
                prop_assert!(is_lane || reason == Some(Reason::None));
            }
        }
    }
}

/// A node that does not answer and one that is busy; the installation needs both, and everything else needs it.
fn dead_and_busy() -> (Shape, RunView) {
    let names = ["nodes/account/dead", "nodes/downloads/busy", "nodes/facts/dead", "nodes/prepare/busy"];
    let mut steps: Vec<crate::ShapeStep> =
        names.iter().zip([&[][..], &[], &[0], &[1]]).map(|(name, needs)| shape_step(name, needs, None)).collect();
    steps.push(shape_step("kubernetes/deploy/lab", &[2, 3], None));
    steps.extend((0..5).map(|n| shape_step(&format!("platform/release/{n}"), &[4], None)));
    let retried = |attempt| EventBody::StepRetrying {
        step: made::id("nodes/account/dead"),
        attempt,
        message: "looking at the account on dead (192.0.2.1): no answer from 192.0.2.1 port 22".into(),
        wait_s: 5.0,
        next_at: Some(made::at(f64::from(attempt) * 25.0)),
    };
    let view = made::view([
        (made::at(0.0), EventBody::RunStarted(RunHead { steps: 10, parallel: 8, ..made::head("r") })),
        (made::at(1.0), made::started(made::id("nodes/account/dead"), None, None)),
        (made::at(2.0), made::started(made::id("nodes/downloads/busy"), None, None)),
        (made::at(20.0), retried(1)),
        (made::at(45.0), retried(2)),
    ]);
    (Shape::new(steps), view)
}

#[test]
fn a_step_that_fails_and_is_tried_again_is_the_root_of_all_that_stands_behind_it() {
    let (shape, view) = dead_and_busy();
    let all = waiting(&view, &shape, made::at(60.0));
    let roots: Vec<(&str, &str)> =
        all.iter().map(|one| (one.step.as_str(), one.root.as_ref().unwrap().step.target())).collect();
    assert_eq!(roots.iter().filter(|(_, root)| *root == "dead").count(), 7, "{roots:?}");
    assert!(roots.contains(&("nodes/prepare/busy", "busy")), "{roots:?}");
    let deploy = all.iter().find(|one| one.step.as_str() == "kubernetes/deploy/lab").unwrap();
    assert_eq!(deploy.chain, [made::id("nodes/facts/dead"), made::id("nodes/account/dead")]);
}

/// A look that is repeated tells nobody that it begins: its moment is over, so it is on.
#[test]
fn an_attempt_is_to_come_until_its_moment_and_on_afterwards() {
    let (shape, view) = dead_and_busy();
    let again = |now| waiting(&view, &shape, made::at(now))[0].root.clone().unwrap().again.unwrap();
    assert_eq!((again(46.0).attempt, again(46.0).in_s), (3, Some(4.0)));
    assert_eq!((again(50.0).attempt, again(50.0).in_s), (3, None));
    assert_eq!(waiting(&view, &shape, made::at(60.0))[0].root_next_at, None, "no past moment is told as one to come");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// What comes first has everything behind it that stands behind it at all, however many others hold the same steps up.
    #[test]
    fn the_first_of_the_ranks_has_all_its_steps((shape, at) in moments()) {
        let ranks = at.ranks(&shape, &at.lanes(&shape));
        let Some(first) = ranks.iter().min_by_key(|(_, rank)| **rank).map(|(place, _)| *place) else { return Ok(()) };
        let id = &shape.steps()[first].id;
        let view = view_of(&shape, &at);
        let mut here = at.clone();
        here.again.retain(|place| *place == first);
        // As long as only needs count: what waits for a lane has a holder of its own.
        let reasons = here.reasons(&shape);
        let needs_it = |index: usize| shape.reach(&shape.steps()[index].id, true).contains(id);
        for (index, reason) in reasons.iter().enumerate().filter(|(index, _)| needs_it(*index)) {
            if view.state_of(&shape.steps()[index].id) != StepState::Pending {
                continue;
            }
            let mut root = index;
            let mut told = reason.clone();
            while let Some(Reason::Need(need)) = told {
                root = need;
                told = reasons[need].clone();
            }
            if let Some(Reason::Lane(holder)) = told {
                root = holder;
            }
            prop_assert_eq!(root, first, "{} of {:?}", shape.steps()[index].id.as_str(), at);
        }
    }
}
