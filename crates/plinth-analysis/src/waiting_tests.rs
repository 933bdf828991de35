use super::*;
use crate::graph::tests::shape_step;
use crate::made;
use plinth_model::EventBody;
use plinth_model::run::RunHead;
use proptest::prelude::*;

/// Random shapes in some moment of a run that could have happened: steps that ended or run have all that they need, two of a lane never run
/// together, and no more than the slots.
fn moments() -> impl Strategy<Value = (Shape, Situation)> {
    let row = (prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0_u8..5, 0_u8..4);
    (prop::collection::vec(row, 1..25), 1_usize..5).prop_map(|(rows, slots)| {
        let steps = rows.iter().enumerate().map(|(i, (needs, lane, _))| {
            let needs: Vec<usize> = needs.iter().filter(|_| i > 0).map(|need| need.index(i)).collect();
            shape_step(&format!("nodes/s/{i}"), &needs, ["node a", "node b"].get(usize::from(*lane)).copied())
        });
        let shape = Shape::new(steps.collect());
        let mut at = Situation { states: vec![StepState::Pending; rows.len()], slots, stopping: false };
        for (i, (_, _, luck)) in rows.iter().enumerate() {
            let begins = at.reasons(&shape).get(i) == Some(&Some(Reason::None));
            if begins && *luck > 0 {
                at.states[i] = if *luck == 1 { StepState::Acting } else { StepState::Changed };
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
        let all = waiting(&view, &shape);
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
