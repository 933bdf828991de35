//! The section of docs/benchmarks.md that tells of the real Kubespray.

use super::Done;
use crate::commands::{Failure, root};
use crate::page;
use plinth_lab::KUBERNETES;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Its first line.
const HEADING: &str = "## The real Kubespray";

// What is timed.
pub(super) const FIRST: &str = "plinth apply, bare nodes";
pub(super) const AGAIN: &str = "plinth apply, nothing changed";
pub(super) const SCALE: &str = "plinth apply, one worker more";
pub(super) const REMOVE: &str = "plinth remove of that worker";
pub(super) const RESET: &str = "plinth reset";
pub(super) const KILLED: &str = "plinth apply after a kill in kubeadm init";
pub(super) const THREE: &str = "plinth apply, bare nodes, three of them the control plane";
pub(super) const REJOINED: &str = "plinth apply after a worker was re-imaged";
pub(super) const RECOVERED: &str = "plinth recover after the first control-plane node was re-imaged";
pub(super) const UNPUSHED: &str = "plinth apply, bare nodes, files not pushed";
pub(super) const BY_HAND: &str = "cluster.yml by hand, bare nodes";
pub(super) const BY_HAND_AGAIN: &str = "cluster.yml by hand, nothing changed";

/// In the order of the table.
const TIMED: [&str; 12] =
    [FIRST, AGAIN, SCALE, REMOVE, RESET, KILLED, THREE, REJOINED, RECOVERED, UNPUSHED, BY_HAND, BY_HAND_AGAIN];

/// Writes the section in the place of the one before. Phases that were not run now keep the figures they had.
pub(super) fn write(release: &str, done: &[Done], spent: &str) -> Result<(), Failure> {
    let file = root().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let old = page::of(&page, HEADING).unwrap_or_default();
    let spent = if spent.is_empty() { spent_before(old) } else { spent.trim_end().to_owned() };
    let mut rows = rows(old);
    let new = done.iter().flat_map(|one| one.timed.iter().map(|(what, seconds)| (*what, *seconds, &one.proved)));
    for (what, seconds, proved) in new {
        rows.insert(what.to_owned(), (seconds.round(), proved.clone()));
    }
    let page = page::put(&page, HEADING, &text(release, &rows, &spent));
    std::fs::write(&file, page).map_err(|error| format!("writing {}: {error}", file.display()))
}

/// What was timed, to its seconds and what was found true afterwards.
type Rows = BTreeMap<String, (f64, String)>;

fn rows(section: &str) -> Rows {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [what, seconds, proved] = cells.as_slice() else { return None };
        Some(((*what).to_owned(), (seconds.parse().ok()?, (*proved).to_owned())))
    };
    section.lines().filter(|line| line.starts_with('|')).filter_map(row).collect()
}

/// The table of an unchanged apply that a section has.
fn spent_before(section: &str) -> String {
    let table = section.lines().skip_while(|line| !line.starts_with("| of these")).take_while(|line| !line.is_empty());
    table.collect::<Vec<_>>().join("\n")
}

/// A new page with the section that the old one had.
pub(crate) fn kept(new: &str, old: &str) -> String {
    page::of(old, HEADING).map_or_else(|| new.to_owned(), |section| page::put(new, HEADING, section))
}

fn text(release: &str, rows: &Rows, spent: &str) -> String {
    let mut text = format!(
        "{HEADING}\n\nWritten by `cargo xtask e2e kubespray` ([kubespray.md](kubespray.md)): Kubespray {release}, unmodified, and Kubernetes \
         {KUBERNETES} on nodes of a lab, one control-plane node and two workers where nothing else is said, offline from a mirror. Seconds of whole processes; plinth's hold \
         everything from the first login to the last check of the cluster. By hand means `cluster.yml` as the script before plinth ran it: \
         Kubespray's own configuration (pipelining, five forks), with ssh arguments that switch off the sharing of connections. Nodes and controller share the machine's two cores.\n\n\
         | what | seconds | afterwards |\n|---|---|---|\n",
    );
    for what in TIMED {
        if let Some((seconds, proved)) = rows.get(what) {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "| {what} | {seconds:.0} | {proved} |");
        }
    }
    if !spent.is_empty() {
        let _ =
            writeln!(text, "\nWhere the seconds go when nothing changed. Looks at steps run side by side.\n\n{spent}");
    }
    for (what, ours, by_hand) in [("bare nodes", FIRST, BY_HAND), ("nothing changed", AGAIN, BY_HAND_AGAIN)] {
        if let (Some((ours, _)), Some((by_hand, _))) = (rows.get(ours), rows.get(by_hand)) {
            let _ = writeln!(text, "\nWith {what} plinth is {:.1} times faster than by hand.", by_hand / ours);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_stand_below_the_figures_and_old_figures_stay() {
        let good = |seconds: f64| (seconds, "good".to_owned());
        let mut rows = Rows::from([(FIRST.to_owned(), good(200.0)), (AGAIN.to_owned(), good(2.0))]);
        assert!(!text("v2.30.0", &rows, "").contains("faster"));
        rows.extend([(BY_HAND.to_owned(), good(500.0)), (BY_HAND_AGAIN.to_owned(), good(400.0))]);
        let spent = "| of these, by plinth's log | seconds |\n|---|---|\n| look | 1.00 |";
        let text = text("v2.30.0", &rows, spent);
        assert_eq!(spent_before(&text), spent);
        assert!(text.contains("| cluster.yml by hand, nothing changed | 400 | good |"), "{text}");
        assert!(text.contains("With bare nodes plinth is 2.5 times faster"), "{text}");
        assert!(text.contains("With nothing changed plinth is 200.0 times faster"), "{text}");
        assert_eq!(super::rows(&text), rows);
    }
}
