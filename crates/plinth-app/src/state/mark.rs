//! Which state directory this is: an id of its own, made once, that goes where the directory goes. Nodes carry it as a mark, and so does a
//! cluster that somebody else installed, so that a second directory for the same site is noticed.
//!
//! It is no part of [`super::identity`], which says *which site* the directory is for: that is written again when the site file moves, and
//! a person may remove it without harm. This file is never written again, and without it our own nodes would be another one's.

use plinth_model::{Problem, SiteName};
use plinth_run::LockOwner;
use plinth_world::files;
use plinth_world::mark::SiteMark;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

const FILE: &str = "mark.json";
/// Largest file that is read, bytes.
const LARGEST: usize = 64 * 1024;

/// The mark of a state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mark {
    /// Made once with the directory; the same wherever it is copied to.
    pub(crate) id: String,
    /// Who made it: user and host.
    by: String,
    /// When the directory was made.
    since: jiff::Timestamp,
}

impl Mark {
    /// Of a directory whose lock is held; made when there is none.
    pub(crate) fn keep(directory: &Path) -> Result<Self, Problem> {
        if let Some(known) = Self::read(directory)? {
            return Ok(known);
        }
        let file = directory.join(FILE);
        let made = Self::new();
        let failed = |error: &dyn Display| {
            let attempt = "free some space, or choose another folder with `--state DIR`";
            Problem::while_doing("writing the mark of the state directory")
                .to(file.display())
                .wrong_input(error)
                .try_this(attempt)
        };
        let text = serde_json::to_vec_pretty(&made).map_err(|error| failed(&error))?;
        files::write_whole(&file, &text).map_err(|error| failed(&error))?;
        Ok(made)
    }

    /// Of a directory; none when nothing was ever changed from it. One that cannot be read is an error: another id would lock us
    /// out of our own nodes.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, Problem> {
        let file = directory.join(FILE);
        match files::read_up_to(&file, LARGEST) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(&file, &error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&file, &error)),
        }
    }

    fn new() -> Self {
        let LockOwner { user, host, .. } = LockOwner::current();
        Self { id: uuid::Uuid::now_v7().to_string(), by: format!("{user}@{host}"), since: jiff::Timestamp::now() }
    }

    /// What stands on nodes, and in a cluster that somebody else installed.
    pub(crate) fn of_site(&self, site: &SiteName, directory: &Path, takes_over: bool) -> SiteMark {
        let place = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
        SiteMark {
            id: self.id.clone(),
            site: site.to_string(),
            by: self.by.clone(),
            directory: place.display().to_string(),
            since: format!("{:.0}", self.since),
            takes_over,
        }
    }
}

fn unreadable(file: &Path, error: &dyn Display) -> Problem {
    Problem::while_doing("reading the mark of the state directory")
        .to(file.display())
        .wrong_input(error)
        .try_this("restore the file; `id` in /etc/plinth/managed-by on any node of the site, or in the map `plinth-site` in kube-system of a cluster that was there before, is what belongs into it")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_made_once_and_goes_where_its_directory_goes() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(Mark::read(first.path()).unwrap(), None, "reading makes none");
        let made = Mark::keep(first.path()).unwrap();
        assert_eq!(Mark::keep(first.path()).unwrap(), made);
        assert_ne!(Mark::keep(second.path()).unwrap().id, made.id);
        std::fs::copy(first.path().join(FILE), second.path().join(FILE)).unwrap();
        assert_eq!(Mark::keep(second.path()).unwrap(), made);
        let mark = made.of_site(&SiteName::new("lab").unwrap(), first.path(), false).text();
        assert!(mark.contains(&format!("\nid={}\nsite=lab\n", made.id)), "{mark}");
        std::fs::write(first.path().join(FILE), "{").unwrap();
        assert!(Mark::keep(first.path()).is_err());
    }
}
