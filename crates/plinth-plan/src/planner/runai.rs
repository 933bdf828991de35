//! Stage runai: control plane, issuer, registration, cluster part, connection.

use super::platform::{Base, secrets_of_registration};
use crate::cluster::Cluster;
use crate::facts::{control_plane_url, private_authority, url};
use crate::ids;
use crate::step::{Refine, step};
use plinth_catalog::{Resolution, ResolvedComponent, RunaiNames, RunaiPart};
use plinth_model::plan::Step;
use plinth_model::steps::{
    Certificate, CertificateSource, OrgUnit, RunaiConnected, RunaiIssuer, RunaiOrgUnit, RunaiRegister, RunaiTarget,
};
use plinth_model::{CertificateName, ReleaseName, Stage, StepId, Work, amount};
use plinth_site::Desired;
use plinth_site::desired::{Department, Project, Runai};
use std::net::Ipv4Addr;

/// Certificates that components of the platform and of Run:ai need.
pub(super) fn certificates(desired: &Desired, names: &RunaiNames) -> Vec<Step> {
    desired.runai.iter().map(|runai| certificate(runai, &names.certificate)).collect()
}

fn certificate(runai: &Runai, name: &str) -> Step {
    // Not the ingress's address: Run:ai takes no address for a domain, so nobody would ask by it, and one more name makes the leaf of a site that
    // runs another one, which is a rotation. Files are a person's own, and nothing of ours needs the wildcard: only a certificate that we make has it.
    let mut names = vec![CertificateName::Host(runai.domain.clone())];
    if matches!(runai.certificate, CertificateSource::Generated { .. }) {
        names.push(CertificateName::Below(runai.domain.clone()));
    }
    // Asked of files too: this one is needed.
    names.extend(runai.inference_domain.clone().map(CertificateName::Below));
    let work = Work::Certificate(Certificate { name: name.to_owned(), names, source: runai.certificate.clone() });
    let reason = format!("browsers, nodes and pods reach {} over TLS", runai.domain);
    step(ids::certificate(name), work, reason)
}

/// Steps of the stage. Components of the stage that are no part of Run:ai come first, with its control plane.
pub(super) fn steps(
    desired: &Desired,
    cluster: &Cluster,
    resolution: &Resolution,
    names: &RunaiNames,
    base: &Base<'_>,
) -> Vec<Step> {
    let first = |c: &&ResolvedComponent| c.stage == Stage::Runai && c.part != Some(RunaiPart::Cluster);
    let mut steps: Vec<Step> =
        resolution.components.iter().filter(first).flat_map(|c| base.component(c, &[])).collect();
    let Some(runai) = &desired.runai else { return steps };
    let target = target(runai, resolution, names, cluster.ingress_address(desired));
    // Elsewhere the issuer is not ours to set, and a service names another host in it than the tenant's.
    let before = match &runai.control_plane {
        Some(_) => base.join(),
        None => {
            let of = (target.clone(), installed_by(resolution));
            steps.push(issuer(runai, of, control_plane(resolution, base), names));
            ids::issuer(&runai.domain)
        }
    };
    if let Some(cluster_part) = part(resolution, RunaiPart::Cluster) {
        steps.push(register(runai, (target.clone(), installed_by(resolution)), before));
        let registered = ids::register(&runai.cluster);
        let given = |step: Step| step.needing([registered.clone()]);
        let secrets: Vec<Step> = secrets_of_registration(cluster_part).map(given).collect();
        let before: Vec<StepId> =
            std::iter::once(&registered).chain(secrets.iter().map(|step| &step.id)).cloned().collect();
        steps.extend(secrets);
        steps.extend(base.component(cluster_part, &before));
        steps.push(connected(runai, target.clone(), ids::end(cluster_part)));
        steps.extend(org_units(runai, &target));
    }
    steps
}

/// One of the two parts, if plinth installs it.
pub(super) fn part(resolution: &Resolution, part: RunaiPart) -> Option<&ResolvedComponent> {
    resolution.components.iter().find(|component| component.part == Some(part))
}

