//! What goes to somebody who helps: texts without the site's secrets, and proof of that.

use crate::Input;
use plinth_keystore::SiteSecrets;
use plinth_kube::KubeApi;
use plinth_kube::config::KubeconfigFile;
use plinth_model::{Secret, SecretRef};
use plinth_world::private_file;
use plinth_world::secrets::{MASK, Redactor, Secrets};
use std::path::{Path, PathBuf};

/// Takes the secrets of a site out of texts, and finds those that are left.
pub struct Redaction {
    redactor: Redactor,
    values: Vec<Secret>,
    /// Secrets that could not be read now, by their place in the site file or in the state directory: texts cannot be searched for them.
    pub unread: Vec<String>,
    /// Secrets of less than [`Redactor::SHORTEST`] bytes, by their place in the site file: they stay in texts, as everywhere in plinth,
    /// and are not searched for. Such a value is a part of many words.
    pub short: Vec<String>,
}

impl Redaction {
    /// Reads every secret that the site file names, and of the state directory each file of `secrets/`, each key of a certificate
    /// (`certificates/*/*.key`) and what proves the user of its kubeconfig. Programs that the site names for its secrets are run. Not
    /// covered: keys that the site file names as plain files (an SSH agent's, a kubeconfig of somebody else's cluster), and secrets of
    /// earlier runs that were replaced since.
    #[must_use]
    pub fn of(input: &Input, directory: &Path) -> Self {
        let (references, secrets) = (plinth_site::secret_refs(&input.site.desired), input.secrets(directory));
        let mut redaction =
            Self { redactor: Redactor::default(), values: Vec::new(), unread: Vec::new(), short: Vec::new() };
        for (place, reference) in &references {
            let comes_later = matches!(reference, SecretRef::Generated(_));
            redaction.read(&secrets, reference, (!comes_later).then_some(place));
        }
        for name in generated(directory) {
            redaction.read(&secrets, &SecretRef::Generated(name), None);
        }
        redaction.read_keys(directory);
        redaction.read_kubeconfig(directory);
        redaction
    }

    fn read(&mut self, secrets: &SiteSecrets, reference: &SecretRef, place: Option<&String>) {
        match secrets.get(reference) {
            Ok(value) => self.add(place.map_or_else(|| reference.to_string(), Clone::clone), value),
            Err(_) => self.unread.extend(place.cloned()),
        }
    }

    fn read_keys(&mut self, directory: &Path) {
        for certificate in files_in(&directory.join("certificates")) {
            let keys =
                files_in(&certificate).into_iter().filter(|file| file.extension().is_some_and(|end| end == "key"));
            for key in keys {
                let place = key.strip_prefix(directory).unwrap_or(&key).display().to_string();
                match private_file::read(&key) {
                    Ok(Some(text)) if text.is_empty() => {}
                    Ok(Some(text)) => self.add(place, Secret::new(text)),
                    Ok(None) => {}
                    Err(_) => self.unread.push(place),
                }
            }
        }
    }

    fn read_kubeconfig(&mut self, directory: &Path) {
        match KubeconfigFile::read(&KubeApi::kept_in(directory)) {
            Ok(None) => {}
            Ok(Some(config)) => config.secrets().into_iter().for_each(|value| self.add("kubeconfig".to_owned(), value)),
            Err(_) => self.unread.push("kubeconfig".to_owned()),
        }
    }

    fn add(&mut self, place: String, value: Secret) {
        if value.expose().len() < Redactor::SHORTEST {
            self.short.push(place);
            return;
        }
        self.redactor.remember(&SecretRef::File(place), &value);
        self.values.push(value);
    }

    /// The text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// Whether a secret stands in these bytes, written as it is or in an encoding that is known. What stands where a secret was taken out
    /// is none, although a secret may be a part of it.
    #[must_use]
    pub fn finds_any(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let holds = |part: &str| self.values.iter().any(|value| part.contains(value.expose()));
        text.split(MASK).any(|part| holds(part) || self.redactor.redact(part) != part)
    }

    /// How many secrets are searched for, and how many there are.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let searched = self.values.len();
        (searched, searched + self.unread.len() + self.short.len())
    }
}

/// What is in a folder, in order; nothing when there is none.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Names of the secrets that plinth made.
fn generated(directory: &Path) -> Vec<String> {
    let files = files_in(&directory.join("secrets")).into_iter().filter(|path| path.is_file());
    let names = files.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    names.filter(|name| !plinth_world::files::is_neighbour(name)).collect()
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
        std::fs::create_dir_all(state.join("certificates/runai")).unwrap();
        let frame = |kind: &str| format!("-----{kind} PRIVATE KEY-----");
        let key = format!("{}\nMC4CAQAwBQYDK2VwBCIEIKey\n{}\n", frame("BEGIN"), frame("END"));
        std::fs::write(state.join("certificates/runai/tls.key"), key).unwrap();
        let kubeconfig =
            "users: [{name: a, user: {token: token-of-the-admin, client-key-data: Y2xpZW50LWtleS1vZi1hZG1pbg==}}]";
        std::fs::write(state.join("kubeconfig"), kubeconfig).unwrap();
        let redaction = Redaction::of(&Input::load(&file).unwrap(), &state);
        let plain = ["x Pa55word-of-the-site y", "UGE1NXdvcmQtb2YtdGhlLXNpdGU=", "made-by-plinth-itself"];
        let kept =
            ["MC4CAQAwBQYDK2VwBCIEIKey", "token-of-the-admin", "Y2xpZW50LWtleS1vZi1hZG1pbg==", "client-key-of-admin"];
        for text in plain.into_iter().chain(kept) {
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
