//! A note in the state directory that a helm of ours works on a release, until it ended well. It tells the next one whether that helm
//! still lives: if not, what it left half-done is known to be nobody's.

use plinth_model::ReleaseName;
use plinth_world::private_file;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Folder of the notes, below the state directory.
const FOLDER: &str = "helm/running";

/// The note.
pub(super) struct Mark(Option<PathBuf>);

/// What is written in it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The revision that it makes.
    revision: u32,
    /// Which machine, since it was last started, and which of its process tables.
    place: String,
    /// The process.
    process: u32,
    /// When the process started, in ticks since the machine did: numbers of processes come again.
    started: u64,
}

/// What is known of whoever began a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// A helm of ours that still lives, as this process.
    Lives(u32),
    /// A helm of ours that is gone.
    Gone,
    /// Somebody else, or ours on another machine.
    Unknown,
}

impl Mark {
    /// Written when the process has been started. A state directory that cannot be written costs time after a crash, nothing else.
    pub(super) fn begin(state: &Path, release: &ReleaseName, process: Option<u32>, revision: u32) -> Self {
        let path = path(state, release);
        let note =
            process.and_then(|process| Some(Note { revision, place: place()?, process, started: started(process)? }));
        let text = note.and_then(|note| serde_json::to_vec(&note).ok());
        let written = text.is_some_and(|text| private_file::write(&path, &text).is_ok());
        Self(written.then_some(path))
    }

    /// It ended well.
    pub(super) fn done(self) {
        if let Some(path) = self.0 {
            let _or_it_names_a_process_that_is_gone = private_file::remove(&path);
        }
    }

    /// Who made this revision.
    pub(super) fn maker(state: &Path, release: &ReleaseName, revision: u32) -> Maker {
        let text = private_file::read(&path(state, release)).ok().flatten();
        let note = text.and_then(|text| serde_json::from_str::<Note>(&text).ok());
        match note {
            Some(note) if note.revision == revision && Some(&note.place) == place().as_ref() => {
                if started(note.process) == Some(note.started) { Maker::Lives(note.process) } else { Maker::Gone }
            }
            _ => Maker::Unknown,
        }
    }
}

fn path(state: &Path, release: &ReleaseName) -> PathBuf {
    state.join(FOLDER).join(format!("{}.{}.json", release.namespace, release.name))
}

fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let table = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), table.display()))
}

/// None: there is no such process.
fn started(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything; the state comes behind it, and 19 fields later the start.
    let rest = text.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace();
    let dead = matches!(fields.next(), Some("Z" | "X"));
    fields.nth(18).filter(|_| !dead)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_who_lives_and_is_gone_with_its_work() {
        let state = tempfile::tempdir().unwrap();
        let release = ReleaseName { namespace: "n".into(), name: "a".into() };
        let maker = |revision| Mark::maker(state.path(), &release, revision);
        assert_eq!(maker(2), Maker::Unknown);
        let mark = Mark::begin(state.path(), &release, Some(std::process::id()), 2);
        assert_eq!((maker(2), maker(3)), (Maker::Lives(std::process::id()), Maker::Unknown));
        mark.done();
        assert_eq!(maker(2), Maker::Unknown);

        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let _mark = Mark::begin(state.path(), &release, Some(child.id()), 3);
        assert_eq!(maker(3), Maker::Lives(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(maker(3), Maker::Gone);
        let path = path(state.path(), &release);
        let elsewhere = fs::read_to_string(&path).unwrap().replace("pid:[", "pid:[9");
        fs::write(&path, elsewhere).unwrap();
        assert_eq!(maker(3), Maker::Unknown, "another machine's processes are not seen from here");
    }
}
