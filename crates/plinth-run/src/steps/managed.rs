//! What another state directory manages: told in the same words wherever its mark is found.

use plinth_model::Finding;
use plinth_model::finding::Code;

/// The finding; `what` is a node or the cluster, `manager` says whose it is, `place` where that stands.
pub(super) fn elsewhere(code: Code, (what, subject): (&str, &str), manager: &str, place: &str) -> Finding {
    Finding::error(code, subject, format!("another state directory manages this {what}: {manager}"))
        .evidence(place)
        .fix("use that state directory (docs/sharing.md); if it is lost, or the site is yours now, `plinth apply --take-over`")
}
