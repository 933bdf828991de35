//! Test tiers, cheapest first.

use crate::commands::{self, Failure, cargo};
use crate::tally::Tally;
use crate::{direction, docs, house, rehearsal};
use clap::ValueEnum;

/// A tier.
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
    /// Pages and the report of runs in a real browser: Debian's Chromium and npm's axe-core, which are installed and fetched
    Page,
    /// Real ansible over a tree in Kubespray's shape, on real nodes: as the tier nodes, and a package index
    Kubespray,
    /// Tests on real nodes in namespaces: root, and Debian's systemd-nspawn and mmdebstrap, which are installed
    Nodes,
    /// Tests against a real Kubernetes API, and real Kubernetes on nodes: as `nodes`, and Go, which builds it once
    Kubernetes,
}

/// Runs the tiers asked for, or all; prints the closing line. Answers whether all is good.
pub(crate) fn run(wanted: &[Tier]) -> Result<bool, Failure> {
    let tiers = if wanted.is_empty() { Tier::value_variants() } else { wanted };
    let mut all = Tally::default();
    for tier in tiers {
        println!("== {}", name(*tier));
        if *tier == Tier::Nodes && tiers.contains(&Tier::Kubernetes) {
            build_beside();
        }
        let tally = run_tier(*tier).unwrap_or_else(|failure| {
            eprintln!("xtask: {failure}");
            Tally::check(false)
        });
        println!("== {}: {tally}", name(*tier));
        all += tally;
    }
    println!("{all}");
    Ok(all.is_good())
}

fn run_tier(tier: Tier) -> Result<Tally, Failure> {
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    match tier {
        Tier::Fmt => commands::passes(&mut cargo(&["fmt", "--all", "--check"])).map(Tally::check),
        Tier::Direction => direction::check(),
        Tier::House => house::check(),
        Tier::Clippy => commands::passes(&mut cargo(&lints)).map(Tally::check),
        Tier::Unit => counted(&["test", "--workspace", "--locked", "--no-fail-fast"]),
        Tier::Release => rehearsal::check(),
        Tier::Docs => docs::run(true).map(Tally::check),
        Tier::FuzzSmoke => fuzz_smoke(),
        Tier::Keycloak => keycloak(),
        Tier::Page => page(),
        Tier::Nodes => nodes("nodes*"),
        Tier::Kubernetes => kubernetes(),
        Tier::Kubespray => nodes("kubespray*"),
    }
}

/// Runs `cargo test` and counts its result lines.
fn counted(arguments: &[&str]) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let ended_well = commands::streams(&mut cargo(arguments), |line| {
        if let Some(more) = Tally::of_line(line) {
            tally += more;
        }
    })?;
    Ok(tally.closed(ended_well))
}

/// Tests that are marked as needing the lab. They are ignored by plain `cargo test`, never skipped here: what is missing
/// fails the tier and is named.
fn nodes(files: &str) -> Result<Tally, Failure> {
    plinth_lab::Lab::prepare().map_err(|error| error.to_string())?;
    // One after the other: each may boot many nodes, and two cores are soon busy.
    counted(&[
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
    ])
}

/// Tests on nodes wait more than they work, so what the next tier needs is built beside them, with low priority. That tier takes
/// what is there, waits for what is under way, and tells what went wrong.
fn build_beside() {
    std::thread::spawn(|| drop(plinth_lab::Parts::have()));
}

/// The same for what needs Kubernetes, whose parts are built before any test waits for them.
fn kubernetes() -> Result<Tally, Failure> {
    use plinth_lab::Parts;
    Parts::have().and_then(|_| Parts::helm()).and_then(|_| Parts::kwok()).map_err(|error| error.to_string())?;
    nodes("kubernetes*")
}

/// Tests with a real Keycloak, which is made ready before any test waits for it. One after the other: each starts one.
fn keycloak() -> Result<Tally, Failure> {
    plinth_lab::Keycloak::have().map_err(|error| error.to_string())?;
    let one_test = ["test", "--workspace", "--locked", "--test", "keycloak", "--", "--ignored"];
    counted(&[&one_test[..], &["--test-threads=1"]].concat())
}

/// Tests with a real browser, one after the other: it alone keeps two cores busy.
fn page() -> Result<Tally, Failure> {
    use plinth_lab::browser::{Browser, axe};
    Browser::have().and_then(|()| axe().map(drop)).map_err(|error| error.to_string())?;
    counted(&[
        "test",
        "--workspace",
        "--locked",
        "--no-fail-fast",
        "--test",
        "page",
        "--",
        "--ignored",
        "--test-threads=1",
    ])
}

/// The fuzz package stands outside the workspace; it shares the target directory, so that its dependencies build once.
fn fuzz_smoke() -> Result<Tally, Failure> {
    let metadata = commands::metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    let manifest = ["run", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir", target, "--bin", "smoke"];
    commands::passes(&mut cargo(&manifest)).map(Tally::check)
}

fn name(tier: Tier) -> String {
    tier.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
