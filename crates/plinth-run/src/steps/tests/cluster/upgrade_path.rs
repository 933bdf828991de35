//! A version that moves by one minor at a time.

use super::*;
use plinth_model::steps::{Carrier, UpgradePath};
use plinth_model::{ObjectName, Version};

fn lines(texts: &[&str]) -> Vec<Version> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn upgrade_path(carried: &[&str]) -> UpgradePath {
    UpgradePath {
        object: ObjectName::of(&serving()).unwrap(),
        title: "Knative Serving".to_owned(),
        rule: "runai.serving-rule".to_owned(),
        wanted: "1.19".parse().unwrap(),
        carried: lines(carried),
        others: vec![Carrier { version: "v1.17.0".parse().unwrap(), carried: lines(&["1.16", "1.17"]) }],
    }
}

fn serving() -> serde_json::Value {
    json!({"apiVersion": "operator.knative.dev/v1beta1", "kind": "KnativeServing",
        "metadata": {"name": "s", "namespace": "n"}, "spec": {"version": "1.19"}})
}

fn objects(upgrade_path: UpgradePath) -> Work {
    Work::KubeObjects(KubeObjects {
        component: "knative-operator".to_owned(),
        objects: vec![serving()],
        health: release("1").health,
        timeout_s: 60,
        stage: Stage::Platform,
        upgrade_path: Some(Box::new(upgrade_path)),
    })
}

fn version(text: &str) -> Option<Version> {
    Some(text.parse().unwrap())
}

#[tokio::test]
async fn it_goes_over_the_versions_between_and_waits_for_each() {
    let bench = Bench::new();
    let work = objects(upgrade_path(&["1.16", "1.17", "1.18", "1.19"]));
    bench.fake.on("diff", vec!["~ s: spec.version".to_owned()]).on("version", version("1.16.0"));
    let said = todo(bench.look(&work).await);
    assert_eq!(said[1], "~ Knative Serving 1.16.0 → 1.19, over 1.17, 1.18");
    // 1.17: on its way, then there; 1.18: there at once; 1.19 is next itself.
    for there in ["1.16.0", "1.16.0", "1.17.2", "1.17.2", "1.18.1", "1.18.1"] {
        bench.fake.on("version", version(there));
    }
    bench.fake.on("health", health(true)).on("health", health(true));
    for _ in 0..3 {
        bench.fake.on("apply", ());
    }
    bench.fake.on("diff", Vec::<String>::new()).on("health", health(true));
    assert_eq!(
        bench.act(&work).await.unwrap(),
        "1 object of knative-operator applied and working; gone over 1.17, 1.18"
    );
    let applied = bench.fake.calls().into_iter().filter(|call| call.starts_with("apply")).count();
    assert_eq!(applied, 3, "{:?}", bench.fake.calls());
}

#[tokio::test]
async fn what_the_release_does_not_carry_is_refused_before_anything_is_changed() {
    let bench = Bench::new();
    let far = upgrade_path(&["1.18", "1.19"]);
    bench.fake.on("diff", vec!["~ s".to_owned()]).on("version", version("1.16.3"));
    let finding = blocked(bench.look(&objects(far.clone())).await);
    assert_eq!(finding.code, "helm.upgrade-gap");
    assert!(finding.message.contains("carries only 1.18, 1.19"), "{}", finding.message);
    let told = ["version: v1.17.0`, which carries 1.17", "`runai.serving-rule`"];
    assert!(told.iter().all(|part| finding.fix.contains(part)), "{}", finding.fix);

    let release = Release { upgrade_path: Some(Box::new(far)), ..release("2.0.0") };
    let work = Work::HelmRelease(HelmRelease { release: Box::new(release), stage: Stage::Platform });
    bench.fake.on("differences", vec!["~ version 1.0.0 → 2.0.0".to_owned()]).on("version", version("1.16.3"));
    assert_eq!(blocked(bench.look(&work).await).code, "helm.upgrade-gap", "its operator is not upgraded either");
}
