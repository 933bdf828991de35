//! What following a play costs: `cargo xtask bench --ansible`. The client's own runs of a playbook against plain runs of the same
//! one, taking turns, the client's memory while very many hosts talk, and its settings against Ansible's own on real nodes.

mod real;
pub(crate) mod section;

use crate::commands::{self, Failure, cargo};
use crate::measure::{measured, median};
use crate::scratch::Scratch;
use clap::ValueEnum;
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
/// How many times as fast as Ansible's defaults the client's settings are to be.
const TIMES: f64 = 2.0;
/// What plain runs are told: the same as the client says, without the plugin.
const PLAIN: &str = "[defaults]\nforks = 5\ngathering = smart\ndisplay_skipped_hosts = False\nstdout_callback = default\n\
                     force_valid_group_names = ignore\ninterpreter_python = /usr/bin/python3\n[ssh_connection]\npipelining = True\n";

/// What is measured, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// What following costs
    Overhead,
    /// The client's memory while very many hosts talk
    Memory,
    /// Our settings against Ansible's defaults, on nodes of a lab; needs root
    Settings,
}

/// Measures these parts, all if there are none; answers whether their targets hold.
pub(crate) fn run(only: &[Part]) -> Result<bool, Failure> {
    let client = client()?;
    let scratch = Scratch::new("bench-ansible")?;
    let mut holds = true;
    for part in Part::value_variants().iter().filter(|part| only.is_empty() || only.contains(part)) {
        let row = match part {
            Part::Overhead => section::overhead(overhead(&scratch.path().join("compared"), &client)?),
            Part::Memory => {
                let many = idle(&scratch.path().join("many"), &client, MANY)?;
                section::memory(measured(&mut many.client("follow"), 0)?.peak_mib.unwrap_or(f64::NAN))
            }
            Part::Settings => section::settings(&real::compare(&scratch.path().join("real"), &client, ROUNDS)?),
        };
        println!("bench: {}: {} (target {}: {})", row.what, row.measured, row.target, row.verdict());
        holds &= row.holds;
        section::write(&row)?;
    }
    Ok(holds)
}

/// How many times as long a followed play takes. Who goes first changes from round to round.
fn overhead(scratch: &Path, client: &Path) -> Result<f64, Failure> {
    let stage = idle(scratch, client, COMPARED)?;
    let (mut followed, mut plain) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for turn in [round % 2, (round + 1) % 2] {
            if turn == 0 {
                followed.push(measured(&mut stage.client("follow"), 0)?.seconds);
            } else {
                plain.push(measured(&mut stage.plain()?, 0)?.seconds);
            }
        }
        println!("bench: round {}: followed {:.1} s, plain {:.1} s", round + 1, followed[round], plain[round]);
    }
    Ok(median(&followed) / median(&plain))
}

/// Builds the program that stands for plinth: its client, and nothing around it.
fn client() -> Result<PathBuf, Failure> {
    let example = ["build", "--release", "--locked", "--package", "plinth-ansible", "--example", "follow_plays"];
    if !commands::passes(&mut cargo(&example))? {
        return Err("the example follow_plays of plinth-ansible does not build".to_owned());
    }
    let metadata = commands::metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    Ok(Path::new(target).join("release/examples/follow_plays"))
}

/// Hosts that nobody contacts, and tasks that only Ansible itself has work with.
fn idle<'a>(folder: &Path, client: &'a Path, (hosts, tasks): (usize, usize)) -> Result<Stage<'a>, Failure> {
    Stage::new(folder, client, hosts, &[("playbooks/boilerplate.yml", &playbook(tasks))])
}

/// A tree with playbooks, and a state directory with its environment and inventory.
struct Stage<'a> {
    client: &'a Path,
    folder: PathBuf,
    tree: String,
    hosts: usize,
}

impl<'a> Stage<'a> {
    fn new(folder: &Path, client: &'a Path, hosts: usize, playbooks: &[(&str, &str)]) -> Result<Self, Failure> {
        let tree = folder.join("tree");
        write(&tree.join("requirements.txt"), "ansible-core==2.16.14\n")?;
        for (name, text) in playbooks {
            write(&tree.join(name), text)?;
        }
        write(&folder.join("plain.cfg"), PLAIN)?;
        let script = "cp -a \"$1\" \"$2\" && cd \"$2\" && git init -q . && git add -Af . && git write-tree";
        let id = commands::text(Command::new("sh").args(["-ec", script, "tree"]).arg(&tree).arg(folder.join("git")))?;
        let stage = Self { client, folder: folder.to_owned(), tree: id.trim().to_owned(), hosts };
        commands::text(&mut stage.client("prepare"))?;
        Ok(stage)
    }

    fn client(&self, work: &str) -> Command {
        let mut command = Command::new(self.client);
        command.env("BENCH_WORK", work).env("BENCH_STATE", self.folder.join("state"));
        command.env("BENCH_SOURCE", self.folder.join("tree"));
        command.env("BENCH_TREE", &self.tree).env("BENCH_HOSTS", self.hosts.to_string());
        command
    }

    fn kubespray(&self) -> PathBuf {
        self.folder.join("state/kubespray")
    }

    /// The tree as the client has it.
    fn source(&self) -> PathBuf {
        self.kubespray().join("source/v2.28.1")
    }

    /// `ansible-playbook` of the same environment.
    fn ansible(&self) -> Result<Command, Failure> {
        let venvs = self.kubespray().join("venv");
        let told = |error: std::io::Error| format!("looking into {}: {error}", venvs.display());
        let venv = std::fs::read_dir(&venvs).map_err(told)?.next().ok_or("there is no environment")?;
        let bin = venv.map_err(told)?.path().join("bin");
        let mut command = Command::new(bin.join("python"));
        command.arg(bin.join("ansible-playbook"));
        command.env("PYTHONPYCACHEPREFIX", self.kubespray().join("pycache-plain"));
        Ok(command)
    }

    /// The same playbook and inventory, started by hand.
    fn plain(&self) -> Result<Command, Failure> {
        let mut command = self.ansible()?;
        command.arg("-i").arg(self.kubespray().join("inventory/hosts.json"));
        command.arg(self.source().join("playbooks/boilerplate.yml"));
        command.env("ANSIBLE_CONFIG", self.folder.join("plain.cfg"));
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
