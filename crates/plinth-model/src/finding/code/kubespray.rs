//! What goes wrong with Kubespray.

findings! {
    KUBESPRAY_ANSIBLE_CORE = "kubespray.ansible-core", You {
        means: "The packages that were installed bring another ansible-core than the release takes. Its playbooks would refuse it.",
        usually: "Wheels or an index of another release.",
        fix: "Use the wheels or the index of this very release.",
    }
    KUBESPRAY_CONTROL_PLANE_LOST = "kubespray.control-plane-lost", You {
        means: "Nothing of Kubernetes is on a member of the control plane any more. An ordinary run cannot take it in: etcd still lists it as it was, and if it is the first one, Kubespray would make a second cluster on it.",
        usually: "BCM re-provisioned the node, or its disk was replaced.",
        fix: "Run `plinth recover NODE`: the survivors take it in again. If no other member of etcd has its data, the cluster is gone: `plinth reset`, then `plinth apply`.",
    }
    KUBESPRAY_DOWNGRADE = "kubespray.downgrade", You {
        means: "The site file asks for an older Kubernetes or Kubespray than is deployed.",
        usually: "`kubernetes.version` or `kubernetes.kubespray.version` was set back.",
        fix: "Ask for the deployed release or a newer one. Kubernetes cannot be downgraded; a cluster can only be rebuilt.",
    }
    KUBESPRAY_FIRST_HOST_MOVED = "kubespray.first-host-moved", You {
        means: "Another host would become the first of the control plane or of etcd. The first one made the cluster's keys, and no play moves them.",
        usually: "The order of `nodes.controlPlane` was changed, or its first node was taken out.",
        fix: "Put the node that was first at the beginning again.",
    }
    KUBESPRAY_HOST_DOES_NOT_ANSWER = "kubespray.host-does-not-answer", You {
        means: "Some hosts do not answer over SSH, or not with their pinned key. The play was not begun: one dead host would hold up all others for minutes.",
        usually: "A host is off or was reinstalled, or a cable is unplugged.",
        fix: "Switch it on; `plinth trust NODE` accepts a new key. Or take it out of the site file.",
    }
    KUBESPRAY_HOST_FAILED = "kubespray.host-failed", You {
        means: "The playbook of Kubespray failed on some hosts, could not reach them, or says nothing about them.",
        usually: "A node without network, package sources or space; the first failed task of each host tells which.",
        fix: "Fix what the first failed task of each host names, then run again. Finished tasks are gone over quickly.",
    }
    KUBESPRAY_HOST_LEFT = "kubespray.host-left", You {
        means: "A host of the last successful run is not in the site file any more. Apply never takes a host out of Kubernetes.",
        usually: "A node was taken out of the site file, or its name was changed.",
        fix: "Put it back into the site file. To remove it, run `plinth remove NODE` before it leaves the file.",
    }
    KUBESPRAY_INPUT_REFUSED = "kubespray.input-refused", You {
        means: "Kubespray's own check of its inventory and variables, which it has since v2.28, complains. It was asked before Kubespray did anything on a node.",
        usually: "A variable of `kubernetes.extraVars`, or a combination that plinth does not know of.",
        fix: "Correct what the evidence names in the site file, then run again.",
    }
    KUBESPRAY_NO_GIT = "kubespray.no-git", You {
        means: "Kubespray's source is to be fetched from a git address, and this machine has no git.",
        usually: "A fresh machine.",
        fix: "Install the package `git`, or name a tarball or a folder as `kubernetes.kubespray.source`.",
    }
    KUBESPRAY_NO_PACKAGES = "kubespray.no-packages", You {
        means: "The Python packages that Kubespray needs cannot be installed. The last words of the installer are in the evidence.",
        usually: "The package index does not answer from here, or a proxy is not set.",
        fix: "Set the proxy, or name a mirror as `kubernetes.kubespray.index`, or a folder of wheels as `kubernetes.kubespray.wheels`.",
    }
    KUBESPRAY_NO_PYTHON = "kubespray.no-python", You {
        means: "This machine has no Python that the Kubespray release takes, or the one that the site names does not fit. Every release takes a few versions only.",
        usually: "Another Python than the release wants is installed.",
        fix: "Install one that fits, with its module venv; the fix names the package. `kubernetes.kubespray.python` names one that is not on PATH.",
    }
    KUBESPRAY_NO_STATISTICS = "kubespray.no-statistics", You {
        means: "The playbook ended without its final statistics, so nothing is known of the hosts, whatever its exit code says.",
        usually: "The plugin that tells what happens was ended, or the inventory was empty.",
        fix: "Read the log that the evidence names, then run again.",
    }
    KUBESPRAY_NO_VENV = "kubespray.no-venv", You {
        means: "The Python for Kubespray cannot make environments.",
        usually: "Debian and Ubuntu put the module venv into a package of its own.",
        fix: "Install the package that the fix names.",
    }
    KUBESPRAY_NONE_SURVIVED = "kubespray.none-survived", You {
        means: "A recovery needs at least one member of the control plane and of etcd that is not broken and has etcd's data; there is none.",
        usually: "All members were named, there is only one, or the others lost their disks as well.",
        fix: "Bring a member with its disk back. Without one the cluster is gone: `plinth reset`, then `plinth apply`.",
    }
    KUBESPRAY_PLAY_ENDED_BADLY = "kubespray.play-ended-badly", You {
        means: "Ansible ended with a failure, though its statistics say that no host failed.",
        usually: "Something outside the hosts failed, such as a full disk of this machine.",
        fix: "Read the log that the evidence names, then run again.",
    }
    KUBESPRAY_PLAY_REFUSED = "kubespray.play-refused", You {
        means: "Ansible began nothing: it could not read a playbook, the inventory or the variables.",
        usually: "A source of one's own with a mistake in it.",
        fix: "Read the last lines in the evidence.",
    }
    KUBESPRAY_PLAY_STILL_RUNS = "kubespray.play-still-runs", You {
        means: "Processes of an earlier play of this site still run on this machine. Two plays at once would disturb each other.",
        usually: "plinth and what keeps its plays were both killed a moment ago.",
        fix: "Wait until they have ended, then run again.",
    }
    KUBESPRAY_PLAY_WAS_STOPPED = "kubespray.play-was-stopped", You {
        means: "The playbook was interrupted or killed before its end.",
        usually: "This machine ran out of memory, or somebody ended the process.",
        fix: "Look at the memory of this machine, then run again: a play is gone over from its beginning.",
    }
    KUBESPRAY_RECOVER_UNKNOWN = "kubespray.recover-unknown", You {
        means: "A node that was named for recovery is not in the site file.",
        usually: "The name is misspelled.",
        fix: "Name members of the control plane or of etcd exactly as in the site file.",
    }
    KUBESPRAY_RECOVER_WORKER = "kubespray.recover-worker", You {
        means: "A node that was named for recovery is a worker; a recovery takes in members of the control plane and of etcd only.",
        usually: "BCM re-provisioned the worker.",
        fix: "Run `plinth apply`: it sees that the worker lost Kubernetes, and lets it join again.",
    }
    KUBESPRAY_RECOVERY_UNFINISHED = "kubespray.recovery-unfinished", You {
        means: "A recovery of control plane members was started and did not finish.",
        usually: "The run was interrupted, or a host failed.",
        fix: "Finish it with the command that the fix names, then apply.",
    }
    KUBESPRAY_REMOVAL_UNFINISHED = "kubespray.removal-unfinished", You {
        means: "Hosts were being taken out of Kubernetes, or Kubernetes off all hosts, and that did not end.",
        usually: "The run was interrupted, or a host failed.",
        fix: "Finish it with the command that the fix names, then apply.",
    }
    KUBESPRAY_REMOVE_ALL = "kubespray.remove-all", You {
        means: "All nodes were named for removal.",
        usually: "The whole cluster is meant.",
        fix: "Use `plinth reset`, which removes Kubernetes from all hosts.",
    }
    KUBESPRAY_REMOVE_QUORUM = "kubespray.remove-quorum", You {
        means: "A node that was named for removal is of the control plane or of etcd.",
        usually: "A node is to be replaced.",
        fix: "Remove workers only. Let BCM re-provision a broken member of the control plane or of etcd under the same name, then run `plinth recover NODE`.",
    }
    KUBESPRAY_REMOVE_UNKNOWN = "kubespray.remove-unknown", You {
        means: "A node that was named for removal is not in the site file.",
        usually: "It was taken out of the file first, or the name is misspelled.",
        fix: "Put it back into the site file, remove it, then take it out of the file.",
    }
    KUBESPRAY_SOURCE_DIFFERS = "kubespray.source-differs", You {
        means: "The source of Kubespray that is here is not the pinned commit, so it is not used.",
        usually: "Somebody changed the local copy, the fetch was damaged, or the tag was moved at its origin.",
        fix: "Remove the local copy so that it is fetched again. If it differs again, do not use this source, and find out who changed it.",
    }
    KUBESPRAY_TWO_CHANGES_AT_ONCE = "kubespray.two-changes-at-once", You {
        means: "Hosts join and the version changes in the same plan; Kubespray has no play for both.",
        usually: "Nodes were added to the site file together with a new version.",
        fix: "Apply one of the two first, then the other.",
    }
    KUBESPRAY_UPGRADE_TOO_FAR = "kubespray.upgrade-too-far", You {
        means: "Kubernetes and Kubespray go one minor release at a time, and the wanted one is further away.",
        usually: "Some releases were left out.",
        fix: "Go to the next minor release first, apply, and go on from there.",
    }
    KUBESPRAY_VERSION_SKEW = "kubespray.version-skew", You {
        means: "Some nodes run a version that is more than one minor release behind the wanted one, or newer than it, whatever plinth recorded.",
        usually: "Somebody changed these nodes by hand, or an upgrade ended in its middle.",
        fix: "Look at these nodes, and bring them within one minor release of the wanted one first.",
    }
}
