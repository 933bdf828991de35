//! What the whole platform costs, on the ground of `tests/kubernetes_platform`: `cargo xtask bench --platform`, which names the program to
//! measure and the file for what was measured. It proves nothing, so no tier runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "kubernetes_platform/charts.rs"]
#[allow(dead_code, reason = "shared with the tests of the platform, which use all of it")]
mod charts;
#[path = "bench_platform/fresh.rs"]
mod fresh;
#[path = "kubernetes_platform/ground.rs"]
#[allow(dead_code, reason = "shared with the tests of the platform, which use all of it")]
mod ground;
#[path = "bench_platform/helm.rs"]
mod helm;
#[path = "kubernetes_platform/infiniband.rs"]
#[allow(dead_code, reason = "shared with the tests of the platform, which use all of it")]
mod infiniband;
#[path = "kubernetes/node.rs"]
mod node;
#[path = "kubernetes_platform/operator.rs"]
#[allow(dead_code, reason = "shared with the tests of the platform, which use all of it")]
mod operator;
#[path = "bench_platform/releases.rs"]
mod releases;
#[path = "kubernetes_platform/run.rs"]
#[allow(dead_code, reason = "shared with the tests of the platform, which use all of it")]
mod run;

use ground::{Ground, whole};
use serde_json::{Value, json};
use std::time::Instant;

/// Rounds in which plinth and helm take turns.
const ROUNDS: usize = 3;

/// What some work took: seconds by the clock, and of processor time of the programs that it started.
pub(crate) fn took<T>(work: impl FnOnce() -> T) -> (Value, T) {
    let (began, before) = (Instant::now(), of_children());
    let done = work();
    (json!({"seconds": began.elapsed().as_secs_f64(), "cpu": of_children() - before}), done)
}

/// Processor time of programs that have ended, in seconds: fields 16 and 17 of the kernel's line.
fn of_children() -> f64 {
    times(13)
}

/// The same of this process: fields 14 and 15.
pub(crate) fn own() -> f64 {
    times(11)
}

/// Two fields of the kernel's line about this process, behind its name; it counts in hundredths.
fn times(first: usize) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[first..first + 2].iter().map(|field| field.parse::<f64>().unwrap() / 100.0).sum()
}

#[test]
#[ignore = "a bench, which needs root, Go and the parts it builds: cargo xtask bench --platform"]
fn the_platform_is_measured() {
    let result = std::env::var_os("PLINTH_BENCH_RESULT").expect("`cargo xtask bench --platform` starts this");
    Ground::with("helm3", &whole(), |ground| {
        ground.apply_site().exits(0);
        let fresh = fresh::against_the_longest_chain(ground);
        eprintln!("fresh apply: {fresh}");
        let (mut plans, mut by_hand, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            plans.push(took(|| ground.plan_is_empty()).0);
            by_hand.push(took(|| helm::looks_at_everything(ground)).0);
            nothing.push(took(|| ground.apply_site().exits(0)).0);
        }
        // Before there are others.
        let components = ground.all_deployed().len();
        let releases = releases::read(ground);
        let measured = json!({
            "components": components,
            "fresh": fresh,
            "plan": plans,
            "helm": by_hand,
            "apply": nothing,
            "releases": releases,
        });
        eprintln!("{measured:#}");
        std::fs::write(result, measured.to_string()).unwrap();
    });
}
