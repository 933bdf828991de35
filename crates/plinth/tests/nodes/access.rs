//! From the login that nodes are delivered with to the account that plinth works with.

use crate::seen::{ACCOUNT, Proof, applied, ended, outcome, sh, site, ssh, whole};
use crate::support::{Bench, said};
use plinth_lab::LabSpec;

/// What was touched after the mark was set; sshd's own settings are the test's doing.
const TOUCHED: &str = "find /etc /home /root -newer /run/mark -o -cnewer /run/mark | sort";

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn five_nodes_go_from_a_password_to_keys_only_and_the_second_run_changes_nothing() {
    let bench = Bench::up(&LabSpec::unique("access").usual(5), &site(&["n1"], &["n2", "n3", "n4", "n5"]));
    let events = applied(&bench);
    for node in bench.lab.nodes() {
        assert_eq!(outcome(&events, &format!("nodes/account/{}", node.name())), "changed");
        whole(&bench, &node);
        assert_eq!(sh(&node, "stat -c %a /home/plinth"), "700\n");
    }
    let first = bench.lab.node("n1").unwrap();
    assert!(ssh(&bench, &first, "ubuntu", &Proof::Password, "true").status.success(), "the witness can use a password");
    let refused = ssh(&bench, &first, ACCOUNT, &Proof::Password, "true");
    assert!(!refused.status.success() && said(&refused).contains("Permission denied"), "{}", said(&refused));

    for node in bench.lab.nodes() {
        sh(
            &node,
            "usermod -p '!' ubuntu; sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/' \
             /etc/ssh/sshd_config.d/lab.conf; grep -q 'PasswordAuthentication no' /etc/ssh/sshd_config.d/lab.conf; \
             systemctl restart ssh; sleep 0.1; touch /run/mark",
        );
    }
    assert!(!ssh(&bench, &first, "ubuntu", &Proof::Password, "true").status.success(), "the first login is gone");
    let events = applied(&bench);
    assert_eq!(ended(&events, "changed"), Vec::<&str>::new());
    for node in bench.lab.nodes() {
        assert_eq!(outcome(&events, &format!("nodes/account/{}", node.name())), "unchanged");
        assert_eq!(sh(&node, TOUCHED), "", "{} was touched", node.name());
        sh(&node, "touch /etc/hosts");
        assert_eq!(sh(&node, TOUCHED), "/etc/hosts\n", "what is touched is seen");
    }
}
