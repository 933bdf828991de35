//! `plinth rotate`.

use crate::approval::Question;
use crate::args::{Common, Rotate, Rotated};
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running, verbs};
use plinth_app::{Access, Failure, Goal, Input};
use plinth_model::steps::{CertificateRotation, RotationPhase};
use plinth_model::{Exit, Plan, Work};

/// Exchanges certificates.
pub(crate) async fn run(common: &Common, verb: &Rotate, printer: &Printer) -> Result<Exit, Failure> {
    let Rotated::Certificates = verb.what;
    let input = Input::load(&common.file)?;
    let first = "look at it with `--dry-run`, then give `--yes`";
    let text = |plan: &Plan| format!("Exchange certificates of site {}?", plan.site);
    let question = Question::new(common, printer, (text, verb.yes || verb.dry_run), first)?;
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));

    let mut operation = input::open(common, input, recorded, Access::Change, Goal::Site, &screen)?;
    let discovered = operation.discover().await?;
    operation.accept(discovered.findings.clone())?;
    let planned = operation.plan_rotation(&discovered, verb.authority, verb.until.map(RotationPhase::from)).await?;
    if planned.plan.steps.is_empty() {
        printer.talk("the files that the site names are those that are kept: put the new ones in their place first");
        return Ok(Exit::Done);
    }
    if verb.authority && !exchanges_authority(&planned.plan) {
        printer.talk("a rotation of the leaf alone was begun: it is finished first; then give `--authority` again");
    }
    if verb.dry_run {
        verbs::plan::show_before(common, true, &planned.plan, printer);
        printer.talk(verbs::plan::DRY_RUN);
        return Ok(Exit::Done);
    }
    let Some(approved) = operation.approve(planned, &question).await? else { return Ok(Exit::Pending) };
    let exit = running::run(&mut operation, approved, (common, verb.events.events.as_deref(), None), printer).await?;
    if exit == Exit::Done && verb.until.is_some() {
        printer.talk("It stopped where it was asked to. To go on with it: `plinth rotate certificates`");
    } else if exit == Exit::Done {
        printer.talk("Who trusts the authority outside of the cluster, such as browsers, is not reached: `plinth render certs` shows what to give them");
    } else {
        printer.talk("To go on with it: `plinth rotate certificates`");
    }
    Ok(exit)
}

fn exchanges_authority(plan: &Plan) -> bool {
    let both = |work: &Work| {
        matches!(work, Work::CertificateRotation(CertificateRotation { phase: RotationPhase::TrustBoth, .. }))
    };
    plan.steps.iter().any(|step| both(&step.work))
}
