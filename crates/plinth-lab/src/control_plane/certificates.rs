//! Certificates of a control plane: an authority of its own, the server's, and one per person.

use crate::error::{LabError, LabResult};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate and its key, both PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Who a client certificate is for, as Kubernetes reads it: the organisation is a group.
#[derive(Clone, Copy)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) group: Option<&'static str>,
    pub(super) expired: bool,
}

/// The authority of one control plane.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> LabResult<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kubernetes");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = KeyPair::generate().and_then(|key| CertifiedIssuer::self_signed(params, key));
        issuer.map(Self).map_err(|error| failed(&error))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a server at these names and addresses.
    pub(super) fn server(&self, names: Vec<String>) -> LabResult<Pair> {
        let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    pub(super) fn client(&self, person: Person) -> LabResult<Pair> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, person.name);
        if let Some(group) = person.group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if person.expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> LabResult<Pair> {
        let signed = KeyPair::generate().and_then(|key| Ok((params.signed_by(&key, &self.0)?, key)));
        let (certificate, key) = signed.map_err(|error| failed(&error))?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A pair that service accounts' tokens are signed and checked with, both PEM: the private key, then the public one.
pub(super) fn signing_keys() -> LabResult<[String; 2]> {
    let keys = |key: KeyPair| [key.serialize_pem(), key.public_key_pem()];
    KeyPair::generate().map(keys).map_err(|error| failed(&error))
}

fn failed(error: &rcgen::Error) -> LabError {
    LabError::new("making certificates of a control plane", error.to_string(), "this is a bug of the lab")
}
