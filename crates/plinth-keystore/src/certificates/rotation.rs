//! The exchange of a leaf, and of the authority behind it, as files. Every phase can be interrupted and begun again: a record names what
//! goes out (`rotation.json`), and each file is written as a whole. In between:
//!
//! | phase | `ca.pem` (handed out) | `ca.key` (signs) | `tls.crt` |
//! |---|---|---|---|
//! | before | old | old | by old |
//! | trust both | old, new | old; the new one waits in `next-ca.key` | by old |
//! | new leaf | old, new | new | by new |
//! | trust new | new | new | by new |
//!
//! Given authorities go the same way, without keys.

use super::chain::{Chain, same_authorities};
use super::file::{CLIENT, FileKeystore, Files, Wrong, days_left, judge, read_chain};
use super::issue::{self, Issued, LONGEST_LEAF};
use jiff::Timestamp;
use plinth_model::steps::{CertificateRotation, CertificateSource, Outgoing, RotationPhase};
use plinth_model::{CertificateName, Secret, SecretRef};
use plinth_world::keystore::CertificateState;
use plinth_world::{Cause, ClientError, ClientResult};

/// What goes out, from the first change until nothing of it is left.
const RECORD: &str = "rotation.json";
const NEXT: [&str; 2] = ["next-ca.key", "next-ca.pem"];

/// Given files, read and judged.
struct GivenPair {
    chain: Chain,
    key: Secret,
    authority: Option<Chain>,
}

impl FileKeystore {
    /// What a new rotation takes out; none: the given files are those that are kept.
    pub(super) fn goes_out(
        &self,
        files: &Files,
        (name, names): (&str, &[CertificateName]),
        source: &CertificateSource,
        authority: bool,
        now: Timestamp,
    ) -> ClientResult<Option<Outgoing>> {
        let kept = files.kept().map_err(|wrong| files.unusable(name, wrong))?;
        let Some(kept) = kept else {
            return Err(ClientError::new(CLIENT, format!("rotating certificate `{name}`"))
                .because(Cause::Input)
                .happened("none is kept yet")
                .attempt("run `plinth apply`: it makes the certificate, or takes it over"));
        };
        let refused = |why: String| {
            ClientError::new(CLIENT, format!("judging what comes for certificate `{name}`"))
                .because(Cause::Input)
                .happened(why)
                .attempt(
                    "correct what is named here and run again; nothing was written, and the kept certificate serves on",
                )
        };
        let out = match self.placed(source) {
            CertificateSource::Generated { leaf_days, .. } => {
                own_goes(files, &kept, leaf_days, authority, now).map(Some)
            }
            given @ CertificateSource::Files { .. } => self.given_goes(files, &kept, names, &given, now),
        };
        out.map_err(refused)
    }

    fn given_goes(
        &self,
        files: &Files,
        kept: &Chain,
        names: &[CertificateName],
        source: &CertificateSource,
        now: Timestamp,
    ) -> Result<Option<Outgoing>, String> {
        let pair = self.given(source, names, now)?;
        let bundle = files.bundle()?;
        let authorities = match (&bundle, &pair.authority) {
            (Some(old), Some(new)) => {
                let stays = new.fingerprints();
                old.fingerprints().into_iter().filter(|one| !stays.contains(one)).collect()
            }
            (None, None) => Vec::new(),
            _ => {
                return Err("the site moves between an authority of its own and one that everybody trusts, which changes values of \
                            charts too: `plinth apply` does that"
                    .to_owned());
            }
        };
        if pair.chain == *kept && same_authorities(bundle.as_ref(), pair.authority.as_ref()) {
            return Ok(None);
        }
        Ok(Some(Outgoing { leaf: kept.leaf()?.fingerprint, authorities }))
    }

