//! Limits of a run, and how long it is remembered.

use plinth_model::NodeName;
use serde::Serialize;

/// How much of a run happens at once, and how much of it may fail.
#[derive(Clone, Debug, Serialize)]
pub struct RunLimits {
    /// Steps at once.
    pub parallel: usize,
    /// Nodes that may fail before the run stops starting new node steps; quorum rules apply besides.
    pub node_failures: usize,
    /// Workers that a person wants to be left out this time. Not in the site file.
    pub without: Vec<NodeName>,
    /// Workers that are not fit, so that only their own steps are tried and nobody waits for them. Not in the site file.
    pub unfit: Vec<NodeName>,
    /// What is kept of earlier runs. Not part of the digest: it reaches nothing that is deployed.
    #[serde(skip)]
    pub keep: Keep,
}

/// How much the state directory keeps of earlier runs; both bounds hold.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Runs.
    pub runs: u32,
    /// MiB of the journal.
    pub mib: u32,
}

impl Default for Keep {
    /// A run of a thousand nodes takes some 17 MB (measured), so that thirty of them stay; of small sites it is the number that counts.
    fn default() -> Self {
        Self { runs: 200, mib: 512 }
    }
}
