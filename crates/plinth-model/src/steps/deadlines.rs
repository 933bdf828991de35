//! How long one attempt of each kind of step may take, in seconds, and why. A deadline that passes is a transient failure: the
//! step is looked at again. Single calls have their own, shorter limits in `plinth-world`.

/// When one attempt of a step is given up, and why then: each kind of step says it, with the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Seconds after which one attempt is given up.
    pub seconds: u32,
    /// Where that figure comes from, for people; each of [`why`].
    pub why: &'static [&'static str],
    /// What makes it longer or shorter; none: nothing does.
    pub moved_by: Option<&'static str>,
}

impl Deadline {
    /// The reasons, in sentences.
    #[must_use]
    pub fn reasons(&self) -> String {
        self.why.iter().map(|reason| reason.trim()).collect::<Vec<_>>().join(" ")
    }
}

/// What moves the deadline of a play.
pub(super) const NODES: Option<&str> = Some("it grows with the number of nodes of the play");
/// What moves the deadline of what waits for the objects of a component.
pub(super) const TIMEOUT: Option<&str> = Some("it grows with the `timeoutS` of the component in the catalog");

macro_rules! deadlines {
    ($($(#[doc = $why:literal])+ $visible:vis const $name:ident: u32 = $seconds:expr;)+) => {
        $($(#[doc = $why])+ $visible const $name: u32 = $seconds;)+

        /// The reasons above the deadlines, for people.
        pub mod why {
            $($(#[doc = $why])+ pub const $name: &str = concat!($($why),+);)+
        }

        /// The deadlines of kinds that have one figure.
        pub(super) mod of {
            use super::Deadline;
            $(
                #[allow(dead_code)] // Some are only part of another.
                pub(in super::super) const $name: Deadline =
                    Deadline { seconds: super::$name, why: &[super::why::$name], moved_by: None };
            )+
        }
    };
}

deadlines! {
    /// One call to BCM with its retries: four tries of 30 s.
    pub const BCM_IDENTITY: u32 = 150;
    /// A TCP connection and a key exchange. A host without a route answers after its kernel's own limit, about 130 s; nobody
    /// should wait for that.
    pub const NODE_CONNECT: u32 = 60;
    /// One script of a second; a directory service behind the node's user database may be slow.
    pub const NODE_ACCOUNT: u32 = 120;
    /// One script. Measuring the clock and asking the GPU driver may take some seconds each.
    pub const NODE_FACTS: u32 = 120;
    /// Moves the images that are there: some tens of GiB between disks of one machine.
    pub const NODE_STORAGE: u32 = 3600;
    /// Removes some tens of GiB in small files.
    pub const NODE_STORAGE_OLD: u32 = 900;
    /// Writes small files; `swapoff` reads back what is in swap.
    pub const NODE_PREPARE: u32 = 300;
    /// Writes small files and asks each registry once.
    pub const NODE_REGISTRIES: u32 = 180;
    /// Fetches and unpacks 3 MiB (Kubespray v2.27.1); slow mirrors happen.
    pub const KUBESPRAY_SOURCE: u32 = 600;
    /// Fetches about 300 MiB of Python packages: 30 s when measured on a fast line.
    pub const KUBESPRAY_ENVIRONMENT: u32 = 1200;
    /// Fetches some 400 MB (11 files of Kubespray v2.27.1), once; 1 Mbit/s takes an hour.
    pub const KUBESPRAY_DOWNLOADS: u32 = 3600;
    /// Pushes the same to one node, while many others get it through the same line.
    pub const NODE_DOWNLOADS: u32 = 3600;
    /// Writes some files here.
    pub const LOCAL_FILES: u32 = 60;
    /// Looks at some directories and packet filters, and empties what is left there.
    pub const NODE_LEFTOVERS: u32 = 600;
    /// The playbook for a small cluster, downloads included: a few nodes took 6 to 15 min in published logs.
    pub const KUBESPRAY_RUN: u32 = 3600;
    /// What each further node adds to the playbook: 350 nodes took 3 h 40 min in a published log, so 38 s each.
    pub const KUBESPRAY_RUN_PER_NODE: u32 = 60;
    /// The longest that is ever granted to the playbook: two days.
    pub const KUBESPRAY_RUN_MAX: u32 = 172_800;
    /// Reads one file from a node and asks the API server once.
    pub const KUBECONFIG: u32 = 120;
    /// One call to the API server.
    pub const KUBE_CALL: u32 = 60;
    /// Network plugin and kubelet settle after the playbook: image pulls of the CNI on a slow line.
    pub const NODE_READY: u32 = 900;
    /// The cluster's own pods settle after the nodes: image pulls on a slow line. Then one script on each node of the control plane.
    pub const CONTROL_PLANE: u32 = 900;
    /// The toolkit's pod ends, starts again, and restarts containerd.
    pub const GPU_RUNTIME: u32 = 600;
    /// A test pod is started, its image pulled, and DNS reloads its file every 30 to 45 s.
    pub const CLUSTER_DNS: u32 = 300;
    /// What helm does beside the waiting that it has a limit for: rendering, and some hundred requests to the API server.
    pub const HELM_RUN: u32 = 180;
    /// Before helm runs: an index and a package, three tries of 150 s each; helm itself, 17 MB; definitions and Jobs that have a minute each; and
    /// some requests.
    pub const RELEASE_BEFORE: u32 = 2 * 450 + 300 + 60 + 60 + 120;
    /// Requests, and objects that become healthy, on top of what they are given.
    pub const RELEASE_MARGIN: u32 = 300;
    /// Pods of a release end within their grace period; a workload with much to write may have one of ten minutes.
    pub const HELM_UNINSTALL: u32 = 600;
    /// The user interface of Run:ai may need 15 more minutes after its release is deployed (NVIDIA Run:ai documentation).
    pub const RUNAI_ISSUER: u32 = 1200;
    /// At their slowest: a token, two looks at the list, the registration, 30 s of looking for an entry that was not answered with one look
    /// more, and the credentials, each with all of its tries: four of 30 s, and three waits of up to 20 s that the control plane may ask
    /// for. A step that is cut off in the middle of it does not know whether it registered.
    pub const RUNAI_REGISTER: u32 = 1200;
    /// The agent starts, pulls and reports.
    pub const RUNAI_CONNECTED: u32 = 1200;
    /// An ingress controller follows its secret within seconds; a busy one, or one behind a slow watch, may take minutes.
    pub const CERTIFICATE_SERVED: u32 = 600;
    /// Pulls a CUDA image of some hundred MiB on the node.
    pub const CHECK_GPU: u32 = 900;
    /// Pods one after the other, each with a small image that may have to be pulled, and namespaces that end before.
    pub const CHECK_PODS: u32 = 600;
    /// More for each node on which pods ask each other, seconds.
    const CHECK_PODS_PER_NODE: u32 = 1;
    /// The same, and a snapshot that a storage system takes and copies back.
    pub const CHECK_SNAPSHOT: u32 = 1200;
    /// More for each name that pods ask for, seconds: three tries of a server that does not answer.
    const CHECK_PODS_PER_NAME: u32 = 40;
    /// Prometheus reads exporters that have just started within minutes; more than the longest wait, to say why.
    pub const CHECK_MEASURED: u32 = 600;
    /// For a check that sends some requests, seconds.
    pub const CHECK: u32 = 300;
}

/// Why a play has as long as [`kubespray_run`] says.
pub(super) const PLAY: &[&str] = &[why::KUBESPRAY_RUN, why::KUBESPRAY_RUN_PER_NODE, why::KUBESPRAY_RUN_MAX];

/// The deadline of a check with pods on so many nodes.
#[must_use]
pub fn check_pods(nodes: usize) -> u32 {
    CHECK_PODS.saturating_add(u32::try_from(nodes).unwrap_or(u32::MAX).saturating_mul(CHECK_PODS_PER_NODE))
}

/// The deadline of a check whose pods ask for so many names.
#[must_use]
pub fn check_names(names: usize) -> u32 {
    CHECK_PODS.saturating_add(u32::try_from(names).unwrap_or(u32::MAX).saturating_mul(CHECK_PODS_PER_NAME))
}

/// The playbook's deadline for a number of nodes.
#[must_use]
pub fn kubespray_run(nodes: usize) -> u32 {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    KUBESPRAY_RUN.saturating_add(nodes.saturating_mul(KUBESPRAY_RUN_PER_NODE)).min(KUBESPRAY_RUN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_comment_above_its_deadline() {
        let told = "A TCP connection and a key exchange. A host without a route answers after its kernel's own limit, about 130 s; nobody \
                    should wait for that.";
        assert_eq!((of::NODE_CONNECT.reasons().as_str(), of::NODE_CONNECT.seconds), (told, 60));
    }
}
