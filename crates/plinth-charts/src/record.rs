//! Which version and content a chart had when it was first used: a small file for each chart, place and selector.

use crate::charts::Trust;
use crate::failure::Failure;
use jiff::Timestamp;
use plinth_model::{ChartVersion, Digest, Version};
use plinth_world::{files, private_file};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

/// Largest record, bytes.
const LARGEST: usize = 64 * 1024;
/// The form of a record.
const SCHEMA: u32 = 1;

/// What a selector was found to mean.
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
    /// What the package says.
    pub(crate) version: Version,
    /// SHA-256 of the package.
    pub(crate) digest: String,
    /// SHA-256 of the manifest that named it, from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manifest_digest: Option<String>,
    /// Whose word the digest was.
    pub(crate) trust: Trust,
    /// When.
    pub(crate) at: Timestamp,
}

impl Record {
    pub(crate) fn is_readable(&self) -> bool {
        self.schema == SCHEMA
    }
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
    folder: PathBuf,
}

impl Records {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The record of a key, if there is one.
    pub(crate) fn read(&self, key: &Key) -> Result<Option<Record>, Failure> {
        let file = self.folder.join(key.file());
        let bytes = match files::read_up_to(&file, LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::disk(&error)),
        };
        let record: Option<Record> = serde_json::from_slice(&bytes).ok();
        let ours = |record: &Record| record.is_readable() && record.chart == key.chart && record.place == key.place;
        record.filter(ours).map(Some).ok_or_else(|| {
            Failure::new(crate::failure::Why::Disk, format!("{} cannot be read", file.display())).attempt(
                "look at the file; when it is removed, the version is chosen anew and its package trusted anew",
            )
        })
    }

    /// Writes a record, whole or not at all.
    pub(crate) fn keep(&self, key: &Key, record: &Record) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(record).map_err(|error| Failure::disk(&io::Error::other(error)))?;
        private_file::write(&self.folder.join(key.file()), &text).map_err(|error| Failure::disk(&error))
    }
}

impl Record {
    /// A new one.
    pub(crate) fn new(
        key: &Key,
        selector: &ChartVersion,
        version: &Version,
        (digest, manifest, trust): (&str, Option<&str>, Trust),
        at: Timestamp,
    ) -> Self {
        Self {
            schema: SCHEMA,
            chart: key.chart.clone(),
            place: key.place.clone(),
            selector: selector.clone(),
            version: version.clone(),
            digest: digest.to_owned(),
            manifest_digest: manifest.map(str::to_owned),
            trust,
            at,
        }
    }
}
