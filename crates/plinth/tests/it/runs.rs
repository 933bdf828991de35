//! Runs of the simulator, looked at afterwards: listed, explained, compared, exported, packed for support.

use crate::support::{Ran, basepod, example, plinth, plinth_with, text};
use serde_json::{Value, json};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

/// A folder in which rehearsals are kept.
struct Kept(TempDir);

impl Kept {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn rehearse(&self, more: &[&str]) -> Ran {
        let site = basepod();
        plinth(self.folder(), &[&["rehearse", "-f", &site, "--state", "state"], more].concat())
    }

    fn asks(&self, arguments: &[&str]) -> Ran {
        let site = basepod();
        plinth(self.folder(), &[arguments, &["-f", &site, "--state", "state"]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.asks(&[arguments, &["--json"]].concat()).exits(0).json()
    }
}

#[test]
fn as_many_runs_are_kept_as_the_site_file_says() {
    let folder = TempDir::new().unwrap();
    let site = std::fs::read_to_string(basepod()).unwrap();
    std::fs::write(folder.path().join("site.yaml"), format!("{site}\nrun: {{keep: {{runs: 2}}}}\n")).unwrap();
    let asks =
        |arguments: &[&str]| plinth(folder.path(), &[arguments, &["-f", "site.yaml", "--state", "state"]].concat());
    for _ in 0..5 {
        asks(&["rehearse"]).exits(0);
    }
    let runs = asks(&["runs", "--json"]).exits(0).json();
    // Two that were there when the last one began, and that one.
    assert_eq!(runs["runs"].as_array().unwrap().len(), 3);
    std::fs::write(folder.path().join("site.yaml"), format!("{site}\nrun: {{keep: {{runs: 0}}}}\n")).unwrap();
    asks(&["validate"]).exits(1).says("run.keep.runs");
}

#[test]
fn a_failed_rehearsal_is_told_from_its_cause_to_what_differs() {
    let kept = Kept::new();
    assert!(kept.asks(&["runs"]).exit != 70);
    std::fs::create_dir(kept.folder().join("state")).unwrap();
    let none = kept.json(&["why"]);
    assert_eq!((&none["run"], &none["causes"]), (&Value::Null, &json!([])), "no run is no error, as in text");
    kept.rehearse(&["--fault", "release:gpu-operator:fails"]).exits(4);
    kept.rehearse(&[]).exits(0);
    let runs = kept.json(&["runs"]);
    let states: Vec<&Value> = runs["runs"].as_array().unwrap().iter().map(|run| &run["state"]).collect();
    assert_eq!(states, [&json!("partly"), &json!("done")]);
    assert_eq!(runs["runs"][0]["verb"], "rehearse");
    assert_eq!(runs["runs"][0]["firstFailure"], "platform/release/gpu-operator");
    assert!(runs["runs"][0]["who"]["process"].as_u64().unwrap() > 1);

    let failed = kept.json(&["runs", "what-failed", "^1"]);
    let cause = &failed["causes"][0];
    assert_eq!(failed["causes"].as_array().unwrap().len(), 1);
    assert_eq!(cause["failure"]["exit"], 1);
    assert!(cause["failure"]["command"].as_str().unwrap().starts_with("helm upgrade gpu-operator"));
    let shown = kept.json(&["runs", "show", "^1"]);
    assert_eq!(shown["whole"], true);
    let not_run = shown["kinds"].as_array().unwrap().iter().map(|kind| kind["tally"]["notRun"].as_u64().unwrap());
    assert_eq!(cause["holdsUp"].as_u64().unwrap(), not_run.sum::<u64>(), "whatever did not run, did not because of it");
    for one in shown["waiting"].as_array().unwrap() {
        assert_eq!(one["chain"].as_array().unwrap().last().unwrap(), "platform/release/gpu-operator", "{one}");
        assert_eq!(one["rootState"], "failed");
    }

    let why = kept.asks(&["why", "^1"]).exits(0).stdout;
    assert!(why.len() <= 8192 && why.contains("1 cause") && why.contains("helm upgrade gpu-operator"), "{why}");
    assert_eq!(why, kept.asks(&["why", "^1"]).stdout);

    let diff = kept.json(&["runs", "diff", "last", "^1"]);
    let first = &diff["differences"][0];
    assert_eq!((first["what"].as_str(), first["before"].as_str()), (Some("outcome"), Some("failed")), "{first}");
    kept.asks(&["runs", "diff", "^1"]).exits(1).says("last-good").says("there is no run before it");
    let hint = kept.asks(&["runs", "diff"]).exits(1).says("compare it with the run before it").stderr;
    let command: Vec<&str> = hint.split("`plinth ").nth(1).unwrap().split('`').next().unwrap().split(' ').collect();
    kept.asks(&command).exits(0);
    kept.asks(&["runs", "show", "nothing"]).exits(1).says("no run has such an id");
    let listed = kept.json(&["runs", "--where", "state:partly"]);
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
    let steps = kept.json(&["runs", "show", "^1", "--where", "state:failed kind:platform/release"]);
    assert_eq!(steps["steps"].as_array().unwrap().len(), 1);
    let none = kept.json(&["runs", "show", "^1", "--where", "state:failed waiting:slot"]);
    assert_eq!(none["emptiedBy"], "waiting:slot");
    assert!(kept.json(&["runs", "--where", "some("])["runs"].as_array().unwrap().is_empty());
    kept.asks(&["runs", "--where", "colour:red"]).exits(1).says("colour:");
}

/// Another version and a node less: these two are said first, once, and what follows from them is not said for each step.
#[test]
fn what_changed_begins_with_versions_and_nodes_and_folds_what_follows() {
    let kept = Kept::new();
    kept.rehearse(&[]).exits(0);
    let site = std::fs::read_to_string(example("basepod.yaml")).unwrap().replace("v25.3.3", "v25.10.1");
    for file in std::fs::read_dir(example("basepod.yaml").parent().unwrap()).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), kept.folder().join(file.file_name())).unwrap();
        }
    }
    std::fs::write(kept.folder().join("basepod.yaml"), site).unwrap();
    let asks = |more: &[&str]| plinth(kept.folder(), &[more, &["-f", "basepod.yaml", "--state", "state"]].concat());
    asks(&["rehearse", "--without", "dgx-06", "--fault", "release:gpu-operator:fails"]).exits(4);

    let told = asks(&["runs", "diff"]).exits(0).stdout;
    let lines: Vec<&str> = told.lines().skip(2).collect();
    assert!(lines[0].starts_with("wanted otherwise: "), "{told}");
    assert!(lines[1].starts_with("  left out   dgx-06  11 steps gone, "), "{told}");
    assert_eq!(lines[2], "  version    platform/release/gpu-operator  release.version: v25.3.3 -> v25.10.1");
    assert!(lines[3..].iter().any(|line| line.ends_with("is another one") && line.contains("site file")), "{told}");
    assert!(lines[3..].iter().any(|line| line.contains(".WITH_WORKLOAD") && line.ends_with(" (removed)")), "{told}");
    assert!(!lines[2..].iter().any(|line| line.contains("dgx-06")), "the node is said once: {told}");
    let is_hash = |word: &str| word.len() > 30 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(!told.split_whitespace().any(is_hash), "{told}");
    assert!(lines.iter().any(|line| line.starts_with("  content    nodes/downloads, 4 steps  ")), "{told}");
    assert!(lines.contains(&"  outcome    platform/release/gpu-operator  changed -> failed"), "{told}");
    assert!(!told.contains("not-run") && told.contains("-> not run"), "{told}");
    // What was installed and what was found installed take different times, which is no news.
    assert!(!lines.iter().any(|line| line.starts_with("  duration   kubernetes/deploy")), "{told}");
    let first = &asks(&["runs", "diff", "--json"]).exits(0).json()["differences"][1];
    let wanted = json!({
        "what": "version", "subject": "platform/release/gpu-operator", "steps": 1, "name": "release.version",
        "before": "v25.3.3", "after": "v25.10.1", "touchesFailure": true,
    });
    assert_eq!(first, &wanted);
}

