//! Proofs that are wrong, that an agent holds, and that go through another host.

use crate::seen::{ACCOUNT, Proof, Report, applied, failures, outcome, sh, site, ssh};
use crate::support::{Bench, said};
use plinth_lab::{LabSpec, Node};
use std::process::{Command, Stdio};

/// Passwords that a node's sshd refused so far.
fn refused(node: &Node<'_>) -> usize {
    sh(node, "journalctl --sync; journalctl -q -u ssh -o cat | grep -c 'Failed password' || true")
        .trim()
        .parse()
        .unwrap()
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_wrong_password_is_sent_once_to_each_node_in_each_run() {
    let bench = Bench::up(&LabSpec::unique("wrong").usual(3), &site(&["n1"], &["n2", "n3"]));
    std::fs::write(bench.folder.path().join("password"), "not-the-password").unwrap();
    for run in 1..=2 {
        let report = Report::of(&bench);
        assert_eq!(report.exit, 3);
        for node in bench.lab.nodes() {
            let finding = report.one(node.name(), "node.login-refused");
            assert_eq!(finding["owner"], "you");
            assert!(finding["fix"].as_str().unwrap().contains("access"), "{finding:#}");
            assert_eq!(refused(&node), run, "{} in run {run}", node.name());
        }
        assert!(!report.json.to_string().contains("not-the-password"));
    }
    let applied = bench.plinth(&["apply", "--yes"]);
    assert_eq!(applied.status.code(), Some(3), "{}", said(&applied));
    for node in bench.lab.nodes() {
        assert_eq!(refused(&node), 3, "{}", node.name());
    }
    let witness = ssh(&bench, &bench.lab.node("n1").unwrap(), ACCOUNT, &Proof::Password, "true");
    assert!(!witness.status.success());
    assert_eq!(refused(&bench.lab.node("n1").unwrap()), 4, "a try of somebody else is counted");
}

/// An agent of the test's own; it ends with the test.
struct Agent(std::process::Child, std::path::PathBuf);

impl Agent {
    fn start(bench: &Bench) -> Self {
        let socket = bench.folder.path().join("agent");
        let mut command = Command::new("ssh-agent");
        let child =
            command.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(90);
        while !socket.exists() {
            assert!(std::time::Instant::now() < until, "ssh-agent did not come up");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self(child, socket)
    }

    fn add(&self, key: &std::path::Path) {
        let done = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.1).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _status = self.0.wait();
    }
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn the_key_of_an_agent_opens_the_nodes() {
    let text = site(&["n1"], &["n2"]).replace("password: PASSWORD", "agent: true");
    let bench = Bench::up(&LabSpec::unique("agent").usual(2), &text);
    let key = bench.folder.path().join("own");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "person", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let line = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    for node in bench.lab.nodes() {
        let script = "mkdir -p -m 700 /home/ubuntu/.ssh; cat > /home/ubuntu/.ssh/authorized_keys; \
                      chown -R ubuntu:ubuntu /home/ubuntu/.ssh; echo 'ubuntu ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ubuntu";
        node.fed(&["/bin/sh", "-euc", script], line.as_bytes()).unwrap();
    }
    let without = Report::of(&bench);
    assert_eq!(without.exit, 3);
    assert!(without.one("n1", "node.unreachable")["fix"].to_string().contains("ssh-add"));
    let agent = Agent::start(&bench);
    agent.add(&key);
    let mut command = bench.command(&["apply", "--yes", "--events", "events.ndjson"]);
    let output = command.env("SSH_AUTH_SOCK", &agent.1).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    for node in bench.lab.nodes() {
        sh(&node, "getent passwd plinth; journalctl -q -u ssh -o cat | grep 'Accepted publickey for ubuntu'");
    }
    let events = applied(&bench);
    assert_eq!(
        outcome(&events, "nodes/account/n1"),
        "unchanged",
        "the account's own key does for later runs, without an agent"
    );
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn nodes_that_are_not_reached_directly_are_reached_through_a_jump_host() {
    let jump = "port: 22\n  jump: {host: JUMP, user: ubuntu, password: PASSWORD}\n  bootstrap:";
    let direct = site(&["n2"], &["n3"]);
    let bench = Bench::up(&LabSpec::unique("jump").usual(3), &direct);
    let one = bench.lab.node("n1").unwrap();
    let (inside, outside) = (["n2", "n3"].map(|name| bench.lab.node(name).unwrap()), bench.lab.bridge());
    for node in &inside {
        sh(node, &format!("ip route add blackhole {outside}/32"));
    }
    let report = Report::of(&bench);
    assert_eq!(report.exit, 3, "{:#}", report.json["findings"]);
    for node in &inside {
        assert_eq!(report.one(node.name(), "node.unreachable")["owner"], "network-team");
    }
    bench.site(&direct.replace("  bootstrap:", &format!("  {jump}")).replace("JUMP", &one.address().to_string()));
    let report = Report::of(&bench);
    let pin = std::fs::read_to_string(bench.state().join("host-keys").join(one.address().to_string())).unwrap();
    assert!(pin.contains("accepted on first contact"), "{pin}");
    assert_eq!(report.exit, 0, "{:#}", report.json["findings"]);
    let events = applied(&bench);
    assert_eq!(failures(&events).len(), 0);
    for node in &inside {
        assert_eq!(outcome(&events, &format!("nodes/account/{}", node.name())), "changed");
        let from = sh(node, "journalctl -q -u ssh -o cat | grep Accepted");
        assert!(from.lines().all(|line| line.contains(&format!("from {}", one.address()))), "{from}");
    }
    sh(&one, "! getent passwd plinth");
}
