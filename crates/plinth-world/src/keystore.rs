//! Things plinth makes once and keeps: certificate authorities, leaf certificates, key pairs. Kept in the state directory,
//! private halves mode 0600. The real ones are in `plinth-keystore` and, for the key of nodes, in `plinth-ssh`.

use crate::{ClientError, ClientResult, Context};
use async_trait::async_trait;
use plinth_model::steps::{CertificateRotation, CertificateSource, KeyAlgorithm, Outgoing};
use plinth_model::{CertificateName, Secret};

/// Name of the generated secret that holds the private half of our key for nodes.
pub const NODE_KEY: &str = "ssh-key";

/// A certificate as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateState {
    /// DNS names (and addresses, if any) of the leaf.
    pub names: Vec<String>,
    /// Days left before the leaf expires.
    pub days_left: i64,
    /// SHA-256 fingerprint of the leaf, hexadecimal.
    pub fingerprint: String,
    /// What those are given who do not trust it by themselves; none: everybody trusts it.
    pub authority: Option<AuthorityState>,
}

/// The authorities behind a certificate, as they are handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityState {
    /// SHA-256 fingerprint of each, hexadecimal, in the order of their file. Two in the middle of a rotation.
    pub fingerprints: Vec<String>,
    /// Days left before the one that signed the leaf expires; of given ones before the first of them does.
    pub days_left: i64,
}

/// Keys and certificates.
#[async_trait]
pub trait Keystore: Send + Sync {
    /// The certificate of that name, if there is one. Anything that does not parse or does not match its key is an error.
    async fn certificate(&self, ctx: &Context, name: &str) -> ClientResult<Option<CertificateState>>;
    /// Makes (or takes over from files) the certificate. The authority is made once and reused for new leaves.
    async fn make_certificate(
        &self,
        ctx: &Context,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
    ) -> ClientResult<CertificateState>;
    /// Differences between the kept certificate and its source: a file that was renewed since. Empty when there are none, or
    /// when the keystore cannot tell, which is what the default says.
    async fn source_differs(
        &self,
        _ctx: &Context,
        _name: &str,
        _source: &CertificateSource,
    ) -> ClientResult<Vec<String>> {
        Ok(Vec::new())
    }

    /// Whether those who trust only what is kept would lose trust if the source took its place at once: only a rotation may bring it then.
    /// A keystore that hands out no authority takes none away, which is what the default says.
    async fn takes_trust(&self, _ctx: &Context, _name: &str, _source: &CertificateSource) -> ClientResult<bool> {
        Ok(false)
    }

    /// What a rotation takes out that was begun and not finished. A keystore that rotates nothing has none, which is what the default says.
    async fn rotation(&self, _ctx: &Context, _name: &str) -> ClientResult<Option<Outgoing>> {
        Ok(None)
    }

    /// What a new rotation would take out: the leaf, and the authority too when that is asked for (`authority`), or when the given files
    /// have another. None: the files of the site are those that are kept. Given files are judged here; nothing is written.
    async fn outgoing(
        &self,
        _ctx: &Context,
        name: &str,
        _names: &[CertificateName],
        _source: &CertificateSource,
        _authority: bool,
    ) -> ClientResult<Option<Outgoing>> {
        Err(rotates_nothing(name))
    }

    /// What is missing until the rotation has come to this phase; empty: it has.
    async fn rotation_differs(&self, _ctx: &Context, rotation: &CertificateRotation) -> ClientResult<Vec<String>> {
        Err(rotates_nothing(&rotation.name))
    }

    /// Brings the rotation to this phase. What comes is judged before anything is written.
    async fn rotate(&self, _ctx: &Context, rotation: &CertificateRotation) -> ClientResult<CertificateState> {
        Err(rotates_nothing(&rotation.name))
    }
}

fn rotates_nothing(name: &str) -> ClientError {
    ClientError::new("keystore", format!("rotating certificate `{name}`"))
        .happened("this keystore rotates nothing")
        .attempt("report this as a bug of plinth")
}

/// A file of a kept certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificatePart {
    /// The leaf, and behind it what leads to the authority: `tls.crt`.
    Chain,
    /// The private key of the leaf: `tls.key`.
    Key,
    /// The authority: `ca.pem`.
    Authority,
}

impl CertificatePart {
    /// Its file below the folder of the certificate.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Chain => "tls.crt",
            Self::Key => "tls.key",
            Self::Authority => "ca.pem",
        }
    }
}

/// Content of kept certificates, for the clients that hand it on.
pub trait CertificateFiles: Send + Sync {
    /// One file of the certificate of that name, PEM.
    ///
    /// # Errors
    /// A sentence, when the name is no plain file name, or the file is not there, is too large, or is not text.
    fn read(&self, certificate: &str, part: CertificatePart) -> Result<Secret, String>;
}

/// Our key pair for nodes.
#[async_trait]
pub trait NodeKey: Send + Sync {
    /// Fingerprint of our public key for nodes; makes the pair, of this algorithm, if there is none. A kept pair stays, whatever
    /// its algorithm.
    async fn ssh_key(&self, ctx: &Context, algorithm: KeyAlgorithm) -> ClientResult<String>;
}

/// Wanted names that a certificate for `names` does not cover. A wildcard stands for exactly one label (RFC 6125).
#[must_use]
pub fn uncovered(names: &[String], wanted: &[CertificateName]) -> Vec<String> {
    let covers = |name: &String, wanted: &CertificateName| match (name.strip_prefix("*."), wanted) {
        (None, CertificateName::Host(host)) => name.eq_ignore_ascii_case(host),
        (Some(domain), CertificateName::Below(below)) => domain.eq_ignore_ascii_case(below),
        (Some(domain), CertificateName::Host(host)) => {
            host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain))
        }
        (None, CertificateName::Below(_)) => false,
    };
    wanted.iter().filter(|wanted| !names.iter().any(|name| covers(name, wanted))).map(ToString::to_string).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::uncovered;
    use plinth_model::CertificateName;

    #[test]
    fn a_wildcard_covers_one_label_and_not_its_own_domain() {
        let names = ["A.Example".to_owned(), "*.b.example".to_owned()];
        let cases = [
            ("a.example", true),
            ("x.a.example", false),
            ("x.b.example", true),
            ("x.y.b.example", false),
            ("b.example", false),
            ("*.b.example", true),
            ("*.a.example", false),
        ];
        for (wanted, covered) in cases {
            assert_eq!(
                uncovered(&names, &[CertificateName::try_from(wanted.to_owned()).unwrap()]).is_empty(),
                covered,
                "{wanted}"
            );
        }
    }
}
