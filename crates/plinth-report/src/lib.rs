//! Events become terminal lines, a live view, NDJSON and a summary; rows become tables.
//!
//! Everything here is drawn from values of `plinth-model`; nothing is decided, nothing is looked up. Secrets never get this
//! far: events and findings do not hold them. Text of foreign programs is cleaned of control characters.

pub mod findings;
mod fold;
mod lines;
mod live;
mod ndjson;
mod picture;
pub mod preflight;
#[cfg(test)]
mod scripted;
mod sink;
pub mod span;
pub mod status;
mod style;
pub mod summary;
pub mod tables;
mod text_log;

pub use lines::Lines;
pub use live::Live;
pub use ndjson::Ndjson;
pub use picture::{End, Failure, NodeState, Picture, Progress, Run, Running, StageCounts};
pub use sink::{Sink, Tee};
pub use status::{RunView, StatusView};
pub use style::{Palette, Sign, clean};
pub use tables::{NodeRow, VerdictRow};
pub use text_log::{TextLog, Verbosity};
