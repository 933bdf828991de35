//! What somebody without plinth does to see whether everything is as wanted: helm, for one release after the other.

use crate::ground::{Ground, plan_of};
use plinth_model::Work;
use plinth_model::steps::{HelmRelease, Release};
use std::path::PathBuf;

/// `helm list`, and for each release `helm get values` and `helm template` with these.
pub(crate) fn looks_at_everything(ground: &Ground) {
    ground.by_hand(&["list", "--all-namespaces", "-o", "json"]);
    for step in &plan_of(&ground.path("site.yaml")).steps {
        let Work::HelmRelease(HelmRelease { release, .. }) = &step.work else { continue };
        let values = ground.by_hand(&["get", "values", &release.release, "-n", &release.namespace, "-o", "json"]);
        ground.write("values.json", values);
        let (package, values) = (package(ground, release), ground.path("values.json"));
        let (package, values) = (package.to_str().unwrap(), values.to_str().unwrap());
        ground.by_hand(&["template", &release.release, package, "-n", &release.namespace, "-f", values]);
    }
}

/// The stand-in's package.
fn package(ground: &Ground, release: &Release) -> PathBuf {
    let version = |name: &str| {
        let rest = name.strip_prefix(&release.chart)?.strip_prefix('-')?.strip_suffix(".tgz")?.to_owned();
        rest.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()).then_some(())
    };
    let packages = std::fs::read_dir(ground.path("charts")).unwrap().map(|entry| entry.unwrap());
    let found = packages
        .map(|entry| entry.path())
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| version(name).is_some()));
    found.unwrap_or_else(|| panic!("no package of {}", release.chart))
}
