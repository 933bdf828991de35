use crate::plans::{id, plan, site, step};
use crate::script::Bench;
use jiff::Timestamp;
use plinth_model::Code;
use plinth_model::gate::GateAnswer;
use plinth_model::run::{Counts, RunHead, StepEnd};
use plinth_model::{Digest, Event, EventBody, Exit, Finding, Outcome, Problem, SiteName, Stage, StepState};
use plinth_model::{InstalledChange, Parts, ReleaseName};
use plinth_run::journal::{FILE, Journal, JournalError, LockOwner, LockedJournal, Memory};
use plinth_world::{Clock, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Events behind `before`, numbered.
pub fn behind(before: u64, bodies: impl IntoIterator<Item = EventBody>) -> Vec<Event> {
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    let one = |(seq, body)| Event { seq, after: Some(seq - 1), at, body };
    (before + 1..).zip(bodies).map(one).collect()
}

pub fn begin(run: &str) -> EventBody {
    let head = RunHead::new(run, Digest::of("plan"), SiteName::new("s").unwrap());
    EventBody::RunStarted(RunHead { steps: 3, owner: "me".to_owned(), ..head })
}

pub fn started(run: &str) -> Vec<Event> {
    behind(0, [begin(run)])
}

pub fn intent(step: &str, attempt: u32) -> EventBody {
    EventBody::StepActing { step: id(step), diff: Vec::new(), attempt, reads_only: false, installed: None }
}

fn ended(step: &str, outcome: StepState, finding: Option<Box<Finding>>) -> EventBody {
    let digest = outcome.is_done().then(|| Digest::of(step));
    StepEnd { finding, digest, ..StepEnd::new(id(step), Stage::Nodes, outcome) }.into()
}

pub fn done(step: &str, changed: bool) -> EventBody {
    ended(step, if changed { StepState::Changed } else { StepState::Unchanged }, None)
}

fn failed(step: &str) -> EventBody {
    ended(step, StepState::Failed, Some(Box::new(Finding::error(Code::named("a.b"), "x", "y"))))
}

pub fn finished() -> EventBody {
    EventBody::RunFinished {
        outcome: Outcome::Done,
        exit: 0,
        counts: Counts::default(),
        seconds: 0.0,
        next: Vec::new(),
        digest: None,
    }
}

pub fn locked(dir: &Path, run: &str) -> LockedJournal {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Journal::open(dir).unwrap().lock(&LockOwner::current(), run, &clock).unwrap()
}

fn written(dir: &Path) {
    let bodies = [begin("r1"), intent("a/b/c", 1), done("a/b/c", true), done("a/b/d", false), finished()];
    locked(dir, "r1").append(&behind(0, bodies)).unwrap();
}

/// Does to the file what no plinth does.
fn tamper(dir: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(dir.join(FILE)).unwrap();
    let free = "DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_removed_when_remembered;";
    connection.execute_batch(&format!("{free}{sql}")).unwrap();
}

#[test]
fn what_was_recorded_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let journal = Journal::open(dir.path()).unwrap();
    let memory = journal.memory();
    let run = memory.run.as_ref().unwrap();
    assert_eq!((run.head.run.as_str(), run.outcome, run.head.steps), ("r1", Some(Outcome::Done), 3));
    assert_eq!(memory.steps[&id("a/b/c")].state, StepState::Changed);
    assert!(memory.steps[&id("a/b/c")].is_done_with(&Digest::of("a/b/c")));
    assert!(memory.steps[&id("a/b/d")].is_done_with(&Digest::of("a/b/d")));
    assert!(!memory.steps[&id("a/b/d")].is_done_with(&Digest::of("another")));
    assert!(memory.in_flight().is_empty());
}

fn making(mut body: EventBody, made: &str) -> EventBody {
    if let EventBody::StepFinished { once, .. } = &mut body {
        *once = Some(Digest::of(made));
    }
    body
}

#[test]
fn what_was_made_once_is_known_by_itself_and_before_that_was_kept_by_its_step() {
    let dir = tempfile::tempdir().unwrap();
    let made = |step: &str, what: &str| {
        let journal = Journal::open(dir.path()).unwrap();
        journal.memory().last_made(&id(step), &Digest::of(what)).is_some()
    };
    assert!(!made("a/b/c", "it"));
    locked(dir.path(), "r1").append(&behind(0, [begin("r1"), done("a/b/c", false), finished()])).unwrap();
    assert!(made("a/b/c", "it") && made("a/b/c", "another"), "it does not say which one");
    assert!(!made("a/b/d", "it"));
    let next = [begin("r2"), making(done("a/b/c", false), "it"), finished()];
    locked(dir.path(), "r2").append(&behind(0, next)).unwrap();
    assert!(made("a/b/c", "it") && !made("a/b/c", "another"));
    let next = [begin("r3"), making(done("a/b/c", false), "another"), finished()];
    locked(dir.path(), "r3").append(&behind(0, next)).unwrap();
    assert!(made("a/b/c", "it") && made("a/b/c", "another"));
}

