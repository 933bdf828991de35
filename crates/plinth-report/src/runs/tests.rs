//! Runs as text: at two widths, with a thousand failures, and with text that wants to be more than text.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::export::{Exported, Format};
use crate::scripted::{self, Script, id};
use plinth_analysis::{
    Columns, CriticalPath, FailureGroup, Hardware, KindView, RunEntry, Shape, ShapeStep, Slow, Traits, Waiting,
    failure_groups, kinds, slow_nodes, waiting,
};
use plinth_model::run::{CommandFailure, HeldBy, StreamSeal};
use plinth_model::text::is_hidden;
use plinth_model::{Code, Event, EventBody, Finding, RunView, SiteName, StepState};

/// Clears the screen, turns the direction, opens a link, is endless, and holds a NUL.
pub(crate) fn hostile() -> String {
    let link = "\u{1b}]8;;https://evil\u{1b}\\click\u{1b}]8;;\u{1b}\\";
    format!("a\u{1b}[2Jb\u{9b}31m\u{202e}evil\u{0}\r{link}<script>`|*{}", "x".repeat(1_000_000))
}

pub(crate) struct Made {
    pub(crate) entry: RunEntry,
    pub(crate) view: RunView,
    pub(crate) columns: Columns,
    kinds: Vec<KindView>,
    groups: Vec<FailureGroup>,
    waiting: Vec<Waiting>,
    path: CriticalPath,
    slow: Vec<Slow>,
    whole: Option<bool>,
}

impl Made {
    pub(crate) fn of(events: &[Event], shape: &Shape) -> Self {
        let view = RunView::of(events);
        let columns = Columns::of(events);
        Self {
            entry: RunEntry::of(&view, false).unwrap(),
            kinds: kinds(&view),
            groups: failure_groups(&view, &Traits::new()),
            waiting: waiting(&view, shape, view.at.unwrap_or_default()),
            path: CriticalPath::of(&view, shape),
            slow: slow_nodes(&columns, &Hardware::new(), &[]),
            whole: StreamSeal::holds(events),
            view,
            columns,
        }
    }

    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown {
            entry: &self.entry,
            view: &self.view,
            kinds: &self.kinds,
            groups: &self.groups,
            waiting: &self.waiting,
            path: &self.path,
            slow: &self.slow,
            whole: self.whole,
            outlook: crate::runs::Outlook::default(),
        }
    }

    fn story(&self, bytes: usize) -> String {
        story(&Story { site: &site(), shown: self.shown(), bytes, unicode: false })
    }

    fn texts(&self, look: Look) -> Vec<String> {
        vec![
            list(Listed { site: &site(), runs: std::slice::from_ref(&self.entry), removed: 0 }, "", look),
            show(&self.shown(), look),
            failures(&self.groups, look),
            waits(&self.view, &self.waiting, look),
            critical_path(&self.path, &self.view, look),
            self.story(8192),
        ]
    }
}

pub(crate) fn site() -> SiteName {
    SiteName::new("basepod-a").unwrap()
}

fn plain(width: usize) -> Look {
    Look { palette: Palette::PLAIN, width: Some(width) }
}

fn shape(steps: &[(&str, &[usize])]) -> Shape {
    let step = |(name, needs): &(&str, &[usize])| {
        let id = scripted::id(name);
        let lane = name.starts_with("nodes/").then(|| format!("node {}", id.target()));
        ShapeStep { id, needs: needs.to_vec(), lane, gate: None, expected_s: 1 }
    };
    Shape::new(steps.iter().map(step).collect())
}

/// The shape of what the script tells, and what is behind it.
fn scripted_shape() -> Shape {
    shape(&[
        ("nodes/connect/dgx-06", &[]),
        ("nodes/account/dgx-06", &[0]),
        ("nodes/storage/dgx-05", &[]),
        ("kubernetes/deploy/basepod-a", &[2]),
        ("kubernetes/health/basepod-a", &[3]),
        ("platform/release/gpu-operator", &[4]),
    ])
}