    /// The given files; everything that is wrong with them is the error.
    fn given(
        &self,
        source: &CertificateSource,
        names: &[CertificateName],
        now: Timestamp,
    ) -> Result<GivenPair, String> {
        let CertificateSource::Files { certificate, key, authority } = source else {
            return Err("no files are given".to_owned());
        };
        let chain = read_chain(certificate)?;
        let authority = authority.as_deref().map(read_chain).transpose()?;
        let key = self.key(key)?;
        let wrong = judge(&chain, key.expose(), authority.as_ref(), names, now)?;
        if wrong.is_empty() { Ok(GivenPair { chain, key, authority }) } else { Err(wrong.join("; ")) }
    }

    fn key(&self, reference: &SecretRef) -> Result<Secret, String> {
        self.secrets.get(reference).map_err(|error| error.to_string())
    }

    /// What is missing until this phase is reached.
    pub(super) fn missing(&self, files: &Files, rotation: &CertificateRotation) -> Result<Vec<String>, String> {
        let out = &rotation.outgoing;
        let bundle = files.bundle()?;
        let line = |missing: bool, line: &str| if missing { vec![line.to_owned()] } else { Vec::new() };
        Ok(match rotation.phase {
            RotationPhase::TrustBoth => {
                let new = bundle.as_ref().and_then(|bundle| bundle.without(&out.authorities));
                let is_there = match self.placed(&rotation.source) {
                    CertificateSource::Generated { .. } => new.is_some(),
                    CertificateSource::Files { authority, .. } => holds(new.as_ref(), authority.as_deref())?,
                };
                line(!is_there, "+ the new authority, beside the old one")
            }
            RotationPhase::NewLeaf => line(!self.has_new_leaf(files, rotation)?, "~ the leaf: a new one"),
            RotationPhase::TrustNew => {
                let old = bundle.is_some_and(|b| b.fingerprints().iter().any(|one| out.authorities.contains(one)));
                line(old, "- the old authority")
            }
            RotationPhase::Finished => {
                line(files.record()?.is_some(), "- the record of the rotation, and the key of what went out")
            }
        })
    }

    /// Given files may bring another authority for the same leaf; an own leaf is always another one.
    fn has_new_leaf(&self, files: &Files, rotation: &CertificateRotation) -> Result<bool, String> {
        let Some(kept) = files.kept().map_err(Wrong::words)? else { return Ok(false) };
        let staying = files.bundle()?.and_then(|bundle| bundle.without(&rotation.outgoing.authorities));
        let by_old =
            !rotation.outgoing.authorities.is_empty() && staying.is_none_or(|stay| kept.leads_to(&stay).is_none());
        let wanted = match self.placed(&rotation.source) {
            CertificateSource::Files { certificate, .. } => read_chain(&certificate)? == kept,
            CertificateSource::Generated { .. } => kept.leaf()?.fingerprint != rotation.outgoing.leaf,
        };
        Ok(wanted && !by_old)
    }

    /// Whether those who trust only the kept authorities would lose trust if the files of this source took the place of the kept ones at
    /// once: an authority leaves, or the leaf is by one that they do not know. No where nothing is kept, where a rotation is on its way, and
    /// where the site moves between an authority of its own and one that everybody trusts, which is not a rotation's.
    pub(super) fn loses_trust(&self, files: &Files, source: &CertificateSource) -> Result<bool, String> {
        if files.record()?.is_some() || files.read("tls.crt")?.is_none() {
            return Ok(false);
        }
        let Some(kept) = files.bundle()? else { return Ok(false) };
        match self.placed(source) {
            CertificateSource::Generated { .. } => Ok(files.read("ca.key")?.is_none()),
            CertificateSource::Files { authority: None, .. } => Ok(false),
            CertificateSource::Files { certificate, authority: Some(authority), .. } => {
                let (chain, stays) = (read_chain(&certificate)?, read_chain(&authority)?.fingerprints());
                Ok(!kept.fingerprints().iter().all(|one| stays.contains(one)) || chain.leads_to(&kept).is_none())
            }
        }
    }

