//! What is remembered of charts, in small files: which content each version had when it was first used, and which version a line meant.

use crate::failure::{Failure, Why};
use crate::wanted::Trust;
use jiff::Timestamp;
use plinth_model::{ChartVersion, Digest, Version};
use plinth_world::{files, private_file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Largest record, bytes.
const LARGEST: usize = 64 * 1024;
/// The form of a record.
const SCHEMA: u32 = 2;

/// The content that a version of a chart had when it was first used, wherever it came from and however it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    schema: u32,
    /// Name of the chart.
    pub(crate) chart: String,
    /// What the package says.
    pub(crate) version: Version,
    /// SHA-256 of the package.
    pub(crate) digest: String,
    /// SHA-256 of the manifest that named it, from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manifest_digest: Option<String>,
    /// Whose word the digest was.
    pub(crate) trust: Trust,
    /// Where it was had.
    pub(crate) place: String,
    /// When.
    pub(crate) at: Timestamp,
}

/// What a line was found to mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    schema: u32,
    /// Name of the chart.
    pub(crate) chart: String,
    /// Where it was asked for.
    pub(crate) place: String,
    /// What was asked for: `~2.21.0`.
    pub(crate) selector: ChartVersion,
    /// The version that is meant.
    pub(crate) version: Version,
    /// When.
    pub(crate) at: Timestamp,
}

/// What identifies a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) chart: String,
    pub(crate) place: String,
    pub(crate) selector: String,
}

impl Key {
    /// A file name that a person recognises and that no two keys share.
    fn file(&self) -> String {
        let all = Digest::of(&(&self.place, &self.selector));
        format!("{}-{}.json", self.chart, all.short())
    }
}

/// Records of a site.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    versions: PathBuf,
    digests: PathBuf,
}

impl Records {
    /// Below the folder of charts in the state directory.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { versions: folder.join("versions"), digests: folder.join("digests") }
    }

    /// What a line was found to mean, if it was.
    pub(crate) fn meaning(&self, key: &Key) -> Result<Option<Record>, Failure> {
        let attempt = "look at the file; when it is removed, the version is chosen again";
        let ours = |record: &Record| record.schema == SCHEMA && record.chart == key.chart && record.place == key.place;
        read(&self.versions.join(key.file()), ours, attempt)
    }

    /// Remembers what a line means, whole or not at all.
    pub(crate) fn keep_meaning(&self, key: &Key, record: &Record) -> Result<(), Failure> {
        write(&self.versions.join(key.file()), record)
    }

    /// The content that a version was first used with, if it was.
    pub(crate) fn content(&self, chart: &str, version: &Version) -> Result<Option<Content>, Failure> {
        let attempt = "look at the file; when it is removed, the package of this version is trusted again";
        let ours =
            |content: &Content| content.schema == SCHEMA && content.chart == chart && content.version == *version;
        read(&self.of_version(chart, version), ours, attempt)
    }

    /// Remembers the content of a version, whole or not at all.
    pub(crate) fn keep_content(&self, content: &Content) -> Result<(), Failure> {
        write(&self.of_version(&content.chart, &content.version), content)
    }

    /// One file for all ways of writing a version: `v1.31` and `1.31.0` are the same.
    pub(crate) fn of_version(&self, chart: &str, version: &Version) -> PathBuf {
        self.digests.join(chart).join(format!("{}.json", version.padded()))
    }
}

fn read<T: DeserializeOwned>(file: &Path, ours: impl FnOnce(&T) -> bool, attempt: &str) -> Result<Option<T>, Failure> {
    let bytes = match files::read_up_to(file, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::disk(&error)),
    };
    let record: Option<T> = serde_json::from_slice(&bytes).ok();
    let unreadable = || Failure::new(Why::Disk, format!("{} cannot be read", file.display())).attempt(attempt);
    record.filter(ours).map(Some).ok_or_else(unreadable)
}

fn write<T: Serialize>(file: &Path, record: &T) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(record).map_err(|error| Failure::disk(&io::Error::other(error)))?;
    private_file::write(file, &text).map_err(|error| Failure::disk(&error))
}

impl Record {
    pub(crate) fn new(key: &Key, selector: &ChartVersion, version: &Version, at: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            chart: key.chart.clone(),
            place: key.place.clone(),
            selector: selector.clone(),
            version: version.clone(),
            at,
        }
    }
}

impl Content {
    /// A new one: which chart, in which version; its digest, that of its manifest, and whose word they were; where and when it was had.
    pub(crate) fn new(
        (chart, version): (&str, &Version),
        (digest, manifest, trust): (&str, Option<&str>, Trust),
        (place, at): (&str, Timestamp),
    ) -> Self {
        Self {
            schema: SCHEMA,
            chart: chart.to_owned(),
            version: version.clone(),
            digest: digest.to_owned(),
            manifest_digest: manifest.map(str::to_owned),
            trust,
            place: place.to_owned(),
            at,
        }
    }

    /// The same content, named by this manifest.
    pub(crate) fn named_by(self, manifest: Option<String>) -> Self {
        Self { manifest_digest: manifest, ..self }
    }
}
