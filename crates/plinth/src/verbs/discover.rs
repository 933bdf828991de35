//! `plinth discover`.

use crate::args::{Common, Discover};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::{clients, state};
use plinth_bcm::recorded;
use plinth_keystore::SiteSecrets;
use plinth_model::{Exit, Finding, Problem};
use plinth_plan::DiscoverReport;
use plinth_plan::discover::ReportNode;
use plinth_report::NodeRow;

/// Lists nodes with the addresses plinth would use, and why not others.
pub(crate) fn run(common: &Common, verb: &Discover, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    let inventory = inventory(common, &input, verb.from.inventory.as_deref(), printer)?;
    if let Some(file) = &verb.save {
        recorded::save(&inventory, file).map_err(|error| Problem { exit: Exit::Input, ..clients::problem(&error) })?;
    }
    let discovery = plinth_plan::discover(&input.site.desired, &inventory);
    let findings = input.place(discovery.findings.clone());
    if common.json {
        printer.json(&DiscoverReport { findings: findings.clone(), ..DiscoverReport::from(&discovery) });
    } else {
        let rows: Vec<NodeRow> = DiscoverReport::from(&discovery).nodes.into_iter().map(row).collect();
        printer.data(&plinth_report::tables::discovery(&rows));
        input.show(common, printer, &findings);
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

/// Reads the inventory for a verb that needs nothing else; names all secrets it misses at once, before any contact.
pub(crate) fn inventory(
    common: &Common,
    input: &Input,
    recorded: Option<&std::path::Path>,
    printer: &Printer,
) -> Result<plinth_model::inventory::Inventory, Problem> {
    let secrets = SiteSecrets::new(&state::directory(common.state.as_deref(), &input.site.desired.name)?)
        .below(input.site.folder());
    if recorded.is_none() {
        input.need_secrets(common, printer, &secrets, &input::secrets_below(input, "inventory"))?;
    }
    clients::inventory(input, recorded, &secrets)
}
