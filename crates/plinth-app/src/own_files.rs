//! Files that plinth writes into a folder that people named: only those that it wrote itself are ever written over.
//!
//! A list in the folder says which these are, each with the digest of what was written. A file that is not on it, or that somebody
//! changed since, is theirs and is left alone; so are symbolic links and what is no plain file.

use plinth_model::{Digest, Problem};
use plinth_world::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

const LIST: &str = ".plinth-files.json";
/// Largest file that is compared, bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// A folder for output.
pub struct OwnFiles {
    folder: PathBuf,
    /// What plinth wrote here.
    list: List,
}

#[derive(Default, Serialize, Deserialize)]
struct List {
    schema: u32,
    /// What was written, by name.
    files: BTreeMap<String, Written>,
}

/// Digests by which a file is known for ours.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    /// Of what was written.
    One(Digest),
    /// Until it is written: of what was there before, and of what comes. Whichever of them is there when plinth is killed or the disk is
    /// full, it is ours.
    Either(Vec<Digest>),
}

impl Written {
    fn is(&self, there: &Digest) -> bool {
        match self {
            Self::One(written) => written == there,
            Self::Either(all) => all.contains(there),
        }
    }

    /// The same, or this one.
    fn or(written: Option<Self>, comes: Digest) -> Self {
        let mut all = match written {
            None => Vec::new(),
            Some(Self::One(before)) => vec![before],
            Some(Self::Either(all)) => all,
        };
        all.push(comes);
        Self::Either(all)
    }
}

impl OwnFiles {
    /// Opens a folder; it need not be there. A list that cannot be read counts as none: then everything there is somebody's.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let list = match std::fs::symlink_metadata(folder.join(LIST)) {
            Ok(found) if found.is_file() => files::read_up_to(&folder.join(LIST), LARGEST).ok(),
            _ => None,
        };
        let list = list.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { folder: folder.to_path_buf(), list }
    }

    /// Refuses when a file of one of these names is somebody else's. Asked before anything is written.
    ///
    /// # Errors
    /// When one is somebody else's: the first such file.
    pub fn may_write<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), Problem> {
        names.into_iter().try_for_each(|name| self.is_ours(name).map_err(|happened| self.refused(name, happened)))
    }

    /// Writes files, each as a whole, and keeps the list. Answers where they are.
    ///
    /// # Errors
    /// When one of them is somebody else's (nothing is written then), or the folder cannot be written.
    pub fn write(mut self, texts: &[(String, String)]) -> Result<Vec<PathBuf>, Problem> {
        self.may_write(texts.iter().map(|(name, _)| name.as_str()))?;
        let mut written = Vec::new();
        for (name, text) in texts {
            let path = self.folder.join(name);
            let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            // On the list first: a file that is there without standing there could never be replaced again.
            let comes = Digest::of_bytes(text.as_bytes());
            let either = Written::or(self.list.files.remove(name), comes.clone());
            self.list.files.insert(name.clone(), either);
            folder
                .and_then(|()| self.keep())
                .and_then(|()| files::write_whole(&path, text.as_bytes()))
                .map_err(|error| self.failed(&path, &error))?;
            self.list.files.insert(name.clone(), Written::One(comes));
            written.push(path);
        }
        self.keep().map_err(|error| self.failed(&self.folder.join(LIST), &error))?;
        Ok(written)
    }

    fn keep(&mut self) -> io::Result<()> {
        self.list.schema = 1;
        files::write_whole(&self.folder.join(LIST), &serde_json::to_vec_pretty(&self.list)?)
    }

    /// What is wrong with writing this file; nothing there is fine.
    fn is_ours(&self, name: &str) -> Result<(), &'static str> {
        let path = self.folder.join(name);
        let Ok(found) = std::fs::symlink_metadata(&path) else { return Ok(()) };
        if found.is_symlink() {
            return Err("it is a symbolic link, and nothing is written through one");
        }
        if !found.is_file() {
            return Err("it is there already and is no plain file");
        }
        let there = files::read_up_to(&path, LARGEST).map(|bytes| Digest::of_bytes(&bytes)).ok();
        match (self.list.files.get(name), there) {
            _ if found.len() == 0 => Ok(()),
            (Some(written), Some(there)) if written.is(&there) => Ok(()),
            (Some(_), _) => Err("somebody changed it since plinth wrote it; it was left alone"),
            (None, _) => Err("it is there already and plinth did not write it; it was left alone"),
        }
    }

    fn refused(&self, name: &str, happened: &str) -> Problem {
        Problem::while_doing("writing over")
            .to(self.folder.join(name).display())
            .wrong_input(happened)
            .try_this("name another folder, or move this file away")
    }

    fn failed(&self, path: &Path, error: &io::Error) -> Problem {
        Problem::while_doing("writing")
            .to(path.display())
            .wrong_input(error)
            .try_this("choose a folder that you can write to")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(String, String)> {
        vec![("values/a.yaml".to_owned(), text.to_owned()), ("b.yaml".to_owned(), text.to_owned())]
    }

    #[test]
    fn what_plinth_wrote_is_written_over_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        for text in ["one", "two", "two"] {
            assert_eq!(OwnFiles::of(&out).write(&texts(text)).unwrap().len(), 2);
            assert_eq!(std::fs::read_to_string(out.join("values/a.yaml")).unwrap(), text);
        }
        std::fs::write(out.join("b.yaml"), "mine").unwrap();
        let problem = OwnFiles::of(&out).write(&texts("three")).unwrap_err();
        assert!(problem.happened.contains("somebody changed it"), "{problem}");
        assert_eq!(std::fs::read_to_string(out.join("values/a.yaml")).unwrap(), "two", "nothing is half written");
        assert_eq!(std::fs::read_to_string(out.join("b.yaml")).unwrap(), "mine");
    }

    #[test]
    fn a_write_that_was_broken_off_leaves_files_that_are_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (out, list) = (folder.path(), folder.path().join(LIST));
        OwnFiles::of(out).write(&texts("one")).unwrap();
        let before = std::fs::read_to_string(&list).unwrap();
        // The folder of the second file cannot be made: the write ends behind the first one.
        let broken = [("b.yaml".to_owned(), "two".to_owned()), ("b.yaml/c".to_owned(), "two".to_owned())];
        OwnFiles::of(out).write(&broken).unwrap_err();
        assert_ne!(std::fs::read_to_string(&list).unwrap(), before, "the test breaks nothing off");
        for there in ["two", "one"] {
            std::fs::write(out.join("b.yaml"), there).unwrap();
            OwnFiles::of(out).may_write(["b.yaml"]).unwrap();
        }
        OwnFiles::of(out).write(&texts("three")).unwrap();
        std::fs::write(out.join("b.yaml"), "one").unwrap();
        OwnFiles::of(out).may_write(["b.yaml"]).unwrap_err();
    }

    #[test]
    fn what_was_there_before_links_and_pipes_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, target) = (folder.path().join("b.yaml"), folder.path().join("target"));
        let refused = || OwnFiles::of(folder.path()).write(&texts("x")).unwrap_err().happened;
        std::fs::write(&file, "before").unwrap();
        assert!(refused().contains("plinth did not write it"));
        for there in [true, false] {
            std::fs::remove_file(&file).unwrap();
            std::os::unix::fs::symlink(&target, &file).unwrap();
            assert!(refused().contains("symbolic link"), "{there}");
            assert!(!target.exists() || std::fs::read(&target).unwrap() == b"kept");
            std::fs::write(&target, "kept").unwrap();
        }
        std::fs::remove_file(&file).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert!(refused().contains("no plain file"));
    }
}
