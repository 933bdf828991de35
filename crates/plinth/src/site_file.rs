//! The site file where the command line names none: for arguments and for completions alike.

use std::path::PathBuf;

/// The site file where none is named.
pub(crate) const FILE: &str = "site.yaml";
/// The variable that names another one.
pub(crate) const FILE_VARIABLE: &str = "PLINTH_FILE";

/// The site file where the command line names none.
pub(crate) fn default_file() -> PathBuf {
    std::env::var_os(FILE_VARIABLE).map_or_else(|| PathBuf::from(FILE), PathBuf::from)
}
