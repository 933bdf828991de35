//! Keys and certificates as files: `certificates/<name>/{ca.pem, ca.key, tls.crt, tls.key}` below the state directory.
//!
//! `tls.crt` is written last and removed first, so an interrupted change leaves no certificate rather than a wrong pair.

use super::chain::{Certificate, Chain};
use super::issue::{self, Issued, LONGEST_LEAF};
use super::rotation;
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::{CertificateRotation, CertificateSource, Outgoing};
use plinth_model::{CertificateName, Secret, SecretRef};
use plinth_world::keystore::{
    AuthorityState, CertificateFiles, CertificatePart, CertificateState, Keystore, uncovered,
};
use plinth_world::private_file;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, files};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const CLIENT: &str = "keystore";
const DAY_S: i64 = 86_400;
/// Largest given file that is read, bytes. The bundle of all public authorities is about 300 KiB.
const LARGEST: usize = 4 * 1024 * 1024;

/// Largest kept file that is handed on, bytes; Kubernetes takes 1 MiB in all.
const LARGEST_PART: usize = 1024 * 1024;

/// The keystore of a site. Every call reads and writes files at once.
pub struct FileKeystore {
    state_dir: PathBuf,
    folder: PathBuf,
    pub(super) secrets: Arc<dyn Secrets>,
    making: Mutex<()>,
}

impl FileKeystore {
    /// The keystore of the site whose state is in this directory. Keys that are given as secrets come from `secrets`.
    #[must_use]
    pub fn new(state_dir: &Path, secrets: Arc<dyn Secrets>) -> Self {
        Self { state_dir: state_dir.to_path_buf(), folder: PathBuf::new(), secrets, making: Mutex::new(()) }
    }

    /// The same; relative names of given files start at this folder, the one of the site file.
    #[must_use]
    pub fn below(mut self, folder: &Path) -> Self {
        self.folder = folder.to_path_buf();
        self
    }

    /// The source with the names of its files as this process can open them.
    pub(super) fn placed(&self, source: &CertificateSource) -> CertificateSource {
        let place = |name: &String| plinth_world::files::named(&self.folder, name).to_string_lossy().into_owned();
        match source {
            CertificateSource::Generated { .. } => source.clone(),
            CertificateSource::Files { certificate, key, authority } => CertificateSource::Files {
                certificate: place(certificate),
                key: key.clone(),
                authority: authority.as_ref().map(place),
            },
        }
    }

    /// Where the files of a certificate are.
    ///
    /// # Errors
    /// When the name is not a plain file name.
    pub fn directory(&self, name: &str) -> ClientResult<PathBuf> {
        if private_file::is_file_name(name) {
            Ok(self.state_dir.join("certificates").join(name))
        } else {
            let doing = format!("finding certificate `{name}`");
            Err(ClientError::new(CLIENT, doing)
                .happened("its name is not a plain file name")
                .attempt("use letters, digits and dashes"))
        }
    }

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
        self.loses_trust(&files, source).map_err(|why| rotation::failed(&files, name, why))
    }

    async fn rotation(&self, _ctx: &Context, name: &str) -> ClientResult<Option<Outgoing>> {
        let files = Files(self.directory(name)?);
        files.record().map_err(|why| rotation::failed(&files, name, why))
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
        self.missing(&files, rotation).map_err(|why| rotation::failed(&files, &rotation.name, why))
    }

    async fn rotate(&self, ctx: &Context, rotation: &CertificateRotation) -> ClientResult<CertificateState> {
        let files = Files(self.directory(&rotation.name)?);
        let now = ctx.clock().now();
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let came = self.come_to(&files, rotation, now).and_then(|()| files.kept_state(now));
        came.map_err(|why| rotation::failed(&files, &rotation.name, why))
    }
}

impl CertificateFiles for FileKeystore {
    fn read(&self, certificate: &str, part: CertificatePart) -> Result<Secret, String> {
        let folder = self.directory(certificate).map_err(|error| error.happened)?;
        let bytes = files::read_up_to(&folder.join(part.file()), LARGEST_PART).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| "it is not text".to_owned())
    }
}