#[test]
fn histories_that_cannot_be_are_refused_whole() {
    let end = |bodies: &[EventBody]| [&[begin("r1")], bodies].concat();
    let cases = [
        ("no run", vec![intent("a/b/c", 1)]),
        ("another run than the lock's", vec![begin("r2")]),
        ("started twice", end(&[begin("r1")])),
        ("done without intent", end(&[done("a/b/c", true)])),
        ("first attempt is the second", end(&[intent("a/b/c", 2)])),
        ("intent twice", end(&[intent("a/b/c", 1), intent("a/b/c", 1)])),
        ("done twice", end(&[done("a/b/c", false), done("a/b/c", false)])),
        ("intent after done", end(&[done("a/b/c", false), intent("a/b/c", 1)])),
        ("unchanged after intent", end(&[intent("a/b/c", 1), done("a/b/c", false)])),
        ("done after failed", end(&[failed("a/b/c"), done("a/b/c", false)])),
        ("after the end", end(&[finished(), done("a/b/c", false)])),
    ];
    for (name, bodies) in cases {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = locked(dir.path(), "r1");
        let error = journal.append(&behind(0, bodies)).unwrap_err();
        assert!(matches!(error, JournalError::Impossible(_)), "{name}: {error}");
        assert!(journal.memory().run.is_none(), "{name}");
        drop(journal);
        assert!(Journal::open(dir.path()).unwrap().memory().run.is_none(), "{name}");
    }
}

#[test]
fn a_later_run_takes_up_what_an_earlier_one_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = locked(dir.path(), "r1");
    first.append(&behind(0, [begin("r1"), intent("a/b/c", 1), intent("a/b/c", 2)])).unwrap();
    assert_eq!(first.memory().in_flight(), [&id("a/b/c")]);
    first.append(&behind(3, [ended("a/b/c", StepState::NotRun, None)])).unwrap();
    assert_eq!(first.memory().in_flight(), [&id("a/b/c")], "dropped in flight: its end was not seen");
    first.release().unwrap();
    let mut second = locked(dir.path(), "r2");
    second.append(&behind(0, [begin("r2"), intent("a/b/c", 1)])).unwrap();
    assert!(first.append(&behind(4, [done("a/b/c", true)])).is_err(), "the first run is over");
    second.append(&behind(2, [done("a/b/c", true)])).unwrap();
    assert!(second.memory().in_flight().is_empty());
    second.verify().unwrap();
}

#[test]
fn what_is_missing_or_unreadable_shows_and_nothing_is_changed() {
    let cases = [
        ("a text that is no event", "UPDATE events SET event = replace(event, 'changed', 'chanced') WHERE seq = 3", 3),
        (
            "one that cannot have happened",
            "UPDATE events SET event = replace(event, 'unchanged', 'changed') WHERE seq = 4",
            4,
        ),
        ("a column", "UPDATE events SET durable = 0 WHERE seq = 4", 4),
        ("one removed", "DELETE FROM events WHERE seq = 2", 3),
        ("the last removed", "DELETE FROM events WHERE seq = 5", 5),
        (
            "swapped",
            "UPDATE events SET seq = 9 WHERE seq = 3; UPDATE events SET seq = 3 WHERE seq = 4; UPDATE events SET seq = 4 WHERE seq = 9",
            3,
        ),
    ];
    for (name, sql, seq) in cases {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        tamper(dir.path(), sql);
        let before = std::fs::read(dir.path().join(FILE)).unwrap();
        let error =
            Journal::open(dir.path()).map(|journal| journal.verify().unwrap_err()).unwrap_or_else(|error| error);
        assert!(matches!(error, JournalError::Broken { seq: s, .. } if s == seq), "{name}: {error:?}");
        let problem = Problem::from(error);
        assert_eq!(problem.exit, Exit::Input);
        assert!(problem.to_string().contains(FILE) && problem.to_string().contains("nothing was changed"), "{problem}");
        assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), before, "{name}");
        let read = Journal::open_read_only(dir.path()).and_then(|reader| reader.unwrap().memory());
        assert!(read.is_err() || name == "a column", "{name}");
    }
}

#[test]
fn events_cannot_be_changed_by_accident() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let connection = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    assert!(connection.execute("DELETE FROM events", []).is_err());
    assert!(connection.execute("UPDATE events SET run = 7", []).is_err());
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
    tamper(dir.path(), "PRAGMA user_version = 99");
    for error in [Journal::open(dir.path()).map(drop), Journal::open_read_only(dir.path()).map(drop)] {
        let problem = Problem::from(error.unwrap_err());
        assert_eq!(problem.exit, Exit::Input);
        assert!(problem.happened.contains("schema 99") && problem.attempt.contains("nothing was changed"), "{problem}");
    }
}

