//! Lock and status.

use crate::clock::TestClock;
use crate::plans::{plan, site, step};
use crate::script::Bench;
use plinth_model::Exit;
use plinth_run::journal::{CrashAfter, Journal, JournalError};
use plinth_run::{LockOwner, Recorder, status};
use plinth_world::Clock;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn owner(host: &str, pid: u32) -> LockOwner {
    LockOwner { user: "ada".to_owned(), host: host.to_owned(), pid }
}

fn clock() -> (Arc<TestClock>, Arc<dyn Clock>) {
    let clock: Arc<TestClock> = Arc::default();
    (clock.clone(), clock)
}

#[test]
fn the_second_person_is_told_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (_, clock) = clock();
    let mut first = Journal::open(dir.path()).unwrap();
    assert_eq!(first.acquire(&owner("alpha", 7), "run-1", &clock).unwrap(), None);
    let mut second = Journal::open(dir.path()).unwrap();
    let problem = second.acquire(&owner("beta", 8), "run-2", &clock).unwrap_err();
    assert_eq!(problem.exit, Exit::Locked);
    let text = problem.to_string();
    for part in [
        "ada@alpha (process 7)",
        "run-1",
        "since 2023-11-14T22:13:20Z",
        "runs out at 2023-11-14T22:14:20Z",
        "plinth status",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    first.release().unwrap();
    assert_eq!(second.acquire(&owner("beta", 8), "run-2", &clock).unwrap(), None);
}

#[test]
fn an_expired_lock_is_taken_over_and_the_sleeper_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let (time, clock) = clock();
    let mut first = Journal::open(dir.path()).unwrap();
    first.acquire(&owner("alpha", 7), "run-1", &clock).unwrap();
    time.set_by.store(59, Ordering::Relaxed);
    let mut second = Journal::open(dir.path()).unwrap();
    second.acquire(&owner("beta", 8), "run-2", &clock).unwrap_err();
    Recorder::renew(&mut first).unwrap();
    time.set_by.store(118, Ordering::Relaxed);
    second.acquire(&owner("beta", 8), "run-2", &clock).unwrap_err();
    time.set_by.store(119, Ordering::Relaxed);
    let note = second.acquire(&owner("beta", 8), "run-2", &clock).unwrap().unwrap();
    assert!(note.contains("ada@alpha (process 7)") && note.contains("ran out"), "{note}");
    assert!(matches!(Recorder::renew(&mut first), Err(JournalError::LockLost { .. })));
    first.release().unwrap();
    let lock = Journal::open_read_only(dir.path()).unwrap().unwrap().lock().unwrap().unwrap();
    assert_eq!((lock.run.as_str(), lock.note.as_deref()), ("run-2", Some(note.as_str())));
}

#[test]
fn a_clock_that_was_set_back_locks_longer_but_never_breaks_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    let (time, clock) = clock();
    let mut first = Journal::open(dir.path()).unwrap();
    first.acquire(&owner("alpha", 7), "run-1", &clock).unwrap();
    time.set_by.store(-7200, Ordering::Relaxed);
    let mut second = Journal::open(dir.path()).unwrap();
    second.acquire(&owner("beta", 8), "run-2", &clock).unwrap_err();
    Recorder::renew(&mut first).unwrap();
    first.release().unwrap();
    second.acquire(&owner("beta", 8), "run-2", &clock).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_dead_process_of_the_same_user_and_host_gives_way_at_once_and_no_other_does() {
    let beyond_the_largest_pid = 1 << 23;
    for (user, host, taken) in [("ada", "alpha", true), ("ada", "beta", false), ("bob", "alpha", false)] {
        let dir = tempfile::tempdir().unwrap();
        let (_, clock) = clock();
        let mut first = Journal::open(dir.path()).unwrap();
        first.acquire(&owner("alpha", beyond_the_largest_pid), "run-1", &clock).unwrap();
        let mut second = Journal::open(dir.path()).unwrap();
        let ours = LockOwner { user: user.to_owned(), ..owner(host, 1) };
        let note = second.acquire(&ours, "run-2", &clock);
        assert_eq!(note.is_ok(), taken, "{user}@{host}");
        assert!(note.map_or(!taken, |note| note.unwrap().contains("process is gone, on this very host")));
    }
}

