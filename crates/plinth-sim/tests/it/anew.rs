//! What is taken away and made anew in a rehearsal, and what moves by one minor at a time.

use crate::rack::{
    DOMAIN, control_plane, everything, install, kubernetes, prepare_nodes, release, run, runai, start, until,
};
use plinth_model::plan::{Change, Step};
use plinth_model::steps::{
    ClusterCredential, Health, KubeObjects, PodSecurity, Release, RunaiApi, RunaiTarget, UpgradePath,
};
use plinth_model::{ObjectName, ReleaseName, Stage, StepId, Work};
use plinth_run::steps::Kinds;
use plinth_run::{Behaviour as _, Probe, StepEnv};
use plinth_world::secrets::Secrets;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_control_plane_takes_its_entries_with_it() {
    let sim = start(None, &[]);
    run(&sim, async {
        everything(&sim).await.unwrap();
        let (ctx, client) = (sim.context(), &sim.clients.runai);
        let entries = async || client.clusters(&ctx, &runai()).await.unwrap();
        let first = entries().await.remove(0).uuid;
        assert!(client.credentials_kept(&ctx, &runai(), &first).await.unwrap());
        // An upgrade changes nothing about them.
        let changed =
            Release { values: json!({"global": {"domain": DOMAIN}, "more": 1}).try_into().unwrap(), ..control_plane() };
        install(&sim, &changed).await.unwrap();
        let answers = async || client.up(&ctx, &runai(), true).await.is_ok();
        until(&ctx, || async { Ok(answers().await) }).await.unwrap();
        assert_eq!(entries().await.remove(0).uuid, first);
        let name = ReleaseName { namespace: changed.namespace.clone(), name: changed.release.clone() };
        sim.clients.helm.uninstall(&ctx, &name, Duration::from_secs(60)).await.unwrap();
        assert!(client.clusters(&ctx, &runai()).await.is_err(), "nobody is there to ask");
        install(&sim, &control_plane()).await.unwrap();
        until(&ctx, || async { Ok(answers().await) }).await.unwrap();
        assert_eq!(entries().await.len(), 0);
        let second = client.register(&ctx, &runai()).await.unwrap().uuid;
        assert_ne!(second, first);
        assert!(
            !client.credentials_kept(&ctx, &runai(), &second).await.unwrap(),
            "those that are kept are of the other"
        );
    });
}

#[test]
fn one_credential_is_kept_and_the_other_kind_is_forgotten() {
    let sim = start(None, &[]);
    run(&sim, async {
        everything(&sim).await.unwrap();
        let (ctx, client) = (sim.context(), &sim.clients.runai);
        let uuid = client.clusters(&ctx, &runai()).await.unwrap().remove(0).uuid;
        let kinds = [ClusterCredential::BootstrapToken, ClusterCredential::ClientSecret];
        for credential in kinds {
            let target = RunaiTarget { api: RunaiApi { credential, ..RunaiApi::default() }, ..runai() };
            client.keep_credentials(&ctx, &target, &uuid).await.unwrap();
            let kept = kinds.map(|kind| sim.secrets.find(&kind.kept()).unwrap().is_some());
            assert_eq!(kept, kinds.map(|kind| kind == credential), "{credential:?}");
        }
    });
}

/// The step itself, in a rehearsal: the operator takes one minor at a time.
#[test]
fn a_rehearsal_goes_over_the_versions_between() {
    let sim = start(None, &[]);
    let serving = |version: &str| {
        json!({"apiVersion": "operator.knative.dev/v1beta1", "kind": "KnativeServing",
            "metadata": {"name": "knative-serving", "namespace": "knative-serving"}, "spec": {"version": version}})
    };
    let lines = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let step = |version: &str, carried: &[&str]| {
        let path = UpgradePath {
            object: ObjectName::of(&serving(version)).unwrap(),
            title: "Knative Serving".to_owned(),
            rule: "runai.knative-serving".to_owned(),
            wanted: version.parse().unwrap(),
            carried: lines(carried),
            others: Vec::new(),
        };
        let work = Work::KubeObjects(KubeObjects {
            component: "knative-operator".to_owned(),
            objects: vec![serving(version)],
            health: vec![Health::Condition {
                resource: "knativeservings.operator.knative.dev".to_owned(),
                name: "knative-serving".to_owned(),
                namespace: "knative-serving".to_owned(),
                condition: "Ready".to_owned(),
            }],
            timeout_s: 600,
            stage: Stage::Platform,
            upgrade_path: Some(Box::new(path)),
        });
        let id = StepId::new("platform", "objects", "knative-operator");
        Step { id, work, needs: Vec::new(), reason: "a test wants it".into(), change: Change::Check, when: None }
    };
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        install(&sim, &release("knative-operator", "knative-operator", json!({}))).await.unwrap();
        sim.clients.kube.make_namespace(&sim.context(), "knative-serving", PodSecurity::Baseline).await.unwrap();
        let env = StepEnv::new(sim.context(), sim.clients.clone(), Arc::<_>::clone(&sim.secrets) as Arc<dyn Secrets>);
        let said = async |step: &Step| Kinds.act(step, &env).await.unwrap();
        let first = step("1.16", &["1.15", "1.16"]);
        assert_eq!(said(&first).await, "1 object of knative-operator applied and working");
        let far = step("1.19", &["1.16", "1.17", "1.18", "1.19"]);
        assert!(said(&far).await.ends_with("; gone over 1.17, 1.18"));
        assert!(matches!(Kinds.probe(&far, &env).await.unwrap().probe, Probe::Done(_)));
        assert_eq!(sim.count("object-applied"), 4);
        // Without the upgrade path the operator refuses it, and the step says so in time.
        let mut lost = step("1.16", &["1.16", "1.17", "1.18", "1.19"]);
        if let Work::KubeObjects(objects) = &mut lost.work {
            objects.upgrade_path = None;
        }
        let error = Kinds.act(&lost, &env).await.unwrap_err();
        let evidence = error.finding.unwrap().evidence.join(" ");
        assert!(evidence.contains("its operator does not take this version"), "{evidence}");
    });
}
