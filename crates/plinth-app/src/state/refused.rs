//! What refused a run before it began, for `plinth status` afterwards: such a run leaves nothing in the journal. The next run that begins,
//! or is refused, takes its place.

use plinth_model::Finding;
use plinth_model::run::Refusal;
use plinth_world::{files, private_file};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file.
const FILE: &str = "refused.json";
/// Largest file that is read, bytes.
const LARGEST: usize = 4 * 1024 * 1024;
/// Findings that are kept; what is wrong with a thousand nodes is wrong with a hundred of them.
const FINDINGS: usize = 100;

#[derive(Serialize, Deserialize)]
struct Kept {
    schema: u32,
    #[serde(flatten)]
    refusal: Refusal,
}

/// Keeps it. `redact` takes secrets out of a text. What cannot be kept costs a later look, and nothing else.
pub(crate) fn keep(directory: &Path, mut refusal: Refusal, redact: impl Fn(&str) -> String) {
    refusal.findings.truncate(FINDINGS);
    for text in refusal.findings.iter_mut().flat_map(texts).chain([&mut refusal.happened, &mut refusal.fix]) {
        *text = redact(text);
    }
    let kept = serde_json::to_vec(&Kept { schema: 1, refusal }).map_err(std::io::Error::other);
    if let Err(error) = kept.and_then(|bytes| private_file::write(&directory.join(FILE), &bytes)) {
        tracing::warn!(%error, "what refused the run could not be kept");
    }
}

fn texts(finding: &mut Finding) -> impl Iterator<Item = &mut String> {
    let Finding { subject, message, fix, evidence, .. } = finding;
    evidence.iter_mut().chain([subject, message, fix])
}

/// A run begins: what refused the one before says nothing any more.
pub(crate) fn forget(directory: &Path) {
    let _gone_or_never_there = std::fs::remove_file(directory.join(FILE));
}

/// What refused the last run, if none began since; none too when it cannot be read.
#[must_use]
pub fn refused(directory: &Path) -> Option<Refusal> {
    let bytes = files::read_up_to(&directory.join(FILE), LARGEST).ok()?;
    serde_json::from_slice(&bytes).ok().map(|kept: Kept| kept.refusal)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::finding::code;

    #[test]
    fn it_is_kept_without_secrets_until_a_run_begins() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(refused(state.path()), None);
        let finding =
            Finding::error(code::NODE_UNREACHABLE, "dgx-05", "no answer, s3cret").evidence("s3cret").fix("s3cret");
        let refusal = Refusal {
            at: "2026-01-01T10:00:00Z".parse().unwrap(),
            happened: "not fit: s3cret".into(),
            fix: "s3cret".into(),
            findings: vec![finding; 2 * FINDINGS],
        };
        keep(state.path(), refusal.clone(), |text| text.replace("s3cret", "***"));
        let told = refused(state.path()).unwrap();
        assert_eq!((told.happened.as_str(), told.findings.len()), ("not fit: ***", FINDINGS));
        assert!(!std::fs::read_to_string(state.path().join(FILE)).unwrap().contains("s3cret"));
        forget(state.path());
        assert_eq!(refused(state.path()), None);
    }
}
