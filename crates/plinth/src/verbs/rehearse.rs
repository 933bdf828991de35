//! `plinth rehearse`.

use crate::args::{Common, Pace as Wanted, Rehearse};
use crate::input::{self, Input, plural};
use crate::printer::Printer;
use crate::rehearsal::{NoRehearsal, Rehearsal, Script, fault_problem};
use crate::sinks::Sinks;
use crate::{clients, session, state, verbs};
use plinth_model::{Exit, Finding, Problem, Severity};
use plinth_run::StopSignal;
use plinth_sim::{Fault, Pace};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A watchable rehearsal takes about this long, and never waits longer at once.
const WATCHABLE: Pace = Pace {
    real_per_virtual_second: Duration::from_micros(2_500),
    longest_jump: Duration::from_millis(400),
    total: Duration::from_secs(8),
};

/// Runs the whole job against a data centre made up for the site.
pub(crate) fn run(common: &Common, verb: &Rehearse, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    let faults = faults(&verb.fault)?;
    let folder = Folder::open(common, verb, &input)?;
    let script = Script {
        desired: input.site.desired.clone(),
        inventory: recorded(verb)?,
        nodes: verb.nodes,
        faults,
        seed: verb.seed,
        directory: folder.path.clone(),
        kept: !folder.passing,
    };
    clients::runtime()?.block_on(perform(common, verb, &input, script, printer))
}

async fn perform(
    common: &Common,
    verb: &Rehearse,
    input: &Input,
    script: Script,
    printer: &Printer,
) -> Result<Exit, Problem> {
    let mut rehearsal = match Rehearsal::prepare(script, &input.catalog).await {
        Ok(rehearsal) => rehearsal,
        Err(NoRehearsal::Problem(problem)) => return Err(problem),
        Err(NoRehearsal::Findings(findings)) => {
            input.accept(common, printer, findings)?;
            return Err(input::refused(&[], &common.file.display().to_string()));
        }
    };
    rehearsal.plan.findings.extend(input.site.findings.clone());
    rehearsal.plan.findings = input.place(std::mem::take(&mut rehearsal.plan.findings));
    if let Some(file) = &verb.plan {
        verbs::plan::saved(file, &rehearsal.plan)?;
    }
    if let Some(file) = &verb.save_plan {
        verbs::plan::save(&rehearsal.plan, file)?;
    }
    if verb.plan_only {
        verbs::plan::show(common, None, &rehearsal.plan, printer);
        return Ok(Exit::Done);
    }
    printer.talk(&introduction(common, &rehearsal));
    printer.talk(&doubts(&rehearsal.plan.findings));
    input.show(common, printer, &rehearsal.findings);
    carry_out(common, verb, rehearsal, printer).await
}

async fn carry_out(common: &Common, verb: &Rehearse, rehearsal: Rehearsal, printer: &Printer) -> Result<Exit, Problem> {
    let plan = rehearsal.plan.clone();
    let sinks = Sinks::open(printer, &plan, verb.events.events.as_deref())?;
    let stop = StopSignal::new();
    let signals = tokio::spawn(session::watch_signals(stop.clone()));
    let result = rehearsal.run(sinks.sink(), stop, pace(verb.pace)).await;
    signals.abort();
    let closed = sinks.close();
    let (report, unspent) = result?;
    for fault in unspent {
        printer.talk(&format!("fault `{fault}` did not happen: the run never came to where it strikes"));
    }
    closed?;
    if common.json {
        printer.json(&crate::explain::report(&plan, &report));
    }
    Ok(report.exit)
}

/// The plan's findings in a line: a rehearsal is not where they are fixed.
fn doubts(findings: &[Finding]) -> String {
    let warnings: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info)
        .map(|finding| finding.code.as_str())
        .collect();
    let notes = findings.len() - warnings.len();
    if findings.is_empty() {
        return "  The plan raises no doubts.".to_owned();
    }
    let named = if warnings.is_empty() { String::new() } else { format!(" ({})", warnings.join(", ")) };
    let (warnings, notes) = (plural(warnings.len(), "warning"), plural(notes, "note"));
    format!("  The plan raises {warnings}{named} and {notes}; `plinth validate` shows them in full.")
}

/// What is real here and what is not, before anything else is said.
fn introduction(common: &Common, rehearsal: &Rehearsal) -> String {
    let plan = &rehearsal.plan;
    let hosts = plan.steps.iter().filter_map(|step| step.work.node()).collect::<std::collections::BTreeSet<_>>().len();
    let secrets = plinth_site::secret_refs(&rehearsal.desired).len();
    let addresses = if rehearsal.synthetic { "Addresses, hardware" } else { "Hardware" };
    format!(
        "rehearsal of site {} ({}): {}, {}, {} may change something\n  \
         Nothing real is contacted. {addresses} and all {} of the site are made up; time is virtual.\n  \
         BCM is a simulated CMDaemon asked over real TLS; nodes, Kubespray, Kubernetes, Helm and Run:ai are simulated.",
        plan.site,
        common.file.display(),
        plural(hosts, "node"),
        plural(plan.steps.len(), "step"),
        plan.pending(),
        plural(secrets, "secret"),
    )
}

fn pace(wanted: Wanted) -> Option<Pace> {
    match wanted {
        Wanted::Fast => None,
        Wanted::Watch => Some(WATCHABLE),
        Wanted::Auto => Printer::watched().then_some(WATCHABLE),
    }
}

fn faults(texts: &[String]) -> Result<Vec<Fault>, Problem> {
    texts.iter().map(|text| text.parse::<Fault>().map_err(|error| fault_problem(&error))).collect()
}

/// A recorded inventory, if one is given.
fn recorded(verb: &Rehearse) -> Result<Option<plinth_model::inventory::Inventory>, Problem> {
    let Some(file) = &verb.from.inventory else { return Ok(None) };
    if verb.nodes.is_some() {
        return Err(Problem::new(
            Exit::Input,
            "making up nodes",
            "",
            "a recorded inventory says which nodes there are",
            "give either `--inventory` or `--nodes`",
        ));
    }
    clients::recorded_inventory(file).map(Some)
}

/// The state directory: the one given, or one that goes away afterwards.
struct Folder {
    path: PathBuf,
    passing: bool,
}

impl Folder {
    fn open(common: &Common, verb: &Rehearse, input: &Input) -> Result<Self, Problem> {
        let name = format!("plinth-rehearsal-{}-{}", input.site.desired.name, uuid::Uuid::now_v7());
        let path = common.state.clone().unwrap_or_else(|| std::env::temp_dir().join(name));
        let folder = Self { passing: common.state.is_none(), path };
        if !verb.plan_only || folder.passing || !folder.path.exists() {
            state::open(&folder.path, true)?;
        }
        state::kind_fits(&folder.path, true)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.passing {
            remove(&self.path);
        }
    }
}

/// A folder that stays behind in the temporary directory harms nobody.
fn remove(path: &Path) {
    let _ = std::fs::remove_dir_all(path);
}
