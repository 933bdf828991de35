//! A note in the state directory that a helm of ours works on a release, until it ended well. It tells the next attempt whether that
//! helm still lives; and what it left half-done is known to be nobody's when it is gone. Every attempt has an id of its own, which
//! the records that its helm makes carry as a label: a record of the same number may be somebody else's.

use jiff::{SignedDuration, Timestamp};
use plinth_model::ReleaseName;
use plinth_world::helm::ReleaseRecord;
use plinth_world::{deadlines, private_file};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder of the notes, below the state directory.
const FOLDER: &str = "helm/running";
/// Label of a record: the attempt that made it.
pub(super) const ATTEMPT: &str = "plinth-attempt";
/// Label by which a person says that nobody is at work on an open record. Its value is the revision: helm hands labels on.
pub(super) const ABANDONED: &str = "plinth-abandoned";
/// Attempts that are remembered beside the last one.
const EARLIER: usize = 8;
/// No such process (ESRCH).
const GONE: i32 = 3;
/// Clocks of one machine, read by two programs of which one cuts off the second's parts.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// What an attempt is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// Never the same twice. None: this machine gives no random numbers, so nothing can be known by it.
    pub(super) id: Option<String>,
    work: Work,
    /// The revision that it makes, or, of an uninstallation, that it marks.
    pub(super) revision: u32,
    /// When it was begun.
    began: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Work {
    Upgrade,
    Rollback,
    Uninstall,
}

impl Attempt {
    /// An installation or upgrade that makes this revision.
    pub(super) fn to_upgrade(revision: u32, began: Timestamp) -> Self {
        Self { id: new_id(), work: Work::Upgrade, revision, began }
    }

    /// A rollback that makes this revision.
    pub(super) fn to_roll_back(revision: u32, began: Timestamp) -> Self {
        Self { id: new_id(), work: Work::Rollback, revision, began }
    }

    /// An uninstallation that finds this newest revision.
    pub(super) fn to_uninstall(revision: u32, began: Timestamp) -> Self {
        Self { id: new_id(), work: Work::Uninstall, revision, began }
    }

    /// Whether this open record is of this attempt. A rollback and an uninstallation give no labels: they mark their record right after
    /// their start, so one that was marked then is its own.
    pub(super) fn made(&self, record: &ReleaseRecord) -> bool {
        let labelled = |id: &String| record.labels.iter().any(|(key, value)| key == ATTEMPT && value == id);
        let begun = || {
            let soon = SignedDuration::try_from(deadlines::HELM_MARKS).unwrap_or_default();
            let after = record.written.duration_since(self.began);
            (-SAME_MOMENT..=soon).contains(&after)
        };
        let own = match self.work {
            Work::Upgrade => record.status.starts_with("pending-") && self.id.as_ref().is_some_and(labelled),
            Work::Rollback => record.status == "pending-rollback" && begun(),
            Work::Uninstall => record.status == "uninstalling" && begun(),
        };
        own && record.revision == self.revision
    }
}

/// What is written in a note.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) attempt: Attempt,
    /// Attempts before it that did not end well either, oldest first: what one of them left open may not have been put right.
    #[serde(default)]
    earlier: Vec<Attempt>,
    /// Which machine, since it was last started, and which of its process tables.
    place: String,
    process: u32,
    /// When the process started, in ticks since the machine did: numbers of processes come again.
    started: u64,
}

impl Note {
    /// The note of the attempt before, if it was made where its process can be looked for.
    ///
    /// # Errors
    /// When it cannot be seen whether there is one, as when this process has too many files open: that is not none.
    pub(super) fn read(state: &Path, release: &ReleaseName) -> io::Result<Option<Self>> {
        let Some(text) = private_file::read(&path(state, release))? else { return Ok(None) };
        let Ok(note) = serde_json::from_str::<Self>(&text) else { return Ok(None) };
        Ok((note.place == place()?).then_some(note))
    }

    /// Whether this open record is of this attempt or of one before.
    pub(super) fn made(&self, record: &ReleaseRecord) -> bool {
        self.earlier.iter().chain([&self.attempt]).any(|attempt| attempt.made(record))
    }

