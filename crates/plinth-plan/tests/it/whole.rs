//! The real site reader, the real catalog and the planner together: what they agree on is a contract.

use crate::fixture::{inventory as data, unseen};
use plinth_catalog::Catalog;
use plinth_model::Work;
use plinth_model::plan::{Plan, Step};
use plinth_model::steps::{Certificate, HelmRelease, KubeSecret, RunaiRegister};
use plinth_plan::lint::lint;
use plinth_plan::source::SourceKind;
use plinth_plan::{StepObservation, plan};
use plinth_site::Desired;
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

fn parsed(text: &str) -> Desired {
    plinth_site::parse(text, Path::new("site.yaml")).unwrap_or_else(|r| panic!("{:#?}", r.findings)).desired
}

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
            .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
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

/// Chart, repository and user of every release of a plan, by component.
fn places(plan: &Plan) -> Vec<(String, String, String, Option<String>)> {
    let place = |step: &Step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some((
            release.component.clone(),
            release.chart.clone(),
            release.repository.clone(),
            release.login.as_ref().map(|login| login.username.clone()),
        )),
        _ => None,
    };
    plan.steps.iter().filter_map(place).collect()
}

#[test]
fn a_mirror_or_a_folder_of_charts_is_for_every_release_and_the_catalogs_digests_stay() {
    let own = planned(false);
    let with = |charts: &str| planned_from(&SITE.replace("platform:\n", &format!("platform:\n  charts: {charts}\n")));
    let digests = |plan: &Plan| -> Vec<(Option<String>, Option<String>)> {
        let release = |step: &Step| match &step.work {
            Work::HelmRelease(HelmRelease { release, .. }) => {
                Some((release.digest.clone(), release.manifest_digest.clone()))
            }
            _ => None,
        };
        plan.steps.iter().filter_map(release).collect()
    };
    assert!(digests(&own).iter().any(|(_, manifest)| manifest.is_some()), "lws is pinned by its manifest");
    for (charts, repository, user, oci) in [
        ("{mirror: https://m.example.com/charts/}", "https://m.example.com/charts", None, false),
        (
            "{mirror: https://m.example.com, login: {username: u, password: {env: M}}}",
            "https://m.example.com",
            Some("u"),
            false,
        ),
        ("{mirror: oci://m.example.com/charts, login: {username: u, password: {env: M}}}", "", Some("u"), true),
        ("{folder: packages}", "packages", None, false),
    ] {
        let plan = with(charts);
        let places = places(&plan);
        assert!(places.len() > 8 && places.iter().any(|(component, ..)| component == "runai-cluster"));
        for (component, chart, place, login) in &places {
            assert_eq!((place.as_str(), login.as_deref()), (repository, user), "{charts}: {component}");
            assert_eq!(chart.starts_with("oci://m.example.com/charts/"), oci, "{charts}: {chart}");
            assert!(oci || !chart.contains('/'), "{charts}: {chart}");
        }
        assert_eq!(digests(&plan), digests(&own), "{charts}");
    }
}

#[test]
fn sources_of_charts_follow_the_mirror_and_name_the_key() {
    let asked = |charts: &str| {
        let text = SITE.replace("platform:\n", &format!("platform:\n{charts}"));
        let desired = parsed(&text);
        let sources = plinth_plan::sources::sources(&desired, &planned_from(&text), |_| true);
        sources.into_iter().filter(|source| source.kind == SourceKind::Charts).collect::<Vec<_>>()
    };
    let own = asked("");
    assert!(own.len() > 4 && own.iter().all(|source| source.setting.contains("`platform.charts`")));
    let mirror = asked("  charts: {mirror: https://m.example.com/charts}\n");
    assert_eq!(mirror.len(), 1);
    assert_eq!(mirror[0].urls, ["https://m.example.com/charts/index.yaml"]);
    assert!(mirror[0].what.contains("lws") && mirror[0].what.contains("runai-cluster"), "{}", mirror[0].what);
    assert_eq!(
        asked("  charts: {mirror: \"oci://m.example.com:5000/charts\"}\n")[0].urls,
        ["https://m.example.com:5000/v2/"]
    );
    assert!(asked("  charts: {folder: packages}\n").is_empty(), "nobody is asked");
}

#[test]
fn an_air_gapped_site_whose_charts_stay_public_is_told_so() {
    let login = "registry: {token: {env: RUNAI_REGISTRY_TOKEN}}";
    let inside = SITE.replace(login, "source: airgapped\n  mirror: mirror.example.com/runai");
    let public = |text: &str| {
        let findings = planned_from(text).findings;
        findings.into_iter().find(|finding| finding.code == "charts.public")
    };
    let finding = public(&inside).unwrap();
    assert!(
        !finding.is_error()
            && finding
                .evidence
                .iter()
                .any(|line| line == "charts from metallb.github.io" || line.contains("registry.k8s.io")),
        "{finding:?}"
    );
    assert!(!finding.evidence.iter().any(|line| line.contains("mirror.example.com")), "{finding:?}");
    assert!(public(SITE).is_none(), "a site with the internet");
    for charts in ["{folder: packages}", "{mirror: https://m.example.com}"] {
        assert!(public(&inside.replace("platform:\n", &format!("platform:\n  charts: {charts}\n"))).is_none());
    }
}

#[test]
fn helm_comes_from_the_mirror_of_files_unless_the_site_names_another_place() {
    let catalog = Catalog::embedded().unwrap();
    let source = |text: &str| plinth_plan::charts::helm_source(&parsed(text), catalog.helm_pin());
    assert_eq!(source(SITE), "https://get.helm.sh");
    let mirrored = SITE.replace("kubernetes:\n", "kubernetes:\n  downloads: {files: https://m.example.com/files}\n");
    assert_eq!(source(&mirrored), "https://m.example.com/files/get.helm.sh");
    assert_eq!(source(&mirrored.replace("platform:\n", "platform:\n  helm: {source: helm.tar.gz}\n")), "helm.tar.gz");
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
    let Work::RunaiRegister(RunaiRegister { target, .. }) = &register.work else { panic!("{:?}", register.work) };
    assert_eq!(target.version.as_str(), "2.21");
}
