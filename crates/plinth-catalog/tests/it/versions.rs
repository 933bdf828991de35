//! The compatibility resolver.

use crate::site::{catalog, choose, codes, desired, facts};
use plinth_model::{Finding, Severity, Version};
use plinth_site::Desired;

fn check(desired: &Desired) -> Vec<Finding> {
    let catalog = catalog();
    let mut facts = facts();
    if let Some(runai) = &desired.runai {
        facts.insert("runai.version".to_owned(), runai.version.to_string().into());
        facts.insert("runai.minor".to_owned(), runai.version.minor().into());
    }
    catalog.check_versions(desired, &catalog.resolve(desired, &facts))
}

/// Without what the sources do not say.
fn doubts(desired: &Desired) -> Vec<Finding> {
    check(desired).into_iter().filter(|finding| finding.code != "compatibility.not-stated").collect()
}

/// The newest patch of a minor, as the Kubespray release has it.
fn newest_patch(kubespray: &Version, minor: &Version) -> Version {
    let catalog = catalog();
    let row = &catalog.compatibility().kubespray[kubespray.bare()];
    row.kubernetes.newest_patches.iter().find(|patch| patch.minor() == minor.minor()).unwrap().clone()
}

#[test]
fn nothing_of_the_example_site_is_refused_or_doubted() {
    let findings = check(&desired());
    assert_eq!(codes(&findings), ["compatibility.not-stated"]);
    assert_eq!(
        findings[0].evidence,
        [
            "Run:ai 2.21 with Prometheus 77.6.2: not stated (Run:ai docs 2.20: Cluster prerequisites / system requirements)"
        ]
    );
}

#[test]
fn derived_examples_of_the_data() {
    let catalog = catalog();
    assert!(!catalog.compatibility().derived_examples.is_empty());
    for example in &catalog.compatibility().derived_examples {
        let mut desired = desired();
        desired.runai.as_mut().unwrap().version = example.runai.clone();
        desired.kubernetes.kubespray = Some(example.kubespray.clone());
        desired.kubernetes.version = Some(newest_patch(&example.kubespray, &example.kubernetes));
        // The examples speak of these two components only.
        for (component, version) in
            [("gpu-operator", &example.gpu_operator), ("knative-operator", &example.knative_operator)]
        {
            let listed = &catalog.components()[component].chart.versions;
            let pinned = listed.iter().map(|pin| &pin.version).find(|pin| pin.minor() == version.minor());
            choose(&mut desired, component, |choice| choice.version = Some(pinned.unwrap_or(version).clone()));
        }
        for off in ["lws", "kube-prometheus-stack", "prometheus-adapter", "haproxy-ingress", "ingress-nginx"] {
            choose(&mut desired, off, |choice| choice.enabled = Some(false));
        }
        let findings: Vec<Finding> = check(&desired)
            .into_iter()
            .filter(|f| f.code.as_str().starts_with("compatibility.") || f.is_error())
            .collect();
        let verdict = match findings.iter().map(|finding| finding.severity).max() {
            None => "ok",
            Some(Severity::Info) => "inform",
            Some(Severity::Warning) => "warn",
            Some(Severity::Error) => "refuse",
        };
        assert_eq!(verdict, example.verdict, "{example:?}\n{findings:#?}");
    }
}

#[test]
fn an_answer_carries_derivation_source_confidence_and_the_nearest_that_fits() {
    let mut site = desired();
    site.kubernetes.version = Some("v1.33.0".parse().unwrap());
    let findings = check(&site);
    let finding = findings.iter().find(|finding| finding.message.starts_with("Run:ai 2.21 wants Kubernetes")).unwrap();
    assert_eq!((finding.severity, finding.subject.as_str()), (Severity::Warning, "kubernetes.version"));
    assert_eq!(
        finding.message,
        "Run:ai 2.21 wants Kubernetes >=1.30.0, <1.33.0 (Run:ai professional services: one-click installer and sanity check, medium); the site has v1.33.0"
    );
    assert_eq!(finding.fix, "use Kubernetes v1.32.11, the nearest that fits, or use Run:ai 2.22, which takes v1.33.0");
    assert!(finding.evidence.contains(&"rule runai.kubernetes, confidence medium".to_owned()));
}

