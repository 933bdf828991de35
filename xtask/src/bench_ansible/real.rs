//! The client's settings against Ansible's own, on nodes of a lab: real logins, real modules, the same tree and environment.

use super::{Stage, write};
use crate::commands::{self, Failure, root};
use crate::measure::{measured, median};
use plinth_lab::{Lab, LabSpec};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Nodes, and rounds of the five tasks.
pub(super) const NODES: usize = 10;
const TASKS: usize = 8;
const ACCOUNT: &str = "bench";
/// A play of the kind that plinth runs: facts, then root's work by small modules.
const HEAD: &str = "- name: Small work\n  hosts: all\n  become: true\n  tasks:\n";

/// Median seconds: ours, and with Ansible's defaults.
pub(super) struct Compared {
    pub(super) ours: f64,
    pub(super) defaults: f64,
}

/// Takes turns on the same nodes. The first round is not counted: it copies, the others find it done.
pub(super) fn compare(folder: &Path, client: &Path, rounds: usize) -> Result<Compared, Failure> {
    let lab = Lab::up(&LabSpec::unique("settings").usual(NODES)).map_err(|error| error.to_string())?;
    std::fs::create_dir_all(folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
    let key = account(&lab, folder)?;
    let stage = Stage::new(folder, client, NODES, &[("playbooks/boilerplate.yml", "[]\n"), ("cluster.yml", &tasks())])?;
    write(&folder.join("defaults.json"), &inventory(&lab, &key).to_string())?;
    // Without a file of its own Ansible would take that of the folder it runs in, or the person's.
    write(&folder.join("defaults.cfg"), "[defaults]\n")?;
    let (mut ours, mut defaults) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let seconds = (measured(&mut installed(&lab, &stage, &key), 0)?.seconds, {
            measured(&mut by_default(&lab, &stage, folder)?, 0)?.seconds
        });
        println!("bench: settings, round {round}: ours {:.1} s, Ansible's defaults {:.1} s", seconds.0, seconds.1);
        if round > 0 {
            ours.push(seconds.0);
            defaults.push(seconds.1);
        }
    }
    lab.down().map_err(|error| error.to_string())?;
    Ok(Compared { ours: median(&ours), defaults: median(&defaults) })
}

fn tasks() -> String {
    let mut text = HEAD.to_owned();
    for n in 1..=TASKS {
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            "    - ansible.builtin.stat: {{path: /etc/os-release}}\n\
             \x20   - ansible.builtin.file: {{path: /etc/bench/{n}, state: directory}}\n\
             \x20   - ansible.builtin.copy: {{content: '{n}', dest: /etc/bench/{n}/file}}\n\
             \x20   - ansible.builtin.command: {{cmd: 'true'}}\n\
             \x20   - ansible.builtin.lineinfile: {{path: /etc/bench/{n}/lines, line: '{n}', create: true}}\n"
        );
    }
    text
}

/// Makes the account on every node; gives the private key's file.
fn account(lab: &Lab, folder: &Path) -> Result<std::path::PathBuf, Failure> {
    let key = folder.join("key");
    commands::text(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    let file = key.with_extension("pub");
    let public = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    for node in lab.nodes() {
        let words = ["/bin/sh", "-euc", crate::e2e::ACCOUNT, "sh", ACCOUNT, public.trim()];
        node.exec(&words).map_err(|error| error.to_string())?;
    }
    Ok(key)
}

fn inventory(lab: &Lab, key: &Path) -> Value {
    let host = |address: String| json!({"ansible_host": address});
    let hosts: Map<String, Value> =
        lab.nodes().map(|node| (node.name().to_owned(), host(node.address().to_string()))).collect();
    json!({"all": {"hosts": hosts, "vars": {
        "ansible_user": ACCOUNT, "ansible_ssh_private_key_file": key, "ansible_python_interpreter": "/usr/bin/python3",
    }}})
}

/// The client runs the playbook.
fn installed(lab: &Lab, stage: &Stage<'_>, key: &Path) -> Command {
    let addresses: Vec<String> = lab.nodes().map(|node| node.address().to_string()).collect();
    let mut command = inside(lab, &stage.client("install"));
    command.env("BENCH_ADDRESSES", addresses.join(" ")).env("BENCH_USER", ACCOUNT).env("BENCH_KEY", key);
    command
}

/// The same playbook as Ansible runs it when nobody tells it anything but not to ask about host keys.
fn by_default(lab: &Lab, stage: &Stage<'_>, folder: &Path) -> Result<Command, Failure> {
    let mut plain = stage.ansible()?;
    plain.arg("-i").arg(folder.join("defaults.json")).arg(stage.source().join("cluster.yml"));
    let mut command = inside(lab, &plain);
    command
        .env("ANSIBLE_CONFIG", folder.join("defaults.cfg"))
        .env("ANSIBLE_HOST_KEY_CHECKING", "False")
        .env("HOME", folder);
    Ok(command)
}

/// The command, in the lab's network.
fn inside(lab: &Lab, command: &Command) -> Command {
    let mut inside = lab.command(&command.get_program().to_string_lossy());
    inside.args(command.get_args()).current_dir(root());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            inside.env(name, value);
        }
    }
    inside
}
