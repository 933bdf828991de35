//! Events that say what no program of ours says, and journals of which a part is gone: pages and report show the one as text, and say the
//! other.

use crate::ground::{browser, copied, last_run, plinth, served, sound, told};
use plinth_lab::browser::{Look, Tab};
use rusqlite::Connection;
use std::path::Path;

/// Runs a script, ends an attribute, turns the direction, opens a link, clears the screen, holds a NUL, looks like our own data, is endless.
fn hostile() -> String {
    let begin = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\"><b id=taken>";
    let codes = "a\u{1b}[2Jb\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{feff}\0\r\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\";
    let ours = "</script><script type=\"application/octet-stream\" id=\"events\">";
    format!("{begin}{codes}{ours}{{{{7*7}}}}</details></main>{}", "x".repeat(1_000_000))
}

/// Opens a journal so that its events can be changed.
fn opened(state: &Path) -> Connection {
    let journal = Connection::open(state.join("journal.db")).unwrap();
    journal
        .execute_batch("DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_removed_when_remembered;")
        .unwrap();
    journal
}

fn number_of(journal: &Connection, run: &str) -> i64 {
    journal.query_row("SELECT number FROM runs WHERE id = ?1", [run], |row| row.get(0)).unwrap()
}

/// Puts the hostile text into every place of the run that a foreign program can fill.
fn poisoned(state: &Path, run: &str) {
    let journal = opened(state);
    let number = number_of(&journal, run);
    let mut read = journal.prepare("SELECT seq, event FROM events WHERE run = ?1").unwrap();
    let rows: Vec<(i64, String)> =
        read.query_map([number], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let text = hostile();
    let mut poisoned = 0;
    for (seq, event) in rows {
        let mut event: serde_json::Value = serde_json::from_str(&event).unwrap();
        let failed = event["outcome"] == "failed";
        for field in ["detail", "message"] {
            if (failed || seq % 7 == 0) && event[field].is_string() {
                event[field] = text.as_str().into();
                poisoned += 1;
            }
        }
        if event["finding"].is_object() && failed {
            event["finding"]["message"] = text.as_str().into();
            event["finding"]["subject"] = text.as_str().into();
            event["finding"]["evidence"] = vec![text.clone(); 30].into();
            event["finding"]["fix"] = text.as_str().into();
        }
        if event["failure"].is_object() {
            event["failure"]["command"] = text.as_str().into();
            event["failure"]["tail"] = vec![text.clone(); 20].into();
        }
        let event = event.to_string();
        journal.execute("UPDATE events SET event = ?3 WHERE run = ?1 AND seq = ?2", (number, seq, event)).unwrap();
    }
    assert!(poisoned > 3);
}

/// The text is read as text: nothing of it ran, was opened, asked for, or turned anything.
#[track_caller]
fn harmless(tab: &Tab<'_>, page: &str) {
    assert_ne!(tab.ask("document.title").unwrap(), "taken", "{page}");
    assert!(tab.ask("document.getElementById('taken')").unwrap().is_null(), "{page}");
    let images = "document.querySelectorAll('img, main script, a[href^=\"https://evil\"]').length";
    assert_eq!(tab.ask(images).unwrap(), 0, "{page}");
    let hidden = r"/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(document.body.textContent)";
    assert_eq!(tab.ask(hidden).unwrap(), false, "{page}");
    let length = tab.ask("document.querySelector('main').textContent.length").unwrap().as_u64().unwrap();
    assert!(length < 3_000_000, "{page}: {length} characters");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn text_of_foreign_programs_is_text() {
    let (scratch, state) = copied();
    let run = last_run(&state, "partly");
    poisoned(&state, &run);
    let (served, browser) = (served(&state, 0), browser());
    let tab = browser.tab(Look::PLAIN).unwrap();
    tab.open(served.link()).unwrap();
    let step = "/steps/platform/release/gpu-operator";
    for part in ["", "/failures", "/nodes", "/nodes/dgx-05", "/steps", "/timeline", "/graph", "/checks", "/why", step] {
        tab.open(&format!("{}/r/{run}{part}", served.origin())).unwrap();
        harmless(&tab, part);
        sound(&tab, served.origin(), part);
    }
    tab.open(&format!("{}/r/{run}/steps?q=%3Cscript%3Edocument.title%3D%27taken%27%3C%2Fscript%3E", served.origin()))
        .unwrap();
    harmless(&tab, "a hostile filter");

    let file = scratch.path().join("run.html");
    told(0, &["report", &run, "--state", state.to_str().unwrap(), "--out", file.to_str().unwrap()]);
    let url = format!("file://{}", file.display());
    tab.open(&url).unwrap();
    tab.ask("document.querySelector('#read button').click()").unwrap();
    tab.wait("document.querySelectorAll('#read tbody tr').length > 10", std::time::Duration::from_secs(90)).unwrap();
    harmless(&tab, "report");
    sound(&tab, &url, "report");
    let events = told(0, &["report", "--extract", file.to_str().unwrap()]);
    assert_eq!(events.lines().count() as i64, count(&state, &run));
}

fn count(state: &Path, run: &str) -> i64 {
    let journal = Connection::open(state.join("journal.db")).unwrap();
    let number = number_of(&journal, run);
    journal.query_row("SELECT count(*) FROM events WHERE run = ?1", [number], |row| row.get(0)).unwrap()
}

/// What the overview of a run says.
fn shown(state: &Path, run: &str) -> String {
    let (served, browser) = (served(state, 0), browser());
    let tab = browser.tab(Look::PLAIN).unwrap();
    tab.open(served.link()).unwrap();
    tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
    tab.text().unwrap()
}

/// What `plinth report` says, and the page that it writes, if it does.
fn reported(state: &Path, run: &str) -> String {
    let file = state.with_extension("html");
    let output = plinth(&["report", run, "--state", state.to_str().unwrap(), "--out", file.to_str().unwrap()]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    let Ok(page) = std::fs::read_to_string(&file) else { return said };
    plinth_report::document::texts(&page).join(" ") + &said
}

/// Removes events of a run; the page and the report.
fn thinned(condition: &str) -> [String; 2] {
    let (_scratch, state) = copied();
    let run = last_run(&state, "partly");
    let journal = opened(&state);
    let number = number_of(&journal, &run);
    assert!(journal.execute(&format!("DELETE FROM events WHERE run = ?1 AND {condition}"), [number]).unwrap() > 3);
    drop(journal);
    [shown(&state, &run), reported(&state, &run)]
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn what_is_missing_of_a_run_is_said() {
    for text in thinned("seq BETWEEN 120 AND 140") {
        assert!(text.contains("missing"), "{text}");
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_run_without_its_end_is_said_to_be_cut() {
    for text in thinned("seq > 200") {
        assert!(text.contains("were removed"), "{text}");
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_run_of_which_an_event_is_another_does_not_fit_its_digest() {
    let (_scratch, state) = copied();
    let run = last_run(&state, "partly");
    let journal = opened(&state);
    let number = number_of(&journal, &run);
    let sql = "UPDATE events SET event = replace(event, '\"outcome\":\"changed\"', '\"outcome\":\"unchanged\"') WHERE run = ?1";
    journal.execute(sql, [number]).unwrap();
    drop(journal);
    for text in [shown(&state, &run), reported(&state, &run)] {
        assert!(text.contains("digest"), "{text}");
    }
}
