//! Findings and problems, as people and programs get them.

use crate::args::{Common, Without};
use crate::printer::Printer;
use plinth_app::saved::SavedPlan;
use plinth_app::world::World;
use plinth_app::{Access, Audience, Failure, Goal, Input, Operation, Setup};
use plinth_model::finding::{Code, code};
use plinth_model::{Exit, Finding, NodeName, Problem, Severity, amount};
use serde::Serialize;
use std::path::Path;

/// Schema number of every `--json` document of the binary itself.
pub(crate) const SCHEMA: u32 = 1;

/// `validate --json`, and what every verb with `--json` prints when its input is wrong.
#[derive(Serialize)]
pub(crate) struct FindingsReport<'a> {
    pub(crate) schema: u32,
    pub(crate) findings: &'a [Finding],
}

/// Opens the real site for a verb.
pub(crate) fn open<'a>(
    common: &'a Common,
    input: Input,
    recorded: Option<&'a Path>,
    access: Access,
    goal: Goal,
    audience: &'a dyn Audience,
) -> Result<Operation<'a>, Failure> {
    let setup = Setup { input, state: common.state.as_deref(), recorded, access, goal, audience };
    Operation::open(setup, World::Real)
}

/// Nodes to be left out: those that were asked for, else those that a saved plan leaves out.
pub(crate) fn left_out(asked: &Without, saved: Option<&SavedPlan>) -> Vec<NodeName> {
    match (asked.without.as_slice(), saved) {
        ([], Some(saved)) => saved.without(),
        (asked, _) => asked.to_vec(),
    }
}

/// Names of nodes as they were given.
pub(crate) fn node_names(names: &[String]) -> Result<Vec<NodeName>, Problem> {
    let name = |name: &String| {
        NodeName::new(name).map_err(|error| {
            Problem::while_doing("reading node")
                .to(name)
                .wrong_input(error)
                .try_this("give exact names, as in the site file")
        })
    };
    names.iter().map(name).collect()
}

/// Prints the findings that ended a verb, and answers what is said last.
pub(crate) fn problem(failure: Failure, json: bool, file: &Path, printer: &Printer) -> Problem {
    match failure {
        Failure::Problem(problem) => problem,
        Failure::Rejected(rejected) => {
            show(json, printer, &rejected.findings, Some((&rejected.source, &rejected.file)));
            refused(&rejected.findings, &file.display().to_string(), rejected.contacted)
        }
    }
}

/// Prints findings: as data with `--json` when they end the verb, as talk otherwise.
pub(crate) fn show(json: bool, printer: &Printer, findings: &[Finding], source: Option<(&str, &Path)>) {
    if json && findings.iter().any(Finding::is_error) {
        printer.json(&FindingsReport { schema: SCHEMA, findings });
        return;
    }
    if findings.is_empty() {
        return;
    }
    let (text, file) = source.unwrap_or(("", Path::new("")));
    printer.talk(&plinth_site::render::findings_text(&errors_last(findings), text, file, printer.color_err()));
}

/// As a terminal shows them: what ends the verb stands last, where it does not scroll away. Else the order stays.
fn errors_last(findings: &[Finding]) -> Vec<Finding> {
    let mut findings = findings.to_vec();
    findings.sort_by_key(|finding| finding.severity);
    findings
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
pub(crate) fn refused(findings: &[Finding], file: &str, contacted: bool) -> Problem {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let code = findings.iter().find(|f| f.is_error()).map_or("CODE", |f| f.code.as_str());
    // What stands in no line of the file need not be the file's fault: a flag, or what BCM says.
    let in_file = findings.iter().any(|finding| finding.is_error() && finding.line.is_some());
    let doing = if in_file || !contacted { "checking" } else { "making a plan from" };
    Problem::while_doing(doing)
        .to(file)
        .wrong_input(format!(
            "{}, {}; {}",
            amount(errors, "error"),
            amount(warnings, "warning"),
            if contacted { "nothing was changed" } else { "nothing was contacted or changed" }
        ))
        .try_this(format!("fix what is listed above; `plinth explain {code}` tells more"))
}
