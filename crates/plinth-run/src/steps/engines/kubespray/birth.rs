//! A first installation that broke off while kubeadm made the control plane: Kubespray takes it for done and cannot go on.

use super::choice::CONTROL_PLANE;
use crate::behaviour::StepEnv;
use plinth_model::engine::{KubesprayRecord, Play};
use plinth_model::steps::NodeTarget;
use plinth_model::{NodeName, Version};
use plinth_world::node::Bootstrap;
use std::time::Duration;

/// From this minor release of Kubespray on, a run over a control plane that is there waits for it to be Ready before there is a
/// network (roles/kubernetes/control-plane/tasks/kubeadm-secondary.yml; not in v2.29, in v2.30 and v2.31).
const WAITS_SINCE: u64 = 30;

/// The host on which such a cluster is. Only one that was born in an installation of ours that never succeeded counts: nobody was
/// given its kubeconfig, and no node of it ever ran anything. A node that cannot be asked does not count.
pub(super) async fn incomplete_install(
    env: &StepEnv,
    deployed: &KubesprayRecord,
    targets: &[NodeTarget],
) -> Option<NodeName> {
    let begun = deployed.begun.as_ref().filter(|begun| deployed.last.is_none() && begun.play == Play::Cluster)?;
    let host = begun.inputs.first_of(CONTROL_PLANE)?;
    let target = targets.iter().find(|target| target.node == *host)?;
    let elapsed = env.ctx.clock().now().duration_since(begun.since?);
    let birth = env.clients.node.bootstrap(&env.ctx, target).await.ok()??;
    let elapsed = Duration::try_from(elapsed).ok()?;
    is_incomplete(birth, elapsed, &begun.inputs.tag).then(|| host.clone())
}

/// `elapsed`: since the installation began.
fn is_incomplete(birth: Bootstrap, elapsed: Duration, tag: &Version) -> bool {
    let waits = tag.semver().minor >= WAITS_SINCE;
    birth.age < elapsed && !birth.ready && (waits || !birth.whole)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_born_here_and_cannot_live_is_incomplete() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let birth = |age: u64, whole: bool, ready: bool| Bootstrap { age: minutes(age), whole, ready };
        let cases = [
            (birth(3, false, false), "v2.27.1", true),
            (birth(3, true, false), "v2.27.1", false),
            (birth(3, true, false), "v2.30.0", true),
            (birth(3, true, true), "v2.30.0", false),
            (birth(3, false, true), "v2.30.0", false),
            (birth(30, false, false), "v2.30.0", false),
        ];
        for (birth, tag, expected) in cases {
            assert_eq!(is_incomplete(birth, minutes(10), &tag.parse().unwrap()), expected, "{birth:?} {tag}");
        }
    }
}
