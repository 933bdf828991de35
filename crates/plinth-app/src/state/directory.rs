//! Where the state directory is, and whether it may be used.

use etcetera::BaseStrategy;
use plinth_model::{Exit, Problem, SiteName};
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
        Problem::new(Exit::Input, "finding the user's state directory", "", error, "give one with `--state DIR`")
    })?;
    let home = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(home.join("plinth").join(site.as_str()))
}

/// Makes the folder, mode 0700. A folder of a rehearsal serves rehearsals only, and the other way round.
pub(crate) fn open(directory: &Path, rehearsal: bool) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        Problem::new(
            Exit::Input,
            "opening the state directory",
            directory.display().to_string(),
            error,
            "choose a folder that you can write to with `--state DIR`",
        )
    };
    let fresh = !directory.exists();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let mark = directory.join(REHEARSAL_MARK);
    if fresh {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    if rehearsal && !directory.join("journal.db").exists() {
        fs::write(&mark, "Made by `plinth rehearse`: everything in this folder is made up.\n").map_err(failed)?;
    }
    kind_fits(directory, rehearsal)
}

/// Refuses to mix rehearsals and real runs.
///
/// # Errors
/// When the folder holds the journal of the other kind.
pub fn kind_fits(directory: &Path, rehearsal: bool) -> Result<(), Problem> {
    let marked = directory.join(REHEARSAL_MARK).exists();
    if marked == rehearsal || !directory.join("journal.db").exists() {
        return Ok(());
    }
    let (is, wants) =
        if marked { ("belongs to a rehearsal", "a real run") } else { ("belongs to a real site", "a rehearsal") };
    Err(Problem::new(
        Exit::Input,
        "opening the state directory",
        directory.display().to_string(),
        format!("it {is}, and this is {wants}"),
        "give another folder with `--state DIR`; nothing was changed",
    ))
}
