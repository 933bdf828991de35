//! What is said about the choices of a site, and which images they lead to.

use crate::site::{catalog, choose, desired, elsewhere, every_way, facts, with};
use plinth_catalog::Resolution;
use plinth_model::Severity;
use serde_json::{Value, json};

/// The example site with these components switched on, and values of its own for one.
fn with_values(on: &[&str], component: &str, given: Value) -> Resolution {
    let mut site = desired();
    for name in on {
        choose(&mut site, name, |choice| choice.enabled = Some(true));
    }
    choose(&mut site, component, |choice| choice.values = Some(given.try_into().unwrap()));
    catalog().resolve(&site, &facts())
}

#[test]
fn a_part_that_others_count_on_is_not_switched_off_in_silence() {
    let policies = ["kyverno", "kyverno-policies"];
    let off = |path: &str| path.rsplit('.').fold(json!(false), |inner, key| json!({ key: inner }));
    for (on, component, path, code, severity) in [
        (&[][..], "kube-prometheus-stack", "prometheus.enabled", "platform.missing-need", Severity::Error),
        (&[], "kube-prometheus-stack", "prometheus.enabled", "platform.not-measured", Severity::Warning),
        (&[], "kube-prometheus-stack", "prometheusOperator.enabled", "platform.missing-need", Severity::Error),
        (&[], "gpu-operator", "dcgmExporter.enabled", "platform.missing-need", Severity::Warning),
        (&policies, "kyverno", "crds.install", "platform.missing-need", Severity::Error),
        (&policies, "kyverno", "reportsController.enabled", "platform.not-measured", Severity::Warning),
    ] {
        let subject = format!("platform.components.{component}.values.{path}");
        let said = |resolution: &Resolution| {
            resolution.findings.iter().any(|f| f.code == code && f.subject == subject && f.severity == severity)
        };
        assert!(said(&with_values(on, component, off(path))), "{path}: {code}");
        assert!(!said(&with_values(on, component, json!({}))), "{path}: {code} although nothing is off");
    }
    let alone = with_values(&["kyverno"], "kyverno", json!({"crds": {"install": false}}));
    assert!(!alone.findings.iter().any(|finding| finding.code == "platform.missing-need"), "no policies, no finding");
    let enforced = with_values(&policies, "kyverno-policies", json!({"validationFailureAction": "Enforce"}));
    assert!(enforced.findings.iter().any(|finding| finding.message.contains("privileged pods")));
}

#[test]
fn policies_without_their_operator_are_refused() {
    let mut site = desired();
    choose(&mut site, "kyverno-policies", |choice| choice.enabled = Some(true));
    let findings = catalog().resolve(&site, &facts()).findings;
    let found = findings.iter().find(|finding| finding.subject == "platform.components.kyverno.enabled");
    assert_eq!(
        found.map(|finding| (finding.code.as_str(), finding.severity)),
        Some(("platform.missing-need", Severity::Error))
    );
}

#[test]
fn an_unlisted_version_is_compared_with_the_one_that_this_site_would_get() {
    let mut site = desired();
    choose(&mut site, "gpu-operator", |choice| choice.version = Some("v25.10.2".parse().unwrap()));
    for (minor, wanted) in [("2.21", "v25.3.3"), ("2.25", "v25.10.1")] {
        let findings = catalog().resolve(&site, &with(json!({"runai.minor": minor}))).findings;
        let found = findings.iter().find(|finding| finding.code == "platform.version-not-checked").unwrap();
        assert!(
            found.message.contains(&format!("checked against {wanted}, not against v25.10.2")),
            "{}",
            found.message
        );
        assert!(found.fix.ends_with(&format!("use {wanted}")), "{}", found.fix);
    }
}

/// A plan tells people why something is there; the name of a fact tells them nothing.
#[test]
fn reasons_are_sentences_and_name_no_facts() {
    for (way, site, facts) in every_way() {
        for component in catalog().resolve(&site, &facts).components {
            let why = component.reason.split(';').next().unwrap().to_owned();
            assert!(why.contains(' ') && !facts.keys().any(|fact| why.contains(fact.as_str())), "{way}: {why}");
            assert!(!why.contains("nothing on this site"), "{way}: {} is on, and {why}", component.name);
        }
    }
}

