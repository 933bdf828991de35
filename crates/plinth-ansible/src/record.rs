//! What plays left, kept in the state directory.

use crate::program::DOOR;
use jiff::Timestamp;
use plinth_world::ansible::{Begun, Deployed, PlayRun};
use plinth_world::private_file;
use plinth_world::{ClientError, ClientResult};
use std::io;
use std::path::{Path, PathBuf};

/// The record of a site.
pub(super) struct Record(PathBuf);

impl Record {
    /// Below a state directory.
    pub(super) fn of(state: &Path) -> Self {
        Self(state.join("kubespray/deployed.json"))
    }

    /// What it says; none where no play was begun. One that cannot be understood is an error, never absent: a full run over a cluster
    /// that nobody knows of would be the consequence.
    pub(super) fn read(&self, doing: &str) -> ClientResult<Option<Deployed>> {
        let unreadable = |why: String| failed(doing, &io::Error::other(format!("{}: {why}", self.0.display())));
        match private_file::read(&self.0) {
            Ok(None) => Ok(None),
            Ok(Some(text)) => serde_json::from_str(&text).map(Some).map_err(|error| unreadable(error.to_string())),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// A play begins. Durable before its first effect.
    pub(super) fn begin(&self, run: &PlayRun, now: Timestamp, doing: &str) -> ClientResult<()> {
        let Deployed { last, begun } = self.read(doing)?.unwrap_or_default();
        let since = begun.map_or(Some(now), |begun| begun.since);
        let begun = Some(Begun { play: run.play.clone(), inputs: run.inputs.clone(), since });
        self.write(&Deployed { last, begun }, doing)
    }

    /// It succeeded.
    pub(super) fn succeed(&self, run: &PlayRun, doing: &str) -> ClientResult<()> {
        match run.leaves() {
            Some(inputs) => self.write(&Deployed { last: Some(inputs), begun: None }, doing),
            None => private_file::remove(&self.0).map_err(|error| failed(doing, &error)),
        }
    }

    fn write(&self, deployed: &Deployed, doing: &str) -> ClientResult<()> {
        let text = serde_json::to_vec_pretty(deployed).map_err(|error| failed(doing, &io::Error::other(error)))?;
        private_file::write(&self.0, &text).map_err(|error| failed(doing, &error))
    }
}

fn failed(doing: &str, error: &io::Error) -> ClientError {
    ClientError::permanent(DOOR, doing, error.to_string(), "make the state directory writable, and its record readable")
}
