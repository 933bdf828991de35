//! Benchmarks. What counts are ratios and the limits of the design, in one run on one machine; they are not tests.
//!
//! Only whole commands are measured, as a person starts them and waits for them: a function of ours that is fast says nothing while
//! its caller calls it three times.

mod page;
mod site;

use crate::bench_nodes::section;
use crate::commands::{self, Failure, root};
use crate::machine::{self, Machine};
use crate::measure::{Measured, measured, middle_run};
use crate::scratch::Scratch;
use std::path::Path;
use std::process::Command;

/// One measurement. In its arguments `STATE` stands for a fresh state directory, `SCRATCH` for the folder with the made-up sites.
pub(super) struct Case {
    pub(super) name: &'static str,
    arguments: &'static [&'static str],
    runs: usize,
    /// Most seconds of processor time, of the process and what it started: the wall clock also counts what else the machine does.
    limit_cpu: Option<f64>,
    /// Most memory at once, MiB.
    limit_mib: Option<f64>,
}

const PLAN_1000: &str = "plan of 1,000 nodes";
const PLAN_10000: &str = "plan of 10,000 nodes";
const PLAN_JSON: &str = "plan of 10,000 nodes as JSON";
const PLAN_SAVED: &str = "plan of 10,000 nodes, saved to a file";
const REHEARSE_10: &str = "rehearsal of 10 nodes";
const REHEARSE_1000: &str = "rehearsal of 1,000 nodes";
const REHEARSE_10000: &str = "rehearsal of 10,000 nodes";

const CASES: [Case; 9] = [
    case(PLAN_1000, &["plan", "-f", "SCRATCH/site.yaml", "--inventory", "SCRATCH/1000.json", "--state", "STATE"], 3),
    case(PLAN_10000, &["plan", "-f", "SCRATCH/site.yaml", "--inventory", "SCRATCH/10000.json", "--state", "STATE"], 3)
        .at_most(2.0, 300.0),
    case(
        PLAN_JSON,
        &["plan", "-f", "SCRATCH/site.yaml", "--inventory", "SCRATCH/10000.json", "--state", "STATE", "--json"],
        3,
    ),
    case(
        PLAN_SAVED,
        &[
            "plan",
            "-f",
            "SCRATCH/site.yaml",
            "--inventory",
            "SCRATCH/10000.json",
            "--state",
            "STATE",
            "--out",
            "STATE.plan.json",
        ],
        3,
    ),
    case(
        "plan of the 5-node site against the simulated BCM",
        &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--plan-only"],
        5,
    )
    .at_most(0.3, 100.0),
    case("rehearsal of the 5-node site", &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE"], 3)
        .at_most(15.0, 100.0),
    case(REHEARSE_10, &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--nodes", "10"], 3),
    case(REHEARSE_1000, &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--nodes", "1000"], 1)
        .at_most(60.0, 1024.0),
    case(REHEARSE_10000, &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--nodes", "10000"], 1)
        .at_most(20.0, 600.0),
];

const fn case(name: &'static str, arguments: &'static [&'static str], runs: usize) -> Case {
    Case { name, arguments, runs, limit_cpu: None, limit_mib: None }
}

impl Case {
    const fn at_most(self, cpu_seconds: f64, mib: f64) -> Self {
        Self { limit_cpu: Some(cpu_seconds), limit_mib: Some(mib), ..self }
    }
}

/// Growth that is shown: from, to, and how many times more work n log n would be.
const GROWTH: [(&str, &str, f64); 2] = [(PLAN_1000, PLAN_10000, 13.34), (REHEARSE_1000, REHEARSE_10000, 13.34)];

/// A case with what it took, and what an older program took in the same run.
pub(super) struct Row<'a> {
    pub(super) case: &'a Case,
    pub(super) now: Measured,
    pub(super) before: Option<Measured>,
}

/// Measures everything and writes the page. With `against`, another plinth is measured in the same run, taking turns. Answers whether
/// every limit holds.
pub(crate) fn run(against: Option<&Path>) -> Result<bool, Failure> {
    let plinth = commands::release_binary()?;
    let sites = Scratch::new("bench-sites")?;
    site::write(sites.path(), &[1_000, 10_000])?;
    let (mut rows, load) = (Vec::new(), machine::load());
    for case in &CASES {
        let (now, before) = measure(case, &plinth, against, sites.path())?;
        let row = Row { case, now, before };
        println!("bench: {}: {}", case.name, page::cells(&row));
        rows.push(row);
    }
    let file = root().join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    let mut page = page::page(&Machine::here(), load, &rows);
    // Real nodes are measured on their own, and seldom: what was written of them stays.
    if let Some(nodes) = section::of(&old) {
        page = section::put(&page, nodes);
    }
    page = crate::e2e::section::kept(&page, &old);
    page = crate::bench_ansible::section::kept(&page, &old);
    page = crate::bench_platform::section::kept(&page, &old);
    page = crate::views::kept(&page, &old);
    std::fs::write(&file, page).map_err(|error| format!("writing {}: {error}", file.display()))?;
    Ok(rows.iter().all(|row| holds(row.case, &row.now)))
}

/// The median of the case's runs: of this program, and of the other one if there is one.
fn measure(
    case: &Case,
    plinth: &Path,
    against: Option<&Path>,
    sites: &Path,
) -> Result<(Measured, Option<Measured>), Failure> {
    let (mut now, mut before) = (Vec::new(), Vec::new());
    for _ in 0..case.runs {
        now.push(once(case, plinth, sites)?);
        if let Some(other) = against {
            before.push(once(case, other, sites)?);
        }
    }
    let now = middle_run(&now).ok_or_else(|| format!("{} has no runs", case.name))?;
    Ok((now, middle_run(&before)))
}

fn once(case: &Case, program: &Path, sites: &Path) -> Result<Measured, Failure> {
    let scratch = Scratch::new("bench")?;
    let mut command = Command::new(program);
    command.env_clear().env("HOME", scratch.path()).envs(site::SECRETS).current_dir(root());
    let (state, sites) = (scratch.path().join("state").display().to_string(), sites.display().to_string());
    command.args(case.arguments.iter().map(|argument| argument.replace("STATE", &state).replace("SCRATCH", &sites)));
    measured(&mut command, 0)
}

fn holds(case: &Case, measured: &Measured) -> bool {
    let time = case.limit_cpu.is_none_or(|limit| measured.cpu_seconds <= limit);
    let memory = case.limit_mib.is_none_or(|limit| measured.peak_mib.is_some_and(|peak| peak <= limit));
    time && memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_or_are_missed() {
        let limited = case("a", &[], 1).at_most(2.0, 500.0);
        let cases =
            [(1.0, Some(400.0), true), (2.5, Some(400.0), false), (1.0, Some(600.0), false), (1.0, None, false)];
        for (cpu_seconds, peak_mib, want) in cases {
            let took = Measured { seconds: 9.0, cpu_seconds, peak_mib };
            assert_eq!(holds(&limited, &took), want, "{took:?}");
        }
    }

    #[test]
    fn growth_names_cases_that_are_measured() {
        for (from, to, _) in GROWTH {
            assert!(CASES.iter().any(|case| case.name == from) && CASES.iter().any(|case| case.name == to));
        }
    }
}
