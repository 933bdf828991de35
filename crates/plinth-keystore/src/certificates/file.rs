//! Keys and certificates as files: `certificates/<name>/{ca.pem, ca.key, tls.crt, tls.key}` below the state directory.
//!
//! `tls.crt` is written last and removed first, so an interrupted change leaves no certificate rather than a wrong pair.

use super::chain::{Certificate, Chain};
use super::issue::{self, Issued};
use jiff::Timestamp;
use plinth_model::CertificateName;
use plinth_model::steps::CertificateSource;
use plinth_world::keystore::{AuthorityState, CertificateState, uncovered};
use plinth_world::private_file;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, files};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(super) const CLIENT: &str = "keystore";
pub(super) const DAY_S: i64 = 86_400;
/// Largest given file that is read, bytes. The bundle of all public authorities is about 300 KiB.
const LARGEST: usize = 4 * 1024 * 1024;

/// The keystore of a site. Every call reads and writes files at once.
pub struct FileKeystore {
    state_dir: PathBuf,
    folder: PathBuf,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) making: Mutex<()>,
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
    pub(super) fn put_authority_aside(&self) -> Result<(), String> {
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

/// A failure of a rotation, for people.
pub(super) fn failed(files: &Files, name: &str, happened: String) -> ClientError {
    ClientError::new(CLIENT, format!("rotating certificate `{name}` in {}", files.0.display()))
        .happened(happened)
        .attempt("correct what is named here, then run the same command again: it goes on where it stopped")
}
