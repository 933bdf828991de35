//! Our key pair for nodes: Ed25519, made once.
//!
//! The private half is kept as PKCS #8 PEM. The form that OpenSSH reads, and the line for `authorized_keys`, come with the SSH
//! door, which is not in this release; the fingerprint is the one OpenSSH would print.

use crate::secrets::Secrets;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use plinth_model::{Secret, SecretRef};
use rcgen::{KeyPair, PKCS_ED25519};
use sha2::{Digest as _, Sha256};

/// Name of the generated secret that holds the private half.
pub const NODE_KEY: &str = "ssh-key";

/// Algorithm name inside an OpenSSH public key.
const ALGORITHM: &str = "ssh-ed25519";

/// Makes a pair and keeps it.
pub(super) fn make(secrets: &dyn Secrets) -> Result<String, String> {
    let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(|e| e.to_string())?;
    let reference = SecretRef::Generated(NODE_KEY.to_owned());
    secrets.keep(&reference, &Secret::new(pair.serialize_pem())).map_err(|e| e.to_string())?;
    Ok(fingerprint(pair.public_key_raw()))
}

/// Fingerprint of the kept pair.
pub(super) fn read(secrets: &dyn Secrets) -> Result<String, String> {
    let reference = SecretRef::Generated(NODE_KEY.to_owned());
    let kept = secrets.get(&reference).map_err(|e| e.to_string())?;
    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(kept.expose(), &PKCS_ED25519)
        .map_err(|_| "the kept private key cannot be read: it is not an Ed25519 key in PKCS #8".to_owned())?;
    Ok(fingerprint(pair.public_key_raw()))
}

/// `SHA256:...` over the public key as RFC 8709 writes it: two texts, each behind its length.
fn fingerprint(public: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [ALGORITHM.as_bytes(), public] {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    format!("SHA256:{}", STANDARD_NO_PAD.encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    /// The public key of RFC 8032 §7.1 test 1; the fingerprint is what `ssh-keygen -lf` prints for it.
    #[test]
    fn the_fingerprint_is_the_one_openssh_prints() {
        let public = [
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
            0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
        ];
        assert_eq!(fingerprint(&public), "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8");
    }
}
