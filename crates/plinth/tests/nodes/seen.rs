//! What plinth and the nodes say, asked for by the tests.

use crate::support::{Bench, said};
use plinth_lab::Node;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

/// The user that plinth makes in these tests.
pub(crate) const ACCOUNT: &str = "plinth";

/// A site of the lab's nodes; tests replace parts of it.
pub(crate) fn site(control_plane: &[&str], workers: &[&str]) -> String {
    format!(
        "apiVersion: plinth/v1\nkind: Site\nmetadata: {{name: nodes}}\ninventory:\n  static:\nNODES\n\
         networks:\n  production: 10.77.0.0/22\n\
         nodes:\n  controlPlane: [{}]\n  workers: [{}]\n\
         access:\n  bootstrap: {{user: ubuntu, password: PASSWORD}}\n\
         \x20 account: {{name: {ACCOUNT}, uid: 60000, gid: 60000, keyAlgorithm: ed25519}}\n\
         storage: {{imagesGib: 1, larger: /local/containerd}}\n\
         kubernetes:\n  version: v1.31.9\n  kubespray: {{source: not-for-these-tests}}\n  downloads: {{push: false}}\n  network: {{plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}}\n\
         platform:\n  ingress: {{http: 30080, https: 30443}}\n",
        control_plane.join(", "),
        workers.join(", "),
    )
}

/// The events that say how steps ended.
fn finished(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| event["event"] == "step.finished")
}

/// How a step ended.
#[track_caller]
pub(crate) fn outcome<'a>(events: &'a [Value], step: &str) -> &'a str {
    let found = finished(events).find(|event| event["step"] == step);
    found.and_then(|event| event["outcome"].as_str()).unwrap_or_else(|| panic!("{step} did not end: {events:#?}"))
}

/// Steps that ended so.
pub(crate) fn ended<'a>(events: &'a [Value], outcome: &str) -> Vec<&'a str> {
    finished(events).filter(|event| event["outcome"] == outcome).filter_map(|event| event["step"].as_str()).collect()
}

/// Steps that failed, with the code of the finding. The engine's source is left out: these tests end before Kubernetes.
pub(crate) fn failures(events: &[Value]) -> BTreeMap<&str, &str> {
    let failed = finished(events).filter(|event| event["outcome"] == "failed" || event["outcome"] == "blocked");
    failed
        .map(|event| (event["step"].as_str().unwrap(), event["finding"]["code"].as_str().unwrap_or("none")))
        .filter(|(step, _)| !step.starts_with("kubernetes/source/"))
        .collect()
}

/// Applies, and demands that nothing failed before Kubernetes.
#[track_caller]
pub(crate) fn applied(bench: &Bench) -> Vec<Value> {
    let (events, exit) = bench.apply();
    assert_eq!(failures(&events), BTreeMap::new(), "{events:#?}");
    assert_eq!(exit, 4, "the engine has no source");
    assert!(ended(&events, "failed").iter().any(|step| step.starts_with("kubernetes/")), "{events:#?}");
    events
}

/// `preflight --json`.
pub(crate) struct Report {
    pub(crate) json: Value,
    pub(crate) exit: i32,
}

impl Report {
    #[track_caller]
    pub(crate) fn of(bench: &Bench) -> Self {
        let output = bench.plinth(&["preflight", "--json"]);
        let json =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("not JSON ({e}): {}", said(&output)));
        Self { json, exit: output.status.code().unwrap_or(-1) }
    }

    fn about(&self, subject: &str) -> Vec<&Value> {
        self.json["findings"].as_array().unwrap().iter().filter(|finding| finding["subject"] == subject).collect()
    }

    /// Codes found of a node, or of `nodes` for all together.
    pub(crate) fn codes(&self, subject: &str) -> BTreeSet<&str> {
        self.about(subject).into_iter().filter_map(|finding| finding["code"].as_str()).collect()
    }

    /// Codes of a node that another one does not have.
    pub(crate) fn beyond(&self, node: &str, usual: &str) -> Vec<&str> {
        let usual: BTreeSet<&str> = self.codes(usual);
        self.codes(node).into_iter().filter(|code| !usual.contains(code)).collect()
    }

    /// The one finding of this code.
    #[track_caller]
    pub(crate) fn one(&self, subject: &str, code: &str) -> &Value {
        let all = self.about(subject);
        let found: Vec<&Value> = all.iter().copied().filter(|finding| finding["code"] == code).collect();
        assert_eq!(found.len(), 1, "{code} of {subject} in {all:#?}");
        found[0]
    }

    pub(crate) fn facts(&self, node: &str) -> &Value {
        &self.json["facts"][node]
    }
}

