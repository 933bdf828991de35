//! What the tests stand on: the tree, a Python environment made once by the client itself, a lab, a site.

use crate::seen::site;
use crate::support::Bench;
use plinth_ansible::{LocalAnsible, PackageSource};
use plinth_keystore::SiteSecrets;
use plinth_lab::LabSpec;
use plinth_model::SecretRef;
use plinth_model::engine::KubesprayRecord;
use plinth_model::steps::{Credential, KubesprayRelease, NodeTarget, RunInputs};
use plinth_model::{EngineRecord, NodeName};
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::ansible::AnsibleClient as _;
use plinth_world::engine::FileRecords;
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock};
use serde_json::Value;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The step that runs the playbooks.
pub(crate) const DEPLOY: &str = "kubernetes/deploy/nodes";
/// The tree's own secret, which a `no_log` task handles.
pub(crate) const HIDDEN: &str = "tree-secret-8f2a";
/// What the release takes (Kubespray v2.27).
const CORE: &str = ">=2.16.4, <2.17.0";

fn sh(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The tree in Kubespray's shape.
fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubespray")
}

/// Commit and tree of the tree, as git tells them.
fn pin() -> &'static (String, String) {
    static PIN: OnceLock<(String, String)> = OnceLock::new();
    PIN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let copy = format!("cp -a {}/. . && git init -q . && git add -Af . && git write-tree", tree().display());
        ("0".repeat(40), sh(folder.path(), &copy))
    })
}

/// The tree, pinned as v2.27.1 of Kubespray.
pub(crate) fn release(tag: &str) -> KubesprayRelease {
    let (commit, id) = pin().clone();
    KubesprayRelease {
        tag: tag.parse().unwrap(),
        source: tree().display().to_string(),
        commit,
        tree: id,
        python: ">=3.10, <3.13".to_owned(),
        ansible_core: CORE.to_owned(),
        ansible: "9.13.0".to_owned(),
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) fn quiet() -> Context {
    Context::quiet(Arc::new(SystemClock::new()))
}

/// A client over a state directory.
pub(crate) fn client(state: &Path) -> LocalAnsible {
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(state));
    let nodes = SshNodes::new(SshConfig::new(state), Arc::clone(&secrets));
    LocalAnsible::new(state, state, PackageSource::default(), Arc::new(nodes), secrets)
}

/// Environments made by the client, outside the clone, once for all runs of these tests.
fn environments() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
        let state = cache.join("plinth-kubespray");
        let client = client(&state);
        runtime().block_on(async {
            for tag in ["v2.27.1", "v2.28.1"] {
                client.fetch_source(&quiet(), &release(tag)).await.unwrap();
                client.make_environment(&quiet(), &release(tag)).await.unwrap();
                let seen = client.environment(&quiet(), &release(tag)).await.unwrap();
                assert!(matches!(&seen, Some(core) if core.starts_with("2.16.")), "{seen:?}");
            }
        });
        state.join("kubespray/venv")
    })
}

/// A site of these nodes: the first is the control plane, the others are workers.
pub(crate) fn text(nodes: &[&str], version: &str) -> String {
    let (commit, id) = pin();
    let kubespray = format!(
        "kubespray: {{version: v2.27.1, source: {}, pin: {{commit: \"{commit}\", tree: \"{id}\"}}}}",
        tree().display()
    );
    site(&nodes[..1], &nodes[1..])
        .replace("kubespray: {source: not-for-these-tests}", &kubespray)
        .replace("version: v1.31.9", &format!("version: {version}"))
}

/// Boots a lab whose site is made of its first nodes.
pub(crate) fn up(name: &str, nodes: usize, members: &[&str]) -> Bench {
    let venv = environments();
    let bench = Bench::up(&LabSpec::unique(name).usual(nodes), &text(members, "v1.30.13"));
    let folder = bench.state().join("kubespray");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
    symlink(venv, folder.join("venv")).unwrap();
    bench
}

/// The end of the deploy step: outcome and the whole event.
#[track_caller]
pub(crate) fn deployed(events: &[Value]) -> &Value {
    let ends = |event: &&Value| event["event"] == "step.finished" && event["step"] == DEPLOY;
    let last: Vec<&Value> = events.iter().rev().take(3).collect();
    events.iter().find(ends).unwrap_or_else(|| panic!("no play ended: {last:#?}"))
}

/// Applies, and demands that the play ended so.
#[track_caller]
pub(crate) fn applied(bench: &Bench, outcome: &str) -> Vec<Value> {
    let (events, _) = bench.apply();
    let end = deployed(&events);
    assert_eq!(end["outcome"], outcome, "{end:#}");
    events
}

/// The raw logs of plays so far, by name.
pub(crate) fn logs(bench: &Bench) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(bench.state().join("kubespray/logs")) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What plays left, by the record.
pub(crate) fn record(bench: &Bench) -> KubesprayRecord {
    match FileRecords::of(&bench.state()).read().unwrap() {
        Some(EngineRecord::Kubespray(record)) => *record,
        other => panic!("{other:?}"),
    }
}

/// What the last successful play was made from.
pub(crate) fn last(bench: &Bench) -> RunInputs {
    record(bench).last.expect("a play succeeded")
}

/// The nodes as the account reaches them.
pub(crate) fn targets(bench: &Bench, names: &[&str]) -> Vec<NodeTarget> {
    let target = |name: &&str| NodeTarget {
        node: NodeName::new(name).unwrap(),
        address: bench.lab.node(name).unwrap().address(),
        port: 22,
        user: crate::seen::ACCOUNT.to_owned(),
        credential: Credential::Key(SecretRef::Generated("ssh-key".to_owned())),
        legacy_keys: false,
        jump: None,
    };
    names.iter().map(target).collect()
}

/// Processes of this bench's plays: pid and command line.
pub(crate) fn processes(bench: &Bench) -> Vec<(u32, String)> {
    let ours = bench.folder.path().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&ours) && line.contains("ansible-playbook") {
            found.push((pid, line));
        }
    }
    found
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn until(what: &str, most: Duration, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < most, "{what}: not within {} s", most.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Nothing of a play is left: no process, no folder of the run.
#[track_caller]
pub(crate) fn nothing_left(bench: &Bench) {
    until("no process of the play is left", Duration::from_secs(45), || processes(bench).is_empty());
    let note = std::fs::read_to_string(bench.state().join("kubespray/run-folder")).unwrap();
    until("the folder of the run is gone", Duration::from_secs(90), || !Path::new(note.trim()).exists());
}