#[test]
fn what_is_not_known_of_images_is_said() {
    let mut site = desired();
    for name in ["kyverno", "kyverno-policies"] {
        choose(&mut site, name, |choice| choice.enabled = Some(true));
    }
    choose(&mut site, "metallb", |choice| choice.version = Some("0.15.3".parse().unwrap()));
    let facts = with(json!({"nodes.untainted": 0, "loadBalancer.addresses": ["10.0.0.1/32"]}));
    let resolution = catalog().resolve(&site, &facts);
    let unlisted = |name: &str| {
        let found = resolution.components.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("{name} is off"));
        (found.images.len(), found.unlisted_images.clone().unwrap_or_default())
    };
    for known in ["gpu-operator", "kube-prometheus-stack", "lws"] {
        let (images, rest) = unlisted(known);
        assert!(images > 0 && rest.is_empty(), "{known}: {rest}");
    }
    assert_eq!(unlisted("kyverno-policies"), (0, String::new()), "it has no pods");
    assert_eq!(unlisted("metallb"), (0, "all that the chart names".to_owned()), "nobody looked at that version");
    assert_eq!(unlisted("runai-cluster"), (0, "all that the chart names".to_owned()));
    let (images, rest) = unlisted("knative-operator");
    assert!(images == 2 && rest.contains("Serving"), "{images} {rest}");
}

/// The note about preparing BCM applies the kinds of snapshots without the controller: then nobody takes one, and nothing says so.
#[test]
fn snapshots_come_with_their_controller() {
    let on = with_values(&["snapshot-controller"], "snapshot-controller", json!({}));
    let component = on.components.iter().find(|component| component.name == "snapshot-controller").unwrap();
    let rules = serde_json::to_string(&component.release.health).unwrap();
    assert!(rules.contains("Deployment") && rules.contains("volumesnapshots.snapshot.storage.k8s.io"), "{rules}");
    assert_eq!(component.release.crds, plinth_model::steps::CrdPolicy::Apply);
    assert!(component.release.digest.is_some());
    let alone = json!({"controller": {"enabled": false}});
    let alone = with_values(&["snapshot-controller"], "snapshot-controller", alone);
    assert!(alone.findings.iter().any(|finding| finding.message.contains("nobody takes the snapshot")));
    assert!(!catalog().resolve(&desired(), &facts()).components.iter().any(|c| c.name == "snapshot-controller"));
}

#[test]
fn with_a_control_plane_elsewhere_only_the_cluster_part_comes() {
    for minor in ["2.21", "2.25"] {
        let mut changes = elsewhere();
        changes["runai.minor"] = json!(minor);
        let resolution = catalog().resolve(&desired(), &with(changes));
        let found = |name: &str| resolution.components.iter().find(|component| component.name == name);
        assert!(found("runai-control-plane").is_none(), "{minor}");
        let cluster = found("runai-cluster").unwrap();
        assert_eq!(cluster.release.values["controlPlane"]["url"], json!("https://acme.run.ai"));
        assert_eq!(cluster.release.values["cluster"]["url"], json!("https://bcm-head-01.eth.cluster"));
        assert!(
            cluster.release.values.pointer("/global/customCA").is_none(),
            "its certificate is trusted by everybody"
        );
        let secrets: Vec<&str> = cluster.secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(secrets, ["runai-reg-creds", "runai-cluster-domain-tls-secret"], "{minor}");
        let ingress = found("ingress-nginx").or_else(|| found("haproxy-ingress")).unwrap();
        let values = serde_json::to_string(&ingress.release.values).unwrap();
        assert!(values.contains("runai-cluster-domain-tls-secret") && !values.contains("runai-backend"), "{values}");
        let errors: Vec<_> = resolution.findings.iter().filter(|finding| finding.is_error()).collect();
        assert!(errors.is_empty(), "{minor}: {errors:#?}");
    }
    let mut site = desired();
    choose(&mut site, "runai-control-plane", |choice| choice.enabled = Some(false));
    let findings = catalog().resolve(&site, &facts()).findings;
    assert!(findings.iter().any(|finding| finding.code == "platform.missing-need"), "here it is needed");
}
