//! Kubernetes installed by hand on bare nodes, from the mirror. Run by `cargo xtask test --tier kubernetes`.
#![allow(clippy::unwrap_used)]

use plinth_lab::{KUBERNETES, Lab, LabSpec, Mirror};
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn bare_nodes_have_nothing_of_containers_and_reach_the_mirror() {
    let lab = Lab::up(&LabSpec::unique("bare").usual(1).kubernetes("10.233.64.0/18".parse().unwrap())).unwrap();
    let mirror = Mirror::have().unwrap();
    let served = mirror.serve(&lab).unwrap();
    let node = lab.node("n1").unwrap();
    let found =
        node.exec(&["sh", "-c", "ls /etc/containerd; command -v containerd runc ctr kubelet; ls /opt/cni/bin; true"]);
    assert_eq!(found.unwrap(), "");
    let network = || node.exec(&["sh", "-c", "cat /etc/cni/net.d/* 2>/dev/null; true"]).unwrap();
    assert_eq!(network(), "");
    let script = "cd /tmp && for path in $(curl -fsS \"$1/sha256sums\" | cut -d ' ' -f 3); do \
                  mkdir -p \"$(dirname \"$path\")\"; curl -fsS -o \"$path\" \"$1/$path\"; done; \
                  curl -fsS \"$1/sha256sums\" | sha256sum -c --quiet -; find . -type f | wc -l";
    let count = node.exec(&["sh", "-euc", script, "sh", &served.url()]).unwrap();
    assert_eq!(count.trim(), "9");
    let version =
        node.exec(&["sh", "-c", "cd /tmp/release/*/bin/linux/amd64 && chmod +x kubeadm && ./kubeadm version -o short"]);
    assert_eq!(version.unwrap().trim(), format!("v{KUBERNETES}"));
    // The network of pods is configured when its plugins come, and again when it was taken away and they come again.
    for _ in 0..2 {
        let unpack = "mkdir -p /opt/cni/bin; tar -C /opt/cni/bin -xzf /tmp/containernetworking/plugins/releases/download/*/*.tgz";
        node.exec(&["sh", "-euc", unpack]).unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        while !network().contains("10.233.64.0/24") {
            assert!(Instant::now() < end, "no configuration");
            std::thread::sleep(Duration::from_millis(100));
        }
        node.exec(&["sh", "-c", "rm -rf /etc/cni /opt/cni/bin"]).unwrap();
    }
}
