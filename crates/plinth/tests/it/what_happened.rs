//! What is told of a run afterwards, by every verb that is asked: the same, and nothing that did not happen.

use crate::support::{Ran, basepod, plinth};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// A verb on the basepod site and its state directory.
fn asks(folder: &Path, arguments: &[&str]) -> Ran {
    plinth(folder, &[arguments, &["-f", &basepod(), "--state", "state"]].concat())
}

/// The finding of each step that failed in the last run, by step.
fn failures(folder: &Path) -> Vec<(String, Value)> {
    let status = asks(folder, &["status", "--json"]).exits(0).json();
    let failures = status["failures"].as_array().unwrap().iter();
    failures.map(|one| (one["step"].as_str().unwrap().to_owned(), one["finding"].clone())).collect()
}

#[test]
fn a_step_that_the_last_run_left_out_was_run_before() {
    let folder = TempDir::new().unwrap();
    let step = "nodes/account/dgx-05";
    asks(folder.path(), &["rehearse"]).exits(0);
    let first = asks(folder.path(), &["explain", step]).exits(0).stdout;
    asks(folder.path(), &["rehearse", "--without", "dgx-05"]).exits(0);
    assert_eq!(asks(folder.path(), &["explain", step]).exits(0).stdout, first);
    for what in ["dgx-05", "nodes/account", step] {
        let told = asks(folder.path(), &["explain", what]).exits(0).stdout;
        assert!(!told.contains("never run"), "{told}");
        assert!(told.contains("changed: user ansiblebcm"), "{told}");
    }
}

/// Killed in the middle of several steps: what was at work and what was only looked at is the same in all four.
#[test]
fn a_run_that_was_killed_is_told_alike_by_everybody() {
    let folder = TempDir::new().unwrap();
    asks(folder.path(), &["rehearse", "--fault", "crash@record:40"]);
    let in_flight = asks(folder.path(), &["status", "--json"]).exits(0).json()["inFlight"].clone();
    let of = |place: &str| -> Vec<String> {
        let steps = in_flight.as_array().unwrap().iter().filter(|step| step["interrupted"] == place);
        steps.map(|step| step["step"].as_str().unwrap().to_owned()).collect()
    };
    let (cut, looked) = (of("effect"), of("look"));
    assert!(!cut.is_empty() && !looked.is_empty(), "{in_flight:#}");
    let asked = |arguments: &[&str]| asks(folder.path(), arguments).exits(0).stdout;
    let (status, why) = (asked(&["status"]), asked(&["why"]));
    let chosen = asked(&["runs", "show", "--where", "state:interrupted"]);
    let counted = format!("{} interrupted, {} interrupted while only looked at", cut.len(), looked.len());
    assert!(status.contains(&counted) && why.contains(&counted), "{status}\n{why}");
    assert!(!why.contains("waits for"), "nothing waits in a run that is dead: {why}");
    for (steps, told, history) in [
        (&cut, "interrupted in the middle of its effect", "began, and its end was not seen"),
        (&looked, "interrupted while it was only looked at", "only looked at, and the end of that was not seen"),
    ] {
        for step in steps {
            for text in [&status, &why, &chosen] {
                let is_meant = |line: &&str| line.contains(told) && line.contains(step.as_str());
                let line = text.lines().filter(is_meant).find(|line| !line.contains("needs"));
                assert!(line.is_some(), "{step} in\n{text}");
            }
        }
        for step in steps {
            let text = asked(&["history", step]);
            assert!(text.contains(history), "{text}");
        }
    }
}

#[test]
fn a_run_that_was_refused_leaves_what_it_was_refused_for() {
    let folder = TempDir::new().unwrap();
    let faults = ["--fault", "node:dgx-05:unreachable", "--fault", "node:dgx-06:unreachable"];
    let said = asks(folder.path(), &[&["rehearse"][..], &faults].concat()).exits(3).stderr;
    assert!(said.contains("`plinth rehearse --without dgx-05 --without dgx-06`"), "{said}");
    let status = asks(folder.path(), &["status"]).exits(0).stdout;
    assert!(status.contains("refused  no run began at "), "{status}");
    for node in ["dgx-05", "dgx-06"] {
        assert!(status.contains(&format!("{node}  no answer from ")), "{status}");
        asks(folder.path(), &["history", node]).exits(0).says("a run was refused because of it");
    }
    asks(folder.path(), &["history", "dgx-99"]).exits(1).says("did you mean `dgx-05`?");
    assert!(status.contains("`plinth rehearse --without dgx-05 --without dgx-06`"), "{status}");
    let log = asks(folder.path(), &["logs", "run"]).exits(0).stdout;
    assert!(log.contains("not fit: no answer from") && log.contains("no run began"), "{log}");
    let json = asks(folder.path(), &["status", "--json"]).exits(0).json();
    assert_eq!(json["refused"]["findings"].as_array().unwrap().len(), 2, "{json:#}");
    asks(folder.path(), &["rehearse"]).exits(0);
    assert!(!asks(folder.path(), &["status"]).exits(0).stdout.contains("refused"), "a run began since");
}

