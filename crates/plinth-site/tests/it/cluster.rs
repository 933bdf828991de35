//! Settings of the cluster: every problem at once, and what is taken when nothing is said.

use crate::{changed, read, summary};
use plinth_site::desired::ApiEndpoint;

const VERSION: &str = "  version: v1.31.9";

#[test]
fn all_problems_of_the_cluster_come_at_once() {
    let settings = format!(
        "{VERSION}
  api:
    endpoint: {{kubeVip: {{address: 10.229.10.9, interface: \"\"}}}}
    oidc: {{issuer: \"http://login.example.com\", client: k8s, authority: \"-----BEGIN RSA PRIVATE KEY-----\"}}
  kubelet: {{maxPods: 5, systemReserved: {{cpu: 2 cores, memory: 8GB}}}}
  featureGates: {{inPlace: true, Good: maybe}}
  dns: {{servers: [10.150.0.10]}}
  proxy: {{noProxy: [\"http://x\"]}}
  downloads: {{files: \"https://user@mirror.example.com\", images: {{quay: mirror.example.com}}}}"
    );
    let network = "plugin: flannel, proxyMode: nft, calico: {blockSize: 26}";
    let text = changed(&[(VERSION, &settings), ("plugin: calico", network)]);
    let told = summary(&text).join("\n");
    insta::assert_snapshot!(told);
}

#[test]
fn addresses_of_the_cluster_are_compared_with_everything_known() {
    let with = |settings: &str, more: &[(&str, &str)]| {
        let version = format!("{VERSION}\n{settings}");
        let changes: Vec<(&str, &str)> =
            [(VERSION, version.as_str())].into_iter().chain(more.iter().copied()).collect();
        summary(&changed(&changes)).join(" | ")
    };
    let vip = |address: &str| format!("  api: {{endpoint: {{kubeVip: {{address: {address}}}}}}}");
    assert_eq!(with(&vip("10.184.162.250"), &[]), "");
    assert!(with(&vip("10.9.9.9"), &[]).contains("site.address-outside"));
    assert!(with(&vip("10.229.10.9"), &[]).contains("site.address-forbidden"));
    assert!(with(&vip("10.150.0.9"), &[]).contains("site.networks-overlap"));
    let pool = [("  ingress:", "  loadBalancer: {addresses: [10.184.162.240/28]}\n  ingress:")];
    assert!(with(&vip("10.184.162.250"), &pool).contains("site.networks-overlap"));
    let outside = "  api: {endpoint: {loadBalancer: {address: 203.0.113.9}}}";
    assert_eq!(with(outside, &[]), "", "a load balancer may stand anywhere");
    assert!(with("  dns: {servers: [10.150.0.10]}", &[]).contains("site.networks-overlap"));
    let jump = [("access:\n", "access:\n  jump: {host: 172.29.3.4, user: root, agent: true}\n")];
    assert!(with("  dns: {}", &jump).contains("site.networks-overlap"), "{}", with("  dns: {}", &jump));
}

#[test]
fn nodes_are_left_out_by_a_list_of_their_own() {
    let with = |nodes: &str| summary(&changed(&[("  gpu: [dgx-*]", nodes)]));
    assert_eq!(with("  gpu: [dgx-*]\n  exclude: [dgx-07, \"dgx-1*\", {category: spare}]"), Vec::<String>::new());
    let negated = with("  gpu: [dgx-*, \"!dgx-06\"]").join(" | ");
    assert!(negated.contains("site.selector") && negated.contains("nodes.gpu[1]"), "{negated}");
    let twice = with("  gpu: [dgx-*]\n  exclude: [dgx-07, dgx-07]").join(" | ");
    assert!(twice.contains("site.duplicate-node"), "{twice}");
    let even = with("  gpu: [dgx-*]\n  exclude: [cpu-03]").join(" | ");
    assert!(even.contains("site.even-etcd"), "{even}");
}

#[test]
fn a_node_must_have_addresses_for_its_pods() {
    let with = |network: &str, kubelet: &str| {
        let version = format!("{VERSION}\n{kubelet}");
        summary(&changed(&[(VERSION, &version), ("plugin: calico", network)])).join(" | ")
    };
    assert!(with("plugin: flannel, nodePrefix: 26", "").contains("site.pod-capacity"));
    assert!(with("plugin: flannel, nodePrefix: 24", "  kubelet: {maxPods: 300}").contains("maxPods"));
    assert_eq!(with("plugin: calico, nodePrefix: 26", "  kubelet: {maxPods: 300}"), "", "calico takes more blocks");
    assert!(with("plugin: calico", "  kubelet: {maxPods: 900}").contains("site.many-pods"));
}

#[test]
fn what_is_not_said_has_a_default() {
    let kubernetes = read(changed(&[])).unwrap().desired.kubernetes;
    assert_eq!((kubernetes.proxy_mode.as_str(), kubernetes.endpoint.clone()), ("ipvs", ApiEndpoint::NodeProxy));
    assert!(kubernetes.renew_certificates && kubernetes.node_dns_cache && kubernetes.downloads.push);
    assert!(!kubernetes.remove_docker && kubernetes.max_pods.is_none() && kubernetes.oidc.is_none());
    let balancer = format!("{VERSION}\n  api: {{endpoint: {{loadBalancer: {{address: 10.184.162.9}}}}}}");
    let endpoint = read(changed(&[(VERSION, &balancer)])).unwrap().desired.kubernetes.endpoint;
    assert_eq!(endpoint.shared(), Some(([10, 184, 162, 9].into(), 6443)));
}

#[test]
fn infiniband_is_named_in_one_way_and_has_addresses_of_its_own() {
    let with = |settings: &str| {
        let platform = format!("platform:\n  infiniband: {settings}");
        summary(&changed(&[("platform:", &platform)])).join(" | ")
    };
    assert_eq!(with("{model: dgx-h100, addresses: 192.168.0.0/16}"), "");
    assert_eq!(with("{addresses: 192.168.0.0/16}"), "", "as the nodes are");
    assert_eq!(with("{interfaces: [ib0, ib1], addresses: 192.168.0.0/16, virtualFunctions: 4, maxUnavailable: 2}"), "");
    let cases = [
        (
            "{model: dgx-h100, interfaces: [ib0], addresses: 192.168.0.0/16}",
            "platform.infiniband platform.infiniband.interfaces",
        ),
        (
            "{interfaces: [ib0, ib0], addresses: 192.168.0.0/16}",
            "platform.infiniband platform.infiniband.interfaces[1]",
        ),
        ("{interfaces: [IB-0], addresses: 192.168.0.0/16}", "platform.infiniband.interfaces[0]"),
        ("{model: dgx-h100, addresses: 192.168.0.1/16}", "site.not-a-network platform.infiniband.addresses"),
        ("{model: dgx-h100, addresses: 172.29.0.0/20}", "kubernetes.network.pods"),
        ("{model: dgx-h100, addresses: 192.168.0.0/16, virtualFunctions: 0}", "platform.infiniband.virtualFunctions"),
        ("{model: dgx-h100}", "platform.infiniband"),
    ];
    for (settings, wanted) in cases {
        let told = with(settings);
        assert!(told.contains(wanted), "{settings}: {told}");
    }
    let desired =
        read(changed(&[("platform:", "platform:\n  infiniband: {model: dgx-h100, addresses: 192.168.0.0/16}")]));
    let infiniband = desired.unwrap().desired.platform.infiniband.unwrap();
    assert_eq!((infiniband.virtual_functions, infiniband.max_unavailable), (8, 1));
}

#[test]
fn a_project_has_one_department() {
    const DOMAIN: &str = "  domain: bcm-head-01.eth.cluster";
    let with = |departments: &str| {
        let more = format!("{DOMAIN}\n  departments: {departments}");
        summary(&changed(&[(DOMAIN, more.as_str())])).join(" | ")
    };
    assert_eq!(with("[{name: a, gpus: 8, projects: [{name: x, gpus: 0}]}, {name: b, gpus: 0}]"), "");
    let twice = with(
        "[{name: a, gpus: 8, projects: [{name: x, gpus: 1}]}, {name: b, gpus: 1, projects: [{name: x, gpus: 1}]}]",
    );
    assert!(twice.contains("site.duplicate-project") && twice.contains("departments[1].projects[0]"), "{twice}");
    assert!(with("[{name: a, gpus: 8}, {name: a, gpus: 8}]").contains("site.duplicate-project"));
    assert!(with("[{name: Team A, gpus: 8}]").contains("departments[0].name"));
    assert!(!with("[{name: a, gpus: -1}]").is_empty() && !with("[{name: a}]").is_empty());
}

#[test]
fn a_control_plane_elsewhere_has_a_url_and_needs_no_login_of_the_registry() {
    const REGISTRY: &str = "  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}";
    let with = |text: &str| summary(&changed(&[(REGISTRY, text)])).join(" | ");
    assert!(with("").contains("site.registry-token"));
    assert_eq!(with("  controlPlane: {url: \"https://acme.run.ai\"}"), "");
    assert!(with("  controlPlane: {url: acme.run.ai}").contains("controlPlane.url"));
    assert!(with("  controlPlane: {}").contains("controlPlane"));
}

#[test]
fn without_a_token_artefacts_come_from_where_none_is_asked_for() {
    use plinth_site::desired::ArtifactSource::{Jfrog, Ngc, Oss};
    const REGISTRY: &str = "  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}";
    let tenant = "  controlPlane: {url: \"https://acme.run.ai\"}";
    let with = |line: &str, text: &str| {
        let version = format!("version: \"{line}\"");
        changed(&[("version: \"2.21\"", version.as_str()), (REGISTRY, text)])
    };
    for (line, text, wanted) in [
        ("2.24", REGISTRY, Jfrog),
        ("2.25", REGISTRY, Ngc),
        ("3.0", REGISTRY, Ngc),
        ("3.0", "", Oss),
        ("2.24", tenant, Jfrog),
        ("2.25", tenant, Jfrog),
        ("3.0", tenant, Oss),
    ] {
        let site = read(with(line, text)).unwrap().desired;
        assert_eq!(site.runai.unwrap().source, wanted, "{line} {text}");
    }
    // Neither a former registry nor open-source artefacts: its charts are behind a login, whoever's the control plane is.
    for text in ["", tenant] {
        assert!(summary(&with("2.26", text)).join(" ").contains("site.registry-token"), "{text}");
    }
}

#[test]
fn run_ai_as_the_issuer_fills_in_what_is_fixed_and_nothing_beside_it() {
    let with = |oidc: &str, more: &[(&str, &str)]| {
        let settings = format!("{VERSION}\n  api: {{oidc: {oidc}}}");
        changed(&[(VERSION, settings.as_str())].into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let runai = read(changed(&[])).unwrap().desired.runai.unwrap();
    let oidc = read(with("{runai: true, usernameClaim: email}", &[])).unwrap().desired.kubernetes.oidc.unwrap();
    assert_eq!((oidc.issuer, oidc.client.as_str()), (runai.issuer(), "runai"));
    assert_eq!((oidc.username_prefix.as_deref(), oidc.username_claim.as_deref()), (Some("-"), Some("email")));
    const REGISTRY: &str = "  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}";
    let tenant = (REGISTRY, "  controlPlane: {url: \"https://acme.run.ai\"}");
    let oidc = read(with("{runai: true}", &[tenant])).unwrap().desired.kubernetes.oidc.unwrap();
    assert_eq!(oidc.issuer, "https://acme.run.ai/auth/realms/acme");
    for wrong in [
        "{runai: true, issuer: \"https://a.example.com\"}",
        "{runai: true, client: a}",
        "{client: a}",
        "{issuer: \"https://a.example.com\"}",
    ] {
        assert!(summary(&with(wrong, &[])).join(" ").contains("site.oidc kubernetes.api.oidc"), "{wrong}");
    }
}