/// A site of four workers in two categories and two racks; the address of the last one ends so.
fn in_racks(folder: &Path, last: &str) {
    let site = std::fs::read_to_string(example("static.yaml")).unwrap();
    let worker = "    - {name: dgx-02, address: 192.0.2.22, category: dgx-h100}\n";
    let more = format!(
        "    - {{name: dgx-03, address: 192.0.2.23, category: dgx-a100}}\n    - {{name: dgx-04, address: 192.0.2.{last}, category: dgx-a100}}\n"
    );
    let rack = "    dgx-02:\n";
    let racks =
        "    dgx-01: {labels: {example.com/rack: a2}}\n    dgx-03: {labels: {example.com/rack: a3}}\n    dgx-02:\n";
    assert!(site.contains(worker) && site.contains(rack));
    let site = site.replace(worker, &format!("{worker}{more}")).replace(rack, racks);
    let all = "[{category: dgx-h100}, {category: dgx-a100}]";
    std::fs::write(folder.join("site.yaml"), site.replace("[{category: dgx-h100}]", all)).unwrap();
}

#[test]
fn nodes_that_fail_alike_share_their_category_and_their_rack() {
    let folder = TempDir::new().unwrap();
    in_racks(folder.path(), "24");
    let asks = |more: &[&str]| plinth(folder.path(), &[more, &["-f", "site.yaml", "--state", "state"]].concat());
    let faults = ["--fault", "node:dgx-01:unreachable@downloads", "--fault", "node:dgx-02:unreachable@downloads"];
    asks(&[&["rehearse"], &faults[..]].concat()).exits(4).says("category dgx-h100");
    let failed = asks(&["runs", "what-failed", "--json"]).exits(0).json();
    let cause = &failed["causes"][0];
    assert_eq!((&cause["nodes"], &cause["nodeCount"]), (&json!("dgx-[01-02]"), &json!(2)), "{failed}");
    assert_eq!(cause["shared"], json!(["category dgx-h100", "example.com/rack a2"]));
    // What others have as well is nothing that these share.
    let faults = ["--fault", "node:dgx-01:unreachable@downloads", "--fault", "node:dgx-03:unreachable@downloads"];
    asks(&[&["rehearse"], &faults[..]].concat()).exits(4);
    let failed = asks(&["runs", "what-failed", "--json"]).exits(0).json();
    assert_eq!(failed["causes"][0]["shared"], json!([]), "{failed}");
}

