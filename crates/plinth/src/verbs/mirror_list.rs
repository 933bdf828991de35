//! `plinth render mirror-list`: what a mirror must hold so that Kubernetes can be installed from it. No node is contacted; what the engine
//! needs on this machine to answer is made in the state directory first, if it is not there.

use crate::args::Common;
use crate::input::Input;
use crate::printer::Printer;
use crate::real::Real;
use crate::session::Held;
use crate::{clients, state};
use plinth_model::{Exit, Plan, Problem};
use plinth_plan::engines::MirrorList;
use plinth_run::Durability;

/// The list of a site.
///
/// # Errors
/// When the engine fetches nothing, cannot be asked, or the site is being worked on.
pub(crate) fn list(common: &Common, input: &Input, plan: &Plan, printer: &Printer) -> Result<MirrorList, Problem> {
    let desired = &input.site.desired;
    let directory = state::directory(common.state.as_deref(), &desired.name)?;
    state::open(&directory, false)?;
    let real = Real::open(common, input, &directory, printer)?;
    let _held = Held::take(&directory, &desired.name, Durability::Power)?;
    let env = real.world().env;
    let list = clients::runtime()?.block_on(plinth_run::engines::downloads(plan, &env));
    let list = list.map_err(|error| clients::problem(&error))?;
    list.and_then(|list| MirrorList::of_plan(desired, plan, list)).ok_or_else(|| {
        Problem::new(Exit::Input, "listing downloads", "", "the plan installs no Kubernetes", "use `engine: kubespray`")
    })
}
