//! Checks with evidence. A check is a claim about the finished platform ([`claim`]); carrying it out ([`acceptance`]) gives a
//! verdict; a verdict with its name is a record for machines ([`record`]). Before anything is installed, [`preflight`] judges the
//! facts of nodes.

pub mod acceptance;
pub mod claim;
pub mod preflight;
pub mod record;

pub use acceptance::accept;
pub use claim::{CLAIMS, Claim};
pub use record::VerdictRecord;
