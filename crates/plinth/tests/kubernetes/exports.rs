//! The traces of a run, taken by a collector of OpenTelemetry: it gets what happened, and nothing that it has to refuse.

use jiff::Timestamp;
use plinth_lab::Parts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const SITE: &str = include_str!("../../../../examples/basepod.yaml");

/// The trace of whoever called plinth, and the span that the run hangs below.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A recorded run in which a node failed.
struct Run {
    folder: TempDir,
}

impl Run {
    fn recorded() -> Self {
        let run = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(run.folder.path().join("site.yaml"), SITE).unwrap();
        let fault = "node:dgx-05:unreachable@downloads";
        run.plinth(4, &["rehearse", "--nodes", "5", "--fault", fault, "--events", "events.ndjson"]);
        run
    }

    fn plinth(&self, exit: i32, arguments: &[&str]) -> Vec<u8> {
        let folder = self.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
        command
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("TRACEPARENT", format!("00-{TRACE}-{PARENT}-01"));
        let output = command.args(arguments).args(["-f", "site.yaml", "--state", "state"]).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("events.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What a collector makes of this.
    fn posted(&self, traces: &[u8]) -> Value {
        let file = self.folder.path().join("traces.json");
        std::fs::write(&file, traces).unwrap();
        collected(&file)
    }
}

fn collected(file: &Path) -> Value {
    let program = Parts::collector().unwrap().program("collector").unwrap();
    let output = Command::new(program).stdin(Stdio::from(File::open(file).unwrap())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Nanoseconds since 1970.
fn nanos(event: &Value) -> i128 {
    event["at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_nanosecond()
}

/// A span began and ended with these events.
#[track_caller]
fn lasts(span: &Value, begin: &Value, end: &Value) {
    for (time, event) in [("start", begin), ("end", end)] {
        let apart = i128::from(span[time].as_u64().unwrap()) - nanos(event);
        assert!(apart.abs() < 1_000, "{time} is {apart} ns away from {event}: {span}");
    }
}

/// The first and the last event of a step.
type Ends<'a> = (&'a Value, &'a Value);

/// Steps that began, with these.
fn steps(events: &[Value]) -> BTreeMap<&str, Ends<'_>> {
    let of = |kind: &str| -> BTreeMap<&str, &Value> {
        let all = events.iter().filter(|event| event["event"] == kind);
        all.map(|event| (event["step"].as_str().unwrap(), event)).collect()
    };
    let ends = of("step.finished");
    of("step.started").into_iter().map(|(step, begin)| (step, (begin, ends[step]))).collect()
}

/// `nodes/downloads` of `nodes/downloads/dgx-05`.
fn kind(step: &str) -> &str {
    step.rsplit_once('/').unwrap().0
}

#[test]
#[ignore = "needs Go and the collector it builds: cargo xtask test --tier kubernetes"]
fn a_collector_takes_a_run_as_it_was() {
    let run = Run::recorded();
    let told = run.posted(&run.plinth(0, &["export", "--format", "otlp"]));
    assert_eq!((&told["status"], &told["answer"]), (&json!(200), &json!({"partialSuccess": {}})));
    let spans = told["spans"].as_array().unwrap();
    let events = run.events();
    let steps = steps(&events);
    let (first, of_nodes): (Vec<&Value>, Vec<&Value>) = spans.iter().partition(|span| span["trace"] == TRACE);
    let roots: Vec<&&Value> = first.iter().filter(|span| span["parent"] == PARENT).collect();
    let [root] = roots.as_slice() else { panic!("{} spans below the caller's", roots.len()) };
    is_the_run(root, &events);

    let kinds: BTreeSet<&str> = steps.keys().map(|step| kind(step)).collect();
    assert_eq!(first.len(), 1 + kinds.len() + steps.len(), "the run, its kinds, its steps");
    let named = |name: &str| *first.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    for name in &kinds {
        assert_eq!(named(name)["parent"], root["id"], "{name}");
        let of_kind = || steps.iter().filter(|(step, _)| kind(step) == *name).map(|(_, events)| *events);
        let first = of_kind().map(|(begin, _)| begin).min_by_key(|begin| nanos(begin)).unwrap();
        let last = of_kind().map(|(_, end)| end).max_by_key(|end| nanos(end)).unwrap();
        lasts(named(name), first, last);
    }
    for (step, (begin, end)) in &steps {
        let span = named(step);
        assert_eq!(span["parent"], named(kind(step))["id"], "{step}");
        is_the_step(span, step, (begin, end));
    }
    are_the_nodes(&of_nodes, &steps, root);
    hang_together(spans);
}

fn is_the_run(root: &Value, events: &[Value]) {
    let (head, end) = (events.first().unwrap(), events.last().unwrap());
    assert_eq!((&root["name"], &root["status"]), (&json!("plinth rehearse"), &json!("Error")));
    assert_eq!(root["attributes"]["cicd.pipeline.run.id"], head["run"]);
    assert_eq!(root["resource"]["service.name"], "plinth");
    assert_eq!(root["resource"]["plinth.site"], head["site"]);
    assert_eq!(root["resource"]["plinth.rehearsal"], true);
    lasts(root, head, end);
}

fn is_the_step(span: &Value, step: &str, (begin, end): Ends<'_>) {
    let outcome = end["outcome"].as_str().unwrap();
    let status = match outcome {
        "changed" | "unchanged" => "Ok",
        "failed" => "Error",
        _ => "Unset",
    };
    assert_eq!((&span["name"], &span["status"]), (&json!(step), &json!(status)));
    assert_eq!(span["message"].as_str().unwrap().is_empty(), outcome != "failed", "{span}");
    assert_eq!(span["attributes"]["cicd.pipeline.task.run.id"], step);
    assert_eq!(span["attributes"]["plinth.state"], outcome);
    assert_eq!(span["attributes"]["host.name"], begin["node"]);
    lasts(span, begin, end);
}

/// Each node has a trace of its own, linked to the run, with all of its steps.
fn are_the_nodes(spans: &[&Value], steps: &BTreeMap<&str, Ends<'_>>, root: &Value) {
    let of_nodes = steps.iter().filter(|(_, (begin, _))| begin["node"].is_string());
    let mut nodes: BTreeMap<&str, Vec<(&str, Ends<'_>)>> = BTreeMap::new();
    for (step, events) in of_nodes {
        nodes.entry(events.0["node"].as_str().unwrap()).or_default().push((step, *events));
    }
    assert!(nodes.len() >= 5, "{:?}", nodes.keys());
    assert_eq!(spans.len(), nodes.len() + nodes.values().map(Vec::len).sum::<usize>());
    for (node, of_node) in nodes {
        let whole = *spans.iter().find(|span| span["name"] == node).unwrap();
        assert_eq!((&whole["parent"], &whole["links"]), (&json!(""), &json!([{"trace": TRACE, "id": root["id"]}])));
        let failed = of_node.iter().any(|(_, (_, end))| end["outcome"] == "failed");
        assert_eq!(whole["status"], if failed { "Error" } else { "Ok" }, "{node}");
        for (step, events) in of_node {
            let span = *spans.iter().find(|span| span["name"] == step).unwrap();
            assert_eq!((&span["trace"], &span["parent"]), (&whole["trace"], &whole["id"]), "{step}");
            is_the_step(span, step, events);
        }
    }
}

/// No id comes twice in a trace, and each span hangs below one of its own trace, the caller's, or none.
fn hang_together(spans: &[Value]) {
    let id = |span: &Value, field: &str| (span["trace"].to_string(), span[field].as_str().unwrap().to_owned());
    let ids: BTreeSet<_> = spans.iter().map(|span| id(span, "id")).collect();
    assert_eq!(ids.len(), spans.len());
    for span in spans.iter().filter(|span| span["parent"] != "" && span["parent"] != PARENT) {
        assert!(ids.contains(&id(span, "parent")), "{span}");
    }
}

/// What it takes says something only if it does not take everything.
#[test]
#[ignore = "needs Go and the collector it builds: cargo xtask test --tier kubernetes"]
fn a_collector_refuses_what_is_no_trace() {
    let run = Run::recorded();
    let export: Value = serde_json::from_slice(&run.plinth(0, &["export", "--format", "otlp"])).unwrap();
    let changed = |place: &str, value: Value| {
        let mut export = export.clone();
        *export.pointer_mut(&format!("/resourceSpans/0/scopeSpans/0/spans/0/{place}")).unwrap() = value;
        run.posted(export.to_string().as_bytes())
    };
    for (place, value) in [
        ("traceId", json!("Cvd2UZFs1D3YRI6yEcgDGcs")),
        ("startTimeUnixNano", json!("2026-11-29T01:13:05Z")),
        ("status/code", json!("failed")),
        ("attributes/0/value", json!("basepod-a")),
    ] {
        let told = changed(place, value);
        assert_eq!((&told["status"], &told["spans"]), (&json!(400), &json!([])), "{place}: {told}");
    }
}
