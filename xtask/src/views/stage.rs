//! Runs of three sizes, recorded by the simulator, with their page served: what pictures and measurements are made of.

use crate::commands::{Failure, root};
use crate::scratch::Scratch;
use plinth_lab::browser::Served;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Sizes of sites.
pub(super) const SIZES: [usize; 3] = [5, 200, 1000];

/// A version of the GPU operator that the example site names, and one that comes after it.
const VERSIONS: [&str; 2] = ["v25.3.3", "v25.10.1"];

/// Seconds within which a verb is over, on a busy machine too; and until one that does not end by itself is killed.
const OVER: u64 = 120;
const KILLED: &str = "--kill-after=5";

/// A folder with the example site, which bears that nodes fail, and the program.
pub(super) struct Stage {
    scratch: Scratch,
    plinth: PathBuf,
    /// No verb is begun after it.
    until: Instant,
}

impl Stage {
    /// For so long.
    pub(super) fn new(plinth: PathBuf, open: Duration) -> Result<Self, Failure> {
        let scratch = Scratch::new("views")?;
        let example = root().join("examples/basepod.yaml");
        let site =
            std::fs::read_to_string(&example).map_err(|error| format!("reading {}: {error}", example.display()))?;
        std::fs::write(scratch.path().join("site.yaml"), format!("{site}run: {{nodeFailures: 20}}\n"))
            .map_err(|error| format!("writing a site file: {error}"))?;
        Ok(Self { scratch, plinth, until: Instant::now() + open })
    }

    pub(super) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// plinth for this site with a state directory, and nothing of this machine's environment.
    pub(super) fn command(&self, state: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.plinth);
        command.current_dir(self.folder()).env_clear().env("HOME", self.folder());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(arguments).arg("-f").arg(self.folder().join("site.yaml")).arg("--state").arg(state);
        command
    }

    /// Runs it to its end, which comes in time; standard output.
    pub(super) fn told(&self, state: &Path, exit: i32, arguments: &[&str]) -> Result<String, Failure> {
        let left = self.until.saturating_duration_since(Instant::now()).as_secs().min(OVER);
        if left == 0 {
            return Err(format!(
                "this takes longer than it may: the machine is busy, or {} hangs",
                self.plinth.display()
            ));
        }
        let mut command = within(&["timeout", KILLED, &left.to_string()], &self.command(state, arguments));
        let output = crate::commands::output(&mut command)?;
        if output.status.code() == Some(exit) {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{command:?} ended with {} instead of {exit}: {said}", output.status))
    }

    /// A state directory with a run in which something failed: with 5 nodes one of them, after a run that was good; with 200 two of
    /// them; with more a release.
    pub(super) fn recorded(&self, nodes: usize) -> Result<PathBuf, Failure> {
        let state = self.folder().join(format!("state-{nodes}"));
        let count = nodes.to_string();
        let base = ["rehearse", "--nodes", &count];
        let fault = ["--fault", "release:gpu-operator:fails"];
        let nodes_fail = [
            "--fault",
            "node:rehearsal-00011:unreachable@downloads",
            "--fault",
            "node:rehearsal-00012:unreachable@downloads",
        ];
        match nodes {
            5 => {
                self.told(&state, 0, &base)?;
                self.told(&state, 4, &[&base[..], &["--fault", "node:dgx-05:unreachable@downloads"]].concat())
            }
            200 => self.told(&state, 4, &[&base[..], &nodes_fail].concat()),
            _ => self.told(&state, 4, &[&base[..], &fault].concat()),
        }?;
        Ok(state)
    }

    /// A state directory with a good run and one after it that failed, with another version of the GPU operator.
    pub(super) fn changed(&self, nodes: usize) -> Result<PathBuf, Failure> {
        let (state, count) = (self.folder().join(format!("changed-{nodes}")), nodes.to_string());
        let (file, doing) = (self.folder().join("site.yaml"), "another version in a site file");
        let site = std::fs::read_to_string(&file).map_err(|error| format!("{doing}: {error}"))?;
        let other = site.replace(VERSIONS[0], VERSIONS[1]);
        if other == site {
            return Err(format!("{doing}: it does not name {}", VERSIONS[0]));
        }
        let base = ["rehearse", "--nodes", &count];
        self.told(&state, 0, &base)?;
        let write = |text: &str| std::fs::write(&file, text).map_err(|error| format!("{doing}: {error}"));
        write(&other)?;
        self.told(&state, 4, &[&base[..], &["--fault", "release:gpu-operator:fails"]].concat())?;
        write(&site)?;
        Ok(state)
    }

    /// The page of a state directory.
    pub(super) fn serve(&self, state: &Path) -> Result<Served, Failure> {
        let command = self.command(state, &["serve", "--listen", "127.0.0.1:0"]);
        let name = state.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Served::start(&command, &self.folder().join(format!("{name}.log"))).map_err(|error| error.to_string())
    }

    /// Id of the newest run of a state directory.
    pub(super) fn last_run(&self, state: &Path) -> Result<String, Failure> {
        let told = self.told(state, 0, &["runs", "--json"])?;
        let told: serde_json::Value = serde_json::from_str(&told).map_err(|error| format!("plinth runs: {error}"))?;
        let run = told["runs"].as_array().and_then(|runs| runs.last()).and_then(|run| run["run"].as_str());
        run.map(str::to_owned).ok_or_else(|| "plinth runs names no run".to_owned())
    }
}

/// A command as another program starts it.
pub(super) fn within(starter: &[&str], command: &Command) -> Command {
    let (program, arguments) = starter.split_first().map_or(("env", starter), |(program, rest)| (*program, rest));
    let mut started = Command::new(program);
    started.args(arguments).arg(command.get_program()).args(command.get_args());
    started.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        started.current_dir(folder);
    }
    started
}
