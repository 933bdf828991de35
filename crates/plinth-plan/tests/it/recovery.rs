use crate::fixture::catalog::Shelf;
use crate::fixture::{codes, inventory as data, site, unseen};
use plinth_model::plan::Plan;
use plinth_model::steps::Undo;
use plinth_model::steps::{KubesprayInventory, KubesprayRecovery};
use plinth_model::{Finding, NodeName, Work};
use plinth_plan::recovery;
use serde_json::Value;

fn planned(broken: &[&str]) -> Result<Plan, Vec<Finding>> {
    let broken: Vec<NodeName> = broken.iter().map(|name| NodeName::new(name).unwrap()).collect();
    recovery(&site::basepod(), &unseen(data::basepod()), &Shelf::default(), &broken)
}

fn inventory(plan: &Plan) -> Value {
    let files = plan.steps.iter().find_map(|step| match &step.work {
        Work::KubesprayInventory(KubesprayInventory { files }) => Some(files),
        _ => None,
    });
    serde_json::from_str(&files.unwrap()[plinth_plan::kubespray::INVENTORY]).unwrap()
}

fn group(inventory: &Value, name: &str) -> Vec<String> {
    let hosts = inventory.pointer(&format!("/all/children/{name}/hosts")).unwrap();
    hosts.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn survivors_stand_first_and_workers_are_left_alone() {
    let plan = planned(&["cpu-03"]).unwrap();
    let inventory = inventory(&plan);
    for name in ["kube_control_plane", "etcd"] {
        assert_eq!(group(&inventory, name), ["cpu-05", "cpu-06", "cpu-03"], "{name}");
    }
    for name in ["broken_etcd", "broken_kube_control_plane"] {
        assert_eq!(group(&inventory, name), ["cpu-03"], "{name}");
    }
    assert_eq!(group(&inventory, "kube_node"), ["dgx-05", "dgx-06"], "they stay in the cluster");
    let worker = inventory.pointer("/all/hosts/dgx-05").unwrap();
    assert_eq!(
        (&worker["main_access_ip"], &worker["main_ips"][0]),
        (&worker["ip"], &worker["ip"]),
        "facts it is not asked for"
    );
    let on_workers: Vec<_> = plan.steps.iter().filter(|step| step.id.as_str().contains("dgx-")).collect();
    assert!(on_workers.is_empty(), "{on_workers:?}");
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    for id in
        ["nodes/prepare/cpu-03", "nodes/downloads/cpu-03", "kubernetes/ready/cpu-03", "kubernetes/health/basepod-a"]
    {
        assert!(ids.contains(&id), "{id} is not in {ids:?}");
    }
}

#[test]
fn afterwards_the_cluster_is_recorded_as_the_site_has_it() {
    let plan = planned(&["cpu-03"]).unwrap();
    let step = plan.steps.iter().find(|step| step.id.as_str() == "kubernetes/recovery/basepod-a").unwrap();
    assert!(step.work.destroys().is_some() && matches!(step.work.properties().undo, Undo::OneWay(_)));
    let Work::KubesprayRecovery(KubesprayRecovery { targets, broken, parts, .. }) = &step.work else {
        panic!("{step:?}")
    };
    assert_eq!((targets.len(), broken.len()), (5, 1));
    assert_eq!(parts.first_of("kube_control_plane").unwrap().as_str(), "cpu-03");
    assert!(parts.hosts.values().all(|host| !host.is_in("broken_etcd")));
}

#[test]
fn who_cannot_be_recovered_is_told_before_anything_is_done() {
    let told = |broken: &[&str]| planned(broken).unwrap_err();
    assert_eq!(codes(&told(&["dgx-77", "dgx-05"])), ["kubespray.recover-unknown", "kubespray.recover-worker"]);
    assert_eq!(codes(&told(&["cpu-03", "cpu-05", "cpu-06"])), ["kubespray.none-survived"]);
    assert!(planned(&["cpu-03", "cpu-05"]).is_ok(), "one is enough");
}
