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
        let ran = ground.apply("apply").exits(0);
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
        readme_shows(&ran.out);
    });
}

/// The reason stands on the card of the step, and the next apply puts it right.
fn a_hook_that_fails(ground: &Ground) {
    ground.site(&json!({"haproxy-ingress": {"values": {"standIn": {"fails": true}}}}));
    let ran = ground.apply("fails").exits(4);
    ran.says("platform/release/haproxy-ingress").says("no kind may be written today");
    ground.site(&json!({}));
    ground.apply("repaired").exits(0);
    assert_eq!(ground.changed(), ["platform/release/haproxy-ingress"]);
    ground.all_deployed();
}

/// Each step that README shows of such a run was in this one, and ended so.
fn readme_shows(out: &str) {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let part = readme.split("## What a real platform stage looks like").nth(1).unwrap();
    let block = part.split("```").nth(1).unwrap();
    let step_and_outcome = |line: &str| {
        let mut words = line.split_whitespace().skip(2);
        Some((words.next().filter(|step| step.contains('/'))?.to_owned(), words.next()?.to_owned()))
    };
    let (shown, was): (Vec<_>, Vec<_>) =
        (block.lines().filter_map(step_and_outcome).collect(), out.lines().filter_map(step_and_outcome).collect());
    assert!(shown.len() > 8, "{shown:?}");
    let missing: Vec<_> = shown.iter().filter(|one| !was.contains(one)).collect();
    assert!(missing.is_empty(), "README shows {missing:?}:\n{out}");
}
