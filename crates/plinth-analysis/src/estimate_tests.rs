use super::*;
use crate::graph::tests::shape_step;
use crate::made::{self, acting, finished, head, run_finished, started};
use plinth_model::run::RunHead;
use plinth_model::{EventBody, Outcome};
use proptest::prelude::*;

const NODES: usize = 6;

/// A site in small: steps of each node one behind the other in its lane, a play over all of them, releases behind it.
fn plan() -> Shape {
    let mut steps = Vec::new();
    for node in 0..NODES {
        let lane = format!("node {node}");
        let first = steps.len();
        steps.push(shape_step(&format!("nodes/account/{node}"), &[], Some(&lane)));
        steps.push(shape_step(&format!("nodes/storage/{node}"), &[first], Some(&lane)));
    }
    let all: Vec<usize> = (0..steps.len()).collect();
    steps.push(shape_step("kubernetes/deploy/lab", &all, None));
    let play = steps.len() - 1;
    for release in 0..4 {
        steps.push(shape_step(&format!("platform/release/{release}"), &[play], None));
    }
    let releases: Vec<usize> = (play + 1..steps.len()).collect();
    steps.push(shape_step("runai/cluster/lab", &releases, None));
    Shape::new(steps)
}

/// Seconds that a kind takes, how far runs differ, how far steps differ.
fn nature(kind: &str) -> (f64, f64, f64) {
    match kind {
        "nodes/account" => (2.0, 0.2, 0.3),
        "nodes/storage" => (60.0, 0.3, 0.2),
        "kubernetes/deploy" => (600.0, 0.25, 0.0),
        "platform/release" => (90.0, 0.3, 0.4),
        _ => (40.0, 0.3, 0.0),
    }
}

/// What each step takes in the run of this number.
fn drawn(shape: &Shape, run: usize) -> Vec<Option<Took>> {
    let one = |id: &StepId| {
        let kind = kind_of(id);
        let (seconds, runs, steps) = nature(&kind);
        let level = runs * Chance::of(&format!("run {kind}"), run).normal();
        let own = steps * Chance::of(&format!("step {id}"), run).normal();
        Some(Took::of(millis(seconds * (level + own).exp())))
    };
    shape.steps().iter().map(|step| one(&step.id)).collect()
}

fn at(ms: Millis) -> Timestamp {
    made::at(ms as f64 / 1000.0)
}

/// The events of a played schedule up to a moment.
fn view(shape: &Shape, took: &[Option<Took>], (parallel, until): (usize, Option<Millis>)) -> RunView {
    let played = Schedule::of(shape).play(took, &[], parallel);
    let head = RunHead { hosts: NODES, parallel, steps: took.len(), ..head("r") };
    let mut told: Vec<(Millis, u8, EventBody)> = vec![(0, 0, EventBody::RunStarted(head))];
    for (place, step) in shape.steps().iter().enumerate() {
        let (began, ended) = (played.began[place].unwrap(), played.ended[place].unwrap());
        let (id, node) = (step.id.clone(), Some("n".to_owned()).filter(|_| step.lane.is_some()));
        told.push((began, 1, started(id.clone(), node.clone(), None)));
        told.push((began, 2, acting(id.clone())));
        told.push((ended, 0, finished(id, node, StepState::Changed)));
    }
    told.push((played.end, 9, run_finished(Outcome::Done, played.end as f64 / 1000.0)));
    told.sort_by_key(|(when, rank, _)| (*when, *rank));
    let until = until.unwrap_or(Millis::MAX);
    let events = told.into_iter().filter(|(when, _, _)| *when <= until);
    made::view(events.map(|(when, _, body)| (at(when), body)))
}

fn past(shape: &Shape, runs: std::ops::Range<usize>, parallel: usize) -> Past {
    let mut past = Past::default();
    runs.for_each(|run| past.take(&view(shape, &drawn(shape, run), (parallel, None))));
    past
}

/// How many of 200 runs end within the range that was told at this share of them.
fn held(runs: usize, parallel: usize, share: f64) -> (usize, usize) {
    let shape = plan();
    let (mut held, mut asked) = (0, 0);
    for seed in 0..200 {
        let first = 1_000 + seed * 20;
        let past = past(&shape, first..first + runs, parallel);
        let took = drawn(&shape, first + 19);
        let end = Schedule::of(&shape).play(&took, &[], parallel).end;
        let now = (end as f64 * share) as Millis;
        let left = time_left(&view(&shape, &took, (parallel, Some(now))), &shape, &past, at(now)).unwrap();
        let (Some(low), Some(high)) = (left.low_s, left.high_s) else { continue };
        asked += 1;
        held += usize::from((low..=high).contains(&((end - now) as f64 / 1000.0)));
    }
    (held, asked)
}

#[test]
fn four_of_five_runs_end_within_the_range() {
    for (runs, parallel, share) in [(5, 64, 0.0), (8, 3, 0.0), (8, 64, 0.4)] {
        let (held, asked) = held(runs, parallel, share);
        assert!(asked >= 180, "a number is given: {asked}");
        let part = held as f64 / asked as f64;
        assert!((0.7..=0.9).contains(&part), "{runs} earlier runs, {parallel} at once, at {share}: {held} of {asked}");
    }
}

