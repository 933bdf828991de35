//! Objects of a chart that somebody edits behind our back: named by field, put right in helm's name, and what is nobody's doing left alone.

use crate::helm_ground::{Ground, PASSWORD, for_each_helm, release, until};
use plinth_model::steps::{CrdPolicy, Release};
use plinth_world::helm::{Drift, HelmClient as _};
use serde_json::json;

/// A release of this name, with all that it makes named so.
fn objects(name: &str) -> Release {
    let values = json!({"password": {"$secret": {"file": "password"}}});
    Release { crds: CrdPolicy::Apply, ..release("objects", name, "1.0.0", values) }
}

impl Ground {
    /// The API server tells times in seconds, and what is of the second in which helm was done counts as the release's own.
    fn installed(&self, release: &Release) {
        self.upgrade(release).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }

    /// By another client: nothing that was listed before counts.
    fn drift(&self, name: &str) -> Drift {
        self.run(self.again().drift(&self.ctx, &objects(name))).unwrap()
    }

    /// The lines, without when it was.
    fn lines(&self, name: &str) -> Vec<String> {
        let drift = self.drift(name);
        assert_eq!((drift.left, drift.unseen), (Vec::new(), Vec::new()));
        let undated = |line: &String| line.split(" at 20").next().unwrap().to_owned();
        let mut lines: Vec<String> = drift.lines.iter().map(undated).collect();
        lines.sort();
        lines
    }

    /// Somebody edits an object.
    fn edit(&self, object: &str, patch: &str) {
        self.kubectl(&["patch", object, "--field-manager=kubectl-edit", "-p", patch]);
    }

    /// The same for a kind of somebody's own, or as somebody else.
    fn merge(&self, object: &str, manager: &str, patch: &str) {
        self.kubectl(&["patch", object, "--type=merge", &format!("--field-manager={manager}"), "-p", patch]);
    }

    fn field(&self, object: &str, path: &str) -> String {
        self.kubectl(&["get", object, "-o", &format!("jsonpath={{{path}}}")])
    }
}

const IMAGE: &str = ".spec.template.spec.containers[0].image";

