use super::*;
use crate::style::Palette;
use plinth_analysis::InEffect;

const PLAIN: Look = Look { palette: Palette::PLAIN, width: None };

fn id(text: &str) -> StepId {
    StepId::try_from(text.to_owned()).unwrap()
}

#[test]
fn what_is_known_of_the_time_left_is_said_and_what_is_not() {
    let known = TimeLeft { low_s: Some(720.0), high_s: Some(1_140.0), runs: 3, rehearsals: 1, ..TimeLeft::default() };
    assert_eq!(left(&known), "still 12 min to 19 min, by 3 runs and 1 rehearsal of this site");
    let of_plan = super::of_plan(&known).unwrap();
    assert_eq!(of_plan, "four of five such runs take 12 min to 19 min, by 3 runs and 1 rehearsal of this site");
    let kinds = ["platform/release", "runai/cluster"].map(str::to_owned).to_vec();
    let unknown = TimeLeft { no_history: kinds, ..TimeLeft::default() };
    assert_eq!(super::of_plan(&unknown), None);
    assert_eq!(left(&unknown), "time left unknown: no history for platform/release, runai/cluster");
    let longer = Longer { step: id("kubernetes/deploy/lab"), running_s: 840.0, low_s: 300.0, high_s: 360.0 };
    let late = TimeLeft { longer: Some(longer), ..TimeLeft::default() };
    assert_eq!(left(&late), "longer than usual: kubernetes/deploy/lab has run 14 min, usually 5 min to 6 min");
}

#[test]
fn a_stop_says_what_it_waits_for_and_what_is_looked_at_again() {
    let deploy = InEffect {
        step: id("kubernetes/deploy/lab"),
        node: None,
        running_s: 60.0,
        left_s: Some((240.0, 300.0)),
        known_by: Some(KnownBy { runs: 2, rehearsals: 1, steps: 0 }),
        deadline_s: Some(4_800),
    };
    let stop = StopNow {
        mid_effect: vec![deploy],
        not_begun: 56,
        clean_s: Some((240.0, 300.0)),
        slowest: Some(id("kubernetes/deploy/lab")),
        hand_over: "run r-1 of lab".into(),
        ..StopNow::default()
    };
    let text = stop_now(&stop, PLAIN);
    let first = "if it is stopped now: Ctrl-C once waits 4 min to 5 min for kubernetes/deploy/lab; cut off, 1 step would be looked at again; 56 steps not begun";
    assert_eq!(text.lines().next(), Some(first));
    assert!(text.ends_with("for whoever takes over: run r-1 of lab"), "{text}");
    let by = "usually 4 min to 5 min more, by 2 runs and 1 rehearsal of this site; an attempt is given up after 1 h 20 min, with the look behind it after 2 h 40 min";
    assert!(text.contains(by), "{text}");
    let guess = InEffect { left_s: None, known_by: None, ..stop.mid_effect[0].clone() };
    let unknown = stop_now(&StopNow { mid_effect: vec![guess], clean_s: None, ..stop.clone() }, PLAIN);
    let said = "for 1 min; how long it usually takes is not known; an attempt is given up after 1 h 20 min, with the look behind it after 2 h 40 min";
    assert!(unknown.contains(said) && !unknown.contains("usually 4"), "{unknown}");
    let stopping = StopNow { stopping: true, ..stop.clone() };
    let text = stop_now(&stopping, PLAIN);
    assert!(text.starts_with("if it is cut off now: 1 step would be looked at again; 56 steps not begun\n"), "{text}");
    assert!(stop_lines(&stopping, PLAIN).starts_with("1 step would be"), "the page has the title above it");

    let first = |stop: &StopNow| stop_now(stop, PLAIN).lines().next().unwrap().to_owned();
    let waits = StopNow { mid_effect: Vec::new(), looking: 1, ..stop };
    let said = "if it is stopped now: Ctrl-C once waits 4 min to 5 min for kubernetes/deploy/lab; 56 steps not begun";
    assert_eq!(first(&waits), said);
    let unknown = StopNow { clean_s: None, no_history: vec!["checks/dns".to_owned()], ..waits };
    let said =
        "if it is stopped now: how long a clean stop takes is not known: no history for checks/dns; 56 steps not begun";
    assert_eq!(first(&unknown), said);
    let idle = StopNow { looking: 0, clean_s: Some((0.0, 0.0)), slowest: None, ..unknown };
    assert_eq!(first(&idle), "if it is stopped now: nothing runs, so it ends at once; 56 steps not begun");
}

#[test]
fn the_headline_is_where_reality_left_the_prediction() {
    let one =
        |step: &str, took_s, on_path| Deviation { step: id(step), rehearsed_s: 300.0, took_s, ended: None, on_path };
    let diff = RehearsalDiff {
        run: "r".into(),
        same_plan: true,
        rehearsed_s: 1_080.0,
        took_s: 1_860.0,
        shared: 97,
        as_rehearsed: 95,
        done_before: 3,
        others: 0,
        deviations: vec![one("kubernetes/deploy/lab", 660.0, true), one("nodes/downloads/a", 900.0, false)],
    };
    let headline =
        "left the rehearsal at kubernetes/deploy/lab: 11 min instead of 5 min (rehearsed 18 min, took 31 min)";
    assert_eq!(rehearsal_headline(&diff), headline);
    let text = super::rehearsal_diff(&diff, PLAIN);
    assert!(
        text.contains("nodes/downloads/a: 15 min instead of 5 min") && text.contains("3 steps done before"),
        "{text}"
    );
    let aside = RehearsalDiff { as_rehearsed: 96, deviations: vec![one("nodes/downloads/a", 900.0, false)], ..diff };
    assert!(rehearsal_headline(&aside).starts_with("as rehearsed on the critical path ("));
    let none = RehearsalDiff { as_rehearsed: 97, deviations: Vec::new(), ..aside };
    assert!(rehearsal_headline(&none).starts_with("as rehearsed, step by step ("));
    let stopped = RehearsalDiff { as_rehearsed: 40, others: 3, ..none };
    assert!(rehearsal_headline(&stopped).starts_with("as rehearsed in 40 of 100 steps ("));
    let other = RehearsalDiff { same_plan: false, ..stopped };
    assert!(rehearsal_headline(&other).starts_with("as rehearsed with another plan in 40 of 100 steps ("));
    let left = RehearsalDiff { deviations: vec![one("kubernetes/deploy/lab", 660.0, true)], ..other };
    assert!(rehearsal_headline(&left).starts_with("left the rehearsal of another plan at kubernetes/deploy/lab: "));
}
