//! Who is waited for before a run begins, for `plinth status` in another terminal. The journal has no run then that could say it.
//! The file stands as long as the wait, and names the run for which the lock was taken.

use super::told::{self, TellingFile};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The file.
const FILE: &str = "awaited.json";

#[derive(Serialize, Deserialize)]
struct Waits {
    waits: String,
}

/// The file of a wait, which ends with it.
pub(crate) struct AwaitedFile {
    file: PathBuf,
    run: String,
    /// Most waits are over before there is anything to tell, and need no thread; none where none can be had.
    begun: OnceLock<Option<TellingFile<Waits>>>,
}

impl AwaitedFile {
    /// For the run for which the lock was taken. Nothing is written before there is something to tell.
    pub(crate) fn new(directory: &Path, run: &str) -> Self {
        Self { file: directory.join(FILE), run: run.to_owned(), begun: OnceLock::new() }
    }

    /// Tells who is waited for. What cannot be told costs the view of others, and nothing else.
    pub(crate) fn tell(&self, waits: &str) {
        let begin = || {
            let begun = TellingFile::begin(self.file.clone(), &self.run, Waits { waits: String::new() });
            begun.inspect_err(|error| tracing::debug!(%error, "who is waited for could not be kept")).ok()
        };
        if let Some(file) = self.begun.get_or_init(begin) {
            file.teller().tell(|told| {
                waits.clone_into(&mut told.waits);
                true
            });
        }
    }
}

/// Who is waited for before this run, in words; none when nobody is, or nobody keeps it.
#[must_use]
pub fn awaited(directory: &Path, run: &str) -> Option<String> {
    told::read(&directory.join(FILE), run).map(|told: Waits| told.waits)
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
        let tell = |waits: &str| {
            file.tell(waits);
            file.begun.get().unwrap().as_ref().unwrap().keep_now();
        };
        tell("n2, n3 (1 s)");
        tell("n2 (11 s)");
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