/// The control plane as later steps see it. A release may name a line of versions; Run:ai is told the site's version then.
pub(super) fn target(
    runai: &Runai,
    resolution: &Resolution,
    names: &RunaiNames,
    address: Option<Ipv4Addr>,
) -> RunaiTarget {
    let exact = part(resolution, RunaiPart::Cluster).and_then(|c| c.release.version.exact());
    let elsewhere = runai.control_plane.as_ref();
    let is_here = elsewhere.is_none();
    RunaiTarget {
        url: control_plane_url(runai),
        address: address.filter(|_| is_here),
        realm: runai.realm().to_owned(),
        admin: runai.admin_email.clone(),
        password: runai.admin_password.clone(),
        authority: (is_here && private_authority(runai)).then(|| names.certificate.clone()),
        authority_text: elsewhere.and_then(|there| there.authority.clone()),
        cluster: runai.cluster.clone(),
        cluster_url: elsewhere.map(|_| url(runai)),
        version: exact.cloned().unwrap_or_else(|| runai.version.without_v()),
        api: if elsewhere.is_some_and(|there| there.service_account) {
            names.account_api(&runai.version)
        } else {
            names.api(&runai.version)
        },
    }
}

/// The last step of the control plane; the join when plinth does not install it.
fn control_plane(resolution: &Resolution, base: &Base<'_>) -> StepId {
    part(resolution, RunaiPart::ControlPlane).map_or_else(|| base.join(), ids::end)
}

fn issuer(
    runai: &Runai,
    (target, release): (RunaiTarget, Option<ReleaseName>),
    before: StepId,
    names: &RunaiNames,
) -> Step {
    let reason = format!("tokens are refused unless their issuer is exactly {}", target.issuer());
    step(ids::issuer(&runai.domain), Work::RunaiIssuer(RunaiIssuer { target, release }), reason)
        .needing([before])
        .needing([ids::certificate(&names.certificate)])
}

/// The release of the control plane; none where plinth does not install it.
fn installed_by(resolution: &Resolution) -> Option<ReleaseName> {
    let release = &part(resolution, RunaiPart::ControlPlane)?.release;
    Some(ReleaseName { namespace: release.namespace.clone(), name: release.release.clone() })
}

fn register(runai: &Runai, (target, release): (RunaiTarget, Option<ReleaseName>), before: StepId) -> Step {
    let reason = format!("the cluster part signs in with the identity that Run:ai gives {}", runai.cluster);
    step(ids::register(&runai.cluster), Work::RunaiRegister(RunaiRegister { target, release }), reason)
        .needing([before])
}

fn connected(runai: &Runai, target: RunaiTarget, end: StepId) -> Step {
    let reason = format!("{} must report to its control plane before anybody can use it", runai.cluster);
    step(ids::connected(&runai.cluster), Work::RunaiConnected(RunaiConnected { target, next_report: false }), reason)
        .needing([end])
}

/// Departments, each with its projects behind it.
fn org_units(runai: &Runai, target: &RunaiTarget) -> Vec<Step> {
    let made = |id: StepId, unit: OrgUnit, reason: String, before: StepId| {
        step(id, Work::RunaiOrgUnit(RunaiOrgUnit { target: target.clone(), unit }), reason).needing([before])
    };
    let of_department = |department: &Department| {
        let Department { name, gpus, projects } = department;
        let unit = OrgUnit { name: name.clone(), department: None, gpus: *gpus };
        let reason = format!("projects of {name} share {}", amount(*gpus as usize, "GPU"));
        let first = made(ids::department(name), unit, reason, ids::connected(&runai.cluster));
        let project = |project: &Project| {
            let unit = OrgUnit { name: project.name.clone(), department: Some(name.clone()), gpus: project.gpus };
            let reason = format!("people of {} submit workloads there, and {name} is its department", project.name);
            made(ids::project(&project.name), unit, reason, ids::department(name))
        };
        std::iter::once(first).chain(projects.iter().map(project)).collect::<Vec<_>>()
    };
    runai.departments.iter().flat_map(of_department).collect()
}
