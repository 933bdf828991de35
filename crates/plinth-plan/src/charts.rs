//! Where charts come from: from their makers, or all of them from where the site says.

use crate::catalog::Components;
use crate::cluster::Cluster;
use crate::facts;
use crate::observed::LineMeaning;
use plinth_catalog::Resolution;
use plinth_model::download::HelmPin;
use plinth_model::finding::code;
use plinth_model::steps::{HelmRelease, Release};
use plinth_model::text::host_of;
use plinth_model::{ChartVersion, Finding, Plan, Work};
use plinth_site::Desired;
use plinth_site::desired::{ArtifactSource, ChartSource};
use std::collections::BTreeSet;

/// The same components, each with its chart from where the site says. Digests of the catalog stay: they bind a mirror too.
pub(crate) fn from_site(desired: &Desired, mut resolution: Resolution) -> Resolution {
    if let Some(source) = &desired.platform.charts {
        for component in &mut resolution.components {
            move_to(source, &mut component.release);
        }
    }
    resolution
}

/// The same components; lines whose meaning is known have the version that they mean.
pub(crate) fn settled(lines: &[LineMeaning], mut resolution: Resolution) -> Resolution {
    for component in &mut resolution.components {
        let release = &mut component.release;
        let known = lines.iter().find(|known| known.component == release.component && known.line == release.version);
        if let Some(known) = known {
            release.meaning_of = Some(known.line.clone());
            release.version = ChartVersion::Exact(known.version.clone());
        }
    }
    resolution
}

/// Releases of a plan whose version is a line, or the meaning of one, as the site writes them.
#[must_use]
pub fn lines(plan: &Plan) -> Vec<Release> {
    let releases = plan.steps.iter().filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => release.as_line(),
        _ => None,
    });
    releases.collect()
}

fn move_to(source: &ChartSource, release: &mut Release) {
    let name = release.chart.rsplit('/').next().unwrap_or_default().to_owned();
    release.login = None;
    match source {
        ChartSource::Folder(folder) => (release.chart, release.repository) = (name, folder.clone()),
        ChartSource::Mirror { address, login } => {
            release.login.clone_from(login);
            (release.chart, release.repository) = match address.starts_with("oci://") {
                true => (format!("{address}/{name}"), String::new()),
                false => (name, address.clone()),
            };
        }
    }
}

/// A site that takes Run:ai from inside, and whose charts are still in the internet.
pub(crate) fn findings(desired: &Desired, resolution: &Resolution) -> Option<Finding> {
    let runai = desired.runai.as_ref().filter(|runai| runai.source == ArtifactSource::Airgapped)?;
    if desired.platform.charts.is_some() {
        return None;
    }
    let ours = runai.mirror.as_deref().map(host_of);
    let host = |release: &Release| {
        let place = if release.repository.is_empty() { &release.chart } else { &release.repository };
        place.contains("://").then(|| host_of(place).to_owned())
    };
    let hosts = resolution.components.iter().filter_map(|component| host(&component.release));
    let public: BTreeSet<String> = hosts.filter(|host| ours != Some(host.as_str())).collect();
    if public.is_empty() {
        return None;
    }
    let message = "Run:ai comes from inside the site, and the charts of the platform still come from the internet";
    let finding = Finding::warning(code::CHARTS_PUBLIC, "platform.charts", message)
        .fix("write `charts: {mirror: https://HOST/PATH}` or `charts: {folder: PATH}` under `platform`");
    Some(public.into_iter().fold(finding, |finding, host| finding.evidence(format!("charts from {host}"))))
}

/// Files of objects that cannot be had from where the site takes its charts.
pub(crate) fn without_place(desired: &Desired, resolution: &Resolution) -> Vec<Finding> {
    let files = resolution.components.iter().map(|component| &component.release).filter(|release| release.of_objects);
    let finding = |release: &Release| {
        let name = release.file_of_objects();
        let (text, fix) = match &desired.platform.charts {
            Some(ChartSource::Mirror { address, .. }) if address.starts_with("oci://") => (
                format!("{} is a file of objects, and a registry of images holds no files", release.component),
                format!(
                    "put {name} and the charts into a folder (`charts: {{folder: PATH}}`), or onto a mirror that is reached by https"
                ),
            ),
            None if release.repository.is_empty() => (
                format!(
                    "the maker of {} publishes no file of its objects, only what it is made from",
                    release.component
                ),
                format!(
                    "make {name} with the command of its entry in the catalog, and name its folder or mirror with `platform.charts`"
                ),
            ),
            _ => return None,
        };
        Some(Finding::error(code::PLATFORM_OBJECTS_PLACE, "platform.charts", text).fix(fix))
    };
    files.filter_map(finding).collect()
}

/// Where the archive of helm comes from, where a machine has none that fits: an address or folder that holds it, or the archive itself.
#[must_use]
pub fn helm_source(desired: &Desired, pin: &HelmPin) -> String {
    let mirrored = || {
        let files = desired.kubernetes.downloads.files.as_deref()?;
        let place = pin.source.split_once("://").map_or(pin.source.as_str(), |(_, place)| place);
        Some(format!("{}/{place}", files.trim_end_matches('/')))
    };
    desired.platform.helm.clone().or_else(mirrored).unwrap_or_else(|| pin.source.clone())
}

/// Charts of a site as their makers have them: what a mirror has to be filled with.
#[must_use]
pub fn listed(desired: &Desired, cluster: &Cluster, catalog: &dyn Components) -> Vec<Release> {
    let resolution = catalog.resolve(desired, &facts::facts(desired, cluster));
    resolution.components.into_iter().map(|component| component.release).collect()
}
