use crate::fixture::catalog::{Shelf, engine};
use crate::fixture::{codes, inventory as data, site};
use plinth_model::NodeName;
use plinth_model::steps::{Mirror, RegistryLogin};
use plinth_plan::{Cluster, discover, kubespray, static_inventory};
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, InventorySource, NodeOverride};
use serde_json::{Value, json};

fn cluster(desired: &Desired) -> Cluster {
    let (mut cluster, findings) = Cluster::new(desired, &discover(desired, &data::basepod()));
    assert_eq!(findings, []);
    cluster.add_role_labels(desired, &plinth_plan::Components::runai(&Shelf::default()).node_roles);
    cluster
}

fn vars(desired: &Desired) -> Value {
    kubespray::group_vars(desired, &cluster(desired), &engine("v2.27.1")).0
}

#[test]
fn the_inventory_of_the_example() {
    let mut desired = site::basepod();
    let special = NodeOverride {
        labels: [("site.example.com/rack".to_owned(), "r7".to_owned())].into_iter().collect(),
        taints: vec!["nvidia.com/gpu=present:NoSchedule".into()],
        storage: Some(plinth_model::HostPath::fixed("/raid/containerd")),
        ..NodeOverride::default()
    };
    desired.nodes.overrides.insert(NodeName::new("dgx-06").unwrap(), special);
    let cluster = cluster(&desired);
    insta::assert_snapshot!("inventory_json", kubespray::json(&kubespray::inventory(&desired, &cluster)));
    insta::assert_snapshot!("inventory_ini", kubespray::inventory_ini(&desired, &cluster));
    let yaml = kubespray::yaml(&kubespray::inventory(&desired, &cluster)).unwrap();
    assert!(yaml.contains("kube_control_plane:"), "{yaml}");
}

#[test]
fn the_variables_of_the_example() {
    insta::assert_snapshot!("group_vars_json", kubespray::json(&vars(&site::basepod())));
}

#[test]
fn what_api_servers_bind_to_is_left_to_the_release() {
    // With 0.0.0.0 every release from v2.28 on fails on the first control-plane node: its certificate is not for that address.
    assert_eq!(vars(&site::basepod()).get("kube_apiserver_bind_address"), None);
}

