//! Logs of one run, and pieces of them, for who reads from afar. Which files these are is decided by the run and by what lies in the state
//! directory, never by whoever asks; no symbolic link is followed below it.

use super::{attribute_to, begun, of_programs, unreadable};
use plinth_model::run::{LogFile, LogOf, Logs, logs};
use plinth_model::{Problem, RunView, StepId};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What stands there; less than was asked for only at the end of the log.
    pub bytes: Vec<u8>,
    /// Bytes of the whole log, at this moment.
    pub size: u64,
}

/// Logs of the programs that steps of one run started, oldest first: those that its failures name, and those that were begun while one of
/// its steps was in flight. Logs that are not kept any more are left out.
///
/// # Errors
/// When a folder of logs cannot be read; one that is not there holds none.
pub fn of_run(directory: &Path, view: &RunView) -> Result<Logs, Problem> {
    let all = |logs| Logs { schema: logs::SCHEMA, directory: directory.display().to_string(), logs };
    let Some(run) = view.run.as_ref().map(|head| head.run.as_str()) else { return Ok(all(Vec::new())) };
    let mut found = Vec::new();
    for (mut some, fits) in of_programs(directory)? {
        attribute_to(&mut some, run, view, fits);
        found.extend(some);
    }
    for (step, path) in named(view) {
        // The run names its logs by the folder that it was given, which may have another name here: the time is in theirs.
        match found.iter_mut().find(|log| Path::new(&log.path).file_name() == path.file_name()) {
            Some(log) => (log.run, log.step) = (Some(run.to_owned()), Some(step.clone())),
            None => found.extend(elsewhere(directory, path, (run, step))),
        }
    }
    found.retain(|log| log.run.is_some());
    found.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    Ok(all(found))
}

/// Steps of the run with the logs that they name.
fn named(view: &RunView) -> impl Iterator<Item = (&StepId, &Path)> {
    view.steps.iter().filter_map(|(id, step)| Some((id, Path::new(step.failure.as_ref()?.log.as_deref()?))))
}

/// A log that the run names and that lies in another folder of the state directory; none where it is not in there.
fn elsewhere(directory: &Path, path: &Path, (run, step): (&str, &StepId)) -> Option<LogFile> {
    let below = path.strip_prefix(directory).ok()?;
    let size = opened(directory, below).ok()?.metadata().ok()?.len();
    let name = path.file_name()?.to_string_lossy().into_owned();
    let (at, path) = (begun(&name), path.display().to_string());
    let (run, step) = (Some(run.to_owned()), Some(step.clone()));
    Some(LogFile { name, path, of: LogOf::Play, size, at, run, step, failed: Vec::new() })
}

/// `most` bytes of a log at most, from this place on; from behind its end on there is nothing.
///
/// # Errors
/// When it is not there any more, is no plain file in the state directory, or cannot be read.
pub fn piece(directory: &Path, log: &LogFile, from: u64, most: usize) -> Result<Piece, Problem> {
    let failed = |error: io::Error| unreadable(&log.path, &error);
    let outside = || io::Error::new(io::ErrorKind::NotFound, "it is not in the state directory");
    let below = Path::new(&log.path).strip_prefix(directory).map_err(|_| failed(outside()))?;
    let mut file = opened(directory, below).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Piece { bytes, size })
}

