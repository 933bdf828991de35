//! `plinth remove` and `plinth reset`.

use super::confirmed;
use crate::args::{Common, ConfirmedOptions, Remove, Reset};
use crate::input::{self, Input};
use crate::printer::Printer;
use crate::real::Real;
use crate::session::Held;
use crate::{carry, clients, state, verbs};
use plinth_model::steps::Removal;
use plinth_model::{Exit, NodeName, Plan, Problem};
use plinth_plan::{Cluster, Observed};
use plinth_run::{Durability, LookOptions};

/// Takes workers out.
pub(crate) fn remove(common: &Common, verb: &Remove, printer: &Printer) -> Result<Exit, Problem> {
    let removal = Removal::Nodes { nodes: confirmed::nodes(&verb.nodes)?, reachable: !verb.unreachable };
    run(common, &verb.way, &removal, printer)
}

/// Takes Kubernetes away.
pub(crate) fn reset(common: &Common, verb: &Reset, printer: &Printer) -> Result<Exit, Problem> {
    run(common, &verb.way, &Removal::All, printer)
}

fn run(common: &Common, way: &ConfirmedOptions, removal: &Removal, printer: &Printer) -> Result<Exit, Problem> {
    let input = input::load(common, printer)?;
    let name = input.site.desired.name.as_str();
    confirmed::can_be(way, name)?;
    let directory = state::directory(common.state.as_deref(), &input.site.desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, &input, &directory, printer)?;
    let held = Held::take(&directory, &input.site.desired.name, Durability::Power)?;
    let inventory = verbs::discover::inventory(common, &input, way.from.inventory.as_deref(), printer)?;
    let observed = Observed::new(inventory);
    let desired = &input.site.desired;
    let (cluster, _) = Cluster::new(desired, &plinth_plan::discover(desired, &observed.inventory));
    let runtime = clients::runtime()?;
    let plan = runtime.block_on(plan(common, &input, &observed, removal, &real, printer))?;
    confirmed::show(common, &plan, printer);
    if plinth_plan::engines::is_done(&plan) {
        printer.talk("nothing of it is there: nothing to do");
        return Ok(Exit::Done);
    }
    runtime.block_on(confirmed::preview(&plan, &real, printer))?;
    if !confirmed::by_name(way, name, printer) {
        return Ok(Exit::Pending);
    }
    let carry = carry::Carry { common, events: way.events.events.as_deref(), desired, printer, real: &real };
    let exit = runtime.block_on(carry.out(&plan, &cluster, held))?;
    if exit == Exit::Done {
        printer.talk(&afterwards(removal));
    }
    Ok(exit)
}

/// The plan, with what was seen of every step.
async fn plan(
    common: &Common,
    input: &Input,
    observed: &Observed,
    removal: &Removal,
    real: &Real,
    printer: &Printer,
) -> Result<Plan, Problem> {
    let make = |observed: &Observed| {
        plinth_plan::removal(&input.site.desired, observed, &input.catalog, removal).map_err(|findings| {
            let findings = input.place(findings);
            input.show(common, printer, &findings);
            input::refused(&findings, &common.file.display().to_string())
        })
    };
    let draft = make(observed)?;
    let look = plinth_run::look(&draft, &real.world(), &LookOptions::default()).await?;
    input.show(common, printer, &look.findings);
    make(&Observed { steps: look.seen, answers: look.answers, ..observed.clone() })
}

fn afterwards(removal: &Removal) -> String {
    match removal {
        Removal::All => "Kubernetes is gone. The service account, host keys and the state directory stay; `plinth apply` makes it all anew".to_owned(),
        Removal::Nodes { nodes, .. } => {
            let nodes = nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
            format!("Now take {nodes} out of the site file: the next apply would add it again")
        }
    }
}
