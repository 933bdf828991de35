//! Rehearsals that are killed or refused at exact system calls, and disks that are full or become read-only. What is left behind is
//! continued by the next run, which ends as if nothing had happened.
//!
//! They need root (file systems are mounted) and `strace`, so they belong to the tier `nodes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn basepod() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basepod.yaml").canonicalize().unwrap()
}

/// `plinth VERB -f basepod --state DIR …`, through other programs if wanted.
fn run(before: &[String], verb: &str, state: &Path, more: &[&str]) -> Output {
    let plinth = cargo_bin("plinth");
    let mut words: Vec<String> = before.to_vec();
    words.extend([plinth.display().to_string(), verb.to_owned(), "-f".to_owned(), basepod().display().to_string()]);
    words.extend(["--state".to_owned(), state.display().to_string()]);
    words.extend(more.iter().map(|word| (*word).to_owned()));
    let (program, arguments) = words.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    command.output().unwrap_or_else(|error| panic!("{program} is needed: {error}"))
}

fn rehearse(before: &[String], state: &Path) -> Output {
    run(before, "rehearse", state, &["--pace", "fast"])
}

/// strace that spoils one kind of system call.
fn spoiled(call: &str, how: &str) -> Vec<String> {
    ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}")]
        .map(str::to_owned)
        .to_vec()
}

fn said(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// How often what must happen only once did happen: registrations, and moved storage.
fn once(state: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(state.join("world.ndjson")).unwrap();
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let effect = value["effect"].as_str().unwrap_or_default().to_owned();
        if matches!(effect.as_str(), "cluster-registered" | "storage-relocated") {
            *found.entry(effect).or_default() += 1;
        }
    }
    found
}

