//! Executes a plan: scheduling, deadlines, cancellation, journal, lock, recovery.

pub mod behaviour;
pub mod engines;
pub mod executor;
pub mod journal;
pub mod kinds;
pub mod lock;
pub mod look;
mod span;
pub mod status;
pub mod survey;

pub use behaviour::{Behaviour, Probe, Probed, StepEnv};
pub use executor::{RunOptions, RunReport, RunWorld, Sink, StopLevel, StopSignal, run};
pub use journal::{CrashAfter, Durability, Journal, JournalError, Recorder};
pub use lock::LockOwner;
pub use look::{Look, LookOptions, look};
pub use status::{Status, status};