#[test]
fn a_run_that_failed_is_told_at_two_widths() {
    let made = Made::of(&scripted::run(), &scripted_shape());
    for width in [80, 160] {
        let text = made.texts(plain(width)).join("\n\n");
        let story = made.story(8192);
        let wide = text.lines().filter(|line| !story.contains(line)).map(|line| line.chars().count()).max().unwrap();
        assert!(wide <= width, "{wide} columns");
        insta::assert_snapshot!(format!("failed_run_{width}"), text);
    }
}

#[test]
fn what_it_waits_for_is_said_with_its_root() {
    let events = scripted::run();
    let at = events.iter().rposition(|event| matches!(event.body, EventBody::StepProgress { .. })).unwrap();
    let made = Made::of(&events[..=at], &scripted_shape());
    let told = sentence(&made.view, &made.waiting).unwrap();
    assert_eq!(told, "waits for kubernetes/deploy/basepod-a, running 6 min 40 s; 2 steps behind it");
    let all = waits(&made.view, &made.waiting, plain(160));
    assert!(
        all.contains("kubernetes/health/basepod-a and 1 more step: needs kubernetes/deploy/basepod-a, running"),
        "{all}"
    );
}

/// A node that does not answer holds up the same steps as one that is well and busy.
fn dead_and_busy(more: impl FnOnce(&mut Script)) -> Made {
    let mut script = Script::new();
    script.begin(6, 2).start(1.0, "nodes/account/dead").start(2.0, "nodes/storage/busy");
    let message = "looking at the account on dead (192.0.2.1): no answer from 192.0.2.1 port 22".to_owned();
    let (step, next_at) = (id("nodes/account/dead"), Some("2026-01-01T10:00:50Z".parse().unwrap()));
    script.at(45.0, EventBody::StepRetrying { step, attempt: 2, message, wait_s: 5.0, next_at });
    more(&mut script);
    let shape = shape(&[
        ("nodes/account/dead", &[]),
        ("nodes/storage/busy", &[]),
        ("nodes/facts/dead", &[0]),
        ("kubernetes/deploy/basepod-a", &[1, 2]),
        ("platform/release/gpu-operator", &[3]),
    ]);
    Made::of(&script.events(), &shape)
}

#[test]
fn a_dead_node_is_what_the_run_waits_for_until_it_failed() {
    let made = dead_and_busy(|script| {
        script.progress(60.0, "nodes/storage/busy", 3, "images");
    });
    let told = sentence(&made.view, &made.waiting).unwrap();
    let said =
        "waits for nodes/account/dead, tried for 59 s, attempt 2; 3 steps behind it: no answer from 192.0.2.1 port 22";
    assert_eq!(told, said);
    assert_eq!(awaited(&made.view, &made.waiting), Some(&id("nodes/account/dead")));
    let all = waits(&made.view, &made.waiting, plain(200));
    let line = "nodes/facts/dead and 2 more steps: needs nodes/account/dead, tried for 59 s, attempt 2: no answer from";
    assert!(all.contains(line), "{all}");

    let made = dead_and_busy(|script| {
        script.progress(46.0, "nodes/storage/busy", 3, "images");
    });
    assert!(sentence(&made.view, &made.waiting).unwrap().contains("attempt 2 in 4 s; 3 steps"));

    let finding = || Finding::error(Code::named("node.unreachable"), "dead", "no answer").fix("look at it");
    let made = dead_and_busy(|script| {
        script.fail(68.0, "nodes/account/dead", "no answer", finding());
    });
    assert_eq!(sentence(&made.view, &made.waiting), None, "nobody waits for what failed");
    let made = dead_and_busy(|script| {
        script.fail(68.0, "nodes/account/dead", "no answer", finding());
        script.at(69.0, EventBody::RunStopping { reason: "stopping".into() });
    });
    assert_eq!(sentence(&made.view, &made.waiting), None, "the reason of the stop says it");
    let titles: Vec<&str> = headed(&made.view, &made.waiting, plain(200)).iter().map(|one| one.0).collect();
    assert_eq!(titles, ["waits, and why"]);
    let all = waits(&made.view, &made.waiting, plain(200));
    assert!(all.contains("the run is being stopped") && !all.contains("the run stopped"), "{all}");
}

