//! What somebody does behind our back is shown, and put right; what is theirs stays theirs.

use crate::audit::Audit;
use crate::ground::Ground;
use serde_json::{Value, json};

/// What is told of the objects that [`edit_objects_of_a_chart`] changes.
const EDITED: [&str; 4] = [
    "~ Deployment gpu-operator/gpu-operator: spec.template.spec.containers[",
    "image \"stand-in.invalid/mine:2\" → ",
    "~ ConfigMap gpu-operator/stand-in-gpu-operator: data.color \"red\" → \"blue\", set by kubectl-patch at 20",
    "~ ServiceMonitor gpu-operator/gpu-operator: metadata.labels.\"app.kubernetes.io/managed-by\" \"me\" → \"Helm\"",
];

/// An image, a setting, a label of a custom resource; and what is nobody's business: a scale, and a field that the chart does not set.
fn edit_objects_of_a_chart(ground: &Ground) {
    let kubectl = |words: &[&str]| ground.plane.kubectl(&[&["--namespace", "gpu-operator"], words].concat()).unwrap();
    let name =
        kubectl(&["get", "deployment", "gpu-operator", "-o", "jsonpath={.spec.template.spec.containers[0].name}"]);
    let image = json!([{"name": name, "image": "stand-in.invalid/mine:2"}]);
    let image = json!({"spec": {"minReadySeconds": 1, "template": {"spec": {"containers": image}}}});
    kubectl(&["patch", "deployment", "gpu-operator", "-p", &image.to_string()]);
    kubectl(&["scale", "deployment", "gpu-operator", "--replicas=2"]);
    kubectl(&["patch", "configmap", "stand-in-gpu-operator", "-p", r#"{"data": {"color": "red", "more": "1"}}"#]);
    kubectl(&["label", "servicemonitor", "gpu-operator", "app.kubernetes.io/managed-by=me", "--overwrite"]);
}

/// What a plan says of one step.
fn plan_lines<'a>(plan: &'a Value, step: &str) -> impl Iterator<Item = &'a str> {
    let step = plan["steps"].as_array().unwrap().iter().find(|one| one["id"] == step).unwrap();
    step["change"]["diff"].as_array().unwrap().iter().map(|line| line.as_str().unwrap())
}

/// A plan, and the steps in it whose objects somebody changed.
fn planned(ground: &Ground) -> (Value, Vec<String>) {
    let plan = ground.plinth(&["plan", "--preflight", "--detailed-exitcode", "--json"]).exits(2);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let steps = plan["steps"].as_array().unwrap().iter();
    let drifted = steps.filter(|step| step["change"]["diff"].as_array().is_some_and(|lines| !lines.is_empty()));
    let mut drifted: Vec<String> = drifted.map(|step| step["id"].as_str().unwrap().to_owned()).collect();
    drifted.sort_unstable();
    (plan, drifted)
}

/// The plan names each object that was edited.
fn named_by_the_plan(ground: &Ground) {
    let (plan, drifted) = planned(ground);
    assert_eq!(drifted, ["platform/release/gpu-operator"]);
    let told: Vec<&str> = plan_lines(&plan, "platform/release/gpu-operator").collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for words in EDITED {
        assert!(told.iter().any(|line| line.contains(words)), "`{words}` is not told: {told:?}");
    }
}

/// So does the status, whatever it needs.
fn named_by_the_status(ground: &Ground) {
    let status = ground.plinth(&["status", "--drift", "--detailed-exitcode"]).exits(2);
    for words in EDITED {
        assert!(status.out.contains(words), "`{words}` is not told: {}", status.out);
    }
    assert!(status.out.contains("platform/release/lws\n    + release lws-system/lws"), "{}", status.out);
}

/// A look and a second apply find nothing, and the API server was told of nothing to change.
fn nothing_is_left(ground: &Ground) {
    ground.plinth(&["status", "--drift", "--detailed-exitcode"]).exits(0).says("drift: none in");
    let again = Audit::from_now(&ground.plane.audit());
    ground.apply_site().exits(0);
    assert_eq!(again.writes(), Vec::<String>::new(), "nothing is left to put right");
    let replicas =
        ["get", "deployment", "gpu-operator", "--namespace", "gpu-operator", "-o", "jsonpath={.spec.replicas}"];
    assert_eq!(ground.plane.kubectl(&replicas).unwrap(), "2", "what was scaled stays so");
}

/// On a platform that is as it should be.
pub(crate) fn put_right(ground: &Ground) {
    let kubectl = |words: &[&str]| ground.plane.kubectl(words).unwrap();
    edit_objects_of_a_chart(ground);
    named_by_the_plan(ground);
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
        "platform/release/gpu-operator",
        "platform/release/lws",
        "platform/release/metrics-server",
        "platform/secret/runai.runai-reg-creds",
    ];
    let (plan, drifted) = planned(ground);
    // The GPU operator needs what stands in one of these namespaces: it is looked at after it, so the plan leaves it open.
    let at_once = wanted.into_iter().filter(|step| *step != "platform/release/gpu-operator");
    assert_eq!(drifted, at_once.collect::<Vec<_>>());
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
    named_by_the_status(ground);
    ground.apply_site().exits(0);
    let mut changed = ground.changed();
    changed.sort();
    assert_eq!(changed, wanted);
    ground.plan_is_empty();
    nothing_is_left(ground);
    let of = |path: &str| kubectl(&[&["get"][..], &pool, &["-o", &format!("jsonpath={{{path}}}")]].concat());
    // The first address of the site's pool is that of the ingress, which has a pool of its own.
    assert_eq!(of(".spec.addresses[*]"), "10.20.0.101-10.20.0.110");
    assert_eq!((of(".metadata.labels.team").as_str(), of(".spec.avoidBuggyIPs").as_str()), ("network", "true"));
    let team = kubectl(&["get", "namespace", "prometheus", "-o", "jsonpath={.metadata.labels.team}"]);
    assert_eq!(team, "metrics");
}
