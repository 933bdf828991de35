//! The platform stage on a cluster whose pods really run: `plinth apply` with the real helm installs every component on two nodes of a lab,
//! kubelets pull the images, and each check asks what the pods do. Charts, and what is in their pods, are stand-ins of ours; Run:ai is its
//! simulator behind them: `cargo xtask test --tier kubernetes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "kubernetes_real/broken.rs"]
mod broken;
#[path = "kubernetes_platform/charts.rs"]
#[allow(dead_code, reason = "shared with the tests of the platform, which use all of it")]
mod charts;
#[path = "kubernetes_checks/cluster.rs"]
#[allow(dead_code, reason = "shared with the tests of checks, which use all of it")]
mod cluster;
#[path = "kubernetes_real/ground.rs"]
mod ground;
#[path = "kubernetes_real/objects.rs"]
mod objects;
#[path = "kubernetes_real/standins.rs"]
mod standins;
#[path = "nodes/support.rs"]
#[allow(dead_code)]
mod support;

use ground::Ground;
use serde_json::json;

#[test]
#[ignore = "needs root, the lab, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_platform_comes_up_with_real_pods_is_proved_and_left_alone() {
    Ground::with(|ground| {
        ground.apply("apply").exits(0);
        ground.all_deployed();
        ground.proved();
        ground.apply("again").exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new(), "a second apply changes nothing");
        ground.run("plan", &["plan", "--preflight", "--detailed-exitcode"]).exits(0);
        broken::storage(ground);
        broken::gpus(ground);
        broken::system(ground);
        broken::runai(ground);
        a_hook_that_fails(ground);
    });
}

/// The reason stands on the card of the step, and the next apply puts it right.
fn a_hook_that_fails(ground: &Ground) {
    ground.site(&json!({"haproxy-ingress": {"values": {"standIn": {"fails": true}}}}));
    let ran = ground.apply("fails").exits(4);
    ran.says("platform/release/haproxy-ingress").says("hook hook said last: no kind may be written today");
    ground.site(&json!({}));
    ground.apply("repaired").exits(0);
    assert_eq!(ground.changed(), ["platform/release/haproxy-ingress"]);
    ground.all_deployed();
}
