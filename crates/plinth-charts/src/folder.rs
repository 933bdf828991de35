//! Packages from a folder of this machine, as `helm package` and `helm pull` name them: `NAME-VERSION.tgz`.

use crate::failure::Failure;
use crate::index::{chosen, newest};
use crate::package;
use crate::wanted::{Found, Trust, Wanted};
use plinth_model::{Digest, Version};
use plinth_world::files;
use std::path::{Path, PathBuf};

/// Most names of a folder that are looked at.
const MOST: usize = 100_000;

/// Reads the package that is wanted.
pub(crate) fn fetch(folder: &Path, wanted: &Wanted<'_>) -> Result<Found, Failure> {
    let there = packages(folder, wanted.chart)?;
    let version = chosen(there.iter().map(|(version, _)| version), wanted.selector);
    let found = version.and_then(|version| there.iter().find(|(other, _)| other.as_str() == version.as_str()));
    let (_, file) = found.ok_or_else(|| {
        let there = newest(there.iter().map(|(version, _)| version));
        let name = format!("{}-{}.tgz", wanted.chart, wanted.selector.version());
        Failure::no_version(wanted.chart, &wanted.selector.to_string(), &there)
            .evidence(format!("looked in {}", folder.display()))
            .attempt(format!(
                "put the package {name} there (`helm pull` fetches it; `plinth render mirror-list` names all)"
            ))
    })?;
    let unreadable = |error: std::io::Error| Failure::input(format!("{} cannot be read: {error}", file.display()));
    let bytes = files::read_up_to(file, package::LARGEST).map_err(unreadable)?;
    let digest = Digest::of_bytes(&bytes).as_str().to_owned();
    match wanted.digest.as_deref() {
        Some(pinned) if pinned != digest => Err(Failure::digest(&file.display().to_string(), pinned, &digest)),
        _ => Ok(Found {
            bytes,
            file: Some(file.clone()),
            digest,
            manifest: None,
            trust: wanted.trust().unwrap_or(Trust::FirstUse),
        }),
    }
}

/// Packages of one chart, with the versions that their names say.
fn packages(folder: &Path, chart: &str) -> Result<Vec<(Version, PathBuf)>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::input(format!("the folder of charts {} cannot be read: {error}", folder.display()))
            .attempt("correct `platform.charts.folder`; a relative name starts at the folder of the site file")
    };
    let prefix = format!("{chart}-");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)?.take(MOST) {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let version = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".tgz"));
        // `foo-bar-1.0.0.tgz` is of the chart `foo-bar`, and `bar-1.0.0` no version.
        if let Some(Ok(version)) = version.map(str::parse) {
            found.push((version, path));
        }
    }
    Ok(found)
}
