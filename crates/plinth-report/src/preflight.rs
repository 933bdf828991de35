//! Findings about nodes as a table: what is equal on many nodes is one line.

use crate::findings::{LABEL, labelled, tally};
use crate::style::{Palette, clean};
use crate::tables;
use comfy_table::{Cell, Color};
use plinth_analysis::ranges;
use plinth_model::wrap::hanging;
use plinth_model::{Code, Finding, Severity};
use std::collections::BTreeMap;

/// Stands for the node's own name, so that equal findings about different nodes are equal.
const NODE: &str = "NODE";
/// More different sentences than this under one code are not worth a line each.
const SENTENCES: usize = 8;

/// Findings that share a line.
struct Row<'a> {
    first: &'a Finding,
    what: String,
    fix: String,
    nodes: Vec<&'a str>,
}

/// A table wants this many columns; below them each finding is a block of its own.
const TABLE: usize = 110;

/// Worst first; a closing line counts what is wrong. Evidence is not shown: [`crate::findings::findings`] does that.
#[must_use]
pub fn preflight(findings: &[Finding], palette: Palette) -> String {
    if findings.is_empty() {
        return format!("{}\n", tally(findings));
    }
    let mut rows = several_sentences(folded(findings));
    rows.sort_by(|a, b| b.first.severity.cmp(&a.first.severity).then_with(|| a.first.code.cmp(&b.first.code)));
    match tables::columns() {
        Some(width) if width < TABLE => format!("{}{}\n", blocks(&rows, palette, width), tally(findings)),
        _ => format!("{}{}\n", as_table(&rows, palette), tally(findings)),
    }
}

/// `warning  node.swap  cpu-[03-06]`, and below it what and fix.
fn blocks(rows: &[Row<'_>], palette: Palette, width: usize) -> String {
    let block = |row: &Row<'_>| {
        let severity = row.first.severity.to_string();
        let severity = match row.first.severity {
            Severity::Error => palette.red(&severity),
            Severity::Warning => palette.yellow(&severity),
            Severity::Info => palette.cyan(&severity),
        };
        let code = palette.bold(row.first.code.as_str());
        let fix = format!("{} ({})", row.fix, row.first.owner);
        let head =
            hanging(&format!("{severity}  {code}  {}", clean(&ranges(row.nodes.iter().copied()))), 4, Some(width));
        let part =
            |label, text: &str| hanging(&format!("  {}", labelled(label, text, palette)), 2 + LABEL, Some(width));
        let fix = if row.fix.is_empty() { String::new() } else { format!("{}\n", part("fix", &fix)) };
        format!("{head}\n{}\n{fix}", part("what", &row.what))
    };
    rows.iter().map(block).collect()
}

fn as_table(rows: &[Row<'_>], palette: Palette) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            Cell::new(clean(&ranges(row.nodes.iter().copied()))),
            severity(row.first.severity, palette),
            Cell::new(clean(row.first.code.as_str())),
            Cell::new(clean(&row.what)),
            Cell::new(row.first.owner),
            Cell::new(clean(&row.fix)),
        ]
    });
    tables::coloured(&["NODES", "SEVERITY", "CODE", "WHAT", "WHO", "FIX"], cells.collect(), &[1, 2, 4])
}

fn severity(severity: Severity, palette: Palette) -> Cell {
    let cell = Cell::new(severity);
    match severity {
        _ if !palette.colour => cell,
        Severity::Error => cell.fg(Color::DarkRed),
        Severity::Warning => cell.fg(Color::DarkYellow),
        Severity::Info => cell.fg(Color::DarkCyan),
    }
}

fn folded(findings: &[Finding]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for finding in findings {
        let (what, fix) = (without_name(&finding.message, finding), without_name(&finding.fix, finding));
        let equal = |row: &&mut Row<'_>| {
            let first = row.first;
            (first.severity, first.code, first.owner) == (finding.severity, finding.code, finding.owner)
                && (&row.what, &row.fix) == (&what, &fix)
        };
        match rows.iter_mut().find(equal) {
            Some(row) => row.nodes.push(&finding.subject),
            None => rows.push(Row { first: finding, what, fix, nodes: vec![&finding.subject] }),
        }
    }
    for row in rows.iter_mut().filter(|row| row.nodes.len() == 1) {
        (row.what, row.fix) = (row.first.message.clone(), row.first.fix.clone());
    }
    rows
}

