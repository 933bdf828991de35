//! Our key pair for nodes, made once, in the form that OpenSSH reads.
//!
//! An RSA key of 4096 bits by default: also very old SSH servers and FIPS hosts take it.

use crate::node::ssh::private_key;
use crate::secrets::Secrets;
use plinth_model::steps::KeyAlgorithm;
use plinth_model::{Secret, SecretRef};
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::{Algorithm, HashAlg, PrivateKey};

/// Name of the generated secret that holds the private half.
pub const NODE_KEY: &str = "ssh-key";

/// Who made the key, for whoever finds it in `authorized_keys`.
const COMMENT: &str = "plinth";
/// Bits of an RSA key.
const RSA_BITS: usize = 4096;

/// Makes a pair and keeps it; answers its fingerprint as OpenSSH prints it.
pub(super) fn make(secrets: &dyn Secrets, algorithm: KeyAlgorithm) -> Result<String, String> {
    let key = pair(algorithm).map_err(|error| error.to_string())?;
    let text = key.to_openssh(LineEnding::LF).map_err(|error| error.to_string())?;
    secrets.keep(&reference(), &Secret::new(text.to_string())).map_err(|error| error.to_string())?;
    Ok(fingerprint(&key))
}

/// Fingerprint of the kept pair, whatever its algorithm: it is not made anew when the site asks for another one later.
pub(super) fn read(secrets: &dyn Secrets) -> Result<String, String> {
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
    use crate::node::ssh::public_key_line;

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
}
