//! Who may log in at a simulated BCM.

use plinth_model::Secret;

/// Who may log in. Client certificates of the daemon's own authority count as logged in as well.
#[derive(Clone, Debug)]
pub struct SimAuth {
    /// User name.
    pub username: Secret,
    /// Every other one is refused.
    pub password: Secret,
}

impl SimAuth {
    /// A user and a password.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Self { username: Secret::new(username.to_owned()), password: Secret::new(password.to_owned()) }
    }
}
