//! What moves by one minor at a time: where it is, what comes next, and what is said where it cannot go on.

use crate::behaviour::StepEnv;
use plinth_model::finding::code;
use plinth_model::steps::{UpgradeGap, UpgradePath};
use plinth_model::{Finding, Version};
use plinth_world::{Cause, ClientError, ClientResult};

/// The version that is there, and the one to go to before the wanted one.
pub(super) struct Position {
    pub(super) there: Version,
    /// None: the wanted one is next itself.
    pub(super) next: Option<Version>,
}

/// Where it is; none where nothing moves so, or nothing is there yet. Inside, the refusal: this release of its operator does not carry what is
/// next, so nothing must be begun.
pub(super) async fn position_on(
    env: &StepEnv,
    component: &str,
    path: Option<&UpgradePath>,
) -> ClientResult<Result<Option<Position>, ClientError>> {
    let Some(path) = path else { return Ok(Ok(None)) };
    let Some(there) = env.clients.kube.version(&env.ctx, &path.object).await? else { return Ok(Ok(None)) };
    Ok(match path.next(&there) {
        Ok(next) => Ok(Some(Position { there, next })),
        Err(gap) => Err(not_in_one_go(component, path, &there, &gap)),
    })
}

/// The refusal, with how it goes on.
fn not_in_one_go(component: &str, path: &UpgradePath, there: &Version, gap: &UpgradeGap) -> ClientError {
    let UpgradePath { object, title, rule, wanted, carried, .. } = path;
    let carried = carried.iter().map(Version::minor).collect::<Vec<_>>().join(", ");
    let text = format!(
        "{title} {} is installed and goes by one minor at a time, and this {component} carries only {carried}",
        there.bare()
    );
    let by = gap.by.as_ref().map_or_else(
        || format!("a release of {component} that carries {}", gap.next),
        |version| format!("`platform.components.{component}.version: {version}`, which carries {}", gap.next),
    );
    let fix = format!(
        "use {by} first: write it, run `plinth apply`, then take the line away and run it again; where Run:ai does not take that \
         version, accept `{rule}` in platform.acceptIncompatible for that run"
    );
    let finding = Finding::error(code::HELM_UPGRADE_GAP, component, text.clone())
        .evidence(format!("{object} has version {}", there.bare()))
        .evidence(format!("the plan has {}", wanted.bare()))
        .fix(&*fix);
    ClientError::new("kube", format!("moving {title} to {}", wanted.bare()))
        .happened(text)
        .attempt(fix)
        .because(Cause::Input)
        .finding(finding)
}