/// A short name may be part of a word, so it stays.
fn without_name(text: &str, finding: &Finding) -> String {
    if finding.subject.len() < 3 { text.to_owned() } else { text.replace(&finding.subject, NODE) }
}

/// One row for a code whose sentence is another one on nearly every node: clocks, free space.
fn several_sentences(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let mut kinds: BTreeMap<(Code, Severity), Vec<Row<'_>>> = BTreeMap::new();
    for row in rows {
        kinds.entry((row.first.code, row.first.severity)).or_default().push(row);
    }
    kinds.into_values().flat_map(|rows| if rows.len() > SENTENCES { one(rows) } else { rows }).collect()
}

fn one(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let nodes: Vec<&str> = rows.iter().flat_map(|row| row.nodes.iter().copied()).collect();
    let first = rows.into_iter().next();
    let merged =
        first.map(|row| Row { what: format!("{} (and the like, different on each node)", row.what), nodes, ..row });
    merged.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_model::Owner;
    use plinth_model::finding::code;

    fn swap(node: &str) -> Finding {
        Finding::warning(code::NODE_SWAP, node, "swap is on, and kubelet does not start with it").fix("`swapoff -a`")
    }

    #[test]
    fn equal_findings_share_a_line() {
        let mut findings: Vec<Finding> = ["cpu-03", "cpu-04", "cpu-05", "cpu-06", "dgx-05"].map(swap).into();
        for node in ["dgx-05", "dgx-06"] {
            let fix = format!("`hostnamectl set-hostname {node}`");
            findings.push(Finding::warning(code::NODE_HOSTNAME_DIFFERS, node, "it calls itself localhost").fix(fix));
        }
        findings.push(Finding::info(code::NODE_APPARMOR, "dgx-05", "AppArmor is on"));
        findings.push(
            Finding::error(code::NODE_NO_GPU, "dgx-06", "none is on the bus of dgx-06")
                .owner(Owner::BcmAdmin)
                .fix("`lspci`"),
        );
        let clocks =
            (10..30).map(|n| Finding::error(code::NODE_CLOCK_OFF, format!("cpu-{n}"), format!("it is {n} s off")));
        findings.extend(clocks);
        insta::assert_snapshot!(preflight(&findings, Palette::PLAIN));
        assert_eq!(preflight(&[], Palette::PLAIN), "no findings\n");
    }

    #[test]
    fn a_finding_of_another_owner_or_weight_has_its_own_line() {
        let info = Finding { severity: Severity::Info, ..swap("cpu-04") };
        let bcm = swap("cpu-05").owner(Owner::BcmAdmin);
        let text = preflight(&[swap("cpu-03"), info, bcm, swap("cpu-06")], Palette::PLAIN);
        assert_eq!(text.lines().filter(|line| line.contains("node.swap")).count(), 3, "{text}");
        assert!(text.contains("cpu-[03,06]"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_gets_blocks_with_whole_words() {
        let findings = [swap("cpu-03"), swap("cpu-04"), Finding::info(code::NODE_APPARMOR, "dgx-05", "AppArmor is on")];
        let text = blocks(&several_sentences(folded(&findings)), Palette::PLAIN, 60);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        assert!(
            text.contains("warning  node.swap  cpu-[03-04]\n  what      swap is on, and kubelet does not start"),
            "{text}"
        );
    }

    #[test]
    fn colour_takes_no_room() {
        let findings =
            [swap("cpu-03"), Finding::error(code::NODE_NO_GPU, "dgx-06", "none is on the bus").fix("`lspci`")];
        let coloured = preflight(&findings, Palette { colour: true, ..Palette::PLAIN });
        assert_eq!(coloured.matches('\u{1b}').count(), 4, "two words, each begun and ended: {coloured:?}");
        let words = coloured.split('\u{1b}').enumerate();
        let plain: String =
            words.map(|(n, part)| if n == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
        assert_eq!(plain, preflight(&findings, Palette::PLAIN));
    }
}
