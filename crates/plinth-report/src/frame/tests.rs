//! Frames as people see them, at four widths; and what holds for every frame.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::runs::{left, sentence};
use crate::scripted::{self, Script, id};
use plinth_analysis::{FailureGroup, Shape, ShapeStep, TimeLeft, Traits, failure_groups, waiting};
use plinth_model::finding::code;
use plinth_model::run::{CommandFailure, HeldBy};
use plinth_model::text::is_hidden;
use plinth_model::{Code, Event, EventBody, Finding, Stage, StepState};
use proptest::prelude::*;

const WIDTHS: [usize; 4] = [20, 40, 80, 160];
const UNICODE: Palette = Palette { colour: false, unicode: true };

/// What a frame is made of.
struct Made {
    view: RunView,
    groups: Vec<FailureGroup>,
    waits: Option<String>,
    left: String,
    page: Option<&'static str>,
}

impl Made {
    fn of(events: &[Event], shape: &Shape) -> Self {
        let view = RunView::of(events);
        let waits = sentence(&view, &waiting(&view, shape, view.at.unwrap_or_default()));
        let took = TimeLeft { low_s: Some(720.0), high_s: Some(900.0), runs: 3, ..TimeLeft::default() };
        Self { groups: failure_groups(&view, &Traits::new()), waits, left: left(&took), page: None, view }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            view: &self.view,
            groups: &self.groups,
            waits: self.waits.as_deref(),
            now_s: self.view.elapsed(),
            left: Some(&self.left),
            head: true,
            page: self.page,
        }
    }

    fn lines(&self, size: Size, palette: Palette) -> Vec<String> {
        frame(&self.scene(), size, palette).iter().map(Line::text).collect()
    }
}

#[track_caller]
fn golden(name: &str, events: &[Event], shape: &Shape) {
    let made = Made::of(events, shape);
    for width in WIDTHS {
        insta::assert_snapshot!(format!("{name}_{width}"), made.lines(Size::below(width, 40), UNICODE).join("\n"));
    }
}

fn staged(mut events: Vec<Event>, stages: &[(Stage, usize)]) -> Vec<Event> {
    if let EventBody::RunStarted(head) = &mut events[0].body {
        head.stages = stages.iter().copied().collect();
        head.steps = stages.iter().map(|(_, steps)| steps).sum();
        head.verb = "apply".to_owned();
        head.parallel = 64;
    }
    events
}

/// A chain: each step needs the one before.
fn chain(steps: &[&str]) -> Shape {
    let step = |(place, name): (usize, &&str)| ShapeStep {
        id: id(name),
        needs: place.checked_sub(1).into_iter().collect(),
        lane: None,
        gate: None,
        expected_s: 1,
    };
    Shape::new(steps.iter().enumerate().map(step).collect())
}

const SMALL: [(Stage, usize); 4] =
    [(Stage::Discovery, 1), (Stage::Nodes, 25), (Stage::Kubernetes, 16), (Stage::Platform, 20)];

#[test]
fn at_the_beginning() {
    let mut script = Script::new();
    script.begin(62, 5).start(0.1, "bcm/identity/bcm-head-01");
    let shape = chain(&["bcm/identity/bcm-head-01", "nodes/connect/dgx-05", "nodes/account/dgx-05"]);
    golden("beginning", &staged(script.events(), &SMALL), &shape);
}

#[test]
fn in_the_middle() {
    let events = scripted::run();
    let at = events.iter().rposition(|event| matches!(event.body, EventBody::StepProgress { .. })).unwrap();
    let shape = chain(&[
        "nodes/storage/dgx-05",
        "kubernetes/deploy/basepod-a",
        "kubernetes/health/basepod-a",
        "platform/release/gpu-operator",
    ]);
    golden("middle", &staged(events[..=at].to_vec(), &SMALL), &shape);
}

