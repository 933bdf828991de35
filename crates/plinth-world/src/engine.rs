//! The record of what runs on the nodes: kept with the site's state, asked by whoever needs to know, whatever the engine.

use crate::{ClientError, ClientResult, Context, private_file};
use async_trait::async_trait;
use plinth_model::engine::{EngineRecord, KubesprayRecord};
use std::path::{Path, PathBuf};

/// Keeps the record of a site.
#[async_trait]
pub trait EngineRecords: Send + Sync {
    /// The record; none: plinth neither installed Kubernetes nor took a cluster over. A record that cannot be read is an error: to go on as
    /// if nothing ran would install Kubernetes over a cluster that nobody knows of.
    async fn record(&self, ctx: &Context) -> ClientResult<Option<EngineRecord>>;
    /// Keeps a record, durably and as a whole.
    async fn keep(&self, ctx: &Context, record: &EngineRecord) -> ClientResult<()>;
    /// Forgets it: nothing of it runs any more. Harmless to repeat.
    async fn forget(&self, ctx: &Context) -> ClientResult<()>;
}

/// The record in the state directory, mode 0600.
#[derive(Clone, Debug)]
pub struct FileRecords {
    file: PathBuf,
    /// Where releases before this file kept what Kubespray left.
    older: PathBuf,
}

impl FileRecords {
    /// Below a state directory.
    #[must_use]
    pub fn of(state: &Path) -> Self {
        Self { file: state.join("engine.json"), older: state.join("kubespray/deployed.json") }
    }

    /// The record; that of an older release is taken over.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn read(&self) -> ClientResult<Option<EngineRecord>> {
        match parsed::<EngineRecord>(&self.file)? {
            Some(record) => Ok(Some(record)),
            None => Ok(parsed::<KubesprayRecord>(&self.older)?.map(|record| EngineRecord::Kubespray(Box::new(record)))),
        }
    }

    /// Writes it, in place of that of an older release.
    ///
    /// # Errors
    /// When it cannot be written; the one before is untouched then.
    pub fn write(&self, record: &EngineRecord) -> ClientResult<()> {
        let doing = "keeping the record of what runs on the nodes";
        let text = serde_json::to_vec_pretty(record).map_err(|error| failed(doing, &self.file, &error))?;
        private_file::write(&self.file, &text).map_err(|error| failed(doing, &self.file, &error))?;
        private_file::remove(&self.older).map_err(|error| failed(doing, &self.older, &error))
    }

    /// Forgets it: nothing runs there any more.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn forget(&self) -> ClientResult<()> {
        let doing = "forgetting the record of what ran on the nodes";
        // The older one first: it would come back as the record otherwise.
        private_file::remove(&self.older).map_err(|error| failed(doing, &self.older, &error))?;
        private_file::remove(&self.file).map_err(|error| failed(doing, &self.file, &error))
    }
}

fn parsed<T: serde::de::DeserializeOwned>(file: &Path) -> ClientResult<Option<T>> {
    let doing = "reading the record of what runs on the nodes";
    let text = private_file::read(file).map_err(|error| failed(doing, file, &error))?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| failed(doing, file, &error))).transpose()
}

fn failed(doing: &str, file: &Path, error: &dyn std::fmt::Display) -> ClientError {
    let attempt = "make the file readable and the state directory writable; never delete it while the cluster runs";
    ClientError::new("engine", doing).happened(format!("{}: {error}", file.display())).attempt(attempt)
}

#[async_trait]
impl EngineRecords for FileRecords {
    async fn record(&self, _: &Context) -> ClientResult<Option<EngineRecord>> {
        self.read()
    }

    async fn keep(&self, _: &Context, record: &EngineRecord) -> ClientResult<()> {
        self.write(record)
    }

    async fn forget(&self, _: &Context) -> ClientResult<()> {
        self.forget()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    #[test]
    fn a_record_comes_back_and_one_that_cannot_be_understood_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        let records = FileRecords::of(state.path());
        assert_eq!(records.read().unwrap(), None);
        let record = EngineRecord::Kubespray(Box::default());
        records.write(&record).unwrap();
        assert_eq!(records.read().unwrap(), Some(record));
        for broken in
            ["{", "{}", r#"{"engine": "unheard-of"}"#, r#"{"engine": "kubespray", "last": {"tag": "newest"}}"#]
        {
            fs::write(state.path().join("engine.json"), broken).unwrap();
            assert!(records.read().is_err(), "{broken}");
        }
        records.forget().unwrap();
        assert_eq!(records.read().unwrap(), None);
    }

    #[test]
    fn the_record_of_an_older_release_is_taken_over_once() {
        let state = tempfile::tempdir().unwrap();
        let records = FileRecords::of(state.path());
        let older = state.path().join("kubespray/deployed.json");
        fs::create_dir(older.parent().unwrap()).unwrap();
        fs::write(&older, r#"{"begun": null}"#).unwrap();
        let record = records.read().unwrap().unwrap();
        assert_eq!(record, EngineRecord::Kubespray(Box::default()));
        records.write(&record).unwrap();
        assert!(!older.exists(), "two records could say two things");
        fs::write(&older, "{").unwrap();
        fs::remove_file(state.path().join("engine.json")).unwrap();
        assert!(records.read().is_err());
    }
}
