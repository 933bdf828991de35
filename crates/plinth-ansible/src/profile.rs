//! How long plays take beside each other, for progress and its estimate. By tasks alone a progress bar misleads: the start of
//! the control plane, package installations and image pulls are single tasks of minutes.

use crate::events::PlayOutline;

/// Seconds of the plays of cluster.yml, measured with v2.30.0 on one control-plane node and two workers from a mirror nearby; the
/// same 15 plays are in v2.27 to v2.31. Only their relation counts here.
const CLUSTER: [u64; 15] = [1, 1, 1, 9, 3, 151, 2, 44, 12, 22, 36, 1, 1, 10, 7];
/// Parts of a play's weight that are counted; finer than a second, so that a long play moves.
const FINE: u64 = 10;

/// The play of cluster.yml that fetches: tasks are included once for each file and image, which the list of tasks does not know. With
/// v2.30.0 and everything pushed before, twice as many began as are listed.
const FETCHES: usize = 5;
const INCLUDED: u64 = 2;

/// No play has more tasks.
const MOST: u64 = 1_000_000;

/// Weights of the plays of a playbook. A playbook whose plays are not known by time is weighed by its tasks.
pub(super) fn weights(playbook: &str, plays: &[PlayOutline]) -> Vec<u64> {
    if playbook == "cluster.yml" && plays.len() == CLUSTER.len() {
        return CLUSTER.iter().map(|seconds| seconds * FINE).collect();
    }
    plays.iter().map(|play| play.tasks.clamp(1, MOST)).collect()
}

/// Tasks of a play that will begin, as far as can be told before.
pub(super) fn tasks(playbook: &str, plays: &[PlayOutline], at: usize) -> u64 {
    let listed = plays.get(at).map_or(0, |play| play.tasks).max(1);
    let fetches = playbook == "cluster.yml" && plays.len() == CLUSTER.len() && at == FETCHES;
    if fetches { listed.saturating_mul(INCLUDED) } else { listed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_play_that_fetches_grows() {
        let plays: Vec<PlayOutline> =
            (0..CLUSTER.len()).map(|_| PlayOutline { name: String::new(), tasks: 100 }).collect();
        let all = |playbook: &str| (0..plays.len()).map(|at| tasks(playbook, &plays, at)).collect::<Vec<_>>();
        let grown: Vec<usize> =
            all("cluster.yml").iter().enumerate().filter(|(_, n)| **n == 200).map(|(at, _)| at).collect();
        assert_eq!(grown, [FETCHES]);
        assert!(all("scale.yml").iter().all(|n| *n == 100));
        assert_eq!(tasks("cluster.yml", &[], 3), 1, "nothing is divided by none");
    }
}
