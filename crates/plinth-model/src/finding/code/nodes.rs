//! Selection, addresses and roles of nodes.

findings! {
    NODES_ADDRESS_DUPLICATE = "nodes.address-duplicate", BcmAdmin {
        means: "Several machines have the same address. None of them gets it.",
        usually: "An interface or an override was copied from another node.",
        fix: "Give each machine its own address, in BCM or under `nodes.overrides`; the evidence names the machines.",
    }
    NODES_ADDRESS_FORBIDDEN = "nodes.address-forbidden", You {
        means: "The address that a person gave for this node lies in a forbidden network.",
        usually: "The address of the BMC was written instead of the node's own.",
        fix: "Write an address inside `networks.production`, or correct `networks.forbidden`.",
    }
    NODES_ADDRESS_NOT_USABLE = "nodes.address-not-usable", You {
        means: "The address that a person gave for this node cannot be that of a machine.",
        usually: "It is a loopback, link-local or multicast address, or the first or last one of the production network.",
        fix: "Write the node's own address inside `networks.production`.",
    }
    NODES_ADDRESS_OUTSIDE_PRODUCTION = "nodes.address-outside-production", You {
        means: "The address that a person gave for this node lies outside the production network.",
        usually: "A typing error, or a `networks.production` that is too narrow.",
        fix: "Correct the address, or the range in `networks.production`.",
    }
    NODES_BAD_GLOB = "nodes.bad-glob", You {
        means: "A pattern for node names cannot be read.",
        usually: "A bracket or brace that is not closed.",
        fix: "Write a name, or a glob such as `dgx-*` or `dgx-0[1-4]`.",
    }
    NODES_BAD_NAME = "nodes.bad-name", You {
        means: "The host name of this machine cannot be the name of a node: Kubernetes does not take it, or YAML or Ansible reads it as something else.",
        usually: "Capital letters, underscores or dots; more than 63 characters; only digits; a word such as `on` or `no`; or a name of Ansible's groups, such as `etcd` or `all`.",
        fix: "Rename the machine: lower-case letters, digits and dashes, with a letter among them, such as `node-101`. Quotes do not help.",
    }
    NODES_EXCLUDE_UNUSED = "nodes.exclude-unused", You {
        means: "A selector under `nodes.exclude` matches nodes, but none that another list selects. It takes nothing away.",
        usually: "The node was taken out of the other lists since, or the selector was meant for another one.",
        fix: "Remove the selector, or correct it; `plinth discover` shows which nodes are selected.",
    }
    NODES_LABELS_UNUSED = "nodes.labels-unused", You {
        means: "A node has labels or taints in the site file, but it only runs etcd. Kubernetes does not know it as a node, so nobody sees them.",
        usually: "The node was a worker before, or the labels were meant for another one.",
        fix: "Remove its labels and taints under `nodes.overrides`, or select the node under `nodes.workers` or `nodes.controlPlane`.",
    }
    NODES_LEFT_OUT = "nodes.left-out", You {
        means: "A glob or a category matches machines that plinth does not use: only physical nodes become nodes of the cluster.",
        usually: "LiteNodes or cloud nodes of BCM, a head node, or a template with a similar name.",
        fix: "Make them physical nodes in BCM if they belong to the cluster, or narrow the selector so that it does not match them.",
    }
    NODES_LISTED_TWICE = "nodes.listed-twice", You {
        means: "The inventory lists two machines with the same name.",
        usually: "A node was cloned and not renamed.",
        fix: "Give each machine its own host name, then run `plinth discover`.",
    }
    NODES_NO_CONTROL_PLANE = "nodes.no-control-plane", You {
        means: "No node is left for the control plane.",
        usually: "The selectors of `nodes.controlPlane` match nothing that may be used.",
        fix: "Name at least one physical node in `nodes.controlPlane`; `plinth discover` lists them.",
    }
    NODES_NO_MATCH = "nodes.no-match", You {
        means: "A selector or an override matches no node that it could mean.",
        usually: "A typing error, a category of another name, or a GPU node that is not among the workers.",
        fix: "Run `plinth discover` to see the names; correct the selector or remove it. GPU nodes must be in `nodes.workers`, system nodes in the cluster.",
    }
    NODES_NO_WORKERS = "nodes.no-workers", You {
        means: "No node is left as a worker.",
        usually: "The selectors of `nodes.workers` match nothing that may be used.",
        fix: "Name at least one physical node in `nodes.workers`; `plinth discover` lists them.",
    }
    NODES_NOT_A_TARGET = "nodes.not-a-target", You {
        means: "A selector means a head node, a template or another entity that is no physical machine. plinth never touches those.",
        usually: "The name of the head node in a list of nodes, or a glob that only matches such entities.",
        fix: "Name physical nodes only; `plinth discover` shows the type of each.",
    }
    NODES_OTHER_CASE = "nodes.other-case", You {
        means: "A machine would be selected if upper and lower case were the same letters. They are not, so it is left out.",
        usually: "BCM has names such as `GPU-3` or two categories `dgx` and `DGX`, and the site file writes them in lower case.",
        fix: "Rename the machine in BCM if it belongs to the cluster, name the other category too, or leave it: this is a warning.",
    }
    NODES_OVERRIDE_UNUSED = "nodes.override-unused", You {
        means: "`nodes.overrides` has an entry for a node that is not in the cluster.",
        usually: "The node was taken out of the lists, or its entry was made in advance.",
        fix: "Select the node, or remove its entry under `nodes.overrides`.",
    }
    NODES_SYSTEM_TOO_SMALL = "nodes.system-too-small", You {
        means: "The nodes that carry Run:ai have fewer cores, less memory or less room for volumes together than its documents ask for. Pods would stay Pending, or fill a partition.",
        usually: "One node carries what is meant for three, or volumes of nodes go to a small partition.",
        fix: "Give the role to more nodes, or larger ones, in `nodes.system`; volumes go beside `storage.larger`.",
    }
    NODES_TWO_ROLES = "nodes.two-roles", You {
        means: "A node is selected both for the control plane and as a worker.",
        usually: "A glob or a category that reaches further than meant.",
        fix: "Keep each node in one of `nodes.controlPlane` and `nodes.workers`; the evidence names them.",
    }
    NODES_WITHOUT = "nodes.without", You {
        means: "This run leaves a node of the site out: `--without` names it, or it is not fit and `run.nodeFailures` allows to go on without it.",
        usually: "The machine is in repair, or does not answer.",
        fix: "When it answers again, run `plinth apply` without `--without`: it takes the node in. To leave it out for good, name it under `nodes.exclude`.",
    }
    NODES_WITHOUT_QUORUM = "nodes.without-quorum", You {
        means: "A member of the control plane or of etcd cannot be left out of a run. Without it another cluster would be made, or the one there is would lose a member without being told.",
        usually: "`--without` names a member of the control plane that is broken.",
        fix: "Repair the node. One that BCM re-imaged is taken in by `plinth recover NODE`. Before Kubernetes is installed, name other nodes under `nodes.controlPlane`.",
    }
}