#[test]
fn a_kind_that_was_never_seen_is_named_instead_of_a_number() {
    let shape = plan();
    let known = Shape::new(shape.steps()[..13].to_vec());
    let past = past(&known, 0..4, 64);
    let mut slow = shape.clone();
    slow = Shape::new(slow.steps().iter().cloned().map(|step| ShapeStepOf(step).expecting(300)).collect());
    let left = time_of_plan(&slow, &past, NODES, 64, false);
    assert_eq!(left.no_history, ["platform/release", "runai/cluster"]);
    assert_eq!((left.low_s, left.high_s), (None, None));
    let small = time_of_plan(&shape, &past, NODES, 64, false);
    assert!(
        small.no_history.is_empty() && small.low_s.is_some(),
        "a second more or less is none of our business: {small:?}"
    );
    let none = time_of_plan(&slow, &Past::default(), NODES, 64, false);
    assert!(none.no_history.contains(&"kubernetes/deploy".to_owned()), "{none:?}");
}

struct ShapeStepOf(crate::ShapeStep);

impl ShapeStepOf {
    fn expecting(self, seconds: u64) -> crate::ShapeStep {
        crate::ShapeStep { expected_s: seconds, ..self.0 }
    }
}

#[test]
fn what_takes_longer_than_it_ever_did_is_named_instead_of_a_number() {
    let shape = plan();
    let past = past(&shape, 0..6, 64);
    let mut took = drawn(&shape, 7);
    took[12] = Some(Took::of(40_000_000));
    let began = Schedule::of(&shape).play(&took, &[], 64).began[12].unwrap();
    let asked = |after: Millis| {
        let now = began + after;
        time_left(&view(&shape, &took, (64, Some(now))), &shape, &past, at(now)).unwrap()
    };
    assert!(asked(60_000).longer.is_none() && asked(60_000).low_s.is_some());
    let late = asked(6_000_000);
    let longer = late.longer.unwrap();
    assert_eq!((longer.step.as_str(), late.low_s), ("kubernetes/deploy/lab", None));
    assert!(longer.high_s < longer.running_s && longer.low_s < longer.high_s, "{longer:?}");
}

#[test]
fn rehearsals_are_asked_only_where_nothing_real_is_known() {
    let shape = plan();
    let real = view(&shape, &drawn(&shape, 1), (64, None));
    let mut rehearsal =
        view(&shape, &shape.steps().iter().map(|_| Some(Took::of(1_000))).collect::<Vec<_>>(), (64, None));
    rehearsal.run.as_mut().unwrap().rehearsal = true;
    let mut past = Past::default();
    past.take(&rehearsal);
    let of_rehearsal = time_of_plan(&shape, &past, NODES, 64, false);
    past.take(&real);
    let both = time_of_plan(&shape, &past, NODES, 64, false);
    assert_eq!((both.runs, both.rehearsals), (1, 1));
    assert!(of_rehearsal.high_s.unwrap() < both.low_s.unwrap(), "{of_rehearsal:?} {both:?}");
}

/// Random plans without a shortage of slots, where more time of a step never makes the end come sooner.
fn plans() -> impl Strategy<Value = (Shape, usize)> {
    let row = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (prop::collection::vec(row, 2..14), 0_usize..1000).prop_map(|(rows, seed)| {
        let kinds = ["nodes/account", "nodes/storage", "kubernetes/deploy", "platform/release"];
        let steps = rows.iter().enumerate().map(|(i, needs)| {
            let needs: Vec<usize> = needs.iter().filter(|_| i > 0).map(|need| need.index(i)).collect();
            shape_step(&format!("{}/{i}", kinds[(seed + i) % 4]), &needs, None)
        });
        (Shape::new(steps.collect()), seed)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// While nothing ends, the told end never comes nearer by more than the time that passed, and what is left is never less than what
    /// runs needs: it does not count down below it.
    #[test]
    fn what_is_left_never_falls_below_what_runs((shape, seed) in plans(), share in 0.05_f64..0.95) {
        let past = past(&shape, seed..seed + 3, 64);
        let took: Vec<Option<Took>> = drawn(&shape, seed + 5);
        let end = Schedule::of(&shape).play(&took, &[], 64).end;
        let began = (end as f64 * share) as Millis;
        let seen = view(&shape, &took, (64, Some(began)));
        prop_assume!(seen.end.is_none() && !seen.running.is_empty());
        let mut before: Option<(Millis, f64, f64)> = None;
        for step in 0..6_u64 {
            let now = began + step * 20_000;
            let left = time_left(&seen, &shape, &past, at(now)).unwrap();
            let (Some(low), Some(high)) = (left.low_s, left.high_s) else { break };
            prop_assert!(0.0 <= low && low <= high);
            for (_, running) in seen.longest_running() {
                let since = at(now).duration_since(running.started.unwrap()).as_secs_f64();
                prop_assert!(low >= since * STILL - 0.002, "{low} s are left, {since} s it has run");
            }
            if let Some((then, last_low, last_high)) = before {
                let passed = (now - then) as f64 / 1000.0;
                prop_assert!(low + passed >= last_low - 0.01 && high + passed >= last_high - 0.01, "{low} {last_low}");
            }
            before = Some((now, low, high));
        }
    }
}
