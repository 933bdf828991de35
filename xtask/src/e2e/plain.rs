//! Kubespray by hand on nodes of the same kind with the same mirror and variables, as the script before plinth ran it: with
//! Kubespray's own configuration (pipelining, five forks), but with ssh arguments that switch off the sharing of connections.

use super::cluster::Cluster;
use super::ground::{FIRST, Ground, PODS, SERVICES};
use super::{Done, Phase, section};
use crate::commands::{self, Failure};
use plinth_lab::{KUBERNETES, REGISTRIES};
use serde_json::{Map, Value, json};
use std::process::Command;

/// The ssh arguments of the script before plinth. They replace all of Kubespray's, and those that share connections with them.
const SSH_ARGS: &str = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";

/// Makes an account (sh, arguments: name and public key) that logs in by key and becomes root without a password.
pub(crate) const ACCOUNT: &str = "useradd -m -s /bin/bash \"$1\"; echo \"$1 ALL=(ALL) NOPASSWD: ALL\" > \"/etc/sudoers.d/$1\"; \
     mkdir -p -m 700 \"/home/$1/.ssh\"; echo \"$2\" > \"/home/$1/.ssh/authorized_keys\"; chown -R \"$1\" \"/home/$1/.ssh\"";

/// First on bare nodes, then again.
pub(super) fn compare(ground: &mut Ground) -> Result<Done, Failure> {
    ground.bare()?;
    let environment = ground.environment()?;
    prepare(ground)?;
    let play = || -> Command {
        let mut command = ground.lab.command(&environment.join("bin/ansible-playbook").to_string_lossy());
        command.env("ANSIBLE_CONFIG", ground.source.join("ansible.cfg")).current_dir(&ground.source);
        // Facts are kept beside the log rather than where the machine's other clusters keep theirs.
        command.env("ANSIBLE_SSH_ARGS", SSH_ARGS).env("ANSIBLE_CACHE_PLUGIN_CONNECTION", ground.path("plain-facts"));
        command.arg("-i").arg(ground.path("plain.json"));
        command.arg("-e").arg(format!("@{}", ground.path("variables.json").display())).arg("cluster.yml");
        command
    };
    let first = ground.good(&mut play(), "plain-first.log")?;
    let again = ground.good(&mut play(), "plain-again.log")?;
    let proved = Cluster::of(ground)?.proved(&ground.names(FIRST))?;
    let timed = vec![(section::BY_HAND, first), (section::BY_HAND_AGAIN, again)];
    Ok(Done { phase: Phase::Compare, timed, proved })
}

/// Accounts, the inventory, the variables.
fn prepare(ground: &Ground) -> Result<(), Failure> {
    let key = ground.path("plain-key");
    commands::text(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    let public =
        std::fs::read_to_string(key.with_extension("pub")).map_err(|error| format!("reading the key: {error}"))?;
    let mut hosts = Map::new();
    for node in ground.lab.nodes().take(FIRST) {
        node.exec(&["/bin/sh", "-euc", ACCOUNT, "sh", "plain", public.trim()]).map_err(|error| error.to_string())?;
        let address = node.address();
        hosts.insert(node.name().to_owned(), json!({"ansible_host": address, "ip": address, "access_ip": address}));
    }
    ground.write("plain.json", &format!("{:#}\n", inventory(ground, hosts, &key.to_string_lossy())))?;
    let mut variables = ground.variables()?;
    let url = ground.url();
    let host = json!({"host": url, "capabilities": ["pull", "resolve"], "skip_verify": true});
    let mirrors = REGISTRIES.map(|name| json!({"prefix": name, "mirrors": [host]}));
    let more = json!({
        "kube_version": KUBERNETES, "kube_pods_subnet": PODS, "kube_service_addresses": SERVICES,
        "container_manager": "containerd", "containerd_registries_mirrors": mirrors,
    });
    variables.extend(more.as_object().cloned().unwrap_or_default());
    ground.write("variables.json", &format!("{:#}\n", Value::Object(variables))).map(drop)
}

fn inventory(ground: &Ground, hosts: Map<String, Value>, key: &str) -> Value {
    let names = ground.names(FIRST);
    let group = |names: &[String]| {
        let members: Map<String, Value> = names.iter().map(|name| (name.clone(), json!({}))).collect();
        json!({"hosts": members})
    };
    json!({"all": {
        "vars": {
            "ansible_user": "plain", "ansible_become": true, "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": key, "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null",
        },
        "hosts": hosts,
        "children": {
            "kube_control_plane": group(&names[..1]),
            "etcd": group(&names[..1]),
            "kube_node": group(&names[1..]),
            "k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}}},
        },
    }})
}