/// A shell script as root on a node, past sshd.
#[track_caller]
pub(crate) fn sh(node: &Node<'_>, script: &str) -> String {
    node.exec(&["/bin/sh", "-euc", script]).unwrap_or_else(|error| panic!("{error}"))
}

/// How a person proves who they are.
pub(crate) enum Proof {
    /// plinth's own key.
    Key,
    /// The lab's password.
    Password,
}

/// A command over OpenSSH, with the host key verified.
pub(crate) fn ssh(bench: &Bench, node: &Node<'_>, user: &str, proof: &Proof, command: &str) -> Output {
    let folder = bench.folder.path();
    let known = folder.join(format!("witness-{}", node.name()));
    let keys: String = node.host_keys().unwrap().iter().map(|key| format!("{} {key}\n", node.address())).collect();
    std::fs::write(&known, keys).unwrap();
    let mut ssh = bench.lab.command("ssh");
    ssh.args(["-F", "none", "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=yes", "-o", "IdentityAgent=none"]);
    ssh.arg("-o").arg(format!("UserKnownHostsFile={}", known.display()));
    match proof {
        Proof::Key => ssh
            .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"])
            .arg(bench.state().join("secrets/ssh-key")),
        Proof::Password => {
            let script = folder.join("askpass");
            std::fs::write(&script, format!("#!/bin/sh\necho '{}'\n", bench.lab.password())).unwrap();
            std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
            ssh.env("SSH_ASKPASS", script).env("SSH_ASKPASS_REQUIRE", "force");
            ssh.args(["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"])
        }
    };
    ssh.args(["-l", user, &node.address().to_string(), command]).stdin(std::process::Stdio::null()).output().unwrap()
}

/// Modes and owners of everything that makes the account.
const ACCOUNT_FILES: &str = "\
700 plinth:plinth /home/plinth/.ssh
600 plinth:plinth /home/plinth/.ssh/authorized_keys
440 root:root /etc/sudoers.d/plinth
";

/// Demands that the account is whole on a node: ids, files, a login by key that becomes root, no password.
#[track_caller]
pub(crate) fn whole(bench: &Bench, node: &Node<'_>) {
    let name = node.name();
    let record = sh(node, "getent passwd plinth; getent group plinth; getent shadow plinth | cut -d : -f 1,2");
    assert_eq!(record, "plinth:x:60000:60000::/home/plinth:/bin/bash\nplinth:x:60000:\nplinth:*\n", "{name}");
    let files = "stat -c '%a %U:%G %n' /home/plinth/.ssh /home/plinth/.ssh/authorized_keys \
                 /etc/sudoers.d/plinth";
    assert_eq!(sh(node, files), ACCOUNT_FILES, "{name}");
    let home = sh(node, "stat -c '%U:%G' /home/plinth; find /home/plinth -maxdepth 0 -perm /022");
    assert_eq!(home, "plinth:plinth\n", "{name}: only its owner writes there");
    sh(node, "visudo -c -q");
    let stray = sh(node, "find /home /etc/sudoers.d /etc/hosts* -name '*.plinth-*' -o -name '.plinth.*'");
    assert_eq!(stray, "", "{name}: nothing half-made is left");
    let login = ssh(bench, node, ACCOUNT, &Proof::Key, "id -un; sudo -n id -u");
    assert_eq!(String::from_utf8_lossy(&login.stdout), "plinth\n0\n", "{name}: {}", said(&login));
}

/// Everything that an account consists of, to be compared.
pub(crate) fn accounts(node: &Node<'_>) -> String {
    sh(
        node,
        "cat /etc/passwd /etc/group /etc/shadow /etc/gshadow; \
         find /home /etc/sudoers.d /etc/sudoers -printf '%p %m %U:%G %s %T@ %C@\\n' | sort",
    )
}
