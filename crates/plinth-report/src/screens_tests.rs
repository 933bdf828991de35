//! What people see of a frozen node, a failed play and a stopped run, on terminals of 80, 120 and 200 columns.

#![allow(clippy::unwrap_used)]

use super::tests::Screen;
use super::*;
use crate::scripted::{Script, id};
use plinth_model::finding::code;
use plinth_model::run::{Counts, Outcome};
use plinth_model::{Finding, StepState};

const WIDTHS: [u16; 3] = [80, 120, 200];
const PALETTE: Palette = Palette { colour: false, unicode: true };

/// What stands on the screen at the end: what scrolled, and the view while it is drawn.
fn seen(events: &[Event], width: u16) -> String {
    let screen = Screen::new(width);
    let text_log = TextLog::new(PALETTE, Verbosity::Notable);
    let mut live = Live::new(text_log, Shape::default(), PALETTE, screen.terminal(usize::from(width)));
    events.iter().for_each(|event| live.event(event));
    if !live.closed {
        live.known = Known::default();
        live.draw();
    }
    screen.text()
}

#[track_caller]
fn shown(name: &str, events: &[Event]) {
    for width in WIDTHS {
        let text = seen(events, width);
        let long = text.lines().find(|line| line.chars().count() > usize::from(width));
        assert_eq!(long, None, "{name} at {width}");
        insta::assert_snapshot!(format!("{name}_{width}"), text);
    }
}

fn connected(script: &mut Script) {
    script.begin(20, 4);
    for node in ["n1", "n2", "n3", "n4"] {
        script.start(0.2, &format!("nodes/connect/{node}"));
    }
    for node in ["n1", "n3", "n4"] {
        script.end(
            0.9,
            &format!("nodes/connect/{node}"),
            StepState::Changed,
            0.7,
            "host key accepted on first contact and pinned",
        );
    }
}

#[test]
fn a_frozen_node() {
    let mut script = Script::new();
    connected(&mut script);
    let message = "connecting to n2 at 192.0.2.12: it took the connection and said nothing within 10 s, as a machine does that is frozen";
    let retrying = EventBody::StepRetrying {
        step: id("nodes/connect/n2"),
        attempt: 1,
        message: message.into(),
        wait_s: 5.0,
        next_at: None,
    };
    script.at(10.3, retrying);
    for node in ["n1", "n3", "n4"] {
        script.end(12.0, &format!("nodes/account/{node}"), StepState::Changed, 2.2, "user ansiblebcm (uid 60000) made");
    }
    shown("frozen_node", &script.events());
}

fn play_failed() -> Finding {
    Finding::error(code::KUBESPRAY_HOST_FAILED, "n2", "Kubespray did not succeed on 1 of 4 hosts: n2")
        .evidence("n2: 1 task failed")
        .evidence("n2: container-engine/containerd : Download_file | Validate mirrors: the mirror at https://mirror.example.com/dl.k8s.io answers 404 Not Found")
        .evidence("all of it: /var/lib/plinth/gpu-lab/logs/kubespray-20261129T101112Z.log")
        .fix("fix what the failed task of n2 says above, then run again: Kubespray goes over finished tasks quickly")
}

#[test]
fn a_failed_play() {
    let mut script = Script::new();
    connected(&mut script);
    let deploy = "kubernetes/deploy/gpu-lab";
    script.start(20.0, deploy).act(21.0, deploy, 1).progress(
        60.0,
        deploy,
        240,
        "play 6/15: preinstall, container engine, downloads",
    );
    script.fail(312.0, deploy, "Kubespray did not succeed on 1 of 4 hosts: n2", play_failed());
    for step in ["kubernetes/kubeconfig/gpu-lab", "kubernetes/ready/n1", "platform/release/gpu-operator"] {
        script.end(312.0, step, StepState::NotRun, 0.0, "needs kubernetes/deploy/gpu-lab, which failed");
    }
    let counts = Counts { changed: 3, failed: 1, not_run: 16, warnings: 6, hosts: 4, ..Counts::default() };
    let next = vec![
        "kubernetes/deploy/gpu-lab: you: fix what the failed task of n2 says above, then run again: Kubespray goes over finished tasks quickly".to_owned(),
        "run the same command again: it continues with what is left (17 steps)".to_owned(),
    ];
    script.at(
        312.0,
        EventBody::RunFinished { outcome: Outcome::Partly, exit: 4, counts, seconds: 312.0, next, digest: None },
    );
    shown("failed_play", &script.events());
}

#[test]
fn a_stopped_run() {
    let mut script = Script::new();
    connected(&mut script);
    let reason = "stopping after the running steps finish; Ctrl-C again stops now".to_owned();
    script.at(11.0, EventBody::RunStopping { reason });
    script.end(11.4, "nodes/connect/n2", StepState::Changed, 11.2, "host key accepted on first contact and pinned");
    for node in ["n1", "n2", "n3", "n4"] {
        script.end(11.5, &format!("nodes/account/{node}"), StepState::NotRun, 0.0, "the run stopped before it");
    }
    let counts = Counts { changed: 4, not_run: 16, hosts: 4, ..Counts::default() };
    let next = vec!["run the same command again: it continues with what is left (16 steps)".to_owned()];
    script.at(
        11.5,
        EventBody::RunFinished { outcome: Outcome::Stopped, exit: 4, counts, seconds: 11.5, next, digest: None },
    );
    shown("stopped_run", &script.events());
}
