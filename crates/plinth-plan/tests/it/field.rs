//! What only the inventory knows, and inputs that people really have in BCM.

use crate::fixture::{codes, inventory as data, site};
use plinth_catalog::Catalog;
use plinth_model::inventory::{Inventory, NodeKind};
use plinth_model::{Finding, Severity};
use plinth_plan::discover::discover;
use plinth_plan::{Cluster, Discovery, Observed, kubespray, plan};
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, ProductionNetwork, Selector, WebProxy};
use serde_json::json;

fn found(change: impl Fn(&mut Desired, &mut Inventory)) -> Discovery {
    let (mut desired, mut inventory) = (site::basepod(), data::basepod());
    change(&mut desired, &mut inventory);
    discover(&desired, &inventory)
}

fn errors(discovery: &Discovery) -> Vec<(&str, &str)> {
    let errors = discovery.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| (finding.code.as_str(), finding.subject.as_str())).collect()
}

fn named(desired: &mut Desired) {
    desired.networks.production = ProductionNetwork::Name("dgxnet".into());
}

#[test]
fn names_from_bcm_that_mean_something_else_below_stop_discover_and_plan_alike() {
    for bad in
        ["101", "on", "1e3", "0x1f", "etcd", "localhost", "kube_node", "DGX-05", "dgx_05", "dgx-05.cluster", "null"]
    {
        let change = |desired: &mut Desired, inventory: &mut Inventory| {
            inventory.nodes[4].name = bad.into();
            desired.nodes.workers = vec![Selector::Category("dgx-h100".into())];
            desired.nodes.overrides.clear();
            inventory.nodes.truncate(6);
        };
        let discovery = found(change);
        assert!(errors(&discovery).contains(&("nodes.bad-name", bad)), "{bad}: {:?}", errors(&discovery));
        let (mut desired, mut inventory) = (site::basepod(), data::basepod());
        change(&mut desired, &mut inventory);
        let refused = plan(&desired, &Observed::new(inventory), &Catalog::embedded().unwrap()).unwrap_err();
        assert_eq!(refused.iter().filter(|finding| finding.code == "nodes.bad-name").count(), 1, "{bad}");
    }
}

#[test]
fn a_machine_whose_name_differs_in_case_only_is_offered_with_the_way_out() {
    for (bcm, written) in [("DGX-05", "dgx-05"), ("dgx_05", "dgx-05"), ("dgx-05.eth.cluster", "dgx-05-eth-cluster")] {
        let discovery = found(|desired, inventory| {
            inventory.nodes[4].name = bcm.into();
            desired.nodes.workers = site::names(&[written, "dgx-06"]);
        });
        let finding = discovery.findings.iter().find(|finding| finding.code == "nodes.no-match").unwrap();
        assert!(
            finding.fix.contains(&format!("`{bcm}`")) && finding.fix.contains("rename it in BCM"),
            "{}",
            finding.fix
        );
    }
}

#[test]
fn machines_that_a_selector_leaves_out_are_named() {
    let with = |selector: Selector| {
        found(move |desired, inventory| {
            for (at, kind) in [(6, "LiteNode"), (7, "CloudNode")] {
                inventory.nodes[at].kind = NodeKind::Other(kind.into());
            }
            desired.nodes.workers = vec![selector.clone()];
        })
    };
    for selector in [Selector::Glob("dgx-*".into()), Selector::Category("dgx-h100".into())] {
        let discovery = with(selector);
        let left: Vec<_> = discovery.findings.iter().filter(|finding| finding.code == "nodes.left-out").collect();
        assert_eq!(left.len(), 1, "{:?}", codes(&discovery.findings));
        assert_eq!((left[0].severity, left[0].subject.as_str()), (Severity::Warning, "nodes.workers[0]"));
        for part in ["dgx-07 (LiteNode)", "dgx-08 (CloudNode)"] {
            assert!(left[0].message.contains(part), "{}", left[0].message);
        }
    }
    let everything = found(|desired, _| desired.nodes.workers = vec![Selector::Glob("*".into())]);
    let head = everything.findings.iter().find(|finding| finding.code == "nodes.left-out").unwrap();
    assert_eq!(head.severity, Severity::Info, "nobody expects the head node in the cluster");
}

#[test]
fn an_address_that_is_none_is_told_since_no_clash_with_it_can_be_seen() {
    let seen = found(|_, inventory| {
        let node = inventory.nodes.iter_mut().find(|node| node.name == "dgx-06").unwrap();
        node.interfaces[0].address = "10.184.162.1O4".into();
    });
    let told: Vec<&Finding> = seen.findings.iter().filter(|one| one.code == "bcm.address-unreadable").collect();
    assert_eq!((told.len(), told[0].severity, told[0].evidence.len()), (1, Severity::Warning, 1), "{told:?}");
    assert!(told[0].evidence[0].starts_with("dgx-06 ") && told[0].evidence[0].contains("`10.184.162.1O4`"), "{told:?}");
}

