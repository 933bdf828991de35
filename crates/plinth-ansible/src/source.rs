//! Kubespray's source: from git, a tarball or a folder, proved by its tree id, laid out as a whole or not at all, and never
//! written to afterwards.

use crate::program::{self, CLIENT, FailureLogs, Hidden};
use crate::tree::tree_id;
use flate2::read::GzDecoder;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRelease;
use plinth_world::private_file;
use plinth_world::{ClientError, ClientResult, Context, deadlines, files};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Largest tarball, unpacked, bytes. v2.27.1 has 14 MB.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Sources of a site.
pub(super) struct Sources {
    /// Where they are kept.
    folder: PathBuf,
    /// Where relative names of the site file start.
    site: PathBuf,
    hidden: Hidden,
    logs: FailureLogs,
}

/// Written beside a source when it was proved.
#[derive(Serialize, Deserialize)]
struct Mark {
    commit: String,
    tree: String,
    from: String,
}

/// Where a source comes from.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    Git(String),
    Tarball(PathBuf),
    Folder(PathBuf),
}

impl Sources {
    /// Below a state directory.
    pub(super) fn new(state: &Path, site: &Path, hidden: Hidden, logs: FailureLogs) -> Self {
        Self { folder: state.join("kubespray/source"), site: site.to_path_buf(), hidden, logs }
    }

    pub(super) fn folder(&self, release: &KubesprayRelease) -> ClientResult<PathBuf> {
        if private_file::is_file_name(release.tag.as_str()) {
            return Ok(self.folder.join(release.tag.as_str()));
        }
        let happened = format!("`{}` is no name for a folder", release.tag);
        Err(ClientError::new(CLIENT, "finding the source of Kubespray")
            .happened(happened)
            .attempt("check kubernetes.kubespray.version"))
    }

    fn mark(&self, release: &KubesprayRelease) -> PathBuf {
        self.folder.join(format!("{}.json", release.tag))
    }

    /// Commit and tree of what is here. The commit is that of the mark: files have none.
    pub(super) async fn seen(&self, release: &KubesprayRelease) -> ClientResult<Option<(String, String)>> {
        let (folder, mark) = (self.folder(release)?, self.mark(release));
        let look = move || -> io::Result<Option<(String, String)>> {
            if !folder.exists() {
                return Ok(None);
            }
            let tree = tree_id(&folder)?;
            let mark: Option<Mark> = fs::read(&mark).ok().and_then(|text| serde_json::from_slice(&text).ok());
            Ok(Some((mark.map_or_else(|| "unknown".to_owned(), |mark| mark.commit), tree)))
        };
        let doing = format!("looking at the source of Kubespray {}", release.tag);
        blocking(look).await.map_err(|error| failed(&doing, &error))
    }

    /// Fetches, proves, lays out.
    pub(super) async fn fetch(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()> {
        let goal = self.folder(release)?;
        if self.seen(release).await? == Some((release.commit.clone(), release.tree.clone())) {
            return Ok(());
        }
        let doing = format!("fetching Kubespray {} from {}", release.tag, release.source);
        ctx.progress(0, 0, doing.clone());
        private_file::make_directory(&self.folder).map_err(|error| failed(&doing, &error))?;
        let new = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.folder).map_err(|e| failed(&doing, &e))?;
        let unpacked = new.path().join("tree");
        let commit = match self.origin(&release.source, &doing)? {
            Origin::Git(address) => Some(self.clone_tag(&address, release, &unpacked, &doing).await?),
            Origin::Tarball(file) => unpack(file, unpacked.clone(), &doing).await?,
            Origin::Folder(folder) => self.take_folder(&folder, release, &unpacked, &doing).await?,
        };
        let path = unpacked.clone();
        let tree = blocking(move || tree_id(&path)).await.map_err(|error| failed(&doing, &error))?;
        prove(release, commit.as_deref(), &tree, &doing)?;
        let mark = Mark { commit: release.commit.clone(), tree, from: release.source.clone() };
        self.lay_out(release, &mark, &unpacked, &goal).map_err(|error| failed(&doing, &error))
    }

    /// The mark comes first: a folder that is there has one.
    fn lay_out(&self, release: &KubesprayRelease, mark: &Mark, unpacked: &Path, goal: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(mark).map_err(io::Error::other)?;
        files::write_whole(&self.mark(release), &text)?;
        if goal.exists() {
            fs::remove_dir_all(goal)?;
        }
        fs::rename(unpacked, goal)
    }

    fn origin(&self, source: &str, doing: &str) -> ClientResult<Origin> {
        let local = source.strip_prefix("file://").unwrap_or(source);
        let path = plinth_world::files::named(&self.site, local);
        if path.is_file() {
            return Ok(Origin::Tarball(path));
        }
        if path.is_dir() {
            return Ok(Origin::Folder(path));
        }
        if source.contains("://") || source.split_once(':').is_some_and(|(host, _)| host.contains('@')) {
            return Ok(Origin::Git(source.to_owned()));
        }
        let happened = format!("{} is neither a git address, nor a tarball, nor a folder", path.display());
        Err(ClientError::new(CLIENT, doing)
            .happened(happened)
            .attempt("check kubernetes.kubespray.source; relative names start at the site file"))
    }

