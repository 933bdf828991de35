//! The README's first command, and what happens when something breaks.

use crate::support::{basepod, plinth, text};
use assert_cmd::cargo::CommandCargoExt;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

fn finished(folder: &Path, state: &Path, more: &[&str]) -> (i32, Value, Vec<Value>) {
    let events = folder.join("events.ndjson");
    let site = basepod();
    let mut arguments = vec!["rehearse", "-f", &site, "--state", text(state), "--events", text(&events)];
    arguments.extend(more);
    let ran = plinth(folder, &arguments);
    let records: Vec<Value> = std::fs::read_to_string(&events)
        .unwrap_or_else(|e| panic!("{e}\n{}", ran.stderr))
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    (ran.exit, records.last().unwrap().clone(), records)
}

fn steps_with(records: &[Value], outcome: &str) -> Vec<String> {
    let ended = |r: &&Value| r["event"] == "step.finished" && r["outcome"] == outcome;
    records.iter().filter(ended).map(|r| r["step"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_whole_job_runs_and_afterwards_there_is_nothing_to_do() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let (exit, last, first) = finished(folder.path(), &state, &[]);
    assert_eq!((exit, last["outcome"].as_str()), (0, Some("done")), "{last:#}");
    let changed = steps_with(&first, "changed");
    for step in ["kubernetes/deploy/basepod-a", "runai/register/bcm-gpu-cluster", "nodes/storage/dgx-05"] {
        assert!(changed.iter().any(|s| s == step), "{step} changed nothing: {changed:#?}");
    }
    assert!(steps_with(&first, "skipped").contains(&"nodes/storage/cpu-03".to_owned()), "its disk is large enough");

    let (exit, last, second) = finished(folder.path(), &state, &[]);
    assert_eq!(exit, 0);
    assert_eq!(steps_with(&second, "changed"), Vec::<String>::new());
    assert_eq!(last["counts"]["changed"], 0);
    let site = basepod();
    let ran =
        plinth(folder.path(), &["rehearse", "-f", &site, "--state", text(&state), "--plan-only", "--json"]).exits(0);
    let pending: Vec<Value> = ran.json()["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| matches!(s["change"]["change"].as_str(), Some("apply" | "maybe")))
        .cloned()
        .collect();
    assert_eq!(pending, Vec::<Value>::new(), "the plan afterwards is empty");
}

#[test]
fn two_sites_of_one_name_do_not_share_a_rehearsal_either() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    plinth(folder.path(), &["rehearse", "-f", &basepod(), "--state", text(&state)]).exits(0);
    let other =
        std::fs::read_to_string(basepod()).unwrap().replace("https://bcm-head-01:8081", "https://bcm-head-77:8081");
    std::fs::write(folder.path().join("other.yaml"), other).unwrap();
    for more in [&["rehearse"][..], &["rehearse", "--plan-only"], &["status"]] {
        let arguments = [more, &["-f", "other.yaml", "--state", text(&state)]].concat();
        plinth(folder.path(), &arguments).exits(1).says("another site of that name (BCM https://bcm-head-77:8081)");
    }
    plinth(folder.path(), &["rehearse", "-f", &basepod(), "--state", text(&state)]).exits(0);
}

#[test]
fn a_quota_that_changes_is_the_only_thing_that_changes() {
    let folder = TempDir::new().unwrap();
    let text_of = |gpus: u32| {
        let cluster = "  cluster: {name: bcm-gpu-cluster}";
        let departments = format!(
            "{cluster}\n  departments: [{{name: research, gpus: 16, projects: [{{name: team-a, gpus: {gpus}}}]}}]"
        );
        std::fs::read_to_string(basepod()).unwrap().replace(cluster, &departments)
    };
    let (state, events) = (folder.path().join("state"), folder.path().join("events.ndjson"));
    let changed = |gpus: u32| {
        std::fs::write(folder.path().join("site.yaml"), text_of(gpus)).unwrap();
        let arguments = ["rehearse", "--state", text(&state), "--events", text(&events)];
        plinth(folder.path(), &arguments).exits(0);
        let records = std::fs::read_to_string(&events).unwrap();
        let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        steps_with(&records, "changed")
    };
    let first = changed(8);
    for step in ["runai/department/research", "runai/project/team-a"] {
        assert!(first.iter().any(|changed| changed == step), "{first:#?}");
    }
    assert_eq!(changed(8), Vec::<String>::new());
    assert_eq!(changed(4), ["runai/project/team-a"]);
}

#[test]
fn a_cluster_joins_a_control_plane_elsewhere() {
    let folder = TempDir::new().unwrap();
    let registry = "  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}";
    let site = std::fs::read_to_string(basepod()).unwrap();
    let site = site.replace(registry, "  controlPlane: {url: \"https://acme.run.ai\"}");
    std::fs::write(folder.path().join("site.yaml"), site).unwrap();
    let (state, events) = (folder.path().join("state"), folder.path().join("events.ndjson"));
    plinth(folder.path(), &["rehearse", "--state", text(&state), "--events", text(&events)]).exits(0);
    let records = std::fs::read_to_string(&events).unwrap();
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changed = steps_with(&records, "changed");
    assert!(changed.iter().any(|step| step == "runai/register/bcm-gpu-cluster"), "{changed:#?}");
    assert!(!records.iter().any(|record| record.to_string().contains("runai-backend")), "nothing of a control plane");
}

#[test]
fn a_node_that_drops_is_named_and_the_next_run_finishes_the_rest_only() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let (exit, last, first) = finished(folder.path(), &state, &["--fault", "node:dgx-05:drop@kubernetes"]);
    assert_eq!((exit, last["outcome"].as_str(), &last["exit"]), (4, Some("partly"), &4.into()));
    assert_eq!(steps_with(&first, "failed"), ["kubernetes/deploy/basepod-a"]);
    let failure = first.iter().find(|r| r["outcome"] == "failed").unwrap();
    assert!(failure.to_string().contains("dgx-05"), "{failure:#}");
    assert!(!failure.to_string().contains("dgx-06"), "only the node that dropped is named: {failure:#}");

    let (exit, _, second) = finished(folder.path(), &state, &[]);
    assert_eq!(exit, 0);
    let (before, after) = (steps_with(&first, "changed"), steps_with(&second, "changed"));
    let twice: Vec<&String> = after.iter().filter(|s| before.contains(s)).collect();
    assert_eq!(twice, Vec::<&String>::new(), "what was done is not done again");
    assert!(after.contains(&"kubernetes/deploy/basepod-a".to_owned()));
}

#[test]
fn every_documented_fault_ends_in_a_verdict_and_the_next_run_heals() {
    let cases = [
        ("bcm:5xx", 0),
        ("bcm:truncated", 0),
        ("bcm:expired", 0),
        ("node:cpu-03:unreachable", 4),
        ("node:dgx-05:drop@account", 0),
        ("node:dgx-06:host-key-changed", 4),
        ("play:dgx-06:fails", 4),
        ("release:gpu-operator:timeout", 4),
        ("runai:issuer-mismatch", 4),
        ("runai:disconnected", 4),
    ];
    for (fault, wanted) in cases {
        let folder = TempDir::new().unwrap();
        let state = folder.path().join("state");
        let (exit, last, records) = finished(folder.path(), &state, &["--fault", fault]);
        let failed: Vec<&Value> = records.iter().filter(|r| r["outcome"] == "failed").collect();
        assert_eq!(exit, wanted, "{fault}: {last:#} {failed:#?}");
        for record in failed {
            assert!(!record["finding"]["fix"].as_str().unwrap_or("").is_empty(), "{fault}: no fix in {record:#}");
        }
        if fault != "node:dgx-06:host-key-changed" {
            let (exit, last, _) = finished(folder.path(), &state, &[]);
            assert_eq!(exit, 0, "after {fault}: {last:#}");
        }
    }
}

#[test]
fn a_saved_plan_is_refused_when_something_moved_and_says_what() {
    let folder = TempDir::new().unwrap();
    let (state, saved, site) =
        (folder.path().join("s"), folder.path().join("plan.json"), folder.path().join("site.yaml"));
    std::fs::copy(basepod(), &site).unwrap();
    let base = ["rehearse", "-f", text(&site), "--state", text(&state)];
    let with = |more: &[&str]| plinth(folder.path(), &[&base[..], more].concat());
    with(&["--plan-only", "--save-plan", text(&saved)]).exits(0);
    with(&[text(&saved), "--plan-only"]).exits(0);

    let written = std::fs::read_to_string(&site).unwrap();
    std::fs::write(&site, format!("# only a comment\n{written}")).unwrap();
    with(&[text(&saved), "--plan-only"]).exits(0);
    std::fs::write(&site, written.replace("30443", "30444")).unwrap();
    with(&[text(&saved)]).exits(1).says("site");
    std::fs::write(&site, written.replace("name: basepod-a", "name: basepod-b")).unwrap();
    with(&[text(&saved)]).exits(1).says("basepod-a");
    std::fs::write(&site, &written).unwrap();
    with(&[text(&saved), "--nodes", "7"]).exits(1).says("inventory");

    let plan = std::fs::read_to_string(&saved).unwrap();
    let newer = plan.replacen("\"schema\":2", "\"schema\":999", 1);
    assert_ne!(newer, plan);
    std::fs::write(&saved, newer).unwrap();
    with(&[text(&saved)]).exits(1).says("999");
    std::fs::write(&saved, plan.replacen("ansiblebcm", "somebodyelse", 1)).unwrap();
    with(&[text(&saved)]).exits(1);
    std::fs::write(&saved, "{").unwrap();
    with(&[text(&saved)]).exits(1);
    let status =
        plinth(folder.path(), &["status", "--json", "-f", text(&site), "--state", text(&state)]).exits(0).json();
    assert_eq!(status["run"]["state"], "none", "nothing was begun");
}

#[test]
fn two_at_once_the_second_is_told_who_holds_the_lock() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let site = basepod();
    let base = ["rehearse", "-f", &site, "--state", text(&state)];
    let mut first = std::process::Command::cargo_bin("plinth").unwrap();
    first.args(base).args(["--pace", "watch"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut first = first.spawn().unwrap();
    wait_for(|| {
        let status = plinth(folder.path(), &["status", "--json", "-f", &site, "--state", text(&state)]);
        serde_json::from_str::<Value>(&status.stdout).is_ok_and(|status| status["run"]["state"] == "running")
    });
    let pid = first.id().to_string();
    plinth(folder.path(), &base).exits(5).says(&pid);
    first.kill().unwrap();
    first.wait().unwrap();
    let status = plinth(folder.path(), &["status", "--json", "-f", &site, "--state", text(&state)]).exits(0).json();
    assert_eq!(status["run"]["state"], "interrupted");
    plinth(folder.path(), &base).exits(0);
}

/// Waits for something that another process does; bounded.
fn wait_for(condition: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(90);
    while !condition() {
        assert!(std::time::Instant::now() < until, "it did not happen");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn another_site_can_be_rehearsed_too() {
    for example in ["static.yaml", "no-runai.yaml", "airgapped.yaml"] {
        let folder = TempDir::new().unwrap();
        let site = crate::support::example(example);
        let ran = plinth(folder.path(), &["rehearse", "-f", text(&site)]);
        assert_eq!(ran.exit, 0, "{example}:\n{}\n{}", ran.stdout, ran.stderr);
    }
}

/// Lines of Run:ai, each with a Kubernetes that it takes: of those that the catalog knows from 2.18 on, all. Where Kubespray is named, the
/// newest one's containerd is too new for the GPU Operator that goes with the line, and plinth says so.
const LINES: [(&str, &str); 10] = [
    ("2.18", "v1.30.13"),
    ("2.19", "v1.31.9"),
    ("2.20", "v1.31.9"),
    ("2.21", "v1.31.9"),
    ("2.22", "v1.32.8\n  kubespray: {version: v2.29.1}"),
    ("2.23", "v1.33.5\n  kubespray: {version: v2.29.1}"),
    ("2.24", "v1.33.5\n  kubespray: {version: v2.29.1}"),
    ("2.25", "v1.34.3"),
    ("2.26", "v1.34.3"),
    ("3.0", "v1.34.3"),
];

#[test]
fn every_line_of_runai_is_rehearsed_to_its_end() {
    let catalog = plinth_catalog::Catalog::embedded().unwrap();
    let known: Vec<&String> = catalog.compatibility().runai.keys().filter(|line| *line != "2.17").collect();
    assert_eq!(known, LINES.map(|(line, _)| line), "a line that the catalog knows has a row here");
    for (line, kubernetes) in LINES {
        rehearsed(line, kubernetes);
    }
}

fn rehearsed(line: &str, kubernetes: &str) {
    let folder = TempDir::new().unwrap();
    let mut site = std::fs::read_to_string(basepod()).unwrap();
    let mut put = |old: &str, new: &str| {
        assert!(site.contains(old), "{old}");
        site = site.replace(old, new);
    };
    put("version: \"2.21\"", &format!("version: \"{line}\""));
    put("version: v1.31.9", &format!("version: {kubernetes}"));
    put("[cpu-03, cpu-05, cpu-06]", "[cpu-03]");
    put("[dgx-05, dgx-06]", "[dgx-05]");
    if ["2.25", "2.26", "3.0"].contains(&line) {
        // They need a newer one, as Kubernetes 1.34 does.
        put("  components: {gpu-operator: {version: v25.3.3}}", "");
    }
    if line == "3.0" {
        // What is open to all is taken.
        put("  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}", "");
    }
    std::fs::write(folder.path().join("site.yaml"), site).unwrap();
    let ran = plinth(folder.path(), &["rehearse", "--events", "events.ndjson"]);
    assert_eq!(ran.exit, 0, "Run:ai {line} on Kubernetes {kubernetes}:\n{}\n{}", ran.stdout, ran.stderr);
    let events = std::fs::read_to_string(folder.path().join("events.ndjson")).unwrap();
    let records: Vec<Value> = events.lines().map(|record| serde_json::from_str(record).unwrap()).collect();
    let changed = steps_with(&records, "changed");
    for step in ["platform/release/gpu-operator", "runai/register/bcm-gpu-cluster"] {
        assert!(changed.iter().any(|other| other == step), "Run:ai {line}: {changed:#?}");
    }
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_the_next_run_continues() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        stopped_by(signal);
    }
}

fn stopped_by(signal: &str) {
    let folder = TempDir::new().unwrap();
    let (state, events) = (folder.path().join("state"), folder.path().join("events.ndjson"));
    let site = basepod();
    let base = ["rehearse", "-f", &site, "--state", text(&state)];
    // As a shell starts it, whatever the tests themselves run under.
    let mut run = std::process::Command::new("env");
    run.args(["--default-signal", env!("CARGO_BIN_EXE_plinth")]);
    run.args(base).args(["--pace", "watch", "--events", text(&events)]);
    let mut run = run.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for(|| std::fs::read_to_string(&events).is_ok_and(|e| e.contains("\"step.acting\"")));
    let interrupted = std::process::Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(run.wait().unwrap().code(), Some(4));
    let records: Vec<Value> =
        std::fs::read_to_string(&events).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(records.iter().any(|r| r["event"] == "run.stopping"));
    assert_eq!(records.last().unwrap()["outcome"], "stopped");
    let begun = |event: &str| {
        let of = |r: &&Value| r["event"] == event && r["outcome"] != "not-run";
        records.iter().filter(of).filter_map(|r| r["step"].as_str()).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(begun("step.acting").is_subset(&begun("step.finished")), "what was begun was finished");
    let status = plinth(folder.path(), &["status", "--json", "-f", &site, "--state", text(&state)]).exits(0).json();
    assert_eq!(status["run"]["state"], "stopped");
    plinth(folder.path(), &base).exits(0);
}

#[test]
fn a_narrow_network_with_addresses_of_the_site_is_shared_out_to_the_last_node() {
    let folder = TempDir::new().unwrap();
    let further: Vec<String> = (0..14).map(|n| format!("more-{n:02}")).collect();
    let site = std::fs::read_to_string(basepod())
        .unwrap()
        .replace("production: 10.184.162.0/24", "production: 10.184.162.0/27")
        .replace("workers: [", &format!("workers: [{}, ", further.join(", ")))
        .replace(
            "  gpu: [dgx-*]",
            "  gpu: [dgx-*]\n  overrides: {cpu-03: {address: 10.184.162.11}, cpu-05: {address: 10.184.162.12}}",
        );
    std::fs::write(folder.path().join("site.yaml"), site).unwrap();
    let plan = plinth(folder.path(), &["rehearse", "--plan-only", "--json"]).exits(0).json();
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps.iter().filter(|step| step["kind"] == "node.connect").count(), 19);
}

/// A node that does not answer holds up everything behind it, and is named before what runs well.
#[test]
fn a_dead_node_is_named_with_all_that_waits_for_it_and_no_more_once_it_failed() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    let fault = "node:rehearsal-00003:unreachable@account";
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--nodes", "24", "--fault", fault];
    plinth(folder.path(), &arguments).exits(4);
    let told =
        |at: &str| plinth(folder.path(), &["status", "-f", &site, "--state", text(&state), "--at", at]).exits(0).stdout;
    let before = told("+60s");
    let line = before.lines().find(|line| line.trim().starts_with("waits for ")).unwrap_or_else(|| panic!("{before}"));
    assert!(line.contains("nodes/account/rehearsal-00003, tried for 5"), "{line}");
    assert!(line.contains("; 103 steps behind it: no answer from"), "{line}");
    let all = before.lines().find(|line| line.contains("and 102 more steps: needs nodes/account/rehearsal-00003"));
    assert!(all.is_some_and(|line| line.contains("attempt ")), "{before}");
    assert!(!before.contains("again in 0 s"), "{before}");
    let after = told("+70s");
    assert!(!after.contains("waits for nodes/account/rehearsal-00003"), "{after}");
}