/// Goes on after whatever happened: the next run finishes, the one behind it has nothing to do.
fn goes_on(state: &Path, what: &str) {
    let next = rehearse(&[], state);
    assert_eq!(next.status.code(), Some(0), "{what}: {}", said(&next));
    let idle = rehearse(&[], state);
    assert!(idle.status.success() && said(&idle).contains("nothing to do"), "{what}: {}", said(&idle));
    let status = run(&[], "status", state, &["--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert!(status["lock"].is_null() && status["run"]["state"] == "done", "{what}: {status:#}");
    let wanted = BTreeMap::from([("cluster-registered".to_owned(), 1), ("storage-relocated".to_owned(), 2)]);
    assert_eq!(once(state), wanted, "{what}");
}

/// At which calls of a kind something happens: close together at the start, where keys and the journal are made, and spread later.
const AT: [usize; 9] = [1, 2, 3, 5, 9, 17, 40, 90, 200];

#[test]
#[ignore = "needs strace, which may trace: tier nodes"]
fn killed_at_exact_system_calls() {
    let mut killed = 0;
    for call in ["pwrite64", "write", "rename", "fsync", "unlink", "mkdir", "ftruncate", "openat", "getrandom"] {
        for at in AT {
            let folder = TempDir::new().unwrap();
            let state = folder.path().join("state");
            let ended = rehearse(&spoiled(call, &format!("signal=KILL:when={at}")), &state);
            let what = format!("killed at {call} {at}");
            if ended.status.success() {
                continue;
            }
            killed += 1;
            goes_on(&state, &what);
        }
    }
    assert!(killed > 40, "only {killed} runs were killed");
}

#[test]
#[ignore = "needs strace, which may trace: tier nodes"]
fn refused_by_the_disk_once_and_for_ever() {
    let mut refused = 0;
    let spoils =
        [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("rename", "ENOSPC"), ("rename", "EIO"), ("fsync", "EIO")];
    let more =
        [("fsync", "ENOSPC"), ("mkdir", "ENOSPC"), ("openat", "EROFS"), ("openat", "EACCES"), ("openat", "EMFILE")];
    for (call, error) in spoils.into_iter().chain(more) {
        for (at, on) in AT.into_iter().flat_map(|at| [(at, ""), (at, "+")]) {
            let folder = TempDir::new().unwrap();
            let state = folder.path().join("state");
            let ended = rehearse(&spoiled(call, &format!("error={error}:when={at}{on}")), &state);
            let what = format!("{error} in {call} {at}{on}");
            let code = ended.status.code();
            // Without its libraries the program does not start at all: 127 is the loader's.
            assert!(
                matches!(code, Some(0 | 1 | 3 | 4 | 6 | 127)),
                "{what}: a panic or a signal is no answer to it: {}",
                said(&ended)
            );
            if code != Some(0) {
                refused += 1;
                goes_on(&state, &what);
            }
        }
    }
    assert!(refused > 60, "only {refused} runs were refused");
}

/// A file system in memory of so many bytes, unmounted when it is dropped.
struct Small(TempDir);

impl Small {
    fn mount(size: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let small = Self(folder);
        small.with(&["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "tmpfs"]);
        small
    }

    fn with(&self, arguments: &[&str]) {
        let done = Command::new("mount").args(arguments).arg(self.0.path()).status().unwrap();
        assert!(done.success(), "mount {arguments:?}: root is needed");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0.path()).status();
    }
}

#[test]
#[ignore = "mounts file systems: tier nodes"]
fn a_disk_that_is_full_and_then_larger() {
    let mut full = 0;
    for size in ["64k", "128k", "256k", "400k", "512k", "768k", "1M", "2M"] {
        let small = Small::mount(size);
        let state = small.0.path().join("state");
        let ended = rehearse(&[], &state);
        let code = ended.status.code();
        assert!(matches!(code, Some(0 | 1 | 4)), "{size}: {}", said(&ended));
        if code != Some(0) {
            full += 1;
            assert!(said(&ended).contains("make room") || said(&ended).contains("space"), "{size}: {}", said(&ended));
        }
        small.with(&["-o", "remount,size=64M"]);
        goes_on(&state, size);
    }
    assert!(full > 2, "{full}");
}

#[test]
#[ignore = "mounts file systems: tier nodes"]
fn a_disk_that_becomes_read_only() {
    let small = Small::mount("64M");
    let state = small.0.path().join("state");
    let mut running = Command::new(cargo_bin("plinth"))
        .args(["rehearse", "--pace", "watch", "-f"])
        .arg(basepod())
        .arg("--state")
        .arg(&state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    // Open files forbid it to be asked nicely.
    let done = Command::new("mount").args(["-o", "remount,ro,force"]).arg(small.0.path()).status().unwrap();
    if done.success() {
        let ended = running.wait_with_output().unwrap();
        assert!(matches!(ended.status.code(), Some(1 | 4)), "{}", said(&ended));
        small.with(&["-o", "remount,rw"]);
    } else {
        running.kill().unwrap();
        running.wait().unwrap();
    }
    goes_on(&state, "read-only");
}

#[test]
#[ignore = "kills a run of 60 nodes twenty times: tier nodes"]
fn killed_at_random_with_many_nodes() {
    let folder = TempDir::new().unwrap();
    let began = std::time::Instant::now();
    let many = |state: &Path| run(&[], "rehearse", state, &["--pace", "fast", "--nodes", "60"]);
    assert!(many(&folder.path().join("whole")).status.success());
    let took = began.elapsed();
    for round in 0_u32..20 {
        let state = folder.path().join(format!("state-{}", round / 4));
        let mut running = Command::new(cargo_bin("plinth"))
            .args(["rehearse", "--pace", "fast", "--nodes", "60", "-f"])
            .arg(basepod())
            .arg("--state")
            .arg(&state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took * ((round * 37 + 11) % 100) / 100);
        running.kill().unwrap();
        running.wait().unwrap();
        if round % 4 == 3 {
            let next = many(&state);
            assert!(next.status.success(), "{round}: {}", said(&next));
            let idle = many(&state);
            assert!(said(&idle).contains("nothing to do"), "{round}: {}", said(&idle));
            assert_eq!(once(&state), once(&folder.path().join("whole")), "{round}");
        }
    }
}
