//! The issuer of tokens of Run:ai.

use super::Runai;
use plinth_model::steps::CertificateSource;

impl Runai {
    /// Realm of logins of a control plane that names no other (NVIDIA Run:ai docs, Cluster Authentication).
    const REALM: &str = "runai";
    /// Port that HTTPS URLs need not name.
    const HTTPS: u16 = 443;

    /// The issuer that stands in tokens of its control plane. It is compared as an exact text.
    #[must_use]
    pub fn issuer(&self) -> String {
        let here = || match self.port {
            Self::HTTPS => format!("https://{}", self.domain),
            port => format!("https://{}:{port}", self.domain),
        };
        let url = self.control_plane.as_ref().map_or_else(here, |there| there.url.clone());
        format!("{url}/auth/realms/{}", self.realm())
    }

    /// Its realm of logins.
    #[must_use]
    pub fn realm(&self) -> &str {
        self.control_plane.as_ref().and_then(|there| there.realm.as_deref()).unwrap_or(Self::REALM)
    }

    /// Whether clients need an own authority to trust its URL here.
    #[must_use]
    pub const fn has_private_authority(&self) -> bool {
        match &self.certificate {
            CertificateSource::Generated { .. } => true,
            CertificateSource::Files { authority, .. } => authority.is_some(),
        }
    }
}
