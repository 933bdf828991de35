//! Tables for people: no borders, no colour, so that they can be piped and cut. They fit the terminal when there is one.

use crate::findings::amount;
use crate::style::clean;
use comfy_table::{ContentArrangement, Table, TableStyle, presets};
use plinth_model::Verdict;

/// One machine, as `plinth discover` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRow {
    /// Name.
    pub name: String,
    /// `physical`, `head`.
    pub kind: String,
    /// Category; empty for none.
    pub category: String,
    /// The address plinth would use; empty where none is safe.
    pub address: String,
    /// Where it comes from: `bond0`, `override`.
    pub source: String,
    /// Network the address is in.
    pub network: String,
    /// `control-plane`, `worker`, `gpu`.
    pub roles: Vec<String>,
    /// Why there is no address.
    pub why_not: String,
}

/// One verdict of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictRow {
    /// Name of the claim: `gpu.pod-runs`.
    pub check: String,
    /// What it is about: a node, a domain.
    pub subject: String,
    /// Verdict.
    pub verdict: Verdict,
}

/// One row per machine: an inventory is read name by name, so nothing is folded. Ends with a line break.
#[must_use]
pub fn discovery(rows: &[NodeRow]) -> String {
    finished(discovery_table(rows))
}

/// One row per different verdict of a check; equal subjects share it. Ends with a line break.
#[must_use]
pub fn verdicts(rows: &[VerdictRow]) -> String {
    finished(verdict_table(rows))
}

/// Any rows below a header. Ends with a line break.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    finished(made(header, rows))
}

fn discovery_table(rows: &[NodeRow]) -> Table {
    let dash = |text: &str| if text.is_empty() { "-".to_owned() } else { clean(text) };
    let rows = rows.iter().map(|row| {
        let source = match (row.source.as_str(), row.network.as_str()) {
            ("", "") => "-".to_owned(),
            (source, "") => clean(source),
            (source, network) => clean(&format!("{source} on {network}")),
        };
        let address = if row.address.is_empty() { "none".to_owned() } else { clean(&row.address) };
        let roles = dash(&row.roles.join(", "));
        vec![clean(&row.name), dash(&row.kind), dash(&row.category), address, source, roles, clean(&row.why_not)]
    });
    made(&["NAME", "TYPE", "CATEGORY", "ADDRESS", "SOURCE", "ROLES", "WHY NOT"], rows.collect())
}

fn verdict_table(rows: &[VerdictRow]) -> Table {
    let mut folded: Vec<(&VerdictRow, Vec<&str>)> = Vec::new();
    for row in rows {
        let equal = |known: &VerdictRow| known.check == row.check && told(known) == told(row);
        match folded.iter_mut().find(|(known, _)| equal(known)) {
            Some((_, subjects)) => subjects.push(&row.subject),
            None => folded.push((row, vec![&row.subject])),
        }
    }
    let rows = folded.into_iter().map(|(row, subjects)| {
        let (verdict, why) = told(row);
        let why = if subjects.len() == 1 { why.replace(SUBJECT, &row.subject) } else { why };
        vec![clean(&row.check), folded_names(&subjects, &verdict), verdict, why]
    });
    made(&["CHECK", "SUBJECT", "VERDICT", "EVIDENCE"], rows.collect())
}

/// Stands for the subject, so that equal verdicts about different subjects are equal.
const SUBJECT: &str = "<subject>";

/// Word and reason, without the subject.
fn told(row: &VerdictRow) -> (String, String) {
    let (word, why) = match &row.verdict {
        Verdict::Pass { evidence } => ("pass", evidence.join("; ")),
        Verdict::Fail { finding } => ("FAIL", fail_reason(finding)),
        Verdict::Skip { reason } => ("skip", reason.clone()),
        Verdict::Unknown { reason } => ("unknown", reason.clone()),
    };
    let why = if row.subject.len() < 3 { why } else { why.replace(&row.subject, SUBJECT) };
    (word.to_owned(), clean(&why))
}

fn fail_reason(finding: &plinth_model::Finding) -> String {
    let fix = if finding.fix.is_empty() { String::new() } else { format!(" Fix: {}", finding.fix) };
    format!("{}.{fix}", finding.message.trim_end_matches('.'))
}

/// Up to three names; more are counted, unless they failed: then each is named.
fn folded_names(subjects: &[&str], verdict: &str) -> String {
    if subjects.len() <= 3 || verdict == "FAIL" {
        return clean(&subjects.join(", "));
    }
    amount(subjects.len(), "subject", "subjects")
}

const STYLE: TableStyle = presets::NOTHING;

fn made(header: &[&str], rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    // Columns stand two blanks apart and start at the left edge.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn finished(table: Table) -> String {
    let mut text: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    if text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_model::Code;
    use plinth_model::Finding;

    fn wide(mut table: Table) -> String {
        table.force_no_tty();
        finished(table)
    }

    fn node(name: &str, address: &str, why_not: &str) -> NodeRow {
        NodeRow {
            name: name.into(),
            kind: "physical".into(),
            category: "dgx-h100".into(),
            address: address.into(),
            source: if address.is_empty() { "" } else { "bond0" }.into(),
            network: if address.is_empty() { "" } else { "production" }.into(),
            roles: vec!["worker".into(), "gpu".into()],
            why_not: why_not.into(),
        }
    }

    fn verdict(subject: &str, verdict: Verdict) -> VerdictRow {
        VerdictRow { check: "gpu.pod-runs".into(), subject: subject.into(), verdict }
    }

    #[test]
    fn discovery_says_why_not() {
        let rows = [
            node("dgx-05", "10.184.162.105", ""),
            node("dgx-09", "", "bond0 10.229.10.9 is in a forbidden network"),
            NodeRow { name: "bcm-head-01".into(), kind: "head".into(), ..NodeRow::default() },
        ];
        insta::assert_snapshot!(wide(discovery_table(&rows)));
    }

    #[test]
    fn a_narrow_terminal_keeps_every_address() {
        let mut table = discovery_table(&[node("dgx-05", "10.184.162.105", "")]);
        table.set_width(60);
        let text = finished(table);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        assert!(text.contains("dgx-05"), "{text}");
    }

    #[test]
    fn equal_verdicts_share_a_row_and_failures_name_every_node() {
        let pass = |node: &str| Verdict::Pass { evidence: vec![format!("pod on {node} saw 8 GPUs")] };
        let mut rows: Vec<VerdictRow> =
            (1..=64).map(|n| format!("dgx-{n:03}")).map(|n| verdict(&n, pass(&n))).collect();
        for node in ["dgx-101", "dgx-102", "dgx-103", "dgx-104"] {
            let finding =
                Finding::error(Code::named("gpu.none-seen"), node, "the pod saw no GPU").fix("look at the driver");
            rows.push(verdict(node, Verdict::Fail { finding: Box::new(finding) }));
        }
        rows.push(verdict("dgx-200", Verdict::Unknown { reason: "dgx-200 does not answer".into() }));
        insta::assert_snapshot!(wide(verdict_table(&rows)));
    }
}