#[test]
fn a_full_disk_keeps_everything_before() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let mut journal = locked(dir.path(), "r2");
    journal.limit_pages(1).unwrap();
    let many = std::iter::once(begin("r2")).chain((0..500).map(|n| done(&format!("a/b/{n}"), false)));
    let many = behind(0, many);
    let before = journal.memory().clone();
    assert!(matches!(journal.append(&many), Err(JournalError::Full { .. })));
    assert_eq!(*journal.memory(), before);
    drop(journal);
    let mut journal = locked(dir.path(), "r2");
    assert_eq!(*journal.memory(), before);
    journal.append(&many).unwrap();
}

#[test]
fn a_clock_that_goes_backwards_breaks_nothing() {
    let mut bench = Bench::new();
    bench.run(&plan(vec![step("a/b/c", &[])]));
    bench.clock.set_by.store(-100_000, Ordering::Relaxed);
    let report = bench.run(&site(1));
    assert_eq!(report.exit, Exit::Done);
    assert_eq!(bench.memory().run.unwrap().head.run, "run-2");
}

#[test]
fn many_events_are_appended_and_read_in_batches() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = locked(dir.path(), "r1");
    journal.append(&started("r1")).unwrap();
    for batch in 0..200 {
        let steps = (0..250).map(|n| format!("a/b/{}", batch * 250 + n));
        let bodies = steps.flat_map(|step| [intent(&step, 1), done(&step, true)]);
        journal.append(&behind(1 + batch * 500, bodies)).unwrap();
    }
    drop(journal);
    let reader = Journal::open_read_only(dir.path()).unwrap().unwrap();
    assert_eq!(reader.view().steps.len(), 50_000);
    assert!(reader.memory().unwrap().in_flight().is_empty());
}

#[test]
fn others_read_while_a_run_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = locked(dir.path(), "r1");
    journal.append(&started("r1")).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while last < 200 {
                let seen = Journal::open_read_only(dir.path()).unwrap().unwrap().view().steps.len();
                assert!(seen >= last, "{seen} after {last}");
                last = seen;
            }
        });
        for n in 0..200 {
            journal.append(&behind(1 + n, [done(&format!("a/b/{n}"), false)])).unwrap();
        }
        reader.join().unwrap();
    });
}

/// A run whose head is changed, ended well.
pub fn small(run: &str, edit: impl Fn(&mut RunHead)) -> Vec<Event> {
    let EventBody::RunStarted(mut head) = begin(run) else { unreachable!() };
    edit(&mut head);
    behind(0, [EventBody::RunStarted(head), finished()])
}

#[test]
fn runs_of_checks_and_of_one_small_thing_stand_beside_the_run_that_says_how_far_the_site_is() {
    let dir = tempfile::tempdir().unwrap();
    let keep = |run: &str, events: &[Event]| locked(dir.path(), run).append(events).unwrap();
    let reader = || Journal::open_read_only(dir.path()).unwrap().unwrap();
    let rollback = |run: &str, what: &str| small(run, |head| head.small = Some(what.to_owned()));
    keep("r0", &rollback("r0", "trust"));
    assert!(reader().whole_before().unwrap().is_none(), "there is no other run yet");
    keep("r1", &behind(0, [begin("r1"), failed("a/b/c"), finished()]));
    assert!(reader().whole_before().unwrap().is_none(), "the last one says it itself");
    keep("r2", &rollback("r2", "rollback first"));
    keep("r3", &rollback("r3", "rollback second"));
    keep("r4", &small("r4", |head| head.stages = [(Stage::Acceptance, 1)].into()));
    let whole = reader().whole_before().unwrap().unwrap();
    let name = |view: &plinth_model::RunView| view.run.as_ref().unwrap().run.clone();
    assert_eq!((name(&whole.run).as_str(), name(whole.checks.as_ref().unwrap()).as_str()), ("r1", "r4"));
    assert_eq!(name(whole.small.as_ref().unwrap()), "r3", "the newest");

    let now = Timestamp::from_second(1_700_000_100).unwrap();
    let status = plinth_model::run::Status::of(whole.run, None, now);
    let status = status.followed_by(whole.checks.as_ref(), whole.small.as_ref());
    assert_eq!((status.run.id.as_deref(), status.failures.len()), (Some("r1"), 1), "the picture of the site stays");
    let small = status.small.unwrap();
    assert_eq!((small.command.as_str(), small.state.word()), ("rollback second", "done"));
    let memory = reader().memory().unwrap();
    assert_eq!(memory.worked.unwrap().head.run, "r1");
}