/// Why a kept certificate cannot be used.
pub(super) enum Wrong {
    /// It was read, and is not what was written.
    Damaged(String),
    /// It could not be read: nothing is known of it.
    Unseen(String),
}

impl From<String> for Wrong {
    fn from(happened: String) -> Self {
        Self::Damaged(happened)
    }
}

/// The folder of one certificate.
pub(super) struct Files(pub(super) PathBuf);

impl Files {
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub(super) fn read(&self, file: &str) -> Result<Option<String>, String> {
        private_file::read(&self.path(file)).map_err(|error| format!("reading {file} failed: {error}"))
    }

    pub(super) fn write(&self, file: &str, content: &str) -> Result<(), String> {
        private_file::write(&self.path(file), content.as_bytes())
            .map_err(|error| format!("writing {file} failed: {error}"))
    }

    pub(super) fn remove(&self, file: &str) -> Result<(), String> {
        private_file::remove(&self.path(file)).map_err(|error| format!("removing {file} failed: {error}"))
    }

    /// Only what was seen to be damaged may be moved away: another authority would be made in its place.
    pub(super) fn unusable(&self, name: &str, wrong: Wrong) -> ClientError {
        let folder = self.0.display();
        let (happened, attempt) = match wrong {
            Wrong::Damaged(what) => {
                (what, format!("restore {folder} from a copy, or move it away to have a new one made"))
            }
            Wrong::Unseen(why) => (
                why,
                format!(
                    "see that files in {folder} can be opened (owner, mode, limit on open files, disk), then run again"
                ),
            ),
        };
        ClientError::new(CLIENT, format!("reading certificate `{name}` in {folder}"))
            .happened(happened)
            .attempt(attempt)
    }

    /// A file of what is kept.
    fn see(&self, file: &str) -> Result<Option<String>, Wrong> {
        private_file::read(&self.path(file)).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => Wrong::Damaged(format!("{file}: {error}")),
            _ => Wrong::Unseen(format!("reading {file} failed: {error}")),
        })
    }

    /// The leaf that is kept, after everything about it was checked except names and dates.
    pub(super) fn kept(&self) -> Result<Option<Chain>, Wrong> {
        let Some(text) = self.see("tls.crt")? else { return Ok(None) };
        let chain = Chain::parse(&text).map_err(|why| format!("tls.crt: {why}"))?;
        let key = self.see("tls.key")?.ok_or_else(|| "tls.key is not there, but tls.crt is".to_owned())?;
        chain.check_key(&key).map_err(|why| format!("tls.key: {why}"))?;
        chain.check_order().map_err(|why| format!("tls.crt: {why}"))?;
        match (self.see("ca.pem")?, self.see("ca.key")?) {
            (Some(authority), authority_key) => {
                let authority = Chain::parse(&authority).map_err(|why| format!("ca.pem: {why}"))?;
                chain.check_authority(&authority).map_err(|why| format!("tls.crt: {why}"))?;
                authority_key
                    .map_or(Ok(()), |key| authority.of_key(&key).map(drop).map_err(|why| format!("ca.key: {why}")))?;
            }
            (None, Some(_)) => return Err("ca.pem is not there, but ca.key is".to_owned().into()),
            (None, None) => {}
        }
        Ok(Some(chain))
    }

    /// What is kept, of which this is the chain.
    pub(super) fn state(&self, chain: &Chain, now: Timestamp) -> Result<CertificateState, String> {
        let leaf = chain.leaf()?;
        let bundle = self.bundle()?;
        // Of several, those that matter are those that the leaf leads to: the others are on their way in or out.
        let relevant = bundle.as_ref().and_then(|bundle| chain.leads_to(bundle)).or_else(|| bundle.clone());
        let ends = relevant.map(|relevant| relevant.all()).transpose()?.unwrap_or_default();
        let authority = bundle.map(|bundle| AuthorityState {
            fingerprints: bundle.fingerprints(),
            days_left: ends.iter().map(|one| days_left(one, now)).min().unwrap_or(0),
        });
        Ok(CertificateState {
            days_left: days_left(&leaf, now),
            names: leaf.names,
            fingerprint: leaf.fingerprint,
            authority,
        })
    }

    /// The authorities that are handed out.
    pub(super) fn bundle(&self) -> Result<Option<Chain>, String> {
        self.read("ca.pem")?.map(|text| Chain::parse(&text).map_err(|why| format!("ca.pem: {why}"))).transpose()
    }

    /// The own authority: the kept one, or a new one when none was ever finished.
    pub(super) fn authority(&self, now: Timestamp, days: u32, leaf_days: u32) -> Result<Issued, String> {
        if let (Some(bundle), Some(key)) = (self.bundle()?, self.read("ca.key")?) {
            let own = bundle.of_key(&key).map_err(|why| format!("ca.key: {why}"))?;
            let left = days_left(&own.leaf()?, now);
            if left < i64::from(leaf_days) {
                return Err(format!(
                    "the authority ends in {left} days, before a leaf of {leaf_days} days would; \
                     `plinth rotate certificates --authority` exchanges it while everybody who trusts it goes on"
                ));
            }
            return Ok(Issued { certificate: own.to_pem(), key });
        }
        self.put_authority_aside()?;
        let made = issue::authority(&self.0.file_name().unwrap_or_default().to_string_lossy(), now, days)?;
        self.remove("tls.crt")?;
        self.write("ca.key", &made.key)?;
        self.write("ca.pem", &made.certificate)?;
        Ok(made)
    }

    /// Keeps a replaced authority under another name: it may be trusted somewhere.
    fn put_authority_aside(&self) -> Result<(), String> {
        for (file, aside) in [("ca.key", "replaced-ca.key"), ("ca.pem", "replaced-ca.pem")] {
            let path = self.path(file);
            if path.exists() {
                self.remove("tls.crt")?;
                fs::rename(&path, self.path(aside)).map_err(|error| format!("putting {file} aside failed: {error}"))?;
            }
        }
        Ok(())
    }

    pub(super) fn put_leaf(&self, chain: &Chain, key: &str) -> Result<(), String> {
        self.remove("tls.crt")?;
        self.write("tls.key", key)?;
        self.write("tls.crt", &chain.to_pem())
    }

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
                if !rotation::same(wanted.as_ref(), present.as_ref()) {
                    differences.push("~ the authority differs from the kept one".to_owned());
                }
            }
        }
        Ok(differences)
    }
}

