//! Why a simulated BCM cannot be set up.

/// The simulated BCM cannot be set up. Never the fault of what is simulated.
#[derive(Debug, thiserror::Error)]
#[error("simulated BCM: {doing}: {happened}")]
pub struct SimBcmError {
    /// What was being set up.
    pub doing: &'static str,
    /// The cause, as a library or the system says it.
    pub happened: String,
}

impl SimBcmError {
    /// Words an inner error.
    pub(crate) fn of<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> Self {
        move |error| Self { doing, happened: error.to_string() }
    }
}
