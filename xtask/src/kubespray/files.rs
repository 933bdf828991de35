//! Files of a checkout.

use crate::commands::Failure;
use std::path::{Path, PathBuf};

/// All files below a folder, links left alone.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let told = |error: std::io::Error| format!("listing {}: {error}", folder.display());
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(told)? {
            let entry = entry.map_err(told)?;
            let kind = entry.file_type().map_err(told)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}
