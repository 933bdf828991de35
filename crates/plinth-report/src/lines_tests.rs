#![allow(clippy::unwrap_used)]

use super::*;
use crate::scripted::{self, Script};
use plinth_model::Code;
use plinth_model::RunView;
use plinth_model::StepState;
use plinth_model::plan::{Change, MadeFrom, Step};
use plinth_model::steps::NodeReady;
use plinth_model::{Digest, EventBody, Finding, NodeName, SiteName, Stage, Work};

fn written(events: &[Event], palette: Palette) -> String {
    let mut bytes = Vec::new();
    let mut sink = Lines::new(&mut bytes, palette);
    events.iter().for_each(|event| sink.event(event));
    sink.finish().unwrap();
    drop(sink);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn golden_plain() {
    let text = written(&scripted::run(), Palette::PLAIN);
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

#[test]
fn golden_unicode() {
    insta::assert_snapshot!(written(&scripted::run(), Palette { colour: false, unicode: true }));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let coloured = written(&scripted::run(), Palette { colour: true, unicode: true });
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let trimmed = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&bare), trimmed(&written(&scripted::run(), Palette { colour: false, unicode: true })));
    assert!(coloured.contains("\u{1b}[31m"));
}

#[test]
fn events_read_twice_are_written_once() {
    let events = scripted::run();
    let twice: Vec<Event> = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    assert_eq!(written(&twice, Palette::PLAIN), written(&events, Palette::PLAIN));
}

#[test]
fn a_thousand_equal_nodes_are_one_line_but_every_failure_is_named() {
    let mut script = Script::new();
    script.begin(1000, 1000);
    for n in 0..1000 {
        let step = format!("nodes/account/node-{n:04}");
        script.start(1.0, &step);
        let (outcome, detail) =
            if n % 100 == 7 { (StepState::Failed, "no route to host") } else { (StepState::Changed, "user made") };
        script.end(2.0, &step, outcome, 1.0, detail);
    }
    let text = written(&script.events(), Palette::PLAIN);
    assert!(text.contains("nodes/account  990 nodes"), "{text}");
    assert!(text.contains("X nodes/account/node-0007"), "the first one at once: {text}");
    let others: Vec<String> = (107..1000).step_by(100).map(|n| format!("{n:04}")).collect();
    assert!(text.contains("X nodes/account  9 nodes"), "{text}");
    assert!(text.contains(&format!("(no route to host) (1 s): node-[{}]", others.join(","))), "{text}");
    assert!(text.contains(&format!("failed on 10 nodes, node-[0007,{}]", others.join(","))), "{text}");
    assert!(text.lines().count() < 40, "{}", text.lines().count());
}

#[test]
fn heartbeats_are_never_closer_than_fifteen_seconds_and_grow_rarer() {
    let deploy = "kubernetes/deploy/basepod-a";
    let mut script = Script::new();
    script.begin(1, 1).start(0.0, deploy).act(0.0, deploy, 1);
    (1..3600).for_each(|second| {
        script.progress(f64::from(second), deploy, 1, "task");
    });
    let text = written(&script.events(), Palette::PLAIN);
    let beats: Vec<u32> = text
        .lines()
        .filter(|line| line.contains("running"))
        .map(|line| {
            let (minutes, seconds) = line[..5].split_once(':').unwrap();
            minutes.parse::<u32>().unwrap() * 60 + seconds.parse::<u32>().unwrap()
        })
        .collect();
    assert_eq!(beats[0], 15);
    assert!(beats.windows(2).all(|pair| pair[1] - pair[0] >= 15), "{beats:?}");
    assert!((10..40).contains(&beats.len()), "{beats:?}");
    assert!(text.contains("interrupted"), "the script has no run.finished");
}

#[test]
fn foreign_control_characters_do_not_reach_the_terminal() {
    let mut script = Script::new();
    script.begin(1, 1);
    script.end(1.0, "nodes/account/dgx-05", StepState::Failed, 1.0, "bad\u{1b}[2J\nreply");
    let text = written(&script.events(), Palette::PLAIN);
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains(r"bad\u{1b}[2J reply"), "{text}");
}