#[test]
fn a_production_network_by_name_is_judged_like_a_range() {
    let pods = found(|desired, _| {
        named(desired);
        desired.kubernetes.pods = Some("10.184.162.128/25".parse().unwrap());
    });
    assert!(errors(&pods).contains(&("site.networks-overlap", "kubernetes.network.pods")));
    let forbidden = found(|desired, _| {
        named(desired);
        desired.networks.forbidden = vec!["10.184.0.0/16".parse().unwrap()];
    });
    assert!(errors(&forbidden).contains(&("site.networks-overlap", "networks.forbidden[0]")));
    let vip = |last: [u8; 4]| {
        found(move |desired, _| {
            named(desired);
            desired.kubernetes.endpoint = ApiEndpoint::KubeVip { address: last.into(), interface: None };
        })
    };
    let path = "kubernetes.api.endpoint.kubeVip.address";
    assert_eq!(errors(&vip([10, 184, 162, 255])), [("site.address-edge", path)]);
    assert_eq!(errors(&vip([10, 184, 163, 9])), [("site.address-outside", path)]);
    assert_eq!(errors(&vip([10, 184, 162, 1])), [("kubernetes.announced-in-use", path)], "the gateway");
    assert_eq!(errors(&vip([10, 184, 162, 222])), []);
    let balanced = found(|desired, _| {
        named(desired);
        desired.platform.load_balancer = vec!["10.184.162.192/26".into()];
    });
    assert!(errors(&balanced).contains(&("site.address-edge", "platform.loadBalancer.addresses[0]")));
}

#[test]
fn the_range_of_a_named_production_network_goes_past_the_proxy() {
    let mut desired = site::basepod();
    named(&mut desired);
    desired.kubernetes.proxy =
        Some(WebProxy { http: None, https: Some("http://proxy:3128".into()), no_proxy: Vec::new() });
    let (cluster, _) = Cluster::new(&desired, &discover(&desired, &data::basepod()));
    let catalog = Catalog::embedded().unwrap();
    let engine = plinth_plan::catalog::Components::kubespray(&catalog, &desired).unwrap();
    let (vars, _) = kubespray::group_vars(&desired, &cluster, &engine);
    assert_eq!(vars["additional_no_proxy"], "10.184.162.0/24,bcm-head-01.eth.cluster");
}

#[test]
fn packets_are_held_against_the_network_of_bcm() {
    let with = |mtu: u32, network: u32| {
        let discovery = found(move |desired, inventory| {
            desired.kubernetes.mtu = Some(mtu);
            inventory.networks[0].mtu = network;
        });
        discovery.findings.iter().find(|finding| finding.code == "kubernetes.mtu").map(|finding| finding.severity)
    };
    assert_eq!(with(8950, 1500), Some(Severity::Error));
    assert_eq!(with(1501, 1500), Some(Severity::Error));
    assert_eq!(with(1500, 1500), Some(Severity::Warning));
    assert_eq!(with(1451, 1500), Some(Severity::Warning));
    assert_eq!(with(1450, 1500), None);
    assert_eq!(with(8950, 9000), None);
}

