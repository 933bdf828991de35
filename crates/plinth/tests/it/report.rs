//! `plinth report`: one page, the events back out of it, and no secret in it although a program said one. How it looks in a browser is told
//! by the tests of the tier `page`.

use crate::readers::{Running, wait_for};
use crate::support::{Ran, basepod, plinth, plinth_with, text};
use rusqlite::Connection;
use serde_json::Value;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

/// With what HTML and JSON escape in it.
const TOKEN: &str = "registry&\"token<for>tests-0815";
/// The same in base64.
const BASE64: &str = "cmVnaXN0cnkmInRva2VuPGZvcj50ZXN0cy0wODE1";

fn failed() -> TempDir {
    let folder = TempDir::new().unwrap();
    asks(folder.path(), &["rehearse", "--fault", "release:gpu-operator:fails"]).exits(4);
    folder
}

fn asks(folder: &Path, arguments: &[&str]) -> Ran {
    let site = basepod();
    plinth_with(folder, &[("RUNAI_REGISTRY_TOKEN", TOKEN)], &[arguments, &["-f", &site, "--state", "state"]].concat())
}

/// Every event of the last run, changed.
fn changed(folder: &Path, change: impl Fn(&mut Value)) {
    let journal = Connection::open(folder.join("state/journal.db")).unwrap();
    journal.execute_batch("DROP TRIGGER events_are_never_changed").unwrap();
    let mut read = journal.prepare("SELECT seq, event FROM events").unwrap();
    let rows: Vec<(i64, String)> =
        read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (seq, event) in rows {
        let mut event: Value = serde_json::from_str(&event).unwrap();
        change(&mut event);
        journal.execute("UPDATE events SET event = ?2 WHERE seq = ?1", (seq, event.to_string())).unwrap();
    }
}

#[test]
fn a_report_gives_its_events_back_and_says_what_failed() {
    let folder = failed();
    let said = asks(folder.path(), &["report", "--out", "run.html"]).exits(0).stderr;
    assert!(said.contains("run.html: searched for ") && said.contains("cannot be read here"), "{said}");
    let page = folder.path().join("run.html");
    let mode = || std::fs::metadata(&page).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600, "it is for its owner");
    std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o644)).unwrap();
    asks(folder.path(), &["report", "--out", "run.html"]).exits(0);
    assert_eq!(mode(), 0o644, "it was opened to others, and stays so");
    let html = std::fs::read_to_string(&page).unwrap();
    for fact in ["platform/release/gpu-operator", "helm upgrade gpu-operator", "Content-Security-Policy", "rehearsal"] {
        assert!(html.contains(fact), "{fact}");
    }
    let events =
        plinth_with(Path::new("/"), &[], &["report", "--extract", folder.path().join("run.html").to_str().unwrap()]);
    let events = events.exits(0).stdout;
    asks(folder.path(), &["report", "--extract", "run.html", "--out", "events.ndjson"]).exits(0);
    assert_eq!(std::fs::read_to_string(folder.path().join("events.ndjson")).unwrap(), events);
    let lines: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines.last().unwrap()["event"]), (&"run.started".into(), &"run.finished".into()));
    let journal = Connection::open(folder.path().join("state/journal.db")).unwrap();
    let count: i64 = journal.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!(i64::try_from(lines.len()).unwrap(), count, "every event that was kept");

    asks(folder.path(), &["report", "--out", "again.html"]).exits(0);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("again.html")).unwrap(),
        html,
        "the same run, the same bytes"
    );
    asks(folder.path(), &["report", "--dir", "folder"]).exits(0);
    let page = std::fs::read_to_string(folder.path().join("folder/index.html")).unwrap();
    assert!(!page.contains("<script") && !page.contains("<style"), "nothing that a strict server refuses");
    assert!(
        folder.path().join("folder/report.css").is_file() && folder.path().join("folder/events.ndjson.gz").is_file()
    );
}

#[test]
fn a_node_that_was_slow_is_in_the_report_as_it_is_in_the_story() {
    let folder = TempDir::new().unwrap();
    asks(folder.path(), &["rehearse"]).exits(0);
    changed(folder.path(), |event| {
        if event["event"] == "step.finished" && event["step"] == "nodes/account/dgx-05" {
            event["at"] = event["at"].as_str().unwrap().replacen("T08:", "T09:", 1).into();
        }
    });
    let told = asks(folder.path(), &["why"]).exits(0).stdout;
    assert!(told.contains("slow: nodes/account/dgx-05 took 1 h"), "{told}");
    asks(folder.path(), &["report", "--out", "run.html"]).exits(0);
    let html = std::fs::read_to_string(folder.path().join("run.html")).unwrap();
    let slow = html.split_once("What was slow").expect("it has such a part").1;
    assert!(slow.contains("nodes/account/dgx-05"));
    asks(folder.path(), &["support", "--out", "packed.tar.gz"]).exits(0);
    let why = story_in(&folder.path().join("packed.tar.gz"));
    assert!(why.contains("slow: nodes/account/dgx-05 took 1 h"), "{why}");
}

