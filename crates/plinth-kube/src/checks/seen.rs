//! What a check saw, as lines.

use plinth_world::kube::CheckSeen;

/// What was seen, as lines.
pub(super) fn seen(holds: bool, evidence: impl IntoIterator<Item = String>) -> CheckSeen {
    let evidence = evidence.into_iter().collect();
    if holds { CheckSeen::Holds(evidence) } else { CheckSeen::Fails { evidence, code: None } }
}
