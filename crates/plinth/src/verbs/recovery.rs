//! `plinth recover`.

use super::confirmed;
use super::visited::Visit;
use crate::args::{Common, Recover};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::Real;
use crate::session::Held;
use crate::{carry, clients, state, verbs};
use plinth_model::{Exit, NodeName, Plan, Problem};
use plinth_plan::{Cluster, Observed};
use plinth_run::Durability;

/// Makes broken members of the control plane whole again.
pub(crate) fn run(common: &Common, verb: &Recover, printer: &Printer) -> Result<Exit, Problem> {
    let broken = confirmed::nodes(&verb.nodes)?;
    let input = input::load(common, printer)?;
    let desired = &input.site.desired;
    confirmed::can_be(&verb.way, desired.name.as_str())?;
    let directory = state::directory(common.state.as_deref(), &desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, &input, &directory, printer)?;
    let held = Held::take(&directory, &desired.name, Durability::Power)?;
    let inventory = verbs::discover::inventory(common, &input, verb.way.from.inventory.as_deref(), printer)?;
    let (cluster, _) = Cluster::new(desired, &plinth_plan::discover(desired, &inventory));
    let make = |observed: &Observed| make(common, &input, observed, &broken, printer);
    let visit = Visit { common, input: &input, directory: &directory, printer, real: &real };
    let runtime = clients::runtime()?;
    let plan = runtime.block_on(visit.plan(inventory, &cluster.quorum(), &make))?;
    confirmed::show(common, &plan, printer);
    if plinth_plan::engines::is_done(&plan) {
        printer.talk("nothing is broken that a recovery would fix; `plinth apply` looks at everything else");
        return Ok(Exit::Done);
    }
    runtime.block_on(confirmed::preview(&plan, &real, printer))?;
    if !confirmed::by_name(&verb.way, desired.name.as_str(), printer) {
        return Ok(Exit::Pending);
    }
    let carry = carry::Carry { common, events: verb.way.events.events.as_deref(), desired, printer, real: &real };
    let exit = runtime.block_on(carry.out(&plan, &cluster, held))?;
    if exit == Exit::Done {
        printer.talk("The control plane is whole. `plinth apply` looks at everything else");
    }
    Ok(exit)
}

fn make(
    common: &Common,
    input: &Input,
    observed: &Observed,
    broken: &[NodeName],
    printer: &Printer,
) -> Result<Plan, Problem> {
    plinth_plan::recovery(&input.site.desired, observed, &input.catalog, broken).map_err(|findings| {
        let findings = input.place(findings);
        input.show(common, printer, &findings);
        input::refused(&findings, &common.file.display().to_string())
    })
}
