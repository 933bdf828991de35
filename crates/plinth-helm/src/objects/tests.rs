//! Objects with `managedFields` as an API server keeps them.

use super::compare::edits;
use super::owners::{ListKind, Owners};
use serde_json::{Value, json};

fn entry(manager: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "time": "2026-11-30T12:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields})
}

/// A Deployment that helm made.
fn manifest() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "d"}},
            "template": {"metadata": {"labels": {"app": "d"}}, "spec": {
                "hostNetwork": false, "nodeSelector": {}, "priority": null,
                "tolerations": [{"operator": "Exists"}],
                "containers": [
                    {"name": "side", "image": "side:1"},
                    {"name": "main", "image": "main:1", "args": ["--one"],
                        "resources": {"limits": {"cpu": "1000m"}},
                        "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}],
                        "env": [{"name": "A", "value": "1"}, {"name": "B"}]},
                ],
            }},
        },
    })
}

/// The same as the API server keeps it: defaults, another order, another form of quantities; and who set what.
fn live() -> Value {
    let main = json!({".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:imagePullPolicy": {},
        "f:resources": {".": {}, "f:limits": {".": {}, "f:cpu": {}}},
        "f:ports": {".": {}, "k:{\"containerPort\":53,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}},
            "k:{\"containerPort\":53,\"protocol\":\"UDP\"}": {".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {}}},
        "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}, "k:{\"name\":\"B\"}": {".": {}, "f:name": {}}}});
    let side = json!({".": {}, "f:image": {}, "f:name": {}, "f:imagePullPolicy": {}});
    let containers = json!({"k:{\"name\":\"main\"}": main, "k:{\"name\":\"side\"}": side});
    let fields = json!({
        "f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/managed-by": {}}},
        "f:spec": {"f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:selector": {}, "f:template": {
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {"f:containers": containers, "f:tolerations": {}, "f:dnsPolicy": {}}}},
    });
    json!({
        "metadata": {"name": "d", "namespace": "n", "labels": {"app.kubernetes.io/managed-by": "Helm", "team": "a"},
            "managedFields": [entry("helm", fields)]},
        "spec": {
            "replicas": 1, "progressDeadlineSeconds": 600, "selector": {"matchLabels": {"app": "d"}},
            "template": {"metadata": {"labels": {"app": "d"}}, "spec": {
                "dnsPolicy": "ClusterFirst", "tolerations": [{"operator": "Exists"}],
                "containers": [
                    {"name": "main", "image": "main:1", "args": ["--one"], "imagePullPolicy": "IfNotPresent",
                        "resources": {"limits": {"cpu": "1"}},
                        "ports": [{"containerPort": 53, "name": "dns", "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}],
                        "env": [{"name": "A", "value": "1"}, {"name": "B"}]},
                    {"name": "side", "image": "side:1", "imagePullPolicy": "IfNotPresent"},
                ],
            }},
        },
    })
}

/// Somebody sets a field, and becomes its only owner, as the API server does it.
fn set(live: &mut Value, pointer: &str, value: Value, manager: &str, owned: &[&str]) {
    match live.pointer_mut(pointer) {
        Some(there) => *there = value,
        None => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            live.pointer_mut(parent).unwrap()[key] = value;
        }
    }
    let mut at = &mut live["metadata"]["managedFields"][0]["fieldsV1"];
    let (last, path) = owned.split_last().unwrap();
    for part in path {
        at = &mut at[*part];
    }
    at.as_object_mut().unwrap().remove(*last);
    let fields = owned.iter().rev().fold(json!({}), |inner, part| json!({*part: inner}));
    live["metadata"]["managedFields"].as_array_mut().unwrap().push(entry(manager, fields));
}

const POD: [&str; 3] = ["f:spec", "f:template", "f:spec"];
const MAIN: &str = "/spec/template/spec/containers/0";

fn of_main(field: &[&'static str]) -> Vec<&'static str> {
    [&POD[..], &["f:containers", "k:{\"name\":\"main\"}"], field].concat()
}

fn told(live: &Value) -> Vec<(String, String)> {
    edits(&manifest(), live).into_iter().map(|edit| (edit.line("Deployment n/d"), edit.pointer)).collect()
}

#[test]
fn what_the_server_makes_of_a_manifest_is_no_difference() {
    assert_eq!(told(&live()), []);
}

#[test]
fn what_somebody_set_is_named_as_people_read_it_and_found_where_it_is() {
    let by = ", set by kubectl-edit at 2026-11-30T12:00:00Z";
    let main = "~ Deployment n/d: spec.template.spec.containers[main]";
    let cases: [(&str, Value, Vec<&str>, String); 7] = [
        ("/image", "mine:2".into(), of_main(&["f:image"]), format!("{main}.image \"mine:2\" → \"main:1\"{by}")),
        (
            "/args",
            json!(["--one", "--two"]),
            of_main(&["f:args"]),
            format!("{main}.args [\"--one\",\"--two\"] → [\"--one\"]{by}"),
        ),
        (
            "/env/0/value",
            "2".into(),
            of_main(&["f:env", "k:{\"name\":\"A\"}", "f:value"]),
            format!("{main}.env[A].value \"2\" → \"1\"{by}"),
        ),
        (
            "/resources/limits/cpu",
            "2".into(),
            of_main(&["f:resources", "f:limits", "f:cpu"]),
            format!("{main}.resources.limits.cpu \"2\" → \"1000m\"{by}"),
        ),
        (
            "/ports/0/name",
            "other".into(),
            of_main(&["f:ports", "k:{\"containerPort\":53,\"protocol\":\"UDP\"}", "f:name"]),
            format!("{main}.ports[53/UDP].name \"other\" → \"dns\"{by}"),
        ),
        ("/securityContext", json!({"privileged": true}), of_main(&["f:securityContext"]), String::new()),
        ("/terminationMessagePath", "/x".into(), of_main(&["f:terminationMessagePath"]), String::new()),
    ];
    for (place, value, owned, line) in cases {
        let mut live = live();
        let pointer = format!("{MAIN}{place}");
        set(&mut live, &pointer, value, "kubectl-edit", &owned);
        let want = if line.is_empty() { Vec::new() } else { vec![(line, pointer)] };
        assert_eq!(told(&live), want, "{place}");
    }
}

#[test]
fn what_was_scaled_injected_or_set_by_a_controller_of_kubernetes_is_no_difference() {
    for (manager, subresource) in [("kubectl", "scale"), ("kube-controller-manager", ""), ("helm", ""), ("plinth", "")]
    {
        let mut live = live();
        set(&mut live, "/spec/replicas", 5.into(), manager, &["f:spec", "f:replicas"]);
        live["metadata"]["managedFields"][1]["subresource"] = subresource.into();
        assert_eq!(told(&live), [], "{manager} {subresource}");
    }
    let webhook =
        |bundle: &str| json!({"kind": "X", "webhooks": [{"name": "w", "clientConfig": {"caBundle": bundle}}]});
    let mut live = webhook("abc");
    live["metadata"]["managedFields"] = json!([entry(
        "injector",
        json!({"f:webhooks": {"k:{\"name\":\"w\"}": {"f:clientConfig": {"f:caBundle": {}}}}})
    )]);
    assert_eq!(edits(&webhook("Cg=="), &live), []);
}

#[test]
fn what_is_gone_is_named_and_a_volume_that_grew_is_no_difference() {
    let mut live = live();
    let main = live.pointer_mut(MAIN).unwrap();
    main["env"] = json!([{"name": "B"}]);
    main.as_object_mut().unwrap().remove("args");
    live["spec"]["template"]["metadata"]["labels"] = json!({});
    live["metadata"]["labels"] = Value::Null;
    let gone = "which somebody removed";
    let mut told = told(&live);
    told.sort();
    let want = [
        (
            format!("+ Deployment n/d: metadata.labels = {{\"app.kubernetes.io/managed-by\":\"Helm\"}}, {gone}"),
            "/metadata/labels".to_owned(),
        ),
        (
            format!("+ Deployment n/d: spec.template.metadata.labels.app = \"d\", {gone}"),
            "/spec/template/metadata/labels/app".to_owned(),
        ),
        (
            format!("+ Deployment n/d: spec.template.spec.containers[main].args = [\"--one\"], {gone}"),
            format!("{MAIN}/args"),
        ),
        (
            format!(
                "+ Deployment n/d: spec.template.spec.containers[main].env[A] = {{\"name\":\"A\",\"value\":\"1\"}}, {gone}"
            ),
            format!("{MAIN}/env/-"),
        ),
    ];
    assert_eq!(told, want);
    let claim =
        |size: &str| json!({"kind": "PersistentVolumeClaim", "spec": {"resources": {"requests": {"storage": size}}}});
    let mut grown = claim("2Gi");
    grown["metadata"]["managedFields"] =
        json!([entry("kubectl-edit", json!({"f:spec": {"f:resources": {"f:requests": {"f:storage": {}}}}}))]);
    assert_eq!(edits(&claim("1Gi"), &grown), []);
}

#[test]
fn no_value_of_a_secret_is_told_and_what_a_controller_fills_in_is_its_own() {
    let secret = |word: &str| json!({"kind": "Secret", "data": {"word": word, "cert": ""}});
    let mut live = secret("aHVudGVyMg==");
    live["data"]["cert"] = "abc".into();
    live["metadata"]["managedFields"] =
        json!([entry("kubectl-edit", json!({"f:data": {".": {}, "f:word": {}, "f:cert": {}}}))]);
    let all = edits(&secret("d29yZA=="), &live);
    let lines: Vec<String> = all.iter().map(|edit| edit.line("Secret n/s")).collect();
    assert_eq!(lines, ["~ Secret n/s: data.word (secret) → (secret), set by kubectl-edit at 2026-11-30T12:00:00Z"]);
    let settings = json!({"kind": "ConfigMap", "data": {"a": "one\ntwo", "apiToken": "x", "b.c/d": "e"}});
    let mut live = settings.clone();
    live["metadata"]["managedFields"] =
        json!([entry("k9s", json!({"f:data": {"f:a": {}, "f:apiToken": {}, "f:b.c/d": {}}}))]);
    live["data"] = json!({"a": "one\n3", "apiToken": "y", "b.c/d": "f"});
    let all = edits(&settings, &live);
    let lines: Vec<String> = all.iter().map(|edit| edit.line("ConfigMap n/c")).collect();
    assert_eq!(
        lines[0],
        "~ ConfigMap n/c: data.a (text, 5 bytes) → (text, 7 bytes), set by k9s at 2026-11-30T12:00:00Z"
    );
    assert!(
        lines[1].contains("data.apiToken (secret) → (secret)") && lines[2].contains("data.\"b.c/d\" \"f\" → \"e\""),
        "{lines:?}"
    );
    assert_eq!(all[2].pointer, "/data/b.c~1d");
}

/// As helm's entry becomes when somebody else sets the only field in a map that helm made.
#[test]
fn who_made_a_map_does_not_own_what_others_set_in_it() {
    let settings = json!({"kind": "ConfigMap", "data": {"color": "blue"}});
    let mut live = json!({"kind": "ConfigMap", "data": {"color": "red"}});
    live["metadata"]["managedFields"] =
        json!([entry("helm", json!({"f:data": {}})), entry("kubectl-edit", json!({"f:data": {"f:color": {}}}))]);
    assert_eq!(edits(&settings, &live).len(), 1);
    live["metadata"]["managedFields"].as_array_mut().unwrap().pop();
    assert_eq!(edits(&settings, &live), [], "it is helm's as a whole");
}

#[test]
fn how_a_list_is_kept_is_told_by_how_its_elements_are_named() {
    for (fields, kind) in [
        (
            json!({".": {}, "k:{\"containerPort\":1,\"protocol\":\"TCP\"}": {}}),
            ListKind::ByKeys(vec!["containerPort".into(), "protocol".into()]),
        ),
        (json!({"v:\"a\"": {}}), ListKind::Set),
        (json!({}), ListKind::Whole),
    ] {
        let object = json!({"metadata": {"managedFields": [entry("helm", json!({"f:list": fields}))]}});
        assert_eq!(Owners::of(&object).top().field("list").list_kind(), kind);
    }
}
