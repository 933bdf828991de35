//! What is kept and what is given of a certificate, for people who look before anything is made. No private key is read.

use super::chain::{Certificate, Chain};
use super::file::{FileKeystore, judge_public, read_chain};
use jiff::Timestamp;
use plinth_model::CertificateName;
use plinth_model::steps::CertificateSource;
use plinth_world::ClientError;
use plinth_world::keystore::{CertificateFiles, CertificatePart};
use plinth_world::private_file;

/// One certificate of a chain. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCertificate {
    /// Distinguished name, as one text; may be empty.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// DNS names and addresses.
    pub names: Vec<String>,
    /// Valid from this moment on.
    pub from: Timestamp,
    /// Valid until this moment.
    pub until: Timestamp,
    /// SHA-256, hexadecimal.
    pub fingerprint: String,
    /// Whether it may sign others.
    pub is_authority: bool,
}

impl SeenCertificate {
    fn of(certificate: Certificate) -> Self {
        // A date that no calendar has is shown as the beginning of time: whoever reads it sees that it is wrong.
        let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            from: at(certificate.not_before),
            until: at(certificate.not_after),
            subject: certificate.subject,
            issuer: certificate.issuer,
            names: certificate.names,
            fingerprint: certificate.fingerprint,
            is_authority: certificate.is_authority,
        }
    }
}

/// What there is of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// What is kept in the state directory, leaf first; empty: nothing was made yet.
    pub kept: Vec<SeenCertificate>,
    /// What the files of the site hold, leaf first.
    pub given: Vec<SeenCertificate>,
    /// The authority that the files of the site name.
    pub authority: Vec<SeenCertificate>,
    /// What is wrong with the given files, as far as it shows without the key.
    pub wrong: Vec<String>,
}

impl FileKeystore {
    /// What there is of the certificate of that name, which must cover `names`. Writes nothing, and reads no key.
    ///
    /// # Errors
    /// When what is kept cannot be read. What is wrong with given files is in the answer.
    pub fn review(
        &self,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
        now: Timestamp,
    ) -> Result<Review, ClientError> {
        let folder = self.directory(name)?;
        let there = private_file::read(&folder.join(CertificatePart::Chain.file()));
        let kept = match there {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(_)) => self.read(name, CertificatePart::Chain).and_then(|text| seen(&Chain::parse(text.expose())?)),
            Err(error) => Err(error.to_string()),
        };
        let kept = kept.map_err(|happened| {
            ClientError::new("keystore", format!("reading certificate `{name}` in {}", folder.display()))
                .happened(happened)
                .attempt("see that it can be opened, or move it away to have a new one made")
        })?;
        let mut review = Review { kept, ..Review::default() };
        if let CertificateSource::Files { certificate, authority, .. } = self.placed(source)
            && let Err(why) = review.look_at(&certificate, authority.as_deref(), names, now)
        {
            review.wrong.push(why);
        }
        Ok(review)
    }
}

impl Review {
    fn look_at(
        &mut self,
        certificate: &str,
        authority: Option<&str>,
        names: &[CertificateName],
        now: Timestamp,
    ) -> Result<(), String> {
        let chain = read_chain(certificate)?;
        self.given = seen(&chain)?;
        let authority = authority.map(read_chain).transpose()?;
        self.authority = authority.as_ref().map(seen).transpose()?.unwrap_or_default();
        self.wrong.extend(judge_public(&chain, authority.as_ref(), names, now)?);
        Ok(())
    }
}

fn seen(chain: &Chain) -> Result<Vec<SeenCertificate>, String> {
    Ok(chain.all()?.into_iter().map(SeenCertificate::of).collect())
}
