//! Checks with evidence. A check is a claim about the finished platform ([`claim`]); carrying it out ([`acceptance`]) gives a
//! verdict. Before anything is installed, [`preflight`] judges the facts of nodes.

pub mod acceptance;
pub mod claim;
pub mod preflight;
mod verdict;
pub mod workload;

pub use acceptance::accept;
pub use claim::{CLAIMS, Claim, is_verdict};
