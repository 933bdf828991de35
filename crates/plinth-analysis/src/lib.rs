//! What the events of runs amount to, beyond how far they came: why a step waits, which failures have one cause, the critical path with
//! its waiting, which node is slow, what differs from the last good run and from the rehearsal, how long it still takes, what stopping now
//! would mean, how long it would have taken with other limits.
//!
//! Pure functions over [`plinth_model::RunView`] and the plan's [`Shape`]: no I/O, no clock, nothing drawn. Terminal, JSON, exports and a
//! page show the same values, so they cannot disagree. Texts in here are those of the events: whoever shows them cleans them.

mod analysis;
mod chance;
mod change;
mod columns;
mod estimate;
mod failures;
mod filter;
mod graph;
mod kinds;
#[cfg(test)]
mod made;
mod parameters;
mod past;
mod path;
mod prediction;
mod replay;
mod roots;
mod schedule;
mod situation;
mod slow;
mod stop_now;
mod waiting;
mod which;

pub use analysis::Analysis;
pub use change::{Difference, RunDiff, Side};
pub use columns::{Columns, Row};
pub use estimate::{Longer, TimeLeft, time_left, time_of_plan};
pub use failures::{FailureGroup, Traits, failure_group, failure_groups};
pub use filter::{Filter, FilterError, Subject};
pub use graph::{Shape, ShapeStep};
pub use kinds::{KindView, kind_of, kinds, median};
pub use past::{KnownBy, Past};
pub use path::{CriticalPath, PathStep};
pub use plinth_model::ranges::ranges;
pub use prediction::{Deviation, PREDICTION_SCHEMA, Prediction, RehearsalDiff, Rehearsed};
pub use replay::{Replay, replay};
pub use roots::{Again, Root};
pub use situation::Situation;
pub use slow::{Hardware, Slow, hardware, slow_nodes};
pub use stop_now::{InEffect, StopNow, stop_now};
pub use waiting::{Busy, HOLDERS, Reason, Waiting, waiting};
pub use which::{RunEntry, UnknownRun, Which};
