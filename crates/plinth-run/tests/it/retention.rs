//! Old runs are removed, and what they left for the next one is not.

use crate::journal::{begin, behind, done, finished, intent, locked, small, started, with_installed};
use crate::plans::id;
use plinth_model::{Digest, Event, EventBody, InstalledChange, Outcome, Parts, ReleaseName, Stage};
use plinth_run::journal::{FILE, Journal, JournalError, JournalReader, Memory, Retention};
use std::path::Path;

const NO_BOUND: Retention = Retention { runs: u32::MAX, bytes: i64::MAX };

fn most(runs: u32) -> Retention {
    Retention { runs, ..NO_BOUND }
}

fn reader(dir: &Path) -> JournalReader {
    Journal::open_read_only(dir).unwrap().unwrap()
}

fn memory(dir: &Path) -> Memory {
    let memory = reader(dir).memory().unwrap();
    assert_eq!(*Journal::open(dir).unwrap().memory(), memory, "who writes and who reads");
    memory
}

fn good(run: &str) -> Vec<Event> {
    let parts = Parts {
        component: run.to_owned(),
        releases: [ReleaseName { namespace: "gpu".to_owned(), name: "operator".to_owned() }].into(),
        ..Parts::default()
    };
    let brings = with_installed(intent(&format!("platform/release/{run}"), 1), InstalledChange::Brings(parts));
    let release = format!("platform/release/{run}");
    behind(0, [begin(run), intent("a/b/c", 1), done("a/b/c", true), brings, done(&release, true), finished()])
}

fn partly(run: &str) -> Vec<Event> {
    let mut bodies = vec![begin(run), intent("a/b/d", 1), finished()];
    let Some(EventBody::RunFinished { outcome, .. }) = bodies.last_mut() else { panic!("it ends") };
    *outcome = Outcome::Partly;
    behind(0, bodies)
}

fn write(dir: &Path, run: &str, events: &[Event]) {
    locked(dir, run).append(events).unwrap();
}

/// Ten runs: the fourth is the last good one, and the last one never ended.
fn ten(dir: &Path) {
    for number in 0..10 {
        let run = format!("r{number}");
        let events = match number {
            0..=3 => good(&run),
            9 => started(&run),
            _ => partly(&run),
        };
        write(dir, &run, &events);
    }
}

#[test]
fn the_oldest_runs_go_and_what_they_left_stays() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    let before = memory(dir.path());
    assert_eq!(before.installed.components().len(), 4);
    assert_eq!(locked(dir.path(), "x").retain(most(10)).unwrap(), 0, "it fits");
    assert_eq!(locked(dir.path(), "x").retain(most(4)).unwrap(), 6);
    assert_eq!(reader(dir.path()).runs().unwrap(), ["r3", "r7", "r8", "r9"], "the last good one stays");
    assert_eq!(memory(dir.path()), before);
    Journal::open(dir.path()).unwrap().verify().unwrap();
    assert_eq!(reader(dir.path()).removed().unwrap(), 6);
    assert!(
        memory(dir.path()).last_made(&id("a/b/c"), &Digest::of("a/b/c")).is_some(),
        "guards of what must happen once"
    );
    assert_eq!(memory(dir.path()).in_flight(), [&id("a/b/d")]);
}

#[test]
fn a_good_run_that_stayed_goes_when_another_one_is_good() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    locked(dir.path(), "x").retain(most(2)).unwrap();
    assert_eq!(reader(dir.path()).runs().unwrap(), ["r3", "r9"]);
    write(dir.path(), "r10", &good("r10"));
    let before = memory(dir.path());
    assert_eq!(locked(dir.path(), "x").retain(most(1)).unwrap(), 2);
    assert_eq!(reader(dir.path()).runs().unwrap(), ["r10"]);
    assert_eq!(memory(dir.path()), before);
    assert_eq!(reader(dir.path()).removed().unwrap(), 10);
    write(dir.path(), "r11", &good("r11"));
    assert_eq!(locked(dir.path(), "x").retain(most(0)).unwrap(), 1, "the newest stays whatever is asked");
    assert_eq!(memory(dir.path()).installed.components().len(), 6);
}

