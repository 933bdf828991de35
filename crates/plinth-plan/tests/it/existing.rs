//! A cluster that is already there.

use crate::fixture::catalog::Shelf;
use crate::fixture::{inventory as data, planned, site};
use plinth_catalog::Catalog;
use plinth_model::steps::Removal;
use plinth_model::{
    DefaultClass, EngineRecord, Finding, InstalledChange, NodeName, Parts, Plan, ReleaseName, Severity, Work,
};
use plinth_plan::Observed;
use plinth_site::Desired;
use plinth_site::desired::Engine;
use serde_json::json;
use std::collections::BTreeSet;

fn desired() -> Desired {
    let mut desired = site::basepod();
    let kubernetes = &mut desired.kubernetes;
    kubernetes.engine = Engine::Existing;
    kubernetes.kubeconfig = Some("admin.conf".into());
    (kubernetes.version, kubernetes.pods, kubernetes.services) = (None, None, None);
    desired
}

fn observed() -> Observed {
    Observed::new(data::basepod())
}

fn kinds(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.work.kind()).collect()
}

#[test]
fn no_node_is_touched_and_the_rest_is_as_ever() {
    let plan = planned(&desired(), &observed());
    assert!(plan.gates.is_empty());
    let on_nodes = |kind: &&str| kind.starts_with("node.") || kind.starts_with("kubespray.");
    assert_eq!(kinds(&plan).into_iter().filter(on_nodes).collect::<Vec<_>>(), Vec::<&str>::new());
    for kind in ["existing.take-over", "kubernetes.labels", "kubernetes.ready", "kubernetes.dns", "platform.release"] {
        assert!(kinds(&plan).contains(&kind), "{kind}");
    }
    assert!(!kinds(&plan).contains(&"kubernetes.gpu-runtime"), "nobody wrote containerd's settings");
    assert!(plinth_plan::visits(&desired(), &cluster(&desired())).is_empty());
    let health = plan.steps.iter().find_map(|step| match &step.work {
        Work::ControlPlane(health) => Some(health),
        _ => None,
    });
    assert!(health.unwrap().targets.is_empty() && health.unwrap().etcd.is_empty(), "etcd is asked over SSH only");
}

fn cluster(desired: &Desired) -> plinth_plan::Cluster {
    plinth_plan::Cluster::new(desired, &plinth_plan::discover(desired, &data::basepod())).0
}

#[test]
fn everything_waits_for_the_kubeconfig() {
    let plan = planned(&desired(), &observed());
    let id = plan.steps.iter().find(|step| step.work.kind() == "existing.take-over").unwrap().id.clone();
    assert_eq!(id.as_str(), "kubernetes/kubeconfig/basepod-a");
    let labels = plan.steps.iter().find(|step| step.work.kind() == "kubernetes.labels").unwrap();
    assert_eq!(labels.needs, [id]);
}

#[test]
fn without_run_ai_the_platform_waits_for_the_clusters_health() {
    let mut desired = desired();
    desired.runai = None;
    let plan = planned(&desired, &observed());
    let join = "kubernetes/dns/kubernetes.default.svc.cluster.local";
    let dns = plan.steps.iter().find(|step| step.id.as_str() == join).unwrap();
    let Work::ClusterDns(dns) = &dns.work else { panic!("{dns:?}") };
    assert!(dns.address.is_none() && dns.own, "no name has an address that is known; a former one of plinth's goes");
    let release = plan.steps.iter().find(|step| step.work.kind() == "platform.release").unwrap();
    assert!(release.needs.iter().any(|need| need.as_str() == join));
}

#[test]
fn the_version_is_the_sites_or_the_records_and_only_the_sites_is_demanded() {
    let ready = |plan: &Plan| {
        plan.steps.iter().find_map(|step| match &step.work {
            Work::NodeReady(ready) => Some(ready.version.clone()),
            _ => None,
        })
    };
    let take_over = |plan: &Plan| {
        plan.steps.iter().find_map(|step| match &step.work {
            Work::TakeOver(take) => Some(take.version.clone()),
            _ => None,
        })
    };
    let code = |plan: &Plan| plan.findings.iter().any(|f| f.code.as_str() == "kubernetes.version-not-known");
    let first = planned(&desired(), &observed());
    assert!(ready(&first) == Some(None) && take_over(&first) == Some(None) && code(&first));
    let version: plinth_model::Version = "v1.31.9".parse().unwrap();
    let record = json!({
        "engine": "existing", "server": "https://10.0.0.1:6443", "kubernetes": "v1.31.9", "at": "2026-11-29T12:00:00Z"
    });
    let record: EngineRecord = serde_json::from_value(record).unwrap();
    let known = planned(&desired(), &Observed { engine: Some(record), ..observed() });
    assert_eq!(ready(&known), Some(Some(version.clone())));
    assert!(take_over(&known) == Some(None) && !code(&known), "the cluster may be upgraded by its owner");
    let mut named = desired();
    named.kubernetes.version = Some(version.clone());
    assert_eq!(take_over(&planned(&named, &observed())), Some(Some(version)));
}

#[test]
fn what_was_not_installed_is_not_removed_and_not_recovered() {
    let refused = |found: Result<Plan, Vec<Finding>>| {
        let found = found.unwrap_err();
        assert_eq!(found.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["kubernetes.not-ours"]);
        assert!(found[0].severity == Severity::Error && !found[0].fix.is_empty());
    };
    let (desired, observed, shelf) = (desired(), observed(), Shelf::default());
    refused(plinth_plan::removal(&desired, &observed, &shelf, &Removal::All));
    let broken = [NodeName::new("cpu-03").unwrap()];
    refused(plinth_plan::recovery(&desired, &observed, &shelf, &broken));
}

/// What is the default there decides.
#[test]
fn a_default_class_that_was_there_first_stays_the_only_one() {
    let marked = |observed: &Observed| {
        let mut desired = desired();
        desired.kubernetes.version = Some("v1.31.9".parse().unwrap());
        let plan = plinth_plan::plan(&desired, observed, &Catalog::embedded().unwrap()).unwrap();
        plan.steps.iter().find_map(|step| match &step.work {
            Work::HelmRelease(of) if of.release.component == "local-path-provisioner" => {
                Some(of.release.values["storageClass"]["defaultClass"].clone())
            }
            _ => None,
        })
    };
    let class = |name: &str, release: Option<ReleaseName>| DefaultClass { name: name.to_owned(), release };
    let with = |classes: Vec<DefaultClass>| Observed { classes, ..observed() };
    assert_eq!(marked(&observed()), Some(json!(true)));
    assert_eq!(marked(&with(vec![class("nfs", None)])), Some(json!(false)));
    // By the journal, also where the component was moved to another namespace since.
    let before = ReleaseName { namespace: "volumes".to_owned(), name: "local-path-provisioner".to_owned() };
    let mut ours = with(vec![class("local-path", Some(before.clone()))]);
    assert_eq!(marked(&ours), Some(json!(false)), "somebody else's");
    let component = "local-path-provisioner".to_owned();
    let parts = Parts { component, releases: [before].into(), objects: BTreeSet::new() };
    ours.installed.take(&InstalledChange::Brings(parts));
    assert_eq!(marked(&ours), Some(json!(true)));
}
