//! What a verb starts from: the site file and the catalog.

use crate::args::Common;
use crate::printer::Printer;
use plinth_catalog::Catalog;
use plinth_keystore::SiteSecrets;
use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::{Exit, Finding, Problem, SecretRef, Severity};
use plinth_site::Site;
use serde::Serialize;
use std::io::Read;
use std::path::Path;

/// Schema number of every `--json` document of the binary itself.
pub(crate) const SCHEMA: u32 = 1;

/// The site file and the catalog.
pub(crate) struct Input {
    pub(crate) site: Site,
    pub(crate) catalog: Catalog,
}

/// `validate --json`, and what every verb with `--json` prints when its input is wrong.
#[derive(Serialize)]
pub(crate) struct FindingsReport<'a> {
    pub(crate) schema: u32,
    pub(crate) findings: &'a [Finding],
}

/// Loads both. Findings of a rejected file are printed before this returns.
pub(crate) fn load(common: &Common, printer: &Printer) -> Result<Input, Problem> {
    let catalog = catalog()?;
    match plinth_site::load(&common.file) {
        Ok(site) => Ok(Input { site, catalog }),
        Err(rejected) => {
            show(common, printer, &rejected.findings, Some((&rejected.source, &rejected.file)));
            Err(refused(&rejected.findings, &common.file.display().to_string()))
        }
    }
}

/// The catalog inside the binary.
pub(crate) fn catalog() -> Result<Catalog, Problem> {
    Catalog::embedded().map_err(|error| {
        Problem::new(Exit::Bug, "reading the catalog inside plinth", "", error, "report this; it is our bug")
    })
}

impl Input {
    /// Points findings at their place in the site file, where their subject is a path in it.
    pub(crate) fn place(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        for finding in &mut findings {
            if finding.position.is_none()
                && let Some(position) = self.site.position(&finding.subject)
            {
                *finding = finding.clone().at(position);
            }
        }
        findings
    }

    /// Prints findings, pointing into the site file.
    pub(crate) fn show(&self, common: &Common, printer: &Printer, findings: &[Finding]) {
        show(common, printer, findings, Some((self.site.source(), self.site.file())));
    }

    /// Prints the findings and refuses if there is an error among them.
    pub(crate) fn accept(&self, common: &Common, printer: &Printer, findings: Vec<Finding>) -> Result<(), Problem> {
        let findings = self.place(findings);
        self.show(common, printer, &findings);
        if findings.iter().any(Finding::is_error) {
            return Err(refused(&findings, &common.file.display().to_string()));
        }
        Ok(())
    }

    /// Refuses, naming all at once, when a secret that this verb needs cannot be had.
    pub(crate) fn need_secrets(
        &self,
        common: &Common,
        printer: &Printer,
        secrets: &SiteSecrets,
        needed: &[(String, SecretRef)],
    ) -> Result<(), Problem> {
        self.accept(common, printer, secrets.check_all(needed))
    }
}

/// References below a path of the site file.
pub(crate) fn secrets_below(input: &Input, path: &str) -> Vec<(String, SecretRef)> {
    plinth_site::secret_refs(&input.site.desired).into_iter().filter(|(at, _)| at.starts_with(path)).collect()
}

/// Prints findings: as data with `--json` when they end the verb, as talk otherwise.
pub(crate) fn show(common: &Common, printer: &Printer, findings: &[Finding], source: Option<(&str, &Path)>) {
    if common.json && findings.iter().any(Finding::is_error) {
        printer.json(&FindingsReport { schema: SCHEMA, findings });
        return;
    }
    if findings.is_empty() {
        return;
    }
    let (text, file) = source.unwrap_or(("", Path::new("")));
    printer.talk(&plinth_site::render::findings_text(findings, text, file, printer.color_err()));
}

/// A problem in the shape that programs read.
pub(crate) fn as_finding(problem: &Problem) -> Finding {
    let (code, message) = (code(problem.exit), format!("{} {}: {}", problem.doing, problem.to, problem.happened));
    Finding::error(code, &problem.to, message).fix(&problem.attempt)
}

/// A code per way of ending.
fn code(exit: Exit) -> Code {
    match exit {
        Exit::Locked => code::PLINTH_LOCKED,
        Exit::Unreachable => code::PLINTH_UNREACHABLE,
        Exit::Partly => code::PLINTH_PARTLY,
        Exit::Bug => code::PLINTH_BUG,
        Exit::Done | Exit::Input | Exit::Pending | Exit::CheckFailed => code::PLINTH_INPUT,
    }
}

/// The last line after findings that end a verb.
pub(crate) fn refused(findings: &[Finding], file: &str) -> Problem {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let code = findings.iter().find(|f| f.is_error()).map_or("CODE", |f| f.code.as_str());
    Problem::new(
        Exit::Input,
        "checking",
        file,
        format!("{}, {}; nothing was contacted or changed", plural(errors, "error"), plural(warnings, "warning")),
        format!("fix what is listed above; `plinth explain {code}` tells more"),
    )
}

/// Refuses to write over a file that plinth did not write: a site file named by mistake must not be lost.
pub(crate) fn replaceable(file: &Path, ours: impl Fn(&[u8]) -> bool) -> Result<(), Problem> {
    let mut start = Vec::new();
    let read = std::fs::File::open(file).and_then(|opened| opened.take(64).read_to_end(&mut start));
    let foreign = read.is_ok() && file.is_file() && !start.is_empty() && !ours(&start);
    if !foreign {
        return Ok(());
    }
    Err(Problem::new(
        Exit::Input,
        "writing over",
        file.display().to_string(),
        "the file is there already and is not of the kind that would be written; it was left alone",
        "name another file, or move this one away",
    ))
}

/// `1 node`, `2 nodes`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
