#![allow(clippy::unwrap_used)]

use super::*;
use crate::scripted;
use proptest::prelude::*;

fn folded<'a>(events: impl IntoIterator<Item = &'a Event>) -> Picture {
    let mut picture = Picture::default();
    for event in events {
        picture.fold(event);
    }
    picture
}

fn is_progress(event: &Event) -> bool {
    matches!(event.body, EventBody::StepProgress { .. })
}

/// Without progress: what thinned streams must agree on before the run has ended.
fn without_progress(mut picture: Picture) -> Picture {
    picture.running.values_mut().for_each(|running| running.progress = None);
    picture
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
    fn duplicates_and_lost_progress_end_with_the_same_picture(
        choices in prop::collection::vec((any::<bool>(), 0u8..3, any::<prop::sample::Index>()), 64),
        cut in 1usize..64,
    ) {
        let all = scripted::run();
        prop_assert!(all.len() <= 64);
        prop_assert_eq!(folded(&disturbed(&all, &choices)), folded(&all));

        let mut part = &all[..cut.min(all.len())];
        while part.last().is_some_and(is_progress) {
            part = &part[..part.len() - 1];
        }
        prop_assert_eq!(without_progress(folded(&disturbed(part, &choices))), without_progress(folded(part)));
    }
}

#[test]
fn the_run_of_the_script() {
    let picture = folded(&scripted::run());
    assert_eq!(picture.stages[&Stage::Nodes].changed, 4);
    assert_eq!(picture.stages[&Stage::Nodes].failed, 1);
    assert_eq!(picture.stages[&Stage::Nodes].ended(), 10);
    assert_eq!(picture.nodes["dgx-06"].failed.first().unwrap().as_str(), "nodes/account/dgx-06");
    assert_eq!(picture.nodes["dgx-05"].done, 4);
    assert_eq!(picture.gates["storage/dgx-05"], "relocate");
    assert_eq!((picture.retries, picture.warnings()), (1, 1));
    assert!(picture.running.is_empty());
    assert_eq!(picture.end.as_ref().unwrap().exit, 4);
    assert!((picture.elapsed() - 640.0).abs() < 0.01, "{}", picture.elapsed());
}

#[test]
fn counts_so_far_equal_the_run_s_own() {
    let mut picture = folded(&scripted::run());
    let own = picture.counts();
    picture.end = None;
    assert_eq!(picture.counts(), own);
}

#[test]
fn a_running_step_has_its_attempt_progress_and_time() {
    let events = scripted::run();
    let at = events.iter().rposition(is_progress).unwrap();
    let picture = folded(&events[..=at]);
    let (id, running) = picture.longest_running()[0];
    assert_eq!(id.as_str(), "kubernetes/deploy/basepod-a");
    assert_eq!(running.attempt, 1);
    assert_eq!(running.progress.as_ref().map(|p| (p.done, p.total)), Some((600, 870)));
    assert!((picture.running_for(running) - 400.0).abs() < 0.01);
}

#[test]
fn another_run_starts_a_new_picture() {
    let mut picture = folded(&scripted::run());
    let mut other = scripted::run().remove(0);
    if let EventBody::RunStarted { run, .. } = &mut other.body {
        *run = "run-2".to_owned();
    }
    assert!(picture.fold(&other));
    assert_eq!((picture.end, picture.gates.len(), picture.failed.len()), (None, 0, 0));
}

#[test]
fn a_clock_that_goes_backwards_gives_no_negative_time() {
    let mut events = scripted::run();
    let last = events.last_mut().unwrap();
    last.at = "2020-01-01T00:00:00Z".parse().unwrap();
    assert!(folded(&events).elapsed() >= 0.0);
}
