//! Accounts that are partly there, and accounts that something stands in the way of.

use crate::seen::{ACCOUNT, accounts, applied, ended, failures, outcome, sh, site, whole};
use crate::support::Bench;
use plinth_lab::{LabSpec, NodeSpec, Odd};
use std::collections::BTreeMap;

const FOREIGN: &str = "# a person's own line\n\
    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvZ2LYm1iXqHqGAu6vNTaKzZ8vQ0k7xgJ0l7QTOmQ5n alice@desk\n\
    restrict,command=\"/bin/true\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBrYw6Q1v8mJm3m5fYgJ7xw3tIu1Zp4w0m9d8x2p7L1k backup\n";

/// What is taken away, a node each.
const ASPECTS: [(&str, &str); 13] = [
    (
        "n1",
        "userdel -f -r plinth 2>/dev/null || true; ! getent passwd plinth; rm /etc/sudoers.d/plinth; \
         getent group plinth || groupadd -g 60000 plinth",
    ),
    ("n2", "rm -rf /home/plinth"),
    ("n3", "chmod 755 /home/plinth/.ssh"),
    ("n4", "chown root:root /home/plinth/.ssh /home/plinth/.ssh/authorized_keys"),
    ("n5", ": > /home/plinth/.ssh/authorized_keys"),
    ("n6", "cat > /home/plinth/.ssh/authorized_keys"),
    ("n7", "rm /etc/sudoers.d/plinth"),
    ("n8", "echo 'plinth ALL=(ALL:ALL) ALL' > /etc/sudoers.d/plinth"),
    ("n9", "chmod 644 /home/plinth/.ssh/authorized_keys"),
    ("n10", "usermod -s /bin/sh plinth"),
    ("n11", "usermod -p '!' plinth"),
    ("n12", "rm -r /home/plinth/.ssh"),
    ("n13", "chmod 777 /home/plinth"),
];

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn an_account_that_lacks_any_one_thing_is_completed_and_what_is_not_ours_stays() {
    let workers: Vec<String> = (2..=14).map(|n| format!("n{n}")).collect();
    let workers: Vec<&str> = workers.iter().map(String::as_str).collect();
    let bench = Bench::up(&LabSpec::unique("partial").usual(14), &site(&["n1"], &workers));
    applied(&bench);
    for (name, script) in ASPECTS {
        let node = bench.lab.node(name).unwrap();
        node.fed(&["/bin/sh", "-euc", script], FOREIGN.as_bytes()).unwrap();
    }
    let events = applied(&bench);
    for (name, script) in ASPECTS {
        assert_eq!(outcome(&events, &format!("nodes/account/{name}")), "changed", "{name}: {script}");
        whole(&bench, &bench.lab.node(name).unwrap());
    }
    assert_eq!(outcome(&events, "nodes/account/n14"), "unchanged", "nothing was taken away there");
    let keys = sh(&bench.lab.node("n6").unwrap(), "cat /home/plinth/.ssh/authorized_keys");
    assert!(keys.starts_with(FOREIGN), "what others wrote stays as it is:\n{keys}");
    assert_eq!(keys.lines().count(), FOREIGN.lines().count() + 1, "{keys}");
    assert_eq!(ended(&applied(&bench), "changed"), Vec::<&str>::new(), "the next run has nothing to do");
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_clash_is_told_before_anything_is_changed_and_the_other_nodes_go_on() {
    let clashing = [
        (
            "n2",
            Odd::default().group("others", 60_000).user("others", 60_000, 60_000),
            "uid 60000 belongs to user others",
        ),
        ("n3", Odd::default().group("others", 60_000), "gid 60000 belongs to group others"),
        (
            "n4",
            Odd::default().group(ACCOUNT, 60_000).user(ACCOUNT, 1500, 60_000),
            "user plinth has uid 1500, not 60000",
        ),
        ("n5", Odd::default().group(ACCOUNT, 1501), "group plinth has gid 1501, not 60000"),
        ("n6", Odd::default(), "the home directory /home/plinth belongs to uid 1000, not 60000"),
    ];
    let spec = clashing.iter().fold(LabSpec::unique("clash").usual(1), |spec, (name, odd, _)| {
        spec.node(NodeSpec::new(*name).odd(odd.clone()))
    });
    let workers = ["n2", "n3", "n4", "n5", "n6", "n7"];
    // Five clashes at once are more than usually may fail before no new node is begun.
    let text = site(&["n1"], &workers) + "run: {nodeFailures: 9}\n";
    let bench = Bench::up(&spec.usual(1), &text);
    let node = |name: &str| bench.lab.node(name).unwrap();
    sh(&node("n6"), "mkdir /home/plinth; echo mine > /home/plinth/file; chown -R ubuntu:ubuntu /home/plinth");
    let before: Vec<String> = clashing.iter().map(|(name, ..)| accounts(&node(name))).collect();
    let (events, exit) = bench.apply();
    assert_eq!(exit, 4);
    let expected: BTreeMap<String, &str> =
        clashing.iter().map(|(name, ..)| (format!("nodes/account/{name}"), "node.account-clash")).collect();
    let failed: BTreeMap<String, &str> =
        failures(&events).into_iter().map(|(step, code)| (step.to_owned(), code)).collect();
    assert_eq!(failed, expected);
    for ((name, _, words), before) in clashing.iter().zip(before) {
        let event =
            events.iter().find(|e| e["event"] == "step.finished" && e["step"] == format!("nodes/account/{name}"));
        let finding = &event.unwrap()["finding"];
        assert!(finding["evidence"].to_string().contains(words), "{name}: {finding:#}");
        assert!(!finding["fix"].as_str().unwrap().is_empty());
        assert_eq!(accounts(&node(name)), before, "{name} is as it was");
    }
    for name in ["n1", "n7"] {
        assert_eq!(outcome(&events, &format!("nodes/account/{name}")), "changed");
        whole(&bench, &node(name));
    }
}