    /// Brings the files to this phase.
    pub(super) fn come_to(&self, files: &Files, rotation: &CertificateRotation, now: Timestamp) -> Result<(), String> {
        let source = self.placed(&rotation.source);
        let pair = match (&source, rotation.phase) {
            (CertificateSource::Files { .. }, RotationPhase::TrustBoth | RotationPhase::NewLeaf) => {
                Some(self.given(&source, &rotation.names, now)?)
            }
            _ => None,
        };
        if rotation.phase != RotationPhase::Finished {
            files.begin(&rotation.outgoing)?;
        }
        match (rotation.phase, &source) {
            (RotationPhase::TrustBoth, CertificateSource::Generated { authority_days, .. }) => {
                let next = files.next_authority(now, *authority_days)?;
                files.trust_too(&Chain::parse(&next.certificate)?)
            }
            (RotationPhase::TrustBoth, CertificateSource::Files { .. }) => {
                pair.and_then(|pair| pair.authority).map_or(Ok(()), |authority| files.trust_too(&authority))
            }
            (RotationPhase::NewLeaf, CertificateSource::Generated { authority_days, leaf_days }) => {
                files.next_signs()?;
                files.sign_anew(&rotation.names, now, (*authority_days, *leaf_days))
            }
            (RotationPhase::NewLeaf, CertificateSource::Files { .. }) => {
                let Some(pair) = pair else { return Ok(()) };
                files.put_own_key_aside()?;
                files.put_leaf(&pair.chain, pair.key.expose())
            }
            (RotationPhase::TrustNew, _) => files.trust_no_longer(&rotation.outgoing),
            (RotationPhase::Finished, _) => files.finish(),
        }
    }
}

/// What goes out of an own certificate.
fn own_goes(files: &Files, kept: &Chain, leaf_days: u32, authority: bool, now: Timestamp) -> Result<Outgoing, String> {
    let bundle = files.bundle()?;
    let own = files.read("ca.key")?.zip(bundle.as_ref()).map(|(key, bundle)| bundle.of_key(&key)).transpose()?;
    let leaf = kept.leaf()?.fingerprint;
    let Some(own) = own.filter(|_| !authority) else {
        // Files were given before, and now plinth makes them; or the authority is to go as well.
        let Some(bundle) = bundle else {
            return Err("it is by an authority that everybody trusts, and the site wants an own one, which changes values of charts \
                        too: `plinth apply` does that"
                .to_owned());
        };
        return Ok(Outgoing { leaf, authorities: bundle.fingerprints() });
    };
    let left = days_left(&own.leaf()?, now);
    if left < i64::from(leaf_days) {
        return Err(format!(
            "the authority ends in {left} days, before a leaf of {leaf_days} days would: give `--authority`, which exchanges both"
        ));
    }
    Ok(Outgoing { leaf, authorities: Vec::new() })
}

/// Whether all authorities of this file are there.
fn holds(there: Option<&Chain>, authority: Option<&str>) -> Result<bool, String> {
    let Some(authority) = authority else { return Ok(true) };
    let (wanted, there) = (read_chain(authority)?.fingerprints(), there.map(Chain::fingerprints).unwrap_or_default());
    Ok(wanted.iter().all(|one| there.contains(one)))
}

impl Files {
    /// What goes out, if a rotation was begun.
    pub(super) fn record(&self) -> Result<Option<Outgoing>, String> {
        let Some(text) = self.read(RECORD)? else { return Ok(None) };
        let read = serde_json::from_str(&text).map(Some);
        read.map_err(|error| format!("{RECORD} cannot be read ({error}): restore it, or move it away and rotate anew"))
    }

    fn begin(&self, outgoing: &Outgoing) -> Result<(), String> {
        match self.record()? {
            Some(known) if known == *outgoing => Ok(()),
            Some(_) => {
                Err("another rotation was begun and not finished: make the plan anew, it goes on with that one"
                    .to_owned())
            }
            None => {
                let text = serde_json::to_string(outgoing).map_err(|error| error.to_string())?;
                self.write(RECORD, &text)
            }
        }
    }

