//! `plinth preflight`.

use crate::args::{Common, Preflight};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::{Real, known};
use crate::session::Held;
use crate::{clients, state, verbs};
use plinth_model::facts::NodeFacts;
use plinth_model::steps::Preparation;
use plinth_model::{Exit, Finding, NodeName, Problem, Severity};
use plinth_plan::{Cluster, Visit};
use plinth_run::Durability;
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

/// Visits every node and tells all that is wrong or doubtful; changes nothing but pins of host keys, unless asked to fix.
pub(crate) fn run(common: &Common, verb: &Preflight, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    if verb.fix && !verb.yes && !Printer::can_ask() {
        return Err(nobody_to_ask());
    }
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, &input, &directory, printer)?;
    let _held = verb.fix.then(|| Held::take(&directory, &input.site.desired.name, Durability::Power)).transpose()?;
    let inventory = verbs::discover::inventory(common, &input, verb.from.inventory.as_deref(), printer)?;
    let desired = &input.site.desired;
    let discovery = plinth_plan::discover(desired, &inventory);
    let (cluster, clashes) = Cluster::new(desired, &discovery);
    let known = known::read(&directory)?;
    let (exit, survey) = clients::runtime()?.block_on(async {
        let mut survey = real.survey(desired, &cluster).await?;
        if verb.fix {
            survey = fix(&real, verb, &input, &cluster, survey, printer).await?;
        }
        survey.findings.extend(site_findings(&input, clashes, discovery.findings));
        Ok::<_, Problem>((tell(common, &survey, printer), survey))
    })?;
    known::write(&directory, &known.into_iter().chain(survey.facts).collect())?;
    Ok(exit)
}

/// What is wrong with the site as a whole; remarks of the discovery are shown by `plinth discover`.
fn site_findings(input: &Input, clashes: Vec<Finding>, discovery: Vec<Finding>) -> Vec<Finding> {
    let all = input.site.findings.iter().cloned().chain(clashes).chain(discovery);
    all.filter(|finding| finding.severity != Severity::Info).collect()
}

fn tell(common: &Common, survey: &Survey, printer: &Printer) -> Exit {
    if common.json {
        let Survey { facts, findings, fixes } = survey;
        printer.json(&Report { schema: input::SCHEMA, findings, facts, fixable: fixes });
    } else {
        printer.data(&plinth_report::preflight::preflight(&survey.findings, crate::sinks::palette(printer)));
    }
    if survey.findings.iter().any(Finding::is_error) { Exit::CheckFailed } else { Exit::Done }
}

/// Findings as talk, before something else: folded, errors first.
pub(crate) fn show(printer: &Printer, findings: &[Finding]) {
    printer.talk(&plinth_report::preflight::preflight(findings, crate::sinks::palette(printer)));
}

/// Fixes what is declared safe, then visits the nodes again.
async fn fix(
    real: &Real,
    verb: &Preflight,
    input: &Input,
    cluster: &Cluster,
    survey: Survey,
    printer: &Printer,
) -> Result<Survey, Problem> {
    let desired = &input.site.desired;
    if survey.fixes.is_empty() {
        printer.talk("nothing here can be fixed safely by plinth");
        return Ok(survey);
    }
    printer.talk(&plan(&survey.fixes));
    if !verb.yes && !printer.ask("Fix this?") {
        printer.talk("nothing was changed");
        return Ok(survey);
    }
    for visit in plinth_plan::visits(desired, cluster) {
        if let Some(wanted) = survey.fixes.get(&visit.first.node) {
            fix_one(real, &visit, wanted).await?;
            printer.talk(&format!("{}: fixed", visit.first.node));
        }
    }
    real.survey(desired, cluster).await
}

/// What would be fixed, a line for each node.
fn plan(fixes: &BTreeMap<NodeName, Preparation>) -> String {
    let lines = fixes.iter().map(|(node, wanted)| format!("  {node}: {}", in_words(wanted)));
    format!("to fix:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn in_words(wanted: &Preparation) -> String {
    let mut parts: Vec<String> = wanted.modules.iter().map(|module| format!("load {module}")).collect();
    parts.extend(wanted.sysctls.iter().map(|(name, value)| format!("set {name} = {value}")));
    parts.extend(wanted.swap_off.then(|| "switch swap off".to_owned()));
    parts.extend(wanted.time_service.then(|| "start the time service".to_owned()));
    parts.extend(wanted.hosts.iter().map(|(name, address)| format!("write {name} {address} to /etc/hosts")));
    parts.join(", ")
}

async fn fix_one(real: &Real, visit: &Visit, wanted: &Preparation) -> Result<(), Problem> {
    let client = &real.clients.node;
    match client.prepare(&real.ctx, &visit.account, wanted).await {
        Ok(()) => Ok(()),
        Err(_) => client.prepare(&real.ctx, &visit.first, wanted).await.map_err(|error| clients::problem(&error)),
    }
}

fn nobody_to_ask() -> Problem {
    Problem::new(
        Exit::Input,
        "asking whether to fix",
        "",
        "there is no terminal to ask at; nothing was contacted or changed",
        "look at `plinth preflight` first, then give `--fix --yes`",
    )
}
