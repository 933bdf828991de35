//! Whose a variable of Kubespray or Ansible is. The site's own variables are given on the command line, so they beat every other place,
//! variables of single hosts too: what plinth writes, or stands on, is refused there. A test renders every kind of site and looks each
//! name that is written up here.

/// Variables with a key of the site file. The key is checked against all the rest; the variable would not be.
pub(super) const KEYED: [(&str, &str); 58] = [
    ("kube_version", "kubernetes.version"),
    ("kube_network_plugin", "kubernetes.network.plugin"),
    ("kube_pods_subnet", "kubernetes.network.pods"),
    ("kube_service_addresses", "kubernetes.network.services"),
    ("kube_network_node_prefix", "kubernetes.network.nodePrefix"),
    ("kube_proxy_mode", "kubernetes.network.proxyMode"),
    ("calico_mtu", "kubernetes.network.mtu"),
    ("calico_veth_mtu", "kubernetes.network.mtu"),
    ("calico_pool_blocksize", "kubernetes.network.calico.blockSize"),
    ("calico_pool_cidr", "kubernetes.network.pods"),
    ("calico_ip_auto_method", "kubernetes.network.calico.interface"),
    ("typha_enabled", "kubernetes.network.calico.typha"),
    ("typha_replicas", "kubernetes.network.calico.typha"),
    ("enable_nodelocaldns", "kubernetes.dns.nodeCache"),
    ("upstream_dns_servers", "kubernetes.dns.servers"),
    ("loadbalancer_apiserver", "kubernetes.api.endpoint"),
    ("loadbalancer_apiserver_localhost", "kubernetes.api.endpoint"),
    ("loadbalancer_apiserver_port", "kubernetes.api.endpoint"),
    ("apiserver_loadbalancer_domain_name", "kubernetes.api.endpoint"),
    ("supplementary_addresses_in_ssl_keys", "kubernetes.api.extraNames"),
    ("kube_vip_enabled", "kubernetes.api.endpoint.kubeVip"),
    ("kube_vip_controlplane_enabled", "kubernetes.api.endpoint.kubeVip"),
    ("kube_vip_arp_enabled", "kubernetes.api.endpoint.kubeVip"),
    ("kube_vip_address", "kubernetes.api.endpoint.kubeVip.address"),
    ("kube_vip_interface", "kubernetes.api.endpoint.kubeVip.interface"),
    ("kube_oidc_auth", "kubernetes.api.oidc"),
    ("kube_oidc_url", "kubernetes.api.oidc.issuer"),
    ("kube_oidc_client_id", "kubernetes.api.oidc.client"),
    ("kube_oidc_username_claim", "kubernetes.api.oidc.usernameClaim"),
    ("kube_oidc_username_prefix", "kubernetes.api.oidc.usernamePrefix"),
    ("kube_oidc_groups_claim", "kubernetes.api.oidc.groupsClaim"),
    ("kube_oidc_groups_prefix", "kubernetes.api.oidc.groupsPrefix"),
    ("kube_oidc_ca_file", "kubernetes.api.oidc.authority"),
    ("kube_oidc_ca_cert", "kubernetes.api.oidc.authority"),
    ("kubelet_max_pods", "kubernetes.kubelet.maxPods"),
    ("kube_feature_gates", "kubernetes.featureGates"),
    ("http_proxy", "kubernetes.proxy.http"),
    ("https_proxy", "kubernetes.proxy.https"),
    ("no_proxy", "kubernetes.proxy.noProxy"),
    ("additional_no_proxy", "kubernetes.proxy.noProxy"),
    ("containerd_storage_dir", "storage.images"),
    ("containerd_registries_mirrors", "registries.mirrors"),
    ("containerd_registry_auth", "registries.logins"),
    ("auto_renew_certificates", "kubernetes.renewCertificates"),
    ("ansible_user", "access.account.name"),
    ("ansible_port", "access.port"),
    ("ansible_host", "nodes.overrides.NODE.address"),
    ("ip", "nodes.overrides.NODE.address"),
    ("access_ip", "nodes.overrides.NODE.address"),
    ("main_ip", "nodes.overrides.NODE.address"),
    ("main_ips", "nodes.overrides.NODE.address"),
    ("main_access_ip", "nodes.overrides.NODE.address"),
    ("main_access_ips", "nodes.overrides.NODE.address"),
    ("node_labels", "nodes.overrides.NODE.labels"),
    ("node_taints", "nodes.overrides.NODE.taints"),
    ("manual_dns_server", "kubernetes.dns.servers"),
    ("skydns_server", "kubernetes.network.services"),
    ("skydns_server_secondary", "kubernetes.network.services"),
];

