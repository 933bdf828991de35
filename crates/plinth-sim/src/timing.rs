//! How long things take, virtually. Figures are typical ones, rounded: a rehearsal shows proportions, not promises.

use plinth_model::Digest;
use std::time::Duration;

/// Opening an SSH connection.
pub(crate) const CONNECT: f64 = 0.3;
/// One look over an open connection.
pub(crate) const LOOK: f64 = 0.2;
/// Making an account.
pub(crate) const ACCOUNT: f64 = 0.6;
/// Reading facts.
pub(crate) const FACTS: f64 = 0.4;
/// Moving containerd's data: with the jitter about 45 s to 85 s.
pub(crate) const RELOCATION: (f64, f64) = (45.0, 85.0);
/// Writing mirrors and logins, with a restart of containerd.
pub(crate) const REGISTRIES: f64 = 1.8;
/// Fetching Kubespray's source.
pub(crate) const SOURCE: f64 = 8.0;
/// Making its Python environment.
pub(crate) const ENVIRONMENT: f64 = 27.0;
/// Asking Kubespray what it needs.
pub(crate) const LIST: f64 = 2.4;
/// Fetching one of its files.
pub(crate) const FILE: f64 = 6.0;
/// Pushing one of them to a node.
pub(crate) const PUSH: f64 = 1.5;
/// cluster.yml on one node.
pub(crate) const PLAY: f64 = 300.0;
/// More for each doubling of nodes.
pub(crate) const PLAY_PER_DOUBLING: f64 = 15.0;
/// Share of a play that a repetition takes: nearly everything is in place.
pub(crate) const PLAY_AGAIN: f64 = 0.4;
/// From the end of the play until a node is Ready.
pub(crate) const NODE_READY: (f64, f64) = (6.0, 28.0);
/// One call of the Kubernetes API.
pub(crate) const KUBE_CALL: f64 = 0.05;
/// Copying the kubeconfig.
pub(crate) const KUBECONFIG: f64 = 0.7;
/// A test pod: pull, start, log, remove.
pub(crate) const TEST_POD: f64 = 12.0;
/// From applying an object until its controller made it so.
pub(crate) const OBJECT_SETTLES: f64 = 30.0;
/// One call of helm that only reads.
pub(crate) const HELM_READ: f64 = 0.3;
/// An upgrade without any change.
pub(crate) const HELM_UNCHANGED: f64 = 3.0;
/// Uninstalling a release: its pods end within their grace period of 30 s.
pub(crate) const HELM_UNINSTALL: f64 = 35.0;
/// From the end of helm's wait until all of the control plane answers.
pub(crate) const KEYCLOAK_UP: f64 = 120.0;
/// How long before all of the control plane answers its parts do: Keycloak, the realm, the administrator.
pub(crate) const CONTROL_PLANE_PARTS: [f64; 3] = [75.0, 60.0, 40.0];
/// One call of Run:ai's interface.
pub(crate) const RUNAI_CALL: f64 = 0.2;
/// From the release of the cluster part until the control plane calls it connected.
pub(crate) const RUNAI_CONNECTS: f64 = 40.0;

/// Seeded variation: the same operation on the same target always takes the same time in a world, whatever runs beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) seed: u64,
}

impl Timing {
    /// `seconds`, ten percent more or less.
    pub(crate) fn around(self, what: &str, target: &str, seconds: f64) -> Duration {
        self.between(what, target, (seconds * 0.9, seconds * 1.1))
    }

    /// Somewhere in the range, seconds.
    pub(crate) fn between(self, what: &str, target: &str, range: (f64, f64)) -> Duration {
        let share = fraction(&format!("{}/{what}/{target}", self.seed));
        let millis = (range.0 + (range.1 - range.0) * share) * 1000.0;
        Duration::from_secs_f64(millis.round() / 1000.0)
    }
}

/// A number from 0 up to, not including, 1 that depends on the text alone.
pub(crate) fn fraction(text: &str) -> f64 {
    let digest = Digest::of_bytes(text.as_bytes());
    let head = digest.as_str().get(..8).and_then(|head| u32::from_str_radix(head, 16).ok());
    f64::from(head.unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}
