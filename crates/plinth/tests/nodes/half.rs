//! plinth and the program that makes the account are killed in its middle: half an account is seen as one, and completed.

use crate::content::{until, until_idle};
use crate::seen::{applied, ended, outcome, sh, site, whole};
use crate::support::Bench;
use plinth_lab::{LabSpec, Node};

/// Where a program of the shadow suite stops, a node each: it replaces file after file, and waits at the first one that it finds
/// to be a pipe. Then the file that tells that it has come there, and what the kill leaves.
const MIDDLES: [(&str, &str, &str, &str); 4] = [
    ("n2", "/etc/group+", "[ -s /etc/group.lock ]", "! grep -q ^plinth: /etc/group && [ -e /etc/group.lock ]"),
    (
        "n3",
        "/etc/gshadow+",
        "grep -q ^plinth: /etc/group",
        "grep -q ^plinth: /etc/group && ! grep -q ^plinth: /etc/gshadow",
    ),
    ("n4", "/etc/passwd+", "[ -s /etc/passwd.lock ]", "! grep -q ^plinth: /etc/passwd && [ -e /etc/passwd.lock ]"),
    (
        "n5",
        "/etc/shadow+",
        "grep -q ^plinth: /etc/passwd",
        "grep -q ^plinth: /etc/passwd && ! grep -q ^plinth: /etc/shadow",
    ),
];
/// Locks of programs that were killed long ago: one without a number, one whose number is another process's by now.
const OLD_LOCKS: [(&str, &str); 2] = [
    ("n6", ": >/etc/passwd.lock; : >/etc/group.lock"),
    ("n7", "sleep 600 >/dev/null 2>&1 & printf '%s\\0' $! >/etc/passwd.lock; touch -d '2 days ago' /etc/passwd.lock"),
];
/// A program that takes its time, in whose middle plinth is killed.
const SLOW: &str =
    "#!/bin/sh\necho >/run/held\nwhile [ ! -e /run/go ]; do sleep 0.1; done\nexec /usr/sbin/useradd \"$@\"\n";

fn stand_in_the_way(bench: &Bench) {
    for (name, pipe, ..) in MIDDLES {
        sh(&bench.lab.node(name).unwrap(), &format!("mkfifo {pipe}"));
    }
    for (name, script) in OLD_LOCKS {
        sh(&bench.lab.node(name).unwrap(), script);
    }
    bench.lab.node("n8").unwrap().write_file("/usr/local/bin/useradd", "0755", SLOW.as_bytes()).unwrap();
}

fn is_so(node: &Node<'_>, test: &str) -> Option<String> {
    node.exec(&["/bin/sh", "-euc", test]).ok()
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn an_account_that_was_half_made_when_plinth_was_killed_is_completed() {
    let workers = ["n2", "n3", "n4", "n5", "n6", "n7", "n8"];
    let bench = Bench::up(&LabSpec::unique("half").usual(8), &site(&["n1"], &workers));
    stand_in_the_way(&bench);
    let mut plinth = bench.command(&["apply", "--yes", "--events", "first.ndjson"]).spawn().unwrap();
    for (name, _, reached, _) in MIDDLES {
        until(&bench.lab.node(name).unwrap(), reached, |node| is_so(node, reached));
    }
    until(&bench.lab.node("n8").unwrap(), "useradd did not begin", |node| is_so(node, "[ -e /run/held ]"));
    plinth.kill().unwrap();
    plinth.wait().unwrap();
    // By now it was told to end, and has some seconds.
    std::thread::sleep(std::time::Duration::from_secs(1));
    sh(&bench.lab.node("n8").unwrap(), "echo >/run/go");
    for (name, pipe, _, left) in MIDDLES {
        let node = bench.lab.node(name).unwrap();
        sh(&node, &format!("kill -9 $(tr -d '\\000' <{}lock); rm {pipe}", pipe.replace('+', ".")));
        until_idle(&node);
        assert!(
            is_so(&node, left).is_some(),
            "{name}: the kill came elsewhere: {}",
            sh(&node, "ls /etc/*.lock || true")
        );
    }
    let slow = bench.lab.node("n8").unwrap();
    until_idle(&slow);
    until(&slow, "useradd was ended in its middle", |node| is_so(node, "grep -q '^plinth:[*]:' /etc/shadow"));

    let events = applied(&bench);
    for name in workers {
        let node = bench.lab.node(name).unwrap();
        // The others were completed before plinth was killed, or by themselves since.
        let was_half = MIDDLES.iter().any(|(half, ..)| *half == name);
        assert!(!was_half || outcome(&events, &format!("nodes/account/{name}")) == "changed", "{name}");
        whole(&bench, &node);
        assert_eq!(sh(&node, "ls /etc/*.lock /etc/*+ 2>/dev/null || true"), "", "{name}");
        assert_eq!(sh(&node, "grep -c ^plinth: /etc/gshadow /etc/shadow"), "/etc/gshadow:1\n/etc/shadow:1\n", "{name}");
    }
    assert_eq!(ended(&applied(&bench), "changed"), Vec::<&str>::new(), "the next run has nothing to do");
}
