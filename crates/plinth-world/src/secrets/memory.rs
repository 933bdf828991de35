//! Secrets that live in memory alone.

use super::{Redactor, SecretError, Secrets};
use plinth_model::{Secret, SecretRef};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Gives what was put into it, under any reference, and forgets it with the process. No site has its secrets here: it is what tests
/// of clients stand on, so that each does not write its own.
#[derive(Default)]
pub struct MemorySecrets {
    values: Mutex<HashMap<SecretRef, Secret>>,
    redactor: Redactor,
}

impl MemorySecrets {
    /// With these values. They are taken out of texts from now on, before anybody asked for them.
    pub fn of(values: impl IntoIterator<Item = (SecretRef, Secret)>) -> Self {
        let made = Self::default();
        for (reference, value) in values {
            made.redactor.remember(&reference, &value);
            made.put(&reference, value);
        }
        made
    }

    fn put(&self, reference: &SecretRef, value: Secret) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).insert(reference.clone(), value);
    }
}

impl Secrets for MemorySecrets {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let found = self.values.lock().unwrap_or_else(PoisonError::into_inner).get(reference).cloned();
        let value = found.ok_or_else(|| SecretError::absent(reference, "it is not there"))?;
        self.redactor.remember(reference, &value);
        Ok(value)
    }

    fn find(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        Ok(self.get(reference).ok())
    }

    /// Takes values for references of any kind, not only generated ones.
    fn keep(&self, reference: &SecretRef, value: &Secret) -> Result<(), SecretError> {
        self.put(reference, value.clone());
        Ok(())
    }

    fn forget(&self, reference: &SecretRef) -> Result<(), SecretError> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(reference);
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_given_and_hidden_and_nothing_else_is() {
        let name = |name: &str| SecretRef::Env(name.to_owned());
        let secrets = MemorySecrets::of([(name("A"), Secret::new("open-sesame".to_owned()))]);
        assert_eq!(secrets.redact("say open-sesame"), "say [secret]", "before it was asked for");
        assert!(secrets.get(&name("B")).is_err() && secrets.find(&name("B")).unwrap().is_none());
        secrets.keep(&name("B"), &Secret::new("barbarossa".to_owned())).unwrap();
        assert_eq!(secrets.get(&name("B")).unwrap().expose(), "barbarossa");
        assert_eq!(secrets.redact("barbarossa"), "[secret]");
    }
}
