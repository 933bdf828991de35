//! What comparing plans with the real charts brought to light: facts that the catalog's values stand on, and what plans say.

use crate::fixture::{codes, inventory as data, planned, site, unseen};
use plinth_catalog::{Catalog, Facts};
use plinth_model::inventory::Inventory;
use plinth_model::{Finding, NodeName, Severity, StepId};
use plinth_plan::{Cluster, Observed, discover, plan, static_inventory};
use plinth_site::Desired;
use plinth_site::desired::{Engine, Infiniband, InventorySource, NodeOverride};
use serde_json::{Value, json};
use std::path::Path;

fn inventory(desired: &Desired) -> Inventory {
    match &desired.inventory {
        InventorySource::Static(nodes) => static_inventory(nodes),
        InventorySource::Bcm(_) => data::basepod(),
    }
}

fn facts(desired: &Desired) -> Facts {
    let (cluster, _) = Cluster::new(desired, &discover(desired, &inventory(desired)));
    plinth_plan::facts::facts(desired, &cluster)
}

fn example(name: &str) -> Desired {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    plinth_site::load(&file).unwrap().desired
}

fn tainted(desired: &mut Desired, node: &str, taints: &[&str]) {
    let taints = taints.iter().map(|taint| (*taint).to_owned()).collect();
    let over = NodeOverride { taints, ..NodeOverride::default() };
    desired.nodes.overrides.insert(NodeName::new(node).unwrap(), over);
}

/// Findings of a plan with the real catalog, whether there is a plan or not.
fn findings(desired: &Desired) -> Vec<Finding> {
    match plan(desired, &Observed::new(inventory(desired)), &Catalog::embedded().unwrap()) {
        Ok(plan) => plan.findings,
        Err(findings) => findings,
    }
}

fn of<'a>(findings: &'a [Finding], code: &str) -> Vec<&'a Finding> {
    findings.iter().filter(|finding| finding.code == code).collect()
}

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

