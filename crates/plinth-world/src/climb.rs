//! What is said where a version cannot go on by one minor at a time.

use crate::{Cause, ClientError};
use plinth_model::finding::code;
use plinth_model::steps::{Climb, ClimbGap};
use plinth_model::{Finding, Version};

/// The refusal: nothing was begun, and how it goes on.
#[must_use]
pub fn not_in_one_go(component: &str, climb: &Climb, there: &Version, gap: &ClimbGap) -> ClientError {
    let carried = climb.carried.iter().map(Version::minor).collect::<Vec<_>>().join(", ");
    let text = format!(
        "{} {} is installed and goes by one minor at a time, and this {component} carries only {carried}",
        climb.title,
        there.bare()
    );
    let by = gap.by.as_ref().map_or_else(
        || format!("a release of {component} that carries {}", gap.next),
        |version| format!("`platform.components.{component}.version: {version}`, which carries {}", gap.next),
    );
    let fix = format!(
        "use {by} first: write it, run `plinth apply`, then take the line away and run it again; where Run:ai does not take that \
         version, accept `runai.{}` in platform.acceptIncompatible for that run",
        climb.title.to_lowercase().replace(' ', "-")
    );
    let finding = Finding::error(code::HELM_UPGRADE_GAP, component, text.clone())
        .evidence(format!("{} has version {}", climb.object, there.bare()))
        .evidence(format!("the plan has {}", climb.wanted.bare()))
        .fix(&*fix);
    ClientError::new("kube", format!("moving {} to {}", climb.title, climb.wanted.bare()))
        .happened(text)
        .attempt(fix)
        .because(Cause::Input)
        .finding(finding)
}
