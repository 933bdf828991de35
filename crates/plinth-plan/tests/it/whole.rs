//! The real site reader, the real catalog and the planner together: what they agree on is a contract.

use crate::fixture::{inventory as data, unseen};
use plinth_catalog::Catalog;
use plinth_model::Work;
use plinth_model::plan::Plan;
use plinth_model::steps::{Certificate, HelmRelease, KubeSecret, RunaiRegister};
use plinth_plan::lint::lint;
use plinth_plan::{StepObservation, plan};
use std::path::Path;

const SITE: &str = r#"
apiVersion: plinth/v1
kind: Site
metadata: {name: basepod-a}
inventory:
  bcm: {endpoint: "https://bcm-head-01:8081", username: {env: BCM_USERNAME}, password: {env: BCM_PASSWORD}, tls: {caFile: bcm-ca.pem}}
networks:
  production: 10.184.162.0/24
  forbidden: [10.229.10.0/24]
nodes:
  controlPlane: [cpu-03, cpu-05, cpu-06]
  workers: [dgx-05, dgx-06]
  gpu: [dgx-*]
access:
  bootstrap: {user: ibm, password: {env: BOOTSTRAP_PASSWORD}}
  account: {name: ansiblebcm, uid: 60000, gid: 60000}
kubernetes:
  engine: kubespray
  version: v1.31.9
  network: {plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}
platform:
  ingress: {http: 30080, https: 30443}
runai:
  version: "2.21"
  domain: bcm-head-01.eth.cluster
  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}
  admin: {email: admin@example.com, password: {env: RUNAI_ADMIN_PASSWORD}}
  cluster: {name: bcm-gpu-cluster}
"#;

fn planned_from(text: &str) -> Plan {
    let site = plinth_site::parse(text, Path::new("site.yaml")).unwrap_or_else(|r| panic!("{:#?}", r.findings));
    let observed = unseen(data::basepod());
    plan(&site.desired, &observed, &Catalog::embedded().unwrap()).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn planned(done: bool) -> Plan {
    let site =
        plinth_site::parse(SITE.as_bytes(), Path::new("site.yaml")).unwrap_or_else(|r| panic!("{:#?}", r.findings));
    let catalog = Catalog::embedded().unwrap();
    let mut observed = unseen(data::basepod());
    let first = plan(&site.desired, &observed, &catalog).unwrap_or_else(|findings| panic!("{findings:#?}"));
    if !done {
        return first;
    }
    observed.steps = first.steps.iter().map(|s| (s.id.clone(), StepObservation::Done)).collect();
    plan(&site.desired, &observed, &catalog).unwrap()
}

#[test]
fn the_example_site_and_the_embedded_catalog_make_a_sound_plan() {
    let plan = planned(false);
    assert_eq!(lint(&plan), []);
    let ids: Vec<&str> = plan.steps.iter().map(|s| s.id.as_str()).collect();
    for id in [
        "bcm/identity/bcm-head-01",
        "kubernetes/deploy/basepod-a",
        "kubernetes/dns/bcm-head-01.eth.cluster",
        "platform/release/gpu-operator",
        "platform/objects/knative-operator",
        "platform/release/runai-control-plane",
        "runai/register/bcm-gpu-cluster",
        "platform/release/runai-cluster",
        "checks/gpu-pod/dgx-05",
        "checks/runai/bcm-gpu-cluster",
    ] {
        assert!(ids.contains(&id), "{id} is not among {ids:#?}");
    }
    assert_eq!(planned(true).pending(), 0);
}

#[test]
fn secrets_follow_the_control_plane_into_another_namespace() {
    let text = SITE.replace("platform:\n", "platform:\n  components: {runai-control-plane: {namespace: ai}}\n");
    let plan = planned_from(&text);
    let secrets = ["ai.runai-reg-creds", "ai.runai-backend-tls", "ai.runai-ca-cert", "runai.runai-ca-cert"];
    for id in secrets.map(|name| format!("platform/secret/{name}")) {
        assert!(plan.steps.iter().any(|s| s.id.as_str() == id), "{id} is missing");
    }
    let release = plan.steps.iter().find(|s| s.id.as_str() == "platform/release/runai-control-plane").unwrap();
    assert!(release.needs.iter().any(|n| n.as_str() == "platform/secret/ai.runai-reg-creds"), "{:?}", release.needs);
    let labelled = |step: &plinth_model::plan::Step| matches!(&step.work, Work::KubeSecret(KubeSecret { labels, .. }) if !labels.is_empty());
    let labelled: Vec<&str> = plan.steps.iter().filter(|s| labelled(s)).map(|s| s.id.as_str()).collect();
    assert_eq!(labelled, ["platform/secret/runai.runai-ca-cert"]);
}

#[test]
fn given_certificates_need_no_wildcard() {
    let files = "runai:\n  certificate: {files: {certificate: a.crt, key: {file: a.key}}}\n";
    let names = |text: &str| {
        let plan = planned_from(text);
        plan.steps
            .into_iter()
            .find_map(|s| if let Work::Certificate(Certificate { names, .. }) = s.work { Some(names) } else { None })
    };
    assert_eq!(names(&SITE.replace("runai:\n", files)).unwrap(), ["bcm-head-01.eth.cluster"]);
    assert_eq!(names(SITE).unwrap(), ["bcm-head-01.eth.cluster", "*.bcm-head-01.eth.cluster"]);
}

#[test]
fn an_air_gapped_site_takes_its_charts_from_the_registry_inside() {
    let login = "registry: {token: {env: RUNAI_REGISTRY_TOKEN}}";
    let mirror = "source: airgapped\n  mirror: mirror.example.com/runai";
    let release = |text: &str| {
        let plan = planned_from(text);
        let step = plan.steps.into_iter().find(|s| s.id.as_str() == "platform/release/runai-cluster").unwrap();
        let Work::HelmRelease(HelmRelease { release, .. }) = step.work else { panic!() };
        release
    };
    let open = release(&SITE.replace(login, mirror));
    assert_eq!((open.chart.as_str(), open.repository.as_str()), ("oci://mirror.example.com/runai/runai-cluster", ""));
    assert_eq!(open.login, None);
    let both = format!("{mirror}\n  registry: {{user: puller, token: {{env: MIRROR}}}}");
    let login = release(&SITE.replace(login, &both)).login.unwrap();
    assert_eq!((login.registry.as_str(), login.username.as_str()), ("mirror.example.com", "puller"));
}

#[test]
fn every_component_waits_for_its_namespace_and_gpu_checks_for_whoever_offers_gpus() {
    let plan = planned(false);
    for step in &plan.steps {
        let Work::HelmRelease(HelmRelease { release, .. }) = &step.work else { continue };
        let namespace = format!("platform/namespace/{}", release.namespace);
        assert!(step.needs.iter().any(|n| n.as_str() == namespace), "{} does not need {namespace}", step.id);
    }
    let check = plan.steps.iter().find(|s| s.id.as_str() == "checks/gpu-pod/dgx-05").unwrap();
    assert!(check.needs.iter().any(|n| n.target() == "gpu-operator"), "{:?}", check.needs);
}

#[test]
fn the_version_told_to_run_ai_is_a_version_even_when_the_release_is_a_range() {
    let plan = planned(false);
    let register = plan.steps.iter().find(|s| s.work.properties().once).unwrap();
    let Work::RunaiRegister(RunaiRegister { target }) = &register.work else { panic!("{:?}", register.work) };
    assert_eq!(target.version.as_str(), "2.21");
}
