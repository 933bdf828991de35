//! The section of docs/benchmarks.md that tells of plays.

use super::real::{Compared, NODES};
use super::{COMPARED, LIMIT, LIMIT_MIB, MANY, TIMES};
use crate::commands::{Failure, root};
use crate::page;

/// Its first line.
const HEADING: &str = "## Following a play";

/// What was measured.
pub(super) struct Results {
    /// Times as long as plain.
    pub(super) overhead: f64,
    /// With many hosts.
    pub(super) peak_mib: f64,
    pub(super) settings: Compared,
}

impl Results {
    pub(super) fn hold(&self) -> bool {
        self.overhead <= LIMIT && self.peak_mib <= LIMIT_MIB && self.times() >= TIMES
    }

    fn times(&self) -> f64 {
        self.settings.defaults / self.settings.ours
    }
}

/// Writes the section in the place of the one before.
pub(super) fn write(results: &Results) -> Result<(), Failure> {
    let file = root().join("docs/benchmarks.md");
    let told = |doing: &str, error: std::io::Error| format!("{doing} {}: {error}", file.display());
    let page = std::fs::read_to_string(&file).map_err(|error| told("reading", error))?;
    std::fs::write(&file, page::put(&page, HEADING, &text(results))).map_err(|error| told("writing", error))
}

/// A new page with the section that the old one had.
pub(crate) fn kept(new: &str, old: &str) -> String {
    page::of(old, HEADING).map_or_else(|| new.to_owned(), |section| page::put(new, HEADING, section))
}

fn text(results: &Results) -> String {
    let verdict = |holds: bool| if holds { "holds" } else { "missed" };
    let (Compared { ours, defaults }, times) = (&results.settings, results.times());
    format!(
        "{HEADING}\n\nWritten by `cargo xtask bench --ansible`. The door's own runs against runs of `ansible-playbook` by hand: the same \
         tree, inventory and environment, medians of rounds that take turns. The tasks of the first two rows do nothing and reach no node, \
         so all that is seen is Ansible's own work and ours: the worst case. The third is a play of facts and 40 small tasks as root on {NODES} \
         nodes of a lab, which share the machine's two cores with Ansible.\n\n\
         | what | measured | target |\n|---|---|---|\n\
         | {} tasks on {} hosts, followed: times as long as plain | {:.3} | {LIMIT}: {} |\n\
         | peak memory of the door with {} hosts | {:.1} MiB | {LIMIT_MIB} MiB: {} |\n\
         | our settings {ours:.1} s, Ansible's defaults {defaults:.1} s: times as fast | {times:.1} | {TIMES}: {} |\n",
        COMPARED.1,
        COMPARED.0,
        results.overhead,
        verdict(results.overhead <= LIMIT),
        MANY.0,
        results.peak_mib,
        verdict(results.peak_mib <= LIMIT_MIB),
        verdict(times >= TIMES),
    )
}