#[test]
fn what_ends_a_verb_is_said_last_and_a_flag_is_not_the_files_fault() {
    let folder = TempDir::new().unwrap();
    let said = asks(folder.path(), &["rehearse", "--without", "n3", "--plan-only"]).exits(1).stderr;
    let error = said.find("error[nodes.no-match]").unwrap();
    assert!(said.rfind("warning[").is_some_and(|warning| warning < error), "{said}");
    assert!(said.rfind("info[").is_none_or(|note| note < error), "{said}");
    let line = said.lines().find(|line| line.contains("error[nodes.no-match]")).unwrap();
    assert_eq!(line.matches("n3").count(), 1, "{line}");
    assert!(!said.contains("error: checking "), "{said}");
}

/// Wherever a run finds a worker dead, it is the finding of before the run, for the same people, with the way to go on.
#[test]
fn a_dead_worker_is_the_same_finding_at_every_step() {
    for moment in ["account", "downloads"] {
        let folder = TempDir::new().unwrap();
        asks(folder.path(), &["rehearse", "--fault", &format!("node:dgx-05:unreachable@{moment}")]).exits(4);
        let failed = failures(folder.path());
        let [(step, finding)] = failed.as_slice() else { panic!("{moment}: {failed:#?}") };
        assert_eq!(
            (&finding["code"], &finding["owner"]),
            (&"node.unreachable".into(), &"network-team".into()),
            "{step}"
        );
        let fix = finding["fix"].as_str().unwrap();
        assert!(fix.ends_with("to go on without it meanwhile: `plinth rehearse --without dgx-05`"), "{step}: {fix}");
    }
}

#[test]
fn a_worker_that_was_unfit_before_the_run_holds_up_nobody_and_its_failure_says_so() {
    let folder = TempDir::new().unwrap();
    asks(folder.path(), &["rehearse", "--fault", "node:dgx-05:unreachable@facts"]).exits(4);
    let failed = failures(folder.path());
    let [(_, finding)] = failed.as_slice() else { panic!("{failed:#?}") };
    assert_eq!((&finding["code"], &finding["owner"]), (&"node.unreachable".into(), &"network-team".into()));
    let fix = finding["fix"].as_str().unwrap();
    assert!(fix.ends_with("; to leave it out until then: `plinth rehearse --without dgx-05`"), "{finding:#}");
}

#[test]
fn a_worker_on_which_a_play_failed_counts_as_failed_and_may_be_left_out() {
    for fault in ["play:dgx-05:fails", "node:dgx-05:drop@kubernetes"] {
        let folder = TempDir::new().unwrap();
        let said = asks(folder.path(), &["rehearse", "--fault", fault]).exits(4);
        assert!(
            said.stdout.contains("5 hosts (1 failed)") || said.stderr.contains("5 hosts (1 failed)"),
            "{}",
            said.stderr
        );
        let failed = failures(folder.path());
        let [(_, finding)] = failed.as_slice() else { panic!("{fault}: {failed:#?}") };
        let fix = finding["fix"].as_str().unwrap();
        assert!(fix.ends_with("`plinth rehearse --without dgx-05`"), "{fault}: {fix}");
    }
    let folder = TempDir::new().unwrap();
    asks(folder.path(), &["rehearse", "--fault", "play:cpu-03:fails"]).exits(4);
    let failed = failures(folder.path());
    assert!(failed.iter().all(|(_, finding)| !finding["fix"].as_str().unwrap().contains("--without")), "{failed:#?}");
}

#[test]
fn commands_that_are_named_can_be_typed_and_an_unknown_node_is_no_node_without_a_history() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    asks(folder.path(), &["history", "dgx-99"]).exits(1).says("did you mean `dgx-0");
    asks(folder.path(), &["history", "dgx-05"]).exits(0);
    std::fs::remove_dir(folder.path().join("state")).unwrap();
    asks(folder.path(), &["rehearse"]).exits(0);
    let status = asks(folder.path(), &["status"]).exits(0).stdout;
    assert!(status.contains(&format!("(logs: `plinth logs -f {} --state state`)", basepod())), "{status}");
    asks(folder.path(), &["history", "dgx-5"]).exits(1).says("did you mean `dgx-05`?");
    asks(folder.path(), &["history", "n3"]).exits(1).says("the newest plan has no node");
    asks(folder.path(), &["history", "dgx-05"]).exits(0);
    asks(folder.path(), &["history", "nodes/account"]).exits(0);
}
