//! Who reads, and who does not: terminals, pipes and signals never hold up a run, and never leave a lock behind.

use crate::support::{basepod, example, plinth, plinth_with, text};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A terminal: the side of whoever looks, and that of the program.
pub(crate) fn terminal() -> (OwnedFd, File) {
    let look = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&look).unwrap();
    unlockpt(&look).unwrap();
    let name = ptsname(&look, Vec::new()).unwrap().into_string().unwrap();
    (look, OpenOptions::new().read(true).write(true).open(name).unwrap())
}

/// Runs plinth until the test ends it.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(folder: &Path, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        // As a shell starts it, whatever the tests themselves run under: `nohup`, a runner that ignores Ctrl-Z.
        let mut command = Command::new("env");
        command.args(["--default-signal", env!("CARGO_BIN_EXE_plinth")]);
        command.current_dir(folder).args(arguments).env("HOME", folder).env("TERM", "xterm");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        change(&mut command);
        Self(command.spawn().unwrap())
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Its exit code; it must end soon.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status(folder: &Path, site: &str, state: &Path) -> Value {
    plinth(folder, &["status", "--json", "-f", site, "--state", text(state)]).exits(0).json()
}

/// Waits until the status is as wanted.
pub(crate) fn wait_for(folder: &Path, site: &str, state: &Path, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = if state.exists() { status(folder, site, state) } else { Value::Null };
        if wanted(&seen) {
            return seen;
        }
        assert!(Instant::now() < until, "{seen}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_terminal_that_nobody_reads_holds_up_neither_the_run_nor_its_lock_nor_signals() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    let (_look, screen) = terminal();
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--pace", "watch", "--nodes", "30"];
    let mut run = Running::start(folder.path(), &arguments, |command| {
        command.stderr(screen);
    });
    wait_for(folder.path(), &site, &state, |seen| seen["steps"]["done"].as_u64() > Some(1));
    let limits = fs::read_to_string(format!("/proc/{}/limits", run.0.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "no core dumps: {core}");
    let done = wait_for(folder.path(), &site, &state, |seen| seen["run"]["state"] == "done" && seen["lock"].is_null());
    assert_eq!(done["steps"]["waiting"], 0, "{done}");
    run.signal("-TERM");
    assert_eq!(run.ends(), Some(0), "the run was over: how it ended is how the process ends");
}

#[test]
fn whoever_watches_the_status_and_goes_away_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--pace", "watch", "--nodes", "60"];
    let mut run = Running::start(folder.path(), &arguments, |_| ());
    wait_for(folder.path(), &site, &state, |seen| seen["run"]["state"] == "running");
    let arguments = ["status", "--watch", "-f", &site, "--state", text(&state)];
    let mut watch = Running::start(folder.path(), &arguments, |command| {
        command.stdout(Stdio::piped());
    });
    let mut reader = watch.0.stdout.take().unwrap();
    reader.read_exact(&mut [0; 10]).unwrap();
    drop(reader);
    assert_eq!(watch.ends(), Some(0));
    assert_eq!(run.0.try_wait().unwrap(), None, "the run is still on, or the test shows nothing");
    run.signal("-TERM");
    run.ends();
}

#[test]
fn a_run_whose_terminal_is_not_read_stops_when_it_is_told() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    let (_look, screen) = terminal();
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--pace", "watch", "--nodes", "60"];
    let mut run = Running::start(folder.path(), &arguments, |command| {
        command.stderr(screen);
    });
    wait_for(folder.path(), &site, &state, |seen| seen["steps"]["done"].as_u64() > Some(60));
    run.signal("-TERM");
    assert_eq!(run.ends(), Some(4));
    assert_eq!(status(folder.path(), &site, &state)["run"]["state"], "stopped");
}