#[test]
fn high_confidence_refuses_unless_accepted_by_name() {
    let mut site = desired();
    choose(&mut site, "knative-operator", |choice| choice.version = Some("v1.19.6".parse().unwrap()));
    let refusal = |site: &Desired| {
        check(site).into_iter().find(|f| f.message.contains("Knative Serving 1.19 wants Kubernetes")).unwrap()
    };
    let refused = refusal(&site);
    assert!(refused.is_error());
    assert_eq!(refused.subject, "kubernetes.version");
    assert!(refused.fix.contains("1.18") && refused.fix.contains("`knative-serving.kubernetes`"), "{}", refused.fix);
    site.platform.accept = vec!["knative-serving.kubernetes".to_owned()];
    assert_eq!(refusal(&site).severity, Severity::Warning);
    site.platform.accept = vec!["knative-operator".to_owned()];
    assert!(refusal(&site).is_error(), "only the whole name counts");
}

#[test]
fn a_newer_operator_with_an_older_serving_asks_no_more_of_kubernetes() {
    let mut site = desired();
    choose(&mut site, "knative-operator", |choice| choice.version = Some("v1.19.2".parse().unwrap()));
    assert_eq!(doubts(&site), [], "it carries Serving 1.16.3, inside the range of Run:ai 2.21");
}

#[test]
fn a_component_of_the_site_file_is_the_subject() {
    let mut site = desired();
    choose(&mut site, "gpu-operator", |choice| choice.version = Some("v25.10.1".parse().unwrap()));
    let findings = doubts(&site);
    assert_eq!(codes(&findings), ["compatibility.out-of-range"], "{findings:#?}");
    assert_eq!(findings[0].subject, "platform.components.gpu-operator.version");
    assert!(
        findings[0].fix.starts_with("use NVIDIA GPU Operator v25.3.4, the nearest that fits"),
        "{}",
        findings[0].fix
    );
}

