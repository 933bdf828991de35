//! What following a play costs: `cargo xtask bench --ansible`. The door's own runs of a playbook against plain runs of the same
//! one, taking turns, and the door's memory while very many hosts talk.

use crate::commands::{self, Failure, cargo};
use crate::measure::measured;
use crate::scratch::Scratch;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Hosts and tasks of the comparison. The tasks do nothing, so what is compared is Ansible's own work: the worst case.
const COMPARED: (usize, usize) = (5, 1500);
/// Hosts and tasks of the look at memory.
const MANY: (usize, usize) = (200, 20);
/// Rounds of the comparison.
const ROUNDS: usize = 3;
/// How much longer a followed play may take.
const LIMIT: f64 = 1.01;
const LIMIT_MIB: f64 = 60.0;
/// What plain runs are told: the same as the door says, without the plugin.
const PLAIN: &str = "[defaults]\nforks = 5\ngathering = smart\ndisplay_skipped_hosts = False\nstdout_callback = default\n\
                     force_valid_group_names = ignore\ninterpreter_python = /usr/bin/python3\n[ssh_connection]\npipelining = True\n";

/// Measures; answers whether the targets hold.
pub(crate) fn run() -> Result<bool, Failure> {
    let door = door()?;
    let scratch = Scratch::new("bench-ansible")?;
    let compared = Stage::new(scratch.path(), &door, COMPARED)?;
    let (mut followed, mut plain) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        followed.push(measured(&mut compared.door("follow"), 0)?.seconds);
        plain.push(measured(&mut compared.plain()?, 0)?.seconds);
        println!("bench: round {round}: followed {:.1} s, plain {:.1} s", followed[round - 1], plain[round - 1]);
    }
    let ratio = median(&mut followed) / median(&mut plain);
    let (hosts, tasks) = COMPARED;
    println!("bench: {tasks} tasks on {hosts} hosts: a followed play takes {ratio:.3} times as long (at most {LIMIT})");
    let many = Stage::new(scratch.path(), &door, MANY)?;
    let peak = measured(&mut many.door("follow"), 0)?.peak_mib.unwrap_or(f64::NAN);
    println!("bench: peak memory of the door with {} hosts: {peak:.1} MiB (at most {LIMIT_MIB})", MANY.0);
    Ok(ratio <= LIMIT && peak <= LIMIT_MIB)
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Builds the program that stands for plinth: its door, and nothing around it.
fn door() -> Result<PathBuf, Failure> {
    let example = ["build", "--release", "--locked", "--package", "plinth-world", "--example", "follow_plays"];
    if !commands::passes(&mut cargo(&example))? {
        return Err("the example follow_plays of plinth-world does not build".to_owned());
    }
    let metadata = commands::metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    Ok(Path::new(target).join("release/examples/follow_plays"))
}

/// A tree with one playbook, and a state directory with its environment and inventory.
struct Stage<'a> {
    door: &'a Path,
    source: PathBuf,
    state: PathBuf,
    tree: String,
    hosts: usize,
}

impl<'a> Stage<'a> {
    fn new(folder: &Path, door: &'a Path, (hosts, tasks): (usize, usize)) -> Result<Self, Failure> {
        let (source, state) = (folder.join(format!("tree-{hosts}")), folder.join(format!("state-{hosts}")));
        write(&source.join("requirements.txt"), "ansible-core==2.16.14\n")?;
        write(&source.join("playbooks/boilerplate.yml"), &playbook(tasks))?;
        write(&folder.join("plain.cfg"), PLAIN)?;
        let script = "cp -a \"$1\" \"$2\" && cd \"$2\" && git init -q . && git add -Af . && git write-tree";
        let copy = folder.join(format!("git-{hosts}"));
        let tree = commands::text(Command::new("sh").args(["-ec", script, "tree"]).arg(&source).arg(copy))?;
        let stage = Self { door, source, state, tree: tree.trim().to_owned(), hosts };
        commands::text(&mut stage.door("prepare"))?;
        Ok(stage)
    }

    fn door(&self, work: &str) -> Command {
        let mut command = Command::new(self.door);
        command.env("BENCH_WORK", work).env("BENCH_STATE", &self.state).env("BENCH_SOURCE", &self.source);
        command.env("BENCH_TREE", &self.tree).env("BENCH_HOSTS", self.hosts.to_string());
        command
    }

    /// The same playbook, inventory and environment, started by hand.
    fn plain(&self) -> Result<Command, Failure> {
        let kubespray = self.state.join("kubespray");
        let told = |error: std::io::Error| format!("looking into {}: {error}", kubespray.display());
        let venv = std::fs::read_dir(kubespray.join("venv")).map_err(told)?.next().ok_or("there is no environment")?;
        let bin = venv.map_err(told)?.path().join("bin");
        let mut command = Command::new(bin.join("python"));
        command.arg(bin.join("ansible-playbook")).arg("-i").arg(kubespray.join("inventory/hosts.json"));
        command.arg(kubespray.join("source/v2.28.1/playbooks/boilerplate.yml"));
        let settings = self.state.with_file_name("plain.cfg");
        command.env("ANSIBLE_CONFIG", settings).env("PYTHONPYCACHEPREFIX", kubespray.join("pycache-plain"));
        Ok(command)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |error: std::io::Error| format!("writing {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    std::fs::write(path, text).map_err(told)
}

/// Tasks that only Ansible itself has work with.
fn playbook(tasks: usize) -> String {
    let mut text = "- name: Many tasks\n  hosts: all\n  gather_facts: false\n  tasks:\n".to_owned();
    for number in 1..=tasks {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "    - name: Task {number}\n      ansible.builtin.debug: {{msg: {number}}}");
    }
    text
}
