//! `plinth apply`.

use crate::args::{Apply, Common};
use crate::input;
use crate::printer::Printer;
use crate::{doors, verbs};
use plinth_model::inventory::{Inventory, SCHEMA};
use plinth_model::plan::MadeFrom;
use plinth_model::{Exit, Observed as Seen, Problem};
use plinth_plan::Observed;

/// Refuses wrong input, then says which doors are missing, before doing anything.
///
/// Everything behind that point, from looking to the summary, is what `plinth rehearse` runs; only the doors to real nodes are
/// missing.
pub(crate) fn run(common: &Common, verb: &Apply, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    if let Some(file) = &verb.plan {
        let plan = verbs::plan::read(file)?;
        let now = plinth_plan::made_from(&input.site.desired, &Observed::new(nothing()), &input.catalog);
        let inventory = plan.made_from.inventory.clone();
        verbs::plan::fits(file, &plan.made_from, &MadeFrom { inventory, ..now })?;
    }
    Err(doors::absent("apply"))
}

/// No inventory: BCM is not asked before the doors behind it are there.
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
