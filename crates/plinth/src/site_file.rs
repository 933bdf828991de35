//! The site file where the command line names none: for arguments and for completions alike.

use clap::Command;
use std::path::PathBuf;

/// The site file where none is named.
pub(crate) const FILE: &str = "site.yaml";
/// The variable that names another one.
pub(crate) const FILE_VARIABLE: &str = "PLINTH_FILE";

/// The variable that names the state directory.
pub(crate) const STATE_VARIABLE: &str = "PLINTH_STATE";

/// The site file where the command line names none.
pub(crate) fn default_file() -> PathBuf {
    named_by(FILE_VARIABLE).unwrap_or_else(|| PathBuf::from(FILE))
}

/// What a variable names. One that is set to nothing (`PLINTH_STATE= plinth ...`) names nothing.
pub(crate) fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Arguments whose variables are set to nothing are read as if these were not set; an empty argument stays an error.
pub(crate) fn without_empty_variables(mut command: Command) -> Command {
    for (argument, variable) in [("file", FILE_VARIABLE), ("state", STATE_VARIABLE)] {
        if std::env::var_os(variable).is_some_and(|value| value.is_empty()) {
            command = command.mut_arg(argument, |argument| argument.env(None::<&str>));
        }
    }
    command
}
