//! plinth is killed with -9 at every step of the platform, and in the middle of every helm; the next run goes on.

use crate::ground::{FEW, Ground, STANDARD};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Child;
use std::time::{Duration, Instant};

/// Between the start of helm and the kill: about in its middle.
const MIDDLE: Duration = Duration::from_millis(250);

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn killed_at_every_step_it_goes_on() {
    // One step after the other, so that each is begun, and killed, alone.
    let one_by_one = format!("{STANDARD}run: {{parallel: 1}}\n");
    Ground::with("helm3", &one_by_one, |ground| {
        let began = Instant::now();
        let killed = killed_until_done(ground);
        let moments = |beginning: &str| killed.iter().filter(|moment| moment.starts_with(beginning)).count();
        eprintln!("killed {} times in {:?}", killed.len(), began.elapsed());
        let releases = ground.all_deployed();
        assert!(moments("acting platform/") > 25 && moments("acting runai/") > 0, "{killed:#?}");
        assert_eq!(moments("helm "), releases.len(), "each helm was left alone once: {killed:#?}");
        assert!(releases.iter().all(|(_, _, revision)| revision.len() == 1), "{releases:?}");
        let runai = ground.operators.runai.lock().unwrap();
        let runai = runai.as_ref().unwrap();
        assert_eq!(runai.entries("played").len(), 1, "registered once");
        assert_eq!(runai.unexpected(), Vec::<String>::new());
        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new());
        ground.plan_is_empty();
    });
}

/// The same with helm 4, whose records and locks are its own, for a few components.
#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn killed_in_the_middle_of_helm_4_it_goes_on() {
    Ground::with("helm4", &format!("{FEW}run: {{parallel: 1}}\n"), |ground| {
        let killed = killed_until_done(ground);
        let releases = ground.all_deployed();
        let helms = killed.iter().filter(|moment| moment.starts_with("helm ")).count();
        assert_eq!(helms, releases.len(), "each helm was left alone once: {killed:#?}");
        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new());
        ground.plan_is_empty();
    });
}

/// Applies again and again, and kills each run at a new moment, until one comes to its end.
fn killed_until_done(ground: &Ground) -> BTreeSet<String> {
    let mut killed = BTreeSet::new();
    loop {
        let mut run = ground.begin();
        if !killed_at_a_new_moment(ground, &mut run, &mut killed) {
            ground.ended(&mut run).exits(0);
            return killed;
        }
    }
}

/// Kills the run at the first moment at which none was killed yet. Answers whether there was one.
fn killed_at_a_new_moment(ground: &Ground, run: &mut Child, killed: &mut BTreeSet<String>) -> bool {
    loop {
        let ended = run.try_wait().unwrap().is_some();
        let found = ground.events().iter().filter_map(moment).find(|moment| !killed.contains(moment));
        if ended {
            return false;
        }
        if let Some(found) = found {
            if found.starts_with("helm ") {
                std::thread::sleep(MIDDLE);
            }
            run.kill().unwrap();
            run.wait().unwrap();
            killed.insert(found);
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A moment worth dying at: a step begins to act, a helm has been started.
fn moment(record: &Value) -> Option<String> {
    let step = record["step"].as_str()?;
    let message = record["message"].as_str().unwrap_or_default();
    match record["event"].as_str()? {
        "step.acting" => Some(format!("acting {step}")),
        "step.progress" if message.contains("(helm v") => Some(format!("helm {step}")),
        _ => None,
    }
}