pub(super) fn read_chain(path: &str) -> Result<Chain, String> {
    let bytes =
        files::read_up_to(Path::new(path), LARGEST).map_err(|error| format!("reading {path} failed: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{path} is not text"))?;
    Chain::parse(&text).map_err(|why| format!("{path}: {why}"))
}

/// Everything that is wrong with a given certificate.
pub(super) fn judge(
    chain: &Chain,
    key: &str,
    authority: Option<&Chain>,
    names: &[CertificateName],
    now: Timestamp,
) -> Result<Vec<String>, String> {
    let mut wrong: Vec<String> = chain.check_key(key).err().into_iter().collect();
    wrong.extend(judge_public(chain, authority, names, now)?);
    Ok(wrong)
}

/// The same without a look at its key.
pub(super) fn judge_public(
    chain: &Chain,
    authority: Option<&Chain>,
    names: &[CertificateName],
    now: Timestamp,
) -> Result<Vec<String>, String> {
    let leaf = chain.leaf()?;
    let checks = [chain.check_order(), authority.map_or(Ok(()), |a| chain.check_authority(a))];
    let mut wrong: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    if leaf.is_authority {
        wrong.push(format!("the first certificate ({}) is an authority: the leaf must stand first", leaf.subject));
    }
    let uncovered = uncovered(&leaf.names, names);
    if !uncovered.is_empty() {
        wrong.push(format!("it does not cover {}, only {}", uncovered.join(", "), leaf.names.join(", ")));
    }
    if leaf.not_after <= now.as_second() {
        wrong.push(format!("it expired {} days ago", -days_left(&leaf, now)));
    }
    if leaf.not_before > now.as_second() {
        wrong.push("it is not valid yet".to_owned());
    }
    Ok(wrong)
}

pub(super) fn days_left(certificate: &Certificate, now: Timestamp) -> i64 {
    (certificate.not_after - now.as_second()).div_euclid(DAY_S)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
