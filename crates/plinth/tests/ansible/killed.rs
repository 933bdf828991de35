//! Whatever ends a play, nothing of it goes on, and the next run completes.

use crate::ground::{DEPLOY, applied, nothing_left, processes, until, up};
use crate::seen::sh;
use crate::support::Bench;
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Begins to apply; answers when the play has begun.
fn begun(bench: &Bench) -> Child {
    let _old = std::fs::remove_file(bench.folder.path().join("events.ndjson"));
    let mut command = bench.command(&["apply", "--yes", "--events", "events.ndjson"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the play begins", Duration::from_secs(150), || !processes(bench).is_empty());
    child
}

fn kill(pid: u32, signal: &str) {
    let done = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(done.success(), "kill {signal} {pid}");
}

/// Some moment of the play: random, but told.
fn moment() -> Duration {
    let random = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    let moment = Duration::from_millis(200 + random * 40);
    println!("after {moment:?}");
    moment
}

/// The process that goes through the plays, not one of its workers: the oldest.
fn playbook(bench: &Bench) -> Option<u32> {
    let all = processes(bench)
        .into_iter()
        .filter(|(_, line)| !line.contains("supervisor.py") && line.contains("ansible-playbook"));
    all.map(|(pid, _)| pid).min()
}

#[test]
#[ignore = "needs root, the lab and a package index: cargo xtask test --tier kubespray"]
fn after_a_kill_of_plinth_nothing_goes_on_and_the_next_run_completes() {
    let bench = up("killed", 2, &["n1", "n2"]);
    sh(&bench.lab.node("n2").unwrap(), "mkdir -p /etc/plinth-test; echo 8 > /etc/plinth-test/slow");
    for round in 0..2 {
        let mut child = begun(&bench);
        std::thread::sleep(moment());
        kill(child.id(), "-KILL");
        child.wait().unwrap();
        if round == 0 {
            nothing_left(&bench);
        }
    }
    // At once: what is about to end holds the lock, and is waited for.
    sh(&bench.lab.node("n2").unwrap(), "rm /etc/plinth-test/slow");
    applied(&bench, "changed");
    nothing_left(&bench);
    applied(&bench, "unchanged");
}

#[test]
#[ignore = "needs root, the lab and a package index: cargo xtask test --tier kubespray"]
fn a_stopped_run_and_a_killed_ansible_are_told_and_the_next_run_completes() {
    let bench = up("stopped", 2, &["n1", "n2"]);
    sh(&bench.lab.node("n2").unwrap(), "mkdir -p /etc/plinth-test; echo 60 > /etc/plinth-test/slow");
    let mut child = begun(&bench);
    let working = || !sh(&bench.lab.node("n2").unwrap(), "pgrep -fx 'sleep 60' || true").is_empty();
    until("n2 works", Duration::from_secs(120), working);
    kill(child.id(), "-INT");
    std::thread::sleep(Duration::from_millis(500));
    kill(child.id(), "-INT");
    let began = Instant::now();
    child.wait().unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "the second signal ends it now");
    nothing_left(&bench);

    let mut child = begun(&bench);
    until("ansible runs", Duration::from_secs(60), || playbook(&bench).is_some());
    std::thread::sleep(moment());
    kill(playbook(&bench).expect("it still runs"), "-KILL");
    child.wait().unwrap();
    let events: Vec<Value> = bench.events();
    let end = events.iter().find(|e| e["event"] == "step.finished" && e["step"] == DEPLOY).expect("the play ended");
    assert_eq!(end["finding"]["code"], "kubespray.play-was-stopped", "{end:#}");
    nothing_left(&bench);
    sh(&bench.lab.node("n2").unwrap(), "rm /etc/plinth-test/slow");
    applied(&bench, "changed");
}