fn ready(node: &str) -> Step {
    Step {
        id: scripted::id(&format!("nodes/ready/{node}")),
        work: Work::NodeReady(NodeReady {
            node: NodeName::new(node).unwrap(),
            version: Some("v1.31.9".parse().unwrap()),
        }),
        needs: vec![],
        reason: "".into(),
        change: Change::Check,
        when: None,
    }
}

fn plan(nodes: &[&str]) -> Plan {
    let none = Digest::of_bytes(b"");
    Plan {
        schema: 1,
        hash: none.clone(),
        site: SiteName::new("basepod-a").unwrap(),
        made_from: MadeFrom {
            site: none.clone(),
            inventory: none.clone(),
            catalog: none,
            plinth: "0".into(),
            without: Vec::new(),
        },
        steps: nodes.iter().map(|node| ready(node)).collect(),
        gates: vec![],
        findings: vec![],
        expected: None,
    }
}

#[test]
fn warnings_of_the_plan_count_from_the_start() {
    let mut script = Script::new();
    script
        .begin(1, 1)
        .at(0.1, EventBody::Finding { finding: Box::new(Finding::warning(Code::named("e.f"), "g", "h")), step: None });
    let mut events = script.events();
    let EventBody::RunStarted(head) = &mut events[0].body else { panic!("{events:?}") };
    head.warnings = 1;
    assert_eq!(RunView::of(&events[..1]).counts().warnings, 1);
    assert_eq!(RunView::of(&events).counts().warnings, 2);
}

#[test]
fn a_stop_is_told_in_the_words_of_the_run() {
    let mut script = Script::new();
    script.begin(1, 1).at(0.1, EventBody::RunStopping { reason: "asked to stop: once more stops at once".to_owned() });
    let mut bytes = Vec::new();
    let mut sink = Lines::new(&mut bytes, Palette::PLAIN);
    script.events().iter().for_each(|event| sink.event(event));
    drop(sink);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.lines().any(|line| line.ends_with("asked to stop: once more stops at once")), "{text}");
}

#[test]
fn with_the_plan_a_folded_line_comes_when_its_last_node_has_spoken() {
    let cases = [(StepState::Changed, "+"), (StepState::Failed, "X"), (StepState::NotRun, "-")];
    for (last, sign) in cases {
        let mut script = Script::new();
        script.begin(3, 3);
        for (node, outcome) in [("cpu-03", StepState::Changed), ("dgx-05", StepState::Changed), ("dgx-06", last)] {
            let step = format!("nodes/ready/{node}");
            script.start(1.0, &step).end(2.0, &step, outcome, 1.0, "Ready");
        }
        let mut bytes = Vec::new();
        let mut sink = Lines::of_plan(&mut bytes, &plan(&["cpu-03", "dgx-05", "dgx-06"]), Palette::PLAIN);
        script.events().iter().for_each(|event| sink.event(event));
        drop(sink);
        let text = String::from_utf8(bytes).unwrap();
        let nodes = if last == StepState::Changed { 3 } else { 2 };
        assert!(text.contains(&format!("+ nodes/ready  {nodes} nodes")), "{sign} {text}");
    }
}

#[test]
fn the_head_says_how_many_steps_each_stage_has() {
    let mut script = Script::new();
    script.begin(3, 3);
    let mut events = script.events();
    let EventBody::RunStarted(head) = &mut events[0].body else { panic!("{events:?}") };
    head.stages = [(Stage::Nodes, 3)].into();
    let text = written(&events, Palette::PLAIN);
    assert!(text.contains("steps: nodes 3"), "{text}");
}

#[test]
fn events_that_never_came_are_said_and_late_ones_are_told_in_their_place() {
    let mut script = Script::new();
    script.begin(4, 4);
    for (n, letter) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let detail = format!("cause {letter}");
        script.end(1.0, &format!("nodes/account/node-{n}"), StepState::Failed, 1.0, &detail);
    }
    let mut events = script.events();
    events.swap(1, 2);
    assert!(!written(&events, Palette::PLAIN).contains("missing"), "only out of order");
    events.remove(3);
    let text = written(&events, Palette::PLAIN);
    assert!(text.contains("events 4 to 4 never came"), "{text}");
    let told = |n: usize| text.find(&format!("X nodes/account/node-{n}"));
    assert!(told(0).unwrap() < told(1).unwrap() && told(1).unwrap() < told(3).unwrap(), "{text}");
}
