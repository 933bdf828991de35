//! The folder of one run of helm: private, on a disk of this machine, and gone afterwards. An empty one to work in, since Helm 3 takes a
//! folder that is named like a chart for the chart; another one for helm's own caches. The state directory may be on a network.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The folder. No secret is written into it.
pub(super) struct Folder {
    all: TempDir,
}

impl Folder {
    /// Makes a new one.
    pub(super) fn make() -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for place in places() {
            match begin(&place) {
                Ok(folder) => return Ok(folder),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Empty, to work in.
    pub(super) fn work(&self) -> PathBuf {
        self.all.path().join("work")
    }

    /// For helm's caches and settings.
    pub(super) fn homes(&self) -> PathBuf {
        self.all.path().join("homes")
    }
}

fn begin(place: &Path) -> io::Result<Folder> {
    let private = Permissions::from_mode(0o700);
    let folder =
        Folder { all: tempfile::Builder::new().prefix("plinth-helm-").permissions(private).tempdir_in(place)? };
    for path in [folder.work(), folder.homes()] {
        DirBuilder::new().mode(0o700).create(path)?;
    }
    Ok(folder)
}

/// The user's own folder in memory, else the one for temporary files.
fn places() -> Vec<PathBuf> {
    let user = fs::metadata("/proc/self").map(|known| known.uid()).ok();
    let of_user = user.map(|user| PathBuf::from(format!("/run/user/{user}")));
    let own = of_user.filter(|path| fs::metadata(path).is_ok_and(|known| known.is_dir() && Some(known.uid()) == user));
    own.into_iter().chain([std::env::temp_dir()]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_empty_and_gone_afterwards() {
        let folder = Folder::make().unwrap();
        let path = folder.all.path().to_path_buf();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder.work()).unwrap().count(), 0);
        drop(folder);
        assert!(!path.exists());
    }
}