#[test]
fn checks_and_small_things_go_before_what_was_applied() {
    let dir = tempfile::tempdir().unwrap();
    let rollback = |run: &str| small(run, |head| head.small = Some("rollback x".to_owned()));
    let check = |run: &str| small(run, |head| head.stages = [(Stage::Acceptance, 1)].into());
    write(dir.path(), "r0", &good("r0"));
    write(dir.path(), "r1", &partly("r1"));
    write(dir.path(), "r2", &rollback("r2"));
    write(dir.path(), "r3", &rollback("r3"));
    for number in 4..24 {
        let run = format!("r{number}");
        write(dir.path(), &run, &check(&run));
    }
    let before = memory(dir.path());
    locked(dir.path(), "x").retain(most(6)).unwrap();
    assert_eq!(reader(dir.path()).runs().unwrap(), ["r0", "r1", "r3", "r21", "r22", "r23"]);
    locked(dir.path(), "x").retain(most(1)).unwrap();
    assert_eq!(
        reader(dir.path()).runs().unwrap(),
        ["r0", "r1", "r3", "r23"],
        "the last good one, and what status tells"
    );
    let told = reader(dir.path()).whole_before().unwrap().unwrap();
    assert!(told.checks.is_some() && told.small.is_some());
    assert_eq!(memory(dir.path()), before);
    write(dir.path(), "r24", &good("r24"));
    let before = memory(dir.path());
    locked(dir.path(), "x").retain(most(3)).unwrap();
    assert_eq!(reader(dir.path()).runs().unwrap(), ["r3", "r23", "r24"], "runs of before others that went");
    assert_eq!(memory(dir.path()), before);
}

#[test]
fn who_lost_the_lock_removes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    let mut journal = locked(dir.path(), "x");
    rusqlite::Connection::open(dir.path().join(FILE)).unwrap().execute("DELETE FROM lock", []).unwrap();
    assert!(matches!(journal.retain(most(2)).unwrap_err(), JournalError::LockLost { .. }));
    assert_eq!((reader(dir.path()).runs().unwrap().len(), reader(dir.path()).removed().unwrap()), (10, 0));
}

/// As plinth of schema 4 wrote it: whoever changes its form must still read this, and count the schema up.
const REMEMBERED: &str = include_str!("../data/remembered.4.json");

#[test]
fn what_was_remembered_once_is_read_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    let before = memory(dir.path());
    locked(dir.path(), "x").retain(most(1)).unwrap();
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    connection.execute("UPDATE remembered SET memory = ?1", [REMEMBERED]).unwrap();
    drop(connection);
    assert_eq!(memory(dir.path()), before);
}

#[test]
fn bytes_are_a_bound_too_and_their_space_is_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let long = |run: &str| {
        let steps = (0..2_000).map(|n| done(&format!("a/b/{}{n}", "x".repeat(100)), false));
        behind(0, [begin(run)].into_iter().chain(steps).chain([finished()]))
    };
    let size = |dir: &Path| std::fs::metadata(dir.join(FILE)).unwrap().len();
    let bound = Retention { bytes: 4_000_000, ..NO_BOUND };
    let mut largest = Vec::new();
    for number in 0..24 {
        let run = format!("r{number}");
        let mut journal = locked(dir.path(), &run);
        journal.retain(bound).unwrap();
        journal.append(&long(&run)).unwrap();
        drop(journal);
        largest.push(size(dir.path()));
    }
    let runs = reader(dir.path()).runs().unwrap();
    assert!((2..10).contains(&runs.len()) && runs.last().is_some_and(|run| run == "r23"), "{runs:?}");
    let one_run = largest[1] - largest[0];
    assert!(largest[23] < largest[11] + one_run / 4, "twelve runs more are no more: {largest:?}");
}

#[test]
fn a_plan_goes_with_the_last_run_that_it_was_for() {
    let dir = tempfile::tempdir().unwrap();
    let plans = |dir: &Path| -> i64 {
        let connection = rusqlite::Connection::open(dir.join(FILE)).unwrap();
        connection.query_row("SELECT count(*) FROM plans", [], |row| row.get(0)).unwrap()
    };
    for (run, plan) in [("r1", "one"), ("r2", "one"), ("r3", "two")] {
        let mut events = good(run);
        let EventBody::RunStarted(head) = &mut events[0].body else { panic!("it begins") };
        head.plan = Digest::of(plan);
        write(dir.path(), run, &events);
        let row = "INSERT OR IGNORE INTO plans VALUES (?1, x'7b7d')";
        let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
        connection.execute(row, [Digest::of(plan).as_str()]).unwrap();
    }
    locked(dir.path(), "x").retain(most(2)).unwrap();
    assert_eq!(plans(dir.path()), 2, "the second run needs it");
    locked(dir.path(), "x").retain(most(1)).unwrap();
    assert_eq!(plans(dir.path()), 1);
}

