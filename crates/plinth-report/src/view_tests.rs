//! The view of a run, folded from a run that was written down by hand. It stands here since the script does.

#![allow(clippy::unwrap_used)]

use crate::scripted::{self, Script, id};
use plinth_model::run::{Applied, Gap, StepView, WINDOW};
use plinth_model::{Event, EventBody, RunView, Stage, StepState};
use proptest::prelude::*;

fn is_progress(event: &Event) -> bool {
    event.body.may_be_missed()
}

/// Without progress: what thinned streams must agree on before the run has ended.
fn without_progress(mut view: RunView) -> serde_json::Value {
    view.steps.values_mut().for_each(|step| step.progress = None);
    let mut value = serde_json::to_value(&view).unwrap();
    for step in value["steps"].as_object_mut().unwrap().values_mut() {
        step.as_object_mut().unwrap().remove("seq");
    }
    value
}

/// Each event becomes itself, followed by copies of some that came before; progress events may fall out.
fn disturbed(events: &[Event], choices: &[(bool, u8, prop::sample::Index)]) -> Vec<Event> {
    let mut stream: Vec<Event> = Vec::new();
    for (event, (keep, copies, back)) in events.iter().zip(choices) {
        if *keep || !is_progress(event) {
            stream.push(event.clone());
        }
        for _ in 0..*copies {
            if !stream.is_empty() {
                // A reader that lost its place reads a whole stretch again.
                let stretch: Vec<Event> = stream[back.index(stream.len())..].iter().take(5).cloned().collect();
                stream.extend(stretch);
            }
        }
    }
    stream
}

proptest! {
    #[test]
    fn copies_lost_progress_and_another_order_end_with_the_same_view(
        choices in prop::collection::vec((any::<bool>(), 0u8..3, any::<prop::sample::Index>()), 64),
        order in Just((0..64usize).collect::<Vec<_>>()).prop_shuffle(),
        cut in 1usize..64,
    ) {
        let all = scripted::run();
        prop_assert!(all.len() <= WINDOW);
        prop_assert_eq!(RunView::of(&disturbed(&all, &choices)), RunView::of(&all));
        let shuffled: Vec<&Event> = order.iter().filter_map(|at| all.get(*at)).collect();
        prop_assert_eq!(RunView::of(shuffled), RunView::of(&all));

        let mut part = &all[..cut.min(all.len())];
        while part.last().is_some_and(is_progress) {
            part = &part[..part.len() - 1];
        }
        let thinned = RunView::of(&disturbed(part, &choices));
        prop_assert!(thinned.gaps().is_empty());
        prop_assert_eq!(without_progress(thinned), without_progress(RunView::of(part)));
        let shuffled: Vec<&Event> = order.iter().filter_map(|at| part.get(*at)).collect();
        prop_assert_eq!(RunView::of(shuffled), RunView::of(part));
    }

    #[test]
    fn a_view_that_was_sent_to_somebody_else_goes_on_there(cut in 1usize..64) {
        let all = scripted::run();
        let (first, rest) = all.split_at(cut.min(all.len()));
        let text = serde_json::to_string(&RunView::of(first)).unwrap();
        let mut view: RunView = serde_json::from_str(&text).unwrap();
        for event in rest {
            view.apply(event);
        }
        prop_assert_eq!(view, RunView::of(&all));
    }

    #[test]
    fn whatever_is_lost_is_said(lost in 1usize..35) {
        let mut events = scripted::run();
        let event = events.remove(lost);
        prop_assume!(!is_progress(&event));
        let gaps: Vec<Gap> = RunView::of(&events).gaps().to_vec();
        prop_assert_eq!(gaps.len(), 1);
        prop_assert!(gaps[0].after < event.seq && event.seq <= gaps[0].until);
    }
}

#[test]
fn an_event_that_comes_too_late_is_said_to_be_missing() {
    let mut script = Script::new();
    script.begin(1000, 1000);
    for n in 0..3 * WINDOW {
        script.end(1.0, &format!("nodes/account/n{n}"), StepState::Changed, 1.0, "made");
    }
    let mut events = script.events();
    let late = events.remove(1);
    let mut view = RunView::default();
    let applied: Vec<Applied> = events.iter().map(|event| view.apply(event)).collect();
    assert_eq!(view.gaps(), [Gap { after: 1, until: 2 }]);
    assert_eq!(applied[1..=WINDOW].iter().filter(|a| **a == Applied::Held).count(), WINDOW);
    assert!(matches!(&applied[WINDOW + 1], Applied::Several(events) if events.len() == WINDOW + 1));
    assert_eq!(view.apply(&late), Applied::Known, "its moment is over");
    assert_eq!(view.tally().changed, 3 * WINDOW - 1);
}

#[test]
fn a_step_that_is_no_end_is_no_outcome() {
    let mut text = serde_json::to_value(&scripted::run()[2 + 1]).unwrap();
    assert_eq!((&text["event"], &text["outcome"]), (&"step.finished".into(), &"unchanged".into()));
    text["outcome"] = "acting".into();
    assert!(serde_json::from_value::<Event>(text).unwrap_err().to_string().contains("is no outcome"));
}

#[test]
fn the_run_of_the_script() {
    let view = RunView::of(&scripted::run());
    let nodes = view.stages[&Stage::Nodes].tally;
    assert_eq!((nodes.changed, nodes.failed, nodes.ended()), (4, 1, 10));
    assert_eq!((view.nodes["dgx-06"].failed, view.failed.as_slice()), (1, &[id("nodes/account/dgx-06")][..]));
    assert_eq!(view.nodes["dgx-05"].done(), 4);
    assert_eq!(view.gates[&"storage/dgx-05".parse().unwrap()].as_str(), "relocate");
    assert_eq!((view.retries, view.warnings()), (1, 1));
    assert!(view.running.is_empty());
    assert_eq!(view.end.as_ref().unwrap().exit, 4);
    assert!((view.elapsed() - 640.0).abs() < 0.01, "{}", view.elapsed());
}

#[test]
fn counts_so_far_equal_the_run_s_own() {
    let mut view = RunView::of(&scripted::run());
    let own = view.counts();
    view.end = None;
    assert_eq!(view.counts(), own);
}

#[test]
fn a_running_step_has_its_attempt_progress_and_time() {
    let events = scripted::run();
    let at = events.iter().rposition(is_progress).unwrap();
    let view = RunView::of(&events[..=at]);
    let (id, running): (_, &StepView) = view.longest_running()[0];
    assert_eq!(id.as_str(), "kubernetes/deploy/basepod-a");
    assert_eq!(running.attempt, 1);
    assert_eq!(running.progress.as_ref().map(|p| (p.done, p.total)), Some((600, 870)));
    assert!((view.running_for(running) - 400.0).abs() < 0.01);
}

#[test]
fn another_run_starts_a_new_view() {
    let mut view = RunView::of(&scripted::run());
    let mut other = scripted::run().remove(0);
    if let EventBody::RunStarted(head) = &mut other.body {
        head.run = "run-2".to_owned();
    }
    assert!(view.apply(&other) == Applied::Now);
    assert_eq!((view.end, view.gates.len(), view.failed.len()), (None, 0, 0));
}

#[test]
fn a_clock_that_goes_backwards_gives_no_negative_time() {
    let mut events = scripted::run();
    let last = events.last_mut().unwrap();
    last.at = "2020-01-01T00:00:00Z".parse().unwrap();
    assert!(RunView::of(&events).elapsed() >= 0.0);
}
