//! The section of docs/benchmarks.md that tells of plays.

use super::real::{Compared, NODES};
use super::{COMPARED, LIMIT, LIMIT_MIB, MANY, TIMES};
use crate::commands::{Failure, root};
use crate::page;

/// Its first line.
const HEADING: &str = "## Following a play";

/// One target.
pub(super) struct Row {
    pub(super) what: String,
    pub(super) measured: String,
    pub(super) target: String,
    pub(super) holds: bool,
}

impl Row {
    pub(super) const fn verdict(&self) -> &'static str {
        if self.holds { "holds" } else { "missed" }
    }

    fn line(&self) -> String {
        format!("| {} | {} | {}: {} |", self.what, self.measured, self.target, self.verdict())
    }
}

/// `ratio`: how many times as long a followed play takes.
pub(super) fn overhead(ratio: f64) -> Row {
    let (hosts, tasks) = COMPARED;
    Row {
        what: format!("{tasks} tasks on {hosts} hosts, followed: times as long as plain"),
        measured: format!("{ratio:.3}"),
        target: format!("at most {LIMIT}"),
        holds: ratio <= LIMIT,
    }
}

pub(super) fn memory(peak_mib: f64) -> Row {
    Row {
        what: format!("peak memory of the client with {} hosts", MANY.0),
        measured: format!("{peak_mib:.1} MiB"),
        target: format!("at most {LIMIT_MIB} MiB"),
        holds: peak_mib <= LIMIT_MIB,
    }
}

pub(super) fn settings(compared: &Compared) -> Row {
    let times = compared.defaults / compared.ours;
    Row {
        what: format!("a play of facts and 40 small tasks on {NODES} nodes: times as fast as with Ansible's defaults"),
        measured: format!("{times:.1} ({:.1} s, {:.1} s)", compared.ours, compared.defaults),
        target: format!("at least {TIMES}"),
        holds: times >= TIMES,
    }
}

/// Writes a row in the place of the one before; other rows stay as they were measured.
pub(super) fn write(row: &Row) -> Result<(), Failure> {
    let file = root().join("docs/benchmarks.md");
    let told = |doing: &str, error: std::io::Error| format!("{doing} {}: {error}", file.display());
    let page = std::fs::read_to_string(&file).map_err(|error| told("reading", error))?;
    let section = put(page::of(&page, HEADING).unwrap_or_default(), row);
    std::fs::write(&file, page::put(&page, HEADING, &section)).map_err(|error| told("writing", error))
}

fn put(section: &str, row: &Row) -> String {
    let beginning = format!("| {} |", row.what);
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| what |");
    let kept = section.lines().filter(is_row).filter(|line| !line.starts_with(&beginning)).map(str::to_owned);
    let rows: Vec<String> = kept.chain([row.line()]).collect();
    format!("{}{}\n", method(), rows.join("\n"))
}

/// A new page with the section that the old one had.
pub(crate) fn kept(new: &str, old: &str) -> String {
    page::of(old, HEADING).map_or_else(|| new.to_owned(), |section| page::put(new, HEADING, section))
}

fn method() -> String {
    format!(
        "{HEADING}\n\nWritten by `cargo xtask bench --ansible`. The client's own runs against runs of `ansible-playbook` by hand: the same \
         tree, inventory and environment, medians of rounds that take turns. Overhead and memory are measured with tasks that do nothing and reach \
         no node, so all that is seen is Ansible's own work and ours: the worst case. Settings are measured by real logins on nodes of a \
         lab, which share the machine's two cores with Ansible.\n\n\
         | what | measured | target |\n|---|---|---|\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_place_of_the_old_one_and_others_stay() {
        let first = put("", &overhead(1.5));
        let both = put(&first, &memory(70.0));
        let text = put(&both, &overhead(1.0));
        assert!(text.contains("| 1.000 | at most 1.01: holds |") && !text.contains("1.500"), "{text}");
        assert!(text.contains("| 70.0 MiB | at most 60 MiB: missed |"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('|')).count(), 4, "{text}");
    }
}
