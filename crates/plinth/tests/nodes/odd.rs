//! Nodes that are unlike others: preflight tells exactly what is odd, and apply works where it can.

use crate::seen::{Report, applied, failures, outcome, sh, site, whole};
use crate::support::{Bench, said};
use plinth_lab::{Lab, LabSpec, Login, NodeSpec, Odd, Sudo};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Eight GPUs as the kernel tells of them; the lab's own programs tell of them to people.
const GPUS: &str = "mount -t tmpfs tmpfs /sys/bus/pci/devices; n=0; while [ $n -lt 8 ]; do \
    mkdir /sys/bus/pci/devices/0000:1$n:00.0; echo 0x10de > /sys/bus/pci/devices/0000:1$n:00.0/vendor; \
    echo 0x030200 > /sys/bus/pci/devices/0000:1$n:00.0/class; n=$((n + 1)); done";

/// A node's oddity, and the codes that it has beyond those of a usual node, with who fixes it.
type Case = (&'static str, Odd, &'static [(&'static str, &'static str)]);

fn odd() -> Odd {
    Odd::default()
}

/// Nodes on which apply makes the account all the same.
fn workable() -> Vec<Case> {
    vec![
        ("usual", odd(), &[]),
        ("rsa", odd().rsa_host_key(), &[]),
        ("nopasswd", odd().sudo(Sudo::NoPassword), &[]),
        ("root", odd().root_login(), &[]),
        ("named", odd().hostname("other"), &[("node.hostname-differs", "bcm-admin")]),
        ("tcsh", odd().shell("/bin/tcsh"), &[]),
        ("dash", odd().shell("/bin/dash"), &[]),
        ("busybox", odd().busybox_sh(), &[]),
        ("noisy", odd().noisy(), &[("node.noisy-login", "you")]),
        ("gpus", odd().gpus(8), &[]),
        ("nfs", odd().nfs_home(), &[]),
        ("small", odd().small_var(128), &[("node.small-var", "bcm-admin")]),
    ]
}

/// Nodes that cannot be worked on, with all the codes that tell why.
fn hopeless() -> Vec<Case> {
    vec![
        ("old", odd().old_ssh(), &[("node.unreachable", "you")]),
        ("absent", odd().sudo(Sudo::Absent), &[("node.no-root", "bcm-admin")]),
        ("refused", odd().sudo(Sudo::Refused), &[("node.no-root", "bcm-admin")]),
        ("rbash", odd().shell("/bin/rbash"), &[("node.operation-failed", "you")]),
        ("nologin", odd().shell("/usr/sbin/nologin"), &[("node.operation-failed", "you")]),
        ("ahead", odd().clock_skew(120), &[("node.clock-off", "bcm-admin")]),
    ]
}

fn lab(cases: &[Case]) -> (LabSpec, Vec<&'static str>) {
    let add = |spec: LabSpec, (name, odd, _): &Case| spec.node(NodeSpec::new(*name).odd(odd.clone()));
    (cases.iter().fold(LabSpec::unique("odd"), add), cases.iter().map(|(name, ..)| *name).collect())
}