    /// The process, if it still lives.
    ///
    /// # Errors
    /// When that cannot be seen.
    pub(super) fn lives(&self) -> io::Result<Option<u32>> {
        Ok(begun(self.process)?.is_some_and(|begun| begun.lives && begun.at == self.started).then_some(self.process))
    }

    /// The process of the attempt before, if it still lives.
    ///
    /// # Errors
    /// When that cannot be seen.
    pub(super) fn living(state: &Path, release: &ReleaseName) -> io::Result<Option<u32>> {
        Self::read(state, release)?.map_or(Ok(None), |note| note.lives())
    }
}

/// A note that is ours to take away.
pub(super) struct Mark(Option<PathBuf>);

impl Mark {
    /// Written when the process has been started; one that has ended already may have left something open too. A state directory that
    /// cannot be written costs time after a crash, nothing else. The note of a process that lives is never replaced.
    pub(super) fn begin(state: &Path, release: &ReleaseName, process: Option<u32>, attempt: &Attempt) -> Self {
        if !matches!(Note::living(state, release), Ok(None)) {
            return Self(None);
        }
        let path = path(state, release);
        let earlier = Self::earlier(state, release);
        let note = process.and_then(|process| {
            Some(Note {
                attempt: attempt.clone(),
                earlier,
                place: place().ok()?,
                process,
                started: begun(process).ok()??.at,
            })
        });
        let text = note.and_then(|note| serde_json::to_vec(&note).ok());
        let written = text.is_some_and(|text| private_file::write(&path, &text).is_ok());
        Self(written.then_some(path))
    }

    /// The last attempts whose note is still there.
    fn earlier(state: &Path, release: &ReleaseName) -> Vec<Attempt> {
        let Ok(Some(Note { attempt, mut earlier, .. })) = Note::read(state, release) else { return Vec::new() };
        earlier.push(attempt);
        earlier.split_off(earlier.len().saturating_sub(EARLIER))
    }

    /// It left nothing half-done.
    pub(super) fn done(self) {
        if let Some(path) = self.0 {
            let _or_it_names_a_process_that_is_gone = private_file::remove(&path);
        }
    }
}

fn path(state: &Path, release: &ReleaseName) -> PathBuf {
    state.join(FOLDER).join(format!("{}.{}.json", release.namespace, release.name))
}

/// The kernel makes one at every reading.
fn new_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/uuid").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

fn place() -> io::Result<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let table = fs::read_link("/proc/self/ns/pid")?;
    Ok(format!("{} {}", boot.trim(), table.display()))
}

/// What the kernel says of a process.
struct Begun {
    /// Ticks since the machine started.
    at: u64,
    /// It has not ended; one that has stays until its parent asks how.
    lives: bool,
}

