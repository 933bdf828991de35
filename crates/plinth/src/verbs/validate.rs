//! `plinth validate`.

use crate::args::Common;
use crate::input::{self, FindingsReport, SCHEMA, plural};
use crate::printer::Printer;
use crate::{rehearsal, state};
use plinth_keystore::SiteSecrets;
use plinth_model::finding::code;
use plinth_model::{Exit, Finding, Problem, Severity};
use plinth_plan::Observed;
use plinth_site::desired::{InventorySource, TlsTrust};

/// Checks the site file against itself and the compatibility data. Contacts nothing.
pub(crate) fn run(common: &Common, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    let findings = input.place(findings(common, &input)?);
    let failed = findings.iter().any(Finding::is_error);
    if common.json {
        printer.json(&FindingsReport { schema: SCHEMA, findings: &findings });
    } else {
        input.show(common, printer, &findings);
    }
    if failed {
        return Err(input::refused(&findings, &common.file.display().to_string()));
    }
    if !common.json {
        let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
        let file = common.file.display();
        let site = &input.site.desired.name;
        let warnings = plural(count(Severity::Warning), "warning");
        printer
            .data(&format!("{file}: site `{site}` is valid ({warnings}, {} for information)", count(Severity::Info)));
    }
    Ok(Exit::Done)
}

/// Everything that can be said without contact: the file, versions, secrets that are not there (only warnings here).
fn findings(common: &Common, input: &input::Input) -> Result<Vec<Finding>, Problem> {
    let desired = &input.site.desired;
    let mut findings = input.site.findings.clone();
    findings.extend(planned(input)?);
    findings.extend(files_missing(input));
    let secrets =
        SiteSecrets::new(&state::directory(common.state.as_deref(), &desired.name)?).below(input.site.folder());
    let missing = secrets.check_all(&plinth_site::secret_refs(desired));
    findings.extend(missing.into_iter().map(|f| Finding { severity: Severity::Warning, ..f }));
    Ok(findings)
}

/// What planning with made-up nodes says: versions, components, values. Addresses are made up, so nothing is said of them.
fn planned(input: &input::Input) -> Result<Vec<Finding>, Problem> {
    let synthetic = rehearsal::synthetic(&input.site.desired, None)?;
    let observed = Observed::new(synthetic.inventory);
    Ok(match plinth_plan::plan(&synthetic.desired, &observed, &input.catalog) {
        Ok(plan) => plan.findings,
        Err(findings) => findings,
    })
}

/// Files that the site names and that are not there now. Only a warning: they may come later, or lie on another machine.
fn files_missing(input: &input::Input) -> Vec<Finding> {
    let InventorySource::Bcm(access) = &input.site.desired.inventory else { return Vec::new() };
    let TlsTrust::CaFile(file) = &access.tls else { return Vec::new() };
    let path = input.site.folder().join(file);
    if path.is_file() {
        return Vec::new();
    }
    let message = format!("{} is not there: BCM cannot be asked without it", path.display());
    vec![
        Finding::warning(code::SITE_FILE_MISSING, "inventory.bcm.tls.caFile", message)
            .fix("copy the authority's certificate from the head node to that place"),
    ]
}