/// What a person does with an editor; answers what is to be said of each.
fn edit_all(ground: &Ground) -> Vec<String> {
    let container = r#"{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.com/mine:2", "args": ["--one", "--two"],
        "env": [{"name": "COLOR", "value": "red"}, {"name": "MORE", "value": "1"}, {"name": "SIZE", "$patch": "delete"}]}]}}}}"#;
    ground.edit("deployment/o", container);
    ground.edit("configmap/o-settings", r#"{"data": {"color": "red", "size": null, "more": "1"}}"#);
    ground.edit("secret/o-login", r#"{"data": {"word": "aHVudGVyMg=="}}"#);
    ground.edit("clusterrole/o", r#"{"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}"#);
    ground.merge("widget/o", "kubectl-edit", r#"{"spec": {"size": 4, "ranges": ["a"]}}"#);
    ground.kubectl(&["delete", "service", "o"]);
    let main = "Deployment plinth-helm/o: spec.template.spec.containers[main]";
    let edited = [
        "ConfigMap plinth-helm/o-settings: data.color \"red\" → \"blue\"".to_owned(),
        format!("{main}.args [\"--one\",\"--two\"] → [\"--one\"]"),
        format!("{main}.env[COLOR].value \"red\" → \"blue\""),
        format!("{main}.image \"example.com/mine:2\" → \"example.com/none:1\""),
        "Secret plinth-helm/o-login: data.word (secret) → (secret)".to_owned(),
        "Widget plinth-helm/o: spec.ranges [\"a\"] → [\"a\",\"b\"]".to_owned(),
        "Widget plinth-helm/o: spec.size 4 → 3".to_owned(),
    ];
    let removed = [
        "ConfigMap plinth-helm/o-settings: data.size = \"3\"".to_owned(),
        format!("{main}.env[SIZE] = {{\"name\":\"SIZE\",\"value\":\"3\"}}"),
        "Service plinth-helm/o".to_owned(),
    ];
    let edited = edited.iter().map(|line| format!("~ {line}, set by kubectl-edit"));
    let removed = removed.iter().map(|line| format!("+ {line}, which somebody removed"));
    edited.chain(removed).collect()
}

/// A scale, a field that the chart does not set, an injected authority, labels of a team.
fn others_do_what_they_may(ground: &Ground) {
    ground.kubectl(&["scale", "deployment/o", "--replicas=3"]);
    let template = r#"{"metadata": {"annotations": {"a": "b"}}, "spec": {"priority": null}}"#;
    ground.edit(
        "deployment/o",
        &format!(
            r#"{{"metadata": {{"labels": {{"team": "a"}}}}, "spec": {{"paused": true, "template": {template}}}}}"#
        ),
    );
    ground.merge("widget/o", "operator", r#"{"metadata": {"annotations": {"a": "b"}}}"#);
    let injected =
        r#"{"webhooks": [{"name": "nothing.plinth.test", "clientConfig": {"caBundle": "LS0tLS1CRUdJTgo="}}]}"#;
    ground.edit("validatingwebhookconfiguration/o", injected);
}

fn what_somebody_edits_is_named_by_field_and_put_right(ground: &Ground) {
    let wanted = objects("o");
    ground.installed(&wanted);
    assert_eq!(ground.lines("o"), Vec::<String>::new(), "nobody edited anything");
    others_do_what_they_may(ground);
    assert_eq!(ground.lines("o"), Vec::<String>::new());

    let mut lines = edit_all(ground);
    let rules = r#"rules [{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}] → [{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]"#;
    lines.push(format!("~ ClusterRole o: {rules}, set by kubectl-edit"));
    lines.sort();
    assert_eq!(ground.lines("o"), lines);
    assert_eq!(ground.differences(&wanted), Vec::<String>::new(), "its values are as they were");
    assert_eq!(ground.upgrade(&wanted).unwrap(), ["6 objects that somebody changed or removed put right"]);
    assert_eq!(ground.lines("o"), Vec::<String>::new());
    assert_eq!(ground.history("o"), ["1 deployed"], "helm has nothing to do with it");
    for (object, path, value) in [
        ("deployment/o", IMAGE, "example.com/none:1"),
        ("deployment/o", ".spec.template.spec.containers[0].env[*].name", "COLOR MORE SIZE"),
        ("deployment/o", ".spec.replicas", "3"),
        ("widget/o", ".spec", r#"{"color":"blue","ranges":["a","b"],"size":3}"#),
        ("service/o", ".spec.ports[0].port", "80"),
        ("configmap/o-settings", ".data", r#"{"color":"blue","more":"1","size":"3"}"#),
    ] {
        assert_eq!(ground.field(object, path), value, "{object} {path}");
    }
    let before = ground.everything();
    assert_eq!(ground.upgrade(&wanted).unwrap(), Vec::<String>::new());
    assert_eq!(ground.everything(), before);

    // The next upgrade finds what it left: it changes what it is told to, and has no conflict.
    let values = json!({"image": "example.com/none:2", "password": {"$secret": {"file": "password"}}});
    let newer = Release { crds: CrdPolicy::Apply, ..release("objects", "o", "1.0.0", values) };
    ground.upgrade(&newer).unwrap();
    assert_eq!(ground.field("deployment/o", IMAGE), "example.com/none:2");
    assert_eq!(ground.run(ground.again().drift(&ground.ctx, &newer)).unwrap(), Drift::default());
}

fn what_is_set_again_right_behind_a_repair_is_told_and_left(ground: &Ground) {
    let wanted = objects("p");
    ground.installed(&wanted);
    let color = |to: &str, who: &str| {
        ground.merge("configmap/p-settings", who, &format!(r#"{{"data": {{"color": "{to}"}}}}"#));
    };
    // A controller that goes to work right behind the installation belongs to the chart.
    color("green", "the-operator");
    assert_eq!(ground.drift("p"), Drift::default());
    color("red", "kubectl-edit");
    assert_eq!(ground.lines("p").len(), 1);
    ground.upgrade(&wanted).unwrap();
    assert_eq!(ground.field("configmap/p-settings", ".data.color"), "blue");
    color("red", "kubectl-edit");
    let drift = ground.drift("p");
    assert_eq!((drift.lines, drift.left.len()), (Vec::new(), 1), "{:?}", drift.left);
    assert!(drift.left[0].ends_with("again right after it was put right"), "{:?}", drift.left);
    assert_eq!(ground.upgrade(&wanted).unwrap(), Vec::<String>::new());
    assert_eq!(ground.field("configmap/p-settings", ".data.color"), "red");
    // What nobody may change back is told as well.
    hold(ground, "example.com/held:1");
    let held = r#"{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.com/held:1"}]}}}}"#;
    ground.edit("deployment/p", held);
    until(|| {
        let drift = ground.drift("p");
        drift.lines.is_empty() && drift.left.iter().any(|line| line.contains("and cannot be set back: "))
    });
    ground.kubectl(&["delete", "validatingadmissionpolicybinding", "held"]);
}

/// A policy that lets in this image alone.
fn hold(ground: &Ground, image: &str) {
    let rules =
        json!([{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}]);
    let expression = format!("object.spec.template.spec.containers[0].image == '{image}'");
    let version = "admissionregistration.k8s.io/v1";
    ground.stand.apply(
        &json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "held"},
        "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": expression}]}}),
    );
    ground.stand.apply(
        &json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "held"},
        "spec": {"policyName": "held", "validationActions": ["Deny"]}}),
    );
}

fn objects_that_are_gone_with_their_kind_come_back_with_the_chart(ground: &Ground) {
    let wanted = objects("q");
    ground.installed(&wanted);
    ground.kubectl(&["delete", "crd", "widgets.plinth.test"]);
    until(|| ground.lines("q") == ["+ Widget plinth-helm/q, which is gone with its kind"]);
    ground.upgrade(&wanted).unwrap();
    assert_eq!(ground.lines("q"), Vec::<String>::new());
    assert_eq!(ground.field("widget/q", ".spec.size"), "3");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn objects_of_a_chart_that_somebody_edits_are_named_and_put_right_in_helms_name() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        what_somebody_edits_is_named_by_field_and_put_right(&ground);
        what_is_set_again_right_behind_a_repair_is_told_and_left(&ground);
        objects_that_are_gone_with_their_kind_come_back_with_the_chart(&ground);
        let notes = ground.stand.folder.path().join("state/helm/put-right");
        let notes: Vec<String> = std::fs::read_dir(notes)
            .unwrap()
            .flatten()
            .map(|file| std::fs::read_to_string(file.path()).unwrap())
            .collect();
        assert!(!notes.is_empty() && notes.iter().all(|note| !note.contains(PASSWORD) && !note.contains("blue")));
    });
}