#[test]
fn with_a_frozen_node() {
    let mut script = Script::new();
    script.begin(62, 5);
    let message = "connecting to n2 at 192.0.2.12: it took the connection and said nothing within 10 s, as a machine does that is frozen";
    for node in ["n1", "n2", "n3"] {
        script.start(0.2, &format!("nodes/connect/{node}"));
    }
    for node in ["n1", "n3"] {
        script.end(0.9, &format!("nodes/connect/{node}"), StepState::Changed, 0.7, "pinned");
    }
    script.at(
        10.3,
        EventBody::StepRetrying {
            step: id("nodes/connect/n2"),
            attempt: 1,
            message: message.into(),
            wait_s: 5.0,
            next_at: Some("2026-01-01T10:00:15.3Z".parse().unwrap()),
        },
    );
    let shape = chain(&["nodes/connect/n2", "nodes/account/n2", "kubernetes/deploy/gpu-lab"]);
    golden("frozen_node", &staged(script.events(), &SMALL), &shape);
}

#[test]
fn with_a_failed_play() {
    let mut script = Script::new();
    let deploy = "kubernetes/deploy/gpu-lab";
    script.begin(62, 5).start(20.0, deploy).act(21.0, deploy, 1);
    let finding = Finding::error(code::KUBESPRAY_HOST_FAILED, "n2", "Kubespray did not succeed on 1 of 4 hosts: n2");
    script.fail(312.0, deploy, "Kubespray did not succeed on 1 of 4 hosts: n2", finding.fix("run again"));
    script.failure(CommandFailure { exit: Some(2), ..CommandFailure::of("ansible-playbook cluster.yml", &[]) });
    for step in ["kubernetes/kubeconfig/gpu-lab", "kubernetes/ready/n1", "platform/release/gpu-operator"] {
        script.end(312.0, step, StepState::NotRun, 0.0, "needs kubernetes/deploy/gpu-lab, which failed");
        script.hold(HeldBy::Need { step: id(deploy) });
    }
    script.start(313.0, "nodes/downloads/n1");
    golden("failed_play", &staged(script.events(), &SMALL), &Shape::default());
}

/// Nodes of which every third has failed for one cause, a few for others, and 64 steps run.
fn large() -> Vec<Event> {
    let mut script = Script::new();
    script.begin(10_047, 1000);
    for node in 0..1000 {
        let step = format!("nodes/account/dgx-{node:04}");
        script.start(1.0, &step);
        if node % 3 > 0 {
            script.end(3.0, &step, StepState::Changed, 2.0, "user made");
            continue;
        }
        let (code, message) = match node % 300 {
            0 => ("node.disk-full", format!("{} MiB are left on dgx-{node:04}", node * 7)),
            _ => ("node.unreachable", format!("ssh dgx-{node:04}:22: no route to host")),
        };
        let finding = Finding::error(Code::named(code), format!("dgx-{node:04}"), message.clone()).fix("look at it");
        script.fail(4.0, &step, &message, finding);
    }
    for node in (1..100).filter(|node| node % 3 > 0).take(64) {
        let verb = if node % 2 == 0 { "downloads" } else { "prepare" };
        script.start(5.0 + f64::from(node) / 10.0, &format!("nodes/{verb}/dgx-{node:04}"));
    }
    script.progress(60.0, "nodes/downloads/dgx-0002", 3, "kubeadm");
    let stages = [(Stage::Discovery, 1), (Stage::Nodes, 10_000), (Stage::Kubernetes, 16), (Stage::Platform, 30)];
    staged(script.events(), &stages)
}

#[test]
fn of_a_thousand_nodes_with_many_failures_of_one_cause() {
    golden("thousand_nodes", &large(), &Shape::default());
}

#[test]
fn of_a_run_that_is_stopped() {
    let mut script = Script::new();
    script.begin(62, 5).start(0.2, "kubernetes/deploy/gpu-lab").act(0.3, "kubernetes/deploy/gpu-lab", 1);
    script.progress(10.0, "kubernetes/deploy/gpu-lab", 85, "play 6/15: preinstall");
    let reason = "stopping after the running steps finish; Ctrl-C again stops now".to_owned();
    script.at(11.0, EventBody::RunStopping { reason });
    golden("stopped_run", &staged(script.events(), &SMALL), &Shape::default());
}

