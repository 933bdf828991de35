//! The machine interfaces, field by field (docs/machine-interfaces.md). Scripts rely on them: a failure here is a break.

use crate::support::{BcmSite, basepod, plinth, text};
use serde_json::Value;
use tempfile::TempDir;

/// A field, and what its value must be.
type Field<'a> = (&'a str, fn(&Value) -> bool);

/// Demands that an object has fields of given kinds.
#[track_caller]
fn has(object: &Value, fields: &[Field<'_>]) {
    for (field, right) in fields {
        let value = object.get(field).unwrap_or_else(|| panic!("`{field}` is missing in {object:#}"));
        assert!(right(value), "`{field}` is wrong: {value}");
    }
}

fn finding(finding: &Value) {
    has(
        finding,
        &[
            ("code", |v| v.as_str().is_some_and(|s| s.contains('.'))),
            ("severity", |v| matches!(v.as_str(), Some("error" | "warning" | "info"))),
            ("subject", Value::is_string),
            ("message", Value::is_string),
            ("evidence", Value::is_array),
            ("owner", Value::is_string),
            ("fix", Value::is_string),
        ],
    );
}

#[test]
fn validate() {
    let folder = TempDir::new().unwrap();
    let bad = std::fs::read_to_string(basepod()).unwrap().replace("  uid", "  uidd").replace("workers:", "wrokers:");
    std::fs::write(folder.path().join("site.yaml"), bad).unwrap();
    let report = plinth(folder.path(), &["validate", "--json"]).exits(1).json();
    assert_eq!(report["schema"], 1);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["code"] == "site.unknown-key" && f["fix"].as_str().unwrap().contains("workers")));
    for f in findings {
        finding(f);
    }
    for f in findings.iter().filter(|f| f["severity"] == "error") {
        has(f, &[("line", |v| v.as_u64() > Some(0)), ("column", |v| v.as_u64() > Some(0))]);
    }
    let good = plinth(folder.path(), &["validate", "--json", "-f", &basepod()]).exits(0).json();
    assert_eq!(good["schema"], 1);
    good["findings"].as_array().unwrap().iter().for_each(finding);
}

#[test]
fn discover() {
    let report = BcmSite::basepod(|s| s).plinth(&["discover", "--json"]).exits(0).json();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["nodes"].as_array().unwrap().len(), 9);
    for node in report["nodes"].as_array().unwrap() {
        has(
            node,
            &[
                ("name", Value::is_string),
                ("type", |v| matches!(v.as_str(), Some("head" | "physical"))),
                ("category", |v| v.is_string() || v.is_null()),
                ("address", |v| v.is_string() || v.is_null()),
                ("addressSource", |v| v.is_string() || v.is_null()),
                ("network", |v| v.is_string() || v.is_null()),
                ("roles", Value::is_array),
            ],
        );
    }
    has(&report, &[("networks", |v| v.as_array().is_some_and(|n| n.len() == 8)), ("findings", Value::is_array)]);
    report["findings"].as_array().unwrap().iter().for_each(finding);
}

#[test]
fn plan() {
    let site = BcmSite::basepod(|s| s);
    let plan = site.plinth(&["plan", "--json", "--out", "plan.json"]).exits(0).json();
    assert_eq!(plan["schema"], 2);
    assert_eq!(plan["site"], "basepod-a");
    has(
        &plan,
        &[
            ("hash", |v| v.as_str().is_some_and(|h| h.len() == 64)),
            ("gates", Value::is_array),
            ("findings", Value::is_array),
        ],
    );
    let ids: Vec<&str> = plan["steps"].as_array().unwrap().iter().filter_map(|s| s["id"].as_str()).collect();
    for step in plan["steps"].as_array().unwrap() {
        has(
            step,
            &[
                ("id", |v| v.as_str().is_some_and(|s| s.split('/').count() == 3)),
                ("kind", Value::is_string),
                ("stage", Value::is_string),
                ("target", Value::is_string),
                ("needs", Value::is_array),
                ("reason", |v| v.as_str().is_some_and(|s| !s.is_empty())),
                ("change", |v| v["change"].is_string()),
            ],
        );
        for need in step["needs"].as_array().unwrap() {
            assert!(ids.contains(&need.as_str().unwrap()), "{need} is needed but not there");
        }
    }
    let saved: Value = serde_json::from_slice(&std::fs::read(site.folder.path().join("plan.json")).unwrap()).unwrap();
    assert_eq!(saved["hash"], plan["hash"]);
    site.plinth(&["plan", "--detailed-exitcode"]).exits(2);
    let graph = site.plinth(&["plan", "--graph", "dot"]).exits(0);
    assert!(graph.stdout.starts_with("digraph"), "{}", graph.stdout);
}

