//! Tables for people: no borders, and colour only where a cell asks for it, so that they can be piped and cut. They fit the terminal when there is one.

use crate::style::clean;
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Row, Table, TableStyle, presets};

/// One machine, as `plinth discover` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRow {
    /// Host name, as the inventory has it.
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

/// One row per machine: an inventory is read name by name, so nothing is folded. Ends with a line break.
#[must_use]
pub fn discovery(rows: &[NodeRow]) -> String {
    finished(discovery_table(rows))
}

/// Any rows below a header. Ends with a line break.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    finished(made(header, rows))
}

/// Rows whose cells may have a colour, which is written whether or not there is a terminal: the caller knows.
#[must_use]
pub(crate) fn coloured(header: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let mut table = made(header, rows);
    table.enforce_styling();
    finished(table)
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
    let mut table = made(&["NAME", "TYPE", "CATEGORY", "ADDRESS", "SOURCE", "ROLES", "WHY NOT"], rows.collect());
    // A name or an address that is broken in the middle can be neither read nor copied.
    for whole in [0, 3] {
        if let Some(column) = table.column_mut(whole) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// Columns of the terminal; none where there is none.
pub(crate) fn columns() -> Option<usize> {
    Table::new().width().map(usize::from)
}

const STYLE: TableStyle = presets::NOTHING;

fn made<R: Into<Row>>(header: &[&str], rows: Vec<R>) -> Table {
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
}
