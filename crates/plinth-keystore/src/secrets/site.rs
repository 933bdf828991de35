//! The secrets of a site: named by the site file, or made by plinth and kept in the state directory.

use super::source;
use plinth_model::finding::code;
use plinth_model::steps::cluster_uid;
use plinth_model::{Finding, Secret, SecretRef};
use plinth_world::secrets::{Redactor, SecretError, Secrets};
use plinth_world::{deadlines, private_file};
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The value of one secret, once it was read.
type Slot = Arc<Mutex<Option<Secret>>>;

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
    hidden: Vec<String>,
    cache: Mutex<BTreeMap<SecretRef, Slot>>,
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
            exec_deadline: deadlines::SECRET_PROGRAM,
            hidden: Vec::new(),
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

    /// The same; no program is given the variables in which these references keep secrets of the site.
    #[must_use]
    pub fn hiding<'a>(mut self, references: impl IntoIterator<Item = &'a SecretRef>) -> Self {
        let variables = references.into_iter().filter_map(|reference| match reference {
            SecretRef::Env(name) => Some(name.clone()),
            SecretRef::File(_) | SecretRef::Exec(_) | SecretRef::Generated(_) => None,
        });
        self.hidden = variables.collect();
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

    /// A finding for the password of Run:ai's first administrator that its rule refuses: the control plane would come up without one.
    /// None once a cluster was registered from here, since it was let in then.
    #[must_use]
    pub fn weak_password(&self, path: &str, reference: &SecretRef) -> Option<Finding> {
        if self.comes_later(reference) || !self.comes_later(&cluster_uid()) {
            return None;
        }
        let password = self.get(reference).ok()?;
        let lacks = lacking(password.expose());
        (!lacks.is_empty()).then(|| {
            let message = format!("the password of Run:ai's first administrator lacks {}", lacks.join(", "));
            Finding::error(code::RUNAI_WEAK_PASSWORD, path, message)
                .evidence("8 characters or more, with a digit, a lower case letter, an upper case letter and a special character")
                .fix(format!("put a password that keeps this rule where {reference} leads to"))
        })
    }

    fn comes_later(&self, reference: &SecretRef) -> bool {
        matches!(reference, SecretRef::Generated(name) if !self.directory.join(name).exists())
    }

    /// Reads a value; its slot is locked meanwhile, so that a password is made only once and a program runs only once, while other
    /// secrets are read.
    fn resolve(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) => source::environment(reference, (self.lookup)(name)),
            SecretRef::File(path) => {
                let path = plinth_world::files::named(&self.folder, path);
                let secret = source::file(reference, &path)?;
                self.warn_if_readable(&path, reference);
                Ok(secret)
            }
            SecretRef::Exec(argv) => source::program(reference, argv, &self.hidden, self.exec_deadline),
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
                let made = password(&SystemRandom::new()).map_err(|why| SecretError::new(reference, why))?;
                let made = Secret::new(made);
                self.store(reference, &path, &made)?;
                Ok(made)
            }
            Ok(None) => {
                Err(SecretError::absent(reference, "it has not been made yet: the step that makes it has not run"))
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

    /// Where the value of one secret is kept. All are locked only for as long as it takes to find this one.
    fn slot(&self, reference: &SecretRef) -> Slot {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cache.entry(reference.clone()).or_default())
    }
}

impl Secrets for SiteSecrets {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let slot = self.slot(reference);
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*kept {
            return Ok(known.clone());
        }
        let value = self.resolve(reference)?;
        self.redactor.remember(reference, &value);
        *kept = Some(value.clone());
        Ok(value)
    }

    fn find(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        if let SecretRef::Generated(name) = reference
            && !name.ends_with(PASSWORD_SUFFIX)
        {
            let path = self.place(reference, name)?;
            let is_there = path.try_exists().map_err(|error| {
                SecretError::new(reference, format!("looking for {} failed: {error}", path.display()))
            })?;
            if !is_there {
                return Ok(None);
            }
        }
        self.get(reference).map(Some)
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
        let slot = self.slot(reference);
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        self.redactor.remember(reference, value);
        self.store(reference, &path, value)?;
        *kept = Some(value.clone());
        Ok(())
    }

    fn forget(&self, reference: &SecretRef) -> Result<(), SecretError> {
        let SecretRef::Generated(name) = reference else {
            return Err(SecretError::new(reference, "only generated secrets are kept, so no other one is forgotten"));
        };
        let path = self.place(reference, name)?;
        let slot = self.slot(reference);
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(SecretError::new(reference, format!("removing {} failed: {error}", path.display())));
            }
            _ => {}
        }
        *kept = None;
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    fn hidden_variables(&self) -> &[String] {
        &self.hidden
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

/// A password from the operating system's randomness, with a digit, lower case, upper case and a special character, as Run:ai's
/// rule for the first administrator wants (at least 8 characters of all four kinds; NVIDIA Run:ai docs 2.25). It begins and ends
/// with a letter or digit. 64 characters divide 256, so each is as likely as any other.
fn password(random: &dyn SecureRandom) -> Result<String, String> {
    loop {
        let mut bytes = [0; PASSWORD_LENGTH];
        random.fill(&mut bytes).map_err(|_| "this machine gives no random numbers".to_owned())?;
        let text: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
        if keeps_the_rule(&text) {
            return Ok(text);
        }
    }
}

fn keeps_the_rule(text: &str) -> bool {
    lacking(text).is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// What a password lacks by Run:ai's rule for the first administrator. Nothing of it is repeated.
fn lacking(text: &str) -> Vec<&'static str> {
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    let rule = [
        ("8 characters", text.chars().count() >= 8),
        ("a digit", has(|c| c.is_ascii_digit())),
        ("a lower case letter", has(char::is_lowercase)),
        ("an upper case letter", has(char::is_uppercase)),
        ("a special character", has(|c| !c.is_alphanumeric())),
    ];
    rule.into_iter().filter(|(_, kept)| !kept).map(|(what, _)| what).collect()
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;
