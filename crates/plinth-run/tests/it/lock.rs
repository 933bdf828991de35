//! Lock and status.

use crate::clock::TestClock;
use crate::plans::{plan, site, step};
use crate::script::Bench;
use plinth_model::run::{Status, StepState};
use plinth_model::{Exit, Problem, RunView};
use plinth_run::journal::{CrashAfter, Journal, JournalError, LockedJournal};
use plinth_run::{LockOwner, Store};
use plinth_world::Clock;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn owner(host: &str, pid: u32) -> LockOwner {
    LockOwner { user: "ada".to_owned(), host: host.to_owned(), pid, process: None }
}

fn clock() -> (Arc<TestClock>, Arc<dyn Clock>) {
    let clock: Arc<TestClock> = Arc::default();
    (clock.clone(), clock)
}

fn locked(dir: &Path, owner: &LockOwner, run: &str, clock: &Arc<dyn Clock>) -> Result<LockedJournal, Problem> {
    Journal::open(dir).unwrap().lock(owner, run, clock)
}

#[test]
fn the_second_person_is_told_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (_, clock) = clock();
    let first = locked(dir.path(), &owner("alpha", 7), "run-1", &clock).unwrap();
    assert_eq!((first.took_over(), first.run()), (None, "run-1"));
    let problem = locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap_err();
    assert_eq!(problem.exit, Exit::Locked);
    let text = problem.to_string();
    for part in [
        "ada@alpha (process 7)",
        "run-1",
        "since 2023-11-14T22:13:20Z",
        "expires 2023-11-14T22:14:20Z",
        "plinth status",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    first.release().unwrap();
    assert_eq!(locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap().took_over(), None);
}

#[test]
fn an_expired_lock_is_taken_over_and_the_sleeper_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let (time, clock) = clock();
    let mut first = locked(dir.path(), &owner("alpha", 7), "run-1", &clock).unwrap();
    time.set_by.store(59, Ordering::Relaxed);
    locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap_err();
    Store::renew(&mut first).unwrap();
    time.set_by.store(118, Ordering::Relaxed);
    locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap_err();
    time.set_by.store(119, Ordering::Relaxed);
    let second = locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap();
    let note = second.took_over().unwrap().to_owned();
    assert!(note.contains("ada@alpha (process 7)") && note.contains("ran out"), "{note}");
    assert!(matches!(Store::renew(&mut first), Err(JournalError::LockLost { .. })));
    assert!(matches!(first.append(&crate::journal::started("run-1")), Err(JournalError::LockLost { .. })));
    first.release().unwrap();
    drop(first);
    let reader = Journal::open_read_only(dir.path()).unwrap().unwrap();
    let lock = reader.lock().unwrap().unwrap();
    assert_eq!((lock.run.as_str(), lock.note.as_deref()), ("run-2", Some(note.as_str())));
    assert!(reader.runs().unwrap().is_empty(), "a run that lost its lock wrote nothing");
}

#[test]
fn a_clock_that_was_set_back_locks_longer_but_never_breaks_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    let (time, clock) = clock();
    let mut first = locked(dir.path(), &owner("alpha", 7), "run-1", &clock).unwrap();
    time.set_by.store(-7200, Ordering::Relaxed);
    locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap_err();
    Store::renew(&mut first).unwrap();
    first.release().unwrap();
    locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_dead_process_of_the_same_user_and_host_gives_way_at_once_and_no_other_does() {
    let beyond_the_largest_pid = 1 << 23;
    for (user, host, taken) in [("ada", "alpha", true), ("ada", "beta", false), ("bob", "alpha", false)] {
        let dir = tempfile::tempdir().unwrap();
        let (_, clock) = clock();
        let process = LockOwner::current().process;
        let dead = LockOwner { process: process.clone(), ..owner("alpha", beyond_the_largest_pid) };
        let _first = locked(dir.path(), &dead, "run-1", &clock).unwrap();
        let ours = LockOwner { user: user.to_owned(), process, ..owner(host, 1) };
        let second = locked(dir.path(), &ours, "run-2", &clock);
        assert_eq!(second.is_ok(), taken, "{user}@{host}");
        let told = |second: LockedJournal| second.took_over().unwrap().contains("process is gone, on this very host");
        assert!(second.map_or(!taken, told));
    }
}

/// A process that was stopped for too long wakes in the middle of an effect: somebody else has the site by then.
#[test]
fn what_was_in_flight_of_a_run_that_lost_its_lock_goes_no_further() {
    let mut bench = Bench::new();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let mut ours = bench.locked_by(&owner("alpha", 7));
    bench.rule("nodes/connect/n0", crate::script::Rule { seconds: 30, ..Default::default() });
    let (dir, time) = (bench.dir.path().to_path_buf(), Arc::clone(&bench.clock));
    let takeover = move || {
        time.set_by.store(3600, Ordering::Relaxed);
        std::mem::forget(locked(&dir, &owner("beta", 8), "run-2", &clock).unwrap());
    };
    *bench.clock.meanwhile.lock().unwrap() = Some((Duration::from_secs(15), Box::new(takeover)));
    let problem = bench.run_with(&site(1), &mut ours).unwrap_err();
    assert_eq!(problem.exit, Exit::Locked);
    assert_eq!(bench.effects(), ["nodes/connect/n0"], "it had begun");
    assert!(bench.so().is_empty(), "and did not come to its end");
}

