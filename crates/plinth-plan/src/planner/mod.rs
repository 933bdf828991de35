//! The planner: a function of values. Same inputs, same bytes; no clock, no randomness, no I/O.

mod acceptance;
mod change;
pub(crate) mod discovery;
pub(crate) mod kubernetes;
pub(crate) mod nodes;
mod own;
mod platform;
mod runai;
mod secrets;

pub use discovery::endpoint_host;
pub use nodes::{FITS, RELOCATE};
pub use own::{fixes, looked};

use crate::catalog::{Components, Engine};
use crate::cluster::Cluster;
use crate::discover::{Discovery, Role, discover};
use crate::kubespray::downloads;
use crate::observed::Observed;
use crate::{facts, given, images, kubespray, lint};
use plinth_catalog::Resolution;
use plinth_model::finding::code;
use plinth_model::plan::{Gate, MadeFrom, Plan, SCHEMA, Step};
use plinth_model::{Digest, Finding, NodeName, Severity, Stage, StepId};
use plinth_site::Desired;
use plinth_site::desired::{ArtifactSource, Engine as Wanted};
use std::cmp::Reverse;
use std::collections::HashSet;

/// Plans.
///
/// # Errors
/// With every finding, warnings too, when one of them is an error: nothing is decided for a site that is half understood.
pub fn plan(desired: &Desired, observed: &Observed, catalog: &dyn Components) -> Result<Plan, Vec<Finding>> {
    let discovery = discover(desired, &observed.inventory);
    let (mut cluster, clashes) = Cluster::new(desired, &discovery);
    let mut findings = about_members(&discovery);
    findings.extend(clashes);
    findings.extend(images::place(desired, &mut cluster, &observed.facts));
    findings.extend(engine_missing(desired));
    findings.extend(token_missing(desired));
    let resolution = catalog.resolve(desired, &facts::facts(desired, &cluster));
    findings.extend(resolution.findings.iter().cloned());
    findings.extend(catalog.check_versions(desired, &resolution));
    let engine = match catalog.kubespray(desired) {
        Ok(engine) => engine,
        Err(finding) => {
            if !findings.iter().any(|known| known.code == finding.code && known.subject == finding.subject) {
                findings.push(*finding);
            }
            return Err(worst_first(findings));
        }
    };
    let (files, notes) = kubespray::files(desired, &cluster, &engine);
    findings.extend(notes);
    findings.extend(kubespray::removed(desired, &engine.release));
    let judged: HashSet<String> = findings.iter().map(|finding| finding.subject.clone()).collect();
    let unknown = catalog.check_kubespray_vars(desired, &engine.release);
    findings.extend(unknown.into_iter().filter(|finding| !judged.contains(&finding.subject)));
    if findings.iter().any(Finding::is_error) {
        return Err(worst_first(findings));
    }
    findings.extend(kubernetes::lost_by_imaging(desired));
    let steps = steps(desired, observed, &cluster, &resolution, &engine, files);
    finished(made_from(desired, observed, catalog), desired, observed, steps, findings)
}

/// The end of every planning: what was seen is put in, and the plan is sealed and linted.
pub(crate) fn finished(
    made_from: MadeFrom,
    desired: &Desired,
    observed: &Observed,
    (mut steps, gates): (Vec<Step>, Vec<Gate>),
    mut findings: Vec<Finding>,
) -> Result<Plan, Vec<Finding>> {
    findings.extend(change::bad_answers(&gates, observed));
    change::set(&mut steps, observed);
    let plan = sealed(desired, made_from, steps, gates, findings);
    let flaws = lint::lint(&plan);
    let wrong = flaws.iter().chain(&plan.findings).any(Finding::is_error);
    if wrong { Err(worst_first(plan.findings.into_iter().chain(flaws).collect())) } else { Ok(plan) }
}

