//! The simulated sides of the clients. Each answers from the same world, and takes its virtual time.

mod ansible;
mod bcm;
mod checks;
mod existing;
mod facts;
mod fetch;
mod helm;
mod infiniband;
mod keystore;
mod kube;
mod manifest;
mod model;
mod nodes;
mod objects;
mod play;
mod renderer;
mod restart;
mod runai;
mod secrets;
mod watch;
mod workloads;

pub use bcm::{HeldBcm, NoBcm};
pub use keystore::MemoryKeystore;
pub use renderer::SimRenderer;
pub use secrets::SimSecrets;

pub(crate) use ansible::SimAnsible;
pub(crate) use bcm::SharedBcm;
pub(crate) use existing::{SimExisting, SimRecords};
pub(crate) use fetch::SimFetch;
pub(crate) use helm::SimHelm;
pub(crate) use kube::SimKube;
pub(crate) use nodes::SimNodes;
pub(crate) use runai::SimRunai;

use plinth_model::run::CommandFailure;
use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult};

/// One call through a client: for its errors.
pub(crate) struct Call {
    client: &'static str,
    doing: String,
    /// What it asks for, where that is a script on a node.
    command: Option<String>,
}

impl Call {
    pub(crate) fn new(client: &'static str, doing: impl Into<String>) -> Self {
        Self { client, doing: doing.into(), command: None }
    }

    /// The same as a script on a node.
    pub(crate) fn asking(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }

    /// An error of this call.
    pub(crate) fn fails(&self, happened: impl Into<String>, attempt: impl Into<String>) -> ClientError {
        let error = ClientError::new(self.client, self.doing.clone()).happened(happened).attempt(attempt);
        match &self.command {
            Some(command) => error.failure(CommandFailure::of(command, &[])),
            None => error,
        }
    }

    /// An error of this call whose script ran on the node, and said this.
    pub(crate) fn script_fails(&self, said: impl Into<String>, attempt: impl Into<String>) -> ClientError {
        let said = [said.into()];
        let command = self.command.clone().unwrap_or_default();
        let failure = CommandFailure { exit: Some(1), ..CommandFailure::of(command, &said) };
        let [said] = said;
        self.fails(said, attempt).failure(failure)
    }

    /// Fetches a secret.
    pub(crate) fn secret(&self, secrets: &dyn Secrets, reference: &SecretRef) -> ClientResult<Secret> {
        secrets
            .get(reference)
            .map_err(|error| self.fails(error.to_string(), "make the secret available, then run again"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_fails_has_its_end_and_its_words_and_one_that_was_not_reached_what_was_asked() {
        let call = Call::new("node", "moving on a").asking("ssh p@10.0.0.5 sudo sh # moving on a".to_owned());
        let program = |error: ClientError| error.failed_on.unwrap().program.unwrap();
        let failed = program(call.script_fails("no space left on device", "free some"));
        assert_eq!((failed.exit, failed.tail.as_slice()), (Some(1), ["no space left on device".to_owned()].as_slice()));
        let lost = program(call.fails("no answer", "look"));
        assert_eq!((lost.exit, lost.tail.len(), lost.command), (None, 0, failed.command));
    }
}
