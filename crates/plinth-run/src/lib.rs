//! Executes a plan: scheduling, deadlines, cancellation, journal, lock, recovery.

pub mod behaviour;
pub mod engines;
pub mod executor;
pub mod journal;
pub mod kinds;
pub mod lock;
pub mod look;
mod remembered;
mod span;
pub mod status;
pub mod survey;

pub use behaviour::{Behaviour, Probe, Probed, StepEnv};
pub use executor::{RunOptions, RunReport, RunWorld, Sink, StopLevel, StopSignal, run};
pub use journal::{CrashAfter, Durability, Journal, JournalError, Recorder};
pub use lock::LockOwner;
pub use look::{Done, Look, LookOptions, SeenDone, look};
pub use remembered::Remembered;
pub use status::{Status, status};
