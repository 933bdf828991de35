//! Labs of real nodes. They need root: `cargo xtask test --tier nodes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use plinth_lab::{Lab, LabSpec};

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn five_nodes_boot_and_run_containerd() {
    let lab = Lab::up(&LabSpec::unique("five").usual(5)).unwrap();
    for node in lab.nodes() {
        assert_eq!(node.exec(&["hostname"]).unwrap().trim(), node.name());
        assert_eq!(node.exec(&["systemctl", "is-active", "ssh"]).unwrap().trim(), "active");
        let version = node.exec(&["ctr", "version"]).unwrap();
        assert!(version.contains("Server:"), "{version}");
        for there in lab.nodes().map(|other| other.address()).chain([lab.bridge()]) {
            node.exec(&["ping", "-c1", "-W2", "-q", &there.to_string()]).unwrap();
        }
    }
    lab.down().unwrap();
}