/// On a usual terminal neither how long is left nor until when a stop waits is cut off, nor the reason of a node that is dead.
#[test]
fn what_somebody_looks_for_is_not_cut_at_80_columns() {
    let mut script = Script::new();
    script.begin(294, 24).start(0.2, "platform/release/gpu-operator").act(0.3, "platform/release/gpu-operator", 1);
    let until = "(given up at 2026-01-05T10:51:44Z, in 2 h 35 min, at the latest). Ctrl-C again stops now";
    let reason = format!("stopping after 1 running step has finished: platform/release/gpu-operator {until}");
    script.at(11.0, EventBody::RunStopping { reason });
    let mut made = Made::of(&staged(script.events(), &SMALL), &Shape::default());
    made.left = "time left unknown: no history for platform/release, runai/cluster".to_owned();
    let lines = made.lines(Size::below(79, 24), UNICODE);
    let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    assert!(text.contains(until) && text.contains(&made.left), "{text}");
    assert!(lines[0].contains("apply, 62 steps on 24 hosts"), "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 79), "{lines:?}");
}

#[test]
fn without_unicode_there_is_none_and_without_a_bound_everything_is_told() {
    let made = Made::of(&large(), &Shape::default());
    let lines = made.lines(Size::below(80, 40), Palette::PLAIN);
    assert!(lines.iter().all(|line| line.is_ascii()), "{lines:?}");
    let all = made.lines(Size::endless(None), UNICODE);
    assert_eq!(all.iter().filter(|line| line.contains("  …  ")).count(), 64);
    let coloured = frame(&made.scene(), Size::below(80, 40), Palette { colour: true, unicode: true });
    assert!(coloured.iter().any(|line| line.painted(Palette { colour: true, unicode: true }).contains("\u{1b}[31m")));
}

/// A view in which so many steps run, so many failed for different causes, and everybody says something hostile.
fn any_run() -> impl Strategy<Value = Vec<Event>> {
    let words = prop_oneof![Just(crate::runs::tests::hostile()), ".{0,80}", "[a-zß世👩\u{202e}\u{1b}\u{9b}]{0,40}"];
    let text = words.prop_map(|text: String| text.chars().take(2000).collect::<String>());
    (0_usize..90, 0_usize..20, 1_usize..7, text).prop_map(|(running, failed, stages, text)| {
        let mut script = Script::new();
        script.begin(200, 9);
        for n in 0..failed {
            let step = format!("nodes/account/bad-{n}");
            let letter = char::from(b'a' + u8::try_from(n).unwrap());
            let finding = Finding::error(Code::named("a.b"), "x", format!("cause {letter} {text}"));
            script.start(1.0, &step).fail(2.0, &step, &text, finding);
        }
        for n in 0..running {
            let step = format!("nodes/verb{}/dgx-{n}", n % 9);
            script.start(3.0, &step).act(3.0, &step, 1).progress(4.0, &step, 1, &text);
        }
        let stages: Vec<(Stage, usize)> = Stage::ALL.into_iter().take(stages).map(|stage| (stage, 30)).collect();
        staged(script.events(), &stages)
    })
}

/// Numbers in front of a word, added up: what is told and what is counted.
fn counted(lines: &[String], sign: &str, one: impl Fn(&str) -> Option<usize>) -> usize {
    lines.iter().filter(|line| line.trim_start().starts_with(sign)).map(|line| one(line).unwrap_or(1)).sum()
}

fn number_before(line: &str, word: &str) -> Option<usize> {
    line.split_once(word)?.0.split_whitespace().last()?.parse().ok()
}

/// How many a line of what runs stands for: `40 nodes/downloads`, `and 24 more running`, `24 running`.
fn running_on(line: &str) -> Option<usize> {
    let more = number_before(line, " more running").or_else(|| number_before(line, " running:"));
    more.or_else(|| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.windows(2).find(|two| two[1].starts_with("nodes/verb")).and_then(|two| two[0].parse().ok())
    })
}

fn failed_on(line: &str) -> Option<usize> {
    line.contains(" failed of ").then(|| number_before(line, " step"))?
}

/// As long as a link is: five digits of a port, and a token of 32 bytes.
const PAGE: &str = "http://127.0.0.1:40213/?token=9c1pR2xQ0aV7bN4mL8kJ5hG3fD1sA6zX2cE9wT0yU4i";