#[test]
fn the_plan_of_the_example_holds_what_it_must() {
    let plan = BcmSite::basepod(|s| s).plinth(&["plan", "--json"]).exits(0).json();
    let ids: Vec<&str> = plan["steps"].as_array().unwrap().iter().filter_map(|s| s["id"].as_str()).collect();
    let mut wanted: Vec<String> = ["connect", "account", "facts", "storage", "registries"]
        .iter()
        .flat_map(|verb| ["cpu-03", "cpu-05", "cpu-06", "dgx-05", "dgx-06"].map(|n| format!("nodes/{verb}/{n}")))
        .collect();
    for node in ["cpu-03", "cpu-05", "cpu-06", "dgx-05", "dgx-06"] {
        wanted.extend([format!("kubernetes/labels/{node}"), format!("kubernetes/ready/{node}")]);
    }
    wanted.extend(
        [
            "kubernetes/source/kubespray",
            "kubernetes/environment/kubespray",
            "kubernetes/inventory/kubespray",
            "kubernetes/deploy/basepod-a",
            "kubernetes/kubeconfig/basepod-a",
            "kubernetes/dns/bcm-head-01.eth.cluster",
            "platform/certificate/runai",
            "platform/namespace/gpu-operator",
            "platform/secret/runai-backend.runai-reg-creds",
            "platform/secret/runai.runai-reg-creds",
            "platform/release/gpu-operator",
            "platform/release/knative-operator",
            "platform/objects/knative-operator",
            "platform/release/runai-control-plane",
            "runai/issuer/bcm-head-01.eth.cluster",
            "runai/register/bcm-gpu-cluster",
            "platform/release/runai-cluster",
            "runai/connected/bcm-gpu-cluster",
            "checks/gpu-pod/dgx-05",
            "checks/runai/bcm-gpu-cluster",
        ]
        .map(str::to_owned),
    );
    for id in wanted {
        assert!(ids.contains(&id.as_str()), "{id} is missing in:\n{}", ids.join("\n"));
    }
    assert!(ids.iter().any(|id| id.starts_with("bcm/identity/")));
    assert_eq!(plan["gates"].as_array().unwrap().len(), 5, "one storage gate a node");
}

#[test]
fn status_and_events() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let events = folder.path().join("events.ndjson");
    let arguments = ["rehearse", "-f", &basepod(), "--state", text(&state), "--events", text(&events)];
    plinth(folder.path(), &arguments).exits(0);

    let records: Vec<Value> =
        std::fs::read_to_string(&events).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let (first, last) = (&records[0], records.last().unwrap());
    assert_eq!(first["event"], "run.started");
    has(
        first,
        &[("schema", |v| v == 1), ("run", Value::is_string), ("plan", |v| v.as_str().is_some_and(|h| h.len() == 64))],
    );
    assert_eq!(last["event"], "run.finished");
    assert_eq!((&last["outcome"], &last["exit"]), (&"done".into(), &0.into()));
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record["seq"], index as u64 + 1, "records are numbered from 1 without a gap");
        assert!(record["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    }

    let status =
        plinth(folder.path(), &["status", "--json", "-f", &basepod(), "--state", text(&state)]).exits(0).json();
    assert_eq!(status["schema"], 1);
    has(
        &status["run"],
        &[
            ("id", Value::is_string),
            ("state", |v| v == "done"),
            ("plan", |v| v.as_str().is_some_and(|h| h.len() == 64)),
            ("started", Value::is_string),
            ("updated", Value::is_string),
        ],
    );
    has(
        &status["steps"],
        &[
            ("done", |v| v.as_u64() > Some(50)),
            ("running", |v| v == 0),
            ("failed", |v| v == 0),
            ("waiting", |v| v == 0),
        ],
    );
    assert_eq!((&status["lock"], status.get("drift")), (&Value::Null, None));
    let drift = ["status", "--json", "--drift", "-f", &basepod(), "--state", text(&state)];
    let drift = plinth(folder.path(), &drift).exits(0).json()["drift"].clone();
    assert!(drift["notAsked"].as_str().unwrap().contains("rehearsal"), "{drift}");
    assert_eq!((&drift["compared"], &drift["steps"]), (&0.into(), &Value::Array(Vec::new())));
}

#[test]
fn the_schema_is_a_json_schema_that_the_examples_fit() {
    let folder = TempDir::new().unwrap();
    let schema = plinth(folder.path(), &["schema"]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&serde_json::json!({"apiVersion": "plinth/v1", "kind": "Site", "nonsense": 1})));
    for example in ["basepod.yaml", "static.yaml", "no-runai.yaml", "airgapped.yaml"] {
        plinth(folder.path(), &["validate", "-f", text(&crate::support::example(example))]).exits(0);
    }
}

#[test]
fn a_verb_for_real_nodes_names_every_missing_secret_before_contacting_anything() {
    let folder = TempDir::new().unwrap();
    for verb in [&["apply", "--yes"][..], &["preflight"], &["trust", "dgx-05", "--yes"]] {
        let site = basepod();
        let ran = plinth(folder.path(), &[verb, &["-f", &site, "--state", "state"]].concat()).exits(1);
        for secret in
            ["BCM_USERNAME", "BCM_PASSWORD", "BOOTSTRAP_PASSWORD", "RUNAI_REGISTRY_TOKEN", "RUNAI_ADMIN_PASSWORD"]
        {
            assert!(ran.stderr.contains(secret), "{verb:?} does not name {secret}:\n{}", ran.stderr);
        }
    }
}

#[test]
fn what_needs_an_answer_stops_where_nobody_can_be_asked() {
    let folder = TempDir::new().unwrap();
    for verb in [&["apply"][..], &["trust", "dgx-05"], &["preflight", "--fix"]] {
        let site = basepod();
        plinth(folder.path(), &[verb, &["-f", &site, "--state", "state"]].concat()).exits(1).says("no terminal");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}