#[test]
fn more_nodes_from_bcm_than_the_pod_range_has_parts() {
    let with = |pods: &str, prefix: u8| {
        let discovery = found(|desired, _| {
            desired.kubernetes.pods = Some(pods.parse().unwrap());
            desired.kubernetes.node_prefix = prefix;
        });
        errors(&discovery).iter().map(|(code, _)| (*code).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with("172.29.0.0/22", 24), ["site.pod-capacity"], "five nodes, four parts");
    assert_eq!(with("172.29.0.0/22", 25), Vec::<String>::new());
}

/// The codes of what is said of one variable of the site.
fn said_of(name: &str, value: serde_json::Value) -> String {
    let mut desired = site::basepod();
    desired.platform.load_balancer = vec!["10.184.162.200-10.184.162.210".into()];
    desired.kubernetes.extra_vars.insert(name.into(), value);
    let (cluster, _) = Cluster::new(&desired, &discover(&desired, &data::basepod()));
    let engine = plinth_plan::catalog::Components::kubespray(&Catalog::embedded().unwrap(), &desired).unwrap();
    let (_, findings) = kubespray::group_vars(&desired, &cluster, &engine);
    codes(&findings).join(" ")
}

#[test]
fn variables_of_the_site_cannot_undo_what_plinth_stands_on() {
    let refused = [
        ("kube_version", json!("v1.29.0")),
        ("kube_override_hostname", json!("{{ ansible_fqdn }}")),
        ("ansible_user", json!("root")),
        ("ansible_ssh_private_key_file", json!("/root/.ssh/id_rsa")),
        ("ansible_become", json!(false)),
        ("kube_apiserver_port", json!(8443)),
        ("etcd_deployment_type", json!("kubeadm")),
        ("container_manager", json!("crio")),
        ("kube_pods_subnet", json!("10.184.162.0/24")),
        ("kube_service_addresses", json!("10.0.0.0/8")),
        ("kube_network_plugin", json!("cilium")),
        ("kube_vip_services_enabled", json!(true)),
        ("kube_vip_enabled", json!(true)),
        ("calico_veth_mtu", json!(9000)),
        ("etcd_data_dir", json!("/data/etcd")),
        ("etcd_cert_dir", json!("/data/etcd")),
        ("kube_manifest_dir", json!("/data/manifests")),
        ("bin_dir", json!("/opt/bin")),
        ("kubelet_custom_flags", json!(["--hostname-override=x"])),
        ("kubelet_config_extra_args", json!({"clusterDNS": ["10.0.0.9"]})),
        ("kubelet_address", json!("0.0.0.0")),
        ("etcd_address", json!("0.0.0.0")),
        ("kube_apiserver_access_address", json!("10.0.0.9")),
        ("first_kube_control_plane", json!("cpu-03")),
        ("dns_domain", json!("example.com")),
        ("cluster_name", json!("bcm-k8s-cluster")),
        ("skydns_server", json!("10.0.0.9")),
        ("nodelocaldns_ip", json!("169.254.25.11")),
        ("manual_dns_server", json!("10.0.0.9")),
        ("override_system_hostname", json!(true)),
        ("calico_ip_auto_method", json!("first-found")),
        ("kube_proxy_strict_arp", json!(false)),
        ("supplementary_addresses_in_ssl_keys", json!(["x.example.com"])),
    ];
    for (name, value) in refused {
        assert_eq!(said_of(name, value), "kubernetes.extra-var-own", "{name}");
    }
    let fine = [
        ("etcd_deployment_type", json!("host")),
        ("container_manager", json!("containerd")),
        ("kube_apiserver_port", json!(6443)),
        ("kube_pods_subnet", json!("172.29.0.0/16")),
        ("kube_vip_services_enabled", json!(false)),
        ("ansible_ssh_timeout", json!(30)),
        ("ansible_remote_tmp", json!("/var/tmp/ansible")),
        ("etcd_data_dir", json!("/var/lib/etcd/")),
        ("cluster_name", json!("cluster.local")),
        ("kubelet_custom_flags", json!(["--v=2"])),
        ("kubelet_image_gc_high_threshold", json!(80)),
    ];
    for (name, value) in fine {
        assert_eq!(said_of(name, value), "", "{name}");
    }
}

#[test]
fn variables_of_the_site_change_neither_nodes_nor_the_way_onto_them() {
    for (name, value) in [
        ("ip", json!("10.0.0.9")),
        ("access_ip", json!("10.0.0.9")),
        ("etcd_member_name", json!("etcd-x")),
        ("node_labels", json!({"a": "b"})),
        ("node_taints", json!(["a=b:NoSchedule"])),
        ("ansible_host_key_checking", json!(false)),
        ("ansible_ssh_host_key_checking", json!(false)),
        ("ansible_become_exe", json!("/tmp/x")),
        ("ansible_become_flags", json!("-n")),
        ("ansible_remote_user", json!("root")),
        ("ansible_sftp_extra_args", json!("-o x")),
        ("ansible_control_path", json!("/tmp/x")),
        ("ansible_shell_executable", json!("/tmp/x")),
        ("ansible_a_variable_of_next_year", json!(1)),
        ("ansible_default_ipv4", json!({"address": "10.0.0.9"})),
    ] {
        assert_eq!(said_of(name, value), "kubernetes.extra-var-own", "{name}");
    }
    for name in ["ansible_become_pass", "ansible_sudo_pass", "kubeadm_certificate_key"] {
        assert!(said_of(name, json!("hunter2")).contains("kubernetes.extra-var-secret"), "{name}");
    }
}

#[test]
fn a_mirror_behind_the_interface_is_asked_as_it_is() {
    let mut desired = site::basepod();
    desired.registries.mirrors = vec![plinth_model::steps::Mirror {
        registry: "docker.io".into(),
        endpoints: vec!["https://harbor.example.com/v2/hub".into(), "https://mirror.example.com".into()],
    }];
    let (cluster, _) = Cluster::new(&desired, &discover(&desired, &data::basepod()));
    let engine = plinth_plan::catalog::Components::kubespray(&Catalog::embedded().unwrap(), &desired).unwrap();
    let (vars, _) = kubespray::group_vars(&desired, &cluster, &engine);
    let mirrors = &vars["containerd_registries_mirrors"][0]["mirrors"];
    assert_eq!(mirrors[0]["override_path"], true);
    assert_eq!(mirrors[1].get("override_path"), None);
}
