//! What a look at an unchanged site costs a node, counted by its own sshd.

use crate::seen::{ACCOUNT, applied, sh, site};
use crate::support::{Bench, said};
use plinth_lab::{LabSpec, Node};
use serde_json::Value;

/// Connections, logins of our account, and commands on them, so far.
fn counted(node: &Node<'_>) -> [usize; 3] {
    let count = |text: &str| {
        let script = format!("journalctl --sync; journalctl -q -t sshd -o cat | grep -c '{text}' || true");
        sh(node, &script).trim().parse().unwrap()
    };
    [
        count("^Connection from "),
        count(&format!("^Accepted publickey for {ACCOUNT} ")),
        count(&format!("^Starting session: command for {ACCOUNT} ")),
    ]
}

/// Steps of the plan that ask something of the node itself, once each; the gate of its storage is closed.
fn asking(plan: &Value, node: &str) -> usize {
    let asks = ["node.account", "node.facts", "node.prepare"];
    let steps = plan["steps"].as_array().unwrap().iter().filter(|step| step["target"] == node);
    steps.filter(|step| asks.contains(&step["kind"].as_str().unwrap())).count()
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_look_at_an_unchanged_site_connects_once_and_asks_each_thing_once() {
    let bench = Bench::up(&LabSpec::unique("once").usual(3), &site(&["n1"], &["n2", "n3"]));
    for node in bench.lab.nodes() {
        sh(&node, "echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/00-verbose.conf; systemctl restart ssh");
    }
    applied(&bench);
    let before: Vec<[usize; 3]> = bench.lab.nodes().map(|node| counted(&node)).collect();
    assert!(before.iter().all(|counts| counts.iter().all(|count| *count > 0)), "what is counted is there: {before:?}");
    let looked = bench.plinth(&["plan", "--preflight", "--json"]);
    let plan: Value = serde_json::from_slice(&looked.stdout).unwrap_or_else(|_| panic!("{}", said(&looked)));
    for (node, before) in bench.lab.nodes().zip(before) {
        let after = counted(&node);
        let more: Vec<usize> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        let asking = asking(&plan, node.name());
        assert!(asking >= 2, "{plan:#}");
        assert_eq!(more, [1, 1, asking], "connections, logins and commands on {}", node.name());
    }
}
