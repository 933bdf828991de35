//! What can go wrong with a journal.

use plinth_model::{Exit, Problem};
use std::path::{Path, PathBuf};

/// Why the journal could not be opened, read or written. Whatever it says, everything recorded before is intact.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk is full: nothing of the batch was written.
    #[error("the disk is full, so nothing more can be recorded")]
    Full {
        /// File of the journal.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("the file is not a plinth journal ({happened})")]
    NotAJournal {
        /// File that was taken for the journal.
        path: PathBuf,
        /// What was found instead.
        happened: String,
    },
    /// A later plinth wrote it.
    #[error("it has schema {found}; this plinth knows schemas up to {known}")]
    NewerSchema {
        /// File of the journal.
        path: PathBuf,
        /// Number that the file says.
        found: i64,
        /// Newest schema known.
        known: i64,
    },
    /// An event cannot be read, cannot have happened where it stands, or is missing.
    #[error("event {seq} does not hold: {happened}")]
    Broken {
        /// File of the journal.
        path: PathBuf,
        /// Sequence number of the first event that does not hold.
        seq: i64,
        /// What is wrong with it.
        happened: String,
    },
    /// Pages of the file are missing or unreadable.
    #[error("the file is damaged: {happened}")]
    Damaged {
        /// File of the journal.
        path: PathBuf,
        /// What the database said.
        happened: String,
    },
    /// Our own code wanted to record something that cannot have happened.
    #[error("{0}")]
    Impossible(#[from] super::Impossible),
    /// The site's lock is not ours any more.
    #[error("the site's lock was lost: {holder}")]
    LockLost {
        /// Who holds it now.
        holder: String,
    },
    /// The file is not there any more, or another one is.
    #[error("it was removed or replaced while it was in use")]
    Gone {
        /// File that the journal was in.
        path: PathBuf,
    },
    /// A scripted crash: see [`super::CrashAfter`].
    #[error("scripted crash after {records} records")]
    Crashed {
        /// Records that were durable.
        records: usize,
    },
    /// Anything else the file system or the database said.
    #[error("{happened}")]
    Storage {
        /// File of the journal.
        path: PathBuf,
        /// What it said.
        happened: String,
    },
}

impl JournalError {
    /// Sorts an error of the database.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => JournalError::Full { path },
            Some(ErrorCode::SystemIoFailure) if is_full(&path) => JournalError::Full { path },
            Some(ErrorCode::NotADatabase) => JournalError::NotAJournal { path, happened: error.to_string() },
            Some(ErrorCode::DatabaseCorrupt) => JournalError::Damaged { path, happened: error.to_string() },
            _ => JournalError::Storage { path, happened: error.to_string() },
        }
    }

    fn place(&self) -> String {
        match self {
            JournalError::Full { path }
            | JournalError::NotAJournal { path, .. }
            | JournalError::NewerSchema { path, .. }
            | JournalError::Broken { path, .. }
            | JournalError::Damaged { path, .. }
            | JournalError::Gone { path }
            | JournalError::Storage { path, .. } => path.display().to_string(),
            JournalError::Impossible(error) => format!("for {}", error.subject),
            JournalError::LockLost { .. } => "of a run that held the site's lock".to_owned(),
            JournalError::Crashed { .. } => "of this rehearsal".to_owned(),
        }
    }

    fn attempt(&self) -> &'static str {
        match self {
            JournalError::Full { .. } => {
                "make room, then run the same command again: it continues where the journal ends"
            }
            JournalError::NotAJournal { .. } => {
                "nothing was changed; move the file away, or name another --state directory"
            }
            JournalError::NewerSchema { .. } => "nothing was changed; use the plinth that wrote it, or a later one",
            JournalError::Broken { .. } | JournalError::Damaged { .. } => {
                "nothing was changed; restore the file from a backup, or move it away: every step is looked at again before \
                 it acts, only the guard against repeating steps that must happen once is lost"
            }
            JournalError::LockLost { .. } => "see `plinth status`; run again when the other run is over",
            JournalError::Crashed { .. } => "run again",
            JournalError::Gone { .. } => {
                "put the state directory back if you have it, then run the same command again: every step is looked at before it acts"
            }
            JournalError::Storage { .. } => "check that the state directory exists and is writable, then run again",
            JournalError::Impossible(_) => "please report this: it is a bug in plinth; the journal itself is intact",
        }
    }

    fn exit(&self) -> Exit {
        match self {
            JournalError::Full { .. } | JournalError::Gone { .. } | JournalError::Crashed { .. } => Exit::Partly,
            JournalError::LockLost { .. } => Exit::Locked,
            JournalError::Impossible(_) => Exit::Bug,
            JournalError::NotAJournal { .. }
            | JournalError::NewerSchema { .. }
            | JournalError::Broken { .. }
            | JournalError::Damaged { .. }
            | JournalError::Storage { .. } => Exit::Input,
        }
    }
}

/// Room below which an input or output error of the database means that there is none: the index of its log grows by 32 KiB, and when
/// that fails it speaks of an input or output error, not of a full disk (SQLite, "WAL-mode File Format" 2.1 and result code
/// `SQLITE_IOERR_SHMSIZE`).
const NO_ROOM: u64 = 64 * 1024;

fn is_full(journal: &Path) -> bool {
    let folder = journal.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    rustix::fs::statvfs(folder).is_ok_and(|known| known.f_bavail.saturating_mul(known.f_frsize) < NO_ROOM)
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        Problem::while_doing("using the journal")
            .to(error.place())
            .because(error.exit(), &error)
            .try_this(error.attempt())
    }
}