#[track_caller]
fn told(report: &Report, name: &str, expected: &[(&str, &str)]) {
    for (code, owner) in expected {
        let finding = report.one(name, code);
        assert_eq!(finding["owner"], *owner, "{finding:#}");
        assert!(!finding["fix"].as_str().unwrap().is_empty(), "{finding:#}");
    }
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn preflight_tells_what_is_odd_and_apply_makes_the_account_all_the_same() {
    let cases = workable();
    let (spec, names) = lab(&cases);
    let bench = Bench::up(&spec, &site(&names[..1], &names[1..]));
    sh(&bench.lab.node("gpus").unwrap(), GPUS);
    let report = Report::of(&bench);
    assert_eq!(report.exit, 0, "{:#}", report.json["findings"]);
    for (name, _, expected) in &cases {
        let codes: Vec<&str> = expected.iter().map(|(code, _)| *code).collect();
        let beyond = report.beyond(name, "usual");
        let gpu = ["node.no-driver", "node.no-kernel-headers", "node.no-fabric-manager"];
        assert_eq!(
            beyond.into_iter().filter(|code| *name != "gpus" || !gpu.contains(code)).collect::<Vec<_>>(),
            codes,
            "{name}"
        );
        told(&report, name, expected);
        assert_eq!(report.facts(name)["osId"], "debian", "{name}");
        assert_eq!(report.facts(name)["root"], "sudo", "{name}");
        assert_eq!(report.facts(name)["hostname"], if *name == "named" { "other" } else { name });
    }
    facts(&report);
    let events = applied(&bench);
    for name in names {
        assert_eq!(outcome(&events, &format!("nodes/account/{name}")), "changed", "{name}");
        whole(&bench, &bench.lab.node(name).unwrap());
    }
}

fn facts(report: &Report) {
    assert_eq!(report.facts("gpus")["gpus"], 8);
    assert_eq!(report.facts("gpus")["dgxRelease"], "6.2.1");
    assert_eq!(report.facts("noisy")["noisy"], json!(true));
    assert_eq!(report.facts("usual")["noisy"], json!(false));
    let var = |name: &str| -> Value {
        let spaces = report.facts(name)["spaces"].as_array().unwrap();
        spaces.iter().find(|space| space["path"] == "/var").unwrap()["mount"].clone()
    };
    assert_eq!((var("small"), var("usual")), (json!("/var"), json!("/")));
    // The lab's NFS is only what programs say; the kernel's table of mounts, which plinth reads, tells the truth.
    assert_eq!(report.facts("nfs")["homeFilesystem"], report.facts("usual")["homeFilesystem"]);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn what_makes_a_node_unfit_is_told_with_its_owner_and_stops_apply_before_any_change() {
    let cases = hopeless();
    let (spec, names) = lab(&cases);
    let bench = Bench::up(&spec.usual(1), &site(&["n7"], &names));
    let report = Report::of(&bench);
    assert_eq!(report.exit, 3, "a check failed");
    for (name, _, expected) in &cases {
        told(&report, name, expected);
        let all = report.codes(name);
        let errors: Vec<&str> = all.into_iter().filter(|code| report.one(name, code)["severity"] == "error").collect();
        assert_eq!(errors, expected.iter().map(|(code, _)| *code).collect::<Vec<_>>(), "{name}");
    }
    assert!(report.codes("nodes").contains("node.clock-skew"), "one clock is ahead of the others");
    assert!(report.one("old", "node.unreachable")["fix"].to_string().contains("legacyKeys"));
    let offset = report.facts("ahead")["clockOffsetMs"].as_i64().unwrap();
    assert!((100_000..=120_000).contains(&offset), "{offset}");
    assert_eq!(report.facts("n7")["clockOffsetMs"].as_i64().unwrap().abs() / 1000, 0, "the same clock");
    let refused = bench.plinth(&["apply", "--yes"]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(said(&refused).contains("6 errors") || said(&refused).contains("7 errors"), "{}", said(&refused));
    for node in bench.lab.nodes() {
        sh(&node, "! getent passwd plinth && ! getent group plinth && [ ! -e /home/plinth ]");
    }
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn sha1_is_used_where_the_site_allows_it_and_the_plan_says_so() {
    let spec = LabSpec::unique("legacy").usual(1).node(NodeSpec::new("old").odd(odd().old_ssh()));
    let rsa = "gid: 60000, key: {file: account-key}}\n  legacyKeys: [old]";
    let text = site(&["n1"], &["old"]).replace("gid: 60000, keyAlgorithm: ed25519}", rsa);
    let bench = Bench::up(&spec, &text);
    let key = bench.folder.path().join("account-key");
    made(&["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-C", "plinth", "-f"], &key);
    let report = Report::of(&bench);
    assert_eq!(report.exit, 0, "{:#}", report.json["findings"]);
    let finding = report.one("access.legacyKeys", "access.legacy-keys");
    assert!(finding.to_string().contains("old"), "{finding:#}");
    assert!(report.one("old", "node.host-key-pinned")["evidence"].to_string().contains("rsa"));
    let events = applied(&bench);
    assert_eq!(outcome(&events, "nodes/account/old"), "changed");
    assert_eq!(outcome(&events, "nodes/facts/old"), "unchanged", "the account's RSA key is taken, with SHA-1");
    assert!(!bench.state().join("secrets/ssh-key").exists(), "a given key is not copied");
}

fn made(words: &[&str], path: &Path) {
    let done = std::process::Command::new(words[0]).args(&words[1..]).arg(path).status().unwrap();
    assert!(done.success());
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn ways_to_log_in_that_take_no_keys_and_root_itself() {
    let spec = LabSpec::unique("logins")
        .node(NodeSpec::new("asked").odd(odd().login(Login::KeyboardInteractive)))
        .node(NodeSpec::new("password").odd(odd().login(Login::Password)))
        .node(NodeSpec::new("root").odd(odd().root_login().sudo(Sudo::Absent)));
    let bench = Bench::up(&spec, &site(&["asked"], &["password"]));
    assert_eq!(Report::of(&bench).exit, 0);
    let (events, exit) = bench.apply();
    assert_eq!(exit, 4);
    let expected = ["nodes/facts/asked", "nodes/facts/password"].map(|step| (step, "node.login-refused"));
    assert_eq!(failures(&events), BTreeMap::from(expected), "sshd there takes no keys, and says so");
    for name in ["asked", "password"] {
        assert_eq!(outcome(&events, &format!("nodes/account/{name}")), "changed");
    }
    open_to_keys(&bench.lab);
    let events = applied(&bench);
    assert_eq!(outcome(&events, "nodes/account/asked"), "unchanged");
    ["asked", "password"].iter().for_each(|name| whole(&bench, &bench.lab.node(name).unwrap()));

    bench.site(&site(&["asked"], &["root"]).replace("user: ubuntu", "user: root"));
    let report = Report::of(&bench);
    assert_eq!(report.facts("root")["root"], "root", "{:#}", report.json["findings"]);
    assert_eq!(report.beyond("root", "asked"), ["node.host-key-pinned"], "no sudo is needed to look");
    let (events, _) = bench.apply();
    let expected = BTreeMap::from([("nodes/account/root", "run.step-failed")]);
    assert_eq!(failures(&events), expected, "the account would need sudo, and nothing is made without");
    sh(&bench.lab.node("root").unwrap(), "! getent passwd plinth");
}

fn open_to_keys(lab: &Lab) {
    for name in ["asked", "password"] {
        let script = "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config.d/lab.conf; systemctl restart ssh";
        sh(&lab.node(name).unwrap(), script);
    }
}