    /// The authority that comes: the one that was made before an interruption, or a new one. Its key is there first.
    fn next_authority(&self, now: Timestamp, days: u32) -> Result<Issued, String> {
        let [key_file, file] = NEXT;
        if let (Some(key), Some(certificate)) = (self.read(key_file)?, self.read(file)?)
            && Chain::parse(&certificate).and_then(|chain| chain.check_key(&key)).is_ok()
        {
            return Ok(Issued { certificate, key });
        }
        let made = issue::authority(&self.0.file_name().unwrap_or_default().to_string_lossy(), now, days)?;
        self.write(key_file, &made.key)?;
        self.write(file, &made.certificate)?;
        Ok(made)
    }

    /// These are trusted as well.
    fn trust_too(&self, more: &Chain) -> Result<(), String> {
        let bundle = self.bundle()?;
        let known = bundle.as_ref().map(Chain::fingerprints).unwrap_or_default();
        let all = match (bundle, more.without(&known)) {
            (Some(bundle), Some(new)) => bundle.followed_by(&new),
            (None, Some(new)) => new,
            (_, None) => return Ok(()),
        };
        self.write("ca.pem", &all.to_pem())
    }

    /// From now on the new authority signs; the old key is put aside until the end.
    fn next_signs(&self) -> Result<(), String> {
        let [key_file, file] = NEXT;
        let Some(next) = self.read(key_file)? else { return Ok(()) };
        if let Some(old) = self.read("ca.key")?.filter(|old| *old != next) {
            self.write("replaced-ca.key", &old)?;
        }
        self.write("ca.key", &next)?;
        self.remove(file)?;
        self.remove(key_file)
    }

    fn sign_anew(
        &self,
        names: &[CertificateName],
        now: Timestamp,
        (authority_days, leaf_days): (u32, u32),
    ) -> Result<(), String> {
        if leaf_days > LONGEST_LEAF {
            return Err(format!("a leaf of {leaf_days} days is refused: browsers accept {LONGEST_LEAF} at most"));
        }
        if names.is_empty() {
            return Err("no name is wanted for it".to_owned());
        }
        let authority = self.authority(now, authority_days, leaf_days)?;
        let leaf = issue::leaf(&authority, names, now, leaf_days)?;
        let chain = Chain::parse(&leaf.certificate)?.followed_by(&Chain::parse(&authority.certificate)?);
        self.put_leaf(&chain, &leaf.key)
    }

    /// Files take the place of what plinth made: it signs nothing any more.
    fn put_own_key_aside(&self) -> Result<(), String> {
        let Some(key) = self.read("ca.key")? else { return Ok(()) };
        self.write("replaced-ca.key", &key)?;
        self.remove("ca.key")
    }

    /// Only what stays is handed out.
    fn trust_no_longer(&self, out: &Outgoing) -> Result<(), String> {
        let Some(bundle) = self.bundle()? else { return Ok(()) };
        let Some(stays) = bundle.without(&out.authorities) else {
            return Err("nothing would be left to trust".to_owned());
        };
        let kept = self.kept().map_err(Wrong::words)?.ok_or("no certificate is kept")?;
        kept.check_authority(&stays)?;
        let gone = bundle.without(&stays.fingerprints());
        gone.map_or(Ok(()), |gone| self.write("replaced-ca.pem", &gone.to_pem()))?;
        self.write("ca.pem", &stays.to_pem())
    }

    /// The old key could still sign what somebody may trust who was not reached: it goes. The record goes last.
    fn finish(&self) -> Result<(), String> {
        for file in ["replaced-ca.key", NEXT[0], NEXT[1], RECORD] {
            self.remove(file)?;
        }
        Ok(())
    }

    pub(super) fn kept_state(&self, now: Timestamp) -> Result<CertificateState, String> {
        let kept = self.kept().map_err(Wrong::words)?.ok_or("no certificate is kept")?;
        self.state(&kept, now)
    }
}

impl Wrong {
    fn words(self) -> String {
        match self {
            Self::Damaged(words) | Self::Unseen(words) => words,
        }
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
