//! Plays that do not succeed: what people are told, what is kept, and that the next run completes.

use crate::ground::{DEPLOY, HIDDEN, applied, deployed, logs, nothing_left, record, until, up};
use crate::seen::sh;
use crate::support::{Bench, said};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Applies, and answers the finding with which the play failed.
#[track_caller]
fn refused(bench: &Bench) -> Value {
    let (events, exit) = bench.apply();
    let end = deployed(&events);
    assert_eq!((end["outcome"].as_str(), exit), (Some("failed"), 4), "{end:#}");
    end["finding"].clone()
}

#[track_caller]
fn has(finding: &Value, words: &str) {
    let evidence = finding["evidence"].as_array().unwrap();
    assert!(evidence.iter().any(|line| line.as_str().unwrap().contains(words)), "`{words}` in {finding:#}");
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let real = entries.filter(|path| !path.is_symlink());
    real.flat_map(|path| if path.is_dir() { files(path) } else { vec![path] }).collect()
}

#[test]
#[ignore = "needs root, the lab and a package index: cargo xtask test --tier kubespray"]
fn a_failed_task_a_hidden_one_and_a_lost_host_are_told_and_the_next_run_completes() {
    let bench = up("broken", 3, &["n1", "n2", "n3"]);
    let two = bench.lab.node("n2").unwrap();
    sh(
        &two,
        "mkdir -p /etc/plinth-test; echo 'E: Could not get lock /var/lib/dpkg/lock-frontend' > /etc/plinth-test/fail",
    );
    let finding = refused(&bench);
    assert_eq!((finding["code"].as_str(), finding["subject"].as_str()), (Some("kubespray.host-failed"), Some("n2")));
    has(&finding, "n2: 1 task failed");
    has(&finding, "`prepare : The work itself` (roles/prepare/tasks/main.yml:");
    has(&finding, "exit code 42");
    has(&finding, "stderr: E: Could not get lock");
    assert!(finding["fix"].as_str().unwrap().contains("another program installs packages"), "{finding:#}");
    assert!(record(&bench).last.is_none() && record(&bench).begun.is_some());
    nothing_left(&bench);

    sh(&two, "rm /etc/plinth-test/fail; touch /etc/plinth-test/fail-hidden");
    let finding = refused(&bench);
    has(&finding, "[censored: no_log]");

    sh(&two, "rm /etc/plinth-test/fail-hidden");
    lost(&bench);
    let events = applied(&bench, "changed");
    let acting = events.iter().find(|e| e["event"] == "step.acting" && e["step"] == DEPLOY).unwrap();
    assert!(acting["diff"].to_string().contains("did not end"), "{acting:#}");
    assert_eq!(logs(&bench).len(), 4);
    for file in files(bench.folder.path().to_path_buf()) {
        let text = std::fs::read(&file).unwrap();
        let tree = file.components().any(|part| part.as_os_str() == "source");
        let shown = text.windows(HIDDEN.len()).any(|window| window == HIDDEN.as_bytes());
        assert!(tree || !shown, "the hidden word is in {}", file.display());
    }
}

/// A host whose cable is pulled in the middle of a task.
fn lost(bench: &Bench) {
    let three = bench.lab.node("n3").unwrap();
    sh(&three, "mkdir -p /etc/plinth-test; echo 20 > /etc/plinth-test/slow");
    let before = logs(bench).len();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let cutter = scope.spawn(|| {
            until("the play begins", Duration::from_secs(150), || logs(bench).len() > before);
            let working = || !sh(&three, "pgrep -fx 'sleep 20' || true").is_empty();
            until("n3 works", Duration::from_secs(120), working);
            three.cut().unwrap();
        });
        let finding = refused(bench);
        cutter.join().unwrap();
        assert_eq!(finding["code"], "kubespray.host-failed", "{finding:#}");
        has(&finding, "n3: became unreachable");
        assert!(finding["fix"].as_str().unwrap().contains("see that n3 answers"), "{finding:#}");
    });
    assert!(began.elapsed() < Duration::from_secs(400), "a lost host is given up in time");
    nothing_left(bench);
    three.fix().unwrap();
    sh(&three, "rm /etc/plinth-test/slow");
    let output = bench.plinth(&["status"]);
    assert!(output.status.success(), "{}", said(&output));
}
