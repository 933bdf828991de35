//! Who is waited for before a run begins, for `plinth status` in another terminal. The journal has no run then that could say it.
//! The file stands as long as the wait, and names the run for which the lock was taken.

use plinth_world::{files, private_file};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file.
const FILE: &str = "awaited.json";
/// Largest file that is read, bytes: a sentence.
const LARGEST: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Told {
    schema: u32,
    run: String,
    waits: String,
}

/// The file of a wait, which ends with it.
pub(crate) struct AwaitedFile {
    file: PathBuf,
    run: String,
}

impl AwaitedFile {
    /// For the run for which the lock was taken. Nothing is written before there is something to tell.
    pub(crate) fn new(directory: &Path, run: &str) -> Self {
        Self { file: directory.join(FILE), run: run.to_owned() }
    }

    /// Tells who is waited for. A disk that is full costs the view of others, and nothing else.
    pub(crate) fn tell(&self, waits: &str) {
        let told = Told { schema: 1, run: self.run.clone(), waits: waits.to_owned() };
        let kept = serde_json::to_vec(&told).map_err(std::io::Error::other);
        if let Err(error) = kept.and_then(|text| private_file::write(&self.file, &text)) {
            tracing::debug!(%error, file = %self.file.display(), "who is waited for could not be kept");
        }
    }
}

impl Drop for AwaitedFile {
    fn drop(&mut self) {
        let _gone_or_never_there = std::fs::remove_file(&self.file);
    }
}

/// Who is waited for before this run, in words; none when nobody is, or nobody keeps it.
#[must_use]
pub fn awaited(directory: &Path, run: &str) -> Option<String> {
    let bytes = files::read_up_to(&directory.join(FILE), LARGEST).ok()?;
    let told: Told = serde_json::from_slice(&bytes).ok()?;
    (told.run == run).then_some(told.waits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn others_see_who_is_waited_for_as_long_as_that_lasts() {
        let state = tempfile::tempdir().unwrap();
        let file = AwaitedFile::new(state.path(), "run-1");
        assert_eq!(awaited(state.path(), "run-1"), None);
        file.tell("n2, n3 (1 s)");
        file.tell("n2 (11 s)");
        assert_eq!(awaited(state.path(), "run-1").as_deref(), Some("n2 (11 s)"));
        assert_eq!(
            awaited(state.path(), "run-0"),
            None,
            "a file that a killed process left says nothing of another run"
        );
        drop(file);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
