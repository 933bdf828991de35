//! A socket in the file system that only its owner may use. It goes away with whoever made it, and no other one does.

use plinth_model::Problem;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// The socket; dropping it removes its file.
pub(super) struct OwnSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of its file: by now another server's may be at the path.
    file: Option<(u64, u64)>,
}

impl OwnSocket {
    /// Makes it, in the place of one of ours that nobody serves any more.
    ///
    /// # Errors
    /// When something else is there: no socket, one that is served, or one of another user; or the folder is not ours.
    pub(super) async fn open(path: &Path) -> Result<Self, Problem> {
        let failed = |error: String| {
            Problem::while_doing("serving the page at")
                .to(path.display())
                .wrong_input(error)
                .try_this("choose another path with `--socket`, in a folder that is yours")
        };
        make_room(path).await.map_err(failed)?;
        let listener = UnixListener::bind(path).map_err(|error| failed(error.to_string()))?;
        let made = Self { listener, path: path.to_owned(), file: file_at(path) };
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, private).map_err(|error| failed(error.to_string()))?;
        Ok(made)
    }

    pub(super) async fn accept(&self) -> std::io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        // The inode is not given to another file while this listener is open.
        if self.file.is_some() && file_at(&self.path) == self.file {
            let _gone_already = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that a server of ours left behind. Only a refusal says that nobody serves there: another error may be that we must not
/// ask.
async fn make_room(path: &Path) -> Result<(), String> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err("there is something that is no socket".to_owned());
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err("somebody serves there already".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != ErrorKind::ConnectionRefused => {
            Err(format!("there is a socket, and whether somebody serves there cannot be told: {error}"))
        }
        Err(_) if own_user() != found.uid() => Err("there is a socket of another user".to_owned()),
        Err(_) => std::fs::remove_file(path).map_err(|error| error.to_string()),
    }
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|file| (file.dev(), file.ino())).ok()
}

/// The user that this process is.
pub(super) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}
