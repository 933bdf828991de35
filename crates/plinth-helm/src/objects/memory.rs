//! What of a release was put right, and when. Who sets it again right behind that means it: a controller, or a pipeline of somebody. It is
//! told and left, since the next run would do no better.

use jiff::{SignedDuration, Timestamp};
use plinth_model::ReleaseName;
use plinth_world::{deadlines, private_file};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Folder of these notes, below the state directory.
const FOLDER: &str = "helm/put-right";
/// Notes of one release at most; the oldest go first.
const MOST: usize = 500;

/// One thing that was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// `Deployment a/b`.
    object: String,
    /// Empty: the object as a whole was made again.
    field: String,
    at: Timestamp,
}

/// All that is known of one release.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory(Vec<Note>);

impl Memory {
    /// What cannot be read is not known: at worst something is put right once more.
    pub(super) fn read(state: &Path, release: &ReleaseName) -> Self {
        let text = private_file::read(&path(state, release)).ok().flatten();
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Whether it was put right shortly before that moment.
    pub(super) fn is_fresh(&self, object: &str, field: &str, moment: Timestamp) -> bool {
        let is_it = |note: &&Note| note.object == object && note.field == field;
        self.0.iter().filter(is_it).any(|note| moment.duration_since(note.at) <= settles())
    }

    /// These were put right now.
    pub(super) fn remember(&mut self, things: impl IntoIterator<Item = (String, String)>, now: Timestamp) {
        for (object, field) in things {
            self.0.retain(|note| note.object != object || note.field != field);
            self.0.push(Note { object, field, at: now });
        }
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }

    /// Keeps it. A state directory that cannot be written costs a second repair, nothing else.
    pub(super) fn keep(&self, state: &Path, release: &ReleaseName) {
        if let Ok(text) = serde_json::to_vec(self) {
            let _or_it_is_put_right_once_more = private_file::write(&path(state, release), &text);
        }
    }
}

/// How long something may take to set its fields again.
pub(super) fn settles() -> SignedDuration {
    SignedDuration::try_from(deadlines::HELM_OBJECTS_SETTLE).unwrap_or_default()
}

fn path(state: &Path, release: &ReleaseName) -> PathBuf {
    state.join(FOLDER).join(format!("{}.{}.json", release.namespace, release.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_right_is_known_for_a_while_and_bounded() {
        let state = tempfile::tempdir().unwrap();
        let release = ReleaseName { namespace: "n".into(), name: "r".into() };
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut memory = Memory::read(state.path(), &release);
        memory.remember([("Service n/s".to_owned(), String::new())], now);
        memory.keep(state.path(), &release);
        let memory = Memory::read(state.path(), &release);
        assert!(memory.is_fresh("Service n/s", "", now + settles()));
        assert!(!memory.is_fresh("Service n/s", "", now + settles() + SignedDuration::from_secs(1)));
        assert!(!memory.is_fresh("Service n/s", "spec.type", now) && !memory.is_fresh("Service n/t", "", now));
        let mut many = Memory::default();
        many.remember((0..2 * MOST).map(|number| (number.to_string(), "f".to_owned())), now);
        assert!(many.0.len() == MOST && many.is_fresh(&(2 * MOST - 1).to_string(), "f", now));
        std::fs::write(path(state.path(), &release), "half a fi").unwrap();
        assert!(Memory::read(state.path(), &release).0.is_empty());
    }
}
