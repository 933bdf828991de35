//! What goes to somebody who helps: texts without the site's secrets, and proof of that.

use crate::Input;
use plinth_keystore::SiteSecrets;
use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::{MASK, Redactor, Secrets};
use std::path::Path;

/// Takes the secrets of a site out of texts, and finds those that are left.
pub struct Redaction {
    secrets: SiteSecrets,
    values: Vec<Secret>,
    /// Secrets that could not be read now, by their place in the site file: texts cannot be searched for them.
    pub unread: Vec<String>,
    /// Secrets of less than [`Redactor::SHORTEST`] bytes, by their place in the site file: they stay in texts, as everywhere in plinth,
    /// and are not searched for. Such a value is a part of many words.
    pub short: Vec<String>,
}

impl Redaction {
    /// Reads every secret that the site file names, and those that plinth made and keeps in its state directory. Programs that the site
    /// names for its secrets are run.
    #[must_use]
    pub fn of(input: &Input, directory: &Path) -> Self {
        let references = plinth_site::secret_refs(&input.site.desired);
        let hidden = references.iter().map(|(_, reference)| reference);
        let secrets = SiteSecrets::new(directory).below(input.site.folder()).hiding(hidden);
        let mut redaction = Self { secrets, values: Vec::new(), unread: Vec::new(), short: Vec::new() };
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
            Ok(value) if value.expose().len() < Redactor::SHORTEST => {
                self.short.push(place.map_or_else(|| reference.to_string(), Clone::clone));
            }
            Ok(value) => self.values.push(value),
            Err(_) => self.unread.extend(place.cloned()),
        }
    }

    /// The text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// Whether a secret stands in these bytes, written as it is or in an encoding that is known. What stands where a secret was taken out
    /// is none, although a secret may be a part of it.
    #[must_use]
    pub fn finds_any(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let holds = |part: &str| self.values.iter().any(|value| part.contains(value.expose()));
        text.split(MASK).any(|part| holds(part) || self.secrets.redact(part) != part)
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
    fn short_secrets_are_named_and_one_that_is_a_part_of_the_mask_is_taken_out_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("short"), "bcm\n").unwrap();
        std::fs::write(folder.path().join("word"), "secret\n").unwrap();
        let site = include_str!("../../../examples/basepod.yaml")
            .replace("{env: RUNAI_REGISTRY_TOKEN}", "{file: word}")
            .replace("{env: BCM_USERNAME}", "{file: short}");
        let file = folder.path().join("site.yaml");
        std::fs::write(&file, site).unwrap();
        let redaction = Redaction::of(&Input::load(&file).unwrap(), &folder.path().join("state"));
        let clean = redaction.redact("bcm said secret");
        assert_eq!(clean, "bcm said [secret]");
        assert!(!redaction.finds_any(clean.as_bytes()) && redaction.finds_any(b"[secret] and secret"));
        assert_eq!((redaction.short, redaction.values.len()), (vec!["inventory.bcm.username".to_owned()], 1));
    }

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