#[test]
fn a_lock_is_renewed_by_its_own_thread_and_given_back_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (time, clock) = clock();
    let mut first = locked(dir.path(), &owner("alpha", 7), "run-1", &clock).unwrap();
    let seen = || Journal::open_read_only(dir.path()).unwrap().unwrap().lock().unwrap().unwrap();
    let at_first = seen().heartbeat;
    time.set_by.store(40, Ordering::Relaxed);
    assert!(!first.fence().is_sure(), "40 seconds went by at once: a look is needed");
    first.keep_renewing(Duration::from_millis(5)).unwrap();
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while !first.fence().is_sure() && std::time::Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(first.fence().is_sure(), "nobody but its thread renews it here");
    assert!(seen().heartbeat > at_first);
    drop(first);
    assert_eq!(locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap().took_over(), None);
}

#[test]
fn a_lock_is_freed_only_while_it_is_the_one_that_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let (time, clock) = clock();
    let mut first = locked(dir.path(), &owner("alpha", 7), "run-1", &clock).unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let seen = || Journal::open_read_only(dir.path()).unwrap().unwrap().lock().unwrap().unwrap();
    let before = seen();
    time.set_by.store(20, Ordering::Relaxed);
    Store::renew(&mut first).unwrap();
    assert!(!journal.free(&before).unwrap(), "it was renewed since");
    assert!(journal.free(&seen()).unwrap());
    assert!(matches!(first.append(&crate::journal::started("run-1")), Err(JournalError::LockLost { .. })));
}

#[test]
fn a_journal_that_is_taken_away_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let (_, clock) = clock();
    let mut first = locked(dir.path(), &owner("alpha", 7), "run-1", &clock).unwrap();
    std::fs::remove_file(dir.path().join("journal.db")).unwrap();
    assert!(matches!(first.append(&crate::journal::started("run-1")), Err(JournalError::Gone { .. })));
    let _other = locked(dir.path(), &owner("beta", 8), "run-2", &clock).unwrap();
    assert!(matches!(Store::renew(&mut first), Err(JournalError::Gone { .. })));
}

#[test]
fn a_journal_is_a_plain_file_and_its_name_no_address() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("file:x?mode=memory");
    std::fs::create_dir(&odd).unwrap();
    drop(Journal::open(&odd).unwrap());
    assert!(odd.join("journal.db").is_file());
    std::os::unix::fs::symlink("elsewhere", dir.path().join("journal.db")).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(JournalError::NotAJournal { .. })));
    assert!(!dir.path().join("elsewhere").exists());
    assert!(Journal::open_read_only(dir.path()).is_err());
}