#[test]
fn the_link_of_the_page_is_the_last_line_and_never_a_part_of_it() {
    let made = Made { page: Some(PAGE), ..Made::of(&large(), &Shape::default()) };
    let drawn = |columns| made.lines(Size::below(columns, 24), UNICODE);
    // A terminal of 80 columns: the last one stays free.
    let lines = drawn(79);
    assert_eq!((lines.len(), lines[11].as_str()), (12, format!("page {PAGE}").as_str()), "{lines:?}");
    assert!(lines[9].contains(" steps done") && lines[10].contains("still 12 min"), "{lines:?}");
    assert!(!drawn(77).concat().contains("http"), "{:?}", drawn(77));
    let small = made.lines(Size::of_lines(79, 24, 1), UNICODE);
    assert!(small.len() == 1 && small[0].contains(" steps done"), "{small:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_frame_keeps_its_bounds_and_counts_everything(
        events in any_run(),
        // Bounds break where there is next to no room.
        columns in prop_oneof![1_usize..6, 1_usize..220],
        rows in prop_oneof![1_usize..6, 1_usize..70],
        unicode in any::<bool>(),
        served in any::<bool>(),
    ) {
        let made = Made { page: served.then_some(PAGE), ..Made::of(&events, &Shape::default()) };
        let palette = Palette { colour: false, unicode };
        let size = Size::below(columns, rows);
        let drawn = frame(&made.scene(), size, palette);
        let lines: Vec<String> = drawn.iter().map(Line::text).collect();
        prop_assert!(lines.len() <= size.most && size.most <= (rows / 2).max(8), "{} lines of {rows} rows", lines.len());
        prop_assert!(rows == 1 || lines.len() < rows);
        prop_assert!(drawn.iter().all(|line| line.width() <= columns), "{columns}: {lines:?}");
        prop_assert!(!lines.concat().chars().any(|c| is_hidden(c) || c == '\n' || c == '\t'), "{lines:?}");
        prop_assert!(unicode || lines.concat().is_ascii());
        let (cross, dots) = (palette.sign(crate::style::Sign::Failed), palette.sign(crate::style::Sign::Running));
        let of = |sign: &str| lines.iter().filter(|line| line.trim_start().starts_with(sign)).count();
        prop_assert!(of(cross) <= (rows / 4).max(1), "{lines:?}");
        prop_assert!(of(dots) <= (rows / 3).max(1), "{lines:?}");
        // Where there is room for words, what is told and what is counted is all there is.
        if columns >= 100 && rows >= 6 {
            prop_assert_eq!(counted(&lines, dots, running_on), made.view.running.len(), "{:?}", lines);
            prop_assert_eq!(counted(&lines, cross, failed_on), made.view.failed.len(), "{:?}", lines);
        }
    }

    #[test]
    fn shares_are_never_more_than_there_is(
        rows in 1_usize..200,
        (at_work, more, running, failed) in (0_usize..7, 0_usize..7, 0_usize..100, 0_usize..100),
        (sentence, foot) in (0_usize..4, 0_usize..2),
    ) {
        let size = Size::below(80, rows);
        let wanted = Wanted { head: 1, at_work, stages: at_work + more, sentence, running, failed, page: 1, foot };
        let share = Shares::of(size, wanted);
        let told =
            share.head + share.stages + share.sentence + share.running + share.failed + share.page + share.foot;
        prop_assert!(told < size.most.max(2));
        prop_assert!(size.most < 4 || (share.running > 0) == (running > 0) && (share.failed > 0) == (failed > 0));
        prop_assert!(share.running <= running && share.failed <= failed && share.stages <= at_work + more);
    }
}

#[test]
fn what_runs_is_told_by_kind_where_there_is_no_room_for_each() {
    let made = Made::of(&large(), &Shape::default());
    let lines = made.lines(Size::below(160, 40), UNICODE);
    let running: Vec<&String> = lines.iter().filter(|line| line.starts_with("  …")).collect();
    assert_eq!(running.len(), 13, "{lines:?}");
    assert!(running[..11].iter().all(|line| line.contains("nodes/downloads/") || line.contains("nodes/prepare/")));
    assert!(running[11].contains(" nodes/") && running[12].contains(" nodes/"), "{running:?}");
    let small = made.lines(Size::below(160, 8), UNICODE);
    let running: Vec<&String> = small.iter().filter(|line| line.starts_with("  …")).collect();
    assert_eq!(running.len(), 2, "{small:?}");
    assert!(running.iter().all(|line| line.contains("32 nodes/")), "{running:?}");
}
