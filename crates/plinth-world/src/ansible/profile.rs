//! How long plays take beside each other, for progress and its estimate. By tasks alone a progress bar misleads: the start of
//! the control plane, package installations and image pulls are single tasks of minutes.

use super::events::PlayOutline;

/// Seconds of the plays of cluster.yml, measured with v2.30.0 on one control-plane node and two workers from a mirror nearby; the
/// same 15 plays are in v2.27 to v2.31. Only their relation counts here.
const CLUSTER: [u64; 15] = [1, 1, 1, 9, 3, 151, 2, 44, 12, 22, 36, 1, 1, 10, 7];
/// Parts of a play's weight that are counted; finer than a second, so that a long play moves.
const FINE: u64 = 10;

/// No play has more tasks.
const MOST: u64 = 1_000_000;

/// Weights of the plays of a playbook. A playbook whose plays are not known by time is weighed by its tasks.
pub(super) fn weights(playbook: &str, plays: &[PlayOutline]) -> Vec<u64> {
    if playbook == "cluster.yml" && plays.len() == CLUSTER.len() {
        return CLUSTER.iter().map(|seconds| seconds * FINE).collect();
    }
    plays.iter().map(|play| play.tasks.clamp(1, MOST)).collect()
}