#[test]
fn every_error_says_what_to_whom_and_what_to_try() {
    let path = std::path::PathBuf::from("state/journal.db");
    let dir = tempfile::tempdir().unwrap();
    let refused = locked(dir.path(), "r1").append(&behind(0, [done("a/b/c", true)]));
    let errors = [
        (JournalError::Full { path }, "state/journal.db"),
        (refused.unwrap_err(), "a/b/c"),
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

/// A journal that the plinth before events wrote: a rehearsal of the example, killed at its thirtieth record.
fn written_before_events(dir: &Path) {
    let connection = rusqlite::Connection::open(dir.join(FILE)).unwrap();
    connection.execute_batch(include_str!("../data/journal-schema-1.sql")).unwrap();
}

#[test]
fn a_journal_of_facts_is_read_without_changing_it() {
    let dir = tempfile::tempdir().unwrap();
    written_before_events(dir.path());
    let before = std::fs::read(dir.path().join(FILE)).unwrap();
    let reader = Journal::open_read_only(dir.path()).unwrap().unwrap();
    let view = reader.view();
    assert_eq!(view.run.as_ref().map(|run| (run.steps, run.rehearsal)), Some((97, true)));
    assert_eq!(view.state(false).word(), "interrupted");
    assert_eq!(view.state_of(&id("nodes/connect/cpu-03")), StepState::Changed);
    assert_eq!(view.gates.get(&crate::plans::gate("storage/dgx-05")), Some(&GateAnswer::RELOCATE));
    assert!(view.gaps().is_empty());
    assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), before);
}

#[test]
fn a_journal_of_facts_becomes_one_of_events_and_nothing_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    written_before_events(dir.path());
    let read = Journal::open_read_only(dir.path()).unwrap().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    journal.verify().unwrap();
    assert_eq!(journal.memory(), &read.memory().unwrap());
    let memory = journal.memory();
    let done = memory.steps.values().filter(|step| step.state.is_done()).count();
    assert_eq!((memory.in_flight().len(), done), (1, 14));
    let connect = &memory.steps[&id("nodes/connect/cpu-03")];
    assert!(connect.done_with.len() == 1 && connect.is_done_with(&connect.done_with[0].0));
    drop(journal);

    let mut next = locked(dir.path(), "r2");
    next.append(&started("r2")).unwrap();
    drop(next);
    let again = Journal::open_read_only(dir.path()).unwrap().unwrap();
    assert_eq!(again.runs().unwrap().len(), 2);
    assert_eq!(again.view().run.as_ref().unwrap().run, "r2");
}

pub fn with_installed(mut body: EventBody, change: InstalledChange) -> EventBody {
    if let EventBody::StepActing { installed, .. } | EventBody::StepFinished { installed, .. } = &mut body {
        *installed = Some(Box::new(change));
    }
    body
}

#[test]
fn what_is_installed_outlives_runs_and_undoes_what_was_done_before() {
    let release = ReleaseName { namespace: "a".into(), name: "a".into() };
    let parts = Parts { component: "a".into(), releases: [release].into(), ..Parts::default() };
    let (brings, removes) = (InstalledChange::Brings(parts.clone()), InstalledChange::Removes(parts.clone()));
    let dir = tempfile::tempdir().unwrap();
    let begun = with_installed(intent("platform/release/a", 1), brings.clone());
    locked(dir.path(), "r1").append(&behind(0, [begin("r1"), begun, failed("platform/release/a")])).unwrap();
    assert_eq!(Journal::open(dir.path()).unwrap().memory().installed.components(), std::slice::from_ref(&parts));
    let done_with = |memory: &Memory, step: &str| memory.steps[&id(step)].is_done_with(&Digest::of(step));
    let found = with_installed(done("platform/release/a", false), brings.clone());
    locked(dir.path(), "r2").append(&behind(0, [begin("r2"), found, finished()])).unwrap();
    assert!(done_with(Journal::open(dir.path()).unwrap().memory(), "platform/release/a"));
    let gone = with_installed(done("platform/remove/a", true), removes);
    locked(dir.path(), "r3").append(&behind(0, [begin("r3"), intent("platform/remove/a", 1), gone])).unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    assert!(journal.memory().installed.components().is_empty());
    assert!(done_with(journal.memory(), "platform/remove/a"));
    assert!(!done_with(journal.memory(), "platform/release/a"), "it was taken away since");
    let back = with_installed(intent("platform/release/a", 1), brings);
    locked(dir.path(), "r4").append(&behind(0, [begin("r4"), back])).unwrap();
    assert!(!done_with(Journal::open(dir.path()).unwrap().memory(), "platform/remove/a"), "it is there again");
}
