//! Benchmarks. What counts are ratios and the limits of the design, in one run on one machine; they are not tests.

use crate::bench_nodes::section;
use crate::commands::{self, Failure, cargo, root};
use crate::measure::{Measured, measured, median};
use crate::scratch::Scratch;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// What is started: the release binary, or the example of `plinth-plan` that plans made-up sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Plinth,
    PlanSize,
}

/// One measurement. `STATE` stands for a fresh state directory.
struct Case {
    name: &'static str,
    program: Program,
    arguments: &'static [&'static str],
    runs: usize,
    limit_seconds: Option<f64>,
    limit_mib: Option<f64>,
}

const PLAN_1000: &str = "planning 1,000 nodes";
const PLAN_10000: &str = "planning 10,000 nodes";
const REHEARSE_10: &str = "rehearsing 10 nodes";
const REHEARSE_1000: &str = "rehearsing 1,000 nodes";

const CASES: [Case; 6] = [
    Case {
        name: PLAN_1000,
        program: Program::PlanSize,
        arguments: &["1000"],
        runs: 3,
        limit_seconds: None,
        limit_mib: None,
    },
    Case {
        name: PLAN_10000,
        program: Program::PlanSize,
        arguments: &["10000"],
        runs: 3,
        limit_seconds: Some(2.0),
        limit_mib: Some(500.0),
    },
    Case {
        name: "plan of the 5-node site against the simulated BCM, whole process",
        program: Program::Plinth,
        arguments: &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--plan-only"],
        runs: 5,
        limit_seconds: Some(0.3),
        limit_mib: None,
    },
    Case {
        name: "rehearsing the 5-node site",
        program: Program::Plinth,
        arguments: &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE"],
        runs: 3,
        limit_seconds: Some(15.0),
        limit_mib: None,
    },
    Case {
        name: REHEARSE_10,
        program: Program::Plinth,
        arguments: &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--nodes", "10"],
        runs: 3,
        limit_seconds: None,
        limit_mib: None,
    },
    Case {
        name: REHEARSE_1000,
        program: Program::Plinth,
        arguments: &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--nodes", "1000"],
        runs: 1,
        limit_seconds: Some(60.0),
        limit_mib: Some(1024.0),
    },
];

/// Growth that is shown: from, to, and how many times more work n log n would be.
const GROWTH: [(&str, &str, f64); 1] = [(PLAN_1000, PLAN_10000, 13.34)];

/// Measures everything and writes the page. Answers whether every limit holds.
pub(crate) fn run() -> Result<bool, Failure> {
    let programs = Programs::built()?;
    let mut results = Vec::new();
    for case in &CASES {
        let measured = programs.measure(case)?;
        println!("bench: {}: {}", case.name, row(case, &measured));
        results.push((case, measured));
    }
    let file = root().join("docs/benchmarks.md");
    let told = |error: std::io::Error| format!("writing {}: {error}", file.display());
    std::fs::create_dir_all(root().join("docs")).map_err(told)?;
    let mut page = page(&Machine::here(), &results);
    // Real nodes are measured on their own, and seldom: what was written of them stays.
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    if let Some(nodes) = section::of(&old) {
        page = section::put(&page, nodes);
    }
    page = crate::e2e::section::kept(&page, &old);
    page = crate::bench_ansible::section::kept(&page, &old);
    std::fs::write(&file, page).map_err(told)?;
    Ok(results.iter().all(|(case, measured)| holds(case, measured)))
}

/// Where the programs are.
struct Programs {
    plinth: std::path::PathBuf,
    plan_size: std::path::PathBuf,
}

impl Programs {
    fn built() -> Result<Self, Failure> {
        let plinth = commands::release_binary()?;
        let example = ["build", "--release", "--locked", "--package", "plinth-plan", "--example", "plan_size"];
        if !commands::passes(&mut cargo(&example))? {
            return Err("the example plan_size of plinth-plan does not build".to_owned());
        }
        let folder = plinth.parent().unwrap_or(Path::new("")).join("examples");
        Ok(Self { plan_size: folder.join(format!("plan_size{}", std::env::consts::EXE_SUFFIX)), plinth })
    }

    fn measure(&self, case: &Case) -> Result<Measured, Failure> {
        let program = match case.program {
            Program::Plinth => &self.plinth,
            Program::PlanSize => &self.plan_size,
        };
        let mut runs = Vec::new();
        for _ in 0..case.runs {
            let scratch = Scratch::new("bench")?;
            let mut command = Command::new(program);
            command.env_clear().env("HOME", scratch.path()).current_dir(root());
            for argument in case.arguments {
                match *argument {
                    "STATE" => command.arg(scratch.path().join("state")),
                    plain => command.arg(plain),
                };
            }
            runs.push(measured(&mut command, 0)?);
        }
        median(runs).ok_or_else(|| format!("{} has no runs", case.name))
    }
}