#[test]
fn a_path_says_how_its_steps_ended_and_a_replay_that_changes_nothing_says_so() {
    let mut script = Script::new();
    script.begin(3, 2).start(1.0, "nodes/storage/a");
    script.end(3.0, "nodes/storage/a", StepState::Changed, 2.0, "moved").start(3.0, "kubernetes/deploy/a");
    let finding = Finding::error(Code::named("node.clash"), "a", "it is not there");
    script.fail(9.0, "kubernetes/deploy/a", "it is not there", finding);
    let made = Made::of(&script.events(), &shape(&[("nodes/storage/a", &[]), ("kubernetes/deploy/a", &[0])]));
    let told = critical_path(&made.path, &made.view, plain(200));
    let sign = |step: &str| told.lines().find(|line| line.contains(step)).unwrap().trim().chars().next();
    let painted = |sign| Palette::PLAIN.painted(sign).chars().next();
    assert_eq!(sign("nodes/storage/a"), painted(crate::Sign::Changed), "{told}");
    assert_eq!(sign("kubernetes/deploy/a"), painted(crate::Sign::Failed), "{told}");
    let replay = |seconds| plinth_analysis::Replay { parallel: 128, seconds, recorded_s: 692.0, steps: 2, left_out: 0 };
    for (seconds, wanted) in [
        (692.0, "it would have taken 11 min 32 s (as long as it took)"),
        (632.0, "it would have taken 10 min 32 s (1 min less than 11 min 32 s)"),
        (752.0, "it would have taken 12 min 32 s (1 min more than 11 min 32 s)"),
    ] {
        assert_eq!(what_if(&replay(seconds)), format!("with 128 steps at once {wanted}"));
    }
}

/// What runs beside a step that begins at this moment holds nothing up.
#[test]
fn a_step_that_begins_at_once_is_no_root() {
    let mut script = Script::new();
    script.begin(4, 2).start(1.0, "nodes/storage/busy");
    script.end(3.0, "nodes/storage/busy", StepState::Changed, 2.0, "moved").start(3.0, "nodes/labels/n1");
    let shape = shape(&[
        ("nodes/storage/busy", &[]),
        ("nodes/labels/n1", &[]),
        ("kubernetes/deploy/basepod-a", &[0]),
        ("platform/release/gpu-operator", &[2]),
    ]);
    let made = Made::of(&script.events(), &shape);
    let told = sentence(&made.view, &made.waiting);
    assert_eq!(told.as_deref(), Some("kubernetes/deploy/basepod-a begins; 1 step behind it"));
    assert_eq!(awaited(&made.view, &made.waiting), None);
}

/// A thousand nodes that fail for three reasons.
fn thousand() -> Vec<Event> {
    let mut script = Script::new();
    script.begin(2001, 1000);
    for node in 0..1000 {
        let name = format!("dgx-{node:04}");
        let step = format!("nodes/account/{name}");
        let (code, message) = match node % 3 {
            0 => ("node.unreachable", format!("ssh {name}:22: no route to host")),
            1 => ("node.disk-full", format!("{} MiB are left on {name}", node * 7)),
            _ => ("node.clash", format!("uid 60000 belongs to somebody on {name}")),
        };
        let finding = Finding::error(Code::named(code), name.clone(), message.clone()).fix("look at it");
        script.start(1.0, &step).fail(4.0, &step, &message, finding);
        let held = HeldBy::Need { step: id(&step) };
        let next = format!("nodes/storage/{name}");
        script.end(4.0, &next, StepState::NotRun, 0.0, "needs it");
        script.hold(held);
    }
    script.events()
}

