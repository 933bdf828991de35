//! What is told of an operation that fails on a node: the command, how it ended, its words, and its log.

use crate::seen::{outcome, site};
use crate::support::Bench;
use plinth_lab::LabSpec;
use std::os::unix::fs::PermissionsExt as _;

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn an_operation_that_fails_is_told_with_its_command_its_end_and_its_words_without_secrets() {
    let bench = Bench::up(&LabSpec::unique("told").usual(2), &site(&["n1"], &["n2"]));
    let node = bench.lab.node("n2").unwrap();
    let password = bench.lab.password();
    let broken = format!("#!/bin/sh\necho 'useradd: no users today, not even with {password}' >&2\nexit 9\n");
    node.write_file("/usr/sbin/useradd", "0755", broken.as_bytes()).unwrap();
    let (events, exit) = bench.apply();
    assert_eq!((exit, outcome(&events, "nodes/account/n2")), (4, "failed"));
    let ended = events.iter().find(|e| e["event"] == "step.finished" && e["step"] == "nodes/account/n2").unwrap();
    let failure = &ended["failure"];
    let address = node.address();
    assert_eq!(failure["command"], format!("ssh ubuntu@{address} sudo sh # making the account on n2"), "{ended:#}");
    assert_eq!(failure["exit"], 1);
    let line = "useradd: no users today, not even with [secret]";
    assert!(failure["tail"].as_array().unwrap().iter().any(|told| told == line), "{failure:#}");
    let log = bench.folder.path().join(failure["log"].as_str().unwrap());
    let mode = std::fs::metadata(&log).unwrap().permissions().mode() & 0o777;
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!((mode, text.contains(line), text.contains(password)), (0o600, true, false), "{text}");

    let listed: serde_json::Value =
        serde_json::from_slice(&bench.plinth(&["logs", "--json"]).stdout).expect("the list of logs");
    let found = listed["logs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|found| found["name"] == log.file_name().unwrap().to_str().unwrap());
    let found = found.unwrap();
    assert_eq!((&found["of"], &found["step"]), (&"node".into(), &"nodes/account/n2".into()), "{found:#}");
    let printed = bench.plinth(&["logs", "nodes/account/n2"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains(line), "{printed:?}");
}
