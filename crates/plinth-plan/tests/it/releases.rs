//! Variables of every release line, as golden files, and the proof that each of them is known to the release.

use crate::fixture::catalog::{Shelf, engine};
use crate::fixture::{inventory as data, site};
use plinth_catalog::Catalog;
use plinth_model::NodeName;
use plinth_model::inventory::Inventory;
use plinth_plan::catalog::{Components, KubesprayChoice};
use plinth_plan::{Cluster, discover, kubespray, static_inventory};
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, Calico, InventorySource, Reserved};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// One release of each line.
const LINES: [&str; 8] = ["v2.24.3", "v2.25.1", "v2.26.1", "v2.27.1", "v2.28.1", "v2.29.1", "v2.30.0", "v2.31.0"];

/// The example in which every setting has a value.
fn tuned() -> Desired {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cluster-settings.yaml");
    plinth_site::load(&file).unwrap().desired
}

fn rendered(desired: &Desired, engine: &KubesprayChoice) -> (Value, Value) {
    let inventory: Inventory = match &desired.inventory {
        InventorySource::Static(list) => static_inventory(list),
        InventorySource::Bcm(_) => data::basepod(),
    };
    let (mut cluster, findings) = Cluster::new(desired, &discover(desired, &inventory));
    assert_eq!(findings, []);
    cluster.add_role_labels(desired, &plinth_plan::Components::runai(&Shelf::default()).node_roles);
    let (vars, _) = kubespray::group_vars(desired, &cluster, engine);
    (vars, kubespray::inventory(desired, &cluster))
}

#[test]
fn every_line_has_its_variables() {
    for tag in LINES {
        let (vars, _) = rendered(&tuned(), &engine(tag));
        insta::assert_snapshot!(format!("tuned_{tag}"), kubespray::json(&vars));
    }
}

#[test]
fn a_site_with_bcm_and_another_without_differ_in_what_is_left_alone() {
    for tag in ["v2.24.3", "v2.31.0"] {
        let (vars, _) = rendered(&site::basepod(), &engine(tag));
        insta::assert_snapshot!(format!("basepod_{tag}"), kubespray::json(&vars));
    }
}

/// Sites that between them make the renderer write everything it can.
fn sites() -> Vec<Desired> {
    let mut balanced = tuned();
    balanced.kubernetes.endpoint = ApiEndpoint::LoadBalancer { address: [192, 0, 2, 99].into(), port: 443 };
    balanced.kubernetes.calico = Calico { typha: Some(0), ..Calico::default() };
    balanced.kubernetes.system_reserved = Reserved::default();
    balanced.kubernetes.kube_reserved =
        Reserved { ephemeral_storage: Some("1Gi".into()), pids: Some(100), ..Reserved::default() };
    balanced.kubernetes.downloads.images.insert("gcr.io".into(), "mirror.example.com/gcr".into());
    let oidc = balanced.kubernetes.oidc.as_mut().unwrap();
    oidc.username_prefix = Some("-".into());
    let mut flannel = site::basepod();
    flannel.kubernetes.plugin = "flannel".into();
    flannel.kubernetes.node_dns_cache = false;
    flannel.storage.images = plinth_model::HostPath::fixed("/data/containerd");
    flannel.registries.mirrors.push(plinth_model::steps::Mirror {
        registry: "docker.io".into(),
        endpoints: vec!["https://mirror.example.com".into()],
    });
    let special = plinth_site::desired::NodeOverride {
        labels: [("rack".to_owned(), "r7".to_owned())].into_iter().collect(),
        taints: vec!["a=b:NoSchedule".into()],
        storage: Some(plinth_model::HostPath::fixed("/raid/containerd")),
        ..Default::default()
    };
    flannel.nodes.overrides.insert(NodeName::new("dgx-06").unwrap(), special);
    vec![tuned(), balanced, flannel, site::basepod(), site::large(60)]
}

/// Names of all variables: of the cluster, of all hosts, of each host.
fn names(site: &Desired, engine: &KubesprayChoice) -> BTreeSet<String> {
    let (vars, inventory) = rendered(site, engine);
    let all = inventory.pointer("/all/vars").unwrap();
    let hosts = inventory.pointer("/all/hosts").and_then(Value::as_object).unwrap();
    let maps = [&vars, all].into_iter().chain(hosts.values()).map(|vars| vars.as_object().unwrap());
    maps.flat_map(|vars| vars.keys().cloned()).collect()
}

#[test]
fn every_variable_we_can_write_is_known_to_the_release() {
    let catalog = Catalog::embedded().unwrap();
    let known = catalog.kubespray_names();
    for pin in &catalog.kubespray_pins().releases {
        let tag = pin.tag.as_str();
        let written: BTreeSet<String> = sites().iter().flat_map(|site| names(site, &engine(tag))).collect();
        assert!(written.len() > 40, "{tag}: only {written:?}");
        let ours = |name: &&String| !name.starts_with("ansible_");
        let unknown: Vec<&String> =
            written.iter().filter(ours).filter(|name| !known.knows(tag, name).unwrap()).collect();
        assert!(unknown.is_empty(), "Kubespray {tag} does not know {unknown:?}");
    }
}

