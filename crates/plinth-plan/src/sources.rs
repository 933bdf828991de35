//! Where a plan fetches from: git, package index, files, images, charts. As data, so that all of them can be asked before anything is
//! changed, each from where it will be asked later.

use crate::engines;
use crate::source::{AskedFrom, Source, SourceKind};
use plinth_model::registry::api_root;
use plinth_model::{Plan, Step, Work};
use plinth_site::Desired;
use std::collections::BTreeMap;

/// Where the plan fetches from, as far as its steps are still to be done.
#[must_use]
pub fn sources(desired: &Desired, plan: &Plan, pending: impl Fn(&Step) -> bool) -> Vec<Source> {
    let steps: Vec<&Step> = plan.steps.iter().filter(|step| pending(step)).collect();
    let mut sources = engines::of(desired).sources(desired, &steps);
    sources.extend(charts(&steps));
    sources
}

/// Addresses that every node has to be asked about while its facts are read.
#[must_use]
pub(crate) fn asked_on_nodes(desired: &Desired) -> Vec<String> {
    let on_nodes = engines::of(desired).sources_of_nodes(desired);
    on_nodes.into_iter().flat_map(|source| source.urls).collect()
}

/// A chart repository each, or the registry of an `oci://` chart. A folder of this machine is asked when it is read.
fn charts(steps: &[&Step]) -> Vec<Source> {
    let mut by_place: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for step in steps {
        let Work::HelmRelease(work) = &step.work else { continue };
        let release = &work.release;
        let url = match release.chart.strip_prefix("oci://") {
            _ if release.of_objects => release.address_of_objects(),
            Some(place) => Some(api_root(place.split('/').next().unwrap_or(place))),
            None => Some(release.repository.trim_end_matches('/'))
                .filter(|repository| repository.starts_with("http"))
                .map(|repository| format!("{repository}/index.yaml")),
        };
        if let Some(url) = url {
            by_place.entry(url).or_default().push(&release.component);
        }
    }
    let source = |(url, components): (String, Vec<&str>)| Source {
        kind: SourceKind::Charts,
        what: format!("the charts of {}", components.join(", ")),
        urls: vec![url],
        from: AskedFrom::Here,
        setting:
            "`platform.charts`, a mirror or a folder of all charts, or a web proxy of this machine (`HTTPS_PROXY`)"
                .to_owned(),
    };
    by_place.into_iter().map(source).collect()
}
