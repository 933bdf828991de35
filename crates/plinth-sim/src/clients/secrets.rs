//! Made-up secrets: a rehearsal needs none of the site's.

use crate::data_centre::DataCentre;
use crate::world::Effect;
use plinth_model::{Digest, Secret, SecretRef};
use plinth_world::secrets::{Redactor, SecretError, Secrets};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Folder below the state directory for kept values that are not the made-up ones.
const FOLDER: &str = "rehearsal-secrets";

/// Makes a distinct, recognisable value for every reference, the same for the same seed: `rehearsal-` and 32 digits. Nothing is
/// read from the environment, from files or from programs.
///
/// Only the names of kept secrets are in the world's log. A kept value that is not the made-up one is in a file of its own, mode
/// 0600, below the state directory; without one it lives as long as the process.
pub struct SimSecrets {
    centre: Arc<DataCentre>,
    directory: Option<PathBuf>,
    kept: Mutex<BTreeMap<String, Secret>>,
    redactor: Redactor,
}

impl SimSecrets {
    pub(crate) fn new(centre: Arc<DataCentre>, directory: Option<PathBuf>) -> Self {
        Self { centre, directory, kept: Mutex::default(), redactor: Redactor::default() }
    }

    /// The value that a rehearsal with this seed makes up for a reference; tests search for it in everything written.
    #[must_use]
    pub fn synthetic(seed: u64, reference: &SecretRef) -> Secret {
        let digest = Digest::of(&(seed, "secret", reference));
        Secret::new(format!("rehearsal-{}", digest.as_str().get(..32).unwrap_or_default()))
    }

    fn path(&self, reference: &SecretRef) -> Option<PathBuf> {
        let name = Digest::of(reference).short().to_owned();
        self.directory.as_ref().map(|directory| directory.join(FOLDER).join(name))
    }

    fn value(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&reference.to_string()).cloned();
        if let (SecretRef::Generated(_), Some(value)) = (reference, kept) {
            return Ok(value);
        }
        let value = match self.earlier(reference) {
            Ok(Some(text)) => Secret::new(text),
            Ok(None) => Self::synthetic(self.centre.timing.seed, reference),
            Err(error) => return Err(SecretError::new(reference, error.to_string())),
        };
        if matches!(reference, SecretRef::Generated(_)) {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(reference.to_string(), value.clone());
        }
        Ok(value)
    }

    /// What an earlier process kept. Looked for once: nobody else writes there while the site is locked.
    fn earlier(&self, reference: &SecretRef) -> std::io::Result<Option<String>> {
        let (SecretRef::Generated(_), Some(path)) = (reference, self.path(reference)) else { return Ok(None) };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_kept(&self, reference: &SecretRef, name: &str) -> Result<bool, SecretError> {
        let kept = self.centre.look(|state, _| state.kept_secrets.contains(name));
        kept.map_err(|error| SecretError::new(reference, error.to_string()))
    }

    fn store(&self, reference: &SecretRef, value: &Secret) -> std::io::Result<()> {
        if let Some(path) = self.path(reference) {
            write_private(&path, value.expose())?;
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(reference.to_string(), value.clone());
        Ok(())
    }
}

/// Writes a file that only its owner may read: whole or not at all.
fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("new");
    let _ = std::fs::remove_file(&temporary);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(temporary, path)
}

impl Secrets for SimSecrets {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let value = self.value(reference)?;
        self.redactor.remember(reference, &value);
        Ok(value)
    }

    /// A generated one only where it is kept: made up is what a rehearsal is asked for, not what somebody learnt.
    fn find(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        match reference {
            SecretRef::Generated(name) if !self.is_kept(reference, name)? => Ok(None),
            _ => self.get(reference).map(Some),
        }
    }

    fn keep(&self, reference: &SecretRef, value: &Secret) -> Result<(), SecretError> {
        let error = |happened: String| SecretError::new(reference, happened);
        let SecretRef::Generated(name) = reference else {
            return Err(error("only a generated secret can be kept".to_owned()));
        };
        self.redactor.remember(reference, value);
        if self.value(reference)?.expose() != value.expose() {
            self.store(reference, value).map_err(|e| error(e.to_string()))?;
        }
        if self.is_kept(reference, name)? {
            return Ok(());
        }
        self.centre.effect(Effect::SecretKept { name: name.clone() }).map_err(|e| error(e.to_string()))
    }

    fn forget(&self, reference: &SecretRef) -> Result<(), SecretError> {
        let error = |happened: String| SecretError::new(reference, happened);
        let SecretRef::Generated(name) = reference else {
            return Err(error("only a generated secret is kept, so no other one is forgotten".to_owned()));
        };
        if let Some(Err(failed)) = self.path(reference).map(std::fs::remove_file)
            && failed.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error(failed.to_string()));
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&reference.to_string());
        if !self.is_kept(reference, name)? {
            return Ok(());
        }
        self.centre.effect(Effect::SecretForgotten { name: name.clone() }).map_err(|e| error(e.to_string()))
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }
}
