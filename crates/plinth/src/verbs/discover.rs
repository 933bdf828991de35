//! `plinth discover`.

use crate::args::{Common, Discover};
use crate::input;
use crate::printer::Printer;
use crate::screen::Screen;
use plinth_app::world::record_inventory;
use plinth_app::{Access, Audience, Failure, Goal, Input};
use plinth_model::{Exit, Finding};
use plinth_plan::DiscoverReport;
use plinth_plan::discover::ReportNode;
use plinth_report::NodeRow;

/// Lists nodes with the addresses plinth would use, and why not others.
pub(crate) async fn run(common: &Common, verb: &Discover, printer: &Printer) -> Result<Exit, Failure> {
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));
    let input = Input::load(&common.file)?;
    let mut operation = input::open(common, input, recorded, Access::Read, Goal::Site, &screen)?;
    let discovered = operation.discover().await?;
    if let Some(file) = &verb.save {
        record_inventory(&discovered.inventory, file)?;
    }
    let report = DiscoverReport::from(&discovered.discovery);
    let findings = operation.input().place(discovered.discovery.findings);
    if common.json {
        printer.json(&DiscoverReport { findings: findings.clone(), ..report });
    } else {
        printer.data(&plinth_report::tables::discovery(&report.nodes.into_iter().map(row).collect::<Vec<NodeRow>>()));
        screen.findings(&operation.input().site, &findings);
        if findings.iter().any(Finding::is_error) {
            printer.problem(&input::refused(&findings, &common.file.display().to_string(), true));
        }
    }
    Ok(if findings.iter().any(Finding::is_error) { Exit::Input } else { Exit::Done })
}

fn row(node: ReportNode) -> NodeRow {
    NodeRow {
        name: node.name,
        kind: node.kind,
        category: node.category.unwrap_or_default(),
        address: node.address.map(|address| address.to_string()).unwrap_or_default(),
        source: node.interface.or(node.address_source).unwrap_or_default(),
        network: node.network.unwrap_or_default(),
        roles: node.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        why_not: if node.address.is_none() { node.passed_over.join("; ") } else { String::new() },
    }
}