#[test]
fn events_go_into_what_somebody_reads_and_an_unread_fifo_holds_up_nothing() {
    let folder = TempDir::new().unwrap();
    let (site, fifo) = (basepod(), folder.path().join("fifo"));
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read_to_string(fifo).unwrap()
    });
    plinth(folder.path(), &["rehearse", "-f", &site, "--events", text(&fifo)]).exits(0);
    let events = reader.join().unwrap();
    assert!(events.lines().last().unwrap().contains("\"run.finished\""), "{events}");

    let state = folder.path().join("state");
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--events", text(&fifo)];
    let log = folder.path().join("said");
    let said = File::create(&log).unwrap();
    let mut run = Running::start(folder.path(), &arguments, |command| {
        command.stderr(said);
    });
    wait_for(folder.path(), &site, &state, |seen| seen["run"]["state"] == "done" && seen["lock"].is_null());
    let whom = format!("waiting for whoever reads the events in {}", fifo.display());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !fs::read_to_string(&log).unwrap().contains(&whom) {
        assert!(std::time::Instant::now() < until, "{}", fs::read_to_string(&log).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    run.signal("-INT");
    assert_eq!(run.ends(), Some(0));
}

#[test]
fn events_that_are_lost_are_told_and_the_run_ends_as_it_ended() {
    let folder = TempDir::new().unwrap();
    plinth(folder.path(), &["rehearse", "-f", &basepod(), "--events", "/dev/full"])
        .exits(0)
        .says("/dev/full")
        .says("missing there");
}

/// A BCM that accepts and is silent.
fn silent_bcm(folder: &Path) -> (TcpListener, PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let mut site = fs::read_to_string(basepod()).unwrap().replace("https://bcm-head-01:8081", &endpoint);
    site = site.replace("{caFile: bcm-ca.pem}", "{insecure: true}");
    let file = folder.join("site.yaml");
    fs::write(&file, site).unwrap();
    (listener, file)
}

#[test]
fn a_signal_before_the_plan_runs_gives_the_lock_back_and_says_so() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let folder = TempDir::new().unwrap();
        let (listener, site) = silent_bcm(folder.path());
        let (state, log) = (folder.path().join("state"), folder.path().join("said"));
        let said = File::create(&log).unwrap();
        let arguments = ["apply", "--yes", "--state", text(&state)];
        let mut run = Running::start(folder.path(), &arguments, |command| {
            let names =
                ["BCM_USERNAME", "BCM_PASSWORD", "BOOTSTRAP_PASSWORD", "RUNAI_REGISTRY_TOKEN", "RUNAI_ADMIN_PASSWORD"];
            command.envs(names.map(|name| (name, "Pa55word-of-nobody"))).stderr(said);
        });
        let _connection = listener.accept().unwrap();
        assert_eq!(status(folder.path(), text(&site), &state)["lock"]["alive"], true);
        run.signal(signal);
        assert_eq!(run.ends(), Some(4), "{signal}: {}", fs::read_to_string(&log).unwrap());
        let said = fs::read_to_string(&log).unwrap();
        assert!(said.contains("stopped it; no step was running"), "{said}");
        assert!(status(folder.path(), text(&site), &state)["lock"].is_null());
    }
}

#[test]
fn a_hang_up_is_ignored_where_nohup_says_so() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    let plinth = env!("CARGO_BIN_EXE_plinth");
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &format!("trap '' HUP; exec {plinth} \"$@\""),
        "sh",
        "rehearse",
        "-f",
        &site,
        "--pace",
        "watch",
    ]);
    command.args(["--state", text(&state)]).current_dir(folder.path());
    let mut run = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for(folder.path(), &site, &state, |seen| seen["steps"]["done"].as_u64() > Some(1));
    run.signal("-HUP");
    assert_eq!(run.ends(), Some(0));
}

#[test]
fn a_state_directory_that_others_can_write_is_refused() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    for verb in ["rehearse", "status", "unlock"] {
        plinth(folder.path(), &[verb, "-f", &site, "--state", text(&state)]).exits(1).says("others may write into it");
    }
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0, "nothing was written");
}

