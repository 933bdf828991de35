use super::*;
use crate::graph::tests::shape_step;
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