#[test]
fn taints_of_nodes_are_tolerated_by_what_runs_there() {
    let mut desired = site::basepod();
    assert_eq!(facts(&desired)["nodes.untainted"], json!(2), "the control plane has a taint of its own");
    tainted(&mut desired, "dgx-05", &["example.com/reserved=a:NoSchedule"]);
    tainted(&mut desired, "dgx-06", &["nvidia.com/gpu=present:NoSchedule", "slow:PreferNoSchedule"]);
    tainted(&mut desired, "cpu-03", &["dedicated=infra:NoExecute"]);
    let facts = facts(&desired);
    let keys = |name: &str| -> Vec<String> {
        let list = facts[name].as_array().unwrap();
        list.iter().map(|toleration| toleration["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(facts["nodes.untainted"], json!(0));
    assert_eq!(keys("system.tolerations"), [CONTROL_PLANE, "dedicated"], "system services are on the control plane");
    assert_eq!(keys("gpu.tolerations"), ["example.com/reserved", "nvidia.com/gpu", "slow"]);
    let all = [CONTROL_PLANE, "nvidia.com/gpu", "dedicated", "example.com/reserved", "nvidia.com/gpu", "slow"];
    assert_eq!(keys("nodes.tolerations"), all);
    tainted(&mut desired, "dgx-06", &["slow:PreferNoSchedule"]);
    assert_eq!(self::facts(&desired)["nodes.untainted"], json!(1), "a wish keeps nobody off");
}

/// The credential is not known before the registration, and pods of the release read it when they begin.
#[test]
fn the_secret_of_the_cluster_part_comes_between_registration_and_release() {
    let mut desired = site::basepod();
    desired.runai.as_mut().unwrap().version = "2.25.10".parse().unwrap();
    desired.kubernetes.version = Some("v1.33.5".parse().unwrap());
    let plan = plan(&desired, &Observed::new(inventory(&desired)), &Catalog::embedded().unwrap()).unwrap();
    let needs = |id: &str| -> Vec<&str> {
        let step = plan.steps.iter().find(|step| step.id.as_str() == id).unwrap_or_else(|| panic!("{id}"));
        step.needs.iter().map(StepId::as_str).collect()
    };
    let (register, secret) = ("runai/register/bcm-gpu-cluster", "platform/secret/runai.runai-cluster-credential");
    assert_eq!(needs(secret), ["platform/namespace/runai", register]);
    let release = needs("platform/release/runai-cluster");
    assert!(release.contains(&secret) && release.contains(&register), "{release:?}");
    let grafana = "platform/secret/prometheus.grafana-admin";
    assert!(needs("platform/release/kube-prometheus-stack").contains(&grafana));
}

#[test]
fn a_node_that_is_both_has_no_taint() {
    let mut desired = site::basepod();
    desired.nodes.workers.extend(site::names(&["cpu-03"]));
    assert_eq!(facts(&desired)["nodes.untainted"], json!(3));
}

#[test]
fn a_site_whose_nodes_are_all_tainted_has_a_plan() {
    let mut desired = site::basepod();
    for node in ["dgx-05", "dgx-06"] {
        tainted(&mut desired, node, &["nvidia.com/gpu=present:NoSchedule"]);
    }
    let found = findings(&desired);
    assert!(found.iter().all(|finding| !finding.is_error()), "{found:#?}");
    let knative = desired.platform.components.entry("knative-operator".into()).or_default();
    knative.version = Some("v1.16.0".parse().unwrap());
    let refused = findings(&desired);
    let errors: Vec<&str> = refused.iter().filter(|f| f.is_error()).map(|f| f.code.as_str()).collect();
    assert_eq!(errors, ["platform.not-schedulable"], "{refused:#?}");
}

#[test]
fn metrics_are_what_the_engine_binds_and_the_site_changes() {
    let of = |change: fn(&mut Desired)| {
        let mut desired = site::basepod();
        change(&mut desired);
        let facts = facts(&desired);
        ["scheduler", "controllerManager", "proxy", "etcd"].map(|part| facts[&format!("metrics.{part}")].clone())
    };
    fn set(desired: &mut Desired, name: &str, value: Value) {
        desired.kubernetes.extra_vars.insert(name.into(), value);
    }
    assert_eq!(of(|_| ()), [json!(true), json!(true), json!(false), json!(false)]);
    let other = of(|desired| {
        set(desired, "kube_scheduler_bind_address", json!("127.0.0.1"));
        set(desired, "kube_proxy_metrics_bind_address", json!("0.0.0.0:10249"));
        set(desired, "etcd_metrics_port", json!(2381));
    });
    assert_eq!(other, [json!(false), json!(true), json!(true), json!(true)]);
    let unknown = of(|desired| desired.kubernetes.engine = Engine::Existing);
    assert_eq!(unknown, [const { Value::Null }; 4]);
}

#[test]
fn the_address_of_the_ingress_is_none_of_the_others() {
    let others = |addresses: &[&str], ingress: Option<&str>| {
        let mut desired = site::basepod();
        desired.platform.load_balancer = addresses.iter().map(|one| (*one).to_owned()).collect();
        desired.platform.ingress.address = ingress.map(|one| one.parse().unwrap());
        facts(&desired)["loadBalancer.others"].clone()
    };
    assert_eq!(others(&["192.0.2.5/32"], None), json!([]));
    assert_eq!(others(&["192.0.2.0/28"], None), json!(["192.0.2.0/32", "192.0.2.2-192.0.2.15"]));
    assert_eq!(others(&["192.0.2.8-192.0.2.9"], Some("192.0.2.9")), json!(["192.0.2.8/32"]));
    assert_eq!(others(&["192.0.2.5/32", "192.0.2.16/28"], Some("192.0.2.5")), json!(["192.0.2.16/28"]));
    assert_eq!(
        others(&["192.0.2.5/32", "192.0.2.16/28"], Some("192.0.2.20")),
        json!(["192.0.2.5/32", "192.0.2.16-192.0.2.19", "192.0.2.21-192.0.2.31"])
    );
    assert_eq!(others(&["192.0.2.16/28"], Some("198.51.100.1")), json!(["192.0.2.16/28"]));
    assert_eq!(others(&[], None), json!([]));
}

#[test]
fn one_address_leaves_none_to_spare() {
    let spare = |addresses: &[&str]| {
        let mut desired = site::basepod();
        desired.platform.load_balancer = addresses.iter().map(|one| (*one).to_owned()).collect();
        facts(&desired)["loadBalancer.spare"].clone()
    };
    assert_eq!(spare(&["192.0.2.5/32"]), json!(false));
    assert_eq!(spare(&["192.0.2.5-192.0.2.5"]), json!(false));
    assert_eq!(spare(&["192.0.2.5/32", "192.0.2.9/32"]), json!(true));
    assert_eq!(spare(&["192.0.2.0/24"]), json!(true));
    assert_eq!(spare(&[]), json!(false));
}

#[test]
fn an_air_gapped_site_hears_of_images_that_no_mirror_has() {
    let mut desired = example("airgapped.yaml");
    let code = "platform.images-not-mirrored";
    let open = |desired: &Desired| -> Vec<Finding> {
        let (cluster, _) = Cluster::new(desired, &discover(desired, &data::basepod()));
        let resolution = Catalog::embedded().unwrap().resolve(desired, &plinth_plan::facts::facts(desired, &cluster));
        plinth_plan::unmirrored(desired, &resolution)
    };
    assert_eq!(open(&desired), [], "the example has a mirror for every registry");
    desired.registries.mirrors.retain(|mirror| mirror.registry != "gcr.io");
    let found = open(&desired);
    assert_eq!(codes(&found), [code]);
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(found[0].message.contains("gcr.io") && found[0].evidence.len() == 11, "{found:#?}");
    desired.runai.as_mut().unwrap().source = plinth_site::desired::ArtifactSource::Jfrog;
    assert_eq!(open(&desired), [], "only without the internet");
}

#[test]
fn gpus_that_are_cut_into_kinds_are_not_asked_for_whole_ones() {
    let checks = |mig: &str| {
        let mut desired = site::basepod();
        desired.platform.gpu.mig = mig.to_owned();
        let plan = planned(&desired, &unseen(data::basepod()));
        plan.steps.iter().filter(|step| step.id.as_str().starts_with("checks/gpu-pod/")).count()
    };
    assert_eq!((checks("none"), checks("single"), checks("mixed")), (2, 2, 0));
}

#[test]
fn a_label_of_a_node_says_how_its_gpus_are_cut() {
    let mut desired = site::basepod();
    desired.platform.gpu.mig = "single".to_owned();
    assert_eq!(facts(&desired)["gpu.migLabelled"], json!(0));
    let labels = [("nvidia.com/mig.config".to_owned(), "all-1g.10gb".to_owned())].into_iter().collect();
    let over = NodeOverride { labels, ..NodeOverride::default() };
    desired.nodes.overrides.insert(NodeName::new("dgx-05").unwrap(), over);
    assert_eq!(facts(&desired)["gpu.migLabelled"], json!(1));
}

#[test]
fn infiniband_of_the_site_reaches_the_objects() {
    let mut desired = site::basepod();
    assert_eq!(facts(&desired)["infiniband.wanted"], json!(false));
    desired.platform.infiniband = Some(Infiniband {
        model: None,
        interfaces: vec!["ib0".into(), "ib1".into()],
        addresses: "192.168.0.0/16".parse().unwrap(),
        virtual_functions: 4,
        max_unavailable: 2,
    });
    let resolution = Catalog::embedded().unwrap().resolve(&desired, &facts(&desired));
    let operator = resolution.components.iter().find(|c| c.name == "network-operator").unwrap();
    let of_kind = |kind: &str| operator.all_objects().filter(|o| o["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of_kind("SriovNetworkPoolConfig")[0]["spec"]["maxUnavailable"], json!(2));
    assert_eq!(of_kind("SriovNetworkNodePolicy").len(), 2);
    assert_eq!(of_kind("SriovNetworkNodePolicy")[1]["spec"]["numVfs"], json!(4));
    assert_eq!(of_kind("IPPool")[1]["spec"]["subnet"], json!("192.168.128.0/17"));
    assert_eq!(of(&findings(&desired), "platform.nodes-restart").len(), 1);
}

#[test]
fn examples_have_plans_with_the_real_catalog() {
    for name in ["basepod.yaml", "static.yaml", "cluster-settings.yaml", "no-runai.yaml"] {
        let desired = example(name);
        if matches!(desired.inventory, InventorySource::Bcm(_)) && name != "basepod.yaml" {
            continue;
        }
        let found = findings(&desired);
        assert!(found.iter().all(|finding| !finding.is_error()), "{name}: {found:#?}");
    }
}
