//! What pages are made from. The binary reads it from the state directory; tests make it up.

use jiff::Timestamp;
use plinth_analysis::{Columns, Past, Prediction, RunEntry, Traits};
use plinth_model::run::{LockView, LogFile, Logs, Progress};
use plinth_model::{Digest, Event, Plan, Problem, RunView, SiteName, StepId};
use plinth_report::evidence::IsVerdict;
use serde_json::Value;
use std::collections::BTreeMap;

/// A text for people with the same for programs, as a verb prints them.
#[derive(Clone, Debug)]
pub struct Told {
    /// For people.
    pub text: String,
    /// For programs.
    pub data: Value,
}

/// What a node said of itself when it was asked last.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When; none where that was not recorded.
    pub at: Option<Timestamp>,
    /// Names and values, for people.
    pub facts: Vec<(String, String)>,
}

/// What earlier runs say.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    /// What steps took in them.
    pub past: Past,
    /// Their steps, newest run first: as many runs as say something of what steps take.
    pub columns: Vec<Columns>,
    /// Ids of these runs, in the same order.
    pub runs: Vec<String>,
}

/// Where runs are read from. Calls may block: they are made on threads that may. Nothing in here changes anything.
pub trait Source: Send + Sync + 'static {
    /// The site.
    fn site(&self) -> SiteName;

    /// All runs, oldest first.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn runs(&self) -> Result<Vec<RunEntry>, Problem>;

    /// How many older runs are not kept any more.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn removed(&self) -> Result<u32, Problem>;

    /// Id of the newest run. Asked several times a second.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn newest(&self) -> Result<Option<String>, Problem>;

    /// Events of a run behind this number, in order.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn events(&self, run: &str, after: u64) -> Result<Vec<Event>, Problem>;

    /// A plan that was run; none when it is of another release.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn plan(&self, hash: &Digest) -> Result<Option<Plan>, Problem>;

    /// The site's lock, if somebody holds it.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn lock(&self) -> Result<Option<LockView>, Problem>;

    /// What moves inside the steps of a run that is on.
    fn progress(&self, run: &str) -> BTreeMap<StepId, Progress>;

    /// Logs of the programs that steps of a run started, oldest first: those that are kept.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn logs(&self, view: &RunView) -> Result<Logs, Problem>;

    /// A part of such a log: `most` bytes at most, from this place on; and the bytes of all of it.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    fn log(&self, log: &LogFile, from: u64, most: usize) -> Result<(Vec<u8>, u64), Problem>;

    /// What is known of nodes that may explain a failure.
    fn traits(&self) -> Traits;

    /// What runs in front of this one say, and for what steps took this rehearsal as well, if it is none of them.
    fn before(&self, run: &str, rehearsed: Option<&Prediction>) -> Earlier;

    /// What a node said of itself when it was asked last; none: it never was.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn seen(&self, node: &str) -> Result<Option<Seen>, Problem>;

    /// The last good rehearsal of the site. Of a large one that is megabytes to read.
    fn prediction(&self) -> Option<Prediction>;

    /// Explains a step, a kind, a finding code or a table, as `plinth explain` does; none: there is no such thing.
    fn explain(&self, what: &str, plan: Option<&Plan>, view: &RunView) -> Option<Told>;

    /// A plan as `plinth plan` shows it.
    fn plan_told(&self, plan: &Plan) -> Told;

    /// Says of a finding whether it is the verdict of a check, and not why it could not be carried out.
    fn verdicts(&self) -> IsVerdict;

    /// Version of plinth.
    fn version(&self) -> &'static str;

    /// This machine's time.
    fn now(&self) -> Timestamp;
}
