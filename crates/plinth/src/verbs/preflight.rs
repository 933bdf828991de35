//! `plinth preflight`.

use crate::approval::Question;
use crate::args::{Common, Preflight};
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running};
use plinth_app::{Access, Discovered, Failure, Goal, Input, Operation};
use plinth_model::facts::NodeFacts;
use plinth_model::steps::Preparation;
use plinth_model::{Exit, Finding, NodeName};
use plinth_run::survey::Survey;
use serde::Serialize;
use std::collections::BTreeMap;

/// `preflight --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    schema: u32,
    findings: &'a [Finding],
    facts: &'a BTreeMap<NodeName, NodeFacts>,
    fixable: &'a BTreeMap<NodeName, Preparation>,
}

/// Checks every node and tells all that is wrong or doubtful. Pins host keys that were never seen, and changes nothing else unless
/// asked to fix.
pub(crate) async fn run(common: &Common, verb: &Preflight, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let first = "look at `plinth preflight` first, then give `--fix --yes`";
    let question = Question::new(common, printer, (|_| "Fix this?".to_owned(), verb.yes || !verb.fix), first)?;
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));

    let mut operation = input::open(common, input, recorded, Access::Change, Goal::Site, &screen)?;
    let discovered = operation.discover().await?;
    let mut survey = operation.check_nodes(&discovered.cluster).await?;
    let mut fixed = Exit::Done;
    if verb.fix && survey.fixes.is_empty() {
        printer.talk("nothing here is plinth's to fix: Kubespray sets swap, kernel modules and kernel settings by itself during `apply`");
    } else if verb.fix {
        fixed = fix(&mut operation, &discovered, &survey, &question, printer).await?;
        if fixed != Exit::Pending {
            survey = operation.check_nodes(&discovered.cluster).await?;
        }
    }
    if verb.sources.skip_source_check {
        operation.skip_source_check();
    }
    let sources = operation.check_sources(&discovered, &survey.facts).await?;
    // Whoever does not answer is not asked for packages.
    let manifests = operation.check_manifests(&discovered, &survey.facts, sources.is_empty()).await?;
    survey.findings.extend(manifests);
    survey.findings.extend(discovered.wrong_with_site(operation.input()));
    let found = tell(common, &survey, &sources, printer);
    Ok(if fixed == Exit::Partly { fixed } else { found })
}

/// People have read of the sources already.
fn tell(common: &Common, survey: &Survey, sources: &[Finding], printer: &Printer) -> Exit {
    let all: Vec<Finding> = survey.findings.iter().chain(sources).cloned().collect();
    if common.json {
        let Survey { facts, fixes, .. } = survey;
        printer.json(&Report { schema: input::SCHEMA, findings: &all, facts, fixable: fixes });
    } else {
        printer
            .data(&plinth_report::preflight::preflight(&survey.findings, crate::printer::palette(printer.color_out())));
    }
    if all.iter().any(Finding::is_error) { Exit::CheckFailed } else { Exit::Done }
}

/// Fixes what is declared safe, if a person agrees.
async fn fix(
    operation: &mut Operation<'_>,
    discovered: &Discovered,
    survey: &Survey,
    question: &Question<'_>,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let planned = operation.plan_fixes(discovered, survey)?;
    let Some(mut approved) = operation.approve(planned, question).await? else { return Ok(Exit::Pending) };
    Ok(running::watched(operation, &mut approved, (None, None), printer).await?.exit)
}