#[test]
fn of_many_that_race_one_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let barrier = std::sync::Barrier::new(6);
    let winners: Vec<Journal> = std::thread::scope(|scope| {
        let race = |pid: u32| {
            let (dir, barrier) = (dir.path(), &barrier);
            scope.spawn(move || {
                let (_, clock) = clock();
                barrier.wait();
                let mut journal = Journal::open(dir).unwrap();
                journal
                    .acquire(&owner("alpha", std::process::id()), &format!("run-{pid}"), &clock)
                    .ok()
                    .map(|_| journal)
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
    let mut late = bench.journal();
    bench.run(&plan(vec![step("a/b/c", &[])]));
    late.acquire(&owner("alpha", 7), "run-2", &clock).unwrap();
    assert_eq!(late.history().steps.len(), 1);
    bench.rule("nodes/connect/n0", crate::script::Rule { seconds: 300, ..Default::default() });
    bench.run_with(&site(1), &mut late).unwrap();
    let lock = Journal::open_read_only(bench.dir.path()).unwrap().unwrap().lock().unwrap().unwrap();
    assert!(lock.heartbeat.duration_since(lock.acquired).as_secs() >= 290, "{lock:?}");
}

#[test]
fn a_run_whose_lock_was_taken_ends() {
    let mut bench = Bench::new();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let mut ours = bench.journal();
    ours.acquire(&owner("alpha", 7), "run-1", &clock).unwrap();
    bench.clock.set_by.store(3600, Ordering::Relaxed);
    bench.journal().acquire(&owner("beta", 8), "run-2", &clock).unwrap();
    let problem = bench.run_with(&site(2), &mut ours).unwrap_err();
    assert_eq!(problem.exit, Exit::Locked);
    assert!(bench.effects().is_empty());
}

#[test]
fn status_tells_the_states_of_a_run() {
    let mut bench = Bench::new();
    let (plan, ours) = (site(2), owner("alpha", 1));
    let now = || bench_time();
    let read = |bench: &Bench| {
        let reader = Journal::open_read_only(bench.dir.path()).unwrap();
        serde_json::to_value(status(reader.as_ref(), now(), &ours).unwrap()).unwrap()
    };
    let none = read(&bench);
    assert_eq!(none["run"]["state"], "none");
    assert!(none["run"]["id"].is_null() && none["lock"].is_null());

    let mut journal = bench.journal();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    journal.acquire(&ours, "run-1", &clock).unwrap();
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

    journal.release().unwrap();
    let interrupted = read(&bench);
    assert_eq!(interrupted["run"]["state"], "interrupted");
    assert_eq!((&interrupted["steps"]["running"], &interrupted["lock"]), (&0.into(), &serde_json::Value::Null));
    drop(journal);

    bench.rule("kubernetes/deploy/s", crate::script::Rule { blocked: true, ..Default::default() });
    bench.run(&plan);
    assert_eq!((&read(&bench)["run"]["state"], &read(&bench)["steps"]["failed"]), (&"partly".into(), &1.into()));
    bench.rule("kubernetes/deploy/s", Default::default());
    bench.run(&plan);
    let done = read(&bench);
    assert_eq!((&done["run"]["state"], &done["steps"]["done"]), (&"done".into(), &plan.steps.len().into()));
    assert_eq!(done["run"]["id"], "run-3");
    let reader = Journal::open_read_only(bench.dir.path()).unwrap().unwrap();
    let kept: plinth_model::Plan = serde_json::from_str(&reader.plan_text(&plan.hash).unwrap().unwrap()).unwrap();
    assert_eq!(kept, plan);
}

fn bench_time() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_700_000_030).unwrap()
}