    /// A folder with history is asked for the tag, so that what lies about in it does not matter; else it is copied as it is.
    async fn take_folder(
        &self,
        folder: &Path,
        release: &KubesprayRelease,
        goal: &Path,
        doing: &str,
    ) -> ClientResult<Option<String>> {
        let history = folder.join(".git").exists() || folder.join("objects").is_dir();
        if history && program::which("git").is_some() {
            let address = format!("file://{}", folder.display());
            if let Ok(commit) = self.clone_tag(&address, release, goal, doing).await {
                return Ok(Some(commit));
            }
            let stale = goal.to_path_buf();
            blocking(move || if stale.exists() { fs::remove_dir_all(stale) } else { Ok(()) })
                .await
                .map_err(|error| failed(doing, &error))?;
        }
        let (from, to) = (folder.to_path_buf(), goal.to_path_buf());
        blocking(move || copy(&from, &to, 0)).await.map_err(|error| failed(doing, &error))?;
        Ok(None)
    }

    /// One tag without its history; answers its commit.
    async fn clone_tag(
        &self,
        address: &str,
        release: &KubesprayRelease,
        goal: &Path,
        doing: &str,
    ) -> ClientResult<String> {
        if program::which("git").is_none() {
            let text = "the program `git` is not on this machine";
            let finding = Finding::error(code::KUBESPRAY_NO_GIT, release.tag.as_str(), text)
                .evidence(format!("source: {address}"))
                .fix("install the package `git`, or name a tarball or a folder as kubernetes.kubespray.source");
            return Err(ClientError::new(CLIENT, doing).happened(text).attempt(finding.fix.clone()).finding(finding));
        }
        fs::create_dir_all(goal).map_err(|error| failed(doing, &error))?;
        let tag = format!("refs/tags/{}", release.tag);
        self.git(goal, &["init", "--quiet"], doing).await?;
        self.git(goal, &["fetch", "--quiet", "--depth", "1", "--no-tags", "--", address, &tag], doing).await?;
        let commit = self.git(goal, &["rev-parse", "FETCH_HEAD^{commit}"], doing).await?.trim().to_owned();
        self.git(goal, &["-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", &commit], doing).await?;
        fs::remove_dir_all(goal.join(".git")).map_err(|error| failed(doing, &error))?;
        Ok(commit)
    }

    async fn git(&self, folder: &Path, arguments: &[&str], doing: &str) -> ClientResult<String> {
        let mut command = program::command("git", &self.hidden);
        command.current_dir(folder).args(["-c", "core.autocrlf=false", "-c", "core.fileMode=true"]).args(arguments);
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let ended = program::run(command, doing, deadlines::KUBESPRAY_FETCH).await?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let happened = format!("git said: {}", ended.complaint().join("; "));
        let attempt = "see that the address answers from here (proxy, mirror), or name a tarball or folder as kubernetes.kubespray.source";
        let failure = self.logs.failure(&ended);
        let error = ClientError::new(CLIENT, doing).happened(happened).attempt(attempt).failure(failure);
        Err(error.transient("a network may come back"))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn failed(doing: &str, error: &io::Error) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(error.to_string())
        .attempt("see that the state directory is writable and has room")
}

/// A tarball with one folder at its top, as releases have, or without one.
async fn unpack(file: PathBuf, goal: PathBuf, doing: &str) -> ClientResult<Option<String>> {
    let work = move || -> io::Result<()> {
        let packed = fs::File::open(&file)?;
        let mut archive = tar::Archive::new(io::Read::take(GzDecoder::new(packed), LARGEST));
        archive.set_preserve_mtime(false);
        let aside = goal.with_extension("unpacked");
        fs::create_dir_all(&aside)?;
        archive.unpack(&aside)?;
        let entries: Vec<PathBuf> =
            fs::read_dir(&aside)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        match entries.as_slice() {
            [only] if only.is_dir() => fs::rename(only, &goal),
            _ => fs::rename(&aside, &goal),
        }
    };
    blocking(work).await.map_err(|error| failed(doing, &error))?;
    Ok(None)
}

fn copy(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, goal) = (entry.file_type()?, to.join(entry.file_name()));
        if depth == 0 && entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &goal, depth + 1)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, goal)?;
        } else {
            fs::copy(entry.path(), goal)?;
        }
    }
    Ok(())
}

/// Compares with the pins. A commit is compared where there is one.
fn prove(release: &KubesprayRelease, commit: Option<&str>, tree: &str, doing: &str) -> ClientResult<()> {
    if tree == release.tree && commit.is_none_or(|commit| commit == release.commit) {
        return Ok(());
    }
    let text = format!("the source of Kubespray {} is not the pinned one", release.tag);
    let finding = Finding::error(code::KUBESPRAY_SOURCE_DIFFERS, release.tag.as_str(), &text)
        .evidence(format!("commit: {}; pinned {}", commit.unwrap_or("not known"), release.commit))
        .evidence(format!("tree: {tree}; pinned {}", release.tree))
        .evidence(format!("source: {}", release.source))
        .fix("do not use this source: its tag was moved, or files in it were changed; name another kubernetes.kubespray.source");
    Err(ClientError::new(CLIENT, doing).happened(text).attempt(finding.fix.clone()).finding(finding))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