/// What a site may replace, with a warning; an add-on has an error of its own. `kube_proxy_strict_arp` is refused on sites where it is written,
/// with a load balancer, and this one has none.
const REPLACEABLE: [&str; 18] = [
    "containerd_extra_args",
    "dl_k8s_io_url",
    "dns_etchosts",
    "docker_image_repo",
    "etcd_retries",
    "gcr_image_repo",
    "get_helm_url",
    "github_image_repo",
    "github_url",
    "kube_image_repo",
    "kube_proxy_strict_arp",
    "kube_reserved",
    "no_proxy_exclude_workers",
    "populate_inventory_to_hosts_file",
    "quay_image_repo",
    "resolvconf_mode",
    "storage_googleapis_url",
    "system_reserved",
];

/// Extra variables beat those of hosts and groups: whatever plinth writes on any site, with any release, is refused on every site.
#[test]
fn no_variable_that_we_can_write_is_written_over() {
    let pins = Catalog::embedded().unwrap();
    let tags = pins.kubespray_pins().releases.iter().map(|pin| pin.tag.clone());
    let mut sites = sites();
    // What the example itself gives is not ours.
    sites.iter_mut().for_each(|site| site.kubernetes.extra_vars.clear());
    let written: BTreeSet<String> = tags
        .flat_map(|tag| sites.iter().flat_map(|site| names(site, &engine(tag.as_str()))).collect::<Vec<_>>())
        .collect();
    assert!(written.contains("node_taints") && written.contains("access_ip"), "{written:?}");
    let (mut replaced, other) = (Vec::new(), serde_json::json!("another value"));
    for name in &written {
        let mut desired = site::basepod();
        desired.kubernetes.extra_vars.insert(name.clone(), other.clone());
        let (cluster, _) = Cluster::new(&desired, &discover(&desired, &data::basepod()));
        let (_, findings) = kubespray::group_vars(&desired, &cluster, &engine("v2.27.1"));
        let refused = findings.iter().any(|finding| finding.is_error() && finding.subject.ends_with(name.as_str()));
        if !refused {
            replaced.push(name.as_str());
        }
    }
    assert_eq!(replaced, REPLACEABLE);
}

#[test]
fn the_proof_can_fail() {
    let catalog = Catalog::embedded().unwrap();
    let known = catalog.kubespray_names();
    for name in ["kubelet_max_pod", "nginx_kube_apiserver_healthcheck_port", "kube_proxy_strict_arps"] {
        assert_eq!(known.knows("v2.27.1", name), Some(false), "{name}");
    }
    assert_eq!(known.knows("v2.26.1", "kube_master_memory_reserved"), Some(true));
    assert_eq!(known.knows("v2.27.1", "kube_master_memory_reserved"), Some(false));
    assert_eq!(known.knows("v2.28.1", "populate_inventory_to_hosts_file"), Some(true));
    assert_eq!(known.knows("v2.29.1", "populate_inventory_to_hosts_file"), Some(false));
}

#[test]
fn the_sites_own_variables_are_looked_up() {
    let catalog = Catalog::embedded().unwrap();
    let found = |tag: &str, name: &str, value: Value| {
        let mut desired = site::basepod();
        desired.kubernetes.extra_vars.insert(name.into(), value);
        let findings = Components::check_kubespray_vars(&catalog, &desired, &engine(tag).release);
        findings.first().map(|finding| format!("{}: {}", finding.code, finding.fix)).unwrap_or_default()
    };
    let said = found("v2.27.1", "kubelet_max_pod", 300.into());
    assert!(said.starts_with("kubernetes.extra-var-unknown") && said.contains("`kubelet_max_pods`"), "{said}");
    let said = found("v2.29.1", "calico_version", "v3.30.5".into());
    assert!(said.starts_with("kubernetes.part-version") && said.contains("`3.30.5`"), "{said}");
    let said = found("v2.27.1", "etcd_version", "v3.5.99".into());
    assert!(said.starts_with("kubernetes.part-version") && said.contains("`v3.5.21`"), "{said}");
    let mut brought = site::basepod();
    brought.kubernetes.extra_vars.insert("runc_version".into(), "9.9.9".into());
    brought.kubernetes.extra_vars.insert("runc_binary_checksum".into(), "a".repeat(64).into());
    assert_eq!(Components::check_kubespray_vars(&catalog, &brought, &engine("v2.27.1").release), []);
    for (tag, name, value) in [
        ("v2.27.1", "kubelet_max_pods", 300.into()),
        ("v2.27.1", "ansible_ssh_timeout", 30.into()),
        ("v2.29.1", "calico_version", "3.30.5".into()),
        ("v2.27.1", "calico_version", "v3.29.4".into()),
    ] {
        assert_eq!(found(tag, name, value), "", "{tag} {name}");
    }
}
