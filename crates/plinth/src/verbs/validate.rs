//! `plinth validate`.

use crate::args::{Common, Validate};
use crate::input::{FindingsReport, SCHEMA};
use crate::printer::Printer;
use crate::screen::Screen;
use plinth_app::world::synthetic;
use plinth_app::{Audience, Failure, Goal, Input, state};
use plinth_model::finding::code;
use plinth_model::{Exit, Finding, Problem, Severity, amount};
use plinth_plan::Observed;
use plinth_site::desired::{ChartSource, InventorySource, TlsTrust};

/// Checks the site file against itself and the compatibility data. Whoever wrote the file has no say in what runs: no program is
/// run, nobody is contacted and no secret is read unless `--check-secrets` asks for it.
pub(crate) fn run(common: &Common, verb: &Validate, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let mut findings = findings(&input)?;
    if verb.check_secrets {
        findings.extend(secrets(common, &input)?);
    }
    let findings = input.place(findings);
    if findings.iter().any(Finding::is_error) {
        return Err(input.rejected(findings));
    }
    if common.json {
        printer.json(&FindingsReport { schema: SCHEMA, findings: &findings });
    } else {
        if !findings.is_empty() {
            Screen::new(printer).findings(&input.site, &findings);
        }
        let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
        let file = common.file.display();
        let site = &input.site.desired.name;
        let warnings = amount(count(Severity::Warning), "warning");
        let notes = amount(count(Severity::Info), "note");
        printer.data(&format!("{file}: site `{site}` is valid ({warnings}, {notes})"));
        if !verb.check_secrets && !plinth_site::secret_refs(&input.site.desired).is_empty() {
            printer.talk(
                "its secrets were not read; `--check-secrets` reads them, and runs the programs that it names for them",
            );
        }
    }
    Ok(Exit::Done)
}

/// Everything that the file alone tells: itself, versions, plain files that are not there.
fn findings(input: &Input) -> Result<Vec<Finding>, Problem> {
    let mut findings = input.site.findings.clone();
    findings.extend(planned(input)?);
    findings.extend(files_missing(input));
    Ok(findings)
}

/// Secrets that cannot be had now, which is only a warning here, and those that others can read.
fn secrets(common: &Common, input: &Input) -> Result<Vec<Finding>, Problem> {
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    let doubtful = input.check_secrets(&directory);
    Ok(doubtful.into_iter().map(|f| Finding { severity: Severity::Warning, ..f }).collect())
}

/// What planning with made-up nodes says: versions, components, values. Where BCM lists the nodes nothing is said of them, since their
/// names, numbers and addresses are made up.
fn planned(input: &Input) -> Result<Vec<Finding>, Problem> {
    let made_up = synthetic(&input.site.desired, None)?;
    let observed = Observed::new(made_up.inventory);
    let mut findings = match Goal::Site.plan(&made_up.desired, &observed, &input.catalog) {
        Ok(plan) => plan.findings,
        Err(findings) => findings,
    };
    if matches!(input.site.desired.inventory, InventorySource::Bcm(_)) {
        findings.retain(|finding| !is_about_nodes(finding));
    }
    Ok(findings)
}

fn is_about_nodes(finding: &Finding) -> bool {
    let code = finding.code;
    let counted = [code::SITE_EVEN_ETCD, code::SITE_POD_CAPACITY, code::KUBERNETES_ANNOUNCED_IN_USE].contains(&code);
    counted || code.as_str().starts_with("nodes.") || code.as_str().starts_with("bcm.address")
}

/// Files that the site names and that are not there now. Only a warning: they may come later, or lie on another machine.
fn files_missing(input: &Input) -> Vec<Finding> {
    [authority_missing(input), charts_missing(input)].into_iter().flatten().collect()
}

fn charts_missing(input: &Input) -> Option<Finding> {
    let Some(ChartSource::Folder(folder)) = &input.site.desired.platform.charts else { return None };
    let path = plinth_world::files::named(input.site.folder(), folder);
    let message = format!("{} is not there: no chart can be installed without it", path.display());
    (!path.is_dir()).then(|| {
        Finding::warning(code::SITE_FILE_MISSING, "platform.charts.folder", message)
            .fix("put the packages there; `plinth render mirror-list` names them")
    })
}

fn authority_missing(input: &Input) -> Option<Finding> {
    let InventorySource::Bcm(access) = &input.site.desired.inventory else { return None };
    let TlsTrust::CaFile(file) = &access.tls else { return None };
    let path = plinth_world::files::named(input.site.folder(), file);
    if path.is_file() {
        return None;
    }
    let message = format!("{} is not there: BCM cannot be asked without it", path.display());
    let finding = Finding::warning(code::SITE_FILE_MISSING, "inventory.bcm.tls.caFile", message);
    Some(finding.fix("copy the authority's certificate from the head node to that place"))
}
