//! `plinth apply`.

use super::visited::Visit;
use crate::args::{Apply, Common};
use crate::carry::Carry;
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::Real;
use crate::session::Held;
use crate::{clients, state, verbs};
use plinth_model::inventory::{Inventory, SCHEMA};
use plinth_model::plan::MadeFrom;
use plinth_model::{Exit, Observed as Seen, Plan, Problem};
use plinth_plan::{Cluster, Observed};
use plinth_run::Durability;
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
    clients::runtime()?.block_on(site.apply(held, inventory))
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
        let desired = &self.input.site.desired;
        let (cluster, _) = Cluster::new(desired, &plinth_plan::discover(desired, &inventory));
        let make = |observed: &Observed| verbs::plan::make(self.common, self.input, observed, self.printer);
        let visit = Visit {
            common: self.common,
            input: self.input,
            directory: self.directory,
            printer: self.printer,
            real: &self.real,
        };
        let plan = visit.plan(inventory, &cluster, &make).await?;
        if let Some(file) = &self.verb.plan {
            same_as_saved(file, &plan)?;
        }
        super::confirmed::show(self.common, &plan, self.printer);
        if !self.verb.yes && !self.printer.ask("Do this?") {
            self.printer.talk("nothing was changed");
            return Ok(Exit::Pending);
        }
        let carry = Carry {
            common: self.common,
            events: self.verb.events.events.as_deref(),
            desired,
            printer: self.printer,
            real: &self.real,
        };
        carry.out(&plan, &cluster, held).await
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
