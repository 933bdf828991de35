//! Host keys: pinned on first contact, believed ever after, changed only by a person.

use crate::seen::{Report, applied, ended, failures, outcome, sh, site};
use crate::support::{Bench, said};
use plinth_lab::LabSpec;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

/// The blob of the host key of a kind.
fn shown(bench: &Bench, node: &str, kind: &str) -> String {
    let keys = bench.lab.node(node).unwrap().host_keys().unwrap();
    let line = keys.iter().find(|line| line.starts_with(kind)).unwrap();
    line.split(' ').nth(1).unwrap().to_owned()
}

fn pin(bench: &Bench, node: &str) -> String {
    std::fs::read_to_string(bench.state().join("host-keys").join(node)).unwrap()
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_changed_host_key_stops_its_node_until_a_person_trusts_the_new_one() {
    let bench = Bench::up(&LabSpec::unique("hostkeys").usual(3), &site(&["n1"], &["n2", "n3"]));
    let report = Report::of(&bench);
    assert_eq!(report.exit, 0, "{:#}", report.json["findings"]);
    for name in ["n1", "n2", "n3"] {
        let finding = report.one(name, "node.host-key-pinned");
        assert_eq!(finding["severity"], "info");
        assert!(pin(&bench, name).contains(&shown(&bench, name, "ssh-ed25519")), "{name}");
        assert!(
            pin(&bench, name).starts_with("# 20") && pin(&bench, name).contains("first contact"),
            "a recorded decision"
        );
    }
    let mode = std::fs::metadata(bench.state().join("host-keys")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert!(Report::of(&bench).codes("n1").iter().all(|code| !code.contains("host-key")), "once is enough");
    applied(&bench);

    let two = bench.lab.node("n2").unwrap();
    two.new_host_keys().unwrap();
    let before = pin(&bench, "n2");
    let report = Report::of(&bench);
    assert_eq!(report.exit, 3);
    let finding = report.one("n2", "node.host-key-changed");
    assert!(finding["fix"].as_str().unwrap().contains("`plinth trust n2`"), "{finding:#}");
    assert!(
        finding["evidence"].to_string().contains("pinned: ") && finding["evidence"].to_string().contains("presented: ")
    );
    assert_eq!(report.facts("n2"), &serde_json::Value::Null, "nothing is asked of a machine that may be another one");
    for name in ["n1", "n3"] {
        assert_eq!(report.facts(name)["hostname"], name, "the others are visited");
    }
    let stopped = bench.plinth(&["apply", "--yes"]);
    assert_eq!(stopped.status.code(), Some(4), "{}", said(&stopped));
    assert!(said(&stopped).contains("going on without n2"), "{}", said(&stopped));
    assert!(said(&stopped).contains("plinth trust n2"), "{}", said(&stopped));
    let logins = sh(&two, "journalctl -q -u ssh -o cat | grep -c 'Failed\\|Accepted' || true");
    let again = Report::of(&bench);
    assert_eq!(again.exit, 3);
    assert_eq!(
        sh(&two, "journalctl -q -u ssh -o cat | grep -c 'Failed\\|Accepted' || true"),
        logins,
        "no login is tried"
    );
    assert_eq!(pin(&bench, "n2"), before, "only a person changes it");

    let trusted = bench.plinth(&["trust", "n2", "--yes"]);
    assert!(trusted.status.success(), "{}", said(&trusted));
    assert!(pin(&bench, "n2").contains(&shown(&bench, "n2", "ssh-ed25519")));
    assert!(pin(&bench, "n2").contains("by a person"));
    // The run before went on without n2, so the inventory takes it in again; nothing is done on any node.
    assert_eq!(ended(&applied(&bench), "changed"), ["kubernetes/inventory/kubespray"]);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn another_kind_of_key_is_no_change_and_a_persons_known_hosts_counts() {
    let bench = Bench::up(&LabSpec::unique("known").usual(3), &site(&["n1"], &["n2", "n3"]));
    let (one, two) = (bench.lab.node("n1").unwrap(), bench.lab.node("n2").unwrap());
    // n1 has only an ECDSA key at first; n2 is known to the person; n3 is known by a key that it does not have.
    let ecdsa = "cp /etc/ssh/sshd_config.d/lab.conf /root/lab.conf; sed -i '/ed25519_key/d' /etc/ssh/sshd_config.d/lab.conf; \
                 systemctl restart ssh";
    sh(&one, ecdsa);
    let folder = bench.folder.path().join(".ssh");
    std::fs::create_dir(&folder).unwrap();
    let three = bench.lab.node("n3").unwrap().address();
    let (right, wrong) = (shown(&bench, "n2", "ssh-ed25519"), shown(&bench, "n1", "ssh-ed25519"));
    let lines = format!("{} ssh-ed25519 {right}\n{three} ssh-ed25519 {wrong}\n", two.address());
    std::fs::write(folder.join("known_hosts"), lines).unwrap();
    let report = Report::of(&bench);
    assert_eq!(report.exit, 3);
    assert!(report.one("n1", "node.host-key-pinned")["evidence"].to_string().contains("ecdsa"));
    assert!(!report.codes("n2").iter().any(|code| code.contains("host-key")), "it is known: {:?}", report.codes("n2"));
    assert_eq!(report.facts("n2")["hostname"], "n2");
    assert!(report.codes("n3").contains("node.host-key-changed"), "{:?}", report.codes("n3"));

    sh(&one, "cp /root/lab.conf /etc/ssh/sshd_config.d/lab.conf; systemctl restart ssh");
    assert!(
        !Report::of(&bench).codes("n1").iter().any(|code| code.contains("host-key")),
        "the pinned key is still there"
    );
    let trusted = bench.plinth(&["trust", "n3", "--yes"]);
    assert!(trusted.status.success(), "a person's old line does not hold up trust: {}", said(&trusted));
    let events = applied(&bench);
    assert_eq!(outcome(&events, "nodes/account/n3"), "changed");
    assert_eq!(failures(&events), BTreeMap::new());
}
