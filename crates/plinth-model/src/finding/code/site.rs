//! What is wrong with a site file.

findings! {
    ACCESS_BAD_KEY = "access.bad-key", You {
        means: "The private key for logins cannot be read. No node was asked.",
        usually: "It is encrypted, a DSA key, a PuTTY key, the public half, or damaged.",
        fix: "Name a private key in OpenSSH's form without a passphrase, or use an agent: `access: {bootstrap: {agent: true}}`.",
    }
    ACCESS_LEGACY_KEYS = "access.legacy-keys", You {
        means: "Some nodes are allowed to prove themselves with host keys signed by SHA-1, which can be forged.",
        usually: "`access.legacyKeys` names nodes with an old SSH server.",
        fix: "Renew the host keys of the nodes in the evidence, then remove them from `access.legacyKeys`.",
    }
    SITE_ACCOUNT_ID = "site.account-id", You {
        means: "The uid or gid of the service account is outside 1000 to 65533.",
        usually: "An id of the system was chosen, or one with a special meaning.",
        fix: "Choose an id that is free on every node: `access: {account: {uid: 60000, gid: 60000}}`.",
    }
    SITE_ACCOUNT_ROOT = "site.account-root", You {
        means: "The service account cannot be `root`: it is made, changed and removed.",
        usually: "`access.account.name` was taken for the login of first contact.",
        fix: "Choose another name there; the login of first contact is `access.bootstrap.user`.",
    }
    SITE_ADDRESS_EDGE = "site.address-edge", You {
        means: "An address that the cluster would announce is the first or the last one of the production network. No machine can have it.",
        usually: "A range for the load balancer that was taken up to the end of the network, such as `192.0.2.192/26` in `192.0.2.0/24`.",
        fix: "Leave these two addresses out: `platform: {loadBalancer: {addresses: [192.0.2.192-192.0.2.254]}}`.",
    }
    SITE_ADDRESS_FORBIDDEN = "site.address-forbidden", You {
        means: "An address in the site file lies in a network that the file forbids.",
        usually: "The address of a BMC was written instead of the node's own, or the forbidden range is too wide.",
        fix: "Write an address in the production network, or correct `networks.forbidden`.",
    }
    SITE_ADDRESS_OUTSIDE = "site.address-outside", You {
        means: "The address of a node lies outside the production network.",
        usually: "A typing error, or a `networks.production` that is too narrow.",
        fix: "Write the node's address in the production network, or correct that range.",
    }
    SITE_AIRGAPPED_AUTHORITY = "site.airgapped-authority", You {
        means: "Without the internet Run:ai always reads the authority of its certificate from a secret, and the site names no authority.",
        usually: "`runai.certificate.files` has no `authority`, and `runai.source` is `airgapped`.",
        fix: "Write `authority: FILE` beside `certificate` and `key`: the PEM file of whoever signed the certificate.",
    }
    SITE_ALIAS = "site.alias", You {
        means: "The file uses YAML anchors or aliases (`&name`, `*name`), which are not read here.",
        usually: "A part of the file was written once and referred to.",
        fix: "Write the value out at each place. A text that begins with `*` or `&` needs quotes.",
    }
    SITE_BCM_LOGIN = "site.bcm-login", You {
        means: "The login to BCM is incomplete, or there are two.",
        usually: "A user without a password, a certificate without its key, or both kinds of login.",
        fix: "Give either `username: {env: BCM_USERNAME}` and `password: {env: BCM_PASSWORD}`, or `certificate` and `key`.",
    }
    SITE_BOOTSTRAP_LOGIN = "site.bootstrap-login", You {
        means: "The first login to the nodes needs exactly one of password, key and agent.",
        usually: "None was given, or two.",
        fix: "Keep one under `access.bootstrap`: `password: {env: NAME}`, `key: {file: PATH}` or `agent: true`.",
    }
    SITE_CALICO_PLUGIN = "site.calico-plugin", You {
        means: "There are settings for calico, but the network plugin is a different one and would ignore them.",
        usually: "The plugin was changed, and its settings stayed.",
        fix: "Remove `kubernetes.network.calico`, or choose `plugin: calico`.",
    }
    SITE_CHARTS = "site.charts", You {
        means: "`platform.charts` does not say where all charts come from: exactly one of `mirror` and `folder` does, and only a mirror has a login.",
        usually: "Both were given, or neither.",
        fix: "Write `platform: {charts: {mirror: https://HOST/PATH}}`, or `{charts: {folder: PATH}}`.",
    }
    SITE_DOCKER_NETWORK = "site.docker-network", You {
        means: "The range of pods or services overlaps 172.17.0.0/16, which Docker takes on a node where it is installed.",
        usually: "A range below 172.16.0.0/12 was chosen.",
        fix: "Choose another range under `kubernetes.network`, or make sure that no node has Docker.",
    }
    SITE_DOMAIN = "site.domain", You {
        means: "The domain is not a plain DNS name in lower case.",
        usually: "A URL, a port, an address or capital letters in `runai.domain`.",
        fix: "Write only the host: `runai: {domain: runai.example.com}`; a port goes to `runai.port`.",
    }
    SITE_DUPLICATE_ADDRESS = "site.duplicate-address", You {
        means: "Two nodes have the same address.",
        usually: "An entry was copied and not changed.",
        fix: "Give each node its own address; the evidence names the other line.",
    }
    SITE_DUPLICATE_KEY = "site.duplicate-key", You {
        means: "A key appears twice in the same mapping.",
        usually: "Two people added the same section, or a block was copied.",
        fix: "Keep one of the two, with the content of both if needed.",
    }
    SITE_DUPLICATE_NODE = "site.duplicate-node", You {
        means: "A node, or a selector, is listed twice.",
        usually: "An entry was copied and not changed.",
        fix: "Keep one of the two; the evidence names the other line.",
    }
    SITE_DUPLICATE_PROJECT = "site.duplicate-project", You {
        means: "A department, or a project, is listed twice. A project's name is unique in the cluster, whatever its department.",
        usually: "An entry was copied and not changed.",
        fix: "Keep one of the two, or give one another name; the evidence names the other line.",
    }
    SITE_DUPLICATE_REGISTRY = "site.duplicate-registry", You {
        means: "A registry is listed twice among the mirrors or among the logins.",
        usually: "A second mirror was added as an entry of its own.",
        fix: "Merge the entries: `{registry: docker.io, endpoints: [FIRST, SECOND]}`.",
    }
    SITE_DUPLICATE_WEBHOOK = "site.duplicate-webhook", You {
        means: "Two webhooks have the same name. Messages that wait for one are kept under its name.",
        usually: "An entry was copied.",
        fix: "Give each webhook a name of its own.",
    }
    SITE_EMPTY = "site.empty", You {
        means: "The site file holds nothing.",
        usually: "A new file, or one that only has comments.",
        fix: "Write one with `plinth init -f FILE`.",
    }
    SITE_ENGINE_IGNORES = "site.engine-ignores", You {
        means: "The site file sets something that nobody reads with `engine: existing`: plinth touches no node of such a cluster and installs no Kubernetes.",
        usually: "The part was taken over from a site that is installed with Kubespray.",
        fix: "Remove it, and set it up where the cluster was installed.",
    }
    SITE_ENGINE_NOT_IN_RELEASE = "site.engine-not-in-release", You {
        means: "The engine that the site file names is not in this release.",
        usually: "`kubernetes.engine` is `bcm`.",
        fix: "Write `kubernetes: {engine: kubespray}`, or remove the key.",
    }
    SITE_EVEN_ETCD = "site.even-etcd", You {
        means: "etcd would have an even number of members, or none. An even number tolerates no more failures than one member fewer.",
        usually: "Two or four nodes in the control plane, which carries etcd unless `nodes.etcd` says otherwise, or a glob that matches one node too many.",
        fix: "Name one, three or five nodes in `nodes.controlPlane`, or under `nodes.etcd`.",
    }
    SITE_FILE_MISSING = "site.file-missing", You {
        means: "A file that the site file names is not there.",
        usually: "the certificate authority of BCM was not copied yet.",
        fix: "copy it to the named place; relative names start at the folder of the site file.",
    }
    SITE_FORMAT = "site.format", You {
        means: "`apiVersion` or `kind` is not what this plinth reads.",
        usually: "A file of another program, or a typing error.",
        fix: "Write `apiVersion: plinth/v1` and `kind: Site`.",
    }
    SITE_GPU_NOT_WORKER = "site.gpu-not-worker", You {
        means: "A GPU node is not among the workers, so no job would reach it.",
        usually: "It was added to `nodes.gpu` only.",
        fix: "Add it to `nodes.workers` as well.",
    }
    SITE_INSECURE_MIRROR = "site.insecure-mirror", You {
        means: "A registry mirror is reached without TLS, so images can be changed on the way.",
        usually: "Its endpoint begins with `http://`.",
        fix: "Write `https://`, and give the mirror a certificate that the nodes trust.",
    }
    SITE_JUMP_LOGIN = "site.jump-login", You {
        means: "The login at the jump host needs exactly one of `password`, `key` and `agent: true`.",
        usually: "None was given, or several.",
        fix: "Give one of them under `access.jump`.",
    }
    SITE_INVISIBLE = "site.invisible", You {
        means: "The file has a character that looks like a blank, or like nothing, and is another one. YAML reads it as part of a text.",
        usually: "A line was copied from a web page, a chat or a document.",
        fix: "Replace it by a plain blank, or write it as an escape in double quotes, such as `\\u00a0`, where it is meant.",
    }
    SITE_KEY_NOT_TEXT = "site.key-not-text", You {
        means: "A key of a mapping is a list or a mapping.",
        usually: "A brace or bracket at the beginning of a line, or a missing quote.",
        fix: "Write `key: value`; put quotes around a key with special characters.",
    }
    SITE_LABEL = "site.label", You {
        means: "A node label is not one that Kubernetes takes, or one that kubelet or kubeadm writes.",
        usually: "Spaces or slashes in it, more than 63 characters, or a key such as `kubernetes.io/hostname`.",
        fix: "Write `labels: {example.com/rack: r12}`: letters, digits, `-`, `_` and `.`, with letters or digits at both ends.",
    }
    SITE_LARGE_ETCD = "site.large-etcd", You {
        means: "etcd would have more than seven members. Every write waits for more than half of them.",
        usually: "A large control plane that carries etcd.",
        fix: "Name three or five nodes under `nodes.etcd`.",
    }
    SITE_LITERAL_SECRET = "site.literal-secret", You {
        means: "The site file itself contains a secret. plinth never reads secrets from there.",
        usually: "A password or token was pasted.",
        fix: "Write where it is found: `{env: NAME}`, `{file: PATH}` or `{exec: [PROGRAM, ARGUMENT]}`. Change the secret if the file was shared.",
    }
    SITE_KUBECONFIG_MISSING = "site.kubeconfig-missing", You {
        means: "The site has `engine: existing` and names no kubeconfig. It is the only way into such a cluster.",
        usually: "`kubernetes.kubeconfig` was left out.",
        fix: "Add `kubeconfig: FILE` under `kubernetes`: the file of an administrator of the cluster.",
    }
    SITE_KUBECONFIG_NOT_READ = "site.kubeconfig-not-read", You {
        means: "The site names a kubeconfig, and its engine makes its own.",
        usually: "`engine: existing` was left out.",
        fix: "Write `engine: existing`, or remove `kubernetes.kubeconfig`.",
    }
    SITE_LOGIN_IN_ADDRESS = "site.login-in-address", You {
        means: "An address in the site file holds a login, as in `https://USER:PASSWORD@HOST`. plinth never reads secrets from there.",
        usually: "An address was pasted from a browser or from another tool.",
        fix: "Write the address without the part before `@`. Logins have keys of their own, such as `inventory.bcm.password` and `registries.logins`. Change the password if the file was shared.",
    }
    SITE_MANY_PODS = "site.many-pods", You {
        means: "A node may get far more pods than Kubernetes is tested with.",
        usually: "A number with one digit too many under `kubernetes.kubelet.maxPods`.",
        fix: "Use fewer, or try it before anything depends on it.",
    }
    SITE_MIRROR = "site.mirror", You {
        means: "`runai.mirror` and `runai.source` do not fit together.",
        usually: "`source: airgapped` without a mirror, or a mirror with another source.",
        fix: "Write `runai: {source: airgapped, mirror: HOST/PATH}`, or remove the mirror.",
    }
    SITE_MIRROR_PATH = "site.mirror-path", You {
        means: "The address of a registry mirror has a path that does not lead through `/v2`. containerd asks for images at `/v2` below that path, and few mirrors answer there.",
        usually: "The address of a project was copied from the pages of Harbor or Nexus.",
        fix: "Write `https://HOST/v2/PROJECT` for Harbor and its like. Leave it when the mirror does answer below its path.",
    }
    SITE_MISSING_KEY = "site.missing-key", You {
        means: "A key that must be there is missing.",
        usually: "A new file, or a section that was moved to the wrong level.",
        fix: "Add the key; `plinth init` writes an example of a whole file and `plinth schema` says what each key means.",
    }
    SITE_MTU_PLUGIN = "site.mtu-plugin", You {
        means: "The size of packets is only handed to calico, and the site has another network plugin.",
        usually: "`kubernetes.network.mtu` was kept when the plugin was changed.",
        fix: "Remove `mtu`, or set the plugin's own variable under `kubernetes.extraVars`.",
    }
    SITE_NAME = "site.name", You {
        means: "The name of the site cannot be used as a name for a folder and in Kubernetes.",
        usually: "Capital letters, spaces, slashes or underscores in `metadata.name`.",
        fix: "Use lower-case letters, digits and dashes: `metadata: {name: basepod-a}`.",
    }
    SITE_NETWORKS_OVERLAP = "site.networks-overlap", You {
        means: "Two networks of the site overlap, or one holds an address that every node needs for itself.",
        usually: "The ranges of pods, services, load balancer and machines were chosen apart from each other.",
        fix: "Choose a private range that is used nowhere else in the site, for example `kubernetes: {network: {pods: 172.29.0.0/16}}`.",
    }
    SITE_NEWER_FORMAT = "site.newer-format", You {
        means: "The file is of a later format than this plinth reads. Nothing else in it was judged.",
        usually: "The file was written for a newer release.",
        fix: "Use a later plinth for this file; `plinth --version` shows this one.",
    }
    SITE_NO_NODES = "site.no-nodes", You {
        means: "The inventory lists no node.",
        usually: "`inventory.static` is empty.",
        fix: "List each node: `inventory: {static: [{name: dgx-05, address: 192.0.2.15}]}`.",
    }
    SITE_NODE_TWO_ROLES = "site.node-two-roles", You {
        means: "A node is named both in the control plane and among the workers. GPU jobs beside the control plane can starve it.",
        usually: "A node was moved from one list to the other and not removed from the first.",
        fix: "Keep it in one of `nodes.controlPlane` and `nodes.workers`.",
    }
    SITE_NOT_A_NETWORK = "site.not-a-network", You {
        means: "There is an address where a network is expected.",
        usually: "The address of a machine with a prefix, or without one.",
        fix: "Write the range, such as `192.0.2.0/24`; the fix names the one that holds this address.",
    }
    SITE_IPV6 = "site.ipv6", You {
        means: "An address or a range of IPv6 stands where plinth works with IPv4 only: addresses of nodes, ranges of pods and services, shared addresses.",
        usually: "A network that has both, or IPv6 alone. BCM's address, mirrors, jump hosts and the names in certificates may be IPv6.",
        fix: "Write the IPv4 address or range. Nodes may have IPv6 addresses besides; Kubernetes does not use them. A site without IPv4 is not covered.",
    }
    SITE_NOT_ONE = "site.not-one", You {
        means: "A mapping must have exactly one of several keys.",
        usually: "None was given, or two kinds of one thing, such as `bcm` and `static` under `inventory`.",
        fix: "Keep the one that you mean, and remove the others; the message lists them.",
    }
    SITE_NOT_TEXT = "site.not-text", You {
        means: "The file is not UTF-8 text.",
        usually: "Another file was named, or the editor saved it in another encoding.",
        fix: "Check the name of the file; save it as UTF-8.",
    }
    SITE_OUT_OF_RANGE = "site.out-of-range", You {
        means: "A number is outside its limits, or a text or list is empty where something is needed.",
        usually: "A port outside the range of node ports, or a list that still waits for its entries.",
        fix: "Use a value as the fix says; `plinth schema` holds all limits.",
    }
    SITE_POD_CAPACITY = "site.pod-capacity", You {
        means: "The range of pods is too small for the part that each node takes of it.",
        usually: "A small `kubernetes.network.pods`, or a short `nodePrefix`.",
        fix: "Use a larger range or a longer prefix: `kubernetes: {network: {pods: 172.29.0.0/16, nodePrefix: 24}}`.",
    }
    SITE_PRIVATE_KEY = "site.private-key", You {
        means: "There is a private key where only a certificate belongs. The site file is not encrypted.",
        usually: "The whole PEM file was pasted, not only its certificate.",
        fix: "Remove the key and make a new one, since others may have seen it. Keep only the part from BEGIN CERTIFICATE to END CERTIFICATE.",
    }
    SITE_PRODUCTION_NETWORK = "site.production-network", You {
        means: "The production network is not named, or it is named although the inventory is static.",
        usually: "Only BCM lists networks by name; a static inventory needs the range.",
        fix: "Write the range: `networks: {production: 192.0.2.0/24}`.",
    }
    SITE_PROXY_EMPTY = "site.proxy-empty", You {
        means: "`kubernetes.proxy` is there, but names no proxy.",
        usually: "Only `noProxy` was written.",
        fix: "Write `https: http://HOST:PORT`, or remove the part.",
    }
    SITE_PUBLIC_KEY = "site.public-key", You {
        means: "A public key is not in OpenSSH form. Its text is never repeated, since it may be a private key.",
        usually: "The wrong file was pasted, or the line was broken.",
        fix: "Paste the one line of the `.pub` file, such as `ssh-ed25519 AAAA...`. If it was a private key, replace that key.",
    }
    SITE_RANGE = "site.range", You {
        means: "A range of addresses is one that Kubernetes or its network plugin refuses, or that is set aside for something else.",
        usually: "A range of services larger than a /12 or with fewer than ten addresses, parts of nodes that are much smaller than the range of pods, or loopback, link-local and multicast addresses.",
        fix: "Write what the fix says; `pods: 172.29.0.0/16` and `services: 10.150.0.0/16` with `nodePrefix: 24` are usual sizes.",
    }
    SITE_RANGE_PUBLIC = "site.range-public", You {
        means: "Pods or services would have addresses that belong to somebody on the internet. From inside the cluster those cannot be reached.",
        usually: "A typing error, such as 172.32 for 172.31: the private range ends there.",
        fix: "Choose a range inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10, unless the addresses are yours.",
    }
    SITE_RANGE_SELECTOR = "site.range-selector", You {
        means: "A selector of nodes has a range as Ansible, Slurm, xCAT or a shell write it. To a glob, brackets stand for one single character, so `dgx[1-16]` would mean dgx1 and dgx6.",
        usually: "`dgx[1-16]`, `dgx[01:04]`, `dgx[1-2,4]` or `dgx{1..4}` was taken over from another program.",
        fix: "Write the numbers out: `dgx{1,2,3,4}`, or use globs of single digits: `dgx[1-9]` and `dgx1[0-6]`.",
    }
    SITE_REGISTRY_NAME = "site.registry-name", You {
        means: "The name of a registry is one that no image carries, so its mirror or login would never be used.",
        usually: "An address of Docker Hub, such as `registry-1.docker.io`, in place of `docker.io`; capital letters; port 443; or a registry that is gone.",
        fix: "Write the name with which images begin: `docker.io`, `registry.k8s.io`, `quay.io`.",
    }
    SITE_REGISTRY_TOKEN = "site.registry-token", You {
        means: "The login of Run:ai's registry is incomplete.",
        usually: "No token for the vendor's registry, or only one of user and token for a mirror.",
        fix: "Write `runai: {registry: {token: {env: RUNAI_REGISTRY_TOKEN}}}`. With a mirror, give user and token, or neither.",
    }
    SITE_RUNAI_PORT = "site.runai-port", You {
        means: "The port in Run:ai's address is neither 443 nor the port of the ingress, so it may lead nowhere.",
        usually: "`runai.port` was not changed along with `platform.ingress.https`.",
        fix: "Write the port of the ingress, or 443 where something in front of the cluster forwards it.",
    }
    SITE_SAME_PORT = "site.same-port", You {
        means: "HTTP and HTTPS of the ingress have the same node port.",
        usually: "One of the two was set to the default of the other.",
        fix: "Choose two ports: `platform: {ingress: {http: 30080, https: 30443}}`.",
    }
    SITE_SECRET_IN_VALUES = "site.secret-in-values", You {
        means: "A helm value or a variable of the engine looks like a literal secret. Values are shown in plans and kept in the journal.",
        usually: "A password or token was written under `values` or `kubernetes.extraVars`.",
        fix: "Under `values`, write `{$secret: {env: NAME}}`, or name an existing Kubernetes secret. Variables of the engine can hold no secret at all, not even a reference. Change the secret if the file was shared.",
    }
    SITE_SECRET_REFERENCE = "site.secret-reference", You {
        means: "A reference to a secret has the wrong form.",
        usually: "No place is named, or two, or a key other than `env`, `file` and `exec`.",
        fix: "Write exactly one: `{env: NAME}`, `{file: PATH}` or `{exec: [PROGRAM, ARGUMENT]}`.",
    }
    SITE_SELECTOR = "site.selector", You {
        means: "A selector of nodes has the wrong form.",
        usually: "A mapping with another key than `category`, or a category without a name.",
        fix: "Write a node name, a glob such as `dgx-*`, or `{category: dgx-h100}`.",
    }
    SITE_SEVERAL_DOCUMENTS = "site.several-documents", You {
        means: "The file holds several YAML documents; a site file has one.",
        usually: "Files were put together with `---` between them.",
        fix: "Keep one document, and put the others into files of their own.",
    }
    SITE_STORAGE = "site.storage", You {
        means: "The folder that images would move to is inside the folder that they leave, or the other way round.",
        usually: "`storage.larger` was meant as a folder below `storage.images`.",
        fix: "Choose a folder elsewhere: `storage: {images: /var/lib/containerd, larger: /raid/containerd}`.",
    }
    SITE_SYNTAX = "site.syntax", You {
        means: "The file is not YAML at this place.",
        usually: "Wrong indentation, or a missing colon, bracket or quote, often one line above.",
        fix: "Look at this line and the one before it. Put quotes around texts with `: `, `#`, `{` or `*`.",
    }
    SITE_TAB = "site.tab", You {
        means: "A tab is used for indentation; YAML allows only spaces there.",
        usually: "The editor inserts tabs.",
        fix: "Replace each tab by two spaces: `sed -i 's/\\t/  /g' site.yaml`.",
    }
    SITE_TAG = "site.tag", You {
        means: "The file uses YAML tags (`!name`), which are not read here.",
        usually: "A tag was used to force a type.",
        fix: "Remove the tag; put quotes around a value to make it text.",
    }
    SITE_TAINT = "site.taint", You {
        means: "A node taint is not one that Kubernetes takes, is there twice, or is set by Kubernetes itself.",
        usually: "The effect is missing or misspelled, or two taints have one key and effect.",
        fix: "Write `key=value:Effect` or `key:Effect`, with NoSchedule, PreferNoSchedule or NoExecute.",
    }
    SITE_TLS = "site.tls", You {
        means: "An authority is named for BCM, but `insecure: true` ignores it.",
        usually: "`insecure: true` was left in the file after the authority was added.",
        fix: "Remove `insecure: true` under `inventory.bcm.tls`.",
    }
    SITE_TODO = "site.todo", You {
        means: "A line of the site file is still as the template wrote it: its comment begins with TODO.",
        usually: "`plinth init` wrote the file, and the line was not filled in.",
        fix: "Write what holds for your site, then remove the TODO.",
    }
    SITE_TOO_DEEP = "site.too-deep", You {
        means: "The file is nested deeper than any site file.",
        usually: "Another file was named, or brackets that are never closed.",
        fix: "Check the name of the file.",
    }
    SITE_TOO_LARGE = "site.too-large", You {
        means: "The file is larger than 1 MiB. Nothing of it was read as YAML.",
        usually: "Another file was named.",
        fix: "Check the name of the file; select nodes by glob (`dgx-*`) instead of by name.",
    }
    SITE_TOO_MANY_FINDINGS = "site.too-many-findings", You {
        means: "So many things are wrong that the rest is not shown.",
        usually: "Another file was named, or one wrong line, such as a network, concerns every node.",
        fix: "Fix what is shown first, then run `plinth validate` again.",
    }
    SITE_TOO_MANY_NODES = "site.too-many-nodes", You {
        means: "The file holds more values than are read.",
        usually: "Another file was named.",
        fix: "Check the name of the file; select nodes by glob (`dgx-*`) instead of by name.",
    }
    SITE_UNKNOWN_CHOICE = "site.unknown-choice", You {
        means: "A word is none of the choices at this place.",
        usually: "A typing error, or a choice of another release.",
        fix: "Write one of the choices that the fix lists.",
    }
    SITE_UNKNOWN_KEY = "site.unknown-key", You {
        means: "A key is not known at this place. plinth reads nothing that it does not know, so that no slip goes unseen.",
        usually: "A typing error, or a key on the wrong level.",
        fix: "Write the key or the place that the fix names; `plinth schema` lists all keys.",
    }
    SITE_UNKNOWN_NODE = "site.unknown-node", You {
        means: "A selector selects no node of the static inventory.",
        usually: "A typing error, or a node that is not listed yet.",
        fix: "Correct the selector, or add the node to `inventory.static`.",
    }
    SITE_UNREADABLE = "site.unreadable", You {
        means: "The site file cannot be read.",
        usually: "A wrong path, or missing rights.",
        fix: "Name the file with `-f FILE`, or write one with `plinth init -f FILE`.",
    }
    SITE_VARIABLE = "site.variable", You {
        means: "The file holds `${NAME}`, `$NAME` or `{{ name }}`. It is read as it is written: nothing is filled in from the environment or from a template.",
        usually: "A template was used without being filled in.",
        fix: "Write the value itself. Secrets are named instead: `{env: NAME}`.",
    }
    SITE_VERSION_NOT_EXACT = "site.version-not-exact", You {
        means: "The Kubernetes version names a line, not a version.",
        usually: "`kubernetes.version` was written with two numbers.",
        fix: "Write all three numbers: `kubernetes: {version: v1.31.9}`.",
    }
    SITE_WRONG_TYPE = "site.wrong-type", You {
        means: "A value has another type than the key wants, such as a number in place of a text.",
        usually: "A version without quotes, which YAML reads as a number, or a list in place of a mapping.",
        fix: "Put a text in quotes, such as `version: \"2.21\"`, or write what the fix says.",
    }
    SITE_WRONG_VALUE = "site.wrong-value", You {
        means: "A text breaks the rule of its key, such as a version, an address, a node name or a glob.",
        usually: "A typing error.",
        fix: "Write it as the fix shows; `plinth schema` holds a pattern and an example for each key.",
    }
}
