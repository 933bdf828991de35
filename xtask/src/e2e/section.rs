//! The section of docs/benchmarks.md that tells of the real Kubespray.

use super::{Done, Phase};
use crate::commands::{Failure, root};
use crate::page;
use plinth_lab::KUBERNETES;
use std::fmt::Write as _;

/// Its first line.
const HEADING: &str = "## The real Kubespray";

/// Writes the section in the place of the one before.
pub(super) fn write(release: &str, done: &[Done]) -> Result<(), Failure> {
    let file = root().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let page = page::put(&page, HEADING, &text(release, done));
    std::fs::write(&file, page).map_err(|error| format!("writing {}: {error}", file.display()))
}

/// A new page with the section that the old one had.
pub(crate) fn kept(new: &str, old: &str) -> String {
    page::of(old, HEADING).map_or_else(|| new.to_owned(), |section| page::put(new, HEADING, section))
}

fn text(release: &str, done: &[Done]) -> String {
    let mut text = format!(
        "{HEADING}\n\nWritten by `cargo xtask e2e kubespray` ([kubespray.md](kubespray.md)): Kubespray {release}, unmodified, and Kubernetes \
         {KUBERNETES} on nodes of a lab, one control plane and two workers, offline from a mirror. Seconds of whole processes; plinth's hold \
         everything from the first login to the last check of the cluster. By hand means `cluster.yml` with the settings of the script before \
         plinth: connections that are not kept, no pipelining, five forks. Nodes and controller share the machine's two cores.\n\n\
         | what | seconds | afterwards |\n|---|---|---|\n",
    );
    for one in done {
        for (what, seconds) in &one.timed {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "| {what} | {seconds:.0} | {} |", one.proved);
        }
    }
    for (what, ours, by_hand) in [("bare nodes", Phase::First, 0), ("nothing changed", Phase::Again, 1)] {
        if let (Some(ours), Some(by_hand)) = (timed(done, ours, 0), timed(done, Phase::Compare, by_hand)) {
            let _ = writeln!(text, "\nWith {what} plinth is {:.1} times faster than by hand.", by_hand / ours);
        }
    }
    text
}

fn timed(done: &[Done], phase: Phase, index: usize) -> Option<f64> {
    let one = done.iter().find(|one| one.phase == phase)?;
    one.timed.get(index).map(|(_, seconds)| *seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_stand_below_the_figures() {
        let done =
            |phase, timed: &[(&'static str, f64)]| Done { phase, timed: timed.to_vec(), proved: "good".to_owned() };
        let all = [
            done(Phase::First, &[("first", 200.0)]),
            done(Phase::Again, &[("again", 2.0)]),
            done(Phase::Compare, &[("hand", 500.0), ("hand again", 400.0)]),
        ];
        let text = text("v2.30.0", &all);
        assert!(text.contains("| hand again | 400 | good |"), "{text}");
        assert!(text.contains("With bare nodes plinth is 2.5 times faster"), "{text}");
        assert!(text.contains("With nothing changed plinth is 200.0 times faster"), "{text}");
        assert!(!super::text("v2.30.0", &all[..1]).contains("faster"));
    }
}
