//! What is wrong with Kubernetes.

findings! {
    KUBERNETES_ANNOUNCED_IN_DHCP_POOL = "kubernetes.announced-in-dhcp-pool", BcmAdmin {
        means: "An address that the cluster would announce (of kube-vip or of the load balancer) lies in a range from which BCM hands out addresses. Another machine may get it too.",
        usually: "The addresses were chosen from a range that looked free.",
        fix: "Move the dynamic range of the network in BCM, or choose addresses outside it.",
    }
    KUBERNETES_ANNOUNCED_IN_USE = "kubernetes.announced-in-use", You {
        means: "An address that the cluster would announce (of kube-vip or of the load balancer) belongs to a machine. Two machines would answer for it.",
        usually: "A typing error, or a range that is larger than what is free.",
        fix: "Choose addresses that no machine has. The evidence names the machine.",
    }
    KUBERNETES_CERTIFICATE_EXPIRED = "kubernetes.certificate-expired", You {
        means: "Certificates of the control plane or of etcd are out of date. The parts that use them refuse each other.",
        usually: "The cluster is older than a year and was neither upgraded nor were its certificates renewed.",
        fix: "Renew them on each control-plane node (`kubeadm certs renew all`, then restart its static pods), or run Kubespray with `force_certificate_regeneration`; then run `plinth apply`.",
    }
    KUBERNETES_CERTIFICATE_ENDS_SOON = "kubernetes.certificate-ends-soon", You {
        means: "Certificates of the control plane or of etcd end within 30 days. Everything works until then; behind that day the parts that use them refuse each other.",
        usually: "The cluster is nearly a year old. Kubespray and kubeadm renew certificates at an upgrade only.",
        fix: "Renew them in time on each control-plane node (`kubeadm certs renew all`, then restart its static pods), or run Kubespray with `force_certificate_regeneration`.",
    }
    KUBERNETES_CONTROL_PLANE_ILL = "kubernetes.control-plane-ill", You {
        means: "API server, etcd, or what runs in kube-system did not become healthy in time. The evidence names what is missing.",
        usually: "Images that are still pulled, a node whose network does not work, clocks that differ, or an etcd member that was lost.",
        fix: "Look at `kubectl get pods -n kube-system -o wide`, and on the nodes at `journalctl -u etcd -u kubelet`; then run `plinth apply`.",
    }
    KUBERNETES_CREDENTIALS = "kubernetes.credentials", You {
        means: "The API server does not know the user of the kubeconfig that plinth holds.",
        usually: "The client certificate expired, or the control plane was rebuilt with other keys.",
        fix: "Run `plinth apply`: it fetches a new kubeconfig. If it is refused again, renew the certificates of the control plane.",
    }
    KUBERNETES_EXTRA_VAR_BCM_PORT = "kubernetes.extra-var-bcm-port", You {
        means: "A variable under `kubernetes.extraVars` gives port 8081 to the health check of the proxy on workers. BCM's CMDaemon has that port on every node.",
        usually: "The value was copied from Kubespray's sample inventory.",
        fix: "Remove it, and there is no such check; or choose another port, such as 8082.",
    }
    KUBERNETES_EXTRA_VAR_DEAD = "kubernetes.extra-var-dead", You {
        means: "A variable under `kubernetes.extraVars` has no effect in Kubespray.",
        usually: "It was copied from an older guide, or its name is reserved.",
        fix: "Remove it, or use what the fix names.",
    }
    KUBERNETES_EXTRA_VAR_OWN = "kubernetes.extra-var-own", You {
        means: "A variable under `kubernetes.extraVars` has a key of its own in the site file, or changes what plinth writes itself or relies on: names, addresses and labels of nodes, how they are reached and everything else that begins with `ansible_`, places on nodes, the DNS domain of the cluster, port 6443, etcd as a service, containerd.",
        usually: "The variable was copied from another installation of Kubespray.",
        fix: "Remove it, and write the key that the fix names; only keys are checked against the rest of the site.",
    }
    KUBERNETES_EXTRA_VAR_REMOVED = "kubernetes.extra-var-removed", You {
        means: "A variable under `kubernetes.extraVars` was removed from Kubespray before the release that is used. Ansible would say nothing about it.",
        usually: "It was copied from the settings of an older release.",
        fix: "Remove it, or use what the fix names.",
    }
    KUBERNETES_EXTRA_VAR_REPLACES = "kubernetes.extra-var-replaces", You {
        means: "A variable under `kubernetes.extraVars` replaces a value that plinth would have written. The evidence shows both.",
        usually: "The variable was copied from another installation.",
        fix: "Remove it unless you know why it is needed; `plinth render variables` shows the result.",
    }
    KUBERNETES_EXTRA_VAR_SECRET = "kubernetes.extra-var-secret", You {
        means: "A variable under `kubernetes.extraVars` looks like a secret in clear. Variables are kept in the plan and in files.",
        usually: "A registry login was written as a variable of Kubespray.",
        fix: "Remove it, and change the secret if the file was shared. Write registry logins as `registries: {logins: [{registry: HOST, username: USER, password: {env: NAME}}]}`.",
    }
    KUBERNETES_EXTRA_VAR_TWO_OWNERS = "kubernetes.extra-var-two-owners", You {
        means: "A variable under `kubernetes.extraVars` switches on an add-on of Kubespray that the platform stage installs too. helm refuses objects that it did not make.",
        usually: "It was copied from another installation. A text such as \"false\" counts as true, too.",
        fix: "Remove it, and choose the component under `platform.components`.",
    }
    KUBERNETES_EXTRA_VAR_UNKNOWN = "kubernetes.extra-var-unknown", You {
        means: "The release of Kubespray that is used reads no variable of this name. Ansible would say nothing about it, and the setting would have no effect.",
        usually: "A typing error, or a variable of another release; the evidence says which releases know it.",
        fix: "Write the name that the fix proposes, or remove it.",
    }
    KUBERNETES_FILES_MIRROR = "kubernetes.files-mirror", You {
        means: "Nodes are to fetch files themselves, from a mirror that this release of Kubespray has no variables for.",
        usually: "`kubernetes.downloads` has both `files` and `push: false`, with Kubespray v2.24.",
        fix: "Remove `push: false`, so that plinth fetches from the mirror and pushes; or use Kubespray v2.25 or newer.",
    }
    KUBERNETES_FORBIDDEN = "kubernetes.forbidden", You {
        means: "The API server knows the user of the kubeconfig and does not allow what plinth wants to do.",
        usually: "The kubeconfig in the state directory was replaced by one with fewer rights.",
        fix: "Remove `kubeconfig` from the state directory and run `plinth apply`: it fetches the administrator's.",
    }
    KUBERNETES_GPU_RUNTIME_LOST = "kubernetes.gpu-runtime-lost", You {
        means: "containerd does not know NVIDIA's runtime on a node, although the GPU operator's toolkit was started again there; GPU pods do not start.",
        usually: "The toolkit's pod does not come up, or it writes into a file that containerd does not read.",
        fix: "Look at the toolkit's pods with `kubectl get pods -A -l app=nvidia-container-toolkit-daemonset -o wide` and at their logs, and at `containerd config dump` on the node.",
    }
    KUBERNETES_LOST_BY_IMAGING = "kubernetes.lost-by-imaging", BcmAdmin {
        means: "BCM provisions the nodes of this site from an image. Re-provisioning one removes Kubernetes from it; the evidence names the directories.",
        usually: "True of every site with BCM.",
        fix: "Add the directories to the exclude lists of the category, or run `plinth apply` after every re-provisioning. Never let BCM re-provision several etcd members at once.",
    }
    KUBERNETES_ENGINE_CHANGED = "kubernetes.engine-changed", You {
        means: "The site's record says that another engine brought Kubernetes to it than the site file names now.",
        usually: "`kubernetes.engine` was changed, or two site files have one name.",
        fix: "Set the engine back. To take the same cluster over as an existing one, use another site name, or another folder with `--state DIR`.",
    }
    KUBERNETES_KUBECONFIG_UNUSABLE = "kubernetes.kubeconfig-unusable", You {
        means: "The kubeconfig that the site names is not there, or is none that plinth can keep a copy of.",
        usually: "A wrong path; a kubeconfig that leads to further files, or that runs a program to get its token.",
        fix: "Give the file of an administrator with everything in it: `kubectl config view --raw --flatten --minify > FILE`, with a certificate or a token of a service account.",
    }
    KUBERNETES_MTU = "kubernetes.mtu", You {
        means: "The largest packet of pods does not fit into the production network, or leaves no room for VXLAN, which adds 50 bytes.",
        usually: "`kubernetes.network.mtu` was copied from a network with jumbo frames, or BCM has another MTU for the network than its switches.",
        fix: "Write 50 less than the network carries, or remove `mtu`: then the plugin finds out. If BCM is wrong about the network, correct it there.",
    }
    KUBERNETES_NODES_UNTOUCHED = "kubernetes.nodes-untouched", You {
        means: "The platform needs something of the nodes themselves, and with `engine: existing` plinth touches none.",
        usually: "Run:ai on a cluster that is taken over: nodes must find its domain.",
        fix: "Put the name into the DNS that the nodes ask, or into their /etc/hosts.",
    }
    KUBERNETES_METRICS_MISSING = "kubernetes.metrics-missing", You {
        means: "The metrics API does not answer, or does not know the use of some nodes. `kubectl top` and autoscalers need it.",
        usually: "metrics-server does not run, or cannot reach the kubelets of those nodes.",
        fix: "Look at `kubectl get apiservice v1beta1.metrics.k8s.io` and at the log of metrics-server. It needs a minute after its start.",
    }
    KUBERNETES_NODES_NOT_READY = "kubernetes.nodes-not-ready", You {
        means: "An acceptance check found nodes of the site that Kubernetes does not know, or does not call Ready.",
        usually: "A kubelet or a container runtime stopped, or a node is off.",
        fix: "Look at `kubectl describe node NODE` for the condition that fails, and at `journalctl -u kubelet` on the node; then run `plinth apply`.",
    }
    KUBERNETES_NODE_NOT_READY = "kubernetes.node-not-ready", You {
        means: "Kubernetes was installed, but the node did not become Ready in time.",
        usually: "kubelet or containerd does not run, or the network plugin does not come up on the node.",
        fix: "Run `kubectl describe node NODE`, and look at the logs of kubelet and containerd on the node; then run again.",
    }
    KUBERNETES_NOT_OURS = "kubernetes.not-ours", You {
        means: "What was asked for belongs to whoever installed Kubernetes, and that was not plinth.",
        usually: "`plinth remove`, `plinth reset` or `plinth recover` on a site with `engine: existing`.",
        fix: "Use the program that installed the cluster.",
    }
    KUBERNETES_MANAGED_ELSEWHERE = "kubernetes.managed-elsewhere", You {
        means: "Another state directory manages this cluster: a mark in it, the map `plinth-site` in kube-system, says which, who made it, and where. Nothing was changed.",
        usually: "A colleague manages the site from another machine or account, or two sites name the kubeconfig of one cluster.",
        fix: "Use the state directory that the finding names: docs/sharing.md says how to share one. If it is lost, or the site is yours now, run `plinth apply --take-over`.",
    }
    KUBERNETES_NODE_UNKNOWN = "kubernetes.node-unknown", You {
        means: "The cluster that was there before knows no node of this name, and plinth adds none to it.",
        usually: "Another spelling than `kubectl get nodes` shows, or a machine that nobody has joined yet.",
        fix: "Write the name in the site file as `kubectl get nodes` shows it, take the node out, or have it joined.",
    }
    KUBERNETES_OTHER_VERSION = "kubernetes.other-version", You {
        means: "The cluster runs another version of Kubernetes than the site file says.",
        usually: "It was upgraded since, or the kubeconfig is that of another cluster.",
        fix: "Look at `kubectl version`; then correct `kubernetes.version`, leave it out, or name the right kubeconfig.",
    }
    KUBERNETES_PART_VERSION = "kubernetes.part-version", You {
        means: "A variable under `kubernetes.extraVars` asks for a version of a part that this release of Kubespray has no checksum for, or writes it in another form.",
        usually: "The version belongs to another release; or it has a `v` where the release wants none, or none where it wants one.",
        fix: "Write the version that the fix proposes, in exactly that form, or remove the variable.",
    }
    KUBERNETES_PROXY_MODE = "kubernetes.proxy-mode", You {
        means: "The release of Kubespray that is used cannot set up this way of reaching services.",
        usually: "`nftables` with a release before v2.28.",
        fix: "Choose `ipvs` or `iptables` under `kubernetes.network.proxyMode`, or a newer release.",
    }
    KUBERNETES_RANGE_IN_USE = "kubernetes.range-in-use", You {
        means: "The range of pods or of services holds the address of a machine. That machine could not be reached from the cluster.",
        usually: "The default ranges, or copied ones, meet a network of the site.",
        fix: "Choose another range: `kubernetes: {network: {pods: RANGE, services: RANGE}}`. The evidence names the machine.",
    }
    KUBERNETES_RANGE_OVERLAPS = "kubernetes.range-overlaps", You {
        means: "The range of pods or of services overlaps a network that BCM lists. No listed machine has an address there.",
        usually: "BCM lists a network that nothing uses, or machines that are not listed use it.",
        fix: "Choose a range that overlaps no network of the site, unless you know that this one is unused.",
    }
    KUBERNETES_SERVER_EXPIRED = "kubernetes.server-expired", You {
        means: "The certificate that the API server shows is not valid at this moment.",
        usually: "It expired, or the clock of this machine or of the control plane is wrong.",
        fix: "Check both clocks, then renew the certificates of the control plane (`kubeadm certs renew all`).",
    }
    KUBERNETES_TEMPLATE = "kubernetes.template", You {
        means: "A value that goes to Ansible holds a template of Jinja. Ansible would run it on the machine where plinth runs.",
        usually: "A variable under `kubernetes.extraVars` was copied from another inventory of Kubespray; or somebody wants to run programs here.",
        fix: "Write the value that the template stands for. Look who wrote it, if it does not belong there.",
    }
    KUBERNETES_UNKNOWN_KUBESPRAY = "kubernetes.unknown-kubespray", You {
        means: "The Kubespray release in the site file is not among those whose commit this plinth knows.",
        usually: "A newer release than this plinth, or a typing error.",
        fix: "Remove `kubernetes.kubespray.version` and let plinth choose, or use one of the releases in the evidence.",
    }
    KUBERNETES_UNREACHABLE = "kubernetes.unreachable", NetworkTeam {
        means: "The API server does not answer.",
        usually: "kube-apiserver does not run, or a firewall blocks port 6443 of the control plane from this machine.",
        fix: "Check kube-apiserver on the first control-plane node, and the way to its port 6443 from here; then run again.",
    }
    KUBERNETES_VERSION_NOT_KNOWN = "kubernetes.version-not-known", You {
        means: "Which Kubernetes an existing cluster runs is not known yet, so nothing was compared with it.",
        usually: "`kubernetes.version` was left out, and the cluster was not taken over yet.",
        fix: "Name the version in the site file, or plan again after the first run.",
    }
    KUBERNETES_VERSION_NOT_IN_KUBESPRAY = "kubernetes.version-not-in-kubespray", You {
        means: "No known Kubespray release, or not the chosen one, can install this Kubernetes version.",
        usually: "The version is too new or too old for the releases that this plinth knows.",
        fix: "Set `kubernetes.version` to the version that the fix names. If it names a Kubespray release, you can set `kubernetes: {kubespray: {version: RELEASE}}` instead.",
    }
    KUBERNETES_WRONG_AUTHORITY = "kubernetes.wrong-authority", You {
        means: "What answers at the API server's address shows a certificate of another authority than the kubeconfig expects. Nothing was sent to it.",
        usually: "The cluster was rebuilt, or the address belongs to another cluster.",
        fix: "Find out which cluster answers there. If it is the right one, run `plinth apply`: it fetches a new kubeconfig.",
    }
    KUBERNETES_WRONG_NAME = "kubernetes.wrong-name", You {
        means: "The API server's certificate does not cover the address that plinth uses for it.",
        usually: "The address of the control plane changed, or a load balancer stands in front of it.",
        fix: "Add the address to `supplementary_addresses_in_ssl_keys` under `kubernetes.extraVars` and run `plinth apply`.",
    }
}
