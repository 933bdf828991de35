//! One message about a run, as it is kept and as it is posted in JSON.

use jiff::Timestamp;
use plinth_model::run::Counts;
use plinth_site::desired::Occasion;
use serde::{Deserialize, Serialize};

/// Version of the JSON form.
pub(super) const SCHEMA: u32 = 1;

/// A message. Its texts hold no secrets and no hidden characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice {
    /// [`SCHEMA`].
    pub(super) schema: u32,
    /// Id, the same for each attempt to deliver it; ids are in the order in which messages were made.
    pub(super) id: String,
    /// `run.started`, `run.failure`, `run.gate`, `run.finished`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// What it is about.
    pub(super) on: Occasion,
    /// Site.
    pub(super) site: String,
    /// Run.
    pub(super) run: String,
    /// Verb that runs it.
    pub(super) verb: String,
    /// Who runs it.
    pub(super) by: String,
    /// Nothing real was touched.
    pub(super) rehearsal: bool,
    /// `seq` of the newest event that it tells of.
    pub(super) seq: u64,
    /// When that happened, by the run's clock.
    pub(super) at: Timestamp,
    /// When the message was made, by the machine's clock: old ones are not delivered.
    pub(super) made: Timestamp,
    /// One sentence.
    pub(super) brief: String,
    /// More, one line each.
    pub(super) lines: Vec<String>,
    /// What the run counted; of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) counts: Option<Counts>,
    /// Exit code of the process; of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exit: Option<u8>,
}
