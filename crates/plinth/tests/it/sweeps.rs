//! Killed at random moments, again and again, by a signal that nobody can catch: the run goes on each time, and the world ends as if
//! nothing had happened. `kill.rs` does the same at every record of the journal.

use crate::kill::{World, in_time, rehearse};
use crate::support::{basepod, plinth, text};
use assert_cmd::cargo::cargo_bin;
use plinth_run::Journal;
use plinth_world::files::is_neighbour;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Kills of one test; a sweep by hand may ask for more with the variable.
fn kills() -> usize {
    std::env::var("PLINTH_SWEEP").ok().and_then(|number| number.parse().ok()).unwrap_or(8)
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    /// From 0 to below 1000.
    fn thousandth(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % 1000).unwrap()
    }
}

fn command(state: &Path) -> Command {
    let mut command = Command::new(cargo_bin("plinth"));
    command.args(["rehearse", "-f", &basepod(), "--state", text(state), "--pace", "fast"]).env_clear();
    command.env("HOME", state.parent().unwrap()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Hidden copies that a killed process left.
fn copies(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(copies(&entry.path()));
        }
        let name = entry.file_name().into_string().unwrap();
        if is_neighbour(&name) {
            found.push(name);
        }
    }
    found
}

/// How long a run takes when nobody kills it, and the world then.
fn whole() -> (Duration, World) {
    let folder = TempDir::new().unwrap();
    let (state, began) = (folder.path().join("state"), Instant::now());
    assert!(command(&state).status().unwrap().success());
    let took = began.elapsed();
    let (done, world) = in_time(rehearse(&state, None));
    assert!(done);
    (took, world)
}

#[test]
fn killed_at_random_moments() {
    let ((took, wanted), mut chance) = (whole(), Chance(11));
    let (mut killed, mut folder) = (0, TempDir::new().unwrap());
    while killed < kills() {
        let state = folder.path().join("state");
        let mut run = command(&state).spawn().unwrap();
        std::thread::sleep(took * chance.thousandth() / 1000);
        run.kill().unwrap();
        if run.wait().unwrap().code().is_none() {
            killed += 1;
        }
        if chance.thousandth() < 300 || killed == kills() {
            plinth(folder.path(), &["rehearse", "-f", &basepod(), "--state", text(&state), "--pace", "fast"]).exits(0);
            let (done, world) = in_time(rehearse(&state, None));
            assert!(done);
            assert_eq!(world, wanted, "another world after {killed} kills");
            Journal::open(&state).unwrap().verify().unwrap();
            assert_eq!(copies(&state), [""; 0], "hidden copies of files stay");
            let status = plinth(folder.path(), &["status", "--json", "-f", &basepod(), "--state", text(&state)]);
            let status = status.exits(0).json();
            assert!(status["lock"].is_null() && status["run"]["state"] == "done", "{status:#}");
            folder = TempDir::new().unwrap();
        }
    }
}
