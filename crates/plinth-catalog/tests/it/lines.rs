//! What comes with each line of Run:ai, and what moves with the version of a component.

use crate::site::{catalog, choose, codes, desired, facts, infiniband, values, with};
use plinth_catalog::{Facts, Resolution, ResolvedComponent};
use plinth_model::steps::SecretContent;
use plinth_model::{Severity, Version};
use plinth_site::Desired;
use plinth_site::desired::ArtifactSource;
use serde_json::{Value, json};

/// A site of this line on a Kubernetes that it takes.
fn of(line: &str, kubernetes: &str) -> (Desired, Facts) {
    let mut site = desired();
    let runai = site.runai.as_mut().unwrap();
    runai.version = line.parse().unwrap();
    let source = match runai.version.semver() {
        version if version.major >= 3 => (ArtifactSource::Oss, "oss"),
        version if version.minor >= 25 => (ArtifactSource::Ngc, "ngc"),
        _ => (ArtifactSource::Jfrog, "jfrog"),
    };
    runai.source = source.0;
    site.kubernetes.version = Some(kubernetes.parse().unwrap());
    site.kubernetes.engine = plinth_site::desired::Engine::Existing;
    let facts = with(
        json!({"runai.version": line, "runai.minor": line, "runai.source": source.1, "kubernetes.version": kubernetes}),
    );
    (site, facts)
}

fn found<'a>(resolution: &'a Resolution, name: &str) -> &'a ResolvedComponent {
    resolution.components.iter().find(|component| component.name == name).unwrap_or_else(|| panic!("{name} is off"))
}

/// Out of the box: nothing but the version is written.
#[test]
fn every_line_of_runai_has_a_platform_that_its_vendor_takes() {
    let catalog = catalog();
    for (line, kubernetes) in [
        ("2.19", "v1.30.4"),
        ("2.20", "v1.31.9"),
        ("2.21", "v1.31.9"),
        ("2.22", "v1.32.5"),
        ("2.23", "v1.32.5"),
        ("2.24", "v1.33.4"),
        ("2.25", "v1.34.2"),
        ("2.26", "v1.34.2"),
        ("3.0", "v1.34.2"),
    ] {
        let (site, facts) = of(line, kubernetes);
        let resolution = catalog.resolve(&site, &facts);
        let errors: Vec<_> = resolution.findings.iter().filter(|finding| finding.is_error()).collect();
        assert!(errors.is_empty(), "{line}: {errors:#?}");
        let refused: Vec<_> =
            catalog.check_versions(&site, &resolution).into_iter().filter(plinth_model::Finding::is_error).collect();
        assert!(refused.is_empty(), "{line}: {refused:#?}");
    }
}

/// Nothing but the version is written here either, so Kubespray is the newest that installs it.
#[test]
fn the_gpu_operator_takes_the_containerd_that_comes_with_kubespray() {
    let catalog = catalog();
    let named = |tag: &str| Some(tag.parse().unwrap());
    for (line, kubernetes, kubespray, wanted) in [
        ("2.21", "v1.31.9", None, "v25.3.3"),
        ("2.22", "v1.32.5", None, "v25.10.1"),
        ("2.23", "v1.33.4", None, "v25.10.1"),
        ("2.24", "v1.33.4", None, "v25.10.1"),
        ("2.24", "v1.33.4", named("v2.29.1"), "v25.3.3"),
    ] {
        let (mut site, facts) = of(line, kubernetes);
        site.kubernetes.engine = plinth_site::desired::Engine::Kubespray;
        site.kubernetes.kubespray = kubespray;
        let resolution = catalog.resolve(&site, &facts);
        let version = found(&resolution, "gpu-operator").release.version.to_string();
        assert_eq!(version, wanted, "{line} on {kubernetes} by {:?}", site.kubernetes.kubespray);
        let findings = resolution.findings.iter().cloned().chain(catalog.check_versions(&site, &resolution));
        let errors: Vec<_> = findings.filter(plinth_model::Finding::is_error).collect();
        assert!(errors.is_empty(), "{line} on {kubernetes}: {errors:#?}");
    }
    let (mut site, mut facts) = of("2.24", "v1.33.4");
    (site.kubernetes.engine, site.runai) = (plinth_site::desired::Engine::Kubespray, None);
    facts.retain(|name, _| !name.starts_with("runai."));
    facts.extend([("runai.enabled".to_owned(), json!(false)), ("runai.selfHosted".to_owned(), json!(false))]);
    assert_eq!(found(&catalog.resolve(&site, &facts), "gpu-operator").release.version.to_string(), "v25.10.1");
}