/// The story that `plinth support` packed.
fn story_in(packed: &Path) -> String {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(packed).unwrap()));
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut why = String::new();
    entries.find(|entry| entry.path().unwrap().ends_with("why.txt")).unwrap().read_to_string(&mut why).unwrap();
    why
}

#[test]
fn the_story_of_a_run_that_goes_on_says_how_long_it_will_still_take_wherever_it_is_told() {
    let folder = TempDir::new().unwrap();
    asks(folder.path(), &["rehearse"]).exits(0);
    let (site, state) = (basepod(), folder.path().join("goes-on"));
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--pace", "watch"];
    let run = Running::start(folder.path(), &arguments, |_| {});
    wait_for(folder.path(), &site, &state, |seen| seen["run"]["state"] == "running");
    // It stands still while it is told of.
    run.signal("-STOP");
    let told = plinth(folder.path(), &["why", "-f", &site, "--state", text(&state)]).exits(0).stdout;
    let begins = ["  still ", "  time left unknown: ", "  longer than usual"];
    let left = told.lines().find(|line| begins.iter().any(|begin| line.starts_with(begin))).expect(&told);
    let asked = ["support", "--out", "going.tar.gz", "-f", &site, "--state", text(&state)];
    plinth(folder.path(), &asked).exits(0);
    let why = story_in(&folder.path().join("going.tar.gz"));
    assert!(why.lines().any(|line| line == left), "{left}\n{why}");
}

#[test]
fn what_is_no_report_is_refused_in_words() {
    let folder = failed();
    std::fs::write(folder.path().join("other.html"), "<!doctype html><p>another page").unwrap();
    asks(folder.path(), &["report", "--extract", "other.html"]).exits(1).says("no events of a run");
    asks(folder.path(), &["report", "--extract", "not-there.html"]).exits(1).says("not-there.html");
    asks(folder.path(), &["report"]).exits(1).says("--out");
    asks(folder.path(), &["report", "--out", "x.html", "--json"]).exits(1).says("no other form");
    asks(folder.path(), &["report", "nothing", "--out", "x.html"]).exits(1).says("no run has such an id");
    asks(folder.path(), &["report", "--out", "no/such/folder/x.html"]).exits(1).says("folder that you can write to");
    assert!(!folder.path().join("x.html").exists());
}

#[test]
fn no_report_holds_a_secret_although_a_program_said_one() {
    let folder = failed();
    let said = format!("it said {TOKEN} and {BASE64} and {}", TOKEN.replace('&', "&amp;"));
    changed(folder.path(), |event| {
        for field in ["detail", "message", "reason"] {
            if event[field].is_string() {
                event[field] = said.as_str().into();
            }
        }
        if event["finding"].is_object() {
            event["finding"]["evidence"] = vec![said.clone()].into();
            event["finding"]["message"] = said.as_str().into();
        }
        if event["failure"].is_object() {
            event["failure"]["command"] = said.as_str().into();
            event["failure"]["tail"] = vec![said.clone()].into();
        }
    });
    asks(folder.path(), &["report", "--out", "run.html"]).exits(0);
    asks(folder.path(), &["report", "--dir", "folder"]).exits(0);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let events = asks(folder.path(), &["report", "--extract", "run.html"]).exits(0).stdout;
    let quoted = serde_json::to_string(TOKEN).unwrap();
    let escaped = TOKEN.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    for text in [read("run.html"), read("folder/index.html"), events] {
        assert!(text.contains("it said [secret]"));
        for form in [TOKEN, BASE64, quoted.trim_matches('"'), &escaped] {
            assert!(!text.contains(form), "{form}");
        }
    }
}

#[test]
fn a_report_takes_no_file_of_others_place() {
    let folder = failed();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("web")).unwrap();
    for name in ["notes.txt", "web/index.html"] {
        std::fs::write(path(name), "mine").unwrap();
    }
    for arguments in [["report", "--out", "notes.txt"], ["report", "--dir", "web"]] {
        asks(folder.path(), &arguments).exits(1);
    }
    asks(folder.path(), &["report", "--out", "-"]).exits(1);
    asks(folder.path(), &["report", "--out", "run.html"]).exits(0);
    asks(folder.path(), &["report", "--extract", "run.html", "--out", "notes.txt"]).exits(1);
    for name in ["notes.txt", "web/index.html"] {
        assert_eq!(std::fs::read_to_string(path(name)).unwrap(), "mine", "{name}");
    }
    assert!(!path("-").exists() && !path("web/report.css").exists(), "nothing is written half");
}
