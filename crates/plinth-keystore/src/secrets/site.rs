//! The secrets of a site: named by the site file, or made by plinth and kept in the state directory.

use super::source::{self, EXEC_DEADLINE};
use plinth_model::finding::code;
use plinth_model::{Finding, Secret, SecretRef};
use plinth_world::private_file;
use plinth_world::secrets::{Redactor, SecretError, Secrets};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Length of a made-up password. 32 characters of 64 are 192 bits.
const PASSWORD_LENGTH: usize = 32;
/// Letters, digits and the two special characters that need no escaping in a URL, in YAML or in a shell.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Generated secrets whose name ends like this are made up on first use; others are kept by whoever learns them.
const PASSWORD_SUFFIX: &str = "-password";

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// Resolves references. Values are read once and remembered until the end of the process; programs run for up to 30 s, so
/// resolve everything with [`SiteSecrets::check_all`] before anything that must not wait.
///
/// Generated ones are files `secrets/<name>` below the state directory, mode 0600 in a directory of mode 0700.
pub struct SiteSecrets {
    directory: PathBuf,
    folder: PathBuf,
    lookup: Box<Lookup>,
    exec_deadline: Duration,
    cache: Mutex<BTreeMap<SecretRef, Secret>>,
    warnings: Mutex<Vec<Finding>>,
    redactor: Redactor,
}

impl SiteSecrets {
    /// Secrets of the site whose state is in this directory, with the variables of this process.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self::with_environment(state_dir, |name| std::env::var_os(name))
    }

    /// The same, with variables from somewhere else.
    pub fn with_environment(
        state_dir: &Path,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        Self {
            directory: state_dir.join("secrets"),
            folder: PathBuf::new(),
            lookup: Box::new(lookup),
            exec_deadline: EXEC_DEADLINE,
            cache: Mutex::default(),
            warnings: Mutex::default(),
            redactor: Redactor::default(),
        }
    }

    /// The same; relative names of files start at this folder, the one of the site file.
    #[must_use]
    pub fn below(mut self, folder: &Path) -> Self {
        self.folder = folder.to_path_buf();
        self
    }

    /// What is doubtful about the secrets read so far.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resolves everything and names all that is missing at once. `references` are pairs of a path in the site file and what
    /// stands there. Generated ones that do not exist yet are not missing: they come to be during a run.
    #[must_use]
    pub fn check_all(&self, references: &[(String, SecretRef)]) -> Vec<Finding> {
        references
            .iter()
            .filter(|(_, reference)| !self.comes_later(reference))
            .filter_map(|(path, reference)| self.get(reference).err().map(|error| missing(path, &error)))
            .collect()
    }

    fn comes_later(&self, reference: &SecretRef) -> bool {
        matches!(reference, SecretRef::Generated(name) if !self.directory.join(name).exists())
    }

    /// Reads a value; the lock on the cache is held meanwhile, so that a password is made up only once.
    fn resolve(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) => source::environment(reference, (self.lookup)(name)),
            SecretRef::File(path) => {
                let path = self.folder.join(path);
                let secret = source::file(reference, &path)?;
                self.warn_if_readable(&path, reference);
                Ok(secret)
            }
            SecretRef::Exec(argv) => source::program(reference, argv, self.exec_deadline),
            SecretRef::Generated(name) => self.generated(reference, name),
        }
    }

    fn generated(&self, reference: &SecretRef, name: &str) -> Result<Secret, SecretError> {
        let path = self.place(reference, name)?;
        match private_file::read(&path) {
            Ok(Some(text)) if text.is_empty() => {
                Err(SecretError::new(reference, format!("its file {} is empty; remove it", path.display())))
            }
            Ok(Some(text)) => {
                self.warn_if_readable(&path, reference);
                Ok(Secret::new(text))
            }
            Ok(None) if name.ends_with(PASSWORD_SUFFIX) => {
                let made = Secret::new(password());
                self.store(reference, &path, &made)?;
                Ok(made)
            }
            Ok(None) => {
                Err(SecretError::new(reference, "it has not been made yet: the step that makes it has not run"))
            }
            Err(error) => Err(SecretError::new(reference, format!("reading {} failed: {error}", path.display()))),
        }
    }

    fn place(&self, reference: &SecretRef, name: &str) -> Result<PathBuf, SecretError> {
        if private_file::is_file_name(name) {
            Ok(self.directory.join(name))
        } else {
            Err(SecretError::new(reference, "its name is not a plain file name"))
        }
    }

    fn store(&self, reference: &SecretRef, path: &Path, value: &Secret) -> Result<(), SecretError> {
        private_file::write(path, value.expose().as_bytes())
            .map_err(|error| SecretError::new(reference, format!("writing {} failed: {error}", path.display())))
    }

    fn warn_if_readable(&self, path: &Path, reference: &SecretRef) {
        if !private_file::readable_by_others(path).unwrap_or(false) {
            return;
        }
        let finding = Finding::warning(
            code::SECRET_FILE_READABLE_BY_OTHERS,
            reference.to_string(),
            format!("other users of this machine can read {}", path.display()),
        )
        .fix(format!("chmod 600 {}", path.display()));
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&finding) {
            warnings.push(finding);
        }
    }

    fn cache(&self) -> MutexGuard<'_, BTreeMap<SecretRef, Secret>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets for SiteSecrets {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let mut cache = self.cache();
        if let Some(known) = cache.get(reference) {
            return Ok(known.clone());
        }
        let value = self.resolve(reference)?;
        self.redactor.remember(reference, &value);
        cache.insert(reference.clone(), value.clone());
        Ok(value)
    }

    fn keep(&self, reference: &SecretRef, value: &Secret) -> Result<(), SecretError> {
        let SecretRef::Generated(name) = reference else {
            return Err(SecretError::new(
                reference,
                "only generated secrets are kept; this one belongs to somebody else",
            ));
        };
        if value.expose().is_empty() {
            return Err(SecretError::new(reference, "an empty value is not kept"));
        }
        let path = self.place(reference, name)?;
        let mut cache = self.cache();
        self.redactor.remember(reference, value);
        self.store(reference, &path, value)?;
        cache.insert(reference.clone(), value.clone());
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }
}