#[test]
fn what_a_node_told_of_itself_is_a_part_of_what_changed() {
    let folder = TempDir::new().unwrap();
    let asks = |more: &[&str]| plinth(folder.path(), &[more, &["-f", "site.yaml", "--state", "state"]].concat());
    in_racks(folder.path(), "24");
    asks(&["rehearse"]).exits(0);
    in_racks(folder.path(), "34");
    asks(&["rehearse", "--fault", "node:dgx-04:unreachable@downloads"]).exits(4);
    let told = asks(&["runs", "diff"]).exits(0).stdout;
    let line = "  node       dgx-04  addresses: 192.0.2.24/24 -> 192.0.2.34/24";
    let lines: Vec<&str> = told.lines().collect();
    let at = lines.iter().position(|other| *other == line).unwrap_or_else(|| panic!("{told}"));
    assert!(lines[at - 1].starts_with("touches what failed: "), "it is the first of these: {told}");
    let diff = asks(&["runs", "diff", "--json"]).exits(0).json();
    let of_nodes: Vec<&Value> =
        diff["differences"].as_array().unwrap().iter().filter(|one| one["what"] == "node").collect();
    assert_eq!(of_nodes.len(), 1, "what is as it was is not told: {of_nodes:?}");
}

#[test]
fn the_status_of_a_moment_is_what_was_seen_then() {
    let kept = Kept::new();
    kept.rehearse(&[]).exits(0);
    let then = kept.json(&["status", "--at", "+2min"]);
    assert_eq!(then["run"]["state"], "running");
    let done = |status: &Value| status["steps"]["done"].as_u64().unwrap();
    let now = kept.json(&["status"]);
    assert!(done(&then) > 0 && done(&then) < done(&now), "{then}");
    let said = kept.asks(&["status", "--at", "+2min"]).exits(0).stdout;
    assert!(said.contains("waits for") || said.contains("waits:"), "{said}");
    assert_eq!(kept.asks(&["status", "--watch"]).exits(0).stdout.trim(), kept.asks(&["status"]).stdout.trim());
    kept.asks(&["status", "--watch", "--json"]).exits(1).says("leave `--json`");
}

