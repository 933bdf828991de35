//! All deadlines and intervals, each with its reason. Steps carry their own deadline, taken from here by the planner's
//! counterpart in `plinth-plan`; these are the ones of single calls.

use std::time::Duration;

/// One request to BCM. The known site configuration uses 30 s (public Terraform provider for BCM).
pub const BCM_REQUEST: Duration = Duration::from_secs(30);
/// Tries of a BCM read after the first.
pub const BCM_RETRIES: usize = 3;
/// First wait between BCM tries; doubled each time.
pub const BCM_BACKOFF: Duration = Duration::from_secs(1);
/// Longest wait between BCM tries.
pub const BCM_BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Largest BCM reply that is read, bytes. A node entity is about 6 KiB, so 10,000 nodes are 60 MiB.
pub const BCM_REPLY_MAX: usize = 256 * 1024 * 1024;
/// Between two looks at something that becomes ready.
pub const POLL: Duration = Duration::from_secs(10);
/// Between two renewals of the site's lock: often enough that `status` tells a dead run within a minute, rare enough to cost
/// nothing.
pub const LOCK_HEARTBEAT: Duration = Duration::from_secs(10);
/// A lock that was not renewed for so long is taken over: six missed renewals are no accident.
pub const LOCK_EXPIRY: Duration = Duration::from_secs(60);
/// A look at a step counts as the first one of the run behind it for so long: as long as our lock keeps others out without a renewal.
pub const LOOK_HOLDS: Duration = LOCK_EXPIRY;
/// Attempts of a probe, and of an effect, while the failure says it is transient.
pub const STEP_ATTEMPTS: u32 = 3;
/// First wait between two attempts; doubled each time, plus up to a quarter so that many nodes do not come back at once.
pub const STEP_BACKOFF: Duration = Duration::from_secs(2);
/// Longest look at one step while planning, whatever its own deadline: a person is waiting.
pub const LOOK: Duration = Duration::from_secs(120);
/// Reading the facts of a node. A healthy one answers in a tenth of a second; single programs on it may hang for up to 10 s each.
pub const NODE_FACTS: Duration = Duration::from_secs(90);
/// Opening a connection to the API server: it is in the same building, and a dropped packet should not cost a minute.
pub const KUBE_CONNECT: Duration = Duration::from_secs(10);
/// One request to the API server; its own limit for one is 60 s, but nothing that plinth asks takes seconds on a healthy one.
pub const KUBE_REQUEST: Duration = Duration::from_secs(30);
/// Tries of a read after the first.
pub const KUBE_RETRIES: usize = 2;
/// Wait before a read is tried again.
pub const KUBE_BACKOFF: Duration = Duration::from_secs(1);
/// Between two tries of a new kubeconfig.
pub const KUBE_SETTLE_PAUSE: Duration = Duration::from_secs(2);
/// Tries to change an object that others change too, such as the taints of a node: kubelet and controllers touch it when a node
/// changes its state.
pub const KUBE_CONFLICTS: usize = 4;
/// The API server of a fresh control plane answers seconds after the playbook says so; elections take some more.
pub const KUBE_SETTLES: Duration = Duration::from_secs(60);
/// One question whether a source answers, before anything is changed: a place that needs longer would not carry a run either.
pub const SOURCE: Duration = Duration::from_secs(8);
/// From the first answer of an API server that has just started until it is ready: 2 to 5 s, more where many kinds were added.
pub const KUBE_STARTS: Duration = Duration::from_secs(30);
/// Connecting to a server of files: name, TCP and TLS.
pub const FETCH_CONNECT: Duration = Duration::from_secs(20);
/// Silence in the middle of a file after which the connection is given up.
pub const FETCH_SILENCE: Duration = Duration::from_secs(60);
/// Tries of one file within a call; each goes on where the last stopped.
pub const FETCH_TRIES: usize = 4;
/// First wait between two tries of a file; doubled each time.
pub const FETCH_BACKOFF: Duration = Duration::from_secs(1);