#[test]
fn runai_3_0_gets_what_its_matrix_names() {
    let (site, facts) = of("3.0", "v1.34.2");
    let resolution = catalog().resolve(&site, &facts);
    let release = |name: &str| &found(&resolution, name).release;
    for (name, version, proved) in [
        ("kube-prometheus-stack", "88.6.5", false),
        ("knative-operator", "v1.21.4", true),
        ("gpu-operator", "v25.10.1", false),
        ("lws", "v0.7.0", false),
    ] {
        let release = release(name);
        assert_eq!((release.version.to_string().as_str(), release.digest.is_some()), (version, proved), "{name}");
    }
    assert_eq!(release("runai-cluster").repository, "https://helm.ngc.nvidia.com/nvidia/runai-oss");
    assert!(release("runai-cluster").login.is_none(), "open-source artefacts ask for no login");
    // Where the cluster is too old for the Serving that it takes, the answer names both ways out.
    let (site, facts) = of("3.0", "v1.31.9");
    let catalog = catalog();
    let said = catalog.check_versions(&site, &catalog.resolve(&site, &facts));
    let refused =
        said.iter().find(|finding| finding.message.contains("Knative Serving 1.21 wants Kubernetes")).unwrap();
    assert!(refused.is_error() && refused.fix.contains("use Kubernetes v1.33"), "{}", refused.fix);
}

#[test]
fn objects_of_the_network_operator_follow_its_version() {
    let tag = |version: &str| {
        let mut site = desired();
        choose(&mut site, "network-operator", |choice| {
            (choice.enabled, choice.version) = (Some(true), Some(version.parse().unwrap()));
        });
        let resolution = catalog().resolve(&site, &with(infiniband()));
        let component = found(&resolution, "network-operator");
        let policy = &component.objects[0];
        let tag = policy.pointer("/spec/secondaryNetwork/multus/version").and_then(Value::as_str).unwrap().to_owned();
        let rdma: Vec<String> = component.images.iter().filter(|image| image.contains("rdma-cni")).cloned().collect();
        let errors: Vec<String> =
            resolution.findings.iter().filter(|f| f.is_error()).map(|f| f.code.to_string()).collect();
        (tag, rdma, errors)
    };
    let untagged = "ghcr.io/k8snetworkplumbingwg/rdma-cni".to_owned();
    let own = |version: &str| format!("nvcr.io/nvidia/mellanox/rdma-cni:network-operator-v{version}");
    assert_eq!(tag("25.7.0"), ("network-operator-v25.7.0".to_owned(), vec![untagged.clone()], vec![]));
    assert_eq!(tag("v26.1.2"), ("network-operator-v26.1.2".to_owned(), vec![own("26.1.2")], vec![]));
    // Its default values have NVIDIA's only as a comment (tag v25.10.0 of the source); v26.1.0 is the first that names it.
    assert_eq!(tag("25.10.0").1, [untagged]);
    assert_eq!(tag("26.1").2, ["platform.version-not-pinned"], "a line is no tag");
    assert_eq!(tag("25.4.0").2, ["platform.version-not-checked"], "parts had tags of their own before");
    let (site, facts) = of("2.25", "v1.33.4");
    let facts: Facts = facts
        .into_iter()
        .chain(with(infiniband()).into_iter().filter(|(name, _)| name.starts_with("infiniband.")))
        .collect();
    let chosen = found(&catalog().resolve(&site, &facts), "network-operator").release.version.to_string();
    assert_eq!(chosen, "26.1.2", "the newest line that Run:ai 2.25 takes");
}

