//! Kubeconfigs of people, on this machine: changed as a whole, under the lock that kubectl takes too.

use crate::config::{ConfigError, KubeconfigFile};
use plinth_world::deadlines;
use plinth_world::files;
use plinth_world::private_file;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Largest kubeconfig that is read, bytes: hundreds of clusters.
const LARGEST: usize = 16 * 1024 * 1024;

/// Why a kubeconfig of a person could not be read or changed. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The file, its folder or its lock.
    #[error("{0}")]
    File(#[from] io::Error),
    /// What it holds.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Another program holds the lock.
    #[error("another program is changing it: {0} is there")]
    Locked(String),
}

impl KubeconfigFile {
    /// Reads the file; none when it is not there.
    ///
    /// # Errors
    /// When it cannot be read, or is no kubeconfig.
    pub fn read(path: &Path) -> Result<Option<Self>, PlaceError> {
        match files::read_up_to(path, LARGEST) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| ConfigError::Unusable("it is not text".to_owned()))?;
                Ok(Some(Self::parse(&text)?))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes it as a whole, mode 0600; a link is followed.
    ///
    /// # Errors
    /// When it cannot be written; the file is as it was then.
    pub fn write(&self, path: &Path) -> Result<(), PlaceError> {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        Ok(private_file::write(&real, self.text()?.expose().as_bytes())?)
    }

    /// Puts this site's entries into a person's kubeconfig; makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be read or written, another program is changing it, or entries of that name are not plinth's.
    pub fn merge_into(&self, path: &Path, site: &str, force: bool) -> Result<(), PlaceError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_file::make_directory(folder)?;
        }
        let _held = Lock::take(path)?;
        let mut theirs = Self::read(path)?.unwrap_or_else(Self::empty);
        theirs.merge(self, site, force)?;
        theirs.write(path)
    }
}

/// A file beside the kubeconfig; whoever makes it may change the kubeconfig.
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> Result<Self, PlaceError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let (lock, began) = (PathBuf::from(name), Instant::now());
        loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
                Err(_) if began.elapsed() > deadlines::KUBECONFIG_LOCK => {
                    return Err(PlaceError::Locked(lock.display().to_string()));
                }
                Err(_) => std::thread::sleep(deadlines::KUBECONFIG_LOCK_PAUSE),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Without it the next program waits, then names the file.
        let _gone = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn ours() -> KubeconfigFile {
        let text = "clusters: [{name: a, cluster: {certificate-authority-data: Q0E=, server: x}}]\n\
                    users: [{name: a, user: {token: t}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n";
        KubeconfigFile::parse(text).unwrap().for_site("site", "https://10.0.0.1:6443").unwrap()
    }

    #[test]
    fn a_merge_makes_the_file_and_keeps_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("new/config"));
        ours().merge_into(&link, "site", false).unwrap();
        assert_eq!(fs::metadata(&link).unwrap().permissions().mode() & 0o777, 0o600);
        fs::rename(&link, &real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        ours().merge_into(&link, "site", false).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1, "no lock is left");
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let sites: Vec<String> = (0..8).map(|n| format!("site-{n}")).collect();
        std::thread::scope(|scope| {
            for site in &sites {
                let path = &path;
                scope.spawn(move || {
                    let text = ours().text().unwrap();
                    let mine = KubeconfigFile::parse(text.expose()).unwrap().for_site(site, "https://x:6443").unwrap();
                    mine.merge_into(path, site, false).unwrap();
                });
            }
        });
        let text = fs::read_to_string(&path).unwrap();
        assert!(sites.iter().all(|site| text.matches(&format!("name: {site}")).count() == 3), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_understood_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        for content in [&b"- not a kubeconfig"[..], b"\xff\xfe"] {
            fs::write(&path, content).unwrap();
            assert!(matches!(ours().merge_into(&path, "site", true), Err(PlaceError::Config(_))));
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