/// Names of the workers that a rehearsal of so many nodes makes up.
fn workers(kept: &Kept, nodes: &str) -> Vec<String> {
    let plan = kept.rehearse(&["--nodes", nodes, "--plan-only", "--json"]).exits(0).json();
    let steps = plan["steps"].as_array().unwrap().iter();
    let names = steps.filter_map(|step| step["id"].as_str()?.strip_prefix("nodes/account/").map(str::to_owned));
    names.filter(|name| name.starts_with("rehearsal-")).collect()
}

#[test]
fn two_hundred_nodes_with_one_cause_are_one_card_with_ranges() {
    let kept = Kept::new();
    let names = workers(&kept, "200");
    assert!(names.len() > 100, "{names:?}");
    let faults: Vec<String> = names.iter().take(12).map(|name| format!("node:{name}:drop@prepare:always")).collect();
    let faults: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault.as_str()]).collect();
    let ran = kept.rehearse(&[&["--nodes", "200"], faults.as_slice()].concat());
    assert!(ran.exit != 0, "{}", ran.stderr);
    let failed = kept.json(&["runs", "what-failed"]);
    let causes = failed["causes"].as_array().unwrap();
    let most = causes.iter().max_by_key(|cause| cause["nodeCount"].as_u64()).unwrap();
    assert_eq!(most["nodeCount"], 12, "{causes:?}");
    assert!(most["nodes"].as_str().unwrap().contains("-["), "{most}");
    let command = most["failure"]["command"].as_str().unwrap();
    let is_told = command.starts_with("ssh ansiblebcm@") && command.contains(" sudo sh # preparing rehearsal-");
    assert!(is_told && most["failure"]["exit"] == Value::Null, "it was cut off: {most}");
    let why = kept.asks(&["why"]).exits(0).stdout;
    assert!(why.len() <= 8192 && why.contains("12 nodes"), "{why}");
}

