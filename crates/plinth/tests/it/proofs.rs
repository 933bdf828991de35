//! Every acceptance check in a rehearsal: it is planned where its component or its setting is on, holds, and fails when told to.

use crate::support::{basepod, plinth, text};
use serde_json::Value;
use tempfile::TempDir;

/// Checks that come with a component or a setting.
const BROUGHT: [&str; 6] = ["gpu-sharing", "gpu-metrics", "rdma", "snapshot", "dns-out", "runai-workload"];

/// The example with all that brings checks.
fn site() -> String {
    let replaced = |text: &str, old: &str, new: &str| {
        assert!(text.contains(old), "{old}: {text}");
        text.replace(old, new)
    };
    let text = std::fs::read_to_string(basepod()).unwrap();
    let cluster = "  cluster: {name: bcm-gpu-cluster}";
    let department = "  departments: [{name: research, gpus: 16, projects: [{name: team-a, gpus: 8}]}]";
    let text = replaced(&text, cluster, &format!("{cluster}\n{department}"));
    let operator = "{gpu-operator: {version: v25.3.3}";
    let text = replaced(&text, operator, &format!("{operator}, snapshot-controller: {{enabled: true}}"));
    let more = "  gpu: {timeSlicing: 2}\n  infiniband: {interfaces: [ibp24s0], addresses: 10.99.0.0/16}\n";
    replaced(&text, "platform:\n", &format!("platform:\n{more}"))
}

/// Outcomes of the checks of a rehearsal, and its exit code.
fn rehearsed(faults: &[String]) -> (i32, Vec<(String, Value)>) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("site.yaml"), site()).unwrap();
    let (state, events) = (folder.path().join("state"), folder.path().join("events.ndjson"));
    let mut words = vec!["rehearse", "--state", text(&state), "--events", text(&events)];
    for fault in faults {
        words.extend(["--fault", fault.as_str()]);
    }
    let ran = plinth(folder.path(), &words);
    let records = std::fs::read_to_string(&events).unwrap_or_else(|error| panic!("{error}\n{}", ran.stderr));
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let checks = records.filter(|record| record["event"] == "step.finished").filter_map(|record| {
        let step = record["step"].as_str()?.strip_prefix("checks/")?.split('/').next()?.to_owned();
        Some((step, record))
    });
    (ran.exit, checks.collect())
}

#[test]
fn each_is_planned_by_what_brings_it_and_holds() {
    let (exit, checks) = rehearsed(&[]);
    assert_eq!(exit, 0, "{checks:#?}");
    for name in BROUGHT {
        let (_, record) =
            checks.iter().find(|(check, _)| check == name).unwrap_or_else(|| panic!("{name}: {checks:#?}"));
        assert_ne!(record["outcome"], "failed", "{record:#}");
    }
}

#[test]
fn each_fails_when_told_to_and_the_others_hold() {
    let faults: Vec<String> = BROUGHT.iter().map(|name| format!("check:{name}:fails")).collect();
    let (exit, checks) = rehearsed(&faults);
    assert_eq!(exit, 3, "{checks:#?}");
    let failed = |record: &Value| record["outcome"] == "failed";
    let mut wrong: Vec<&str> =
        checks.iter().filter(|(_, record)| failed(record)).map(|(check, _)| check.as_str()).collect();
    wrong.sort_unstable();
    let mut wanted = BROUGHT;
    wanted.sort_unstable();
    assert_eq!(wrong, wanted, "{checks:#?}");
}
