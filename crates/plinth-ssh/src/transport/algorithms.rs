//! Which algorithms we agree to, cheapest first.

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};
use russh::{Preferred, cipher, client, compression, kex, mac};
use std::borrow::Cow;
use std::time::Duration;

/// Bytes that a node may send before we have read them. Answers are some 20 KiB; a small window keeps an idle connection small.
const WINDOW: u32 = 256 * 1024;
/// Messages of a channel that wait to be read.
const CHANNEL_BUFFER: usize = 8;

const RSA_SHA1: Algorithm = Algorithm::Rsa { hash: None };

/// Key exchange, cheapest first. Those with SHA-1 are only for peers of the last decade.
const KEX: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::MLKEM768X25519_SHA256,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G14_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_GEX_SHA256,
];
const KEX_EXTENSIONS: &[kex::Name] = &[kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT];

const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_CTR,
    cipher::AES_192_CTR,
    cipher::AES_256_CTR,
];
const MACS: &[mac::Name] = &[mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM, mac::HMAC_SHA256, mac::HMAC_SHA512];

/// How long a peer may be silent, and how often it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    /// Silence after which it is asked.
    pub(super) interval: Duration,
    /// Unanswered questions after which the connection is given up.
    pub(super) max: usize,
}

/// Settings for one connection. Algorithms of the pinned keys come first, so that a host with several keys shows the pinned one.
pub(super) fn settings(pinned: &[PublicKey], legacy: bool, keep_alive: KeepAlive) -> client::Config {
    client::Config {
        window_size: WINDOW,
        channel_buffer_size: CHANNEL_BUFFER,
        keepalive_interval: Some(keep_alive.interval),
        keepalive_max: keep_alive.max,
        nodelay: true,
        preferred: Preferred {
            kex: Cow::Owned(key_exchanges(legacy)),
            key: Cow::Owned(host_keys(pinned, legacy)),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(CIPHERS),
            mac: Cow::Owned(macs(legacy)),
            compression: Cow::Borrowed(&[compression::NONE]),
        },
        ..client::Config::default()
    }
}

fn key_exchanges(legacy: bool) -> Vec<kex::Name> {
    let old: &[kex::Name] = if legacy { &[kex::DH_G14_SHA1] } else { &[] };
    [KEX, old, KEX_EXTENSIONS].concat()
}

fn macs(legacy: bool) -> Vec<mac::Name> {
    let old: &[mac::Name] = if legacy { &[mac::HMAC_SHA1] } else { &[] };
    [MACS, old].concat()
}

fn host_keys(pinned: &[PublicKey], legacy: bool) -> Vec<Algorithm> {
    let mut wanted = vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    if legacy {
        wanted.push(RSA_SHA1);
    }
    let is_pinned = |algorithm: &Algorithm| {
        pinned.iter().any(|key| {
            key.algorithm() == *algorithm || key.algorithm().is_rsa() && matches!(algorithm, Algorithm::Rsa { .. })
        })
    };
    wanted.sort_by_key(|algorithm| !is_pinned(algorithm));
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::{PrivateKey, key::safe_rng};

    #[test]
    fn the_algorithm_of_the_pin_comes_first_and_sha1_only_where_allowed() {
        let curve = Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 };
        let pinned = PrivateKey::random(&mut safe_rng(), curve.clone()).unwrap().public_key().clone();
        assert_eq!(host_keys(&[pinned], false).first(), Some(&curve));
        assert!(!host_keys(&[], false).contains(&RSA_SHA1));
        assert_eq!(host_keys(&[], true).last(), Some(&RSA_SHA1));
    }
}
