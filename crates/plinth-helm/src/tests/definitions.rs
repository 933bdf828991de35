//! Custom resource definitions.

use super::*;

#[tokio::test]
async fn definitions_that_nobody_else_changes_are_applied_and_none_is_lost() {
    let bench = Bench::new("v3.18.6", "exit 0");
    let definition =
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n";
    package(&bench.folder.path().join("a.tgz"), &[("a/Chart.yaml", "name: a\n"), ("a/crds/a.yaml", definition)]);
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    assert!(bench.cluster.applied.lock().unwrap().is_empty(), "the chart's own way is kept");
    let apply = Release { crds: CrdPolicy::Apply, ..release() };
    bench.client().upgrade(&bench.ctx, &apply).await.unwrap();
    assert_eq!(bench.cluster.applied.lock().unwrap().len(), 1);

    bench.cluster.add(1, "deployed", 9, payload("a", "1.0.0", &json!({}), &format!("---\n{definition}")));
    *bench.cluster.policy.lock().unwrap() = Some(String::new());
    fs::remove_file(bench.folder.path().join("seen")).unwrap();
    // An upgrade that failed changes nothing in that: helm compares with what was installed to its end.
    for failed in [false, true] {
        if failed {
            bench.cluster.add(2, "failed", 9, payload("a", "1.2.3", &json!({}), ""));
        }
        let error = bench.client().upgrade(&bench.ctx, &apply).await.unwrap_err();
        let command = "kubectl annotate --overwrite customresourcedefinition a.example.com";
        assert!(error.attempt.contains(command), "{error:?}");
        assert_eq!(error.finding.unwrap().code.as_str(), "helm.definitions-would-go");
        assert_eq!(bench.seen(), "");
    }
    *bench.cluster.policy.lock().unwrap() = Some("keep".to_owned());
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    assert_eq!(bench.cluster.applied.lock().unwrap().len(), 2, "it is nobody's otherwise");
}

#[tokio::test]
async fn a_definition_beside_the_objects_is_compared_and_put_right() {
    let bench = Bench::new("v3.18.6", "exit 0");
    let definition =
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n";
    package(&bench.folder.path().join("a.tgz"), &[("a/Chart.yaml", "name: a\n"), ("a/crds/a.yaml", definition)]);
    let of_objects = Release { of_objects: true, crds: CrdPolicy::Apply, ..release() };
    // helm's record has no object at all, so what differs is the definition.
    bench.cluster.add(1, "deployed", 9, payload("a", "1.2.3", &wanted(), ""));
    assert_eq!(bench.client().differences(&bench.ctx, &of_objects).await.unwrap().len(), 1);
    let said = bench.client().upgrade(&bench.ctx, &of_objects).await.unwrap();
    assert!(said[0].contains("put right"), "{said:?}");
    assert_eq!(bench.cluster.applied.lock().unwrap()[0]["metadata"]["name"], "a.example.com");
    assert_eq!(bench.seen(), "", "helm has nothing to do");
    let not_here = Release { repository: "https://away.test".to_owned(), ..of_objects };
    assert_eq!(bench.client().differences(&bench.ctx, &not_here).await.unwrap(), Vec::<String>::new());
}
