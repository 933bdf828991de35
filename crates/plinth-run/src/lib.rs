//! Executes a plan: scheduling, deadlines, cancellation, journal, lock, recovery.

pub mod behaviour;

pub use behaviour::{Behaviour, Probe, Probed, StepEnv};