#[test]
fn a_thousand_nodes_are_told_in_eight_kilobytes_and_exported_whole() {
    let kept = Kept::new();
    kept.rehearse(&["--nodes", "1000", "--fault", "release:gpu-operator:fails"]).exits(4);
    let why = kept.asks(&["why"]).exits(0).stdout;
    assert!(why.len() <= 8192 && why.contains("gpu-operator"), "{} bytes", why.len());
    let path = kept.json(&["runs", "critical-path", "--what-if", "parallel=64"]);
    let (played, path) = (&path["whatIf"][0], &path["criticalPath"]);
    let near = |a: f64, b: f64| (a - b).abs() <= b * 0.05;
    let seconds = |value: &Value| value.as_f64().unwrap();
    assert!(near(seconds(&played["seconds"]), seconds(&played["recordedS"])), "{played}");
    let parts: f64 = ["workedS", "laneS", "slotS", "otherS"].iter().map(|part| seconds(&path[*part])).sum();
    assert!(near(parts, seconds(&path["totalS"])), "{path}");
    kept.asks(&["export", "--format", "trace", "--out", "trace.json"]).exits(0);
    let trace: Value = serde_json::from_slice(&std::fs::read(kept.folder().join("trace.json")).unwrap()).unwrap();
    let count = |phase: &str| trace["traceEvents"].as_array().unwrap().iter().filter(|e| e["ph"] == phase).count();
    assert!(count("b") > 9_000 && count("b") == count("e"));
    let otlp: Value = serde_json::from_str(&kept.asks(&["export", "--format", "otlp"]).exits(0).stdout).unwrap();
    assert!(otlp["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len() > 1_000);
}

#[test]
fn what_another_limit_would_have_taken_is_what_a_rehearsal_with_it_takes() {
    let seconds = |kept: &Kept| kept.json(&["runs"])["runs"][0]["seconds"].as_f64().unwrap();
    let wide = Kept::new();
    wide.rehearse(&["--nodes", "60"]).exits(0);
    let played = wide.json(&["runs", "critical-path", "--what-if", "parallel=8"]);
    let narrow = Kept::new();
    let site = std::fs::read_to_string(basepod()).unwrap() + "\nrun: {parallel: 8}\n";
    std::fs::write(narrow.folder().join("site.yaml"), site).unwrap();
    let site = ["-f", "site.yaml", "--state", "state"];
    plinth(narrow.folder(), &[&["rehearse", "--nodes", "60"], &site[..]].concat()).exits(0);
    let listed = plinth(narrow.folder(), &[&["runs", "--json"], &site[..]].concat()).exits(0).json();
    let real = listed["runs"][0]["seconds"].as_f64().unwrap();
    let told = played["whatIf"][0]["seconds"].as_f64().unwrap();
    assert!(real > seconds(&wide), "eight at once take longer");
    // A step that only waits is played to the moment at which what it waits for comes; seen: 0.2 %.
    assert!((told - real).abs() <= real * 0.05, "{told} s were told, and it took {real} s");
}

/// As its makers publish it.
const CTRF: &str = include_str!("../data/formats/ctrf-schema-0.0.json");

#[test]
fn every_format_is_written_and_ctrf_fits_its_schema() {
    let kept = Kept::new();
    kept.rehearse(&["--fault", "release:gpu-operator:fails"]).exits(4);
    for format in ["trace", "otlp", "ctrf", "junit", "markdown", "metrics"] {
        let said = kept.asks(&["export", "last", "--format", format]).exits(0).stdout;
        assert!(said.contains("gpu-operator") || format == "metrics", "{format}");
    }
    let schema: Value = serde_json::from_str(CTRF).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let fits = |kept: &Kept| {
        let told: Value = serde_json::from_str(&kept.asks(&["export", "--format", "ctrf"]).exits(0).stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&told).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        told
    };
    let told = fits(&kept);
    for (place, value) in [("status", json!("fine")), ("suite", json!("nodes")), ("steps_done", json!(1))] {
        let mut wrong = told.clone();
        wrong["results"]["tests"][0][place] = value;
        assert!(!validator.is_valid(&wrong), "the schema could not fail: {place}");
    }
    let broken_off = Kept::new();
    broken_off.rehearse(&["--fault", "crash@record:60"]);
    let told = fits(&broken_off);
    assert!(
        told["results"]["summary"]["other"].as_u64().unwrap() > 0,
        "its end was not seen: {}",
        told["results"]["summary"]
    );
    kept.asks(&["export", "--format", "trace", "--json"]).exits(1);
}

const TOKEN: &str = "registry-token-for-tests-0815";

#[test]
fn a_packed_archive_holds_no_secret_although_a_log_does() {
    let kept = Kept::new();
    kept.rehearse(&["--fault", "release:gpu-operator:fails"]).exits(4);
    let state = kept.folder().join("state");
    let base64 = "cmVnaXN0cnktdG9rZW4tZm9yLXRlc3RzLTA4MTU=";
    std::fs::create_dir_all(state.join("helm/logs")).unwrap();
    std::fs::write(
        state.join("helm/logs/20261129T001305.120Z-x.log"),
        format!("it said {TOKEN} and {base64}\u{1b}[2J"),
    )
    .unwrap();
    let (site, secrets) = (basepod(), [("RUNAI_REGISTRY_TOKEN", TOKEN)]);
    let asked = ["support", "--out", "packed.tar.gz", "-f", &site, "--state", "state"];
    let said = plinth_with(kept.folder(), &secrets, &asked).exits(0);
    assert!(said.stderr.contains("searched for ") && said.stderr.contains("cannot be read here"), "{}", said.stderr);
    let file = kept.folder().join("packed.tar.gz");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap()));
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        let name = entry.path().unwrap().display().to_string();
        entry.read_to_string(&mut content).unwrap();
        assert!(!content.contains(TOKEN) && !content.contains(base64) && !content.contains('\u{1b}'), "{name}");
        names.push(name);
    }
    for wanted in ["versions.json", "events.ndjson", "plan.json", "findings.json", "why.txt", "runs.json"] {
        assert!(names.iter().any(|name| name.ends_with(wanted)), "{wanted} in {names:?}");
    }
    assert!(names.iter().any(|name| name.contains("logs/2026")), "{names:?}");
}

