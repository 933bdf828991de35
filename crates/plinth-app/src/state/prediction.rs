//! Where the last good rehearsal of a site is kept: beside its state directory. A rehearsal's own state goes away or is somewhere else; what it
//! predicted must be found by whoever runs the site for real.

use super::directory;
use plinth_model::SiteName;
use plinth_world::{files, private_file};
use std::io;
use std::path::PathBuf;

/// Largest file that is read, bytes: a hundred for each step, for 300,000 steps.
const LARGEST: usize = 32 * 1024 * 1024;

/// `~/.local/state/plinth/SITE.rehearsed.json`. No site has a dot in its name, so no folder of one is in the way.
fn place(site: &SiteName) -> io::Result<PathBuf> {
    let own = directory(None, site).map_err(io::Error::other)?;
    Ok(own.with_file_name(format!("{site}.rehearsed.json")))
}

/// Keeps one in the place of the one before, private to the user.
///
/// # Errors
/// When the user has no home, or it cannot be written.
pub fn keep_prediction(site: &SiteName, bytes: &[u8]) -> io::Result<()> {
    let file = place(site)?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    private_file::write(&file, bytes)
}

/// The one that is kept. None when there is none, and when it cannot be read.
#[must_use]
pub fn kept_prediction(site: &SiteName) -> Option<Vec<u8>> {
    files::read_up_to(&place(site).ok()?, LARGEST).ok()
}
