//! What each kind of step is for, how it looks, what it does, how it is undone: for `plinth explain` and the reference.

/// One kind of step, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Kind, as in a plan.
    pub kind: &'static str,
    /// What it is for.
    pub title: &'static str,
    /// How it looks.
    pub probe: &'static str,
    /// What it does.
    pub act: &'static str,
    /// How it is undone.
    pub undo: &'static str,
}

/// The explanation of a kind such as `node.account`.
#[must_use]
pub fn explain(kind: &str) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|explanation| explanation.kind == kind)
}

const NOTHING: &str = "Nothing: it only looks.";
const NOTHING_TO_UNDO: &str = "Nothing to undo.";

macro_rules! explanations {
    ($($kind:literal, $title:expr, $probe:expr, $act:expr, $undo:expr;)*) => {
        /// All kinds, in the order of the main job.
        pub const EXPLANATIONS: &[Explanation] =
            &[$(Explanation { kind: $kind, title: $title, probe: $probe, act: $act, undo: $undo }),*];
    };
}

explanations! {
    "bcm.identity", "The BCM that answers is the one the inventory came from.",
    "Asks BCM for its head nodes. All head nodes of the inventory must be among them.", NOTHING, NOTHING_TO_UNDO;

    "node.connect", "SSH answers, and the node's host key is known.",
    "Connects far enough to see the host key and compares it with the pinned one. A changed key stops the node.",
    "Pins the key that is presented on first contact; the journal keeps that decision.", "The pin is removed.";

    "node.account", "The service account exists with the wanted name, ids and keys.",
    "Compares user, group, home, shell, sudo rule and keys. A name or id that something else has stops the node before anything is changed.",
    "Makes what is missing: group, user, sudo rule, authorized keys. Our own key pair is made before, if there is none.",
    "The account is removed; files that it owns elsewhere stay.";

    "node.facts", "The machine is good enough, and it is known where its images have room.",
    "Reads system, processors, memory, GPUs, clock and free space with the service account, tells everything wrong at once, and answers the storage gate: `fits` or `relocate`. Space is not judged again once Kubernetes runs there.",
    NOTHING, NOTHING_TO_UNDO;

    "node.storage", "Container images live on a partition that is large enough.",
    "Sees whether the data already lives at the larger place.",
    "Stops containerd, moves its data without losing any, starts it again. An interrupted move is resumed or rolled back.",
    "The data is moved back, if there is room.";

    "node.storage-old", "The old copy of container images takes no space.",
    "Sees whether a copy is left beside the old place. Images must live at the larger place, and containerd must work.",
    "Removes the old copy. It comes after the journal recorded that the move succeeded.",
    "Nothing: the data is at its new place.";

    "node.prepare", "The node has what Kubernetes needs and the engine does not do itself.",
    "Compares names in /etc/hosts, kernel modules and settings, swap and the time service.",
    "Writes what differs, now and for the next restart.", "The files that plinth wrote are removed.";

    "node.registries", "Registry mirrors and logins are in place, and the registries answer from the node.",
    "Compares containerd's registry files and asks the registries.",
    "Writes mirrors and logins.", "The files are removed.";

    "kubespray.source", "Kubespray's source is here and is the pinned one.",
    "Recomputes the tree id of the local copy from its files and compares the commit that was proved. Another one is never used.",
    "Fetches the source and verifies it.", "The local copy is removed.";

    "kubespray.environment", "A Python environment with the Ansible of that release exists.",
    "Reads its ansible-core version and compares it with the accepted range.",
    "Makes the environment from pinned packages.", "The environment is removed.";

    "kubespray.inventory", "Kubespray's inventory and variables are written as planned.",
    "Compares the digest of every file.", "Writes the files, each as a whole.", "The files are removed.";

    "kubespray.downloads", "The files that Kubespray needs on nodes are here.",
    "Looks at the list that was made for this inventory and these variables, and sums up every file of it.",
    "Asks Kubespray which files it needs, and fetches what is missing, from the mirror where there is one. What was fetched in part goes on; a wrong checksum is never kept.",
    "The files are removed.";

    "node.downloads", "The node has the files that Kubespray needs there.",
    "Sums up the files in the folder where Kubespray looks before it fetches.",
    "Pushes what is missing over SSH, streamed and verified. A push that was interrupted goes on.",
    "The folder is removed.";

    "kubespray.run", "Kubernetes is deployed on every host.",
    "Compares release, variables and hosts with those of the last run that succeeded, and asks the API whether it has them; says which play is needed.",
    "Runs the smallest safe play (new workers, upgrade, or all of cluster.yml) and judges its final statistics: every host must be there, without a failed task and without having been unreachable. Running it again is how Kubespray resumes.",
    "Kubespray's reset removes Kubernetes with its data: `plinth reset`, which asks for the site's name.";

    "kubespray.removal", "Kubernetes left these hosts.",
    "Asks the hosts what runs on them and the cluster which nodes it has, and sees whether a play was broken off.",
    "Runs remove-node.yml for the named workers, or reset.yml for all hosts, and judges its final statistics.",
    "It cannot be undone: the data of the cluster, or of these workers, is gone.";

    "kubespray.recovery", "Broken members of the control plane are whole again.",
    "Asks every member of the control plane and of etcd itself, since the API may be away: etcd and who its members are, kubelet, certificates. At least one that is not broken must have etcd's data.",
    "Runs recover-control-plane.yml, with the survivors first in the inventory and workers left alone, and judges its final statistics. If etcd lost its majority, a survivor's data becomes the cluster's.",
    "It cannot be undone: what the broken members had is gone, and without a majority also what only they knew.";

    "node.leftovers", "Nothing of Kubernetes is left on the node.",
    "Looks for programs, directories, network links and packet filter chains. While a part of Kubernetes runs, nothing is taken away.",
    "Clears what Kubespray leaves behind. containerd, its images and other programs' files stay.",
    "It cannot be undone: what was left of the cluster's data is gone.";

    "existing.take-over", "A cluster that is already there is ours to work with.",
    "Reads the kubeconfig that the site names, asks its server for its version, and compares both with the copy and the record in the state directory. Another version than the site file's stops it.",
    "Tries the kubeconfig, and keeps a copy only if it works; writes the record. The file itself is never changed.",
    "The copy is removed from the state directory; the cluster stays as it is.";

    "kubernetes.kubeconfig", "A kubeconfig that works is in the state directory.",
    "Uses it: its server must answer, and be the planned one.",
    "Fetches it from a control-plane node and sets its server address; kept with mode 0600.", "The file is removed.";

    "kubernetes.labels", "The node carries its labels and taints.",
    "Compares the wanted ones; others do not matter.", "Adds or changes the wanted ones, leaves others alone.",
    "The labels and taints are removed.";

    "kubernetes.ready", "The node is Ready and runs the planned version.",
    "Reads the node's condition and its kubelet version.", "Waits, looking every ten seconds, until its deadline.", NOTHING_TO_UNDO;

    "kubernetes.control-plane", "API server, etcd, certificates and the cluster's own pods are well.",
    "Asks the API server for its own checks and for the workloads of kube-system, and every node of the control plane and of etcd for etcd's members, their health, and the dates of all certificates. An expired certificate stops; one with less than 30 days left is named.",
    "Waits, looking every ten seconds, until its deadline.", NOTHING_TO_UNDO;

    "kubernetes.gpu-runtime", "containerd knows NVIDIA's runtime wherever the GPU operator's toolkit runs.",
    "Asks the cluster for the toolkit's pods, and their nodes whether containerd knows the runtime: a run of Kubespray writes containerd's settings anew. Where no toolkit runs, nothing is expected.",
    "Ends the toolkit's pods on nodes that lost the runtime; new ones set it up. Waits until containerd knows it.",
    "The toolkit's pods were started anew, nothing else.";

    "kubernetes.dns", "Pods resolve the platform's name to its ingress address.",
    "Asks the DNS of the pods.", "Adds the name to the cluster's DNS, marked as ours. Better is the engine's own setting, which the inventory holds already.",
    "The entry is removed.";

    "platform.certificate", "The platform's certificate is in the state directory.",
    "Reads it: key and chain must match, names must be the wanted ones, and more than a third of its life must be left. Given files are compared with the kept copy.",
    "Makes an own authority once and a leaf for the names, or takes over the given files after checking them.",
    "The files are removed; whoever trusted the authority has to forget it.";

    "platform.namespace", "The namespace exists with its Pod Security level.",
    "Reads the level.", "Makes the namespace, or sets its level.", "Deleting a namespace deletes everything in it.";

    "platform.secret", "The secret exists with the wanted content and labels.",
    "Compares inside the client; the content goes nowhere else.", "Makes or replaces the secret.", "The secret is removed.";

    "platform.release", "The Helm release is deployed with its chart, version and values, and works.",
    "Compares version, digest of the values and status with what helm knows, then looks at every proof of health.",
    "Upgrades or installs unless helm has it as wanted already, then waits until it works.",
    "helm rollback to the revision before, or helm uninstall; custom resource definitions and volumes may stay.";

    "platform.objects", "Objects beside a release are as wanted, and work.",
    "Compares by a server-side dry run, then looks at every proof of health.",
    "Applies them server side, then waits until they work.", "The objects are removed.";

    "runai.issuer", "Keycloak names exactly the issuer that Run:ai expects.",
    "Reads the discovery document and compares the issuer as an exact text. A mismatch stops, since every token would be refused.",
    "Waits until Keycloak answers.", NOTHING_TO_UNDO;

    "runai.register", "The cluster is registered with the control plane exactly once.",
    "Lists clusters by exact name. Several of one name stop the step.",
    "Lists again, registers if there is none, and keeps client secret and id in the state directory. Never repeated on mere suspicion: registering twice makes two entries.",
    "The entry is removed in the control plane; its history goes with it.";

    "runai.connected", "The cluster reports to the control plane.",
    "Reads the cluster's state and the dependencies it misses.", "Waits, looking every ten seconds, until its deadline.", NOTHING_TO_UNDO;

    "check", "An acceptance check holds.",
    "Carries the check out: a pod, a name, a request, a volume claim, or a question to Run:ai. Test objects are removed again.",
    NOTHING, NOTHING_TO_UNDO;
}