#[test]
fn the_order_of_the_site_file_is_kept() {
    let mut desired = site::basepod();
    desired.nodes.control_plane = site::names(&["cpu-06", "cpu-03", "cpu-05"]);
    let inventory = kubespray::inventory(&desired, &cluster(&desired));
    let group = |name: &str| -> Vec<String> {
        let hosts = inventory.pointer(&format!("/all/children/{name}/hosts")).unwrap();
        hosts.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(group("kube_control_plane"), ["cpu-06", "cpu-03", "cpu-05"]);
    assert_eq!(group("etcd"), group("kube_control_plane"));
    let name = inventory.pointer("/all/hosts/cpu-03/etcd_member_name").unwrap();
    assert_eq!(name, "etcd-cpu-03", "another order renames no member");
}

#[test]
fn versions_have_the_form_of_the_release() {
    let desired = site::basepod();
    let version = |tag| kubespray::group_vars(&desired, &cluster(&desired), &engine(tag)).0["kube_version"].clone();
    assert_eq!(version("v2.27.1"), "v1.31.9");
    assert_eq!(version("v2.28.1"), "1.31.9");
}

#[test]
fn choices_of_the_site_become_typed_variables() {
    let mut desired = site::basepod();
    desired.kubernetes.mtu = Some(8950);
    desired.platform.load_balancer = vec!["10.184.162.240/28".into()];
    desired.storage.images = plinth_model::HostPath::fixed("/data/containerd");
    let docker = Mirror {
        registry: "docker.io".into(),
        endpoints: vec!["mirror.example.com".into(), "http://10.0.0.1:5000".into()],
    };
    desired.registries.mirrors.push(docker);
    desired.registries.logins.push(RegistryLogin {
        registry: "mirror.example.com".into(),
        username: "puller".into(),
        password: site::env("MIRROR_PASSWORD"),
    });
    let vars = vars(&desired);
    assert_eq!(vars["calico_mtu"], json!(8950));
    assert_eq!(vars["kube_proxy_strict_arp"], json!(true));
    assert_eq!(vars["containerd_storage_dir"], "/data/containerd");
    let mirrors = &vars["containerd_registries_mirrors"][0]["mirrors"];
    let hosts: Vec<&str> = mirrors.as_array().unwrap().iter().map(|m| m["host"].as_str().unwrap()).collect();
    assert_eq!(hosts, ["https://mirror.example.com", "http://10.0.0.1:5000", "https://registry-1.docker.io"]);
    assert_eq!(mirrors[1]["skip_verify"], json!(true));
    let text = vars.to_string();
    assert!(!text.contains("registry_auth") && !text.contains("MIRROR_PASSWORD") && !text.contains("puller"));
}

#[test]
fn typha_comes_above_fifty_nodes_and_resolv_conf_is_left_to_bcm() {
    let typha = |nodes: usize| {
        let desired = site::large(nodes);
        let InventorySource::Static(list) = &desired.inventory else { panic!() };
        let (cluster, _) = Cluster::new(&desired, &discover(&desired, &static_inventory(list)));
        kubespray::group_vars(&desired, &cluster, &engine("v2.29.1")).0
    };
    assert_eq!(typha(50).get("typha_enabled"), None);
    assert_eq!(typha(101)["typha_replicas"], json!(3));
    assert_eq!(typha(50)["resolvconf_mode"], "host_resolvconf");
    assert_eq!(vars(&site::basepod())["resolvconf_mode"], "none");
}

#[test]
fn names_resolve_to_the_load_balancer_where_there_is_one() {
    let entry = |change: &dyn Fn(&mut Desired)| {
        let mut desired = site::basepod();
        change(&mut desired);
        let facts = plinth_plan::facts::facts(&desired, &cluster(&desired));
        (vars(&desired)["dns_etchosts"].as_str().unwrap().to_owned(), facts["loadBalancer.ingress"].clone())
    };
    let told = |address: &str| format!("{address} bcm-head-01.eth.cluster\n");
    let balance = |pool: &str| vec![pool.to_owned()];
    assert_eq!(entry(&|_| ()), (told("10.184.162.102"), Value::Null));
    let pooled = entry(&|d| d.platform.load_balancer = balance("10.184.162.200-10.184.162.210"));
    assert_eq!(pooled, (told("10.184.162.200"), json!("10.184.162.200")));
    let round = entry(&|d| d.platform.load_balancer = balance("10.184.163.0/28"));
    assert_eq!(round.1, json!("10.184.163.1"), "addresses that end in 0 may be avoided");
    let outside = entry(&|d| {
        d.platform.load_balancer = balance("10.184.162.240/28");
        d.platform.ingress.address = Some([10, 184, 162, 250].into());
    });
    assert_eq!(outside, (told("10.184.162.250"), json!("10.184.162.250")));
    let foreign = entry(&|d| {
        d.platform.load_balancer = balance("10.184.162.240/28");
        d.platform.ingress.address = Some([10, 184, 162, 9].into());
    });
    assert_eq!(foreign, (told("10.184.162.9"), Value::Null), "MetalLB is only asked for what it has");
}

#[test]
fn variables_that_the_release_no_longer_reads_are_refused() {
    let cases = [
        ("etcd_kubeadm_enabled", "v2.27.1", false),
        ("etcd_kubeadm_enabled", "v2.28.1", true),
        ("kube_master_memory_reserved", "v2.26.1", false),
        ("kube_master_memory_reserved", "v2.27.1", true),
        ("ingress_nginx_host_network", "v2.30.0", false),
        ("ingress_nginx_host_network", "v2.31.0", true),
        ("kubelet_static_pod_path", "v2.31.0", true),
        ("kubelet_max_pods", "v2.31.0", false),
    ];
    for (name, tag, gone) in cases {
        let mut desired = site::basepod();
        desired.kubernetes.extra_vars.insert(name.into(), json!(true));
        let catalog = plinth_catalog::Catalog::embedded().unwrap();
        let (mut release, ..) = catalog.kubespray(&desired).unwrap();
        release.tag = tag.parse().unwrap();
        let wanted: &[&str] = if gone { &["kubernetes.extra-var-removed"] } else { &[] };
        assert_eq!(codes(&kubespray::removed(&desired, &release.tag)), wanted, "{name} {tag}");
    }
}

#[test]
fn the_sites_own_variables_win_and_clashes_are_said() {
    let mut desired = site::basepod();
    desired.kubernetes.extra_vars.insert("etcd_retries".into(), json!(20));
    desired.kubernetes.extra_vars.insert("enable_nodelocaldns".into(), json!(true));
    desired.kubernetes.extra_vars.insert("nginx_kube_apiserver_healthcheck_port".into(), json!(8082));
    desired.kubernetes.extra_vars.insert("registry_password".into(), json!("hunter2"));
    let (vars, findings) = kubespray::group_vars(&desired, &cluster(&desired), &engine("v2.27.1"));
    assert_eq!(vars["etcd_retries"], 20);
    let wanted = ["kubernetes.extra-var-replaces", "kubernetes.extra-var-dead", "kubernetes.extra-var-secret"];
    assert_eq!(codes(&findings), wanted);
    assert!(!format!("{findings:?}").contains("hunter2"));
}

#[test]
fn no_template_is_handed_to_ansible() {
    let jinja = "{{ lookup('pipe', 'touch PWN') }}";
    let mut desired = site::basepod();
    assert!(
        !codes(&kubespray::files(&desired, &cluster(&desired), &engine("v2.27.1")).1).contains(&"kubernetes.template")
    );
    desired.kubernetes.calico.interface = Some(jinja.to_owned());
    desired.kubernetes.extra_vars.insert("a_list".into(), json!([{"deep": ["x {% raw %}"]}]));
    desired.kubernetes.extra_vars.insert("{{ name }}".into(), json!(1));
    desired.kubernetes.extra_vars.insert("encrypted".into(), json!({"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256"}));
    desired.kubernetes.extra_vars.insert("unread".into(), json!([{"a": {"__ansible_unsafe": "x"}}]));
    desired.kubernetes.extra_vars.insert("__ansible_unsafe".into(), json!("x"));
    desired.kubernetes.oidc = Some(plinth_site::desired::Oidc {
        issuer: format!("https://x/{jinja}"),
        client: jinja.to_owned(),
        username_claim: Some(jinja.to_owned()),
        username_prefix: Some(jinja.to_owned()),
        groups_claim: Some(jinja.to_owned()),
        groups_prefix: Some("{#".to_owned()),
        authority: None,
    });
    let (_, findings) = kubespray::files(&desired, &cluster(&desired), &engine("v2.27.1"));
    let found: std::collections::BTreeSet<&str> = findings
        .iter()
        .filter(|f| f.code == "kubernetes.template" && f.is_error())
        .map(|f| f.subject.as_str())
        .collect();
    let oidc = ["issuer", "client", "usernameClaim", "usernamePrefix", "groupsClaim", "groupsPrefix"];
    let oidc = oidc.map(|name| format!("kubernetes.api.oidc.{name}"));
    let others = [
        "kubernetes.network.calico.interface",
        "kubernetes.extraVars.a_list",
        "kubernetes.extraVars.{{ name }}",
        "kubernetes.extraVars.encrypted",
        "kubernetes.extraVars.unread",
        "kubernetes.extraVars.__ansible_unsafe",
    ];
    assert_eq!(found, oidc.iter().map(String::as_str).chain(others).collect());
}

#[test]
fn add_ons_of_the_platform_stay_off() {
    let mut desired = site::basepod();
    for (name, value) in [
        ("metrics_server_enabled", json!(true)),
        ("helm_enabled", json!("false")),
        ("metallb_enabled", json!(false)),
        ("loadbalancer_apiserver_healthcheck_port", json!(8081)),
    ] {
        desired.kubernetes.extra_vars.insert(name.into(), value);
    }
    let (_, findings) = kubespray::group_vars(&desired, &cluster(&desired), &engine("v2.27.1"));
    let wanted =
        ["kubernetes.extra-var-two-owners", "kubernetes.extra-var-two-owners", "kubernetes.extra-var-bcm-port"];
    assert_eq!(codes(&findings), wanted);
    assert!(findings[0].fix.contains("platform.components.metrics-server"), "{}", findings[0].fix);
    assert!(findings[1].message.contains("text"), "{}", findings[1].message);
}

#[test]
fn a_shared_address_replaces_the_proxy_on_workers() {
    let mut desired = site::basepod();
    let address = [10, 184, 162, 250].into();
    desired.kubernetes.endpoint = ApiEndpoint::LoadBalancer { address, port: 443 };
    let balanced = vars(&desired);
    assert_eq!(balanced["loadbalancer_apiserver"], json!({"address": "10.184.162.250", "port": 443}));
    assert_eq!(balanced["loadbalancer_apiserver_localhost"], json!(false));
    assert_eq!((balanced.get("kube_vip_enabled"), balanced.get("kube_proxy_strict_arp")), (None, None));
    desired.kubernetes.endpoint = ApiEndpoint::KubeVip { address, interface: None };
    let announced = vars(&desired);
    assert_eq!(announced["loadbalancer_apiserver"]["port"], json!(6443));
    assert_eq!(announced["kube_proxy_strict_arp"], json!(true), "else Kubespray stops late");
    assert_eq!(announced.get("kube_vip_interface"), None);
}

#[test]
fn what_the_release_cannot_do_is_refused() {
    let mut desired = site::basepod();
    desired.kubernetes.proxy_mode = "nftables".into();
    desired.kubernetes.downloads.files = Some("https://mirror.example.com".into());
    desired.kubernetes.downloads.push = false;
    let found = |tag: &str| {
        let (_, findings) = kubespray::group_vars(&desired, &cluster(&desired), &engine(tag));
        codes(&findings).join(" ")
    };
    assert_eq!(found("v2.24.3"), "kubernetes.proxy-mode kubernetes.files-mirror");
    assert_eq!(found("v2.27.1"), "kubernetes.proxy-mode");
    assert_eq!(found("v2.28.1"), "");
}
