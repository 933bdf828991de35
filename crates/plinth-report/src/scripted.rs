//! A small run, written down by hand, for the tests of every display: a retry, a gate, a failure, a long step, a warning.

#![allow(clippy::unwrap_used)]

use plinth_model::Code;
use plinth_model::finding::code;
use plinth_model::run::{CommandFailure, Counts, HeldBy, Outcome, RunHead, StepEnd};
use plinth_model::{Digest, Event, EventBody, Finding, Owner, SiteName, Stage, StepId, StepState};

/// Seconds since the start, and what.
pub(crate) struct Script {
    events: Vec<Event>,
}

pub(crate) fn id(text: &str) -> StepId {
    StepId::try_from(text.to_owned()).unwrap()
}

fn node_of(text: &str) -> Option<String> {
    text.starts_with("nodes/").then(|| id(text).target().to_owned())
}

fn stage_of(text: &str) -> Stage {
    match id(text).area() {
        "bcm" => Stage::Discovery,
        "nodes" => Stage::Nodes,
        "platform" => Stage::Platform,
        _ => Stage::Kubernetes,
    }
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { events: Vec::new() }
    }

    pub(crate) fn events(self) -> Vec<Event> {
        self.events
    }

    pub(crate) fn at(&mut self, seconds: f64, body: EventBody) -> &mut Self {
        let start: jiff::Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let at = start + jiff::SignedDuration::from_secs_f64(seconds);
        let lasting = self.events.iter().rev().find(|event| !event.body.may_be_missed());
        let after = Some(lasting.map_or(0, |event| event.seq));
        self.events.push(Event { seq: self.events.len() as u64 + 1, after, at, body });
        self
    }

    pub(crate) fn begin(&mut self, steps: usize, hosts: usize) -> &mut Self {
        let head = RunHead::new("run-1", Digest::of_bytes(b"plan"), SiteName::new("basepod-a").unwrap());
        self.at(0.0, EventBody::RunStarted(RunHead { steps, hosts, rehearsal: true, ..head }))
    }

    pub(crate) fn start(&mut self, at: f64, step: &str) -> &mut Self {
        let reason = "wanted by the site file".into();
        let (stage, node) = (stage_of(step), node_of(step));
        self.at(
            at,
            EventBody::StepStarted {
                step: id(step),
                stage,
                node,
                reason,
                ready_at: None,
                held_by: None,
                last_need: None,
            },
        )
    }

    pub(crate) fn act(&mut self, at: f64, step: &str, attempt: u32) -> &mut Self {
        self.at(
            at,
            EventBody::StepActing {
                step: id(step),
                diff: vec!["+ something".into()],
                attempt,
                reads_only: false,
                installed: None,
            },
        )
    }

    pub(crate) fn progress(&mut self, at: f64, step: &str, done: u64, message: &str) -> &mut Self {
        self.at(at, EventBody::StepProgress { step: id(step), done, total: 870, message: message.into() })
    }

    pub(crate) fn end(&mut self, at: f64, step: &str, outcome: StepState, seconds: f64, detail: &str) -> &mut Self {
        let (node, detail) = (node_of(step), detail.to_owned());
        self.at(at, StepEnd { node, seconds, detail, ..StepEnd::new(id(step), stage_of(step), outcome) }.into())
    }

    /// What held the step that ended last.
    pub(crate) fn hold(&mut self, held: HeldBy) -> &mut Self {
        if let Some(Event { body: EventBody::StepFinished { held_by, .. }, .. }) = self.events.last_mut() {
            *held_by = Some(Box::new(held));
        }
        self
    }

    /// The program of the step that failed last.
    pub(crate) fn failure(&mut self, program: CommandFailure) -> &mut Self {
        if let Some(Event { body: EventBody::StepFinished { failure, .. }, .. }) = self.events.last_mut() {
            *failure = Some(Box::new(program));
        }
        self
    }

    pub(crate) fn fail(&mut self, at: f64, step: &str, detail: &str, finding: Finding) -> &mut Self {
        self.end(at, step, StepState::Failed, 3.2, detail);
        if let Some(Event { body: EventBody::StepFinished { finding: slot, .. }, .. }) = self.events.last_mut() {
            *slot = Some(Box::new(finding));
        }
        self
    }
}

fn dropped() -> Finding {
    Finding::error(Code::named("node.connection-lost"), "dgx-06", "the SSH connection broke while the account was made")
        .evidence("ssh dgx-06:22: connection reset by peer")
        .evidence("last command: ensure_account")
        .owner(Owner::NetworkTeam)
        .fix("check the node's port on the switch, then run again")
}