#[test]
fn what_is_remembered_and_cannot_be_read_is_said() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    locked(dir.path(), "x").retain(most(2)).unwrap();
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    assert!(connection.execute("DELETE FROM events WHERE run = 10", []).is_err(), "of a run that is not remembered");
    connection.execute("UPDATE remembered SET memory = '{'", []).unwrap();
    drop(connection);
    assert!(matches!(Journal::open(dir.path()).unwrap_err(), JournalError::Broken { .. }));
}

#[test]
fn a_journal_of_before_is_read_and_learns_it_when_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    let before = memory(dir.path());
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    connection.execute_batch(TEXTS).unwrap();
    let older = "DROP TABLE remembered; DROP TRIGGER events_are_removed_when_remembered; PRAGMA user_version = 3;
        CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;";
    connection.execute_batch(older).unwrap();
    drop(connection);
    assert_eq!((reader(dir.path()).memory().unwrap(), reader(dir.path()).removed().unwrap()), (before.clone(), 0));
    drop(Journal::open(dir.path()).unwrap());
    assert_eq!(schema(dir.path()), 3, "a plinth of before may be at work");
    assert_eq!(locked(dir.path(), "x").retain(most(4)).unwrap(), 6);
    assert_eq!((memory(dir.path()), schema(dir.path())), (before, 6));
}

#[test]
fn a_journal_of_schema_4_is_read_and_becomes_one_of_this_when_its_lock_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    locked(dir.path(), "x").retain(most(4)).unwrap();
    let before = memory(dir.path());
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    connection.execute_batch(&format!("{TEXTS} PRAGMA user_version = 4")).unwrap();
    drop(connection);
    assert_eq!((reader(dir.path()).memory().unwrap(), memory(dir.path())), (before.clone(), before.clone()));
    assert_eq!(schema(dir.path()), 4, "a plinth of before may be at work");
    drop(locked(dir.path(), "x"));
    assert_eq!((memory(dir.path()), schema(dir.path())), (before, 6));
}

#[test]
fn plans_of_schema_5_were_texts_and_are_read_before_and_after_the_journal_is_one_of_this() {
    let dir = tempfile::tempdir().unwrap();
    let plans = [crate::plans::site(3), crate::plans::site(1)];
    let mut journal = locked(dir.path(), "x");
    plans.iter().for_each(|plan| journal.keep_plan(plan).unwrap());
    drop(journal);
    let texts =
        || -> Vec<_> { plans.iter().map(|plan| reader(dir.path()).plan_text(&plan.hash).unwrap().unwrap()).collect() };
    let before = texts();
    assert_eq!(before, plans.each_ref().map(|plan| serde_json::to_string(plan).unwrap()));
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    let packed: i64 = connection.query_row("SELECT sum(length(body)) FROM plans", [], |row| row.get(0)).unwrap();
    assert!(usize::try_from(packed * 3).unwrap() < before.concat().len(), "{packed} of {}", before.concat().len());
    connection.execute_batch(&format!("{TEXTS} PRAGMA user_version = 5")).unwrap();
    for (plan, text) in plans.iter().zip(&before).rev() {
        connection.execute("INSERT INTO plans VALUES (?1, ?2)", [plan.hash.as_str(), text]).unwrap();
    }
    drop(connection);
    assert_eq!((texts(), schema(dir.path())), (before.clone(), 5));
    drop(locked(dir.path(), "x"));
    assert_eq!((texts(), schema(dir.path())), (before, 6));
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    let newest: String =
        connection.query_row("SELECT hash FROM plans ORDER BY rowid DESC LIMIT 1", [], |row| row.get(0)).unwrap();
    assert_eq!(newest, plans[0].hash.as_str(), "they stay in their order");
}

#[test]
fn a_packed_plan_that_is_damaged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let plan = crate::plans::site(1);
    locked(dir.path(), "x").keep_plan(&plan).unwrap();
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    connection.execute("UPDATE plans SET body = substr(body, 1, length(body) - 9)", []).unwrap();
    assert!(reader(dir.path()).plan_text(&plan.hash).is_err());
}

/// The table of plans as schemas up to 5 had it.
const TEXTS: &str = "DROP TABLE plans; CREATE TABLE plans (hash TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;";

fn schema(dir: &Path) -> i64 {
    let connection = rusqlite::Connection::open(dir.join(FILE)).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}