/// A finding about a secret that could not be had.
fn missing(path: &str, error: &SecretError) -> Finding {
    let fix = match &error.reference {
        SecretRef::Env(name) => format!("set the variable {name} to the secret"),
        SecretRef::File(file) => format!("put the secret into {file}, readable by you alone"),
        SecretRef::Exec(argv) => format!("make `{}` print the secret", argv.first().map_or("", String::as_str)),
        SecretRef::Generated(name) => format!("look at secrets/{name} in the state directory"),
    };
    Finding::error(code::SECRET_MISSING, path, format!("secret {}: {}", error.reference, error.happened)).fix(fix)
}

/// A password from the operating system's randomness (uuid v4; the two bytes with fixed bits are left out), with a digit,
/// lower case, upper case and a special character, as Run:ai's rule for the first administrator wants (at least 8 characters
/// of all four kinds; NVIDIA Run:ai docs 2.25). It begins and ends with a letter or digit.
fn password() -> String {
    loop {
        let random = (0..3).flat_map(|_| {
            let bytes = uuid::Uuid::new_v4().into_bytes();
            bytes.into_iter().enumerate().filter(|(at, _)| *at != 6 && *at != 8).map(|(_, byte)| byte)
        });
        let text: String =
            random.take(PASSWORD_LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect();
        if keeps_the_rule(&text) {
            return text;
        }
    }
}

fn keeps_the_rule(text: &str) -> bool {
    let has = |kind: fn(u8) -> bool| text.bytes().any(kind);
    has(|b| b.is_ascii_digit())
        && has(|b| b.is_ascii_lowercase())
        && has(|b| b.is_ascii_uppercase())
        && has(|b| !b.is_ascii_alphanumeric())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;
