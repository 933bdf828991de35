//! What the phases stand on: four bare nodes, the mirror, the site file, and plinth itself in the lab's network.

use crate::commands::{self, Failure, root};
use crate::scratch::Scratch;
use plinth_lab::{KUBERNETES, Lab, LabSpec, Mirror, REGISTRIES, Served};
use serde_json::{Map, Value, json};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Range of pods, one /24 for each node; and of services.
pub(super) const PODS: &str = "10.233.64.0/18";
pub(super) const SERVICES: &str = "10.233.0.0/18";

/// Nodes at first. The last node of the lab joins later.
pub(super) const FIRST: usize = 3;
const NODES: usize = 4;

/// Everything at hand.
pub(super) struct Ground {
    /// Ends before the lab does: fields go in this order.
    served: Served,
    pub(super) lab: Lab,
    pub(super) mirror: Mirror,
    scratch: Scratch,
    pub(super) source: PathBuf,
    /// Whether Kubernetes is on the nodes, and how many.
    pub(super) installed: usize,
    /// Where the seconds of an apply went that changed nothing; empty before there was one.
    pub(super) spent: String,
    /// Whether plinth pushes files to the nodes.
    pub(super) push: bool,
    /// How many of the nodes are the control plane.
    pub(super) control_plane: usize,
    /// Whether the nodes of the lab have been touched.
    used: bool,
    release: String,
    plinth: PathBuf,
    wheels: PathBuf,
    keep: bool,
}

impl Ground {
    /// Boots the nodes and makes what can be made before.
    pub(super) fn new(source: &Path, release: &str, plinth: &Path, keep: bool) -> Result<Self, Failure> {
        let told = |error: plinth_lab::LabError| error.to_string();
        let mirror = Mirror::have().map_err(told)?;
        let wheels = wheels(source)?;
        let lab = Lab::up(&spec(keep)?).map_err(told)?;
        let served = mirror.serve(&lab).map_err(told)?;
        let scratch = Scratch::new(lab.name())?;
        let ground = Self {
            served,
            lab,
            mirror,
            scratch,
            source: source.to_owned(),
            installed: 0,
            spent: String::new(),
            push: true,
            control_plane: 1,
            used: false,
            release: release.to_owned(),
            plinth: plinth.to_owned(),
            wheels,
            keep,
        };
        ground.write("password", ground.lab.password())?;
        Ok(ground)
    }

