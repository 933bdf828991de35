//! Reads certificate chains and judges them. Nothing here touches a file or a clock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::Digest;
use rcgen::KeyPair;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

/// What one certificate says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// DNS names and addresses.
    pub(super) names: Vec<String>,
    /// Seconds since 1970 from which it is valid.
    pub(super) not_before: i64,
    /// Seconds since 1970 until which it is valid.
    pub(super) not_after: i64,
    /// SHA-256, hexadecimal.
    pub(super) fingerprint: String,
    /// Whether it may sign others.
    pub(super) is_authority: bool,
    /// For people.
    pub(super) subject: String,
    /// For people: who signed it.
    pub(super) issuer: String,
}

/// Certificates in the order of their file, DER. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain(Vec<Vec<u8>>);

impl Chain {
    /// Reads all `CERTIFICATE` blocks; other text and other blocks (a key that was pasted in) are left out.
    pub(super) fn parse(pem: &str) -> Result<Self, String> {
        let mut certificates = Vec::new();
        for block in Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|_| "it is damaged: a PEM block does not end, or is not base64".to_owned())?;
            if block.label == "CERTIFICATE" {
                read(&block.contents)?;
                certificates.push(block.contents);
            }
        }
        if certificates.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(Self(certificates)) }
    }

    /// The first certificate.
    pub(super) fn leaf(&self) -> Result<Certificate, String> {
        self.at(0)
    }

    /// All of them, in their order.
    pub(super) fn all(&self) -> Result<Vec<Certificate>, String> {
        (0..self.0.len()).map(|index| self.at(index)).collect()
    }

    fn at(&self, index: usize) -> Result<Certificate, String> {
        describe(&read(self.0.get(index).map_or(&[], Vec::as_slice))?)
    }

    /// The chain as PEM, and nothing else.
    pub(super) fn to_pem(&self) -> String {
        self.0.iter().map(|der| block(der)).collect()
    }

    /// The same chain with another one behind it.
    pub(super) fn followed_by(mut self, other: &Chain) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// SHA-256 of each, hexadecimal.
    pub(super) fn fingerprints(&self) -> Vec<String> {
        self.0.iter().map(|der| Digest::of_bytes(der).as_str().to_owned()).collect()
    }

    /// Those whose fingerprint is not among these; none when nothing is left.
    pub(super) fn without(&self, fingerprints: &[String]) -> Option<Self> {
        let stays = |der: &&Vec<u8>| !fingerprints.iter().any(|out| out == Digest::of_bytes(der).as_str());
        let left: Vec<Vec<u8>> = self.0.iter().filter(stays).cloned().collect();
        (!left.is_empty()).then_some(Self(left))
    }

    /// The one that the key belongs to.
    pub(super) fn of_key(&self, key_pem: &str) -> Result<Self, String> {
        let key = read_key(key_pem)?;
        let own =
            |der: &&Vec<u8>| read(der).is_ok_and(|c| &*c.public_key().subject_public_key.data == key.public_key_raw());
        let found = self.0.iter().find(own).cloned();
        found.map(|der| Self(vec![der])).ok_or_else(|| "the private key belongs to none of them".to_owned())
    }

    /// Those that the chain leads to; none: it leads to none of them.
    pub(super) fn leads_to(&self, authorities: &Self) -> Option<Self> {
        let one = |der: &&Vec<u8>| self.check_authority(&Self(vec![(*der).clone()])).is_ok();
        let found: Vec<Vec<u8>> = authorities.0.iter().filter(one).cloned().collect();
        (!found.is_empty()).then_some(Self(found))
    }

    /// Says when the key does not belong to the leaf, and where it belongs instead.
    pub(super) fn check_key(&self, key_pem: &str) -> Result<(), String> {
        let key = read_key(key_pem)?;
        let matches =
            |der: &Vec<u8>| read(der).is_ok_and(|c| &*c.public_key().subject_public_key.data == key.public_key_raw());
        match self.0.iter().position(matches) {
            Some(0) => Ok(()),
            Some(at) => {
                Err(format!("the key belongs to certificate {} of the chain: the leaf must stand first", at + 1))
            }
            None => Err("the private key does not belong to the certificate".to_owned()),
        }
    }

    /// Says when a certificate is not signed by the one behind it.
    pub(super) fn check_order(&self) -> Result<(), String> {
        self.0.windows(2).enumerate().try_for_each(|(at, pair)| match pair {
            [lower, upper] => signed_by(&read(lower)?, &read(upper)?).map_err(|why| {
                format!("certificate {} of the chain is not signed by certificate {}: {why}", at + 1, at + 2)
            }),
            _ => Ok(()),
        })
    }

    /// Says when the chain does not end at one of these authorities.
    pub(super) fn check_authority(&self, authorities: &Chain) -> Result<(), String> {
        let Some(last) = self.0.last() else { return Ok(()) };
        let mut seen = Vec::new();
        for der in &authorities.0 {
            let authority = read(der)?;
            if !authority.is_ca() {
                seen.push(format!("{} is not an authority (CA:FALSE)", authority.subject()));
            } else if der == last {
                return Ok(());
            } else {
                match signed_by(&read(last)?, &authority) {
                    Ok(()) => return Ok(()),
                    Err(why) => seen.push(why),
                }
            }
        }
        Err(format!("the chain does not lead to the authority: {}", seen.join("; ")))
    }
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    let (_, certificate) =
        x509_parser::parse_x509_certificate(der).map_err(|_| "a certificate cannot be read".to_owned())?;
    Ok(certificate)
}

/// Reads a private key. `ring` knows PKCS #8 only.
pub(super) fn read_key(pem: &str) -> Result<KeyPair, String> {
    KeyPair::from_pem(pem).map_err(|_| {
        "the private key cannot be read: it must be unencrypted PKCS #8 (`BEGIN PRIVATE KEY`; `openssl pkcs8 -topk8 -nocrypt` converts), \
         RSA, ECDSA P-256, P-384 or Ed25519"
            .to_owned()
    })
}

fn describe(certificate: &X509Certificate<'_>) -> Result<Certificate, String> {
    let alternatives = certificate.subject_alternative_name().map_err(|_| "its names cannot be read".to_owned())?;
    let names = alternatives.map(|a| a.value.general_names.iter().filter_map(name).collect()).unwrap_or_default();
    Ok(Certificate {
        names,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        fingerprint: Digest::of_bytes(certificate.as_raw()).as_str().to_owned(),
        is_authority: certificate.is_ca(),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| Ipv4Addr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| Ipv6Addr::from(b).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Names first, then the signature; a signature of a kind that `ring` does not know is not held against it.
fn signed_by(lower: &X509Certificate<'_>, upper: &X509Certificate<'_>) -> Result<(), String> {
    if lower.issuer().as_raw() != upper.subject().as_raw() {
        return Err(format!("its issuer is `{}`, not `{}`", lower.issuer(), upper.subject()));
    }
    match lower.verify_signature(Some(upper.public_key())) {
        Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm) => Ok(()),
        Err(_) => Err(format!("the signature is not by `{}`", upper.subject())),
    }
}

/// One PEM block, 64 characters a line (RFC 7468).
fn block(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Whether these are the same authorities: their order says nothing, and a rotation puts new ones behind those that are there.
pub(super) fn same_authorities(one: Option<&Chain>, other: Option<&Chain>) -> bool {
    let known = |chain: Option<&Chain>| chain.map(|chain| chain.fingerprints().into_iter().collect::<BTreeSet<_>>());
    known(one) == known(other)
}