#[test]
fn a_thousand_failures_are_three_causes_and_the_story_keeps_its_bound() {
    let made = Made::of(&thousand(), &Shape::default());
    assert_eq!(made.groups.len(), 3, "{:?}", made.groups.iter().map(|group| &group.cause).collect::<Vec<_>>());
    assert_eq!(made.groups.iter().map(|group| group.steps.len()).sum::<usize>(), 1000);
    assert_eq!(made.groups[0].holds_up, 334);
    for bytes in [LEAST_BYTES, 2048, 8192] {
        let told = made.story(bytes);
        assert!(told.len() <= bytes, "{} of {bytes}", told.len());
        assert!(told.contains("3 causes") && told.contains("334 nodes"), "{told}");
        assert_eq!(told, made.story(bytes), "the same run gives the same text");
    }
    assert_eq!(made.story(10), made.story(LEAST_BYTES));
}

/// A run whose programs say everything that a terminal might obey.
pub(crate) fn hostile_run() -> Vec<Event> {
    let mut script = Script::new();
    script.begin(3, 2);
    for node in ["dgx-05", "dgx-06"] {
        let step = format!("nodes/account/{node}");
        let finding =
            Finding::error(Code::named("node.clash"), hostile(), hostile()).fix(hostile()).evidence(hostile());
        script.start(1.0, &step).fail(4.0, &step, &hostile(), finding);
        script.failure(CommandFailure {
            exit: Some(1),
            log: Some(hostile()),
            ..CommandFailure::of(hostile(), &[hostile(), "second".to_owned()])
        });
    }
    script.at(5.0, EventBody::RunStopping { reason: hostile() });
    let finding = Finding::warning(Code::named("run.lock-taken-over"), hostile(), hostile());
    script.at(5.0, EventBody::Finding { finding: Box::new(finding), step: None });
    script.events()
}

#[test]
fn foreign_text_reaches_nobody_raw_and_is_never_endless() {
    let made = Made::of(&hostile_run(), &Shape::default());
    let mut texts = made.texts(plain(80));
    let name = site();
    let exported = Exported { site: &name, shown: made.shown(), columns: &made.columns, plinth: "1.2.3" };
    for format in [Format::Trace, Format::Otlp, Format::Ctrf, Format::Junit, Format::Markdown, Format::Metrics] {
        texts.push(exported.write(format).unwrap());
    }
    for text in &texts {
        let hidden = text.chars().find(|c| is_hidden(*c));
        assert_eq!(hidden, None, "{}", text.chars().take(400).collect::<String>());
        assert!(text.len() < 200_000, "{} bytes", text.len());
    }
    assert!(texts.iter().any(|text| text.contains(r"\u{1b}[2J")), "it is shown, and not hidden");
    let markdown = exported.write(Format::Markdown).unwrap();
    let outside: Vec<&str> = markdown.lines().filter(|line| !line.starts_with("    ")).collect();
    assert!(!outside.iter().any(|line| line.contains("<script")), "{outside:?}");
}

#[test]
fn the_headline_of_a_story_is_there_however_many_nodes_were_left_out() {
    let mut events = scripted::run();
    if let EventBody::RunStarted(head) = &mut events[0].body {
        let names = (0..100).map(|n| format!("rack{}-dgx-{n:03}-{}", n % 50, "of-the-other-hall".repeat(2)));
        head.without = names.map(|name| plinth_model::NodeName::new(&name).unwrap()).collect();
    }
    let made = Made::of(&events, &Shape::default());
    let told = made.story(LEAST_BYTES);
    assert!(told.starts_with("basepod-a: ") && told.contains("  without ") && told.len() <= LEAST_BYTES, "{told}");
    assert!(told.contains(made.entry.state.word()) && told.contains(" of plan "), "{told}");
}
