//! What plays leave in the record of the site: begun before the first effect, whole after the last.

use jiff::Timestamp;
use plinth_model::EngineRecord;
use plinth_model::engine::{Begun, KubesprayRecord};
use plinth_world::ansible::PlayRun;
use plinth_world::engine::FileRecords;
use plinth_world::{ClientError, ClientResult};
use std::path::Path;

/// Kubespray's part of the record of a site.
pub(super) struct Record(FileRecords);

impl Record {
    /// Below a state directory.
    pub(super) fn of(state: &Path) -> Self {
        Self(FileRecords::of(state))
    }

    /// A play begins. Durable before its first effect.
    pub(super) fn begin(&self, run: &PlayRun, now: Timestamp, doing: &str) -> ClientResult<()> {
        let KubesprayRecord { last, begun, at } = self.known(doing)?;
        let since = begun.map_or(Some(now), |begun| begun.since);
        let begun = Some(Begun { play: run.play.clone(), inputs: run.inputs.clone(), since });
        self.0.write(&EngineRecord::Kubespray(Box::new(KubesprayRecord { last, begun, at })))
    }

    /// It succeeded.
    pub(super) fn succeed(&self, run: &PlayRun, now: Timestamp) -> ClientResult<()> {
        match run.leaves() {
            Some(inputs) => {
                let record = KubesprayRecord { last: Some(inputs), begun: None, at: Some(now) };
                self.0.write(&EngineRecord::Kubespray(Box::new(record)))
            }
            None => self.0.forget(),
        }
    }

    /// Another engine's record is never written over.
    fn known(&self, doing: &str) -> ClientResult<KubesprayRecord> {
        match self.0.read()? {
            Some(EngineRecord::Kubespray(record)) => Ok(*record),
            None => Ok(KubesprayRecord::default()),
            Some(EngineRecord::Existing(record)) => {
                let happened = format!("the site took over the cluster at {}", record.server);
                let attempt = "use another name for the site, or another folder with `--state DIR`";
                Err(ClientError::new("engine", doing).happened(happened).attempt(attempt))
            }
        }
    }
}
