//! Test tiers, cheapest first.

use crate::commands::{self, Failure, cargo};
use crate::lanes::{FAILED, Lane};
use crate::tally::Tally;
use crate::{direction, docs, house, rehearsal};
use clap::ValueEnum;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    /// Formatting
    Fmt,
    /// Which crate may use which
    Direction,
    /// House rules that no other tool checks
    House,
    /// Lints, all targets, warnings are errors
    Clippy,
    /// Every test of the workspace
    Unit,
    /// Release build; the first commands of the README, with and without a fault
    Release,
    /// Generated pages are what would be generated
    Docs,
    /// The bodies of the fuzz targets on mutated seeds, on the stable compiler and bounded: a smoke test, not a fuzz run
    FuzzSmoke,
    /// Run:ai's client with tokens of a real Keycloak: Java and Maven, which are installed
    Keycloak,
    /// Pages and the report of runs in a real browser, and JUnit against its schema: Debian's Chromium and xmllint and npm's axe-core, which are
    /// installed and fetched
    Page,
    /// Real ansible over a tree in Kubespray's shape, on real nodes: as the tier nodes, and a package index
    Kubespray,
    /// Tests on real nodes in namespaces: root, and Debian's systemd-nspawn and mmdebstrap, which are installed
    Nodes,
    /// Tests against a real Kubernetes API, and real Kubernetes on nodes: as `nodes`, Go, which builds it once, and as `keycloak`
    Kubernetes,
}

/// The fuzz package stands outside the workspace.
const FUZZ: &str = "fuzz/Cargo.toml";

/// What is known of the tiers that ended.
#[derive(Debug, Default)]
struct Ended {
    all: Tally,
    /// What failed, in the words of the tier: tests by name, a tier without such by its own.
    failed: Vec<String>,
}

/// Runs the tiers asked for, or all; prints the closing line. Answers whether all is good.
pub(crate) fn run(wanted: &[Tier]) -> Result<bool, Failure> {
    let tiers = if wanted.is_empty() { Tier::value_variants() } else { wanted };
    let (first, row, beside) = rows(tiers);
    let mut ended = Ended::default();
    ended.run(&first);
    // All is built by now, so that neither row waits for the compiler of the other.
    let lane = if row.is_empty() || beside.is_empty() { None } else { Some(Lane::start(&names(&beside))) };
    ended.run(&row);
    match lane {
        Some(lane) => ended.take(lane.and_then(Lane::end)),
        None => ended.run(&beside),
    }
    if !ended.failed.is_empty() {
        println!("{FAILED}{}", ended.failed.join(", "));
    }
    println!("{}", ended.all);
    Ok(ended.all.is_good())
}

/// What runs by itself, and then two rows that run side by side.
fn rows(tiers: &[Tier]) -> (Vec<Tier>, Vec<Tier>, Vec<Tier>) {
    let (waiting, first): (Vec<_>, Vec<_>) = tiers.iter().partition(|tier| tier.waits());
    let (row, beside) = waiting.into_iter().partition(|tier| *tier == Tier::Kubernetes);
    (first, row, beside)
}

fn names(tiers: &[Tier]) -> Vec<String> {
    tiers.iter().map(|tier| name(*tier)).collect()
}

impl Ended {
    fn run(&mut self, tiers: &[Tier]) {
        for tier in tiers {
            let started = Instant::now();
            println!("== {}", name(*tier));
            let mut failed = Vec::new();
            let tally = run_tier(*tier, &mut failed).unwrap_or_else(|failure| {
                eprintln!("xtask: {failure}");
                Tally::check(false)
            });
            println!("== {}: {tally} ({} s)", name(*tier), started.elapsed().as_secs());
            if failed.is_empty() && !tally.is_good() {
                failed.push(name(*tier));
            }
            self.all += tally;
            self.failed.append(&mut failed);
        }
    }

    /// What ran beside. Tiers that could not be started or read failed like others: what ran here is told all the same.
    fn take(&mut self, lane: Result<(Tally, Vec<String>), Failure>) {
        let (tally, mut failed) = lane.unwrap_or_else(|failure| {
            eprintln!("xtask: {failure}");
            (Tally::check(false), Vec::new())
        });
        if failed.is_empty() && !tally.is_good() {
            failed.push("a tier beside".to_owned());
        }
        self.all += tally;
        self.failed.append(&mut failed);
    }
}

fn run_tier(tier: Tier, failed: &mut Vec<String>) -> Result<Tally, Failure> {
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    match tier {
        Tier::Fmt => commands::passes(&mut cargo(&["fmt", "--all", "--check"])).map(Tally::check),
        Tier::Direction => direction::check(),
        Tier::House => Ok(house::check()? + Tally::check(lock_files()?)),
        Tier::Clippy => commands::passes(&mut cargo(&lints)).map(Tally::check),
        Tier::Unit => counted(&["test", "--workspace", "--locked", "--no-fail-fast"], failed),
        Tier::Release => rehearsal::check(),
        Tier::Docs => docs::run(true).map(Tally::check),
        Tier::FuzzSmoke => fuzz_smoke(failed),
        Tier::Keycloak => keycloak(failed),
        Tier::Page => page(failed),
        Tier::Nodes => nodes("nodes*", failed),
        Tier::Kubernetes => kubernetes(failed),
        Tier::Kubespray => nodes("kubespray*", failed),
    }
}

