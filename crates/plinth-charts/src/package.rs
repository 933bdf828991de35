//! What a package says of itself, read with bounds: it comes from elsewhere. Helm's own rules are the measure (helm 3.18,
//! `pkg/chart/loader/archive.go`): one folder at the top, no path out of it, at most 100 MiB in all.

use crate::failure::Failure;
use plinth_model::Version;
use plinth_world::packed::{Budget, each_file};
use serde::Deserialize;
use std::io;
use std::path::{Component, Path};

/// Largest package, bytes. The largest of the catalog has 1.5 MB.
pub(crate) const LARGEST: usize = 64 * 1024 * 1024;
/// Largest content of a package, unpacked, bytes: helm's own limit.
const UNPACKED: u64 = 100 * 1024 * 1024;
/// Most entries of a package. The largest of the catalog has some 500.
const ENTRIES: usize = 50_000;
/// Largest `Chart.yaml`, bytes.
const LARGEST_CHART: u64 = 1024 * 1024;

/// The part of `Chart.yaml` that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct About {
    /// Name of the chart.
    pub(crate) name: String,
    pub(crate) version: Version,
}

/// Reads the whole of a package and answers what it says of itself.
pub(crate) fn about(bytes: &[u8]) -> Result<About, Failure> {
    let mut texts = Vec::new();
    let read = each_file(bytes, &Budget::of(UNPACKED, ENTRIES), |mut file| {
        if is_chart(&file.path) {
            texts.push(file.text(LARGEST_CHART)?);
        }
        Ok::<(), io::Error>(())
    });
    read.map_err(|error| Failure::nonsense(format!("the package cannot be unpacked: {error}")))?;
    match texts.as_slice() {
        [text] => serde_saphyr::from_str(text)
            .map_err(|_| Failure::nonsense("the package's `Chart.yaml` has no name and version that can be read")),
        [] => Err(Failure::nonsense("the package has no `Chart.yaml`, so it is no chart")),
        _ => Err(Failure::nonsense("the package has several `Chart.yaml`")),
    }
}

/// `NAME/Chart.yaml`, and not that of a sub-chart.
fn is_chart(path: &Path) -> bool {
    let parts: Vec<_> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    parts.len() == 2 && path.file_name().is_some_and(|name| name == "Chart.yaml")
}
