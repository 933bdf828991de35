use crate::plans::{id, plan, site, step};
use crate::script::Bench;
use jiff::Timestamp;
use plinth_model::Code;
use plinth_model::event::Counts;
use plinth_model::{Digest, Exit, Finding, Outcome, Problem, SiteName};
use plinth_run::journal::{FILE, Fact, Journal, JournalError, Record, Standing};
use std::path::Path;
use std::sync::atomic::Ordering;

fn at(run: &str, second: i64, fact: Fact) -> Record {
    Record { run: run.to_owned(), at: Timestamp::from_second(second).unwrap(), fact }
}

fn record(fact: Fact) -> Record {
    at("r1", 1_700_000_000, fact)
}

fn started() -> Fact {
    Fact::RunStarted {
        plan: Digest::of("plan"),
        site: SiteName::new("s").unwrap(),
        steps: 3,
        owner: "me".to_owned(),
        rehearsal: false,
        took_over: None,
    }
}

fn intent(step: &str, attempt: u32) -> Fact {
    Fact::StepIntent { step: id(step), digest: Digest::of(step), attempt }
}

fn done(step: &str, changed: bool) -> Fact {
    Fact::StepDone { step: id(step), digest: Digest::of(step), changed, detail: String::new(), answers: Vec::new() }
}

fn failed(step: &str) -> Fact {
    let finding = Box::new(Finding::error(Code::named("a.b"), "x", "y"));
    Fact::StepFailed { step: id(step), digest: Digest::of(step), finding }
}

fn finished() -> Fact {
    Fact::RunFinished { outcome: Outcome::Done, exit: 0, counts: Counts::default() }
}

fn written(dir: &Path) {
    let mut journal = Journal::open(dir).unwrap();
    let facts = [started(), intent("a/b/c", 1), done("a/b/c", true), done("a/b/d", false), finished()];
    journal.append(&facts.map(record)).unwrap();
}

/// Does to the file what no plinth does.
fn tamper(dir: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(dir.join(FILE)).unwrap();
    let free = "DROP TRIGGER facts_are_never_changed; DROP TRIGGER facts_are_never_removed;";
    connection.execute_batch(&format!("{free}{sql}")).unwrap();
}

#[test]
fn what_was_recorded_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let journal = Journal::open(dir.path()).unwrap();
    let history = journal.history();
    let run = history.run.as_ref().unwrap();
    assert_eq!((run.id.as_str(), run.outcome, run.steps), ("r1", Some(Outcome::Done), 3));
    assert_eq!(history.steps[&id("a/b/c")].standing, Standing::Done { changed: true });
    assert!(history.ever_done(&id("a/b/d"), &Digest::of("a/b/d")));
    assert!(!history.ever_done(&id("a/b/d"), &Digest::of("another")));
    assert!(history.in_flight().is_empty());
}

#[test]
fn histories_that_cannot_be_are_refused_whole() {
    let end = |facts: &[Fact]| [&[started()], facts].concat();
    let cases = [
        ("no run", vec![intent("a/b/c", 1)]),
        ("started twice", end(&[started()])),
        ("done without intent", end(&[done("a/b/c", true)])),
        ("first attempt is the second", end(&[intent("a/b/c", 2)])),
        ("intent twice", end(&[intent("a/b/c", 1), intent("a/b/c", 1)])),
        ("done twice", end(&[done("a/b/c", false), done("a/b/c", false)])),
        ("intent after done", end(&[done("a/b/c", false), intent("a/b/c", 1)])),
        ("unchanged after intent", end(&[intent("a/b/c", 1), done("a/b/c", false)])),
        ("done after failed", end(&[failed("a/b/c"), done("a/b/c", false)])),
        ("after the end", end(&[finished(), done("a/b/c", false)])),
    ];
    for (name, facts) in cases {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let records: Vec<Record> = facts.into_iter().map(record).collect();
        let error = journal.append(&records).unwrap_err();
        assert!(matches!(error, JournalError::Impossible(_)), "{name}: {error}");
        assert!(journal.history().run.is_none(), "{name}");
        drop(journal);
        assert!(Journal::open(dir.path()).unwrap().history().run.is_none(), "{name}");
    }
}

