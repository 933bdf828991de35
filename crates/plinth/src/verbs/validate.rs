//! `plinth validate`.

use crate::args::{Common, Validate};
use crate::input::{FindingsReport, SCHEMA};
use crate::printer::Printer;
use crate::screen::Screen;
use plinth_app::{Audience, Failure, Input};
use plinth_model::{Exit, Finding, Severity, amount};

/// Checks the site file against itself and the compatibility data. No program is run, nobody is contacted and no secret is read unless
/// `--check-secrets` asks for it.
pub(crate) fn run(common: &Common, verb: &Validate, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let mut findings = input.check()?;
    if verb.check_secrets {
        findings.extend(input.try_secrets(common.state.as_deref())?);
    }
    if findings.iter().any(Finding::is_error) {
        return Err(input.rejected(findings));
    }
    if common.json {
        printer.json(&FindingsReport { schema: SCHEMA, findings: &findings });
        return Ok(Exit::Done);
    }
    if !findings.is_empty() {
        Screen::new(printer).findings(&input.site, &findings);
    }
    printer.data(&valid(common, &input, &findings));
    if !verb.check_secrets && !plinth_site::secret_refs(&input.site.desired).is_empty() {
        printer.talk(
            "its secrets were not read; `--check-secrets` reads them, and runs the programs that it names for them",
        );
    }
    Ok(Exit::Done)
}

fn valid(common: &Common, input: &Input, findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (warnings, notes) = (amount(count(Severity::Warning), "warning"), amount(count(Severity::Info), "note"));
    let (file, site) = (common.file.display(), &input.site.desired.name);
    format!("{file}: site `{site}` is valid ({warnings}, {notes})")
}