/// None: there is no such process.
fn begun(process: u32) -> io::Result<Option<Begun>> {
    let text = match fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(text) => text,
        // It may go between the opening and the reading.
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(GONE) => return Ok(None),
        Err(error) => return Err(error),
    };
    // The name, in brackets, may hold anything; the state comes behind it, and 19 fields later the start.
    let mut fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let lives = !matches!(fields.next(), Some("Z" | "X"));
    let said = fields.nth(18).ok_or_else(|| io::Error::other("its time of start is not told"))?;
    let at = said.parse().map_err(io::Error::other)?;
    Ok(Some(Begun { at, lives }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn release() -> ReleaseName {
        ReleaseName { namespace: "n".into(), name: "a".into() }
    }

    #[test]
    fn it_tells_who_lives_and_is_gone_with_its_work() {
        let (state, release) = (tempfile::tempdir().unwrap(), release());
        let attempt = Attempt::to_upgrade(2, Timestamp::now());
        let lives = || Note::read(state.path(), &release).unwrap().map(|note| note.lives().unwrap());
        assert_eq!(lives(), None);
        let ours = Mark::begin(state.path(), &release, Some(std::process::id()), &attempt);
        assert_eq!(lives(), Some(Some(std::process::id())));

        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Mark::begin(state.path(), &release, Some(child.id()), &Attempt::to_upgrade(3, Timestamp::now()));
        other.done();
        assert_eq!(lives(), Some(Some(std::process::id())), "the note of one that lives stays");
        ours.done();
        assert_eq!(lives(), None);

        let _mark = Mark::begin(state.path(), &release, Some(child.id()), &attempt);
        assert_eq!(lives(), Some(Some(child.id())));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(lives(), Some(None));
        assert_eq!(Note::read(state.path(), &release).unwrap().unwrap().attempt, attempt);
        let path = path(state.path(), &release);
        let elsewhere = fs::read_to_string(&path).unwrap().replace("pid:[", "pid:[9");
        fs::write(&path, elsewhere).unwrap();
        assert_eq!(lives(), None, "another machine's processes are not seen from here");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(Note::read(state.path(), &release).is_err(), "one that cannot be read is not none");
    }

    #[test]
    fn what_an_attempt_before_the_last_left_is_known_as_ours_too() {
        let (state, release, now) = (tempfile::tempdir().unwrap(), release(), Timestamp::now());
        let attempts: Vec<Attempt> = (1..12).map(|revision| Attempt::to_upgrade(revision, now)).collect();
        for attempt in &attempts {
            let mut child = std::process::Command::new("true").spawn().unwrap();
            let _left_open = Mark::begin(state.path(), &release, Some(child.id()), attempt);
            child.wait().unwrap();
        }
        let note = Note::read(state.path(), &release).unwrap().unwrap();
        let open = |attempt: &Attempt| ReleaseRecord {
            revision: attempt.revision,
            status: "pending-install".to_owned(),
            written: now,
            labels: attempt.id.iter().map(|id| (ATTEMPT.to_owned(), id.clone())).collect(),
            state: String::new(),
            settled: None,
        };
        let known: Vec<u32> = attempts.iter().filter(|one| note.made(&open(one))).map(|one| one.revision).collect();
        assert_eq!(known, (3..12).collect::<Vec<_>>(), "the last one and eight before it");
    }

    #[test]
    fn only_its_own_record_is_of_an_attempt() {
        let began: Timestamp = "2026-01-02T03:04:05.7Z".parse().unwrap();
        let record = |revision, status: &str, id: Option<&String>, after| ReleaseRecord {
            revision,
            status: status.to_owned(),
            written: began + SignedDuration::from_secs(after),
            labels: id.map(|id| (ATTEMPT.to_owned(), id.clone())).into_iter().collect(),
            state: String::new(),
            settled: None,
        };
        let upgrade = Attempt::to_upgrade(3, began);
        let id = upgrade.id.as_ref();
        assert!(upgrade.made(&record(3, "pending-upgrade", id, 1)));
        assert!(!upgrade.made(&record(3, "pending-upgrade", None, 1)), "somebody else's");
        let other = new_id();
        assert!(other != upgrade.id && !upgrade.made(&record(3, "pending-upgrade", other.as_ref(), 1)));
        assert!(!upgrade.made(&record(4, "pending-upgrade", id, 1)), "helm hands labels on to the next revision");
        assert!(!upgrade.made(&record(3, "uninstalling", id, 1)), "somebody takes it away meanwhile");
        let rollback = Attempt::to_roll_back(3, began);
        assert!(
            rollback.made(&record(3, "pending-rollback", other.as_ref(), 1)),
            "it has the labels of the old revision"
        );
        assert!(!rollback.made(&record(3, "pending-rollback", None, 3600)));
        assert!(
            !rollback.made(&record(3, "pending-upgrade", None, 1))
                && !rollback.made(&record(4, "pending-rollback", None, 1))
        );
        let uninstall = Attempt::to_uninstall(3, began);
        for (status, after, want) in [
            ("uninstalling", -1, true),
            ("uninstalling", 20, true),
            ("uninstalling", 3600, false),
            ("uninstalling", -9, false),
            ("pending-upgrade", 1, false),
        ] {
            assert_eq!(uninstall.made(&record(3, status, None, after)), want, "{status} {after}");
        }
        assert!(!uninstall.made(&record(4, "uninstalling", None, 1)));
    }
}
