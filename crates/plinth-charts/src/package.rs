//! What a package says of itself, read with bounds: it comes from elsewhere. Helm's own rules are the measure (helm 3.18,
//! `pkg/chart/loader/archive.go`): one folder at the top, no path out of it, at most 100 MiB in all.

use crate::failure::Failure;
use flate2::read::MultiGzDecoder;
use plinth_model::Version;
use serde::Deserialize;
use std::io::{self, Read};
use std::path::{Component, Path};
use tar::EntryType;

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
    /// Its version.
    pub(crate) version: Version,
}

/// Reads the whole of a package and answers what it says of itself.
pub(crate) fn about(bytes: &[u8]) -> Result<About, Failure> {
    let bomb = Bounded { inner: MultiGzDecoder::new(bytes), left: UNPACKED };
    let mut archive = tar::Archive::new(bomb);
    let broken = |error: io::Error| Failure::nonsense(format!("the package cannot be unpacked: {error}"));
    let mut text = None;
    for (count, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        if count >= ENTRIES {
            return Err(Failure::nonsense(format!("the package has more than {ENTRIES} files")));
        }
        let path = entry.path().map_err(broken)?.into_owned();
        is_harmless(&path, entry.header().entry_type())?;
        if !is_chart(&path) {
            continue;
        }
        if text.is_some() || entry.size() > LARGEST_CHART {
            return Err(Failure::nonsense("the package has several `Chart.yaml`, or one that is too large"));
        }
        let mut content = String::new();
        entry.by_ref().take(LARGEST_CHART).read_to_string(&mut content).map_err(broken)?;
        text = Some(content);
    }
    let text = text.ok_or_else(|| Failure::nonsense("the package has no `Chart.yaml`, so it is no chart"))?;
    serde_saphyr::from_str(&text)
        .map_err(|_| Failure::nonsense("the package's `Chart.yaml` has no name and version that can be read"))
}

/// No entry leads out of the package, and none is a link or a device.
fn is_harmless(path: &Path, kind: EntryType) -> Result<(), Failure> {
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let known = matches!(
        kind,
        EntryType::Regular
            | EntryType::Continuous
            | EntryType::Directory
            | EntryType::XGlobalHeader
            | EntryType::XHeader
    );
    if inside && known && !path.to_string_lossy().contains('\\') {
        return Ok(());
    }
    Err(Failure::nonsense("the package holds a link, a device, or a path that leads out of it"))
}

/// `NAME/Chart.yaml`, and not that of a sub-chart.
fn is_chart(path: &Path) -> bool {
    let parts: Vec<_> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    parts.len() == 2 && path.file_name().is_some_and(|name| name == "Chart.yaml")
}

/// Ends with an error where a plain limit would look like the end of the archive.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(format!("it has more than {} MiB inside", UNPACKED / 1024 / 1024)))?;
        Ok(read)
    }
}
