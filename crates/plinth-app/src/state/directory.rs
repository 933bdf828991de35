//! Where the state directory is, and whether it may be used.

use super::inspect;
use etcetera::BaseStrategy;
use plinth_model::run::RunHead;
use plinth_model::{Problem, SiteName};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file in the state directory of a rehearsal, so that its made-up facts are never taken for real ones.
const REHEARSAL_MARK: &str = "rehearsal";

/// Folder of the site: the one given, or a folder named after the site in the user's state directory.
///
/// # Errors
/// When none is given and the user has no home.
pub fn directory(given: Option<&Path>, site: &SiteName) -> Result<PathBuf, Problem> {
    if let Some(given) = given {
        return Ok(given.to_path_buf());
    }
    let base = etcetera::choose_base_strategy().map_err(|error| {
        Problem::while_doing("finding the user's state directory")
            .wrong_input(error)
            .try_this("give one with `--state DIR`")
    })?;
    let home = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(home.join("plinth").join(site.as_str()))
}

/// Makes the folder, mode 0700. A folder of a rehearsal serves rehearsals only, and the other way round. One that others can write is
/// refused.
pub(crate) fn open(directory: &Path, rehearsal: bool) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        Problem::while_doing("opening the state directory")
            .to(directory.display())
            .wrong_input(error)
            .try_this("choose a folder that you can write to with `--state DIR`")
    };
    let fresh = !directory.exists();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    if fresh {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    kind_fits(directory, rehearsal)?;
    let mark = directory.join(REHEARSAL_MARK);
    if rehearsal && !mark.exists() {
        fs::write(&mark, "Made by `plinth rehearse`: everything in this folder is made up.\n").map_err(failed)?;
    }
    Ok(())
}

/// Refuses to mix rehearsals and real runs, and a folder that others can write.
///
/// # Errors
/// When the folder is of the other kind. One that holds anything is a real site's, unless a rehearsal marked it.
pub fn kind_fits(directory: &Path, rehearsal: bool) -> Result<(), Problem> {
    inspect(directory)?;
    let marked = directory.join(REHEARSAL_MARK).exists();
    if marked == rehearsal || is_empty(directory) {
        return Ok(());
    }
    let happened = if marked {
        "it belongs to a rehearsal, and this is a real run"
    } else {
        "it belongs to a real site (no rehearsal made what is in it), and this is a rehearsal"
    };
    Err(other_kind(directory, happened))
}

/// Refuses a journal whose last run was of the other kind, whatever the folder says.
pub(crate) fn journal_fits(directory: &Path, last: Option<&RunHead>, rehearsal: bool) -> Result<(), Problem> {
    match last {
        Some(last) if last.rehearsal && !rehearsal => {
            Err(other_kind(directory, "its journal is that of a rehearsal, and this is a real run"))
        }
        Some(last) if !last.rehearsal && rehearsal => {
            Err(other_kind(directory, "its journal is that of a real site, and this is a rehearsal"))
        }
        _ => Ok(()),
    }
}

fn other_kind(directory: &Path, happened: &str) -> Problem {
    Problem::while_doing("opening the state directory")
        .to(directory.display())
        .wrong_input(happened)
        .try_this("give another folder with `--state DIR`; nothing was changed")
}

/// Whether nothing of anybody is in it: what a fresh file system brings along does not count.
fn is_empty(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return true };
    entries.flatten().all(|entry| entry.file_name() == "lost+found")
}
