//! What was seen. "Unknown" is not "absent".

use serde::{Deserialize, Serialize};

/// What was seen of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "seen", content = "value")]
pub enum Observed<T> {
    /// It is there, and this is what it is.
    Known(T),
    /// Looked for, and certainly not there.
    Absent,
    /// Could not be seen, and why.
    Unknown(String),
}

impl<T> Observed<T> {
    /// The value, if it was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Observed::Known(value) => Some(value),
            Observed::Absent | Observed::Unknown(_) => None,
        }
    }
}
