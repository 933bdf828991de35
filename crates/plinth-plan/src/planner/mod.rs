//! The planner: a function of values. Same inputs, same bytes; no clock, no randomness, no I/O.

mod acceptance;
mod change;
mod checks;
mod discovery;
mod kubernetes;
mod leaving;
mod nodes;
mod outside;
mod own;
mod platform;
mod recovery;
mod removal;
mod rotation;
mod runai;

pub use checks::{Chosen, checks};
pub use discovery::endpoint_host;
pub use own::{fixes, looked, rollback, trust};
pub use recovery::recovery;
pub use removal::removal;
pub use rotation::{Installed, Rotation, rotation};

use crate::catalog::Components;
use crate::cluster::{Cluster, Member};
use crate::discover::{Discovery, Role, discover};
use crate::engines::{self, Asked};
use crate::observed::Observed;
use crate::step::leaves;
use crate::{charts, facts, given, hardware, ids, images, lint, oidc, storage, unmirrored, without};
use leaving::Room;
use plinth_catalog::Resolution;
use plinth_model::finding::code;
use plinth_model::plan::{Gate, MadeFrom, Plan, SCHEMA, Step};
use plinth_model::{Digest, EngineRecord, Finding, NodeName, Severity, Stage, StepId};
use plinth_site::Desired;
use plinth_site::desired::ArtifactSource;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Plans.
///
/// # Errors
/// With every finding, warnings too, when one of them is an error: nothing is decided for a site that is half understood.
pub fn plan(site: &Desired, observed: &Observed, catalog: &dyn Components) -> Result<Plan, Vec<Finding>> {
    let desired = &*with_known_version(site, observed);
    let discovery = discover(desired, &observed.inventory);
    let (mut cluster, clashes) = Cluster::new(desired, &discovery);
    let mut findings = about_members(&discovery);
    findings.extend(clashes);
    findings.extend(images::place(desired, &mut cluster, &observed.facts));
    findings.extend(hardware::place(desired, &mut cluster, &observed.facts, catalog));
    storage::place(desired, &mut cluster, observed);
    cluster.add_role_labels(desired, &catalog.runai().node_roles);
    findings.extend(cluster.unused_labels(desired));
    findings.extend(without::findings(desired, &cluster.left_out, &of_left_out(desired, observed, &cluster)));
    findings.extend(token_missing(desired));
    let known = facts::facts(desired, &cluster);
    findings.extend(hardware::against(desired, &cluster, &observed.facts, &catalog.interfaces(&known)));
    findings.extend(oidc::foreign_issuer(desired));
    findings.extend(oidc::not_trusted(desired));
    let resolution = catalog.resolve(desired, &known);
    let resolution = charts::settled(&observed.lines, charts::from_site(desired, resolution));
    findings.extend(resolution.findings.iter().cloned());
    findings.extend(charts::findings(desired, &resolution));
    findings.extend(charts::without_place(desired, &resolution));
    findings.extend(catalog.check_versions(desired, &resolution));
    findings.extend(unmirrored::unmirrored(desired, &resolution));
    let asked = Asked { desired, cluster: &cluster, catalog, wanted: site.kubernetes.version.as_ref() };
    let (mut steps, gates, prepared) = before(&asked, observed);
    let installed = match engines::of(desired).install(&asked, prepared) {
        Ok(installed) => installed,
        Err(more) => {
            let known = |f: &Finding| findings.iter().any(|known| known.code == f.code && known.subject == f.subject);
            let more: Vec<Finding> = more.into_iter().filter(|finding| !known(finding)).collect();
            return Err(worst_first(findings.into_iter().chain(more).collect()));
        }
    };
    findings.extend(installed.findings);
    if findings.iter().any(Finding::is_error) {
        return Err(worst_first(findings));
    }
    steps.extend(installed.steps);
    steps.extend(after(&asked, observed, &resolution, installed.end.as_ref()));
    finished(made_from(site, observed, catalog), desired, observed, (steps, gates), findings)
}