/// Whether both lock files name what the manifests want. The later tiers would tell it too, an hour later.
fn lock_files() -> Result<bool, Failure> {
    for manifest in ["Cargo.toml", FUZZ] {
        let read = ["metadata", "--locked", "--format-version", "1", "--manifest-path", manifest];
        let output = commands::output(&mut cargo(&read))?;
        if !output.status.success() {
            eprintln!("house: {manifest}: {}", String::from_utf8_lossy(&output.stderr).trim_end());
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs `cargo test`, counts its result lines and keeps the names of tests that failed.
fn counted(arguments: &[&str], failed: &mut Vec<String>) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let ended_well = commands::streams(&mut cargo(arguments), |line| {
        if let Some(more) = Tally::of_line(line) {
            tally += more;
        }
        failed.extend(Tally::failed_test(line).map(str::to_owned));
    })?;
    Ok(tally.closed(ended_well))
}

/// Tests that are marked as needing the lab. They are ignored by plain `cargo test`, never skipped here: what is missing
/// fails the tier and is named.
fn nodes(files: &str, failed: &mut Vec<String>) -> Result<Tally, Failure> {
    plinth_lab::Lab::prepare().map_err(|error| error.to_string())?;
    // One after the other: each may boot many nodes, and two cores are soon busy.
    let arguments = [
        "test",
        // Not the two packages that have such tests: libraries would be built once more, with the features of those two alone.
        "--workspace",
        "--locked",
        "--no-fail-fast",
        "--test",
        files,
        "--",
        "--ignored",
        "--test-threads=1",
    ];
    counted(&arguments, failed)
}

/// The same for what needs Kubernetes, whose parts are built before any test waits for them.
fn kubernetes(failed: &mut Vec<String>) -> Result<Tally, Failure> {
    use plinth_lab::Parts;
    let built = Parts::have().and_then(|_| Parts::helm()).and_then(|_| Parts::kwok()).and_then(|_| Parts::collector());
    built.map_err(|error| error.to_string())?;
    plinth_lab::Keycloak::have().map_err(|error| error.to_string())?;
    nodes("kubernetes*", failed)
}

/// Tests with a real Keycloak, which is made ready before any test waits for it. One after the other: each starts one.
fn keycloak(failed: &mut Vec<String>) -> Result<Tally, Failure> {
    plinth_lab::Keycloak::have().map_err(|error| error.to_string())?;
    let one_test = ["test", "--workspace", "--locked", "--test", "keycloak", "--", "--ignored"];
    counted(&[&one_test[..], &["--test-threads=1"]].concat(), failed)
}

/// Tests with a real browser, one after the other: it alone keeps two cores busy.
fn page(failed: &mut Vec<String>) -> Result<Tally, Failure> {
    use plinth_lab::browser::{Browser, axe};
    let ready = Browser::have().and_then(|()| axe().map(drop)).and_then(|()| plinth_lab::xml_validator());
    ready.map_err(|error| error.to_string())?;
    counted(
        &["test", "--workspace", "--locked", "--no-fail-fast", "--test", "page", "--", "--ignored", "--test-threads=1"],
        failed,
    )
}

/// Shares the target directory, so that its dependencies build once.
fn fuzz_smoke(failed: &mut Vec<String>) -> Result<Tally, Failure> {
    let only = ["--", "--ignored", "fuzz_smoke::"];
    let it = ["test", "--workspace", "--locked", "--test", "it"];
    counted(&[&it[..], &only].concat(), failed)
}

impl Tier {
    /// Whether it boots nodes and mostly waits for them. Such tiers can run side by side: labs do not see each other.
    const fn waits(self) -> bool {
        matches!(self, Self::Nodes | Self::Kubernetes | Self::Kubespray)
    }
}

fn name(tier: Tier) -> String {
    tier.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_beside_that_cannot_be_run_fail_and_lose_no_count() {
        let mut ended = Ended { all: Tally { passed: 40, failed: 0 }, ..Ended::default() };
        ended.take(Err("tiers beside: no such file".to_owned()));
        assert_eq!(
            (ended.all.to_string().as_str(), ended.failed.join(", ").as_str()),
            ("40 passed, 1 failed", "a tier beside")
        );
        ended.take(Ok((Tally { passed: 2, failed: 1 }, vec!["b::c".to_owned()])));
        assert_eq!(
            (ended.all.to_string().as_str(), ended.failed.join(", ").as_str()),
            ("42 passed, 2 failed", "a tier beside, b::c")
        );
    }
}
