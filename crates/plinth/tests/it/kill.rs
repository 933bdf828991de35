//! Killed at every journal record, and run again: the world ends as if nothing had happened, and nothing runs twice that must
//! not.

use crate::support::{basepod, example, plinth, text};
use plinth::rehearsal::{NoRehearsal, Rehearsal, Script};
use plinth::session::Crash;
use plinth_catalog::Catalog;
use plinth_run::{Journal, StopSignal};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Runs a rehearsal in-process, crashing after so many records; answers whether it ended, and the world.
async fn rehearse(
    site: &plinth_site::Site,
    catalog: &Catalog,
    directory: &Path,
    crash: Option<usize>,
) -> (bool, World) {
    let script = Script {
        desired: site.desired.clone(),
        inventory: None,
        nodes: None,
        faults: vec![],
        seed: 1,
        directory: directory.to_path_buf(),
        kept: true,
    };
    let rehearsal = match Rehearsal::prepare(script, catalog).await {
        Ok(rehearsal) => rehearsal,
        Err(NoRehearsal::Problem(problem)) => panic!("{problem}"),
        Err(NoRehearsal::Findings(findings)) => panic!("{findings:#?}"),
    };
    let crash = crash.map(|records| Crash { records, how: || {} });
    let (result, world) = rehearsal.run_until(Arc::new(|_| {}), StopSignal::new(), None, crash).await;
    let once = ["cluster-registered", "storage-relocated"].map(|kind| world.count(kind));
    (result.is_ok_and(|report| report.exit == plinth_model::Exit::Done), World { snapshot: world.snapshot(), once })
}

/// What must be equal at the end.
#[derive(Debug, PartialEq)]
struct World {
    snapshot: Value,
    /// Effects that must not happen twice: registrations, relocations.
    once: [usize; 2],
}

#[test]
fn at_every_record() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let site = Arc::new(plinth_site::load(&example("basepod.yaml")).unwrap());
        let catalog = Arc::new(Catalog::embedded().unwrap());
        let whole = TempDir::new().unwrap();
        let (done, wanted) = rehearse(&site, &catalog, whole.path(), None).await;
        assert!(done);
        assert_eq!(wanted.once, [1, 2], "one registration, two relocated DGX nodes");
        let records = usize::try_from(Journal::open(whole.path()).unwrap().records().unwrap()).unwrap();
        assert!(records > 100, "{records} records");
        let wanted = Arc::new(wanted);
        let halves = [0, 1].map(|half| {
            let (site, catalog, wanted) = (Arc::clone(&site), Arc::clone(&catalog), Arc::clone(&wanted));
            tokio::spawn(async move {
                for record in (half..records).step_by(2) {
                    killed_at(record, &site, &catalog, &wanted).await;
                }
            })
        });
        for half in halves {
            half.await.unwrap();
        }
    });
}

async fn killed_at(record: usize, site: &plinth_site::Site, catalog: &Catalog, wanted: &World) {
    let folder = TempDir::new().unwrap();
    let (done, _) = rehearse(site, catalog, folder.path(), Some(record)).await;
    assert!(!done, "the crash after record {record} did not happen");
    let (done, world) = rehearse(site, catalog, folder.path(), None).await;
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
