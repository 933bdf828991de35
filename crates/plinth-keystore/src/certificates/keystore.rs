//! The keystore that plinth asks: certificates made, compared, exchanged and read, each call over the files of one certificate.

use super::chain::{Chain, same_authorities};
use super::file::{CLIENT, FileKeystore, Files, Wrong, failed, judge, read_chain};
use super::issue::{self, LONGEST_LEAF};
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::{CertificateRotation, CertificateSource, Outgoing};
use plinth_model::{CertificateName, Secret, SecretRef};
use plinth_world::keystore::{CertificateFiles, CertificatePart, CertificateState, Keystore};
use plinth_world::{ClientError, ClientResult, Context, files};
use std::sync::PoisonError;

impl FileKeystore {
    fn make_own(
        &self,
        files: &Files,
        names: &[CertificateName],
        now: Timestamp,
        days: (u32, u32),
    ) -> Result<Chain, String> {
        let (authority_days, leaf_days) = days;
        if leaf_days > LONGEST_LEAF {
            return Err(format!("a leaf of {leaf_days} days is refused: browsers accept {LONGEST_LEAF} at most"));
        }
        if names.is_empty() {
            return Err("no name is wanted for it".to_owned());
        }
        let authority = files.authority(now, authority_days, leaf_days)?;
        let leaf = issue::leaf(&authority, names, now, leaf_days)?;
        let chain = Chain::parse(&leaf.certificate)?.followed_by(&Chain::parse(&authority.certificate)?);
        files.put_leaf(&chain, &leaf.key)?;
        Ok(chain)
    }

    fn take_over(
        &self,
        files: &Files,
        names: &[CertificateName],
        now: Timestamp,
        given: &Given<'_>,
    ) -> Result<Chain, String> {
        let key = self.secrets.get(given.key).map_err(|error| error.to_string())?;
        let chain = read_chain(given.certificate)?;
        let authority = given.authority.map(read_chain).transpose()?;
        let wrong = judge(&chain, key.expose(), authority.as_ref(), names, now)?;
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
        if files.record()?.is_some() {
            // In the middle of a rotation: who trusts what is its concern.
            files.put_leaf(&chain, key.expose())?;
            return Ok(chain);
        }
        files.put_authority_aside()?;
        files.remove("tls.crt")?;
        match &authority {
            Some(authority) => files.write("ca.pem", &authority.to_pem())?,
            None => files.remove("ca.pem")?,
        }
        files.put_leaf(&chain, key.expose())?;
        Ok(chain)
    }
}

/// A certificate given as files.
struct Given<'a> {
    certificate: &'a str,
    key: &'a SecretRef,
    authority: Option<&'a str>,
}

#[async_trait]
impl Keystore for FileKeystore {
    async fn certificate(&self, ctx: &Context, name: &str) -> ClientResult<Option<CertificateState>> {
        let files = Files(self.directory(name)?);
        let state = files
            .kept()
            .and_then(|kept| kept.map(|chain| files.state(&chain, ctx.clock().now()).map_err(Wrong::from)).transpose());
        state.map_err(|wrong| files.unusable(name, wrong))
    }

    async fn make_certificate(
        &self,
        ctx: &Context,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
    ) -> ClientResult<CertificateState> {
        let files = Files(self.directory(name)?);
        let now = ctx.clock().now();
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match &self.placed(source) {
            CertificateSource::Generated { authority_days, leaf_days } => {
                self.make_own(&files, names, now, (*authority_days, *leaf_days))
            }
            CertificateSource::Files { certificate, key, authority } => {
                self.take_over(&files, names, now, &Given { certificate, key, authority: authority.as_deref() })
            }
        };
        let doing = || format!("making certificate `{name}` in {}", files.0.display());
        let attempt =
            "correct what is named here and run again; the certificate kept so far, if any, serves until then";
        made.and_then(|chain| files.state(&chain, now))
            .map_err(|happened| ClientError::new(CLIENT, doing()).happened(happened).attempt(attempt))
    }

    async fn source_differs(
        &self,
        _ctx: &Context,
        name: &str,
        source: &CertificateSource,
    ) -> ClientResult<Vec<String>> {
        let files = Files(self.directory(name)?);
        files.differences(&self.placed(source)).map_err(|happened| {
            let doing = format!("comparing certificate `{name}` with its source");
            ClientError::new(CLIENT, doing).happened(happened).attempt("correct the file that the site names")
        })
    }

    async fn takes_trust(&self, _ctx: &Context, name: &str, source: &CertificateSource) -> ClientResult<bool> {
        let files = Files(self.directory(name)?);
        self.loses_trust(&files, source).map_err(|why| failed(&files, name, why))
    }

    async fn rotation(&self, _ctx: &Context, name: &str) -> ClientResult<Option<Outgoing>> {
        let files = Files(self.directory(name)?);
        files.record().map_err(|why| failed(&files, name, why))
    }

    async fn outgoing(
        &self,
        ctx: &Context,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
        authority: bool,
    ) -> ClientResult<Option<Outgoing>> {
        let files = Files(self.directory(name)?);
        let now = ctx.clock().now();
        self.goes_out(&files, (name, names), source, authority, now)
    }

    async fn rotation_differs(&self, _ctx: &Context, rotation: &CertificateRotation) -> ClientResult<Vec<String>> {
        let files = Files(self.directory(&rotation.name)?);
        self.missing(&files, rotation).map_err(|why| failed(&files, &rotation.name, why))
    }

    async fn rotate(&self, ctx: &Context, rotation: &CertificateRotation) -> ClientResult<CertificateState> {
        let files = Files(self.directory(&rotation.name)?);
        let now = ctx.clock().now();
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let came = self.come_to(&files, rotation, now).and_then(|()| files.kept_state(now));
        came.map_err(|why| failed(&files, &rotation.name, why))
    }
}

impl CertificateFiles for FileKeystore {
    fn read(&self, certificate: &str, part: CertificatePart) -> Result<Secret, String> {
        let folder = self.directory(certificate).map_err(|error| error.happened)?;
        let bytes = files::read_up_to(&folder.join(part.file()), LARGEST_PART).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| "it is not text".to_owned())
    }
}

impl Files {
    fn differences(&self, source: &CertificateSource) -> Result<Vec<String>, String> {
        if self.record()?.is_some() {
            // A rotation is on its way between the two, and only it knows the order.
            return Ok(Vec::new());
        }
        let Some(kept) = self.read("tls.crt")? else { return Ok(Vec::new()) };
        let own = self.path("ca.key").exists();
        let mut differences = Vec::new();
        match source {
            CertificateSource::Generated { .. } if own => {}
            CertificateSource::Generated { .. } => {
                differences.push("~ signed by files of the site → by an own authority".to_owned())
            }
            CertificateSource::Files { certificate, authority, .. } => {
                if read_chain(certificate)? != Chain::parse(&kept)? {
                    differences.push(format!("~ {certificate} differs from the kept certificate"));
                }
                let wanted = authority.as_deref().map(read_chain).transpose()?;
                let present = self.read("ca.pem")?.map(|text| Chain::parse(&text)).transpose()?;
                if !same_authorities(wanted.as_ref(), present.as_ref()) {
                    differences.push("~ the authority differs from the kept one".to_owned());
                }
            }
        }
        Ok(differences)
    }
}

/// Largest kept file that is handed on, bytes; Kubernetes takes 1 MiB in all.
const LARGEST_PART: usize = 1024 * 1024;

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