#[test]
fn rehearsals_and_real_runs_never_share_a_directory() {
    let folder = TempDir::new().unwrap();
    let (real, made_up) = (folder.path().join("real"), folder.path().join("made-up"));
    let site = example("static.yaml");
    let run = |verb: &str, state: &Path| plinth(folder.path(), &[verb, "-f", text(&site), "--state", text(state)]);
    fs::create_dir(&real).unwrap();
    fs::write(real.join("facts.json"), "{}").unwrap();
    run("rehearse", &real).exits(1).says("belongs to a real site");
    assert_eq!(fs::read_dir(&real).unwrap().count(), 1);
    run("rehearse", &made_up).exits(0);
    run("plan", &made_up).exits(1).says("belongs to a rehearsal");
    fs::remove_file(made_up.join("rehearsal")).unwrap();
    run("plan", &made_up).exits(1).says("its journal is that of a rehearsal");
    run("rehearse", &made_up).exits(1).says("belongs to a real site");
}

#[test]
fn what_plinth_did_not_write_is_never_replaced() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().join("site.yaml");
    fs::copy(example("static.yaml"), &site).unwrap();
    let package = folder.path().join("package.json");
    fs::write(&package, "{\"name\": \"mine\", \"schema\": 1}").unwrap();
    for arguments in [
        ["discover", "--save", "site.yaml"],
        ["plan", "--out", "package.json"],
        ["rehearse", "--events", "package.json"],
    ] {
        plinth(folder.path(), &arguments).exits(1).says("was left alone");
    }
    assert_eq!(fs::read(&site).unwrap(), fs::read(example("static.yaml")).unwrap());
    assert_eq!(fs::read_to_string(&package).unwrap(), "{\"name\": \"mine\", \"schema\": 1}");
    for _ in 0..2 {
        plinth(folder.path(), &["discover", "--save", "inventory.json"]).exits(0);
        plinth(folder.path(), &["plan", "--out", "plan.json"]).exits(0);
        plinth(folder.path(), &["rehearse", "--events", "events.ndjson"]).exits(0);
    }
    plinth(folder.path(), &["plan", "--out", "events.ndjson"]).exits(1);
}

#[test]
fn a_lock_is_unlocked_when_nobody_renews_it() {
    let folder = TempDir::new().unwrap();
    let (state, site) = (folder.path().join("state"), basepod());
    let unlock = || plinth_with(folder.path(), &[], &["unlock", "-f", &site, "--state", text(&state), "--yes"]);
    plinth(folder.path(), &["rehearse", "-f", &site, "--state", text(&state)]).exits(0);
    unlock().exits(0).says("nobody holds the lock");
    let arguments = ["rehearse", "-f", &site, "--state", text(&state), "--pace", "watch"];
    let crashing = ["--fault", "crash@record:20"];
    fs::remove_dir_all(&state).unwrap();
    let mut run = Running::start(folder.path(), &[&arguments[..], &crashing].concat(), |_| {});
    assert_eq!(run.ends(), None, "it was ended by its fault");
    unlock().exits(0).says("is free");
    assert!(status(folder.path(), &site, &state)["lock"].is_null());
}

/// Emacs' shell, and some terminals of build systems: a terminal that does not say what it can. Nothing is drawn in place there, and
/// nothing may be silent.
#[test]
fn a_terminal_that_says_nothing_of_itself_gets_lines() {
    for term in [None, Some("dumb")] {
        let folder = TempDir::new().unwrap();
        let (look, side) = terminal();
        let mut run = Running::start(folder.path(), &["rehearse", "-f", &basepod(), "--pace", "fast"], |command| {
            command.stderr(side.try_clone().unwrap());
            match term {
                None => command.env_remove("TERM"),
                Some(term) => command.env("TERM", term),
            };
        });
        drop(side);
        let reader = std::thread::spawn(move || {
            let (mut file, mut all, mut piece) = (File::from(look), Vec::new(), [0; 65536]);
            // The kernel says that it is an error to read from a terminal whose other side is closed.
            while let Ok(read) = std::io::Read::read(&mut file, &mut piece) {
                if read == 0 {
                    break;
                }
                all.extend_from_slice(&piece[..read]);
            }
            String::from_utf8_lossy(&all).into_owned()
        });
        assert_eq!(run.ends(), Some(0));
        let said = reader.join().unwrap();
        assert!(said.contains("nodes/account") && said.contains("done"), "{term:?}: {said}");
        assert!(!said.contains("\u{1b}[") || term.is_none(), "{term:?} gets no sequences");
    }
}
