//! What Ansible and SSH are told: everything that decides how they work stands in files of the run, nothing comes from the
//! caller's own settings.

use plinth_model::steps::{Credential, NodeTarget};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Forks at least and at most. More than 50 gain nothing: what is left is the controller's own work, some 20 ms for each task
/// and host.
const FORKS: (usize, usize) = (5, 50);
/// Seconds for a connection, up to so many hosts and above. Many at once wait for each other.
const TIMEOUTS: (usize, u32, u32) = (50, 20, 60);

/// Ansible's configuration. `run` is the run's folder, which has a simple name; Kubespray's source is reached through a link in
/// it, since its own name may hold anything.
pub(super) fn ansible_cfg(run: &Path, hosts: usize) -> String {
    let run = run.display();
    let forks = hosts.clamp(FORKS.0, FORKS.1);
    let timeout = if hosts > TIMEOUTS.0 { TIMEOUTS.2 } else { TIMEOUTS.1 };
    format!(
        "\
[defaults]
home = {run}/home
local_tmp = {run}/tmp
collections_path = {run}/collections
roles_path = {run}/source/roles
library = {run}/source/library
callback_plugins = {run}/plugins
callbacks_enabled = plinth_events
stdout_callback = default
display_skipped_hosts = False
deprecation_warnings = False
localhost_warning = False
nocows = True
forks = {forks}
timeout = {timeout}
gathering = smart
fact_caching = jsonfile
fact_caching_connection = {run}/facts
fact_caching_timeout = 86400
force_valid_group_names = ignore
host_key_checking = True
interpreter_python = /usr/bin/python3
retry_files_enabled = False
inventory_ignore_extensions = ~, .orig, .bak, .ini, .cfg, .retry, .pyc, .pyo, .creds, .gpg

[inventory]
unparsed_is_failed = True
ignore_patterns = artifacts, credentials

[ssh_connection]
pipelining = True
retries = 3
control_path_dir = {run}/c
ssh_args = -F {run}/ssh_config -o ControlMaster=auto -o ControlPersist=30m
"
    )
}

/// SSH's configuration. A lost host is noticed after a minute of silence, and given up after Ansible's three more tries of `timeout`
/// seconds; a quiet one is asked whether it is there, since some tasks say nothing for minutes. `key` gives the file of a credential;
/// none: the agent's keys.
pub(super) fn ssh_config(run: &Path, targets: &[NodeTarget], key: impl Fn(&Credential) -> Option<String>) -> String {
    let mut text = String::new();
    let mut jumps = BTreeMap::new();
    for (login, hosts) in alike(targets, &key) {
        let _ = writeln!(text, "Host {}", hosts.join(" "));
        text.push_str(&login);
    }
    for jump in targets.iter().filter_map(|target| target.jump.as_ref()) {
        jumps.insert(jump.host.clone(), login(&jump.user, jump.port, key(&jump.credential).as_deref(), false));
    }
    for (host, login) in jumps {
        let _ = write!(text, "Host {host}\n{login}");
    }
    let run = run.display();
    let _ = write!(
        text,
        "Host *
  BatchMode yes
  UserKnownHostsFile {run}/known_hosts
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  UpdateHostKeys no
  ForwardAgent no
  ServerAliveInterval 15
  ServerAliveCountMax 4
"
    );
    text
}

/// Hosts with the same login stand in one section: two hundred hosts are one.
fn alike(targets: &[NodeTarget], key: impl Fn(&Credential) -> Option<String>) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for target in targets {
        let mut text = login(&target.user, target.port, key(&target.credential).as_deref(), target.legacy_keys);
        if let Some(jump) = &target.jump {
            let _ = writeln!(text, "  ProxyJump {}@{}:{}", jump.user, bracketed(&jump.host), jump.port);
        }
        match sections.iter_mut().find(|(known, _)| *known == text) {
            Some((_, hosts)) => hosts.push(target.address.to_string()),
            None => sections.push((text, vec![target.address.to_string()])),
        }
    }
    sections
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn login(user: &str, port: u16, key: Option<&str>, legacy: bool) -> String {
    let mut text = format!("  User {user}\n  Port {port}\n");
    if let Some(key) = key {
        let _ = write!(text, "  IdentityFile {key}\n  IdentitiesOnly yes\n  IdentityAgent none\n");
    }
    if legacy {
        text.push_str("  HostKeyAlgorithms +ssh-rsa\n  PubkeyAcceptedAlgorithms +ssh-rsa\n");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::steps::Jump;
    use plinth_model::{NodeName, SecretRef};

    fn target(last: u8, jump: Option<Jump>) -> NodeTarget {
        NodeTarget {
            node: NodeName::new(&format!("n{last}")).unwrap(),
            address: std::net::Ipv4Addr::new(10, 0, 0, last),
            port: 22,
            user: "plinth".to_owned(),
            credential: Credential::Key(SecretRef::Generated("ssh-key".to_owned())),
            legacy_keys: last == 3,
            jump,
        }
    }

    #[test]
    fn the_files_of_a_run() {
        insta::assert_snapshot!("ansible_cfg", ansible_cfg(Path::new("/run/user/1000/plinth-0123456789ab"), 5));
        let jump = Jump { host: "head".to_owned(), port: 2222, user: "root".to_owned(), credential: Credential::Agent };
        let targets = [target(1, None), target(2, None), target(3, None), target(4, Some(jump))];
        let key = |credential: &Credential| matches!(credential, Credential::Key(_)).then(|| "/run/x/key-0".to_owned());
        insta::assert_snapshot!("ssh_config", ssh_config(Path::new("/run/x"), &targets, key));
    }

    #[test]
    fn forks_and_timeouts_follow_the_number_of_hosts() {
        for (hosts, forks, timeout) in [(1, 5, 20), (40, 40, 20), (200, 50, 60)] {
            let text = ansible_cfg(Path::new("/run/x"), hosts);
            assert!(text.contains(&format!("forks = {forks}\ntimeout = {timeout}\n")), "{text}");
        }
    }
}
