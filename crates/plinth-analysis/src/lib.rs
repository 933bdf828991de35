//! What the events of runs amount to, beyond how far they came: why a step waits, which failures have one cause, the critical path with
//! its waiting, which node is slow, what differs from the last good run, how long it would have taken with other limits.
//!
//! Pure functions over [`plinth_model::RunView`] and the plan's [`Shape`]: no I/O, no clock, nothing drawn. Terminal, JSON, exports and a
//! page show the same values, so they cannot disagree. Texts in here are those of the events: whoever shows them cleans them.

mod change;
mod columns;
mod failures;
mod filter;
mod graph;
mod kinds;
mod path;
mod replay;
mod slow;
mod waiting;
mod which;

pub use change::{Difference, RunDiff, Side};
pub use columns::{Columns, Row};
pub use failures::{FailureGroup, Traits, failure_groups, normalised};
pub use filter::{Filter, FilterError, Subject};
pub use graph::{Shape, ShapeStep};
pub use kinds::{KindView, kind_of, kinds, median};
pub use path::{CriticalPath, PathStep};
pub use plinth_model::ranges::ranges;
pub use replay::{Replay, replay};
pub use slow::{Slow, slow_ones};
pub use waiting::{Busy, Reason, Situation, Waiting, waiting};
pub use which::{RunEntry, UnknownRun, Which};