#[test]
fn a_later_run_takes_up_what_an_earlier_one_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&[record(started()), record(intent("a/b/c", 1)), record(intent("a/b/c", 2))]).unwrap();
    assert_eq!(journal.history().in_flight(), [&id("a/b/c")]);
    let second = |fact| at("r2", 1_600_000_000, fact);
    journal.append(&[second(started()), second(intent("a/b/c", 1))]).unwrap();
    assert!(journal.append(&[record(done("a/b/c", true))]).is_err(), "the first run is over");
    journal.append(&[second(done("a/b/c", true))]).unwrap();
    assert!(journal.history().in_flight().is_empty());
    journal.verify().unwrap();
}

#[test]
fn tampering_shows_and_nothing_is_changed() {
    let cases = [
        ("a payload", "UPDATE facts SET payload = replace(payload, 'true', 'false') WHERE seq = 3", 3),
        ("a time", "UPDATE facts SET at = '2020-01-01T00:00:00Z' WHERE seq = 2", 2),
        ("a column", "UPDATE facts SET step = 'x/y/z' WHERE seq = 4", 4),
        ("one removed", "DELETE FROM facts WHERE seq = 2", 2),
        ("the last removed", "DELETE FROM facts WHERE seq = 5", 4),
        (
            "swapped",
            "UPDATE facts SET seq = 9 WHERE seq = 3; UPDATE facts SET seq = 3 WHERE seq = 4; UPDATE facts SET seq = 4 WHERE seq = 9",
            3,
        ),
    ];
    for (name, sql, seq) in cases {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        tamper(dir.path(), sql);
        let before = std::fs::read(dir.path().join(FILE)).unwrap();
        let error = Journal::open(dir.path()).unwrap_err();
        assert!(matches!(error, JournalError::Broken { seq: s, .. } if s == seq), "{name}: {error:?}");
        assert!(Journal::open_read_only(dir.path()).is_err(), "{name}");
        let problem = Problem::from(error);
        assert_eq!(problem.exit, Exit::Input);
        assert!(problem.to_string().contains(FILE) && problem.to_string().contains("nothing was changed"), "{problem}");
        assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), before, "{name}");
    }
}

#[test]
fn facts_cannot_be_changed_by_accident() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    assert!(connection.execute("DELETE FROM facts", []).is_err());
    assert!(connection.execute("UPDATE facts SET run = 'x'", []).is_err());
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let whole = tempfile::tempdir().unwrap();
    written(whole.path());
    let bytes = std::fs::read(whole.path().join(FILE)).unwrap();
    let foreign = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(foreign.path().join(FILE)).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    let foreign = std::fs::read(foreign.path().join(FILE)).unwrap();
    let cases = [
        ("text", b"this is not a database, but it is long enough to be looked at as one".repeat(40)),
        ("truncated", bytes[..bytes.len() / 2].to_vec()),
        ("truncated inside a page", bytes[..bytes.len() - 5000].to_vec()),
        ("somebody else's database", foreign),
    ];
    for (name, content) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        std::fs::write(&path, &content).unwrap();
        let problem = Problem::from(Journal::open(dir.path()).expect_err(name));
        assert_eq!(problem.exit, Exit::Input, "{name}: {problem}");
        assert!(problem.to_string().contains(FILE), "{name}: {problem}");
        assert!(problem.attempt.contains("nothing was changed"), "{name}: {problem}");
        assert_eq!(std::fs::read(&path).unwrap(), content, "{name}");
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    tamper(dir.path(), "PRAGMA user_version = 2");
    for error in [Journal::open(dir.path()).map(drop), Journal::open_read_only(dir.path()).map(drop)] {
        let problem = Problem::from(error.unwrap_err());
        assert_eq!(problem.exit, Exit::Input);
        assert!(problem.happened.contains("schema 2") && problem.attempt.contains("nothing was changed"), "{problem}");
    }
}

