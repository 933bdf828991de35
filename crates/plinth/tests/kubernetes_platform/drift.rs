//! What somebody does behind our back is shown, and put right; what is theirs stays theirs.

use crate::ground::Ground;

/// On a platform that is as it should be.
pub(crate) fn put_right(ground: &Ground) {
    let kubectl = |words: &[&str]| ground.plane.kubectl(words).unwrap();
    kubectl(&["delete", "secret", "--namespace", "lws-system", "-l", "owner=helm,name=lws"]);
    let package = ground.path("charts/metrics-server-3.13.1.tgz");
    let words =
        ["upgrade", "metrics-server", package.to_str().unwrap(), "--namespace", "metrics-server", "--reuse-values"];
    ground.by_hand(&[&words[..], &["--set", "args={--two}"]].concat());
    let pool = ["ipaddresspools.metallb.io", "platform", "--namespace", "metallb-system"];
    let patch = |what: &str| kubectl(&[&["patch"][..], &pool, &["--type=merge", "-p", what]].concat());
    patch(
        r#"{"spec": {"addresses": ["10.20.0.200-10.20.0.210"], "avoidBuggyIPs": true}, "metadata": {"labels": {"team": "network"}}}"#,
    );
    kubectl(&[
        "label",
        "namespace",
        "prometheus",
        "--overwrite",
        "pod-security.kubernetes.io/enforce=baseline",
        "team=metrics",
    ]);
    kubectl(&["delete", "secret", "--namespace", "runai", "runai-reg-creds"]);
    let wanted = [
        "platform/namespace/prometheus",
        "platform/objects/metallb",
        "platform/release/lws",
        "platform/release/metrics-server",
        "platform/secret/runai.runai-reg-creds",
    ];
    let plan = ground.plinth(&["plan", "--preflight", "--detailed-exitcode", "--json"]).exits(2);
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    // What needs one of these is looked at after it, so the plan leaves it open.
    let steps = plan["steps"].as_array().unwrap().iter();
    let drifted = steps.filter(|step| step["change"]["diff"].as_array().is_some_and(|lines| !lines.is_empty()));
    let mut drifted: Vec<&str> = drifted.map(|step| step["id"].as_str().unwrap()).collect();
    drifted.sort_unstable();
    assert_eq!(drifted, wanted);
    let text = plan.to_string();
    for words in [
        "args[0] ",
        "--two",
        "spec.addresses",
        "baseline → privileged",
        "+ release lws-system/lws",
        "+ secret runai/runai-reg-creds",
    ] {
        assert!(text.contains(words), "`{words}` is not told");
    }
    ground.apply_site().exits(0);
    let mut changed = ground.changed();
    changed.sort();
    assert_eq!(changed, wanted);
    ground.plan_is_empty();
    let of = |path: &str| kubectl(&[&["get"][..], &pool, &["-o", &format!("jsonpath={{{path}}}")]].concat());
    // The first address of the site's pool is that of the ingress, which has a pool of its own.
    assert_eq!(of(".spec.addresses[*]"), "10.20.0.101-10.20.0.110");
    assert_eq!((of(".metadata.labels.team").as_str(), of(".spec.avoidBuggyIPs").as_str()), ("network", "true"));
    let team = kubectl(&["get", "namespace", "prometheus", "-o", "jsonpath={.metadata.labels.team}"]);
    assert_eq!(team, "metrics");
}