#[test]
fn of_many_that_race_one_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let barrier = std::sync::Barrier::new(6);
    let winners: Vec<LockedJournal> = std::thread::scope(|scope| {
        let race = |pid: u32| {
            let (dir, barrier) = (dir.path(), &barrier);
            scope.spawn(move || {
                let (_, clock) = clock();
                barrier.wait();
                let journal = Journal::open(dir).unwrap();
                journal.lock(&owner("alpha", std::process::id()), &format!("run-{pid}"), &clock).ok()
            })
        };
        let racers: Vec<_> = (0..6).map(race).collect();
        racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(winners.len(), 1);
}

#[test]
fn a_run_renews_the_lock_and_reads_what_was_written_before_it() {
    let mut bench = Bench::new();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let late = bench.opened();
    bench.run(&plan(vec![step("a/b/c", &[])]));
    let mut late = late.lock(&owner("alpha", 7), "run-2", &clock).unwrap();
    assert_eq!(late.memory().steps.len(), 1);
    bench.rule("nodes/connect/n0", crate::script::Rule { seconds: 300, ..Default::default() });
    bench.run_with(&site(1), &mut late).unwrap();
    let lock = bench.reader().lock().unwrap().unwrap();
    assert!(lock.heartbeat.duration_since(lock.acquired).as_secs() >= 290, "{lock:?}");
}

#[test]
fn a_run_whose_lock_was_taken_ends() {
    let mut bench = Bench::new();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let mut ours = bench.locked_by(&owner("alpha", 7));
    bench.clock.set_by.store(3600, Ordering::Relaxed);
    let _theirs = bench.opened().lock(&owner("beta", 8), "run-2", &clock).unwrap();
    let problem = bench.run_with(&site(2), &mut ours).unwrap_err();
    assert_eq!(problem.exit, Exit::Locked);
    assert!(bench.effects().is_empty());
}

/// What `status` says of the journal of a bench.
fn read(bench: &Bench, ours: &LockOwner) -> serde_json::Value {
    let reader = Journal::open_read_only(bench.dir.path()).unwrap();
    let now = bench_time();
    let lock = reader.as_ref().and_then(|reader| reader.lock().unwrap()).map(|lock| lock.view(now, ours));
    let view = reader.map_or_else(RunView::default, |reader| reader.into_view());
    serde_json::to_value(Status::of(view, lock, now)).unwrap()
}

#[test]
fn status_tells_the_states_of_a_run() {
    let mut bench = Bench::new();
    let (plan, ours) = (site(2), owner("alpha", 1));
    let read = |bench: &Bench| read(bench, &ours);
    let none = read(&bench);
    assert_eq!(none["run"]["state"], "none");
    assert!(none["run"]["id"].is_null() && none["lock"].is_null());

    let mut journal = bench.locked_by(&ours);
    bench.run_with(&plan, &mut CrashAfter::new(&mut journal, 4)).unwrap_err();
    let running = read(&bench);
    assert_eq!(running["schema"], 1);
    assert_eq!(running["run"]["state"], "running");
    assert_eq!(running["run"]["plan"], plan.hash.as_str());
    assert_eq!(
        running["steps"],
        serde_json::json!({"done": 1, "running": 1, "failed": 0, "waiting": plan.steps.len() - 2})
    );
    assert_eq!(running["lock"]["owner"], "ada@alpha (process 1)");
    assert_eq!(running["lock"]["alive"], true);
    let acting = running["inFlight"].as_array().unwrap().iter().find(|step| step["state"] == "acting").unwrap();
    assert!(acting["started"].is_string() && acting["seconds"].as_f64() > Some(1.0), "{acting}");

    journal.release().unwrap();
    let interrupted = read(&bench);
    assert_eq!(interrupted["run"]["state"], "interrupted");
    assert_eq!((&interrupted["steps"]["running"], &interrupted["lock"]), (&0.into(), &serde_json::Value::Null));
    assert_eq!(
        (&interrupted["inFlight"][0]["step"], &interrupted["inFlight"][0]["state"]),
        (&acting["step"], &"unknown".into())
    );
    drop(journal);

    bench.rule("kubernetes/deploy/s", crate::script::Rule { blocked: true, ..Default::default() });
    bench.run(&plan);
    let partly = read(&bench);
    assert_eq!((&partly["run"]["state"], &partly["steps"]["failed"]), (&"partly".into(), &1.into()));
    assert_eq!(partly["failures"][0]["finding"]["code"], "node.clash");
    bench.rule("kubernetes/deploy/s", Default::default());
    bench.run(&plan);
    let done = read(&bench);
    assert_eq!((&done["run"]["state"], &done["steps"]["done"]), (&"done".into(), &plan.steps.len().into()));
    assert_eq!(done["run"]["id"], "run-3");
    let kept: plinth_model::Plan =
        serde_json::from_str(&bench.reader().plan_text(&plan.hash).unwrap().unwrap()).unwrap();
    assert_eq!(kept, plan);
}

#[test]
fn one_lock_serves_one_run_after_the_other() {
    let mut bench = Bench::new();
    let ours = owner("alpha", 7);
    let mut journal = bench.locked_by(&ours);
    bench.run_with(&site(1), &mut journal).unwrap();
    journal.begin("run-2").unwrap();
    bench.run_with(&site(1), &mut CrashAfter::new(&mut journal, 3)).unwrap_err();
    let status = read(&bench, &ours);
    assert_eq!((&status["run"]["id"], &status["run"]["state"]), (&"run-2".into(), &"running".into()));
    assert_eq!(status["lock"]["run"], "run-2");
    bench.clock.set_by.store(3600, Ordering::Relaxed);
    let _theirs = bench.opened().lock(&owner("beta", 8), "run-3", &(bench.clock.clone() as Arc<dyn Clock>)).unwrap();
    assert!(matches!(journal.begin("run-4"), Err(JournalError::LockLost { .. })));
}

#[test]
fn a_late_reader_gets_every_event_but_progress() {
    let mut bench = Bench::new();
    bench.run(&site(2));
    let told = bench.events.lock().unwrap().clone();
    let reader = bench.reader();
    let stored = reader.since("run-1", 0).unwrap();
    let lasting: Vec<_> = told.iter().filter(|event| !event.body.may_be_missed()).cloned().collect();
    assert_eq!(stored, lasting);
    assert!(stored.len() < told.len(), "the script tells progress");
    for seq in [1, 7, told.len() as u64] {
        let wanted: Vec<_> = lasting.iter().filter(|event| event.seq > seq).cloned().collect();
        assert_eq!(reader.since("run-1", seq).unwrap(), wanted, "behind {seq}");
    }
    let (early, late) = (RunView::of(&told), reader.view());
    assert_eq!((early.steps.clone(), early.counts()), (late.steps.clone(), late.counts()));
    assert!(late.gaps().is_empty());
    assert!(late.steps.values().all(|step| step.state == StepState::Changed));
}

fn bench_time() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_700_000_030).unwrap()
}