/// The site with the version of an existing cluster, which the record knows when the site file does not say it.
pub(crate) fn with_known_version<'a>(site: &'a Desired, observed: &Observed) -> Cow<'a, Desired> {
    let known =
        observed.engine.as_ref().and_then(EngineRecord::kubernetes).filter(|_| site.kubernetes.version.is_none());
    let Some(known) = known else { return Cow::Borrowed(site) };
    let mut desired = site.clone();
    desired.kubernetes.version = Some(known.clone());
    Cow::Owned(desired)
}

/// The end of every planning: what was seen is put in, and the plan is sealed and linted.
fn finished(
    made_from: MadeFrom,
    desired: &Desired,
    observed: &Observed,
    (mut steps, gates): (Vec<Step>, Vec<Gate>),
    mut findings: Vec<Finding>,
) -> Result<Plan, Vec<Finding>> {
    findings.extend(change::bad_answers(&gates, observed));
    change::set(&mut steps, observed);
    share_reasons(&mut steps);
    let plan = sealed(desired, made_from, steps, gates, findings);
    let flaws = lint::content(&plan);
    let wrong = flaws.iter().chain(&plan.findings).any(Finding::is_error);
    if wrong { Err(worst_first(plan.findings.into_iter().chain(flaws).collect())) } else { Ok(plan) }
}

/// What a plan of this site is made from now; compared with a saved plan's by [`crate::diff::moved`].
#[must_use]
pub fn made_from(desired: &Desired, observed: &Observed, catalog: &dyn Components) -> MadeFrom {
    // In an order of their own: how often and in which order a person names them says nothing.
    let without: BTreeSet<NodeName> = desired.run.without.iter().chain(&desired.run.unfit).cloned().collect();
    MadeFrom {
        site: desired.digest(),
        inventory: given::inventory_digest(&observed.inventory),
        catalog: catalog.digest(),
        plinth: env!("CARGO_PKG_VERSION").to_owned(),
        without: without.into_iter().collect(),
    }
}

/// What comes before the engine, with the steps after which it may begin.
fn before(asked: &Asked<'_>, observed: &Observed) -> (Vec<Step>, Vec<Gate>, Vec<StepId>) {
    let mut steps: Vec<Step> = discovery::steps(asked.desired, &observed.inventory).into_iter().collect();
    let identity = steps.first().map(|s| s.id.clone());
    let (on_nodes, mut gates) = nodes::steps((asked.desired, asked.cluster), &asked.cluster.members, identity.as_ref());
    let prepared = leaves(&on_nodes);
    steps.extend(on_nodes);
    let is_unfit = |member: &&Member| !asked.desired.run.without.contains(&member.name);
    let unfit: Vec<Member> = asked.cluster.left_out.iter().filter(is_unfit).cloned().collect();
    let (tried, more) = nodes::steps((asked.desired, asked.cluster), &unfit, identity.as_ref());
    steps.extend(tried);
    gates.extend(more);
    (steps, gates, prepared)
}

/// The steps that nodes would have which are left out.
fn of_left_out(desired: &Desired, observed: &Observed, cluster: &Cluster) -> Vec<Step> {
    let (on_nodes, _) = nodes::steps((desired, cluster), &cluster.left_out, None);
    on_nodes.into_iter().chain(kubernetes::on_nodes(desired, observed, &cluster.left_out)).collect()
}