#[test]
fn serving_goes_over_what_its_operator_carries() {
    let upgrade_path = |line: &str, kubernetes: &str| {
        let (site, facts) = of(line, kubernetes);
        let resolution = catalog().resolve(&site, &facts);
        found(&resolution, "knative-operator").release.upgrade_path.clone().unwrap()
    };
    let (old, new) = (upgrade_path("2.25", "v1.33.4"), upgrade_path("3.0", "v1.34.2"));
    let carried = |upgrade_path: &plinth_model::steps::UpgradePath| {
        upgrade_path.carried.iter().map(Version::minor).collect::<Vec<_>>()
    };
    assert_eq!(
        (old.wanted.as_str(), carried(&old)),
        ("1.19", ["1.16", "1.17", "1.18", "1.19"].map(str::to_owned).to_vec())
    );
    assert_eq!(old.rule, "runai.knative-serving", "the rule that the compatibility of that part is accepted by");
    assert_eq!(old.next(&"1.16.0".parse().unwrap()).unwrap().unwrap().as_str(), "1.17");
    let gap = new.next(&"1.16.3".parse().unwrap()).unwrap_err();
    assert_eq!((gap.next.as_str(), gap.by.unwrap().as_str()), ("1.17", "v1.19.6"), "the newest that carries it");
}

#[test]
fn features_and_the_certificate_of_inference_are_by_the_line_and_the_site() {
    let serving = |changes: Value| {
        let resolution = catalog().resolve(&desired(), &with(changes));
        let component = found(&resolution, "knative-operator").clone();
        (component.objects, component.secrets)
    };
    let (objects, secrets) = serving(json!({}));
    assert_eq!((objects.len(), secrets.len()), (1, 0));
    let feature = |objects: &[Value], name: &str| objects[0].pointer(&format!("/spec/config/features/{name}")).cloned();
    assert_eq!(feature(&objects, "kubernetes.podspec-hostipc"), Some(json!("disabled")));
    let changes = json!({"runai.minor": "2.25", "runai.version": "2.25.3", "runai.source": "ngc",
        "runai.inferenceDomain": "inf.example.com", "runai.inferenceDomains": {"inf.example.com": ""}});
    let (objects, secrets) = serving(changes);
    for name in ["kubernetes.podspec-hostipc", "kubernetes.podspec-hostnetwork"] {
        assert_eq!(feature(&objects, name), Some(json!("enabled")));
    }
    assert_eq!(objects[0].pointer("/spec/config/domain"), Some(&json!({"inf.example.com": ""})));
    let (secret, ingress) = (&secrets[0], &objects[1]);
    assert_eq!(
        (secret.namespace.as_str(), secret.name.as_str()),
        ("knative-serving", "runai-cluster-inference-tls-secret")
    );
    assert_eq!(secret.content, SecretContent::Tls { certificate: "runai".to_owned() });
    assert_eq!(ingress.pointer("/spec/rules/0/host"), Some(&json!("*.inf.example.com")));
    assert_eq!(ingress.pointer("/spec/ingressClassName"), Some(&json!("haproxy")), "the one of this line");
}

#[test]
fn buckets_are_off_unless_asked_for_and_their_file_is_a_persons() {
    let mut site = desired();
    assert!(!catalog().resolve(&site, &facts()).components.iter().any(|one| one.name == "cosi-controller"));
    choose(&mut site, "cosi-controller", |choice| choice.enabled = Some(true));
    let resolution = catalog().resolve(&site, &facts());
    assert!(codes(&resolution.findings).contains(&"platform.objects-unproved"));
    let said = resolution.findings.iter().find(|finding| finding.code == "platform.objects-unproved").unwrap();
    assert_eq!(said.severity, Severity::Error);
    assert_eq!(values(&resolution, "cosi-controller"), &json!({}));
}
