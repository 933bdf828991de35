//! The simulated sides of the doors. Each answers from the same world, and takes its virtual time.

mod ansible;
mod bcm;
mod facts;
mod fetch;
mod helm;
mod keystore;
mod kube;
mod manifest;
mod model;
mod nodes;
mod play;
mod runai;
mod secrets;

pub use bcm::{HeldBcm, NoBcm};
pub use keystore::MemoryKeystore;
pub use secrets::SimSecrets;

pub(crate) use ansible::SimAnsible;
pub(crate) use bcm::SharedBcm;
pub(crate) use fetch::SimFetch;
pub(crate) use helm::SimHelm;
pub(crate) use kube::SimKube;
pub(crate) use nodes::SimNodes;
pub(crate) use runai::SimRunai;

use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::Secrets;
use plinth_world::{DoorError, DoorResult};

/// One call through a door: for its errors.
pub(crate) struct Call {
    door: &'static str,
    doing: String,
}

impl Call {
    pub(crate) fn new(door: &'static str, doing: impl Into<String>) -> Self {
        Self { door, doing: doing.into() }
    }

    /// An error of this call.
    pub(crate) fn fails(&self, happened: impl Into<String>, attempt: impl Into<String>) -> DoorError {
        DoorError::permanent(self.door, self.doing.clone(), happened, attempt)
    }

    /// Fetches a secret.
    pub(crate) fn secret(&self, secrets: &dyn Secrets, reference: &SecretRef) -> DoorResult<Secret> {
        secrets
            .get(reference)
            .map_err(|error| self.fails(error.to_string(), "make the secret available, then run again"))
    }
}
