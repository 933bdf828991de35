//! The version that is proposed in place of one that does not fit.

use crate::range::closest;
use plinth_model::Version;

/// The nearest version as text, written as the wanted one is.
pub(crate) fn near_text<'a>(wanted: &Version, candidates: impl IntoIterator<Item = &'a Version>) -> String {
    let same_form = |version: &Version| {
        if wanted.as_str().starts_with('v') { version.prefixed() } else { version.bare().to_owned() }
    };
    closest_same_minor_first(wanted, candidates).map_or_else(|| "another version".to_owned(), same_form)
}

/// Prefers the wanted minor, in which the newest patch is known, before the next minor below.
fn closest_same_minor_first<'a>(
    wanted: &Version,
    candidates: impl IntoIterator<Item = &'a Version>,
) -> Option<&'a Version> {
    let candidates: Vec<&Version> = candidates.into_iter().collect();
    let same_minor = candidates.iter().copied().filter(|version| version.minor() == wanted.minor()).max();
    same_minor.or_else(|| closest(wanted, candidates))
}
