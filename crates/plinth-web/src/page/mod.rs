//! Pages. Each is a function of what is known to HTML; text of others is cleaned and escaped on its way in.

pub(crate) mod cause;
pub(crate) mod checks;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod exports;
pub(crate) mod failures;
pub(crate) mod graph;
pub(crate) mod logs;
pub(crate) mod matrix;
pub(crate) mod node;
pub(crate) mod nodes;
pub(crate) mod overview;
pub(crate) mod parts;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod runs;
pub(crate) mod shell;
pub(crate) mod step;
pub(crate) mod steps;
pub(crate) mod timeline;

use crate::record::Record;
use crate::route::{Links, Query};
use jiff::Timestamp;
use plinth_analysis::Analysis;
use plinth_model::SiteName;

/// What every page of a run is made from.
pub(crate) struct OfRun<'a> {
    pub(crate) site: &'a SiteName,
    pub(crate) record: &'a Record,
    pub(crate) analysis: &'a Analysis,
    pub(crate) links: Links,
    pub(crate) query: &'a Query,
    /// This machine's time.
    pub(crate) now: Timestamp,
}

impl OfRun<'_> {
    /// Id of the run.
    pub(crate) fn run(&self) -> &str {
        &self.analysis.entry.run
    }
}
