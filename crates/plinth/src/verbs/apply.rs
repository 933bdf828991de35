//! `plinth apply`.

use crate::args::{Apply, Common};
use crate::carry::Carry;
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::{Real, known};
use crate::session::Held;
use crate::{doors, state, verbs};
use plinth_model::inventory::{Inventory, SCHEMA};
use plinth_model::plan::MadeFrom;
use plinth_model::{Exit, Finding, Observed as Seen, Plan, Problem};
use plinth_plan::{Cluster, Observed};
use plinth_run::{Durability, LookOptions};
use std::collections::BTreeSet;
use std::path::Path;

/// Looks, decides, shows, asks, does, and writes down; run again it goes on where it stopped.
pub(crate) fn run(common: &Common, verb: &Apply, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    if let Some(file) = &verb.plan {
        saved_fits(file, &input)?;
    }
    if !verb.yes && !Printer::can_ask() {
        return Err(nobody_to_ask());
    }
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, &input, &directory, printer)?;
    let held = Held::take(&directory, &input.site.desired.name, Durability::Power)?;
    let inventory = verbs::discover::inventory(common, &input, verb.from.inventory.as_deref(), printer)?;
    let site = Site { common, verb, input: &input, directory: &directory, printer, real };
    doors::runtime()?.block_on(site.apply(held, inventory))
}

/// What every part of the verb uses.
struct Site<'a> {
    common: &'a Common,
    verb: &'a Apply,
    input: &'a Input,
    directory: &'a Path,
    printer: &'a Printer,
    real: Real,
}

impl Site<'_> {
    async fn apply(self, held: Held, inventory: Inventory) -> Result<Exit, Problem> {
        let observed = Observed { facts: known::read(self.directory)?, ..Observed::new(inventory) };
        let (plan, cluster) = self.plan(observed).await?;
        if let Some(file) = &self.verb.plan {
            same_as_saved(file, &plan)?;
        }
        self.show(&plan);
        if !self.verb.yes && !self.printer.ask("Do this?") {
            self.printer.talk("nothing was changed");
            return Ok(Exit::Pending);
        }
        let carry = Carry {
            common: self.common,
            events: self.verb.events.events.as_deref(),
            desired: &self.input.site.desired,
            printer: self.printer,
            real: &self.real,
        };
        carry.out(&plan, &cluster, held).await
    }

    /// Shows the plan to people. With `--json` the one document on standard output is the report at the end.
    fn show(&self, plan: &Plan) {
        if self.common.json {
            self.printer.talk(&plinth_plan::render::text(plan, self.printer.color_err(), Printer::width()));
        } else {
            verbs::plan::show(self.common, None, plan, self.printer);
        }
    }

    /// Stage 0, then the plan, with what was seen of every step.
    async fn plan(&self, mut observed: Observed) -> Result<(Plan, Cluster), Problem> {
        let make = |observed: &Observed| verbs::plan::make(self.common, self.input, observed, self.printer);
        make(&observed)?;
        let desired = &self.input.site.desired;
        let (cluster, _) = Cluster::new(desired, &plinth_plan::discover(desired, &observed.inventory));
        let survey = self.real.survey(desired, &cluster).await;
        observed.facts.extend(survey.facts);
        known::write(self.directory, &observed.facts)?;
        self.judge(&survey.findings, &cluster)?;
        let draft = make(&observed)?;
        let look = plinth_run::look(&draft, &self.real.world(), &LookOptions::default()).await?;
        self.input.show(self.common, self.printer, &look.findings);
        (observed.steps, observed.answers) = (look.seen, look.answers);
        let mut plan = make(&observed)?;
        if self.common.json {
            // People have just read them, folded.
            plan.findings.extend(survey.findings);
        }
        Ok((plan, cluster))
    }

    /// Stops before anything is changed when more nodes are unfit than may fail, or something is wrong with all of them. A node
    /// within that budget stops at its own steps, and the others go on.
    fn judge(&self, findings: &[Finding], cluster: &Cluster) -> Result<(), Problem> {
        verbs::preflight::show(self.printer, findings);
        let desired = &self.input.site.desired;
        let unfit: BTreeSet<&str> = findings.iter().filter(|f| f.is_error()).map(|f| f.subject.as_str()).collect();
        if unfit.is_empty() {
            return Ok(());
        }
        let is_node = |name: &&str| cluster.members.iter().any(|member| member.name.as_str() == *name);
        if unfit.len() <= desired.run.node_failures && unfit.iter().all(is_node) {
            let names = unfit.into_iter().collect::<Vec<_>>().join(", ");
            self.printer.talk(&format!("going on without {names}: run.nodeFailures is {}", desired.run.node_failures));
            return Ok(());
        }
        let unfit = unfit.into_iter().collect::<Vec<_>>().join(", ");
        Err(Problem::new(
            Exit::CheckFailed,
            "checking the nodes of",
            desired.name.to_string(),
            format!("not fit: {unfit}; run.nodeFailures is {}; nothing was changed", desired.run.node_failures),
            "mend what is listed above (`plinth preflight --fix` mends what is safe), or take the node out of the site file",
        ))
    }
}

/// Refuses a saved plan whose site file or catalog moved, before anything is contacted.
fn saved_fits(file: &Path, input: &Input) -> Result<(), Problem> {
    let plan = verbs::plan::read(file)?;
    let now = plinth_plan::made_from(&input.site.desired, &Observed::new(nothing()), &input.catalog);
    let inventory = plan.made_from.inventory.clone();
    verbs::plan::fits(file, &plan.made_from, &MadeFrom { inventory, ..now })
}

/// Refuses a saved plan that is not the one that would be made now.
fn same_as_saved(file: &Path, now: &Plan) -> Result<(), Problem> {
    let saved = verbs::plan::saved(file, now)?;
    if saved.hash == now.hash {
        return Ok(());
    }
    Err(verbs::plan::stale(file, "what is known of the nodes leads to another plan now"))
}

fn nobody_to_ask() -> Problem {
    Problem::new(
        Exit::Input,
        "asking whether to go on",
        "",
        "there is no terminal to ask at; nothing was contacted or changed",
        "give `--yes`, after a look at `plinth plan`",
    )
}

/// No inventory: BCM is not asked before the saved plan fits the site.
const fn nothing() -> Inventory {
    Inventory {
        schema: SCHEMA,
        source: String::new(),
        nodes: Vec::new(),
        networks: Vec::new(),
        categories: Vec::new(),
        overlays: Seen::Absent,
    }
}
