//! Operations that somebody is at work on, or that were broken off.

use super::*;

#[tokio::test]
async fn a_release_that_somebody_is_at_work_on_is_not_touched() {
    for (status, minutes) in [("pending-upgrade", 5 * 60), ("pending-install", -5), ("uninstalling", 0)] {
        let bench = Bench::new("v3.18.6", "exit 0");
        bench.cluster.add(1, "deployed", 90, there("1.0.0", &json!({})));
        bench.cluster.add(2, status, minutes, there("1.2.3", &json!({})));
        let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
        assert!(error.happened.contains(status) && error.attempt.contains("helm history a"), "{error:?}");
        let name = ReleaseName { namespace: "n".into(), name: "a".into() };
        let refused = bench.client().uninstall(&bench.ctx, &name, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(refused.finding.unwrap().code.as_str(), "helm.in-use");
        assert_eq!((bench.cluster.revisions(), bench.seen().as_str()), (vec![1, 2], ""));
    }
}

#[tokio::test]
async fn what_was_broken_off_long_ago_is_repaired_and_told() {
    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "deployed", 90, there("1.0.0", &json!({})));
    bench.cluster.add(2, "pending-upgrade", 13 * 60, there("1.2.3", &json!({})));
    let said = bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    assert!(said.len() == 1 && said[0].contains("revision 2 of n/a, pending-upgrade since"), "{said:?}");
    assert_eq!(bench.cluster.statuses(), ["deployed", "failed"], "what was broken off stays to be seen");
    let content = Secret::new(bench.cluster.records.lock().unwrap()[1].1.clone());
    assert_eq!(crate::payload::tests::status(&content), "failed");
    assert!(bench.seen().contains("args=upgrade a"));
    assert!(bench.told.lock().unwrap().contains(&said[0]));

    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "failed", 0, there("1.2.3", &json!({})));
    let job = ObjectName {
        api_version: "batch/v1".into(),
        kind: "Job".into(),
        namespace: "n".into(),
        name: "pre-install".into(),
    };
    bench.cluster.jobs.lock().unwrap().push(job);
    let said = bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    let (removed, log) = said[1].split_once("; what it left is in ").unwrap();
    assert!(
        said[0].contains("starts over") && removed == "Job n/pre-install of an earlier attempt was removed",
        "{said:?}"
    );
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log, "== Job n/pre-install: Failed\nno such host, with [secret]\n", "its words stay, without secrets");
    assert_eq!(bench.cluster.statuses(), ["failed"]);
    let seen = bench.seen();
    assert!(
        seen.contains("args=install a ") && seen.contains("/a.tgz --replace --values - --labels plinth-package=000")
    );
    assert!(!seen.contains("null"), "an installation hands no label on: {seen}");
    assert!(bench.cluster.jobs.lock().unwrap().is_empty());
}
