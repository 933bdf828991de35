//! `plinth rehearse`.

use crate::args::{Common, Pace as Wanted, Rehearse};
use crate::input;
use crate::page::PageBeside;
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{running, verbs};
use plinth_app::operation::Always;
use plinth_app::saved::{SavedPlan, save};
use plinth_app::state::RehearsalFolder;
use plinth_app::world::{Fault, Pace, Script, World, fault_problem};
use plinth_app::{Access, Depth, Failure, Goal, Input, Operation, Setup};
use plinth_model::{Exit, Plan, Problem};
use plinth_report::rehearsal::Introduction;
use std::time::Duration;

/// A watchable rehearsal takes about this long, and never waits longer at once.
const WATCHABLE: Pace = Pace {
    real_per_virtual_second: Duration::from_micros(2_500),
    longest_jump: Duration::from_millis(400),
    total: Duration::from_secs(8),
};

/// A second takes a second.
const REAL: Pace =
    Pace { real_per_virtual_second: Duration::from_secs(1), longest_jump: Duration::MAX, total: Duration::MAX };

/// Does what `apply` does, in a data centre made up for the site.
pub(crate) async fn run(common: &Common, verb: &Rehearse, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let saved = verb.plan.as_deref().map(SavedPlan::read).transpose()?;
    let folder = RehearsalFolder::new(common.state.as_deref(), &input.site.desired.name);
    let world = World::Simulated(script(verb, folder.is_kept())?);
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::waiting(printer, folder.is_kept()));
    let (state, access, goal) = (Some(folder.path()), Access::Change, Goal::Site);

    let mut operation = Operation::open(Setup { input, state, recorded, access, goal, audience: &screen }, world)?;
    operation.leave_out(&input::left_out(&verb.without, saved.as_ref()));
    if verb.sources.skip_source_check {
        operation.skip_source_check();
    }
    if verb.notify {
        operation.tell_about_rehearsal();
    }
    let seen = operation.observe(Depth::Steps).await.inspect_err(|_| screen.go_on())?;
    let planned = operation.plan(seen)?;
    saved.iter().try_for_each(|saved| saved.is_still(&planned))?;
    verb.save_plan.iter().try_for_each(|file| save(&planned.plan, file))?;
    if verb.plan_only {
        verbs::plan::show(common, verb.text.all, &planned.plan, printer);
        return Ok(Exit::Done);
    }
    printer.talk(&introduction(common, &operation, &planned.plan));
    screen.go_on();
    let Some(approved) = operation.approve(planned, &Always).await? else { return Ok(Exit::Pending) };
    let page = PageBeside::open(verb.page.serve, &operation, printer).await?;
    let events = verb.events.events.as_deref();
    let exit =
        running::run(&mut operation, approved, (common, events, PageBeside::link(page.as_ref())), printer).await?;
    screen.go_on();
    for fault in operation.unspent() {
        printer.talk(&format!("fault `{fault}` did not happen: the run never came to where it strikes"));
    }
    drop(operation);
    PageBeside::stay(page, printer).await;
    Ok(exit)
}

fn script(verb: &Rehearse, kept: bool) -> Result<Script, Problem> {
    if verb.nodes.is_some() && verb.from.inventory.is_some() {
        return Err(Problem::while_doing("making up nodes")
            .wrong_input("a recorded inventory says which nodes there are")
            .try_this("give either `--inventory` or `--nodes`"));
    }
    let faults: Result<_, _> = verb.fault.iter().map(|text| text.parse::<Fault>()).collect();
    let faults = faults.map_err(|error| fault_problem(&error))?;
    Ok(Script { nodes: verb.nodes, faults, seed: verb.seed, kept, pace: pace(verb.pace), crash: None })
}

/// What is real here and what is not, before anything else is said.
fn introduction(common: &Common, operation: &Operation<'_>, plan: &Plan) -> String {
    let file = common.file.display().to_string();
    let secrets = plinth_site::secret_refs(operation.desired()).len();
    Introduction { plan, file: &file, secrets, made_up: operation.is_made_up() }.text()
}

fn pace(wanted: Wanted) -> Option<Pace> {
    match wanted {
        Wanted::Fast => None,
        Wanted::Watch => Some(WATCHABLE),
        Wanted::Real => Some(REAL),
        Wanted::Auto => Printer::watched().then_some(WATCHABLE),
    }
}
