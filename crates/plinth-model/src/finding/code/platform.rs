//! Components, and what is proved of them.

findings! {
    CATALOG_EXPRESSION = "catalog.expression", You {
        means: "The values of a component could not be computed from the catalog.",
        usually: "A mistake in the catalog that comes with plinth.",
        fix: "Report it with the site file, secrets left out. Until it is fixed, switch the component off: `enabled: false`.",
    }
    CATALOG_NO_VERSION = "catalog.no-version", You {
        means: "The catalog has no version for a component, and the site file gives none.",
        usually: "A component whose version is the site's to choose.",
        fix: "Write `platform: {components: {NAME: {version: VERSION}}}`.",
    }
    PLATFORM_PARTS_CLASH = "platform.parts-clash", You {
        means: "Two components that are both on bring a part of the same name, so that the one that is applied last decides what it is.",
        usually: "Operators that once were one project.",
        fix: "Switch one of them off, or give it without that part, as the finding says.",
    }
    PLATFORM_OBJECTS_UNPROVED = "platform.objects-unproved", You {
        means: "A component comes as one file of objects from its maker, and nobody says which content the wanted version has. plinth applies no file that it cannot prove.",
        usually: "A version that the catalog does not know, or a maker who publishes only what the file is made from.",
        fix: "Look at the file, and write its SHA-256 (`sha256sum FILE`) as `platform: {components: {NAME: {version: VERSION, digest: SHA256}}}`.",
    }
    PLATFORM_OBJECTS_PLACE = "platform.objects-place", You {
        means: "A component comes as one file of objects, and it cannot be had from where the site takes its charts.",
        usually: "A maker who publishes only what the file is made from, or a mirror of charts that is a registry of images, which holds no files.",
        fix: "Make or fetch the file as the finding says, and put it into the folder or onto the mirror (https) that `platform.charts` names.",
    }
    CHECKS_IMAGE = "checks.image", You {
        means: "The image of a test pod cannot be pulled, so a check could not be carried out. It says nothing about what was to be checked.",
        usually: "No internet and no mirror of that registry, or a mirror that lacks the image.",
        fix: "Name a mirror under `registries.mirrors` that has the image, or another image under `checks.image` or `checks.gpuImage`.",
    }
    CHECKS_NONE = "checks.none", You {
        means: "Nothing is left of the checks that were asked for, so nothing would be proved.",
        usually: "`--only` and `--node` together choose nothing, or `checks.skip` leaves everything out.",
        fix: "Leave out `--node` for checks that are about the whole cluster, or name another check.",
    }
    CHECKS_NOT_PLACED = "checks.not-placed", You {
        means: "Test pods did not come up, so a check could not be carried out. It says nothing about what was to be checked.",
        usually: "A node that is not Ready or full, a quota, or an admission rule that refuses pods.",
        fix: "Look at the evidence and at `kubectl describe node` of the nodes that it names; then run the check again.",
    }
    CHECKS_SKIPPED = "checks.skipped", You {
        means: "A check was not carried out, although nothing is wrong.",
        usually: "Every GPU of the node is in use.",
        fix: "Run `plinth check --only gpu-pod --node NODE` when the node has a GPU left.",
    }
    CHECKS_UNKNOWN = "checks.unknown", You {
        means: "`plinth check --only` names a check that this site does not have.",
        usually: "A slip, or the component that it is about is switched off.",
        fix: "Give one of the names that the fix lists, or the id of a step.",
    }
    COMPATIBILITY_NOT_STATED = "compatibility.not-stated", You {
        means: "For some pairs of versions the public documents name no range. The evidence lists each pair and whether it is known to work.",
        usually: "Vendors state ranges for some partners only.",
        fix: "Nothing. Read the list before you rely on one of the pairs.",
    }
    COMPATIBILITY_OUT_OF_RANGE = "compatibility.out-of-range", You {
        means: "A version lies outside the range that another product is documented to take. Ranges of high confidence refuse, the others only warn.",
        usually: "A new Kubernetes with an old Run:ai, or a version of a component set by hand.",
        fix: "Use one of the versions that the fix names. To go on regardless, name the rule in the evidence: `platform: {acceptIncompatible: [runai.kubernetes]}`.",
    }
    COMPATIBILITY_UNKNOWN_VERSION = "compatibility.unknown-version", You {
        means: "The compatibility data has no line for this version, so nothing can be said about what it works with.",
        usually: "The version is newer or older than the lines that this plinth knows, or it was typed wrong.",
        fix: "Use the nearest known line, which the fix names. To go on regardless, add the rule in the evidence, such as `runai.known`, to `platform.acceptIncompatible`.",
    }
    DNS_NAME_DOES_NOT_RESOLVE = "dns.name-does-not-resolve", You {
        means: "Pods do not get the ingress address for the platform's name.",
        usually: "CoreDNS, or the cache on the nodes (nodelocaldns), lacks the entry for the name, or asks servers that answer something else.",
        fix: "Look at the entry: `kubectl -n kube-system get configmap coredns -o yaml`, and the same of `nodelocaldns` where it is. Then ask the servers of `forward` there for this name.",
    }
    DNS_OTHERS_DO_NOT_RESOLVE = "dns.others-do-not-resolve", NetworkTeam {
        means: "Pods do not resolve names of others than the cluster. The evidence says on which node, and whether the cluster's own names resolve there.",
        usually: "The DNS servers that CoreDNS forwards to do not know the name or are not reached: it takes them from the /etc/resolv.conf of its node.",
        fix: "If the cluster's own names resolve, ask the servers of `forward` in `kubectl -n kube-system get configmap coredns -o yaml` from that node. If none resolve, look at CoreDNS and the network of the pods.",
    }
    GPU_EXPORTER_NOT_READ = "gpu.exporter-not-read", You {
        means: "Prometheus knows where the exporter of GPU metrics answers, and does not get an answer there.",
        usually: "The exporter of that node does not run or does not start, or a network policy keeps Prometheus away from it.",
        fix: "Look at the exporter of the node that is named, `kubectl get pods -A -l app=nvidia-dcgm-exporter -o wide`, and at its log.",
    }
    GPU_MONITOR_NOT_SELECTED = "gpu.monitor-not-selected", You {
        means: "Prometheus does not read the exporter of GPU metrics at all: there is no ServiceMonitor for it, or Prometheus does not select it.",
        usually: "`serviceMonitorSelector` of the Prometheus wants a label, such as `release`, that the ServiceMonitor does not have.",
        fix: "Compare `kubectl get prometheus -A -o yaml` (serviceMonitorSelector, serviceMonitorNamespaceSelector) with the labels of the ServiceMonitor and its namespace.",
    }
    GPU_NOT_ALL_OFFERED = "gpu.not-all-offered", You {
        means: "A GPU node offers fewer GPUs to pods than its driver sees, or none.",
        usually: "The device plugin takes GPUs away that report errors, or is not ready; or time slicing has not reached the node yet.",
        fix: "Run `kubectl -n gpu-operator logs` for the device plugin of that node, and `nvidia-smi` and `dmesg | grep Xid` on the node.",
    }
    GPU_NOT_MEASURED = "gpu.not-measured", You {
        means: "Prometheus has no series of the GPUs of a node, or gives no answer.",
        usually: "The exporter started a moment ago, gives no such series, or Prometheus does not run.",
        fix: "Look at the pods of Prometheus, and ask its page `Status > Targets` for the exporter.",
    }
    GPU_NOT_SHARED = "gpu.not-shared", You {
        means: "Time slicing is on, and a GPU node does not offer its GPUs so many times, does not say so in its labels, or pods that share do not run.",
        usually: "The device plugin did not take the configuration: another label `nvidia.com/device-plugin.config` on the node, or a plugin that was not started again.",
        fix: "Look at the log of the device plugin and of gpu-feature-discovery on that node, and at the ConfigMap that `devicePlugin.config` of the cluster policy names.",
    }
    GPU_POD_DOES_NOT_RUN = "gpu.pod-does-not-run", You {
        means: "A pod that asks for one GPU on this node did not run, or did not see a GPU.",
        usually: "The driver, the toolkit or the device plugin is not ready on the node, or a GPU is faulty.",
        fix: "Run `kubectl -n gpu-operator get pods -o wide` and look at the pods of this node; look for Xid errors in its kernel log.",
    }
    HELM_DEFINITIONS_WOULD_GO = "helm.definitions-would-go", You {
        means: "An upgrade would make helm remove custom resource definitions, and with them every object of their kinds. It was not begun.",
        usually: "The chart moved its definitions out of its templates: LeaderWorkerSet did so with 0.8.",
        fix: "Tell helm to keep them, as the fix says (`kubectl annotate .. helm.sh/resource-policy=keep`), or stay on the version that is installed.",
    }
    HELM_FAILED = "helm.failed", You {
        means: "helm ended with an error. What it said last is in the evidence, all of it in the log that the fix names.",
        usually: "A hook of the chart failed, an object of the same name is there already, or the API server refuses an object.",
        fix: "Read what helm says, and look at the Jobs and events of the namespace. Run again when the cause is fixed.",
    }
    HELM_IN_USE = "helm.in-use", You {
        means: "Another helm began to change this release a short time ago and did not end. plinth does not touch it.",
        usually: "A person or a pipeline runs helm at this moment; or a helm was killed, and its record says so for ever.",
        fix: "Find out who it is. When nobody is, run again after the time that the fix names: what was broken off is repaired then.",
    }
    HELM_NO_REVISION = "helm.no-revision", You {
        means: "A release is to go back to a revision that helm does not remember, or that did not work.",
        usually: "helm keeps ten revisions; or the one that was named failed.",
        fix: "Name one that worked, as the fix lists them: `plinth rollback COMPONENT --to-revision N`.",
    }
    HELM_OBJECTS_LEFT = "helm.objects-left", You {
        means: "Objects of a release are otherwise than its chart has them, and stay so: something sets them again right after they were put right, or the API server lets nobody change them back.",
        usually: "A controller, an admission policy or somebody's pipeline sets the same field as the chart.",
        fix: "Find out what sets the field, which the evidence names, and let one of both have its way: set the value of the chart to the same, or stop the other.",
    }
    HELM_OBJECTS_UNSEEN = "helm.objects-unseen", You {
        means: "Some objects of a release could not be compared with what helm applied. What somebody changed in them is not seen.",
        usually: "The user of the kubeconfig may not list this kind in all namespaces, or the server behind a further kind does not answer.",
        fix: "Let the user list the kinds in the evidence, or repair what serves them. Nothing else waits for it.",
    }
    HELM_OLDER_VERSION = "helm.older-version", You {
        means: "The cluster has a newer version of a chart than the one that would be installed. Going back was not begun: it may lose data.",
        usually: "Somebody upgraded with helm or from another machine, or this state directory remembers an older version of a line such as `~2.21.0`.",
        fix: "Run `plinth plan --refresh` to choose the newest version of the line again, or name the deployed version in the site file. To go back on purpose, name the older version there, with all three numbers.",
    }
    GPU_DRIVER_TWICE = "gpu.driver-twice", You {
        means: "The site has the GPU Operator bring the driver, and GPU nodes have one installed. Two drivers on one node exclude each other.",
        usually: "`platform.gpu.driverOnHost: false` on nodes with DGX OS, or an image that got a driver later.",
        fix: "Remove `driverOnHost: false`, or take the driver out of the image of the nodes that the message names.",
    }
    GPU_NODES_DIFFER = "gpu.nodes-differ", You {
        means: "Some GPU nodes have a part of NVIDIA's software installed, and some have not; the GPU Operator brings it to all of them or to none. What holds before anybody looks is planned.",
        usually: "Nodes of two images, or one whose installation failed.",
        fix: "Make the images alike, or say in the site file which holds; the fix of the finding names the key.",
    }
    HELM_UPGRADE_GAP = "helm.upgrade-gap", You {
        means: "The deployed version is too old for an upgrade to the wanted one in a single step. Nothing was begun: the newer one could not convert its data.",
        usually: "`runai.version` was raised over several releases at once.",
        fix: "Upgrade to the version that the fix names first: write it, run `plinth apply`, then write the newer one again.",
    }
    INGRESS_CERTIFICATE_NOT_TRUSTED = "ingress.certificate-not-trusted", You {
        means: "HTTPS to the platform's URL does not answer with a certificate that the site's authority signed.",
        usually: "The ingress does not find its TLS secret and shows a fake certificate, or the secret holds another certificate than the kept one.",
        fix: "Compare the TLS secret that the ingress names with the kept certificate, and check that secret and ingress are in one namespace.",
    }
    INGRESS_DOES_NOT_ANSWER = "ingress.does-not-answer", You {
        means: "The ingress controller does not answer HTTP where the site leads to.",
        usually: "Its pods do not run, its Service has another port or no pods behind it, or a firewall is on the way.",
        fix: "Look at the pods and the Service of the ingress controller; the evidence says who asked, this machine or a pod, and what each got.",
    }
    INGRESS_NOBODY_BEHIND = "ingress.nobody-behind", You {
        means: "Nobody answers at the platform's URL, or the ingress answers that it has nothing behind it.",
        usually: "The ingress controller or the control plane does not run, a port is closed on the way, or the address is another one.",
        fix: "Look at the pods and the Service of the ingress controller, and at the Ingress of the control plane; see whether this machine reaches the address.",
    }
    INGRESS_ADDRESS_DOES_NOT_ANSWER = "ingress.address-does-not-answer", You {
        means: "The ingress's Service has no address of the load balancer, one that is not of `platform.loadBalancer`, or nothing answers there.",
        usually: "No address of the pool is free or the pool is gone, another load balancer gave the address, no node announces it, or the ingress controller does not run.",
        fix: "Look at the Service's events (`kubectl describe service`), at the IPAddressPools of MetalLB and at the logs of its speakers.",
    }
    NETWORK_PODS_CUT_OFF = "network.pods-cut-off", NetworkTeam {
        means: "Pods on different nodes do not reach each other, or not by the name of a service. Exit 0 of an installer and Ready nodes do not prove that they do.",
        usually: "A firewall between nodes drops VXLAN (UDP 4789) or IP-in-IP, an MTU that is too large, a missing route, or a broken pod of the network plugin on one node.",
        fix: "See whether one node stands in all the failures of the evidence; look at its routes, its firewall, and its pods in kube-system.",
    }
    NETWORK_RDMA_NOT_IN_PODS = "network.rdma-not-in-pods", You {
        means: "A pod that asks for virtual functions of the InfiniBand adapters does not get them, or does not see InfiniBand devices.",
        usually: "The SR-IOV device plugin does not offer the resource, the policy lacks `isRdma`, or the port of the adapter is Ethernet.",
        fix: "Look at `kubectl get sriovnetworknodestates -A -o yaml` of the node, at the log of the SR-IOV device plugin, and at `ibstat` on the node.",
    }
    PLATFORM_ADDRESSES_UNUSED = "platform.addresses-unused", You {
        means: "The site gives addresses for services, and nothing hands them out: names lead to an address where nobody answers.",
        usually: "MetalLB is switched off, and the ingress is not told of another load balancer.",
        fix: "Remove `enabled: false` of metallb, or remove `platform.loadBalancer`. With a load balancer of your own, give the ingress `service: {type: LoadBalancer}` under its `controller` values.",
    }
    PLATFORM_CERTIFICATE_ENDS_SOON = "platform.certificate-ends-soon", You {
        means: "The certificate that the site gives for the platform ends within 30 days. plinth renews only certificates that it makes itself.",
        usually: "A certificate of a company's authority or of a public one, given by `runai.certificate`.",
        fix: "Get a new one from whoever issued it, put it into the files that the site names, and run `plinth rotate certificates`.",
    }
    PLATFORM_ADAPTERS_DIFFER = "platform.adapters-differ", You {
        means: "The InfiniBand adapters that the site file or its model names are not those that the GPU nodes have, or the nodes differ among each other. A policy for an adapter that a node lacks does nothing there, and its pods wait.",
        usually: "Another model of machine, another system that names interfaces in other ways, or nodes that were not looked at yet.",
        fix: "Leave `model` and `interfaces` out, so that what the nodes have is used, or name the interfaces that are meant.",
    }
    PLATFORM_AUTHORITY_ENDS_SOON = "platform.authority-ends-soon", You {
        means: "The authority behind the platform's certificate ends soon: an own one before the next leaf of full life would, a given one within 30 days. When it ends, nobody believes the platform's URL any more, and Run:ai is cut off.",
        usually: "It is as old as it was made to be (`runai.certificate.authorityDays`).",
        fix: "Run `plinth rotate certificates --authority`; for one that the site gives, put the new files in place and run `plinth rotate certificates`.",
    }
    PLATFORM_AUTHORITY_REPLACED = "platform.authority-replaced", You {
        means: "The files of the site have another authority than the one that is kept, and `plinth apply` would exchange it at once: pods that read the old one when they began fail until somebody restarts them.",
        usually: "The files of `runai.certificate` were exchanged.",
        fix: "Run `plinth rotate certificates`: it has both trusted first, restarts who reads them, and takes the old one out last.",
    }
    PLATFORM_NOT_BACK = "platform.not-back", You {
        means: "Pods that were restarted, because they read a secret that changed, are not ready.",
        usually: "A node is full or away, an image cannot be pulled any more, or the program does not take what the secret holds now.",
        fix: "Look at the pods of the evidence (`kubectl describe pod`, `kubectl logs`), fix what stops them, and run the same command again.",
    }
    PLATFORM_ROTATION_UNFINISHED = "platform.rotation-unfinished", You {
        means: "The exchange of a certificate was begun and not finished. Everything works in between: what is served is trusted by everybody.",
        usually: "`plinth rotate certificates` was interrupted, or a step of it failed.",
        fix: "Run `plinth rotate certificates`: it goes on where it stopped.",
    }
    PLATFORM_COMPONENT_WITHOUT_INPUT = "platform.component-without-input", You {
        means: "A component is switched on, but what it works with is not given. It stays off.",
        usually: "The load balancer is switched on without addresses, or a part of Run:ai without a `runai` section.",
        fix: "Give what the message names, for example `platform: {loadBalancer: {addresses: [RANGE]}}`, or remove `enabled`.",
    }
    PLATFORM_IMAGE_NOT_LISTED = "platform.image-not-listed", You {
        means: "The site has no internet, and the manifests of a component name images that are not in the list of its mirror.",
        usually: "A value of the site file switches on a part of the chart, or another image, that the catalog does not know.",
        fix: "Put the images of the evidence into the mirror beside those of `plinth render mirror-list`, and see that `registries.mirrors` has their registry.",
    }
    PLATFORM_IMAGES_NOT_MIRRORED = "platform.images-not-mirrored", You {
        means: "The site is air-gapped, and images of the platform come from a registry that no mirror stands for. The evidence names them.",
        usually: "A registry such as gcr.io was forgotten under `registries.mirrors`.",
        fix: "Add a mirror of the registry: `registries: {mirrors: [{registry: gcr.io, endpoints: [URL]}]}`, and fill it with the images of the evidence.",
    }
    PLATFORM_INFINIBAND = "platform.infiniband", You {
        means: "What the site file says of InfiniBand cannot be carried out.",
        usually: "A model of machine whose adapters plinth does not know, or a network that is too small for all adapters and nodes.",
        fix: "Name the interfaces under `platform.infiniband.interfaces`, or give a larger network, such as a /16.",
    }
    PLATFORM_KIND_UNKNOWN = "platform.kind-unknown", You {
        means: "The manifests of a component have objects of a kind that neither Kubernetes nor the cluster nor any component before it brings. The API server would refuse them.",
        usually: "A value switches on monitoring objects, and the component that brings their kind is off.",
        fix: "Switch on the component that brings the kind, or take away the value that asks for such objects.",
    }
    PLATFORM_MANIFESTS_NOT_CHECKED = "platform.manifests-not-checked", You {
        means: "What some components would bring was not looked at before the run, for the reason of the evidence. That is no error: it is seen in the run.",
        usually: "The package of the chart is not on this machine yet, or no helm that fits is; a look fetches neither.",
        fix: "Nothing has to be done. With helm in `PATH`, `plinth preflight` fetches the packages and looks at all of them.",
    }
    PLATFORM_MIG_MIXED = "platform.mig-mixed", You {
        means: "GPUs that are cut into several kinds of instances are offered under names of their own. What asks for `nvidia.com/gpu` does not get them: no pod proves such a GPU, and time-slicing does not share it.",
        usually: "`platform.gpu.mig` is `mixed`.",
        fix: "Nothing, if pods ask for the instances by name. Otherwise use `single` or `none`.",
    }
    PLATFORM_MIG_NOT_CUT = "platform.mig-not-cut", You {
        means: "The way in which instances are offered is chosen, but no GPU node says how its GPUs are to be cut, so they stay whole.",
        usually: "`platform.gpu.mig` alone was set.",
        fix: "Label the GPU nodes: `nodes: {overrides: {NODE: {labels: {nvidia.com/mig.config: all-1g.10gb}}}}`, with a configuration that fits the GPU.",
    }
    PLATFORM_MISSING_NEED = "platform.missing-need", You {
        means: "A component that another component requires is switched off, or the part of it that is required.",
        usually: "`enabled: false` for something that Run:ai or another component depends on, or such a line in the `values` of a component.",
        fix: "Switch it on, or the other one off. If it is there by other means, add the rule that the fix names to `platform.acceptIncompatible`.",
    }
    PLATFORM_NAMESPACE_FIXED = "platform.namespace-fixed", You {
        means: "This component works in one namespace only, so the namespace cannot be chosen.",
        usually: "`namespace` was set for a component whose product expects a fixed name.",
        fix: "Remove `namespace` of this component from the site file.",
    }
    PLATFORM_NO_DEFAULT_STORAGE = "platform.no-default-storage", You {
        means: "No component of the site brings a default storage class, so claims that name none wait for ever.",
        usually: "local-path-provisioner is switched off, or its class is not the default.",
        fix: "Nothing, if the cluster has exactly one default class by other means. Otherwise switch local-path-provisioner on.",
    }
    PLATFORM_NO_LOAD_BALANCER = "platform.no-load-balancer", You {
        means: "A service asks for the address of a load balancer, and no component of the site gives it one.",
        usually: "`type: LoadBalancer` in the values of the ingress, while MetalLB is off.",
        fix: "Nothing, if a load balancer of your own gives it. Otherwise give `platform.loadBalancer.addresses`, or remove the type.",
    }
    PLATFORM_NODES_RESTART = "platform.nodes-restart", You {
        means: "The SR-IOV operator restarts a node when the number of virtual functions differs from what the firmware of an adapter has.",
        usually: "SR-IOV is switched on for the first time, or the number of virtual functions was changed.",
        fix: "Set the firmware beforehand (`mlxconfig set SRIOV_EN=1 NUM_OF_VFS=8`, then a cold power cycle), or do this while no jobs run. `maxUnavailable` says how many nodes restart at the same time.",
    }
    PLATFORM_NOT_HEALTHY = "platform.not-healthy", You {
        means: "A component is installed, but its workloads did not come up in time.",
        usually: "Images cannot be pulled, a volume does not bind, or a pod does not fit on any node.",
        fix: "Run `kubectl -n NAMESPACE get pods` and `kubectl -n NAMESPACE get events`; fix the cause, then run again.",
    }
    PLATFORM_NOT_MEASURED = "platform.not-measured", You {
        means: "A component measures or judges something, and what would read or report it is switched off. Everything runs, and nobody sees the results.",
        usually: "A part of a chart was switched off in `values`, and another component counts on it.",
        fix: "Remove the value that the finding names, or switch the other component off too. Nothing, if something outside plinth does this part.",
    }
    PLATFORM_NOT_REMOVED = "platform.not-removed", You {
        means: "A component was switched off, and objects of it that plinth removed are still there.",
        usually: "An object has a finalizer, and the controller that has to clear it does not run or cannot reach something.",
        fix: "Look at the objects that the evidence names: `kubectl get KIND NAME -o yaml`, `metadata.finalizers`. See why their controller does not finish, then run again.",
    }
    PLATFORM_NOT_RENDERED = "platform.not-rendered", You {
        means: "helm does not render the manifests of a component with the values of the site. What it says is in the evidence.",
        usually: "A value is missing that the chart demands, or the chart asks the cluster for something while it renders, which is not there yet.",
        fix: "Correct the value that helm names under `platform.components.NAME.values`. When it is about something that the run brings, go on.",
    }
    PLATFORM_NOT_SCHEDULABLE = "platform.not-schedulable", You {
        means: "Every node has a taint, and pods of a component cannot be made to tolerate one: they would never start.",
        usually: "GPU nodes are tainted, the control plane is as well, and the chart has no value for tolerations.",
        fix: "Take another version of the component, as the fix says, or leave one node without a taint.",
    }
    PLATFORM_OBJECT_OWNED = "platform.object-owned", You {
        means: "Objects that a component would make are in the cluster already and belong to somebody else, or two components make the same one. helm refuses that (invalid ownership metadata).",
        usually: "An add-on of Kubespray, or a release of somebody, does the same as the component.",
        fix: "Uninstall what has the objects, or leave the component out with `enabled: false`.",
    }
    PLATFORM_ONE_ADDRESS = "platform.one-address", You {
        means: "The load balancer has a single address, and the ingress gets it. Other services of this type would wait for ever, so they get node ports.",
        usually: "`platform.loadBalancer.addresses` holds one address.",
        fix: "Nothing, if node ports do. Otherwise give a second address.",
    }
    PLATFORM_OTHER_DEFAULT_STORAGE = "platform.other-default-storage", You {
        means: "A cluster that was there before plinth has a default storage class already, so local-path-provisioner makes its class without that mark: exactly one should have it. Claims that name no class go to the other one.",
        usually: "The cluster of `engine: existing` came with storage of its own.",
        fix: "Nothing, if that storage is to hold the volumes of the platform. Otherwise take the mark from it (`kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=false --overwrite`), then run again.",
    }
    PLATFORM_POD_SECURITY = "platform.pod-security", You {
        means: "The manifests of a component have pods that their namespace would refuse: they ask for more than its Pod Security level allows. Workloads would be made, and never a pod of them.",
        usually: "A value of the site file asks for the network, the paths or the privileges of the node.",
        fix: "Take the value away, or put the component into a namespace of a level that takes its pods.",
    }
    PLATFORM_PORT_TAKEN = "platform.port-taken", You {
        means: "More than one wants the same port of the nodes: two services, two pods on the network of their node, or a pod and what listens there already (BCM's daemon, kubelet, sshd).",
        usually: "Two components have the same default, or a node port of the site file is in use.",
        fix: "Give one of them another port in its values; node ports of the ingress are `platform.ingress.http` and `https`.",
    }
    PLATFORM_REFUSED_VALUE = "platform.refused-value", You {
        means: "A helm value in the site file is known to have no effect, or a different one than its name suggests. Values that certainly have none, or that contradict another setting, are errors.",
        usually: "The setting was copied from a guide that circulates.",
        fix: "Write what the fix names after `instead:`, or remove the key.",
    }
    PLATFORM_RENAMED_OBJECTS = "platform.renamed-objects", You {
        means: "A helm value gives the objects of a component other names. plinth finds them by name, so it would wait for ever.",
        usually: "`nameOverride` in the values of a component.",
        fix: "Remove the value. `fullnameOverride`, where the chart has it, is understood.",
    }
    PLATFORM_REPOSITORY_WITHOUT_LOGIN = "platform.repository-without-login", You {
        means: "The chart repository of a component wants a login, and the site file has no token for it.",
        usually: "`runai.registry.token` is missing.",
        fix: "Write `runai: {registry: {token: {env: RUNAI_REGISTRY_TOKEN}}}` and set that variable.",
    }
    PLATFORM_TWO_INGRESSES = "platform.two-ingresses", You {
        means: "Two ingress controllers are on. Both would be the default, and both ask for the same node ports.",
        usually: "One was switched on by hand, and the other one comes with the version of Run:ai.",
        fix: "Switch the other one off: `platform: {components: {NAME: {enabled: false}}}`.",
    }
    PLATFORM_TWO_DEFAULT_STORAGES = "platform.two-default-storages", You {
        means: "The cluster has a default storage class that is not plinth's, and that of local-path-provisioner is the default too. Kubernetes gives claims without a class to the newer of them, and the acceptance check of storage does not hold.",
        usually: "`storageClass.defaultClass: true` in the values of local-path-provisioner, or somebody marked another class after plinth's was the default.",
        fix: "Take the mark from one of them: `kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=false --overwrite` for the other one, `values: {storageClass: {defaultClass: false}}` for plinth's.",
    }
    PLATFORM_UNKNOWN_COMPONENT = "platform.unknown-component", You {
        means: "The catalog has no component of this name.",
        usually: "A typing error, or the name of a chart that plinth does not install.",
        fix: "Write the name that the fix suggests, or remove the entry under `platform.components`.",
    }
    PLATFORM_UNKNOWN_RULE = "platform.unknown-rule", You {
        means: "A rule that the site file accepts does not exist, so the line accepts nothing.",
        usually: "A typing error, or a rule of another release of plinth.",
        fix: "Write the rule as the evidence of the refusal gives it, such as `runai.kubernetes`, or remove it from `platform.acceptIncompatible`.",
    }
    PLATFORM_UNKNOWN_VALUE = "platform.unknown-value", You {
        means: "A helm value in the site file is not among the defaults of the chart. Helm takes it silently, so it may have no effect.",
        usually: "A typing error, a wrong level of nesting, or a key that the chart reads without a default.",
        fix: "Compare with the chart's own values: `helm show values CHART --version VERSION`. Correct the key if it is a slip.",
    }
    PLATFORM_VALUES_NOT_A_MAP = "platform.values-not-a-map", You {
        means: "The `values` of a component must be a mapping of keys.",
        usually: "A list or a text was written there.",
        fix: "Write `values:` with `key: value` lines below it.",
    }
    PLATFORM_VALUES_REFUSED = "platform.values-refused", You {
        means: "The chart of a component refuses its values by its own schema. The run would end at this component.",
        usually: "A value has another type than the chart wants, or a key that it does not know.",
        fix: "Correct the key of the evidence under `platform.components.NAME.values`.",
    }
    PLATFORM_VALUES_NOT_CHECKED = "platform.values-not-checked", You {
        means: "The site has values of its own for these components, and what keys their charts know is not known here: a misspelt one would have no effect, and helm does not say so.",
        usually: "The version is another one than those of the catalog, and the package of the chart is not on this machine yet; or the chart is not public.",
        fix: "Nothing has to be done. `plinth preflight` fetches the packages that it may, and holds the values against the chart's own.",
    }
    PLATFORM_VERSION_NOT_CHECKED = "platform.version-not-checked", You {
        means: "The values of the catalog were checked against another version of this chart than the one the site file asks for.",
        usually: "`version` of a component was set by hand.",
        fix: "Read what `plinth render values` shows for it, or use the version that the fix names.",
    }
    PLATFORM_VERSION_NOT_PINNED = "platform.version-not-pinned", You {
        means: "The site file names a line such as `2.21`, not a version with three numbers. The newest release of that line is chosen when the chart is first used, and kept; it moves when a person asks.",
        usually: "`runai.version` or the version of a component was written with one or two numbers.",
        fix: "Nothing, if the newest is what you want: `plinth plan --refresh` chooses again. To get the same result on every machine, write all three numbers at the place that the finding names.",
    }
    STORAGE_CLAIM_DOES_NOT_BIND = "storage.claim-does-not-bind", You {
        means: "A volume claim of the default storage class does not bind.",
        usually: "No class is the default, or several are, or the provisioner is in trouble.",
        fix: "Run `kubectl get storageclass`: exactly one must be marked default. Then look at the log of its provisioner.",
    }
    STORAGE_SNAPSHOT_DOES_NOT_RESTORE = "storage.snapshot-does-not-restore", You {
        means: "A snapshot of a volume was not taken, or what was written before is not in the volume that was made from it.",
        usually: "No VolumeSnapshotClass names the driver of the storage class, the driver's csi-snapshotter does not run, or the storage system refuses.",
        fix: "Run `kubectl get volumesnapshotclass` and compare its driver with the provisioner of the storage class; look at the snapshot controller and at the driver's csi-snapshotter.",
    }
}
