//! The site file where the command line names none: for arguments and for completions alike.

use crate::args::Common;
use clap::Command;
use plinth_model::text::shell_word;
use std::path::{Path, PathBuf};

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

/// Another verb on this very site, as it can be typed: with the site file and the state directory that were named.
pub(crate) fn command(common: &Common, verb: &str) -> String {
    let word = |path: &Path| shell_word(&path.to_string_lossy()).into_owned();
    let mut words = vec![format!("plinth {verb}")];
    if common.file != Path::new(FILE) {
        words.push(format!("-f {}", word(&common.file)));
    }
    words.extend(common.state.iter().map(|state| format!("--state {}", word(state))));
    words.join(" ")
}