/// Amounts that `kubernetes.kubelet` keeps back, by their beginning and end.
pub(super) const RESERVED: [(&str, &str); 2] =
    [("system_", "kubernetes.kubelet.systemReserved"), ("kube_", "kubernetes.kubelet.kubeReserved")];
/// What such an amount is of; releases before v2.27 have one for the control plane beside each.
pub(super) const AMOUNTS: [&str; 4] = ["cpu", "memory", "ephemeral_storage", "pid"];

/// Variables whose values plinth stands on: the one that it takes, and why.
pub(super) const RELIED: [(&str, &str, &str); 30] = [
    ("kube_override_hostname", "", "nodes are looked up under the names of the inventory"),
    ("override_system_hostname", "false", "the machines have their names from BCM or the site, and keep them"),
    ("kube_apiserver_port", "6443", "plinth reaches the API servers there, and preflight checks that port"),
    ("etcd_deployment_type", "host", "plinth looks after etcd as a service of its nodes"),
    (
        "container_manager",
        "containerd",
        "plinth moves images, writes logins and sets NVIDIA's runtime up for containerd",
    ),
    ("cluster_name", "cluster.local", DOMAIN),
    ("dns_domain", "cluster.local", DOMAIN),
    ("dns_mode", "coredns", "plinth waits for CoreDNS, and checks names in pods"),
    ("nodelocaldns_ip", "169.254.25.10", "the ranges of the site are held against that address"),
    ("kubeconfig_localhost", "false", "plinth fetches the kubeconfig itself, and keeps it from others"),
    ("local_release_dir", "/var/cache/plinth/releases", "plinth pushes Kubespray's files there"),
    ("ipv4_stack", "true", IPV4),
    ("ipv6_stack", "false", IPV4),
    ("enable_dual_stack_networks", "false", IPV4),
    ("bin_dir", "/usr/local/bin", PLACES),
    ("kube_config_dir", "/etc/kubernetes", PLACES),
    ("kube_manifest_dir", "/etc/kubernetes/manifests", PLACES),
    ("kube_cert_dir", "/etc/kubernetes/ssl", PLACES),
    ("kube_cert_compat_dir", "/etc/kubernetes/pki", PLACES),
    ("kube_token_dir", "/etc/kubernetes/tokens", PLACES),
    ("kube_script_dir", "/usr/local/bin/kubernetes-scripts", PLACES),
    ("etcd_data_dir", "/var/lib/etcd", PLACES),
    ("etcd_config_dir", "/etc/ssl/etcd", PLACES),
    ("etcd_cert_dir", "/etc/ssl/etcd/ssl", PLACES),
    ("calico_cert_dir", "/etc/calico/certs", PLACES),
    ("containerd_bin_dir", "/usr/local/bin", PLACES),
    ("containerd_cfg_dir", "/etc/containerd", PLACES),
    ("containerd_state_dir", "/run/containerd", PLACES),
    ("containerd_systemd_dir", "/etc/systemd/system/containerd.service.d", PLACES),
    ("runc_bin_dir", "/usr/local/bin", PLACES),
];

/// Why a cluster of plinth has no IPv6.
const IPV4: &str = "ranges, addresses, certificates and checks are of IPv4 in this release";
/// Why the domain of the cluster is what it is.
const DOMAIN: &str = "it is the DNS domain of services, which certificates, `noProxy` and the checks of plinth name";
/// Why places on nodes stay where they are.
const PLACES: &str =
    "plinth looks there, recovers from what is there, and clears exactly that when Kubernetes is taken off a node";

