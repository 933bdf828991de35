//! Tables for people: no borders, and colour only where a cell asks for it, so that they can be piped and cut. They fit the terminal when there is one.

use crate::style::clean;
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Row, Table, TableStyle, presets};
use plinth_model::wrap::{behind, hanging};
use textwrap::core::display_width;

/// So much room is enough for the reasons why there is no address.
const WHY: usize = 40;

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

/// One row per machine: an inventory is read name by name, so nothing is folded. Where a terminal has no room for the table, a line per
/// machine with whole words. Ends with a line break.
#[must_use]
pub fn discovery(rows: &[NodeRow]) -> String {
    discovery_in(&cells(rows), columns())
}

fn discovery_in(rows: &[[String; 7]], width: Option<usize>) -> String {
    let room = |column: usize| rows.iter().map(|row| display_width(&row[column])).max().unwrap_or(0).max(8) + 2;
    let why = room(6).min(WHY);
    match width {
        Some(width) if (0..6).map(room).sum::<usize>() + why > width => {
            rows.iter().map(|row| lines(row, (room(0), room(3)), width)).collect()
        }
        width => finished(discovery_table(rows, width)),
    }
}

/// `dgx-h100-r1-n01  10.184.162.111  physical, dgx-h100, bond0 on dgxnet, worker, gpu`, and below it why there is no address.
fn lines(row: &[String; 7], (name, address): (usize, usize), width: usize) -> String {
    let first = format!("{:<name$}{:<address$}", row[0], row[3]);
    let rest = [&row[1], &row[2], &row[4], &row[5]].map(String::as_str);
    let mut rest: Vec<&str> = rest.into_iter().filter(|text| *text != "-").collect();
    // A head node is of that type and has that role.
    if rest.first() == rest.last() && rest.len() > 1 {
        rest.pop();
    }
    let rest = rest.join(", ");
    let mut text = behind(&first, name + address, &rest, Some(width), 4) + "\n";
    if !row[6].is_empty() {
        text += &(hanging(&format!("    why not  {}", row[6]), 13, Some(width)) + "\n");
    }
    text
}

/// Any rows below a header; where a terminal has no room for the table, the cells of a row below each other, so that each can be read and
/// copied whole. Ends with a line break.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table_in(header, rows, columns())
}

fn table_in(header: &[&str], rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    let cell = |row: &[String], column: usize| row.get(column).map_or(0, |text| display_width(text));
    let widest = |(column, name): (usize, &&str)| {
        rows.iter().map(|row| cell(row, column)).max().unwrap_or(0).max(display_width(name)) + 2
    };
    let natural: usize = header.iter().enumerate().map(widest).sum();
    let label = header.iter().map(|name| name.len()).max().unwrap_or(0);
    if width.is_none_or(|width| natural <= width + 2) {
        return finished(made(header, rows));
    }
    let named = |(name, text): (&&str, &String)| format!("  {:<label$}  {text}\n", name.to_lowercase());
    let block = |row: &Vec<String>| {
        let first = row.first().map(|first| format!("{first}\n")).unwrap_or_default();
        first + &header.iter().zip(row).skip(1).map(named).collect::<String>()
    };
    rows.iter().map(block).collect()
}

/// Rows whose cells may have a colour, which is written whether or not there is a terminal: the caller knows. The columns of `kept` are as
/// wide as what stands in them.
#[must_use]
pub(crate) fn coloured(header: &[&str], rows: Vec<Vec<Cell>>, kept: &[usize]) -> String {
    let mut table = made(header, rows);
    table.enforce_styling();
    whole(&mut table, kept);
    finished(table)
}

/// Name, kind, category, address, source, roles, why there is no address.
fn cells(rows: &[NodeRow]) -> Vec<[String; 7]> {
    let dash = |text: &str| if text.is_empty() { "-".to_owned() } else { clean(text) };
    let rows = rows.iter().map(|row| {
        let source = match (row.source.as_str(), row.network.as_str()) {
            ("", "") => "-".to_owned(),
            (source, "") => clean(source),
            (source, network) => clean(&format!("{source} on {network}")),
        };
        let address = if row.address.is_empty() { "none".to_owned() } else { clean(&row.address) };
        let roles = dash(&row.roles.join(", "));
        [clean(&row.name), dash(&row.kind), dash(&row.category), address, source, roles, clean(&row.why_not)]
    });
    rows.collect()
}

fn discovery_table(rows: &[[String; 7]], width: Option<usize>) -> Table {
    let header = ["NAME", "TYPE", "CATEGORY", "ADDRESS", "SOURCE", "ROLES", "WHY NOT"];
    let mut table = made(&header, rows.iter().map(|row| row.to_vec()).collect());
    if let Some(width) = width.and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width);
    }
    whole(&mut table, &[0, 1, 2, 3, 4, 5]);
    table
}

/// What is broken in the middle in these columns could be neither read nor copied.
fn whole(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
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
        insta::assert_snapshot!(wide(discovery_table(&cells(&rows), None)));
    }

    #[test]
    fn a_narrow_terminal_keeps_every_word() {
        let why = "bond0 10.184.162.21: claimed by K8S-CP-06, k8s-cp-01; enp1s0f0 (physical) 0.0.0.0 on no network: no address is set; \
                   ipmi0 (BMC) 10.229.10.21 on ipminet: a BMC's address is never the machine's own";
        let rows = [node("dgx-h100-r1-n01", "10.184.162.105", ""), node("K8S-CP-06", "", why)];
        let words = |text: &str| text.split([' ', '\n', ',', ';']).map(str::to_owned).collect::<Vec<_>>();
        for width in [60, 80, 100, 120, 160, 200] {
            let text = discovery_in(&cells(&rows), Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
            for word in
                words(why).iter().chain(&words("dgx-h100-r1-n01 10.184.162.105 physical bond0 production worker"))
            {
                assert!(words(&text).contains(word), "{word} at {width}\n{text}");
            }
        }
        let narrow = discovery_in(&cells(&rows), Some(80));
        assert!(narrow.starts_with("dgx-h100-r1-n01  10.184.162.105  physical, dgx-h100, "), "{narrow}");
        assert!(narrow.contains("\n    why not  bond0 10.184.162.21: claimed by"), "{narrow}");
        let heads =
            [NodeRow { roles: vec!["head".into()], kind: "head".into(), ..node("bcm-head-01", "10.184.162.100", "") }];
        let head = discovery_in(&cells(&heads), Some(40));
        assert_eq!(head.matches("head").count(), 2, "the name and the type: {head}");
    }

    /// Two fingerprints are compared by eye.
    #[test]
    fn fingerprints_stay_whole_on_a_narrow_terminal() {
        let key = |letter: &str| format!("ssh-ed25519 SHA256:{}", letter.repeat(43));
        let rows = vec![vec!["n2".to_owned(), "10.77.0.12".to_owned(), key("a"), key("b")]];
        let header = ["NODE", "ADDRESS", "PINNED", "PRESENTED"];
        let narrow = table_in(&header, rows.clone(), Some(80));
        assert!(narrow.lines().all(|line| line.len() <= 80), "{narrow}");
        assert!(narrow.contains(&key("a")) && narrow.contains(&key("b")) && narrow.starts_with("n2\n"), "{narrow}");
        assert!(table_in(&header, rows, Some(160)).starts_with("NODE"));
    }
}