/// What comes after the engine. `end`: its last step.
fn after(asked: &Asked<'_>, observed: &Observed, resolution: &Resolution, end: Option<&StepId>) -> Vec<Step> {
    let (desired, cluster, engine) = (asked.desired, asked.cluster, engines::of(asked.desired));
    let names = asked.catalog.runai();
    let mut steps = kubernetes::steps(asked, observed, engine, end);
    let join = kubernetes::join(desired, cluster, engine);
    let joined = join.as_ref().map_or_else(|| ids::health(desired.name.as_str()), |step| step.id.clone());
    steps.extend(join);
    let gpu: Vec<NodeName> = cluster.with(Role::Gpu).map(|m| m.name.clone()).collect();
    let certificates = runai::certificates(desired, names);
    let leaving = leaving::leaving(&observed.installed, resolution, asked.catalog);
    let (base, prepared) = platform::base(desired, resolution, certificates, joined, (gpu, &leaving));
    steps.extend(prepared);
    let going = |one: &leaving::Leaving<'_>| one.step(&leaving, resolution, base.join(), asked.catalog);
    let room = |one: &leaving::Leaving<'_>, wanted: Room<'_>| one.makes_room_for() == Some(wanted);
    let first = |one: &&leaving::Leaving<'_>| matches!(one.makes_room_for(), Some(Room::Release(_)));
    steps.extend(leaving.iter().filter(first).map(going));
    for component in resolution.components.iter().filter(|c| c.stage != Stage::Runai) {
        let mut own = base.component(component, &[]).into_iter();
        steps.extend(own.next());
        steps.extend(leaving.iter().filter(|one| room(one, Room::Objects(&component.name))).map(going));
        steps.extend(own);
    }
    steps.extend(runai::steps(desired, cluster, resolution, names, &base));
    steps.extend(leaving.iter().filter(|one| one.makes_room_for().is_none()).map(going));
    let outside = outside::names(desired, &observed.inventory);
    steps.extend(acceptance::steps(desired, cluster, resolution, names, (&base, outside)));
    steps
}

fn sealed(desired: &Desired, made_from: MadeFrom, steps: Vec<Step>, gates: Vec<Gate>, findings: Vec<Finding>) -> Plan {
    let site = desired.name.clone();
    let findings = worst_first(findings);
    let hash = Digest::of_bytes(&[]);
    let mut plan = Plan { schema: SCHEMA, hash, site, made_from, steps, gates, findings, expected: None };
    plan.hash = plan.content_hash();
    plan
}

/// The same sentence stands behind the steps of thousands of nodes: it is kept once.
fn share_reasons(steps: &mut [Step]) {
    let mut known: HashSet<Arc<str>> = HashSet::new();
    for step in steps {
        match known.get(&step.reason) {
            Some(reason) => step.reason = Arc::clone(reason),
            None => drop(known.insert(Arc::clone(&step.reason))),
        }
    }
}

/// Findings of the discovery, without mere remarks about machines that are not in the cluster.
fn about_members(discovery: &Discovery) -> Vec<Finding> {
    let outside: HashSet<&str> =
        discovery.nodes.iter().filter(|n| n.roles.is_empty()).map(|n| n.name.as_str()).collect();
    let remark = |f: &&Finding| f.severity == Severity::Info && outside.contains(f.subject.as_str());
    discovery.findings.iter().filter(|f| !remark(f)).cloned().collect()
}

fn token_missing(desired: &Desired) -> Option<Finding> {
    let runai = desired.runai.as_ref()?;
    let open = matches!(runai.source, ArtifactSource::Airgapped | ArtifactSource::Oss);
    // The former registry gave the cluster part to everybody; NVIDIA's asks for a login for its charts, whoever's the control plane is.
    let is_open = open || (runai.source == ArtifactSource::Jfrog && runai.control_plane.is_some());
    let wanted = runai.registry_token.is_none() && !is_open;
    wanted.then(|| {
        let text = "charts and images of Run:ai cannot be fetched without a registry token";
        Finding::error(code::SITE_REGISTRY_TOKEN, "runai.registry.token", text)
            .fix("reference the token that the vendor gave you, for example `{env: RUNAI_REGISTRY_TOKEN}`")
    })
}

fn worst_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|f| Reverse(f.severity));
    findings
}
