//! A lab with a site file, and plinth run in its network.

use plinth_lab::{Lab, LabSpec};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

/// A lab, and a folder with site file and state.
pub(crate) struct Bench {
    pub(crate) lab: Lab,
    pub(crate) folder: TempDir,
}

impl Bench {
    /// Boots a lab; the site file is made from this text, in which `NODES` stands for the static inventory and `PASSWORD` for
    /// the reference to the password.
    pub(crate) fn up(spec: &LabSpec, site: &str) -> Self {
        let lab = Lab::up(spec).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), lab.password()).unwrap();
        let bench = Self { lab, folder };
        bench.site(site);
        bench
    }

    /// Writes the site file anew.
    pub(crate) fn site(&self, text: &str) {
        let line =
            |node: &plinth_lab::Node<'_>| format!("    - {{name: {}, address: {}}}\n", node.name(), node.address());
        let nodes: String = self.lab.nodes().map(|node| line(&node)).collect();
        let text = text.replace("NODES\n", &nodes).replace(": PASSWORD", ": {file: password}");
        std::fs::write(self.folder.path().join("site.yaml"), text).unwrap();
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A plinth command in the lab's network.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        self.command_at("state", arguments)
    }

    /// A plinth command with another state folder.
    fn command_at(&self, state: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = self.lab.command(env!("CARGO_BIN_EXE_plinth"));
        command.args(arguments).args(["-f", "site.yaml", "--state", state]).current_dir(self.folder.path());
        // A lab has no way to any source; what these tests are about comes before anything is fetched.
        let asks = matches!(arguments.first(), Some(&("apply" | "preflight"))) || arguments.contains(&"--preflight");
        command.args(asks.then_some("--skip-source-check"));
        command.env("HOME", self.folder.path()).env_remove("SSH_AUTH_SOCK");
        command
    }

    /// Runs plinth to its end.
    pub(crate) fn plinth(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs plinth to its end, with another state folder.
    pub(crate) fn plinth_at(&self, state: &str, arguments: &[&str]) -> Output {
        self.command_at(state, arguments).output().unwrap()
    }

    /// The events of an `apply`, and its exit code.
    pub(crate) fn apply(&self) -> (Vec<Value>, i32) {
        let output = self.plinth(&["apply", "--yes", "--events", "events.ndjson"]);
        let events = self.events();
        assert!(!events.is_empty(), "{}", said(&output));
        (events, output.status.code().unwrap_or(-1))
    }

    /// The events of the `apply` before.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("events.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// How a step ended; `not planned` when the run does not know it.
pub(crate) fn outcome(events: &[Value], step: &str) -> String {
    let ended = events.iter().filter(|event| event["event"] == "step.finished").find(|event| event["step"] == step);
    ended.map_or_else(|| "not planned".to_owned(), |event| event["outcome"].as_str().unwrap().to_owned())
}

/// Everything a program printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
