//! Acceptance checks with pods that really run, on two nodes of a lab: each holds, and then names the one thing that is broken. What
//! vendors bring is stood in for by real pods and a real device plugin. They need root and Go: `cargo xtask test --tier kubernetes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "kubernetes_checks/cluster.rs"]
mod cluster;
#[path = "kubernetes_checks/ground.rs"]
mod ground;
#[path = "kubernetes_checks/hardware.rs"]
mod hardware;
#[path = "kubernetes_checks/names.rs"]
mod names;
#[path = "kubernetes_checks/prometheus.rs"]
mod prometheus;
#[path = "kubernetes_checks/snapshots.rs"]
mod snapshots;
#[path = "nodes/support.rs"]
#[allow(dead_code)]
mod support;
#[path = "kubernetes_checks/web.rs"]
mod web;

use ground::Ground;

#[test]
#[ignore = "needs root, the lab, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn each_check_holds_with_real_pods_and_names_what_is_broken() {
    let ground = Ground::up();
    prometheus::stands(&ground);
    hardware::shared_gpus(&ground);
    hardware::infiniband(&ground);
    snapshots::restored(&ground);
    web::metrics(&ground);
    web::ingress(&ground);
    prometheus::measured(&ground);
    names::outside(&ground);
    ground.nothing_is_left();
}