/// Subject, rule, nearest, and what is changed in the site.
type UnknownCase = (&'static str, &'static str, &'static str, fn(&mut Desired));

#[test]
fn what_nobody_knows_is_an_error_with_the_nearest() {
    let cases: [UnknownCase; 3] = [
        ("runai.version", "runai.known", "Run:ai 3.0", |site| {
            site.runai.as_mut().unwrap().version = "9.9".parse().unwrap()
        }),
        ("platform.components.gpu-operator.version", "gpu-operator.known", "GPU Operator 25.3", |site| {
            choose(site, "gpu-operator", |choice| choice.version = Some("v25.7.0".parse().unwrap()));
        }),
        ("platform.components.lws.version", "lws.known", "LeaderWorkerSet 0.5", |site| {
            choose(site, "lws", |choice| choice.version = Some("v0.1.0".parse().unwrap()));
        }),
    ];
    for (subject, rule, nearest, change) in cases {
        let mut site = desired();
        change(&mut site);
        let unknown =
            |site: &Desired| check(site).into_iter().find(|f| f.code == "compatibility.unknown-version").unwrap();
        let finding = unknown(&site);
        assert!(finding.is_error());
        assert_eq!(finding.subject, subject);
        assert!(finding.fix.contains(nearest) && finding.fix.contains(rule), "{}", finding.fix);
        site.platform.accept = vec![rule.to_owned()];
        assert_eq!(unknown(&site).severity, Severity::Warning);
    }
}

#[test]
fn what_the_sources_do_not_say_is_told_once() {
    let mut site = desired();
    site.runai.as_mut().unwrap().version = "2.22.15".parse().unwrap();
    let findings = check(&site);
    assert_eq!(codes(&findings), ["compatibility.not-stated"]);
    assert_eq!(findings[0].severity, Severity::Info);
    assert_eq!(findings[0].evidence.len(), 3, "{findings:#?}");
    assert!(findings[0].evidence.iter().all(|line| line.contains("known to work")), "{findings:#?}");
}

#[test]
fn run_ai_rules_besides_ranges() {
    let mut site = desired();
    site.runai.as_mut().unwrap().source = plinth_site::desired::ArtifactSource::Ngc;
    assert_eq!(codes(&doubts(&site)), ["runai.artifact-source"]);
    site.platform.accept = vec!["runai.source".to_owned()];
    assert!(doubts(&site).iter().all(|finding| !finding.is_error()));

    let mut site = desired();
    site.runai.as_mut().unwrap().version = "3.0.1".parse().unwrap();
    let findings = doubts(&site);
    assert!(findings.iter().all(|f| f.code != "runai.cluster-secret"), "both credentials are known: {findings:#?}");

    let mut site = desired();
    choose(&mut site, "runai-cluster", |choice| choice.version = Some("2.20.22".parse().unwrap()));
    let findings = doubts(&site);
    assert_eq!(codes(&findings), ["runai.same-minor"]);
    assert_eq!(findings[0].subject, "platform.components.runai-cluster.version");
}

#[test]
fn a_misspelt_rule_does_not_go_unnoticed() {
    let mut site = desired();
    site.platform.accept = ["runai.kubernetes", "runai.kubernets", "runai-cluster.needs.gpu-operator", "lws.known"]
        .map(str::to_owned)
        .to_vec();
    let findings = doubts(&site);
    assert_eq!(codes(&findings), ["platform.unknown-rule"], "{findings:#?}");
    assert_eq!(
        (findings[0].subject.as_str(), findings[0].fix.as_str()),
        ("platform.acceptIncompatible[1]", "write `runai.kubernetes`")
    );
}

#[test]
fn parts_are_named_after_themselves() {
    let mut site = desired();
    choose(&mut site, "knative-operator", |choice| choice.version = Some("v1.18.2".parse().unwrap()));
    let findings = doubts(&site);
    assert_eq!(codes(&findings), ["compatibility.out-of-range"], "{findings:#?}");
    assert!(
        findings[0].message.starts_with("Run:ai 2.21 wants Knative Serving >=1.11.0, <1.17.0"),
        "{}",
        findings[0].message
    );
    assert_eq!(findings[0].subject, "platform.components.knative-operator.version");
}

#[test]
fn the_kubespray_refusal_is_among_the_answers() {
    let mut site = desired();
    site.kubernetes.version = Some("v1.31.10".parse().unwrap());
    site.kubernetes.kubespray = Some("v2.27.1".parse().unwrap());
    assert_eq!(codes(&doubts(&site)), ["kubernetes.version-not-in-kubespray"]);
    site.kubernetes.engine = plinth_site::desired::Engine::Existing;
    assert_eq!(doubts(&site), [], "another engine needs no Kubespray");
}

#[test]
fn the_ingress_is_measured_by_the_version_that_is_chosen() {
    let of = |ingress: &str, kubernetes: &str| {
        let mut site = desired();
        site.kubernetes.version = Some(kubernetes.parse().unwrap());
        choose(&mut site, "ingress-nginx", |choice| choice.version = Some(ingress.parse().unwrap()));
        let findings = check(&site);
        findings.into_iter().find(|finding| finding.message.starts_with(&format!("Ingress controller {ingress} wants")))
    };
    assert_eq!((of("4.9.0", "1.28.6"), of("4.15.1", "1.32.5")), (None, None));
    let (old, new) = (of("4.15.1", "1.28.6").unwrap(), of("4.9.0", "1.32.5").unwrap());
    assert_eq!((old.severity, new.severity), (Severity::Warning, Severity::Warning));
    assert!(old.message.contains(">=1.31.0, <1.36.0") && new.message.contains(">=1.25.0, <1.29.0"), "{old:?} {new:?}");
    assert_eq!(of("4.12.1", "1.32.5"), None, "no list is at hand for it, which refuses nothing");
}