/// What a plan of this site is made from now; compared with a saved plan's by [`crate::diff::moved`].
#[must_use]
pub fn made_from(desired: &Desired, observed: &Observed, catalog: &dyn Components) -> MadeFrom {
    MadeFrom {
        site: desired.digest(),
        inventory: given::inventory_digest(&observed.inventory),
        catalog: catalog.digest(),
        plinth: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// All steps, every one behind its needs.
fn steps(
    desired: &Desired,
    observed: &Observed,
    cluster: &Cluster,
    resolution: &Resolution,
    engine: &Engine,
    files: kubespray::Files,
) -> (Vec<Step>, Vec<Gate>) {
    let mut steps: Vec<Step> = discovery::steps(desired, &observed.inventory).into_iter().collect();
    let identity = steps.first().map(|s| s.id.clone());
    let (on_nodes, gates) = nodes::steps(desired, cluster, identity.as_ref());
    let mut prepared = leaves(&on_nodes);
    steps.extend(on_nodes);
    let pushed = downloads::steps(desired, cluster, engine, &Digest::of(&files));
    prepared.extend(leaves(&pushed));
    steps.extend(kubernetes::steps(desired, cluster, engine, files, prepared, pushed));
    let gpu: Vec<NodeName> = cluster.with(Role::Gpu).map(|m| m.name.clone()).collect();
    let (ground, prepared) = platform::ground(desired, resolution, kubernetes::join_id(desired), gpu);
    steps.extend(prepared);
    let platform = resolution.components.iter().filter(|c| c.stage != Stage::Runai);
    steps.extend(platform.flat_map(|c| ground.component(c, &[])));
    steps.extend(runai::steps(desired, resolution, &ground));
    steps.extend(acceptance::steps(desired, cluster, resolution, &ground));
    (steps, gates)
}

/// Steps that no other one of the list needs: all of the list is done when these are.
pub(crate) fn leaves(steps: &[Step]) -> Vec<StepId> {
    let needed: HashSet<&StepId> = steps.iter().flat_map(|step| &step.needs).collect();
    steps.iter().map(|step| &step.id).filter(|id| !needed.contains(id)).cloned().collect()
}

fn sealed(desired: &Desired, made_from: MadeFrom, steps: Vec<Step>, gates: Vec<Gate>, findings: Vec<Finding>) -> Plan {
    let site = desired.name.clone();
    let findings = worst_first(findings);
    let mut plan = Plan { schema: SCHEMA, hash: Digest::of_bytes(&[]), site, made_from, steps, gates, findings };
    plan.hash = plan.content_hash();
    plan
}

/// Findings of the discovery, without mere remarks about machines that are not in the cluster.
fn about_members(discovery: &Discovery) -> Vec<Finding> {
    let outside: HashSet<&str> =
        discovery.nodes.iter().filter(|n| n.roles.is_empty()).map(|n| n.name.as_str()).collect();
    let remark = |f: &&Finding| f.severity == Severity::Info && outside.contains(f.subject.as_str());
    discovery.findings.iter().filter(|f| !remark(f)).cloned().collect()
}

pub(crate) fn engine_missing(desired: &Desired) -> Option<Finding> {
    let name = match desired.kubernetes.engine {
        Wanted::Kubespray => return None,
        Wanted::Bcm => "bcm",
        Wanted::Existing => "existing",
    };
    let text = format!("engine `{name}` is not in this release");
    Some(Finding::error(code::SITE_ENGINE_NOT_IN_RELEASE, "kubernetes.engine", text).fix("use `engine: kubespray`"))
}

fn token_missing(desired: &Desired) -> Option<Finding> {
    let runai = desired.runai.as_ref()?;
    let wanted = runai.registry_token.is_none() && runai.source != ArtifactSource::Airgapped;
    wanted.then(|| {
        let text = "Run:ai's images cannot be pulled without a registry token";
        Finding::error(code::SITE_REGISTRY_TOKEN, "runai.registry.token", text)
            .fix("reference the token that the vendor gave you, for example `{env: RUNAI_REGISTRY_TOKEN}`")
    })
}

pub(crate) fn worst_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|f| Reverse(f.severity));
    findings
}
