//! A component that is switched off after it was installed is taken away by the next run, whatever interrupts it.

use crate::support::{example, plinth, text};
use plinth_app::audience::Nobody;
use plinth_app::operation::Always;
use plinth_app::{Access, Crash, Depth, Goal, Input, Operation, Script, Setup, World};
use plinth_run::{Journal, StopSignal};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const ON: &str = "components: {gpu-operator: {version: v25.3.3}}";
const OFF: &str =
    "components: {gpu-operator: {version: v25.3.3}, lws: {enabled: false}, knative-operator: {enabled: false}}";
const REMOVALS: [&str; 2] = ["platform/remove/knative-operator", "platform/remove/lws"];

/// The basepod example with other components.
fn site(folder: &Path, name: &str, components: &str) -> PathBuf {
    let site = std::fs::read_to_string(example("basepod.yaml")).unwrap();
    assert!(site.contains(ON));
    let accepted = "components: {";
    let file = folder.join(name);
    let site = site
        .replace(ON, components)
        .replace(accepted, &format!("acceptIncompatible: [runai-cluster.needs.knative-operator]\n  {accepted}"));
    std::fs::write(&file, site).unwrap();
    file
}

fn rehearse(folder: &Path, site: &Path, more: &[&str]) -> Vec<Value> {
    let (state, events) = (folder.join("state"), folder.join("events"));
    let base = ["rehearse", "-f", text(site), "--state", text(&state), "--events", text(&events)];
    plinth(folder, &[&base[..], more].concat()).exits(0);
    let lines = std::fs::read_to_string(&events).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn steps_with(records: &[Value], outcome: &str) -> Vec<String> {
    let ended = |r: &&Value| r["event"] == "step.finished" && r["outcome"] == outcome;
    let mut steps: Vec<String> = records.iter().filter(ended).map(|r| r["step"].as_str().unwrap().to_owned()).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn the_plan_shows_it_the_run_does_it_and_then_nothing_is_left() {
    let room = TempDir::new().unwrap();
    let folder = room.path();
    let (on, off) = (site(folder, "on.yaml", ON), site(folder, "off.yaml", OFF));
    rehearse(folder, &on, &[]);
    let state = folder.join("state");
    let only = ["rehearse", "-f", text(&off), "--state", text(&state), "--plan-only"];
    let plan = plinth(folder, &[&only[..], &["--json"]].concat()).exits(0).json();
    let steps = plan["steps"].as_array().unwrap();
    for id in REMOVALS {
        let step = steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no {id}"));
        assert_eq!(step["change"]["change"], "apply", "{step:#}");
        assert!(
            step["change"]["diff"]
                .as_array()
                .unwrap()
                .iter()
                .any(|line| line.as_str().unwrap().starts_with("- release"))
        );
        assert!(step["destructive"].as_str().unwrap().contains("uninstalls"), "{step:#}");
    }
    let shown = plinth(folder, &only).exits(0).stdout;
    assert!(shown.contains("uninstalls lws-system/lws"), "{shown}");

    assert_eq!(steps_with(&rehearse(folder, &off, &[]), "changed"), REMOVALS);
    let third = rehearse(folder, &off, &[]);
    assert!(steps_with(&third, "changed").is_empty());
    assert!(third.iter().all(|record| !record["step"].as_str().unwrap_or_default().starts_with("platform/remove/")));
    // Switched on again, it is installed again, whatever the journal remembers of the first time.
    let back = steps_with(&rehearse(folder, &on, &[]), "changed");
    assert_eq!(
        back,
        ["platform/objects/knative-operator", "platform/release/knative-operator", "platform/release/lws"]
    );
}

/// Runs in this process, crashing after so many records; answers whether it ended, and the world.
async fn run(site: &Path, state: &Path, crash: Option<usize>) -> (bool, Value) {
    let crash = crash.map(|records| Crash { records, how: || {} });
    let setup = Setup {
        input: Input::load(site).unwrap(),
        state: Some(state),
        recorded: None,
        access: Access::Change,
        goal: Goal::Site,
        audience: &Nobody,
    };
    let mut operation = Operation::open(setup, World::Simulated(Script { crash, ..Script::default() })).unwrap();
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    let mut approved = operation.approve(planned, &Always).await.unwrap().unwrap();
    let result = operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await;
    (result.is_ok_and(|report| report.exit == plinth_model::Exit::Done), operation.simulation().unwrap().snapshot())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            let _bytes = std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn killed_in_between_it_goes_on() {
    let room = TempDir::new().unwrap();
    let folder = room.path();
    let (on, off, state) = (site(folder, "on.yaml", ON), site(folder, "off.yaml", OFF), folder.join("state"));
    assert!(run(&on, &state, None).await.0);
    let before = usize::try_from(Journal::open(&state).unwrap().records().unwrap()).unwrap();
    let whole = folder.join("whole");
    copy(&state, &whole);
    let (done, wanted) = run(&off, &whole, None).await;
    let records = usize::try_from(Journal::open(&whole).unwrap().records().unwrap()).unwrap() - before;
    assert!(done && records > 20, "{records}");
    // What is installed is taken away near the end.
    for record in (0..records).filter(|record| record + 30 > records || record % 10 == 0) {
        let killed = folder.join(format!("killed-{record}"));
        copy(&state, &killed);
        assert!(!run(&off, &killed, Some(record)).await.0, "the crash after record {record} did not happen");
        let (done, world) = run(&off, &killed, None).await;
        assert!(done && world == wanted, "another world after a crash at record {record}");
        let (done, world) = run(&off, &killed, None).await;
        assert!(done && world == wanted, "something was left to do after a crash at record {record}");
    }
}