fn holds(case: &Case, measured: &Measured) -> bool {
    let time = case.limit_seconds.is_none_or(|limit| measured.seconds <= limit);
    let memory = case.limit_mib.is_none_or(|limit| measured.peak_mib.is_some_and(|peak| peak <= limit));
    time && memory
}

fn row(case: &Case, measured: &Measured) -> String {
    let peak = measured.peak_mib.map_or_else(|| "unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
    let limit = match (case.limit_seconds, case.limit_mib) {
        (None, None) => "-".to_owned(),
        (seconds, mib) => {
            let parts = [seconds.map(|s| format!("{s} s")), mib.map(|m| format!("{m} MiB"))];
            let verdict = if holds(case, measured) { "holds" } else { "**missed**" };
            format!("{}: {verdict}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
    };
    format!("{:.3} s | {peak} | {limit}", measured.seconds)
}

fn page(machine: &Machine, results: &[(&Case, Measured)]) -> String {
    let mut page = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`. Whole processes, release build, median of several runs; peak is the \
         highest resident memory the kernel reports. Absolute times belong to this machine; compare ratios.\n\n\
         {machine}\n\n| what | time | peak memory | limit |\n|---|---|---|---|\n"
    );
    for (case, measured) in results {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "| {} | {} |", case.name, row(case, measured));
    }
    page.push_str("\n## Growth\n\n| from | to | time | memory | n log n would be |\n|---|---|---|---|---|\n");
    for (from, to, bound) in GROWTH {
        let find = |name: &str| results.iter().find(|(case, _)| case.name == name).map(|(_, measured)| *measured);
        if let (Some(small), Some(large)) = (find(from), find(to)) {
            let _ = writeln!(page, "| {from} | {to} | {} | {bound:.1} times |", growth(small, large));
        }
    }
    page
}

fn growth(small: Measured, large: Measured) -> String {
    let times = |ratio: f64| format!("{ratio:.1} times");
    let memory = small.peak_mib.zip(large.peak_mib).map(|(small, large)| times(large / small));
    format!("{} | {}", times(large.seconds / small.seconds), memory.unwrap_or_else(|| "unknown".to_owned()))
}

/// What it was measured on.
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory: String,
    kernel: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
            value.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
        };
        let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory: gib(&field(&read("/proc/meminfo"), "MemTotal")),
            kernel: if kernel.is_empty() { std::env::consts::OS.to_owned() } else { kernel },
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cpu, cores, memory, kernel } = self;
        write!(f, "Machine: {cpu}, {cores} cores, {memory} memory, kernel {kernel}.")
    }
}

/// `16302048 kB` as `15.5 GiB`.
fn gib(text: &str) -> String {
    let kib: Option<f64> = text.strip_suffix("kB").and_then(|number| number.trim().parse().ok());
    kib.map_or_else(|| text.to_owned(), |kib| format!("{:.1} GiB", kib / 1024.0 / 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: Case = Case {
        name: PLAN_10000,
        program: Program::PlanSize,
        arguments: &[],
        runs: 1,
        limit_seconds: Some(2.0),
        limit_mib: Some(500.0),
    };

    fn took(seconds: f64, peak_mib: Option<f64>) -> Measured {
        Measured { seconds, peak_mib }
    }

    #[test]
    fn limits_hold_or_are_missed() {
        let cases =
            [(1.0, Some(400.0), true), (2.5, Some(400.0), false), (1.0, Some(600.0), false), (1.0, None, false)];
        for (seconds, peak, want) in cases {
            assert_eq!(holds(&CASE, &took(seconds, peak)), want, "{seconds} {peak:?}");
        }
        assert_eq!(row(&CASE, &took(2.5, Some(400.4))), "2.500 s | 400 MiB | 2 s, 500 MiB: **missed**");
    }

    #[test]
    fn the_page_names_machine_rows_and_growth() {
        let machine = Machine { cpu: "cpu".into(), cores: 2, memory: gib("8388608 kB"), kernel: "6.1".into() };
        let results = [(&CASES[0], took(0.1, Some(50.0))), (&CASES[1], took(1.2, Some(300.0)))];
        let page = page(&machine, &results);
        assert!(page.contains("Machine: cpu, 2 cores, 8.0 GiB memory, kernel 6.1."), "{page}");
        assert!(page.contains("| planning 10,000 nodes | 1.200 s | 300 MiB | 2 s, 500 MiB: holds |"), "{page}");
        assert!(page.contains("| 12.0 times | 6.0 times | 13.3 times |"), "{page}");
    }

    #[test]
    fn growth_names_cases_that_are_measured() {
        for (from, to, _) in GROWTH {
            assert!(CASES.iter().any(|case| case.name == from) && CASES.iter().any(|case| case.name == to));
        }
    }
}
