//! Recorded runs of three sizes, made once, and what tests of pages ask of all of them.

use plinth_lab::browser::{Browser, Served, Tab};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const SITE: &str = include_str!("../../../../examples/basepod.yaml");

/// Sizes of sites.
pub(crate) const SIZES: [usize; 3] = [5, 200, 1000];

/// The release that fails in the smallest and the largest site, and the nodes that fail in the one between.
pub(crate) const FAILED_RELEASE: &str = "platform/release/gpu-operator";
pub(crate) const FAILED_NODES: [&str; 2] = ["rehearsal-00011", "rehearsal-00012"];

/// The folder with the state directories of all sizes, made anew for each run of the tests.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page-runs");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// The example site, which bears that nodes fail.
fn site() -> PathBuf {
    let file = folder().join("site.yaml");
    if !file.exists() {
        std::fs::write(&file, format!("{SITE}run: {{nodeFailures: 20}}\n")).unwrap();
    }
    file
}

/// plinth with nothing of this machine's environment.
pub(crate) fn plinth(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    command.current_dir(folder()).env_clear().env("HOME", folder());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(arguments).arg("-f").arg(site()).stdin(Stdio::null());
    command
}

/// Runs it to its end; what it printed on standard output.
#[track_caller]
pub(crate) fn told(exit: i32, arguments: &[&str]) -> String {
    let output = plinth(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The state directory with a run of so many nodes; one thing failed in it. The smallest has a second run, which was good.
pub(crate) fn recorded(nodes: usize) -> &'static Path {
    static STATES: [OnceLock<PathBuf>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
    let place = SIZES.iter().position(|size| *size == nodes).unwrap();
    STATES[place].get_or_init(|| {
        let state = folder().join(format!("state-{nodes}"));
        record(nodes, &state);
        state
    })
}

fn record(nodes: usize, state: &Path) {
    let (state, nodes_text) = (state.to_str().unwrap(), nodes.to_string());
    let base = ["rehearse", "--state", state, "--nodes", &nodes_text];
    if nodes == 200 {
        let faults = FAILED_NODES.map(|node| format!("node:{node}:unreachable@downloads"));
        let faults: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault.as_str()]).collect();
        told(4, &[&base[..], &faults].concat());
        return;
    }
    told(4, &[&base[..], &["--fault", "release:gpu-operator:fails"]].concat());
    if nodes == 5 {
        told(0, &base);
    }
}

/// A browser; a failure says how to get one.
pub(crate) fn browser() -> Browser {
    Browser::start().unwrap()
}

/// Nothing is wrong with the page that is open.
#[track_caller]
pub(crate) fn sound(tab: &Tab<'_>, origin: &str, page: &str) {
    assert_eq!(unsound(tab, origin, page), Vec::<String>::new());
}

/// What is wrong with the page that is open: whether it asked somebody else, broke one of its rules, complained, keeps somebody out who cannot
/// see, or is wider than its window.
pub(crate) fn unsound(tab: &Tab<'_>, origin: &str, page: &str) -> Vec<String> {
    let mut wrong = tab.seen().unwrap().troubles(origin);
    wrong.extend(tab.violations().unwrap());
    let wide = tab.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth").unwrap();
    wrong.extend((wide != 0).then(|| format!("{wide} pixels wider than its window")));
    wrong.into_iter().map(|one| format!("{page}: {one}")).collect()
}

/// The page of what a state directory holds. Port 0: any that is free.
#[track_caller]
pub(crate) fn served(state: &Path, port: u16) -> Served {
    let listen = format!("127.0.0.1:{port}");
    // The same token after a restart.
    let token = state.with_extension("token");
    let command = plinth(&[
        "serve",
        "--listen",
        &listen,
        "--token-file",
        token.to_str().unwrap(),
        "--state",
        state.to_str().unwrap(),
    ]);
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let log = folder().join(format!("serve-{}.log", NUMBER.fetch_add(1, Ordering::Relaxed)));
    Served::start(&command, &log).unwrap()
}

/// Id of the newest run that ended so.
#[track_caller]
pub(crate) fn last_run(state: &Path, word: &str) -> String {
    let told = told(0, &["runs", "--json", "--state", state.to_str().unwrap()]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let runs = told["runs"].as_array().unwrap();
    let run = runs.iter().rev().find(|run| run["state"] == word).unwrap();
    run["run"].as_str().unwrap().to_owned()
}

/// A state directory of its own that is not there yet, in a folder that goes away.
pub(crate) fn site_state() -> (TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    (scratch, state)
}

/// A copy of the smallest site's state, whose journal may be changed.
pub(crate) fn copied() -> (TempDir, PathBuf) {
    let (scratch, state) = site_state();
    let ended = Command::new("cp").arg("-a").arg(recorded(5)).arg(&state).status().unwrap();
    assert!(ended.success());
    (scratch, state)
}
