//! Makes an own authority and leaf certificates: ECDSA P-256, a shape that every TLS client of the platform accepts.

use super::chain::Chain;
use jiff::{Span, Timestamp, ToSpan as _, tz::TimeZone};
use plinth_model::CertificateName;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Longest life of a leaf, days: Apple's limit for private authorities, named by the Run:ai guides too.
pub(super) const LONGEST_LEAF: u32 = 825;

/// A certificate and its key, PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    /// Private key, PKCS #8.
    pub(super) key: String,
}

/// An authority: CA:TRUE, may sign certificates of servers and lists of revoked ones, no further authorities below it.
pub(super) fn authority(name: &str, now: Timestamp, days: u32) -> Result<Issued, String> {
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let mut params = params(&[], now, days)?;
    let title = format!("plinth authority {name} {:08x}", u32::from_be_bytes(random()?));
    params.distinguished_name.push(DnType::CommonName, title);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(|e| e.to_string())?;
    Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// A server certificate for these names, signed by the authority. The first name is the subject.
pub(super) fn leaf(authority: &Issued, names: &[CertificateName], now: Timestamp, days: u32) -> Result<Issued, String> {
    let signer = KeyPair::from_pem(&authority.key).map_err(|e| e.to_string())?;
    let issuer = Issuer::from_ca_cert_pem(&authority.certificate, signer).map_err(|e| e.to_string())?;
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let mut params = params(names, now, days)?;
    params.distinguished_name.push(DnType::CommonName, names.first().map(ToString::to_string).unwrap_or_default());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).map_err(|e| e.to_string())?;
    Chain::parse(&certificate.pem())?;
    Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// What both have in common. The life begins at midnight of the day before, so that a node whose clock is slow accepts it,
/// and is counted from there, so that it is never longer than asked for.
fn params(names: &[CertificateName], now: Timestamp, days: u32) -> Result<CertificateParams, String> {
    let mut params =
        CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).map_err(|e| e.to_string())?;
    let begin = now.to_zoned(TimeZone::UTC).date().checked_sub(1.day()).map_err(|e| e.to_string())?;
    let life = Span::new().try_days(days).map_err(|e| e.to_string())?;
    let end = begin.checked_add(life).map_err(|e| e.to_string())?;
    let date = |date: jiff::civil::Date| {
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = date(begin);
    params.not_after = date(end);
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(serial()?);
    Ok(params)
}

/// 126 random bits, positive (RFC 5280 allows 20 octets).
fn serial() -> Result<SerialNumber, String> {
    let mut bytes: [u8; 16] = random()?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// From the operating system.
fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "this machine gives no random numbers".to_owned())?;
    Ok(bytes)
}
