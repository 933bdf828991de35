//! What is special about a component whose maker publishes one file of objects and no chart, and about digests of the site file.

use crate::choice::{Chosen, ChosenVersion};
use crate::component::{Component, ObjectsFile};
use crate::site_path::path;
use plinth_model::Finding;
use plinth_model::finding::code;

/// SHA-256 of the package or file: the catalog's, else the site's. What the two say of one version must be the same, and a file of
/// objects needs one.
pub(crate) fn digest(chosen: &Chosen<'_>, version: &ChosenVersion<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let component = chosen.component;
    let known = version.pin.and_then(|pin| pin.digest.as_deref());
    let subject = || format!("{}.digest", path(&component.name));
    if let (Some(known), Some(given)) = (known, chosen.digest)
        && known != given
    {
        let text = format!("the catalog knows another digest of {} {}", component.chart.name, version.version);
        let finding = Finding::error(code::CHARTS_DIGEST, subject(), text);
        let fix = "remove the digest, or name the version that it belongs to; do not use a file that has it before somebody knows why";
        findings.push(finding.evidence(format!("catalog: {known}")).evidence(format!("site: {given}")).fix(fix));
    }
    let digest = known.or(chosen.digest).map(str::to_owned);
    if let Some(file) = &component.chart.objects {
        findings.extend(unproved(&component.name, version, file, digest.is_some()));
    }
    digest
}

fn unproved(name: &str, chosen: &ChosenVersion<'_>, file: &ObjectsFile, proved: bool) -> Option<Finding> {
    let version = &chosen.version;
    let how = ObjectsFile::of_version(&file.how, version);
    if chosen.selector().exact().is_none() {
        let text = format!("{name} is a file of objects, of which every version is another: {version} names none");
        let finding = Finding::error(code::PLATFORM_OBJECTS_UNPROVED, format!("{}.version", path(name)), text);
        return Some(finding.fix("write all three numbers of the version"));
    }
    if proved {
        return None;
    }
    let text = format!("{name} {version} comes as a file of objects, and nobody says its digest");
    let finding = Finding::error(code::PLATFORM_OBJECTS_UNPROVED, format!("{}.digest", path(name)), text);
    Some(finding.evidence(how).fix("get the file, look at it, and give `digest` with what `sha256sum FILE` prints"))
}

/// The site gives values where nothing takes any.
pub(crate) fn no_values(component: &Component) -> Finding {
    let text = format!("{} is a file of objects, and takes no values", component.name);
    let finding = Finding::error(code::PLATFORM_REFUSED_VALUE, format!("{}.values", path(&component.name)), text);
    finding
        .fix("remove them; a changed file can be given with its own `version` and `digest` through `platform.charts`")
}
