//! Going back to a revision that worked.

use super::*;

const DEFINITION: &str = "kind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n";

fn name() -> ReleaseName {
    ReleaseName { namespace: "n".into(), name: "a".into() }
}

async fn back(bench: &Bench, to: u32) -> ClientResult<Vec<String>> {
    bench.client().rollback(&bench.ctx, &name(), to, Duration::from_secs(60)).await
}

#[tokio::test]
async fn helm_is_told_the_revision_and_nothing_else() {
    for (version, ends) in [("v3.18.6", "2 --history-max 0\n"), ("v4.1.0", "2 --history-max 0 --server-side=false\n")] {
        let bench = Bench::new(version, "exit 0");
        bench.cluster.add(1, "superseded", 9, there("1.0.0", &json!({})));
        bench.cluster.add(2, "deployed", 8, there("1.2.3", &json!({"password": SECRET})));
        bench.cluster.add(3, "failed", 7, there("1.3.0", &json!({"password": "x"})));
        let lines = bench.client().differences_to_revision(&bench.ctx, &name(), 2).await.unwrap();
        assert_eq!(lines, ["~ version 1.3.0 → 1.2.3", "~ status failed → deployed", "~ values as they were"]);
        assert_eq!(back(&bench, 2).await.unwrap(), Vec::<String>::new());
        let seen = bench.seen();
        assert!(
            seen.contains("args=rollback a --namespace n --timeout 60s --kubeconfig ")
                && seen.contains(&format!(" {ends}")),
            "{seen}"
        );
        assert!(!seen.contains(SECRET));
        let history = bench.client().history(&bench.ctx, &name()).await.unwrap();
        let told: Vec<String> =
            history.iter().map(|one| format!("{} {} {}", one.revision, one.version, one.status)).collect();
        assert_eq!(told, ["1 1.0.0 superseded", "2 1.2.3 deployed", "3 1.3.0 failed"]);
    }
}

#[tokio::test]
async fn only_what_worked_is_gone_back_to_and_nothing_is_done_twice() {
    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "failed", 9, there("1.0.0", &json!({})));
    bench.cluster.add(2, "superseded", 9, there("1.1.0", &json!({})));
    bench.cluster.add(3, "deployed", 9, there("1.2.0", &json!({})));
    for revision in [1, 7] {
        let error = back(&bench, revision).await.unwrap_err();
        assert!(error.attempt.ends_with("name one that worked: 2, 3"), "{error:?}");
        assert_eq!(error.finding.unwrap().code.as_str(), "helm.no-revision");
    }
    back(&bench, 3).await.unwrap();
    bench.cluster.add(4, "deployed", 9, there("1.1.0", &json!({})));
    back(&bench, 2).await.unwrap();
    assert_eq!(bench.seen(), "", "it is so already");
    bench.cluster.add(5, "uninstalling", 99 * 60, there("1.1.0", &json!({})));
    assert!(back(&bench, 3).await.unwrap_err().attempt.contains("plinth apply"));
    assert_eq!((bench.seen().as_str(), bench.cluster.revisions().len()), ("", 5));
}

#[tokio::test]
async fn what_is_open_is_left_alone_or_marked_and_definitions_stay() {
    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "deployed", 90, there("1.0.0", &json!({})));
    bench.cluster.add(2, "pending-upgrade", 1, payload("a", "1.1.0", &json!({}), DEFINITION));
    assert_eq!(back(&bench, 1).await.unwrap_err().finding.unwrap().code.as_str(), "helm.in-use");
    bench.cluster.records.lock().unwrap()[1].0.written -= SignedDuration::from_hours(13);
    *bench.cluster.policy.lock().unwrap() = Some(String::new());
    let error = back(&bench, 1).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "helm.definitions-would-go");
    assert_eq!(
        (bench.seen().as_str(), bench.cluster.statuses()),
        ("", vec!["deployed".into(), "pending-upgrade".into()])
    );
    *bench.cluster.policy.lock().unwrap() = Some("keep".to_owned());
    let said = back(&bench, 1).await.unwrap();
    assert!(said[0].contains("was broken off"), "{said:?}");
    assert_eq!(bench.cluster.statuses(), ["deployed", "failed"]);
    assert!(bench.seen().contains("args=rollback a"));
}
