//! Commands that are named in what is said, as they can be typed.

use crate::args::Common;
use crate::site_file::FILE;
use plinth_model::text::shell_word;
use std::path::Path;

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
