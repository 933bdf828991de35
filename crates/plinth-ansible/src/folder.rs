//! The folder of one run: short, private, and gone afterwards. Ansible's configuration, the key, known hosts, facts, sockets.

use crate::program::CLIENT;
use plinth_world::{ClientError, ClientResult};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Longest folder of control sockets, bytes: the kernel takes 108 for a socket's name, and Ansible and OpenSSH add 28.
const LONGEST: usize = 79;
/// Folder of control sockets in a run's folder.
pub(super) const SOCKETS: &str = "c";
/// Socket of events in a run's folder.
pub(super) const EVENTS: &str = "events";
/// Written into the state directory: where the last run's folder is, so that one left by a killed run is cleared.
const NOTE: &str = "kubespray/run-folder";

/// The folder. Removed when dropped, unless it was handed over to the supervisor of a play.
pub(super) struct RunFolder {
    path: PathBuf,
    kept: bool,
}

impl RunFolder {
    /// Makes a new one, and clears what an earlier run of this site left.
    pub(super) fn make(state: &Path, doing: &str) -> ClientResult<Self> {
        let failed = |error: io::Error| {
            ClientError::new(CLIENT, doing)
                .happened(error.to_string())
                .attempt("see that the state directory is writable")
        };
        let note = state.join(NOTE);
        clear_old(&note);
        let path = places(state).into_iter().find_map(|place| begin(&place)).ok_or_else(|| no_place(doing))?;
        let folder = Self { path, kept: false };
        for name in [SOCKETS, "tmp", "facts", "home", "plugins", "collections"] {
            make(&folder.path.join(name)).map_err(failed)?;
        }
        plinth_world::private_file::write(&note, folder.path.to_string_lossy().as_bytes()).map_err(failed)?;
        Ok(folder)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A place in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Somebody else removes it now.
    pub(super) fn hand_over(&mut self) {
        self.kept = true;
    }

    /// Writes a file, mode 0600.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.join(name);
        plinth_world::private_file::write(&path, text.as_bytes())?;
        Ok(path)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.kept {
            let _gone_or_the_next_run_clears_it = fs::remove_dir_all(&self.path);
        }
    }
}

/// Only what looks like ours is removed, whatever the note says.
fn clear_old(note: &Path) {
    let Ok(text) = fs::read_to_string(note) else { return };
    let path = Path::new(text.trim());
    let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("plinth-"));
    if ours && path.is_absolute() && path.join(SOCKETS).is_dir() {
        let _left_for_the_next_run = fs::remove_dir_all(path);
    }
}

/// Folders in which a run's folder may be made, best first: in memory and the user's own.
fn places(state: &Path) -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let user = fs::metadata("/proc/self").map(|known| known.uid()).ok();
    let of_user = user.map(|user| PathBuf::from(format!("/run/user/{user}")));
    let of_root = (user == Some(0)).then(|| PathBuf::from("/run"));
    let own = [runtime, of_user, of_root].into_iter().flatten().filter(|path| is_own(path, user));
    own.chain([state.join("kubespray/run"), std::env::temp_dir()]).collect()
}

fn is_own(path: &Path, user: Option<u32>) -> bool {
    fs::metadata(path).is_ok_and(|known| known.is_dir() && Some(known.uid()) == user)
}

fn begin(place: &Path) -> Option<PathBuf> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let path = place.join(format!("plinth-{}", id.get(..12)?));
    let sockets = path.join(SOCKETS);
    let simple = path.to_str()?.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if !simple || sockets.as_os_str().len() > LONGEST {
        return None;
    }
    fs::create_dir_all(place).ok()?;
    make(&path).ok()?;
    Some(path)
}

/// A folder that was there before is none of ours.
fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

fn no_place(doing: &str) -> ClientError {
    let happened = format!("no folder with a short name can be made for the sockets of SSH: at most {LONGEST} bytes");
    ClientError::new(CLIENT, doing)
        .happened(happened)
        .attempt("set XDG_RUNTIME_DIR to a private folder with a short name")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_short_private_and_gone_afterwards_or_with_the_next() {
        let state = tempfile::tempdir().unwrap();
        let folder = RunFolder::make(state.path(), "trying").unwrap();
        let path = folder.path().to_path_buf();
        assert!(path.join(SOCKETS).as_os_str().len() <= LONGEST);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        drop(folder);
        assert!(!path.exists());
        let mut left = RunFolder::make(state.path(), "trying").unwrap();
        left.hand_over();
        let path = left.path().to_path_buf();
        drop(left);
        assert!(path.exists());
        drop(RunFolder::make(state.path(), "trying").unwrap());
        assert!(!path.exists(), "what a killed run left is cleared");
    }

    #[test]
    fn a_note_that_names_something_else_removes_nothing() {
        let state = tempfile::tempdir().unwrap();
        let other = state.path().join("precious");
        fs::create_dir_all(other.join(SOCKETS)).unwrap();
        let note = state.path().join("note");
        fs::write(&note, other.to_string_lossy().as_bytes()).unwrap();
        clear_old(&note);
        assert!(other.exists());
    }
}
