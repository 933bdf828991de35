//! The record of a run: one vocabulary of events, one enum of a step's state, one view that the events fold into.
//!
//! The executor says what happens as [`Event`]s; the journal keeps all of them but progress; terminal, `--json`, `status`,
//! `explain` and any page fold them into a [`RunView`] and draw that. There is no second list of what happened anywhere.

pub mod event;
mod fold;
mod held;
pub mod history;
pub mod logs;
mod order;
mod seal;
pub mod status;
mod step_end;
mod step_state;
pub mod trace;
mod view;

pub use event::{Counts, Event, EventBody, OldestWait, Outcome, RunHead};
pub use held::{CommandFailure, HeldBy, Who};
pub use history::{History, RunHistory, StepHistory};
pub use logs::{LogFile, LogOf, Logs};
pub use order::{Gap, WINDOW};
pub use seal::StreamSeal;
pub use status::{Holder, Life, LockView, Refusal, Status};
pub use step_end::StepEnd;
pub use step_state::{Interrupted, StepState};
pub use view::{Applied, Progress, RunEnd, RunState, RunView, StageView, StepView, Tally};