fn insecure() -> Finding {
    Finding::warning(code::BCM_TLS_INSECURE, "inventory.bcm.tls", "the certificate of BCM is not checked")
        .fix("name its authority with `caFile`")
}

fn counts() -> Counts {
    Counts { changed: 5, unchanged: 2, skipped: 2, failed: 1, not_run: 4, warnings: 1, hosts: 3, hosts_failed: 1 }
}

/// Three nodes; dgx-06 is lost while its account is made, and Kubernetes is made on the others.
pub(crate) fn run() -> Vec<Event> {
    let mut script = Script::new();
    script.begin(14, 3).at(0.1, EventBody::Finding { finding: Box::new(insecure()), step: None });
    script.start(0.2, "bcm/identity/bcm-head-01").end(
        0.6,
        "bcm/identity/bcm-head-01",
        StepState::Unchanged,
        0.4,
        "the head nodes are the ones of the inventory",
    );
    for node in ["cpu-03", "dgx-05", "dgx-06"] {
        script.start(1.0, &format!("nodes/connect/{node}"));
    }
    script.at(
        1.4,
        EventBody::StepRetrying {
            step: id("nodes/connect/dgx-05"),
            attempt: 1,
            message: "connection refused".into(),
            wait_s: 2.0,
            next_at: None,
        },
    );
    script
        .end(1.5, "nodes/connect/cpu-03", StepState::Changed, 0.5, "host key pinned")
        .end(1.8, "nodes/connect/dgx-06", StepState::Changed, 0.8, "host key pinned")
        .end(4.0, "nodes/connect/dgx-05", StepState::Changed, 3.0, "host key pinned");
    nodes(&mut script);
    kubernetes(&mut script);
    script.events()
}

fn nodes(script: &mut Script) {
    script.start(4.1, "nodes/account/dgx-05").act(4.2, "nodes/account/dgx-05", 1).start(4.2, "nodes/account/dgx-06");
    script.end(5.0, "nodes/account/dgx-05", StepState::Unchanged, 0.9, "user ansiblebcm is there");
    script.act(5.1, "nodes/account/dgx-06", 1).fail(
        7.4,
        "nodes/account/dgx-06",
        "ssh: connection reset by peer",
        dropped(),
    );
    for verb in ["facts", "storage"] {
        script.end(7.4, &format!("nodes/{verb}/dgx-06"), StepState::NotRun, 0.0, "nodes/account/dgx-06 failed");
    }
    script.at(
        8.0,
        EventBody::GateOpened {
            gate: "storage/dgx-05".parse().unwrap(),
            answer: "relocate".parse().unwrap(),
            by: None,
        },
    );
    script.at(
        8.0,
        EventBody::GateOpened { gate: "storage/cpu-03".parse().unwrap(), answer: "fits".parse().unwrap(), by: None },
    );
    script.end(8.1, "nodes/storage/cpu-03", StepState::Skipped, 0.0, "the gate storage/cpu-03 said fits");
    script.start(8.2, "nodes/storage/dgx-05").act(8.3, "nodes/storage/dgx-05", 1);
    script.end(20.0, "nodes/storage/dgx-05", StepState::Changed, 11.8, "/var/lib/containerd is on /local");
    script.end(20.1, "nodes/registries/dgx-05", StepState::Skipped, 0.0, "no registry is wanted");
}

fn kubernetes(script: &mut Script) {
    let deploy = "kubernetes/deploy/basepod-a";
    script.start(30.0, deploy).act(30.5, deploy, 1);
    script.progress(40.0, deploy, 20, "bootstrap-os").progress(46.0, deploy, 40, "container-engine");
    script.progress(50.0, deploy, 60, "container-engine").progress(430.0, deploy, 600, "network_plugin/calico");
    script.end(630.0, deploy, StepState::Changed, 600.0, "cluster.yml ended on 2 hosts");
    script.end(630.0, "kubernetes/ready/dgx-06", StepState::NotRun, 0.0, "nodes/account/dgx-06 failed");
    script.end(630.0, "platform/namespace/runai", StepState::NotRun, 0.0, "nodes/account/dgx-06 failed");
    let next = vec!["fix dgx-06, then run the same command again: it goes on with 5 steps".to_owned()];
    script.at(
        640.0,
        EventBody::RunFinished {
            outcome: Outcome::Partly,
            exit: 4,
            counts: counts(),
            seconds: 640.0,
            next,
            digest: None,
        },
    );
}
