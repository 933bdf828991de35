//! Private keys as texts: OpenSSH's own form, PKCS #8 and PKCS #1.

use russh::keys::{self, Algorithm, PrivateKey};

/// Reads a private key.
///
/// # Errors
/// When it is encrypted, DSA, a PuTTY key, or damaged; the text of the error holds nothing of the key.
pub(crate) fn read(text: &str) -> Result<PrivateKey, String> {
    let text = text.trim();
    if text.starts_with("PuTTY-User-Key-File-") {
        return Err("it is a key of PuTTY: `puttygen KEY -O private-openssh` converts it".to_owned());
    }
    if text.contains("BEGIN DSA PRIVATE KEY") {
        return Err(dsa());
    }
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(encrypted());
    }
    if !text.starts_with("-----BEGIN ") {
        return Err("it is not a private key: its first line is not `-----BEGIN ... PRIVATE KEY-----`".to_owned());
    }
    let key = keys::decode_secret_key(text, None).map_err(|error| match error {
        keys::Error::KeyIsEncrypted => encrypted(),
        _ => "it is damaged, or of a kind that plinth does not read (OpenSSH, PKCS #8 and PKCS #1 are read)".to_owned(),
    })?;
    match key.algorithm() {
        _ if key.is_encrypted() => Err(encrypted()),
        Algorithm::Dsa => Err(dsa()),
        _ => Ok(key),
    }
}

/// The line that `authorized_keys` wants for a private key, without a comment.
///
/// # Errors
/// When the key cannot be read; the text of the error holds nothing of it.
pub fn public_key_line(secret_text: &str) -> Result<String, String> {
    let mut public = read(secret_text)?.public_key().clone();
    public.set_comment("");
    public
        .to_openssh()
        .map(|line| line.trim_end().to_owned())
        .map_err(|_| "its public half cannot be written".to_owned())
}

fn encrypted() -> String {
    "it is encrypted: plinth asks no passphrases; use an SSH agent, or a copy without passphrase (`ssh-keygen -p -N '' -f COPY`)"
        .to_owned()
}

fn dsa() -> String {
    "it is a DSA key: OpenSSH has removed DSA, since its keys of 1024 bits can be broken; make an RSA or Ed25519 key"
        .to_owned()
}