/// The files of an archive, without its folder.
fn unpacked(file: &Path) -> std::collections::BTreeMap<String, String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string().replace("plinth-support/", "");
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        (name, content)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn an_archive_tells_what_had_no_room_in_it_and_which_versions_were_at_work() {
    let kept = Kept::new();
    for _ in 0..7 {
        kept.rehearse(&[]).exits(0);
    }
    let oldest = kept.json(&["runs"])["runs"][0]["run"].as_str().unwrap().to_owned();
    let first = kept.asks(&["support", "--out", "first.tar.gz"]).exits(0);
    assert!(
        first.stderr.contains("left out: 1 older run (`plinth support RUN` packs another one); left-out.txt"),
        "{}",
        first.stderr
    );
    let state = kept.folder().join("state");
    let logs = |name: &str| {
        let folder = state.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        move |minute: u32, size: usize| {
            let name = format!("20261129T00{:02}{:02}.120Z-x.log", minute / 60, minute % 60);
            std::fs::write(folder.join(name), "x".repeat(size)).unwrap();
        }
    };
    let (helm, node) = (logs("helm/logs"), logs("nodes/logs"));
    (0..24).for_each(|minute| helm(minute, if minute == 23 { 5 << 20 } else { 10 }));
    (0..201).for_each(|minute| node(minute, 10));
    let said = kept.asks(&["support", "--out", "packed.tar.gz"]).exits(0).stderr;
    // plinth's own log is one of the twenty.
    for part in ["5 older logs", "1 older log of an operation on a node", "1 beginning of a long log"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let files = unpacked(&kept.folder().join("packed.tar.gz"));
    let left_out = &files["left-out.txt"];
    for name in [oldest.as_str(), "helm/logs/20261129T000004.120Z-x.log", "nodes/logs/20261129T000000.120Z-x.log"] {
        assert!(left_out.contains(name), "{name}: {left_out}");
    }
    assert!(left_out.contains("helm/logs/20261129T000023.120Z-x.log, all but its last 4 MiB of 5"), "{left_out}");
    assert!(!left_out.contains("helm/logs/20261129T000005.120Z-x.log"), "that one is packed: {left_out}");
    let about: Value = serde_json::from_str(&files["versions.json"]).unwrap();
    let versions = &about["versions"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert!(
        text(&versions["kubernetes"]).starts_with("v1.") && text(&versions["helm"]["pinned"]).starts_with('v'),
        "{about:#}"
    );
    assert!(text(&versions["kubespray"]["release"]).starts_with("v2."), "{about:#}");
    assert!(
        text(&versions["kubespray"]["ansible"]).contains('.') && versions["charts"]["gpu-operator"].is_string(),
        "{about:#}"
    );
    assert_eq!(text(&versions["catalog"]).len(), 64, "{about:#}");
}

#[test]
fn a_run_is_shown_as_it_is_asked_for() {
    let site = text(&example("basepod.yaml")).to_owned();
    let folder = TempDir::new().unwrap();
    let run = |env: &[(&str, &str)], more: &[&str]| {
        plinth_with(
            folder.path(),
            env,
            &[&["rehearse", "-f", &site, "--fault", "release:gpu-operator:fails"], more].concat(),
        )
        .exits(4)
        .stderr
    };
    let lines = run(&[], &[]);
    let asked = run(&[], &["--progress", "lines"]);
    assert_eq!(lines.lines().count(), asked.lines().count(), "elsewhere than on a terminal there are lines");
    let calm = run(&[("ACCESSIBLE", "1")], &[]);
    assert_eq!(calm.lines().count(), run(&[], &["--progress", "calm"]).lines().count());
    assert!(calm.lines().count() < lines.lines().count() / 2, "{calm}");
    assert!(calm.contains("gpu-operator") && calm.contains(" of ") && calm.contains("partly applied"), "{calm}");
    let none = run(&[], &["--progress", "none"]);
    assert!(none.contains("gpu-operator") && !none.contains("partly applied"), "{none}");
}
