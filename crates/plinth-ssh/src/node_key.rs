//! Our key pair for nodes, made once, in the form that OpenSSH reads.
//!
//! An RSA key of 4096 bits by default: also very old SSH servers and FIPS hosts take it.

use crate::key::read as private_key;
use async_trait::async_trait;
use plinth_model::steps::KeyAlgorithm;
use plinth_model::{Secret, SecretRef};
use plinth_world::keystore::{NODE_KEY, NodeKey};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context};
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who made the key, for whoever finds it in `authorized_keys`.
const COMMENT: &str = "plinth";
/// Bits of an RSA key.
const RSA_BITS: usize = 4096;

/// Our key pair for nodes, kept with the secrets of the site.
pub struct KeptNodeKey {
    file: PathBuf,
    secrets: Arc<dyn Secrets>,
    making: Arc<tokio::sync::Mutex<()>>,
}

impl KeptNodeKey {
    /// The key of the site whose state is in this directory. `secrets` keeps it there.
    #[must_use]
    pub fn new(state_dir: &Path, secrets: Arc<dyn Secrets>) -> Self {
        Self { file: state_dir.join("secrets").join(NODE_KEY), secrets, making: Arc::default() }
    }
}

#[async_trait]
impl NodeKey for KeptNodeKey {
    async fn ssh_key(&self, _ctx: &Context, algorithm: KeyAlgorithm) -> ClientResult<String> {
        let one_at_a_time = Arc::clone(&self.making).lock_owned().await;
        let (exists, secrets) = (self.file.exists(), Arc::clone(&self.secrets));
        let make = move || {
            // Held until the end even when nobody waits any more: another pair must not be made meanwhile.
            let _one_at_a_time = one_at_a_time;
            if exists { read(&*secrets) } else { make(&*secrets, algorithm) }
        };
        // Only making an RSA pair takes long; what is quick is done here, also because no thread knows of virtual time.
        let found = if exists || algorithm == KeyAlgorithm::Ed25519 {
            make()
        } else {
            let made = tokio::task::spawn_blocking(make).await;
            made.unwrap_or_else(|error| Err(format!("making it was given up: {error}")))
        };
        found.map_err(|happened| {
            let attempt = format!(
                "look at {}; removed, a new key is made and must be authorised on every node",
                self.file.display()
            );
            ClientError::new("keystore", "reading our key for nodes").happened(happened).attempt(attempt)
        })
    }
}

/// Makes a pair and keeps it; answers its fingerprint as OpenSSH prints it.
fn make(secrets: &dyn Secrets, algorithm: KeyAlgorithm) -> Result<String, String> {
    let key = pair(algorithm).map_err(|error| error.to_string())?;
    let text = key.to_openssh(LineEnding::LF).map_err(|error| error.to_string())?;
    secrets.keep(&reference(), &Secret::new(text.to_string())).map_err(|error| error.to_string())?;
    Ok(fingerprint(&key))
}

/// Fingerprint of the kept pair, whatever its algorithm: it is not made anew when the site asks for another one later.
fn read(secrets: &dyn Secrets) -> Result<String, String> {
    let kept = secrets.get(&reference()).map_err(|error| error.to_string())?;
    let key = private_key(kept.expose()).map_err(|why| format!("the kept private key cannot be read: {why}"))?;
    Ok(fingerprint(&key))
}

fn reference() -> SecretRef {
    SecretRef::Generated(NODE_KEY.to_owned())
}

fn pair(algorithm: KeyAlgorithm) -> Result<PrivateKey, russh::keys::ssh_key::Error> {
    let mut rng = safe_rng();
    let mut key = match algorithm {
        KeyAlgorithm::Ed25519 => PrivateKey::random(&mut rng, Algorithm::Ed25519)?,
        KeyAlgorithm::Rsa4096 => PrivateKey::new(KeypairData::from(RsaKeypair::random(&mut rng, RSA_BITS)?), "")?,
    };
    key.set_comment(COMMENT);
    Ok(key)
}

fn fingerprint(key: &PrivateKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::public_key_line;
    use plinth_keystore::SiteSecrets;
    use plinth_world::SystemClock;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    /// The keys of RFC 8032 §7.1 test 1; the fingerprint is what `ssh-keygen -lf` prints for it.
    #[test]
    fn the_fingerprint_is_the_one_openssh_prints() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
        let key = russh::keys::PublicKey::from_openssh(line).unwrap();
        assert_eq!(key.fingerprint(HashAlg::Sha256).to_string(), "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8");
    }

    #[test]
    fn both_kinds_are_read_back_and_the_public_half_is_the_line_for_authorized_keys() {
        for (algorithm, begins) in
            [(KeyAlgorithm::Ed25519, "ssh-ed25519 AAAA"), (KeyAlgorithm::Rsa4096, "ssh-rsa AAAA")]
        {
            let key = pair(algorithm).unwrap();
            let text = key.to_openssh(LineEnding::LF).unwrap();
            let line = public_key_line(&text).unwrap();
            assert!(line.starts_with(begins) && line.split(' ').count() == 2, "{line}");
            assert_eq!(russh::keys::PublicKey::from_openssh(&line).unwrap().key_data(), key.public_key().key_data());
        }
    }

    /// Keys that earlier releases kept, and keys that people give.
    #[test]
    fn pkcs8_is_read_too() {
        let old = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert!(public_key_line(&old.serialize_pem()).unwrap().starts_with("ssh-ed25519 "));
    }

    #[tokio::test]
    async fn the_key_for_nodes_is_made_once_and_kept_privately() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::quiet(Arc::new(SystemClock::new()));
        let key = || KeptNodeKey::new(dir.path(), Arc::new(SiteSecrets::with_environment(dir.path(), |_| None)));
        let first = key().ssh_key(&ctx, KeyAlgorithm::Ed25519).await.unwrap();
        assert!(first.starts_with("SHA256:") && first.len() == 50, "{first}");
        assert_eq!(key().ssh_key(&ctx, KeyAlgorithm::Ed25519).await.unwrap(), first);
        let path = dir.path().join("secrets").join(NODE_KEY);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "half").unwrap();
        let error = key().ssh_key(&ctx, KeyAlgorithm::Ed25519).await.unwrap_err();
        assert!(error.happened.contains("cannot be read") && !error.happened.contains("half"), "{}", error.happened);
    }
}
