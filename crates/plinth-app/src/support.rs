//! What goes to somebody who helps: texts without the site's secrets, and proof of that.

use crate::Input;
use plinth_keystore::SiteSecrets;
use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::Secrets;
use std::path::Path;

/// Takes the secrets of a site out of texts, and finds those that are left.
pub struct Redaction {
    secrets: SiteSecrets,
    values: Vec<Secret>,
    /// Secrets that could not be read now, by their place in the site file: texts cannot be searched for them.
    pub unread: Vec<String>,
}

impl Redaction {
    /// Reads every secret that the site file names, and those that plinth made and keeps in its state directory. Programs that the site
    /// names for its secrets are run.
    #[must_use]
    pub fn of(input: &Input, directory: &Path) -> Self {
        let references = plinth_site::secret_refs(&input.site.desired);
        let hidden = references.iter().map(|(_, reference)| reference);
        let secrets = SiteSecrets::new(directory).below(input.site.folder()).hiding(hidden);
        let mut redaction = Self { secrets, values: Vec::new(), unread: Vec::new() };
        for (place, reference) in &references {
            let comes_later = matches!(reference, SecretRef::Generated(_));
            redaction.read(reference, (!comes_later).then_some(place));
        }
        for name in generated(directory) {
            redaction.read(&SecretRef::Generated(name), None);
        }
        redaction
    }

    fn read(&mut self, reference: &SecretRef, place: Option<&String>) {
        match self.secrets.get(reference) {
            Ok(value) => self.values.push(value),
            Err(_) => self.unread.extend(place.cloned()),
        }
    }

    /// The text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// Whether a secret stands in these bytes, written as it is or in an encoding that is known.
    #[must_use]
    pub fn finds_any(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let plain = |value: &Secret| {
            let value = value.expose().as_bytes();
            !value.is_empty() && bytes.windows(value.len()).any(|window| window == value)
        };
        self.values.iter().any(plain) || self.secrets.redact(&text) != *text
    }

    /// How many secrets are looked for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }
}

/// Names of the secrets that plinth made.
fn generated(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory.join("secrets")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !plinth_world::files::is_neighbour(name))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_as_it_is_and_in_base64_and_one_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "Pa55word-of-the-site\n").unwrap();
        let site = include_str!("../../../examples/basepod.yaml")
            .replace("{env: RUNAI_REGISTRY_TOKEN}", "{file: token}")
            .replace("{env: BCM_PASSWORD}", "{file: not-there}");
        let file = folder.path().join("site.yaml");
        std::fs::write(&file, site).unwrap();
        let state = folder.path().join("state");
        std::fs::create_dir_all(state.join("secrets")).unwrap();
        std::fs::write(state.join("secrets/own-key"), "made-by-plinth-itself").unwrap();
        let redaction = Redaction::of(&Input::load(&file).unwrap(), &state);
        for text in ["x Pa55word-of-the-site y", "UGE1NXdvcmQtb2YtdGhlLXNpdGU=", "made-by-plinth-itself"] {
            assert!(redaction.finds_any(text.as_bytes()), "{text}");
            assert!(!redaction.finds_any(redaction.redact(text).as_bytes()), "{text}");
        }
        assert!(!redaction.finds_any(b"nothing of it"));
        assert!(
            redaction.unread.iter().any(|place| place.contains("inventory.bcm.password")),
            "{:?}",
            redaction.unread
        );
    }
}