    /// Makes sure that no node was touched yet: by another lab, which takes seconds, and without what plinth remembers of the
    /// nodes before.
    pub(super) fn bare(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.used, true) {
            let told = |error: plinth_lab::LabError| error.to_string();
            let lab = Lab::up(&spec(self.keep)?).map_err(told)?;
            self.served = self.mirror.serve(&lab).map_err(told)?;
            let old = std::mem::replace(&mut self.lab, lab);
            old.down().map_err(told)?;
            self.installed = 0;
            self.forget()?;
            self.write("password", self.lab.password())?;
        }
        Ok(())
    }

    /// Removes all that plinth keeps, the environment of Ansible as well: every run from bare nodes begins with the same.
    fn forget(&self) -> Result<(), Failure> {
        let state = self.path("state");
        match std::fs::remove_dir_all(&state) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("removing {}: {error}", state.display()))
            }
            _ => Ok(()),
        }
    }

    /// An environment of Ansible that is not plinth's, from the same packages.
    pub(super) fn environment(&self) -> Result<PathBuf, Failure> {
        let path = self.path("environment");
        commands::text(Command::new("python3").args(["-m", "venv"]).arg(&path))?;
        let mut command = Command::new(path.join("bin/pip"));
        command.args(["install", "--quiet", "--no-index", "--find-links"]).arg(&self.wheels);
        commands::text(command.arg("-r").arg(self.source.join("requirements.txt")))?;
        Ok(path)
    }

    /// Names of the first nodes of the lab, the control plane before the workers.
    pub(super) fn names(&self, count: usize) -> Vec<String> {
        self.lab.nodes().take(count).map(|node| node.name().to_owned()).collect()
    }

    /// Variables of the mirror and of nodes of a lab.
    pub(super) fn variables(&self) -> Result<Map<String, Value>, Failure> {
        self.mirror.kubespray_variables(&self.url()).map_err(|error| error.to_string())
    }

    /// Where the mirror answers.
    pub(super) fn url(&self) -> String {
        self.served.url()
    }

    /// A site of the first `count` nodes. JSON is YAML, too.
    pub(super) fn site(&self, count: usize) -> Result<PathBuf, Failure> {
        let names = self.names(count);
        let nodes: Vec<Value> =
            self.lab.nodes().take(count).map(|node| json!({"name": node.name(), "address": node.address()})).collect();
        let url = self.url();
        let mirrors: Vec<Value> = REGISTRIES.iter().map(|name| json!({"registry": name, "endpoints": [url]})).collect();
        let site = json!({
            "apiVersion": "plinth/v1",
            "kind": "Site",
            "metadata": {"name": "e2e"},
            "inventory": {"static": nodes},
            "networks": {"production": self.lab.network()},
            "nodes": {"controlPlane": names[..self.control_plane], "workers": names[self.control_plane..]},
            "access": {
                "bootstrap": {"user": self.lab.user(), "password": {"file": "password"}},
                "account": {"name": "plinth", "uid": 60000, "gid": 60000},
            },
            "storage": {"imagesGib": 1},
            "registries": {"mirrors": mirrors},
            "kubernetes": {
                "version": format!("v{KUBERNETES}"),
                "kubespray": {"version": self.release, "source": self.source, "wheels": self.wheels},
                "network": {"plugin": "cni", "pods": PODS, "services": SERVICES, "nodePrefix": 24, "proxyMode": "iptables"},
                "dns": {"nodeCache": false},
                "downloads": {"push": self.push},
                "extraVars": self.variables()?,
            },
            "platform": {"ingress": {"http": 30080, "https": 30443}, "components": none_of_the_platform()?},
        });
        self.write("site.yaml", &format!("{site:#}\n"))
    }

    /// plinth in the lab's network. It sees nothing of our environment.
    pub(super) fn plinth(&self, words: &[&str]) -> Command {
        let mut command = self.lab.command(&self.plinth.to_string_lossy());
        command.args(words).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.scratch.path()).env("LANG", "C.UTF-8").current_dir(self.scratch.path());
        command
    }

    /// `plinth apply` of the site, its events beside it. It may not ask.
    pub(super) fn apply(&self, events: &str) -> Command {
        let mut command = self.plinth(&["apply", "-f", "site.yaml", "--state", "state", "--yes", "--events", events]);
        command.stdin(Stdio::null());
        command
    }

    /// A file in our folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Writes a file that only we can read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
        written.map_err(|error| format!("writing {}: {error}", path.display()))?;
        Ok(path)
    }

    /// Runs to its end with its output in a file, and gives its exit code and seconds.
    pub(super) fn timed(&self, command: &mut Command, log: &str) -> Result<(i32, f64), Failure> {
        let path = self.path(log);
        let told = |error: std::io::Error| format!("running {command:?}: {error}");
        let file = std::fs::File::create(&path).map_err(|error| format!("making {}: {error}", path.display()))?;
        let errors = file.try_clone().map_err(told)?;
        let start = Instant::now();
        let status = command.stdin(Stdio::null()).stdout(file).stderr(errors).status();
        let status = status.map_err(|error| format!("running {command:?}: {error}"))?;
        Ok((status.code().unwrap_or(-1), start.elapsed().as_secs_f64()))
    }

    /// As [`Ground::timed`], where only 0 is a good end; the last lines are told otherwise.
    pub(super) fn good(&self, command: &mut Command, log: &str) -> Result<f64, Failure> {
        match self.timed(command, log)? {
            (0, seconds) => Ok(seconds),
            (code, _) => Err(format!("{command:?} ended with {code}:\n{}", self.last_lines(log))),
        }
    }

    /// The last lines of a file in our folder.
    pub(super) fn last_lines(&self, name: &str) -> String {
        let text = std::fs::read(self.path(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if self.keep {
            let kept = std::env::temp_dir().join(format!("plinth-{}", self.lab.name()));
            // Best effort: the folder is for looking into afterwards.
            let moved = std::fs::rename(self.scratch.path(), &kept).is_ok();
            println!("e2e: the lab {} stays up; files are in {}", self.lab.name(), kept.display());
            if !moved {
                println!("e2e: they could not be kept");
            }
        }
    }
}

/// Four bare nodes.
fn spec(keep: bool) -> Result<LabSpec, Failure> {
    println!("e2e: booting {NODES} bare nodes");
    let pods = PODS.parse().map_err(|_| format!("{PODS} is no range"))?;
    let mut spec = LabSpec::unique("e2e").usual(NODES).kubernetes(pods);
    spec.kept = keep;
    Ok(spec)
}

/// Every component of the catalog, switched off: charts and their images come from registries.
fn none_of_the_platform() -> Result<Value, Failure> {
    let folder = root().join("catalog/components");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("listing {}: {error}", folder.display()))?;
    let names = entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned()));
    Ok(names.map(|name| (name, json!({"enabled": false}))).collect::<Map<_, _>>().into())
}

/// The packages of the release's requirements as wheels, since the lab's network reaches no index. Kept in the cache.
fn wheels(source: &Path) -> Result<PathBuf, Failure> {
    let requirements = source.join("requirements.txt");
    let folder = plinth_lab::cached("wheels", &requirements, |into| {
        println!("e2e: downloading the Python packages of {}", requirements.display());
        let own = into.join("environment");
        let text = |command: &mut Command| commands::text(command).map(drop);
        text(Command::new("python3").args(["-m", "venv"]).arg(&own))?;
        let mut command = Command::new(own.join("bin/pip"));
        text(command.args(["download", "--quiet", "--dest"]).arg(into).arg("-r").arg(&requirements))?;
        std::fs::remove_dir_all(&own).map_err(|error| format!("removing {}: {error}", own.display()))
    });
    folder.map_err(|error| error.to_string())
}

/// Waits until something is so. What cannot be found out yet is asked again.
pub(super) fn until(what: &str, limit: Duration, mut so: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let end = Instant::now() + limit;
    loop {
        let last = so();
        match last {
            Ok(true) => return Ok(()),
            _ if Instant::now() < end => std::thread::sleep(Duration::from_millis(500)),
            Ok(false) => return Err(format!("waited {limit:?} in vain for this: {what}")),
            Err(error) => return Err(format!("waited {limit:?} in vain for this: {what}; {error}")),
        }
    }
}