/// Variables that Kubespray works out for every node, or keeps for itself. Given from outside, each node has the same.
pub(super) const WORKED_OUT: [&str; 29] = [
    "etcd_member_name",
    "first_kube_control_plane",
    "first_kube_control_plane_address",
    "fallback_ip",
    "node_ip",
    "kube_apiserver_address",
    "kube_apiserver_access_address",
    "kube_apiserver_ip",
    "kube_apiserver_endpoint",
    "kube_apiserver_global_endpoint",
    "kubeadm_discovery_address",
    "kubelet_address",
    "kubelet_cluster_dns",
    "kube_dns_servers",
    "kube_pods_subnets",
    "kube_service_subnets",
    "etcd_address",
    "etcd_access_address",
    "etcd_access_addresses",
    "etcd_client_url",
    "etcd_peer_url",
    "etcd_peer_addresses",
    "etcd_host",
    "etcd_hosts",
    "etcd_members",
    "is_etcd_master",
    "is_kube_master",
    "credentials_dir",
    "artifacts_dir",
];

/// Variables that plinth writes and a site may replace all the same, with a warning: why that undoes nothing.
pub(super) const REPLACEABLE: [(&str, &str); 17] = [
    ("resolvconf_mode", "who writes resolv.conf is the site's to choose; plinth looks at what is there"),
    ("populate_inventory_to_hosts_file", "who writes /etc/hosts is the site's to choose"),
    ("dns_etchosts", "more names may be answered; a check asks for Run:ai's"),
    ("etcd_retries", "patience alone"),
    ("no_proxy_exclude_workers", "how much is restarted when a node joins"),
    (
        "containerd_extra_args",
        "may hold more lines than plinth's; kubernetes/gpu-runtime looks whether NVIDIA's is lost",
    ),
    ("system_reserved", "the name of a control group; amounts have keys"),
    ("kube_reserved", "the name of a control group; amounts have keys"),
    ("github_url", "a mirror of one host; preflight asks there"),
    ("dl_k8s_io_url", "a mirror of one host; preflight asks there"),
    ("storage_googleapis_url", "a mirror of one host"),
    ("get_helm_url", "a mirror of one host"),
    ("kube_image_repo", "a mirror of one registry; preflight asks there"),
    ("quay_image_repo", "a mirror of one registry; preflight asks there"),
    ("docker_image_repo", "a mirror of one registry; preflight asks there"),
    ("github_image_repo", "a mirror of one registry; preflight asks there"),
    ("gcr_image_repo", "a mirror of one registry; preflight asks there"),
];

/// Variables of Ansible itself that a site may set, and why that changes neither the way onto nodes nor what is done there. All others that
/// begin with `ansible_` are refused: they are how Ansible gets in, becomes root, checks host keys and knows a node.
pub(super) const ANSIBLE: [(&str, &str); 6] = [
    ("ansible_timeout", "how long a connection may take"),
    ("ansible_ssh_timeout", "how long a connection may take"),
    ("ansible_ssh_retries", "how often a lost connection is tried again"),
    ("ansible_pipelining", "speed alone"),
    ("ansible_ssh_pipelining", "speed alone"),
    ("ansible_remote_tmp", "where modules wait, on nodes whose usual place runs no programs"),
];

/// Options inside of variables that hand on what the site likes: the variable, and the options that plinth stands on.
pub(super) const INSIDE: [(&str, &[&str]); 6] = [
    ("kubelet_custom_flags", &KUBELET_FLAGS),
    ("kubelet_node_custom_flags", &KUBELET_FLAGS),
    ("kubelet_config_extra_args", &KUBELET_FILE),
    ("kubelet_node_config_extra_args", &KUBELET_FILE),
    (
        "kube_kubeadm_apiserver_extra_args",
        &["advertise-address", "secure-port", "service-cluster-ip-range", "etcd-servers"],
    ),
    (
        "kube_kubeadm_controller_extra_args",
        &["cluster-cidr", "service-cluster-ip-range", "node-cidr-mask-size", "allocate-node-cidrs"],
    ),
];
const KUBELET_FLAGS: [&str; 15] = [
    "hostname-override",
    "node-ip",
    "node-labels",
    "register-with-taints",
    "config",
    "kubeconfig",
    "bootstrap-kubeconfig",
    "root-dir",
    "cert-dir",
    "pod-manifest-path",
    "container-runtime-endpoint",
    "address",
    "port",
    "cluster-dns",
    "cluster-domain",
];
const KUBELET_FILE: [&str; 6] =
    ["clusterDNS", "clusterDomain", "staticPodPath", "address", "port", "containerRuntimeEndpoint"];
