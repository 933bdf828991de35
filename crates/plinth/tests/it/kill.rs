//! Killed at every journal record, and run again: the world ends as if nothing had happened, and nothing runs twice that must
//! not.

use crate::support::{basepod, example, plinth, text};
use plinth_app::audience::Nobody;
use plinth_app::operation::Always;
use plinth_app::{Access, Crash, Depth, Goal, Input, Operation, Script, Setup, World as Which};
use plinth_run::{Journal, StopSignal};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Runs a rehearsal in-process, crashing after so many records; answers whether it ended, and the world.
pub(crate) async fn rehearse(directory: &Path, crash: Option<usize>) -> (bool, World) {
    let crash = crash.map(|records| Crash { records, how: || {} });
    let setup = Setup {
        input: Input::load(&example("basepod.yaml")).unwrap(),
        state: Some(directory),
        recorded: None,
        access: Access::Change,
        goal: Goal::Site,
        audience: &Nobody,
    };
    let mut operation = Operation::open(setup, Which::Simulated(Script { crash, ..Script::default() })).unwrap();
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    let mut approved = operation.approve(planned, &Always).await.unwrap().unwrap();
    let result = operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await;
    let world = operation.simulation().unwrap();
    let once = ["cluster-registered", "storage-relocated"].map(|kind| world.count(kind));
    (result.is_ok_and(|report| report.exit == plinth_model::Exit::Done), World { snapshot: world.snapshot(), once })
}

/// What must be equal at the end.
#[derive(Debug, PartialEq)]
pub(crate) struct World {
    snapshot: Value,
    /// Effects that must not happen twice: registrations, relocations.
    once: [usize; 2],
}

#[test]
fn at_every_record() {
    let whole = TempDir::new().unwrap();
    let (done, wanted) = in_time(rehearse(whole.path(), None));
    assert!(done);
    assert_eq!(wanted.once, [1, 2], "one registration, two relocated DGX nodes");
    let records = usize::try_from(Journal::open(whole.path()).unwrap().records().unwrap()).unwrap();
    assert!(records > 100, "{records} records");
    let wanted = &wanted;
    std::thread::scope(|threads| {
        for half in [0, 1] {
            threads.spawn(move || {
                (half..records).step_by(2).for_each(|record| in_time(killed_at(record, wanted)));
            });
        }
    });
}

pub(crate) fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn killed_at(record: usize, wanted: &World) {
    let folder = TempDir::new().unwrap();
    let (done, _) = rehearse(folder.path(), Some(record)).await;
    assert!(!done, "the crash after record {record} did not happen");
    let (done, world) = rehearse(folder.path(), None).await;
    assert!(done, "the run after a crash at record {record} did not finish");
    assert_eq!(&world, wanted, "another world after a crash at record {record}");
    Journal::open(folder.path()).unwrap().verify().unwrap();
}

#[test]
fn a_killed_process_is_continued_by_the_next() {
    let site = basepod();
    for record in ["3", "40", "77", "120"] {
        let folder = TempDir::new().unwrap();
        let state = folder.path().join("state");
        let base = ["rehearse", "-f", &site, "--state", text(&state)];
        let fault = format!("crash@record:{record}");
        let killed = plinth(folder.path(), &[&base[..], &["--fault", &fault]].concat());
        assert_eq!(killed.exit, -1, "killed by a signal:\n{}", killed.stderr);
        let status = plinth(folder.path(), &["status", "--json", "-f", &site, "--state", text(&state)]).exits(0).json();
        assert_eq!(status["run"]["state"], "interrupted");
        plinth(folder.path(), &base).exits(0);
        plinth(folder.path(), &base).exits(0).says("nothing to do");
    }
}
