//! What is wrong with a node.

findings! {
    NODE_MANAGED_ELSEWHERE = "node.managed-elsewhere", You {
        means: "Another state directory manages this node: a mark on the node says which, who made it, and where. Nothing was changed.",
        usually: "A colleague manages the site from another machine or account, or `--state` names another folder than usual.",
        fix: "Use the state directory that the finding names: docs/sharing.md says how to share one. If it is lost, or the site is yours now, run `plinth apply --take-over`.",
    }
    NODE_ACCOUNT_CLASH = "node.account-clash", BcmAdmin {
        means: "The service account cannot be made: something else on the node has its name, uid or gid. Nothing was changed.",
        usually: "A user of an earlier installation, or an id that a directory service gives out.",
        fix: "Choose values that are free on every node: `access: {account: {name: NAME, uid: 60000, gid: 60000}}`. Or remove what is in the way.",
    }
    NODE_APPARMOR = "node.apparmor", You {
        means: "AppArmor is on. Containers get containerd's default profile; nothing needs to be changed.",
        usually: "Ubuntu, DGX OS and SUSE switch it on.",
        fix: "Nothing.",
    }
    NODE_ARCHITECTURE = "node.architecture", You {
        means: "The processor of the node is of a kind for which neither Kubespray nor Run:ai has images.",
        usually: "A machine of another kind has got into the inventory.",
        fix: "Choose another node; `uname -m` must say x86_64 or aarch64.",
    }
    NODE_BCM_PORT = "node.bcm-port", BcmAdmin {
        means: "Port 8081 on the node belongs to CMDaemon of BCM. A pod with this host port would never start there.",
        usually: "Every node that BCM manages has it.",
        fix: "Nothing, unless a pod of yours uses the host port 8081: give that one another port.",
    }
    NODE_CGROUP_V1 = "node.cgroup-v1", BcmAdmin {
        means: "The node uses version 1 control groups. Kubernetes no longer develops for them, and kubelet 1.35 refuses them by default.",
        usually: "An old system, or the kernel parameter systemd.unified_cgroup_hierarchy=0.",
        fix: "Boot the node with systemd.unified_cgroup_hierarchy=1; then `stat -fc %T /sys/fs/cgroup` says cgroup2fs.",
    }
    NODE_CLOCK_DRIFTS = "node.clock-drifts", BcmAdmin {
        means: "The clock of the node is more than a second off. etcd complains at that distance, and it usually grows.",
        usually: "The time service was started a short while ago, or asks another server than this machine does.",
        fix: "Let the node and this machine ask the same time server; `chronyc tracking` or `timedatectl` shows the distance.",
    }
    NODE_CLOCK_OFF = "node.clock-off", BcmAdmin {
        means: "The clock of the node is more than a minute off. Certificates and tokens would not be valid there.",
        usually: "NTP does not run on the node, or it cannot reach a time server.",
        fix: "Make NTP work on the node and on this machine; `timedatectl` shows the state. Then run again.",
    }
    NODE_CLOCK_SKEW = "node.clock-skew", BcmAdmin {
        means: "The clocks of two nodes are more than a minute apart. Tokens made on one are not valid on the other, and the diagnostics of Run:ai fail.",
        usually: "NTP does not run on one of the nodes in the evidence.",
        fix: "Let all nodes ask the same time server, then run again.",
    }
    NODE_DGX_RELEASE_DIFFERS = "node.dgx-release-differs", BcmAdmin {
        means: "The release of DGX OS and the release of Ubuntu on the node do not belong together.",
        usually: "An upgrade from one major release of DGX OS to the next did not end, or a file was copied into an image.",
        fix: "Compare `cat /etc/dgx-release` with `cat /etc/os-release`, and finish the upgrade or correct the image.",
    }
    NODE_DOCKER = "node.docker", You {
        means: "Docker runs on the node, with no running container that could be seen. Kubespray uninstalls it, so the site file must say that it may.",
        usually: "DGX OS brings Docker.",
        fix: "Make sure with `docker ps -a` that nobody needs it, then set `removeDocker: true` under `kubernetes`; or choose another node.",
    }
    NODE_DOCKER_IN_USE = "node.docker-in-use", You {
        means: "Containers run in Docker on the node, and Kubespray would uninstall it under them.",
        usually: "Somebody works on the machine, or a service runs in Docker.",
        fix: "Find out whose they are with `docker ps`; stop them, or choose another node.",
    }
    NODE_DRIVERS_DIFFER = "node.drivers-differ", BcmAdmin {
        means: "GPU nodes have different versions of the NVIDIA driver. Jobs over several nodes may fail.",
        usually: "Nodes have different software images, or some were not restarted after an update.",
        fix: "Bring the driver to one version in the software image, and restart the nodes; `nvidia-smi` shows the loaded one.",
    }
    NODE_DUPLICATE_ADDRESS = "node.duplicate-address", NetworkTeam {
        means: "An address is on several nodes, so traffic reaches now one and now the other.",
        usually: "An interface was copied from another node, or two names lead to one machine.",
        fix: "Give each node addresses of its own in BCM. The evidence names address and nodes.",
    }
    NODE_DUPLICATE_HOSTNAME = "node.duplicate-hostname", BcmAdmin {
        means: "Several nodes call themselves the same. Kubernetes would take them for one.",
        usually: "Two names of the inventory lead to the same machine, or an image carries a fixed host name.",
        fix: "See whether the addresses lead to one machine; otherwise set the names with `hostnamectl set-hostname NODE`.",
    }
    NODE_FIREWALL = "node.firewall", NetworkTeam {
        means: "firewalld runs on the node. It closes the ports of Kubernetes and of its network, and Kubespray does not open them.",
        usually: "Systems of the Red Hat family switch it on.",
        fix: "`systemctl disable --now firewalld`, or open the ports between the nodes before you install.",
    }
    NODE_HOME_ON_NFS = "node.home-on-nfs", BcmAdmin {
        means: "The home directory of the login is on NFS. A server that squashes root refuses keys written there, and all nodes share one file.",
        usually: "BCM mounts /home from the head node.",
        fix: "Choose a local home for plinth's account: `access: {account: {home: /var/lib/NAME}}`.",
    }
    NODE_HOST_KEY_CHANGED = "node.host-key-changed", You {
        means: "The node presents another SSH host key than the one that was pinned at first contact. plinth does not log in.",
        usually: "BCM re-provisioned the node and gave it a new key, or somebody intercepts the connection.",
        fix: "Find out why. Compare the fingerprint in the evidence with the one on the node's console: `ssh-keygen -lf KEYFILE.pub`. Do not go on before they agree.",
    }
    NODE_HOST_KEY_PINNED = "node.host-key-pinned", You {
        means: "The node was met for the first time; the host key that it showed is pinned from now on.",
        usually: "Every node is met for the first time once.",
        fix: "Compare the fingerprint with what the node's console shows, if you do not trust the network in between.",
    }
    NODE_HOSTNAME_DIFFERS = "node.hostname-differs", BcmAdmin {
        means: "The machine calls itself otherwise than the inventory does. Kubespray renames it, and BCM names it back when it is provisioned.",
        usually: "The address leads to another machine, or the host name was changed by hand.",
        fix: "Make sure that it is the right machine; then correct the name in BCM or with `hostnamectl set-hostname NODE`.",
    }
    NODE_IMAGES_BY_ENGINE = "node.images-by-engine", You {
        means: "The node holds no container images yet, and its usual place for them is too small. Kubespray puts them on the larger partition from the start; nothing has to be moved.",
        usually: "BCM's default disk layout gives /var 6 GB and /local the rest.",
        fix: "Nothing.",
    }
    NODE_IN_USE = "node.in-use", You {
        means: "Something on the node prevents a new installation; nothing was changed.",
        usually: "Leftovers of an earlier Kubernetes, or another service that uses its ports or folders.",
        fix: "Remove what the evidence names, or choose another node; then run again.",
    }
    NODE_IPV6_OFF = "node.ipv6-off", You {
        means: "IPv6 is off in the kernel of the node. From 2.28 on Kubespray binds the API server to an IPv6 address, which fails there.",
        usually: "The kernel setting net.ipv6.conf.all.disable_ipv6 is 1.",
        fix: "Set `kube_apiserver_bind_address: 0.0.0.0` under `kubernetes.extraVars`, and add `0.0.0.0` to `kubernetes.api.extraNames`: Kubespray asks the API server at that address, so its certificate has to be for it.",
    }
    NODE_KERNEL_SETTINGS = "node.kernel-settings", You {
        means: "Kernel settings that pods' networks need have other values.",
        usually: "A fresh system: nothing has needed them before.",
        fix: "Nothing, if the engine sets them, as Kubespray does. Otherwise `plinth preflight --fix`, or `sysctl -w NAME=1` and write them into a file below /etc/sysctl.d.",
    }
    NODE_KERNELS_DIFFER = "node.kernels-differ", BcmAdmin {
        means: "Nodes of one kind run different kernels. That works, but faults that some nodes have and others do not are hard to find.",
        usually: "Some nodes were not restarted after an update.",
        fix: "Restart the nodes that run the older kernel; the evidence names them.",
    }
    NODE_KUBERNETES_RUNS = "node.kubernetes-runs", You {
        means: "A part of Kubernetes still runs on a node that it was removed from.",
        usually: "The removal did not come to its end on this node.",
        fix: "Run the removal again. If it stays, stop these programs on the node.",
    }
    NODE_LOCAL_RESOLVER = "node.local-resolver", You {
        means: "The node asks systemd-resolved on its loopback address. Kubespray gives pods the servers behind it, so nothing loops.",
        usually: "Ubuntu and DGX OS are set up so.",
        fix: "Nothing.",
    }
    NODE_LOGIN_REFUSED = "node.login-refused", You {
        means: "The node was reached and proved itself, but it did not let plinth log in. A refused password is not sent again, so that the account is not locked.",
        usually: "User or proof in the site file are wrong, the key is not authorised there, or sshd forbids this way to log in.",
        fix: "Log in by hand with the same user and proof. Correct `access` in the site file, or allow this login on the node.",
    }
    NODE_LOW_INODES = "node.low-inodes", You {
        means: "A file system that Kubernetes uses has fewer than 5 % of its inodes free. kubelet would put pods out at once.",
        usually: "Very many small files: caches, mail queues, old images.",
        fix: "Remove them; `du --inodes -xd1 MOUNT | sort -n` shows where they are.",
    }
    NODE_LOW_SPACE = "node.low-space", You {
        means: "A file system that Kubernetes uses is nearly full: below 10 % free, or 15 % where images are. kubelet would put pods out at once.",
        usually: "Logs, old images or data of users on the system's disk.",
        fix: "Free space; `du -xhd1 MOUNT | sort -h` shows where it went.",
    }
    NODE_MANY_NAMESERVERS = "node.many-nameservers", NetworkTeam {
        means: "The node has more than three name servers. Only the first three are ever asked.",
        usually: "Several sources write into /etc/resolv.conf.",
        fix: "Shorten the list that /etc/resolv.conf is made from: in BCM, NetworkManager or netplan.",
    }
    NODE_MANY_SEARCH_DOMAINS = "node.many-search-domains", NetworkTeam {
        means: "The node has more than six search domains. Kubernetes adds three, and older images look at six in all, so names fail in them.",
        usually: "Every network of BCM has added its domain.",
        fix: "Shorten the list in BCM, or the line `search` that /etc/resolv.conf is made from.",
    }
    NODE_MODULES_MISSING = "node.modules-missing", You {
        means: "Kernel modules that containers and their networks need are not loaded.",
        usually: "A fresh system: nothing has needed them before.",
        fix: "Nothing, if the engine loads them, as Kubespray does. Otherwise `plinth preflight --fix`, or `modprobe -a overlay br_netfilter` and name them in a file below /etc/modules-load.d.",
    }
    NODE_NAME_DIFFERS = "node.name-differs", NetworkTeam {
        means: "The node resolves a name to another address than the site file expects.",
        usually: "An old entry in the DNS server or in /etc/hosts.",
        fix: "Correct it there; `getent hosts NAME` on the node tells the address.",
    }
    NODE_NAME_UNRESOLVED = "node.name-unresolved", NetworkTeam {
        means: "The node cannot resolve a name that it will need.",
        usually: "The name is not in the DNS server yet, or the node asks another server.",
        fix: "Add the name to the DNS server that the nodes ask. For names whose address is in the site file plinth can write an entry into /etc/hosts.",
    }
    NODE_NO_ADDRESS = "node.no-address", BcmAdmin {
        means: "The address that BCM or the site file gives for the node is on none of its interfaces. Kubespray stops there.",
        usually: "The record in BCM is old, or the interface did not come up.",
        fix: "Correct the interface in BCM, or the override of the node; `ip -4 addr` on the node shows what it has.",
    }
    NODE_NO_ANSWER = "node.no-answer", NetworkTeam {
        means: "The node gets no answer from a registry or repository that it will need.",
        usually: "A firewall, a missing route, or a proxy that only some programs know of.",
        fix: "Open the way, or name a mirror under `registries.mirrors`; `curl -v URL` on the node tells what is missing.",
    }
    NODE_NO_DEFAULT_ROUTE = "node.no-default-route", NetworkTeam {
        means: "The node has no default route. Kubernetes takes the node's own address, and its way to services, from it.",
        usually: "The production network has no gateway in BCM.",
        fix: "Set the gateway of the network in BCM; `ip route` on the node then shows `default via`.",
    }
    NODE_NO_DRIVER = "node.no-driver", BcmAdmin {
        means: "The node has DGX OS and GPUs, but the NVIDIA driver is not loaded. The GPU Operator leaves the driver to DGX OS.",
        usually: "The kernel was updated and the driver was not built for it.",
        fix: "Look at `dkms status` and `modprobe nvidia` on the node, or provision it with an image whose kernel and driver agree.",
    }
    NODE_NO_FABRIC_MANAGER = "node.no-fabric-manager", BcmAdmin {
        means: "The node has NVSwitches, but the fabric manager does not run. CUDA does not start before it has set them up.",
        usually: "It is not installed, or its version is not exactly that of the driver.",
        fix: "Install the fabric manager of the driver's version; then `systemctl enable --now nvidia-fabricmanager`.",
    }
    NODE_NO_GPU = "node.no-gpu", BcmAdmin {
        means: "The node is listed as a GPU node, but no GPU is on its bus.",
        usually: "The wrong node is in `nodes.gpu`, or the GPUs are off in the firmware or faulty.",
        fix: "Take the node out of `nodes.gpu`, or look at `lspci` on the node and at its firmware.",
    }
    NODE_NO_KERNEL_HEADERS = "node.no-kernel-headers", BcmAdmin {
        means: "A driver will be built for the node's kernel, and the headers of that kernel are not installed.",
        usually: "A plain system image without a driver. The GPU Operator fetches headers itself, where it reaches the package sources.",
        fix: "Nothing, if the node reaches package sources. Otherwise install the headers or a driver in the software image.",
    }
    NODE_NO_NAMESERVER = "node.no-nameserver", NetworkTeam {
        means: "The node has no name server. Kubespray stops there, and no image could be fetched.",
        usually: "No name servers are set in BCM for this network.",
        fix: "Set name servers in BCM; /etc/resolv.conf on the node then names them.",
    }
    NODE_NO_PACKAGE_MANAGER = "node.no-package-manager", You {
        means: "The node has none of the package managers that Kubespray can use.",
        usually: "A minimal image or an unusual system.",
        fix: "Choose an image with apt, dnf, yum or zypper.",
    }
    NODE_NO_PYTHON = "node.no-python", BcmAdmin {
        means: "The node has no Python that Ansible can use: version 3.7 or newer.",
        usually: "A minimal image, or one that has only the Python of its own system tools. Where package sources can be reached, Kubespray installs one.",
        fix: "Install Python 3 in the software image, as the fix names it.",
    }
    NODE_NO_ROOT = "node.no-root", BcmAdmin {
        means: "The login cannot become root on the node, so nothing can be prepared there.",
        usually: "sudo is not installed, or does not know the login.",
        fix: "Give the login sudo, or sign in first as root: `access: {bootstrap: {user: root}}`.",
    }
    NODE_NO_SPACE = "node.no-space", You {
        means: "Neither folder for container images has the space that is wanted, so images have nowhere to go.",
        usually: "A small system disk, and a large disk that is not mounted where `storage.larger` says.",
        fix: "Free space, name another folder (`storage: {larger: FOLDER}` or `nodes: {overrides: {NODE: {storage: FOLDER}}}`), or lower `storage.imagesGib`.",
    }
    NODE_NO_TIME_SERVICE = "node.no-time-service", BcmAdmin {
        means: "No time service runs on the node. Run:ai wants NTP, and clocks drift apart without it.",
        usually: "It is not installed, or it was stopped.",
        fix: "Install chrony, name a time server, and `systemctl enable --now chrony` (chronyd on Red Hat and SUSE).",
    }
    NODE_NODE_PORTS_TAKEN = "node.node-ports-taken", You {
        means: "Something on the node listens on ports between 30000 and 32767, which Kubernetes gives to services.",
        usually: "A program that chose its port by chance, or another installation.",
        fix: "Move it to another port; `ss -ltnp` on the node names it.",
    }
    NODE_NOISY_LOGIN = "node.noisy-login", You {
        means: "The login prints text before commands answer. plinth is not misled by it; scp and other tools may be.",
        usually: "A greeting in ~/.bashrc or in a file below /etc/profile.d.",
        fix: "Let such files print only for people: `case $- in *i*) ... esac`.",
    }
    NODE_NOT_SYNCHRONISED = "node.not-synchronised", NetworkTeam {
        means: "A time service runs on the node, but the clock is not synchronised.",
        usually: "It cannot reach its time server, or was started a moment ago.",
        fix: "Open UDP 123 to a time server, or name one that answers; `chronyc sources` or `timedatectl timesync-status` shows it.",
    }
    NODE_OLD_KERNEL = "node.old-kernel", BcmAdmin {
        means: "The kernel of the node is older than what Kubernetes needs there: 5.8 for version 2 control groups, 4.18 otherwise.",
        usually: "An old software image.",
        fix: "Choose an image with a newer kernel.",
    }
    NODE_OPERATION_FAILED = "node.operation-failed", You {
        means: "An operation on the node said itself that it failed. The evidence holds the last things that were printed there.",
        usually: "A full disk, a missing program, or a service that does not start.",
        fix: "Fix what the message names, then run again. What was finished is not done again.",
    }
    NODE_PORTS_TAKEN = "node.ports-taken", You {
        means: "Something on the node listens on ports that Kubernetes needs.",
        usually: "An earlier installation still runs, or BCM's own proxy for another cluster.",
        fix: "Stop it, or choose another node; `ss -ltnp` on the node names it.",
    }
    NODE_PROXY = "node.proxy", You {
        means: "The node uses a proxy. Addresses of pods, services and nodes must be excepted from it.",
        usually: "The site has no direct way out.",
        fix: "Check that `no_proxy` names the node, pod and service networks and the domain of the cluster.",
    }
    NODE_RESOLVER_LOOP = "node.resolver-loop", NetworkTeam {
        means: "The node asks itself for names. CoreDNS would forward to itself; it notices that and stops.",
        usually: "dnsmasq or unbound runs on the node, or /etc/resolv.conf was written for one.",
        fix: "Write the real servers into /etc/resolv.conf, or name servers under `kubernetes.dns.servers`.",
    }
    NODE_SELINUX = "node.selinux", You {
        means: "SELinux is enforcing. Kubespray sets it to permissive by default.",
        usually: "Systems of the Red Hat family are set up so.",
        fix: "Nothing, or set `preinstall_selinux_state` under `kubernetes.extraVars` if it must stay.",
    }
    NODE_SMALL_VAR = "node.small-var", BcmAdmin {
        means: "/var is a small partition of its own. Logs, etcd and kubelet live there and want 6 GiB.",
        usually: "The default disk layout of BCM, which gives /var 6 GB.",
        fix: "Enlarge /var in the disk setup of the node's category, and re-provision the node.",
    }
    NODE_SUDO_PASSWORD = "node.sudo-password", You {
        means: "sudo asks for the password of the login. plinth gives it; the account that plinth makes is not asked.",
        usually: "The usual setting of sudo.",
        fix: "Nothing.",
    }
    NODE_SWAP = "node.swap", You {
        means: "Swap is on. kubelet refuses to start with swap by default.",
        usually: "Installers of systems make a swap partition.",
        fix: "Nothing, if the engine switches it off. Otherwise `swapoff -a`, and take its line out of /etc/fstab.",
    }
    NODE_SYSTEMS_DIFFER = "node.systems-differ", BcmAdmin {
        means: "Nodes of one kind run different systems. That works, but faults that some nodes have and others do not are hard to find.",
        usually: "Nodes have different software images.",
        fix: "Give nodes of one role the same software image; the evidence names them.",
    }
    NODE_TOO_SMALL = "node.too-small", You {
        means: "The node has fewer cores or less memory than its role needs.",
        usually: "A small machine is among the workers or the system nodes.",
        fix: "Give the role to a larger machine: change `nodes.workers`, `nodes.controlPlane` or `nodes.system`.",
    }
    NODE_UNFIT = "node.unfit", You {
        means: "The node is not fit for its role, for a reason that has no code of its own. The evidence names it.",
        usually: "This should not be seen: each known reason has its own code.",
        fix: "Fix what the evidence names, and report that this code was shown.",
    }
    NODE_UNREACHABLE = "node.unreachable", You {
        means: "The node could not be asked: nothing answered at its production address, or the connection was lost.",
        usually: "The machine is off, its link is down, or a firewall drops SSH.",
        fix: "Look at the machine in BCM and at its link; `ssh -p PORT USER@ADDRESS` from here tells the same. Then run again.",
    }
    NODE_UNSUPPORTED_OS = "node.unsupported-os", BcmAdmin {
        means: "The operating system of the node is not one that Kubespray supports; Kubespray stops there by default.",
        usually: "The software image was made from another distribution or release.",
        fix: "Choose an image with a supported system, or set `allow_unsupported_distribution_setup: true` under `kubernetes.extraVars` at your own risk.",
    }
}
