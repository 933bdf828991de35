//! The page of the whole commands.

use super::{Case, GROWTH, Row, holds};
use crate::machine::{Machine, loaded};
use crate::measure::Measured;
use std::fmt::Write as _;

/// Everything that was measured, without the sections that other benches write.
pub(super) fn page(machine: &Machine, load: f64, rows: &[Row<'_>]) -> String {
    let mut page = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`. Whole commands as people start them, release build, median of several runs. \
         CPU is that of the process and of what it started; peak is the highest resident memory the kernel reports. Absolute times \
         belong to this machine; compare ratios. Where an older plinth was measured in the same run (`--against PROGRAM`), taking turns, \
         the last column says what became of it.\n\n\
         {machine} {}\n\n| what | time | CPU | peak memory | limit | before |\n|---|---|---|---|---|---|\n",
        loaded(load)
    );
    for row in rows {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "| {} | {} |", row.case.name, cells(row));
    }
    page.push_str("\n## Growth\n\n| from | to | CPU | memory | n log n would be |\n|---|---|---|---|---|\n");
    for (from, to, bound) in GROWTH {
        let find = |name: &str| rows.iter().find(|row| row.case.name == name).map(|row| row.now);
        if let (Some(small), Some(large)) = (find(from), find(to)) {
            let _ = writeln!(page, "| {from} | {to} | {} | {bound:.1} times |", growth(small, large));
        }
    }
    page
}

/// All cells of a row but its name.
pub(super) fn cells(row: &Row<'_>) -> String {
    let Measured { seconds, cpu_seconds, peak_mib } = row.now;
    let before = row.before.map_or_else(|| "-".to_owned(), |before| compared(&row.now, &before));
    format!("{seconds:.3} s | {cpu_seconds:.2} s | {} | {} | {before}", mib(peak_mib), limit(row.case, &row.now))
}

fn mib(peak: Option<f64>) -> String {
    peak.map_or_else(|| "unknown".to_owned(), |mib| format!("{mib:.0} MiB"))
}

fn limit(case: &Case, now: &Measured) -> String {
    let (Some(cpu), Some(mib)) = (case.limit_cpu, case.limit_mib) else { return "-".to_owned() };
    format!("{cpu} s of CPU, {mib} MiB: {}", if holds(case, now) { "holds" } else { "**missed**" })
}

fn compared(now: &Measured, before: &Measured) -> String {
    let ratio = before.cpu_seconds / now.cpu_seconds.max(f64::EPSILON);
    format!("{:.2} s of CPU, {}: {ratio:.1} times", before.cpu_seconds, mib(before.peak_mib))
}

fn growth(small: Measured, large: Measured) -> String {
    let times = |ratio: f64| format!("{ratio:.1} times");
    let memory = small.peak_mib.zip(large.peak_mib).map(|(small, large)| times(large / small));
    format!("{} | {}", times(large.cpu_seconds / small.cpu_seconds), memory.unwrap_or_else(|| "unknown".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::{PLAN_1000, PLAN_10000, case};
    use super::*;

    fn took(cpu_seconds: f64, peak_mib: f64) -> Measured {
        Measured { seconds: cpu_seconds * 2.0, cpu_seconds, peak_mib: Some(peak_mib) }
    }

    #[test]
    fn the_page_names_machine_rows_growth_and_what_was_before() {
        let machine = Machine::for_test();
        let (small, large) = (case(PLAN_1000, &[], 1), case(PLAN_10000, &[], 1).at_most(2.0, 300.0));
        let rows = [
            Row { case: &small, now: took(0.1, 50.0), before: None },
            Row { case: &large, now: took(1.2, 300.0), before: Some(took(3.6, 400.0)) },
        ];
        let page = page(&machine, 3.0, &rows);
        assert!(page.contains("Machine: cpu, 2 cores, 8.0 GiB memory, kernel 6.1. Other work"), "{page}");
        assert!(page.contains("| plan of 1,000 nodes | 0.200 s | 0.10 s | 50 MiB | - | - |"), "{page}");
        let row = "| 2.400 s | 1.20 s | 300 MiB | 2 s of CPU, 300 MiB: holds | 3.60 s of CPU, 400 MiB: 3.0 times |";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("| 12.0 times | 6.0 times | 13.3 times |"), "{page}");
    }
}