/// Opens a plain file below a folder, folder by folder, so that no symbolic link leads elsewhere.
fn opened(directory: &Path, below: &Path) -> io::Result<File> {
    let strange = || io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file in the state directory");
    let names: Vec<PathBuf> = below
        .components()
        .map(|part| if let Component::Normal(name) = part { Ok(PathBuf::from(name)) } else { Err(strange()) })
        .collect::<io::Result<_>>()?;
    let (name, folders) = names.split_last().ok_or_else(strange)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mut folder: OwnedFd = openat(CWD, directory, flags | OFlags::DIRECTORY, Mode::empty())?;
    for next in folders {
        folder = openat(&folder, next, flags | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
    }
    // A FIFO would be waited for.
    let file = File::from(openat(&folder, name, flags | OFlags::NOFOLLOW | OFlags::NONBLOCK, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(strange()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::run::{CommandFailure, RunHead, StepEnd};
    use plinth_model::{Digest, Event, EventBody, SiteName, Stage, StepState};
    use std::fs;
    use std::os::unix::fs::symlink;

    const HELM: &str = "20261129T001305.120Z-gpu-operator.log";

    /// A run in which these steps failed, and named these logs.
    fn view(failed: &[(&str, &Path)]) -> RunView {
        let head = RunHead::new("run-1", Digest::of(""), SiteName::new("lab").unwrap());
        let ends = failed.iter().map(|(step, log)| {
            let step = StepId::try_from((*step).to_owned()).unwrap();
            let log = Some(log.display().to_string());
            let failure = Some(Box::new(CommandFailure { log, ..CommandFailure::default() }));
            EventBody::from(StepEnd { failure, ..StepEnd::new(step, Stage::Platform, StepState::Failed) })
        });
        let bodies = std::iter::once(EventBody::RunStarted(head)).chain(ends);
        let at = "2026-11-29T00:13:00Z".parse().unwrap();
        let events = bodies.zip(1..).map(|(body, seq)| Event { seq, after: Some(seq - 1), at, body });
        RunView::of(&events.collect::<Vec<_>>())
    }

    fn names(found: &[LogFile]) -> Vec<(&str, &str)> {
        found.iter().map(|log| (log.name.as_str(), log.step.as_ref().unwrap().as_str())).collect()
    }

    #[test]
    fn a_run_has_the_logs_that_it_names_and_no_others() {
        let state = tempfile::tempdir().unwrap();
        let (helm, other) = (state.path().join(plinth_helm::LOGS), state.path().join("nodes/logs"));
        fs::create_dir_all(&helm).unwrap();
        fs::create_dir_all(&other).unwrap();
        fs::write(helm.join(HELM), "Error: UPGRADE FAILED").unwrap();
        fs::write(helm.join("20261129T001306.120Z-other.log"), "of another run").unwrap();
        fs::write(other.join("20261129T001307.120Z-storage.log"), "no space left").unwrap();
        fs::write(state.path().join("plinth.log"), "of all runs").unwrap();
        let gone = other.join("20261129T001308.120Z-gone.log");
        let run = view(&[
            ("platform/release/gpu-operator", &Path::new("/elsewhere").join(HELM)),
            ("nodes/storage/dgx-05", &other.join("20261129T001307.120Z-storage.log")),
            ("nodes/storage/dgx-06", &gone),
            ("nodes/storage/dgx-07", Path::new("/etc/passwd")),
            ("nodes/storage/dgx-08", &state.path().join("nodes/../../escaped.log")),
        ]);
        let found = of_run(state.path(), &run).unwrap().logs;
        assert_eq!(
            names(&found),
            [(HELM, "platform/release/gpu-operator"), ("20261129T001307.120Z-storage.log", "nodes/storage/dgx-05")]
        );
        assert!(of_run(state.path(), &RunView::default()).unwrap().logs.is_empty());
    }

    #[test]
    fn a_piece_is_read_from_any_place_and_never_through_a_link() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("logs");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a.log"), "0123456789").unwrap();
        fs::write(state.path().join("secret"), "a key").unwrap();
        symlink("../secret", folder.join("b.log")).unwrap();
        symlink("logs", state.path().join("linked")).unwrap();
        let log = |path: PathBuf| LogFile {
            name: String::new(),
            path: path.display().to_string(),
            of: LogOf::Play,
            size: 0,
            at: None,
            run: None,
            step: None,
            failed: Vec::new(),
        };
        let read = |name: &str, from, most| piece(state.path(), &log(state.path().join(name)), from, most);
        assert_eq!(read("logs/a.log", 2, 3).unwrap(), Piece { bytes: b"234".to_vec(), size: 10 });
        assert_eq!(read("logs/a.log", 8, 30).unwrap().bytes, b"89");
        assert_eq!(read("logs/a.log", 99, 3).unwrap(), Piece { bytes: Vec::new(), size: 10 });
        for refused in ["logs/b.log", "linked/a.log", "logs", "logs/../secret", "none.log"] {
            assert!(read(refused, 0, 9).is_err(), "{refused}");
        }
        assert!(piece(state.path(), &log("/etc/hostname".into()), 0, 9).is_err());
        let fifo = folder.join("fifo.log");
        rustix::fs::mkfifoat(CWD, &fifo, Mode::RUSR).unwrap();
        assert!(read("logs/fifo.log", 0, 9).is_err(), "nobody waits for it");
    }
}
