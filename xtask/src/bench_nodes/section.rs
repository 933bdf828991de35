//! The section of docs/benchmarks.md that tells of real nodes.

use super::contender::Contender;
use super::{FACTS_LIMIT_SECONDS, FACTS_NODES, IDLE_LIMIT_KIB, IDLE_NODES, Results, Run, ansible};
use crate::machine::loaded;
use crate::page;
use std::fmt::Write as _;

/// Its first line.
const HEADING: &str = "## Real nodes";

/// The page with this section in the place of the one before; at the end when there was none.
pub(crate) fn put(page: &str, section: &str) -> String {
    page::put(page, HEADING, section)
}

/// The section as the page has it now, so that what writes the rest of the page keeps it.
pub(crate) fn of(page: &str) -> Option<&str> {
    page::of(page, HEADING)
}

/// The whole section. `machine` is a sentence, `load` what else ran.
pub(super) fn text(machine: &str, load: f64, results: &Results) -> String {
    let mut text = format!("{HEADING}\n\n{}\n\n{machine} {}\n\n", method(), loaded(load));
    text.push_str(
        "| the same account on 20 nodes | time | CPU | rounds | plinth is | target |\n|---|---|---|---|---|---|\n",
    );
    for (contender, runs) in &results.account {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}", row(*contender, runs, results.plinth()));
    }
    let _ = write!(
        text,
        "\n| plinth alone | measured | target |\n|---|---|---|\n\
         | facts of {FACTS_NODES} nodes, as the account | {:.2} s, {:.2} s of CPU, {:.0} MiB | {FACTS_LIMIT_SECONDS} s: {} |\n\
         | the same on first contact: a password for the login, and again for sudo | {:.2} s | {FACTS_LIMIT_SECONDS} s: {} |\n\
         | memory of an idle connection | {:.0} KiB | {IDLE_LIMIT_KIB} KiB: {} |\n",
        results.facts.seconds,
        results.facts.cpu,
        results.facts.peak_mib,
        verdict(results.facts.seconds <= FACTS_LIMIT_SECONDS),
        results.first_facts.seconds,
        verdict(results.first_facts.seconds <= FACTS_LIMIT_SECONDS),
        results.idle_kib,
        verdict(results.idle_kib <= IDLE_LIMIT_KIB),
    );
    text
}

fn method() -> String {
    format!(
        "Written by `cargo xtask bench --nodes`. Nodes of a lab ([lab.md](lab.md)) are the 2 cores' other work, so absolute times \
         hold the nodes' half as well. Every contender logs in with the password, becomes root with it, and makes an account that \
         no node has: group, user, home, authorized key, sudoers file checked by visudo; afterwards the lab looks into every node, \
         past sshd, whether the account is there, and lets it become root. Times are medians of whole processes, in rounds that \
         take turns; CPU is that of the contender and not \
         of the nodes. Ansible is ansible-core {}, with a playbook of eleven tasks that check and make the same things; its host keys are known \
         beforehand, those of plinth and of the loop are accepted on first contact. The memory of an idle connection is the \
         difference between {} and {} of them.",
        ansible::RELEASE,
        IDLE_NODES.1,
        IDLE_NODES.0,
    )
}

fn row(contender: Contender, runs: &[Run], plinth: f64) -> String {
    let Some(median) = super::median(runs) else { return format!("| {} | - | - | 0 | - | - |", contender.name()) };
    let ratio = median.seconds / plinth;
    let compared = match contender {
        Contender::Plinth => "-".to_owned(),
        _ if ratio < 1.0 => format!("{:.2} times slower", 1.0 / ratio),
        _ => format!("{ratio:.1} times faster"),
    };
    let target = contender.target().map_or_else(
        || "-".to_owned(),
        |target| {
            let words = if target < 1.0 {
                format!("at most {:.1} times slower", 1.0 / target)
            } else {
                format!("{target} times")
            };
            format!("{words}: {}", verdict(ratio >= target))
        },
    );
    format!(
        "| {} | {:.2} s | {:.2} s | {} | {compared} | {target} |",
        contender.name(),
        median.seconds,
        median.cpu,
        runs.len()
    )
}

const fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "**missed**" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_compare_with_plinth() {
        let run = |seconds| Run { seconds, cpu: 1.0, peak_mib: 1.0 };
        let tuned = row(Contender::Tuned, &[run(30.0), run(32.0), run(31.0)], 2.0);
        assert!(tuned.ends_with("| 31.00 s | 1.00 s | 3 | 15.5 times faster | 15 times: holds |"), "{tuned}");
        let by_hand = row(Contender::ByHand, &[run(1.0)], 1.5);
        assert!(by_hand.ends_with("| 1.50 times slower | at most 1.3 times slower: **missed** |"), "{by_hand}");
    }
}
