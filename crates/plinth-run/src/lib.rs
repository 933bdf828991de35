//! Executes a plan: scheduling, deadlines, cancellation, journal, lock, recovery.

mod answers;
mod awaited;
pub mod behaviour;
pub mod engines;
pub mod executor;
pub mod journal;
mod listing;
pub mod look;
mod remembered;
pub mod sources;
pub mod steps;
pub mod survey;
pub mod unprovisioned;
mod unreached;
mod without;

pub use answers::{Checked, Told};
pub use awaited::Awaited;
pub use behaviour::{Again, Behaviour, Probe, Probed, StepEnv};
pub use executor::{RunOptions, RunReport, RunWorld, Sink, StopLevel, StopSignal, run};
pub use journal::{CrashAfter, Durability, Fence, Journal, JournalError, Lock, LockOwner, LockedJournal, Store};
pub use without::go_on_without;

pub use look::{Done, Look, LookOptions, SeenDone, look};
pub use remembered::Remembered;
