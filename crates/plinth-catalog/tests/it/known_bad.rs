//! None of the wrong settings that circulate is in the catalog, and the detector would see each of them.

use crate::site::{catalog, choose, desired, every_way, facts, values};
use plinth_catalog::known_bad::KnownBadVerdict;
use plinth_model::Severity;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn the_list_is_complete() {
    let catalog = catalog();
    let ids: BTreeSet<u32> = catalog.known_bad().entries.iter().map(|entry| entry.id).collect();
    assert!((1..=26).all(|id| ids.contains(&id)), "{ids:?}");
    assert_eq!(ids.len(), catalog.known_bad().entries.len(), "a number is used twice");
    for entry in &catalog.known_bad().entries {
        let findable = !entry.keys.is_empty() || entry.object.is_some();
        assert_eq!(findable, entry.verdict != KnownBadVerdict::Practice, "{}", entry.id);
    }
}

#[test]
fn none_of_it_is_in_any_rendered_values_or_objects() {
    let catalog = catalog();
    for (way, desired, facts) in every_way() {
        let enabled = |name: &str| catalog.resolve(&desired, &facts).components.iter().any(|c| c.name == name);
        let mut facts = facts.clone();
        facts.insert("component.gpu-operator.enabled".to_owned(), Value::Bool(enabled("gpu-operator")));
        for component in catalog.resolve(&desired, &facts).components {
            let values = &component.release.values;
            let hits = catalog.known_bad().in_values(&component.name, values, values, &facts).unwrap();
            assert!(hits.is_empty(), "{way}: {}: {hits:?}", component.name);
            for object in &component.objects {
                assert!(catalog.known_bad().in_object(object).is_empty(), "{way}: {object}");
            }
        }
    }
}

#[test]
fn the_detector_sees_every_key_of_the_list() {
    let catalog = catalog();
    let mut facts = facts();
    facts.insert("component.gpu-operator.enabled".to_owned(), json!(true));
    let mut seen = 0;
    for entry in &catalog.known_bad().entries {
        for path in &entry.keys {
            let example = entry.example(path);
            let hits = catalog.known_bad().in_values(&entry.chart, &example, &example, &facts).unwrap();
            assert!(hits.iter().any(|hit| hit.entry.id == entry.id && hit.path == path), "{}: {path}", entry.id);
            seen += 1;
        }
        if let Some(object) = &entry.object {
            let mut example = object.path.rsplit('.').fold(json!(1), |value, key| json!({ key: value }));
            example["kind"] = json!(object.kind);
            assert_eq!(catalog.known_bad().in_object(&example)[0].entry.id, entry.id);
            seen += 1;
        }
    }
    assert!(seen >= 40, "only {seen} keys");
}

#[test]
fn a_hit_depends_on_its_surroundings() {
    let catalog = catalog();
    let hits =
        |chart: &str, values: Value| catalog.known_bad().in_values(chart, &values, &values, &facts()).unwrap().len();
    assert_eq!(hits("gpu-operator", json!({"devicePlugin": {"config": {"name": "x"}}})), 1);
    assert_eq!(hits("gpu-operator", json!({"devicePlugin": {"config": {"name": "x", "create": true}}})), 0);
    assert_eq!(hits("gpu-operator", json!({"dcgmExporter": {"serviceMonitor": {"enabled": false}}})), 0);
    assert_eq!(hits("gpu-operator", json!({"devicePlugin": {"env": [{"name": "OTHER"}]}})), 0);
    assert_eq!(hits("runai-control-plane", json!({"global": {"keycloakExternalEndpoint": "a:1"}})), 1);
}

#[test]
fn in_a_sites_own_values_it_becomes_a_finding_that_says_what_instead() {
    let cases = [
        ("gpu-operator", json!({"operator": {"defaultRuntime": "containerd"}}), Severity::Error),
        ("gpu-operator", json!({"driver": {"version": "550.54.15"}}), Severity::Warning),
        ("network-operator", json!({"nvIpam": {"deploy": true}}), Severity::Error),
        ("network-operator", json!({"nfd": {"enabled": true}}), Severity::Error),
        ("runai-cluster", json!({"prometheus": {"install": false}}), Severity::Warning),
    ];
    for (component, given, severity) in cases {
        let mut desired = desired();
        choose(&mut desired, component, |choice| {
            choice.enabled = Some(true);
            choice.values = Some(given.clone().try_into().unwrap());
        });
        let findings = catalog().resolve(&desired, &facts()).findings;
        let refused: Vec<_> = findings.iter().filter(|f| f.code == "platform.refused-value").collect();
        assert_eq!(refused.len(), 1, "{component} {given}: {findings:?}");
        assert_eq!(refused[0].severity, severity, "{given}");
        assert!(refused[0].subject.starts_with(&format!("platform.components.{component}.values.")));
        assert!(refused[0].fix.starts_with("instead: "));
        assert!(!findings.iter().any(|f| f.code == "platform.unknown-value"), "said twice: {findings:?}");
    }
}

#[test]
fn there_is_exactly_one_node_feature_discovery() {
    for (way, desired, facts) in every_way() {
        let resolution = catalog().resolve(&desired, &facts);
        let mut charts =
            resolution.components.iter().filter(|c| c.name == "gpu-operator" || c.name == "network-operator");
        let on = charts.by_ref().filter(|c| c.release.values["nfd"]["enabled"] == json!(true)).count();
        assert_eq!(on, 1, "{way}");
    }
}

#[test]
fn practices_of_the_list_are_not_ours() {
    let resolution = catalog().resolve(&desired(), &facts());
    for component in &resolution.components {
        assert_ne!(component.release.version.to_string(), "2.21", "a line is not a version");
    }
    assert_eq!(
        values(&resolution, "kube-prometheus-stack")["prometheus"]["prometheusSpec"]["serviceMonitorSelectorNilUsesHelmValues"],
        json!(false)
    );
    assert_eq!(values(&resolution, "gpu-operator")["driver"]["enabled"], json!(false), "the driver is on the host");
    let objects: Vec<String> =
        resolution.components.iter().flat_map(|c| &c.objects).map(|o| serde_saphyr::to_string(o).unwrap()).collect();
    assert!(!objects.is_empty() && objects.iter().all(|text| !text.contains('\t')));
}
