//! What Kubespray reads: inventory and variables, as texts. Facts about names and traps: Kubespray v2.24 to v2.31, whose
//! sources and runs are the authority; unknown variables are never reported by Ansible, so nothing is written on a guess.

mod add_ons;
mod downloads;
mod files;
mod group_vars;
mod ini;
mod inputs;
mod install;
mod inventory;
mod line;
mod named;
mod own_names;
mod own_vars;
mod recovery;
mod removal;
mod removed;
mod settings;
mod site_vars;
mod sources;
mod templates;
mod upgrade;

pub use files::{Files, GROUP_VARS, INVENTORY, files, json, recovery_files, yaml};
pub use group_vars::group_vars;
pub use ini::inventory_ini;
pub use inputs::inputs;
pub use inventory::inventory;
pub use removed::removed;
pub use settings::RELEASES;
pub(super) use site_vars::clear_secrets;
pub use upgrade::one_step;

use super::{Asked, Engine, Install};
use crate::catalog::KubesprayChoice;
use crate::cluster::Member;
use crate::discover::Role;
use crate::source::Source;
use crate::step::leaves;
use plinth_model::plan::Step;
use plinth_model::steps::Removal;
use plinth_model::{Digest, Finding, NodeName, StepId};
use plinth_site::Desired;
use std::collections::HashSet;

/// Where the proxy that Kubespray puts before the API servers tells its health: on workers only (Kubespray's defaults).
const LOCAL_PROXY_PORT: u16 = 8081;

/// Kubespray's playbooks.
pub(crate) struct Kubespray;

impl Engine for Kubespray {
    fn name(&self) -> &'static str {
        "kubespray"
    }

    fn install(&self, asked: &Asked<'_>, mut prepared: Vec<StepId>) -> Result<Install, Vec<Finding>> {
        let Asked { desired, cluster, .. } = *asked;
        let engine = chosen(asked)?;
        let (files, mut findings) = files(desired, cluster, &engine);
        findings.extend(doubts(asked, &engine, &findings));
        findings.extend(install::lost_by_imaging(desired));
        let pushed = downloads::steps(desired, cluster, &engine, &Digest::of(&files));
        prepared.extend(leaves(&pushed));
        let play = install::deploy(desired, cluster, &engine, &files);
        let end = Some(play.id.clone());
        Ok(Install { steps: install::before(&engine, files, prepared, pushed, play), end, findings })
    }

    fn removal(&self, asked: &Asked<'_>, removal: &Removal) -> Result<Vec<Step>, Vec<Finding>> {
        let mut wrong = removal::cannot_leave(asked.cluster, removal);
        let engine = chosen(asked).map_err(|more| wrong.iter().cloned().chain(more).collect::<Vec<_>>())?;
        wrong.extend(templates::of(asked.desired, asked.cluster, &engine));
        if wrong.is_empty() { Ok(removal::steps(asked.desired, asked.cluster, &engine, removal)) } else { Err(wrong) }
    }

    fn recovery(&self, asked: &Asked<'_>, broken: &[NodeName], prepared: Vec<StepId>) -> Result<Install, Vec<Finding>> {
        let mut wrong = recovery::cannot_recover(asked.cluster, broken);
        let engine = chosen(asked).map_err(|more| wrong.iter().cloned().chain(more).collect::<Vec<_>>())?;
        wrong.extend(templates::of(asked.desired, asked.cluster, &engine));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(recovery::install(asked.desired, asked.cluster, &engine, broken, prepared))
    }

    fn sources(&self, desired: &Desired, steps: &[&Step]) -> Vec<Source> {
        sources::sources(desired, steps)
    }

    fn sources_of_nodes(&self, desired: &Desired) -> Vec<Source> {
        sources::of_nodes(desired)
    }

    fn own_ports(&self, member: &Member) -> Vec<u16> {
        let is_only_worker = member.is(Role::Worker) && !member.is(Role::ControlPlane);
        is_only_worker.then_some(LOCAL_PROXY_PORT).into_iter().collect()
    }

    fn prepares_nodes(&self) -> bool {
        true
    }

    fn writes_mirrors(&self) -> bool {
        true
    }

    fn rewrites_containerd(&self) -> bool {
        true
    }
}

fn chosen(asked: &Asked<'_>) -> Result<KubesprayChoice, Vec<Finding>> {
    asked.catalog.kubespray(asked.desired).map_err(|finding| vec![*finding])
}

/// What else is doubtful about the site's own variables: one finding for each is enough.
fn doubts(asked: &Asked<'_>, engine: &KubesprayChoice, known: &[Finding]) -> Vec<Finding> {
    let mut doubts = removed(asked.desired, &engine.tag);
    let judged: HashSet<String> = known.iter().chain(&doubts).map(|finding| finding.subject.clone()).collect();
    let unknown = asked.catalog.check_kubespray_vars(asked.desired, &engine.release);
    doubts.extend(unknown.into_iter().filter(|finding| !judged.contains(&finding.subject)));
    doubts
}