#[test]
fn a_full_disk_keeps_everything_before() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.limit_pages(1).unwrap();
    let second = |fact| at("r2", 1_700_000_001, fact);
    let many: Vec<Record> =
        std::iter::once(started()).chain((0..500).map(|n| done(&format!("a/b/{n}"), false))).map(second).collect();
    let before = journal.history().clone();
    assert!(matches!(journal.append(&many), Err(JournalError::Full { .. })));
    assert_eq!(*journal.history(), before);
    drop(journal);
    let mut journal = Journal::open(dir.path()).unwrap();
    assert_eq!(*journal.history(), before);
    journal.append(&many).unwrap();
}

#[test]
fn two_writers_without_a_lock_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Journal::open(dir.path()).unwrap(), Journal::open(dir.path()).unwrap());
    first.append(&[record(started())]).unwrap();
    let other = at("r2", 1_700_000_000, started());
    assert!(matches!(second.append(&[other]), Err(JournalError::MovedOn { .. })));
    first.verify().unwrap();
}

#[test]
fn a_clock_that_goes_backwards_breaks_nothing() {
    let mut bench = Bench::new();
    bench.run(&plan(vec![step("a/b/c", &[])]));
    bench.clock.set_by.store(-100_000, Ordering::Relaxed);
    let report = bench.run(&site(1));
    assert_eq!(report.exit, Exit::Done);
    let journal = bench.journal();
    assert_eq!(journal.history().run.as_ref().unwrap().id, "run-2");
}

#[test]
fn many_records_are_appended_and_read_in_batches() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&[record(started())]).unwrap();
    for batch in 0..200 {
        let steps = (0..250).map(|n| format!("a/b/{}", batch * 250 + n));
        let records: Vec<Record> = steps.flat_map(|step| [intent(&step, 1), done(&step, true)]).map(record).collect();
        journal.append(&records).unwrap();
    }
    drop(journal);
    let reader = Journal::open_read_only(dir.path()).unwrap().unwrap();
    assert_eq!(reader.history().steps.len(), 50_000);
    assert!(reader.history().in_flight().is_empty());
}

#[test]
fn others_read_while_a_run_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&[record(started())]).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while last < 200 {
                let seen = Journal::open_read_only(dir.path()).unwrap().unwrap().history().steps.len();
                assert!(seen >= last, "{seen} after {last}");
                last = seen;
            }
        });
        for n in 0..200 {
            journal.append(&[record(done(&format!("a/b/{n}"), false))]).unwrap();
        }
        reader.join().unwrap();
    });
}

#[test]
fn every_error_says_what_to_whom_and_what_to_try() {
    let path = std::path::PathBuf::from("state/journal.db");
    let refused = Journal::open(tempfile::tempdir().unwrap().path()).unwrap().append(&[record(done("a/b/c", true))]);
    let errors = [
        (JournalError::Full { path: path.clone() }, "state/journal.db"),
        (JournalError::MovedOn { path }, "state/journal.db"),
        (refused.unwrap_err(), "r1"),
        (JournalError::LockLost { holder: "ada holds it now".to_owned() }, "lock"),
        (JournalError::Crashed { records: 3 }, "rehearsal"),
    ];
    for (error, place) in errors {
        let problem = plinth_model::Problem::from(error);
        assert!(problem.to.contains(place), "{problem}");
        assert!(!problem.doing.is_empty() && !problem.happened.is_empty() && !problem.attempt.is_empty(), "{problem}");
    }
}

#[test]
fn a_new_journal_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let _open = Journal::open(dir.path()).unwrap();
    let names = ["journal.db", "journal.db-wal", "journal.db-shm"];
    for name in names {
        let mode = dir.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
