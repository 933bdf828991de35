//! `plinth version`.

use crate::args::Common;
use crate::input::SCHEMA;
use crate::printer::Printer;
use plinth_app::Failure;
use plinth_app::input::catalog;
use plinth_model::Exit;
use serde::Serialize;

/// `version --json`.
#[derive(Serialize)]
struct Report {
    schema: u32,
    plinth: &'static str,
    catalog: String,
    kubespray: Vec<Release>,
}

/// A Kubespray release, and the Kubernetes that it installs.
#[derive(Serialize)]
struct Release {
    release: String,
    kubernetes: String,
}

/// Says which plinth this is, and which Kubespray and Kubernetes its catalog knows.
pub(crate) fn run(common: &Common, printer: &Printer) -> Result<Exit, Failure> {
    let catalog = catalog()?;
    let known = catalog.compatibility().kubespray.iter();
    let kubespray: Vec<Release> = known
        .map(|(release, line)| Release {
            release: format!("v{}", release.trim_start_matches('v')),
            kubernetes: line.kubernetes.range.as_str().to_owned(),
        })
        .collect();
    let report = Report {
        schema: SCHEMA,
        plinth: env!("PLINTH_VERSION"),
        catalog: catalog.digest().short().to_owned(),
        kubespray,
    };
    if common.json {
        printer.json(&report);
    } else {
        printer.data(&text(&report));
    }
    Ok(Exit::Done)
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!("plinth {}", report.plinth), format!("catalog {}", report.catalog)];
    let release = |one: &Release| format!("Kubespray {} installs Kubernetes {}", one.release, one.kubernetes);
    lines.extend(report.kubespray.iter().map(release));
    lines.join("\n")
}
