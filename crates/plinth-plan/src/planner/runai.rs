//! Stage runai: control plane, issuer, registration, cluster part, connection.

use super::platform::Ground;
use super::secrets::CERTIFICATE;
use crate::deadlines;
use crate::facts::{private_authority, url};
use crate::ids;
use crate::step::{Refine, step};
use plinth_catalog::{Resolution, ResolvedComponent};
use plinth_model::plan::{Step, Undo};
use plinth_model::steps::{RunaiConnected, RunaiIssuer, RunaiRegister, RunaiTarget};
use plinth_model::{Stage, StepId, Version, Work};
use plinth_site::Desired;
use plinth_site::desired::Runai;

/// Catalog name of the control plane.
pub(super) const CONTROL_PLANE: &str = "runai-control-plane";
/// Catalog name of the cluster part.
pub(super) const CLUSTER: &str = "runai-cluster";
/// Keycloak realm of a self-hosted control plane.
const REALM: &str = "runai";

/// Steps of the stage. Components of the stage that the planner does not know by name come first.
pub(super) fn steps(desired: &Desired, resolution: &Resolution, ground: &Ground<'_>) -> Vec<Step> {
    let own = |c: &&ResolvedComponent| c.stage == Stage::Runai;
    let first = resolution.components.iter().filter(own).filter(|c| c.name != CLUSTER);
    let mut steps: Vec<Step> = first.flat_map(|c| ground.component(c, &[])).collect();
    let Some(runai) = &desired.runai else { return steps };
    let target = target(runai, resolution);
    steps.push(issuer(runai, target.clone(), ground));
    if let Some(cluster) = resolution.components.iter().find(|c| c.name == CLUSTER) {
        steps.push(register(runai, target.clone()));
        steps.extend(ground.component(cluster, &[ids::register(&runai.cluster)]));
        steps.extend(ground.end(CLUSTER).map(|end| connected(runai, target, end)));
    }
    steps
}

/// The control plane as later steps see it. A release may name a range of versions; Run:ai is told the site's version then.
pub(super) fn target(runai: &Runai, resolution: &Resolution) -> RunaiTarget {
    let cluster = resolution.components.iter().find(|c| c.name == CLUSTER);
    let exact = cluster.map(|c| &c.release.version).filter(|v| v.parse::<Version>().is_ok());
    RunaiTarget {
        url: url(runai),
        realm: REALM.into(),
        admin: runai.admin_email.clone(),
        password: runai.admin_password.clone(),
        authority: private_authority(runai).then(|| CERTIFICATE.to_owned()),
        cluster: runai.cluster.clone(),
        version: exact.cloned().unwrap_or_else(|| runai.version.bare().to_owned()),
    }
}

/// The namespace of one of the two parts, if it is on.
pub(super) fn namespace<'a>(resolution: &'a Resolution, part: &str) -> Option<&'a str> {
    resolution.components.iter().find(|c| c.name == part).map(|c| c.namespace.as_str())
}

/// The last step of the control plane, if plinth installs it.
pub(super) fn control_plane(ground: &Ground<'_>) -> Option<StepId> {
    ground.end(CONTROL_PLANE)
}

/// Whether the cluster part is installed.
pub(super) fn has_cluster(ground: &Ground<'_>) -> bool {
    ground.end(CLUSTER).is_some()
}

fn issuer(runai: &Runai, target: RunaiTarget, ground: &Ground<'_>) -> Step {
    let reason = format!("tokens are refused unless their issuer is exactly {}", target.issuer());
    step(
        ids::issuer(&runai.domain),
        Stage::Runai,
        Work::RunaiIssuer(RunaiIssuer { target }),
        deadlines::RUNAI_ISSUER,
        reason,
    )
    .needing(control_plane(ground).or_else(|| Some(ground.join())))
    .needing([ids::certificate(CERTIFICATE)])
}

fn register(runai: &Runai, target: RunaiTarget) -> Step {
    let reason = format!("the cluster part signs in with the identity that Run:ai gives {}", runai.cluster);
    let undo = "removing the cluster in Run:ai removes its identity, projects and history";
    step(
        ids::register(&runai.cluster),
        Stage::Runai,
        Work::RunaiRegister(RunaiRegister { target }),
        deadlines::RUNAI_REGISTER,
        reason,
    )
    .needing([ids::issuer(&runai.domain)])
    .undo(Undo::OneWay(undo.into()))
    .once()
}

fn connected(runai: &Runai, target: RunaiTarget, end: StepId) -> Step {
    let reason = format!("{} must report to its control plane before anybody can use it", runai.cluster);
    step(
        ids::connected(&runai.cluster),
        Stage::Runai,
        Work::RunaiConnected(RunaiConnected { target }),
        deadlines::RUNAI_CONNECTED,
        reason,
    )
    .needing([end])
}
