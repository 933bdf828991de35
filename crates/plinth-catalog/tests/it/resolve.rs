//! Components, values, order.

use crate::site::{catalog, choose, codes, desired, every_way, facts, values, with};
use plinth_catalog::{Catalog, CatalogError};
use plinth_model::steps::{Health, PodSecurity};
use plinth_model::values::SECRET_KEY;
use plinth_model::{SecretRef, Severity, Values};
use serde_json::{Value, json};

#[test]
fn the_example_resolves_without_a_doubt_but_the_unpinned_line() {
    let resolution = catalog().resolve(&desired(), &facts());
    assert_eq!(codes(&resolution.findings), ["runai.version-not-pinned"], "{:#?}", resolution.findings);
    let names: Vec<&str> = resolution.components.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    for off in ["metallb", "network-operator", "haproxy-ingress", "cert-manager", "kyverno", "k8s-nim-operator"] {
        assert!(!names.contains(&off), "{off}");
    }
    for component in &resolution.components {
        assert!(!component.reason.is_empty() && !component.release.health.is_empty(), "{}", component.name);
    }
    let releases: Vec<_> = resolution
        .components
        .iter()
        .map(|c| format!("{} {} {}", c.namespace, c.release.release, c.release.version))
        .collect();
    assert_eq!(
        releases,
        [
            "ingress-nginx ingress-nginx 4.15.1",
            "knative-operator knative-operator v1.16.0",
            "local-path-storage local-path-provisioner 0.0.37",
            "prometheus kube-prometheus-stack 77.6.2",
            "gpu-operator gpu-operator v25.3.3",
            "lws-system lws v0.7.0",
            "metrics-server metrics-server 3.13.0",
            "prometheus prometheus-adapter 5.1.0",
            "runai-backend runai-backend ~2.21.0",
            "runai runai-cluster ~2.21.0",
        ]
    );
}

#[test]
fn every_way_renders_without_errors() {
    for (way, desired, facts) in every_way() {
        let resolution = catalog().resolve(&desired, &facts);
        let errors: Vec<_> =
            resolution.findings.iter().filter(|f| f.is_error() && f.code != "platform.missing-need").collect();
        assert!(errors.is_empty(), "{way}: {errors:#?}");
    }
}

#[test]
fn each_stands_behind_its_needs_and_needs_only_what_is_on() {
    for (way, desired, facts) in every_way() {
        let components = catalog().resolve(&desired, &facts).components;
        for (place, component) in components.iter().enumerate() {
            for need in &component.needs {
                let before = components.iter().position(|c| c.name == *need);
                assert!(before.is_some_and(|before| before < place), "{way}: {} needs {need}", component.name);
            }
        }
    }
}

#[test]
fn secrets_are_references_and_nothing_else() {
    let marked = ["runai.adminPassword", "runai.clientSecret", "runai.clusterUid"];
    let resolution = catalog().resolve(&desired(), &facts());
    let mut found = Vec::new();
    for component in &resolution.components {
        found.extend(component.release.values.secret_refs().into_iter().map(|(_, reference)| reference));
        component
            .objects
            .iter()
            .for_each(|object| assert!(!object.to_string().contains(SECRET_KEY), "objects are applied as they are"));
    }
    let wanted: Vec<SecretRef> = marked.iter().filter_map(|name| Values::as_reference(&facts()[*name])).collect();
    assert_eq!((found.len(), wanted.len()), (3, 3));
    assert!(wanted.iter().all(|reference| found.contains(reference)), "{found:?}");
}

/// From 3.0 on, a token for the first contact stands where the secret of the cluster stood.
#[test]
fn the_cluster_part_signs_in_with_what_its_release_gives() {
    for (minor, has, lacks) in [("2.24", "clientSecret", "bootstrapToken"), ("3.0", "bootstrapToken", "clientSecret")] {
        let resolution = catalog().resolve(&desired(), &with(json!({"runai.minor": minor})));
        let plane = &values(&resolution, "runai-cluster")["controlPlane"];
        assert_eq!((&plane[has], plane.get(lacks)), (&facts()[&format!("runai.{has}")], None), "{minor}");
    }
}

#[test]
fn facts_change_values() {
    let at = |changes: Value, component: &str, pointer: &str| {
        let resolution = catalog().resolve(&desired(), &with(changes));
        values(&resolution, component).pointer(pointer).cloned()
    };
    let cases = [
        (json!({}), "gpu-operator", "/driver/enabled", Some(json!(false))),
        (json!({"gpu.driverOnHost": false}), "gpu-operator", "/driver/enabled", Some(json!(true))),
        (json!({"gpu.mig": "single"}), "gpu-operator", "/mig/strategy", Some(json!("single"))),
        (json!({"gpu.mig": "single"}), "gpu-operator", "/migManager/enabled", Some(json!(true))),
        (json!({}), "gpu-operator", "/devicePlugin", None),
        (json!({"gpu.timeSlicing": 4}), "gpu-operator", "/devicePlugin/config/create", Some(json!(true))),
        (
            json!({}),
            "gpu-operator",
            "/dcgmExporter/serviceMonitor/additionalLabels/release",
            Some(json!("kube-prometheus-stack")),
        ),
        (
            json!({}),
            "ingress-nginx",
            "/controller/service",
            Some(json!({"type": "NodePort", "nodePorts": {"http": 30080, "https": 30443}})),
        ),
        (
            json!({"loadBalancer.addresses": ["10.0.0.1/32"]}),
            "ingress-nginx",
            "/controller/service/type",
            Some(json!("LoadBalancer")),
        ),
        (
            json!({"loadBalancer.addresses": ["10.0.0.1/32"], "loadBalancer.ingress": "10.0.0.1"}),
            "ingress-nginx",
            "/controller/service/annotations",
            Some(json!({"metallb.io/loadBalancerIPs": "10.0.0.1"})),
        ),
        (
            json!({}),
            "ingress-nginx",
            "/controller/extraArgs/default-ssl-certificate",
            Some(json!("runai-backend/runai-backend-tls")),
        ),
        (json!({"runai.enabled": false}), "ingress-nginx", "/controller/extraArgs", None),
        (json!({}), "local-path-provisioner", "/nodePathMap/0/paths/0", Some(json!("/local/local-path-provisioner"))),
        (json!({}), "prometheus-adapter", "/prometheus/url", Some(json!("http://prometheus-operated.prometheus.svc"))),
        (json!({}), "runai-cluster", "/global/customCA/enabled", Some(json!(true))),
        (json!({"runai.privateAuthority": false}), "runai-cluster", "/global", None),
        (json!({}), "runai-control-plane", "/global/keycloakExternalEndpoint", None),
    ];
    for (changes, component, pointer, wanted) in cases {
        assert_eq!(at(changes.clone(), component, pointer), wanted, "{changes} {component} {pointer}");
    }
    let slices = at(json!({"gpu.timeSlicing": 4}), "gpu-operator", "/devicePlugin/config/data/any").unwrap();
    let config: Value = serde_saphyr::from_str(slices.as_str().unwrap()).unwrap();
    assert_eq!(config["sharing"]["timeSlicing"]["resources"], json!([{"name": "nvidia.com/gpu", "replicas": 4}]));
}

#[test]
fn the_cluster_part_gets_a_secret_and_from_3_0_on_a_token() {
    let at = |changes: Value, component: &str, pointer: &str| {
        let resolution = catalog().resolve(&desired(), &with(changes));
        values(&resolution, component).pointer(pointer).cloned()
    };
    let cases = [
        (json!({}), "runai-cluster", "/controlPlane/bootstrapToken", None),
        (json!({}), "runai-cluster", "/controlPlane/clientSecret", Some(facts()["runai.clientSecret"].clone())),
        (json!({"runai.minor": "3.0"}), "runai-cluster", "/controlPlane/clientSecret", None),
        (
            json!({"runai.minor": "3.0"}),
            "runai-cluster",
            "/controlPlane/bootstrapToken",
            Some(facts()["runai.bootstrapToken"].clone()),
        ),
    ];
    for (changes, component, pointer, wanted) in cases {
        assert_eq!(at(changes.clone(), component, pointer), wanted, "{changes} {component} {pointer}");
    }
}

#[test]
fn what_cannot_be_reached_is_not_measured() {
    let cases = [
        (json!({"metrics.scheduler": false}), "kube-prometheus-stack", "/kubeScheduler/enabled", Some(json!(false))),
        (json!({"metrics.scheduler": null}), "kube-prometheus-stack", "/kubeScheduler", None),
        (
            json!({}),
            "kube-prometheus-stack",
            "/kubeControllerManager/serviceMonitor/insecureSkipVerify",
            Some(json!(true)),
        ),
        (json!({}), "kube-prometheus-stack", "/kubeProxy/enabled", Some(json!(false))),
        (json!({}), "kube-prometheus-stack", "/kubeEtcd/enabled", Some(json!(false))),
        (json!({}), "kube-prometheus-stack", "/kubeScheduler/enabled", None),
    ];
    for (changes, component, pointer, wanted) in cases {
        let resolution = catalog().resolve(&desired(), &with(changes.clone()));
        assert_eq!(values(&resolution, component).pointer(pointer).cloned(), wanted, "{changes} {pointer}");
    }
}

#[test]
fn a_url_with_a_port_is_a_warned_mode() {
    let changes = json!({"runai.standardPort": false, "runai.port": 30443, "runai.url": "https://a.example:30443", "runai.endpoint": "a.example:30443"});
    let resolution = catalog().resolve(&desired(), &with(changes));
    let warned = resolution.findings.iter().find(|f| f.code == "runai.port-mode").unwrap();
    assert_eq!((warned.severity, warned.subject.as_str()), (Severity::Warning, "runai.port"));
    let values = values(&resolution, "runai-control-plane");
    assert_eq!(values["global"]["domain"], json!("bcm-head-01.eth.cluster"), "never with the port");
    assert_eq!(values["global"]["keycloakExternalEndpoint"], json!("a.example:30443"));
    assert_eq!(values["clusterService"]["keycloakExternalEndpoint"], json!("a.example:30443"));
    assert!(values["keycloakx"]["tolerations"].is_array(), "merged, not replaced");
    let env: Value = serde_saphyr::from_str(values["keycloakx"]["extraEnv"].as_str().unwrap()).unwrap();
    assert_eq!(env[0], json!({"name": "KC_HOSTNAME", "value": "https://a.example:30443/auth"}));
    assert_eq!(env[1], json!({"name": "KC_HOSTNAME_STRICT", "value": "false"}));
}

fn one_address() -> Value {
    json!({"loadBalancer.addresses": ["10.0.0.1/32"], "loadBalancer.ingress": "10.0.0.1"})
}

#[test]
fn objects_are_real() {
    let mut site = desired();
    choose(&mut site, "network-operator", |choice| choice.enabled = Some(true));
    choose(&mut site, "metallb", |choice| choice.namespace = Some("lb".to_owned()));
    let resolution = catalog().resolve(&site, &with(one_address()));
    let object =
        |kind: &str| resolution.components.iter().flat_map(|c| &c.objects).find(|o| o["kind"] == kind).unwrap().clone();
    assert_eq!(object("KnativeServing")["spec"]["version"], json!("1.16.0"));
    assert_eq!(
        object("KnativeServing")["spec"]["config"]["network"]["domain-template"],
        json!("{{.Name}}-{{.Namespace}}.{{.Domain}}")
    );
    assert_eq!(object("IPAddressPool")["spec"]["addresses"], json!(["10.0.0.1/32"]));
    assert_eq!(object("L2Advertisement")["metadata"]["namespace"], json!("lb"));
    assert_eq!(object("NicClusterPolicy")["apiVersion"], json!("mellanox.com/v1alpha1"));
    let knative = resolution.components.iter().find(|c| c.name == "knative-operator").unwrap();
    assert_eq!(knative.namespaces, [("knative-serving".to_owned(), PodSecurity::Baseline)]);
    assert!(matches!(&knative.objects_health[0], Health::Condition { condition, .. } if condition == "Ready"));
}

#[test]
fn own_values_are_merged_over_ours() {
    let mut site = desired();
    choose(&mut site, "ingress-nginx", |choice| {
        choice.values = Some(
            json!({"controller": {"replicaCount": 3, "tolerations": [], "kind": null, "service": {"nodePorts": {"http": 31080}}}}).try_into().unwrap(),
        );
    });
    let resolution = catalog().resolve(&site, &facts());
    let controller = &values(&resolution, "ingress-nginx")["controller"];
    assert_eq!(controller["replicaCount"], json!(3));
    assert_eq!(controller["tolerations"], json!([]));
    assert_eq!(controller.get("kind"), None);
    assert_eq!(controller["service"]["nodePorts"], json!({"http": 31080, "https": 30443}));
    assert_eq!(controller["ingressClassResource"]["default"], json!(true));
}

#[test]
fn own_values_are_checked_against_the_charts_keys() {
    let mut site = desired();
    choose(&mut site, "gpu-operator", |choice| {
        choice.values =
            Some(json!({"driver": {"enabledd": true}, "daemonsets": {"labels": {"a": "b"}}}).try_into().unwrap())
    });
    let findings = catalog().resolve(&site, &facts()).findings;
    let unknown = findings.iter().find(|f| f.code == "platform.unknown-value").unwrap();
    assert_eq!(unknown.subject, "platform.components.gpu-operator.values.driver.enabledd");
    assert_eq!(unknown.fix, "did you mean `driver.enabled`?");
    assert_eq!(findings.iter().filter(|f| f.code == "platform.unknown-value").count(), 1, "open maps are not judged");
}

#[test]
fn own_values_are_a_map() {
    let mut site = desired();
    choose(&mut site, "lws", |choice| choice.values = Some(json!(["replicaCount"]).try_into().unwrap()));
    let resolution = catalog().resolve(&site, &facts());
    assert!(resolution.findings.iter().any(|f| f.is_error() && f.subject == "platform.components.lws.values"));
    assert!(values(&resolution, "lws").is_object());
}

#[test]
fn wrong_choices_are_all_found_at_once() {
    let mut site = desired();
    choose(&mut site, "gpu-operater", |choice| choice.enabled = Some(true));
    choose(&mut site, "zzz", |_| {});
    choose(&mut site, "metallb", |choice| choice.enabled = Some(true));
    choose(&mut site, "lws", |choice| choice.namespace = Some("elsewhere".to_owned()));
    choose(&mut site, "gpu-operator", |choice| choice.enabled = Some(false));
    let resolution = catalog().resolve(&site, &facts());
    let errors: Vec<(&str, &str)> =
        resolution.findings.iter().filter(|f| f.is_error()).map(|f| (f.code.as_str(), f.subject.as_str())).collect();
    assert_eq!(
        errors,
        [
            ("platform.unknown-component", "platform.components.gpu-operater"),
            ("platform.unknown-component", "platform.components.zzz"),
            ("platform.namespace-fixed", "platform.components.lws.namespace"),
            ("platform.component-without-input", "platform.components.metallb.enabled"),
            ("platform.missing-need", "platform.components.gpu-operator.enabled"),
        ]
    );
    assert_eq!(resolution.findings[0].fix, "write `gpu-operator`");
    assert!(resolution.findings[1].fix.starts_with("use one of: cert-manager, cosi-controller, "));
    site.platform.accept = vec!["runai-cluster.needs.gpu-operator".to_owned()];
    let findings = catalog().resolve(&site, &facts()).findings;
    assert!(findings.iter().any(|f| f.code == "platform.missing-need" && f.severity == Severity::Warning));
}

#[test]
fn versions_are_exact_or_say_that_they_are_not() {
    let version = |component: &str, written: &str| {
        let mut site = desired();
        choose(&mut site, component, |choice| choice.version = Some(written.parse().unwrap()));
        let resolution = catalog().resolve(&site, &facts());
        let release = resolution.components.iter().find(|c| c.name == component).unwrap().release.clone();
        let codes = codes(&resolution.findings)
            .into_iter()
            .filter(|code| *code != "runai.version-not-pinned")
            .map(str::to_owned)
            .collect::<Vec<_>>();
        (release.version.to_string(), release.digest.is_some(), codes)
    };
    assert_eq!(
        version("gpu-operator", "25.3.4"),
        ("v25.3.4".to_owned(), true, vec![]),
        "written as the repository writes it"
    );
    assert_eq!(
        version("gpu-operator", "v25.3.2"),
        ("v25.3.2".to_owned(), false, vec!["platform.version-not-checked".to_owned()])
    );
    assert_eq!(
        version("gpu-operator", "v25.3"),
        ("~25.3.0".to_owned(), false, vec!["platform.version-not-pinned".to_owned()])
    );
    let runai = |written: &str| {
        let resolution = catalog().resolve(&desired(), &with(json!({"runai.version": written})));
        let found: Vec<String> = resolution
            .components
            .iter()
            .filter(|c| c.name.starts_with("runai-"))
            .map(|c| c.release.version.to_string())
            .collect();
        (found, codes(&resolution.findings).contains(&"runai.version-not-pinned"))
    };
    assert_eq!(runai("2.21"), (vec!["~2.21.0".to_owned(); 2], true));
    assert_eq!(runai("2.21.43"), (vec!["2.21.43".to_owned(); 2], false));
}

#[test]
fn the_artifact_source_decides_repository_and_login() {
    let release = |changes: Value| {
        let resolution = catalog().resolve(&desired(), &with(changes));
        let found = resolution.components.iter().find(|c| c.name == "runai-control-plane").unwrap().release.clone();
        (
            found.repository,
            found.login.map(|login| (login.username, login.password)),
            resolution.findings.into_iter().find(|f| f.is_error()).map(|f| f.code),
        )
    };
    let token = SecretRef::Env("RUNAI_REGISTRY_TOKEN".to_owned());
    let former = "https://runai.jfrog.io/artifactory/cp-charts-prod".to_owned();
    let login = Some(("self-hosted-image-puller-prod".to_owned(), token.clone()));
    assert_eq!(release(json!({})), (former.clone(), login, None), "some sites got its charts without, and some not");
    assert_eq!(release(json!({"runai.registryToken": null})), (former, None, None));
    let open = json!({"runai.source": "oss", "runai.registryToken": null});
    assert_eq!(release(open), ("https://helm.ngc.nvidia.com/nvidia/runai-oss".to_owned(), None, None));
    let ngc = || json!({"runai.source": "ngc"});
    let mut without_token = ngc();
    without_token["runai.registryToken"] = Value::Null;
    assert_eq!(
        release(ngc()),
        ("https://helm.ngc.nvidia.com/nvidia/runai".to_owned(), Some(("$oauthtoken".to_owned(), token)), None)
    );
    assert_eq!(release(without_token).2.map(|code| code.as_str()), Some("platform.repository-without-login"));
    let inside = json!({"runai.source": "airgapped", "runai.mirror": "charts.example:5000/runai", "runai.mirrorHost": "charts.example:5000", "runai.registryToken": null});
    assert_eq!(release(inside), (String::new(), None, None), "the whole address is in the chart's name");
}

#[test]
fn an_unknown_fact_is_an_error_not_an_empty_value() {
    let mut facts = facts();
    facts.remove("storage.parent");
    let findings = catalog().resolve(&desired(), &facts).findings;
    let finding = findings.iter().find(|f| f.code == "catalog.expression").unwrap();
    assert!(finding.is_error() && finding.message.contains("there is no fact `storage.parent`"), "{finding:?}");
}

#[test]
fn the_digest_of_a_manifest_is_not_called_one_of_a_package() {
    for component in catalog().components().values() {
        let is_oci = component.chart.name.starts_with("oci://");
        for pin in &component.chart.versions {
            let manifest = pin.manifest_digest.as_ref();
            assert!(manifest.is_none_or(|d| is_oci && d.len() == 64), "{} {}", component.name, pin.version);
        }
    }
    let wrong = copy_with("components/metallb.yaml", "digest: 4f0fc", "manifestDigest: 4f0fc").unwrap_err().to_string();
    assert!(wrong.contains("only a registry has manifests"), "{wrong}");
}

#[test]
fn the_pinned_helm_has_an_archive_for_each_kind_of_machine() {
    let catalog = catalog();
    let pin = catalog.helm_pin();
    let arches: Vec<&str> = pin.archives.keys().map(String::as_str).collect();
    assert_eq!(arches, ["amd64", "arm64"]);
    assert!(pin.archives.values().all(|sum| sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit())));
    assert!(pin.version >= "3.14.0".parse().unwrap() && pin.source.starts_with("https://"));
}

#[test]
fn digests_are_digests_and_the_catalogs_own_moves_with_its_content() {
    for component in catalog().components().values() {
        for pin in &component.chart.versions {
            assert!(
                pin.digest.as_ref().is_none_or(|d| d.len() == 64 && d.bytes().all(|b| b.is_ascii_hexdigit())),
                "{} {}",
                component.name,
                pin.version
            );
        }
    }
    assert_eq!(catalog().digest(), catalog().digest());
    assert_ne!(
        copy_with("known-bad-values.yaml", "entries:", "# moved\nentries:").unwrap().digest(),
        catalog().digest()
    );
}

#[test]
fn what_does_not_fit_is_named_with_file_and_path() {
    let cases = [
        ("components/lws.yaml", "timeoutS: 300", "timeoutS: soon", "components/lws.yaml: timeoutS: "),
        (
            "components/lws.yaml",
            "timeoutS: 300",
            "timeoutS: 300\ntimeout: 3",
            "components/lws.yaml: timeout: unknown field `timeout`",
        ),
        (
            "components/lws.yaml",
            "timeoutS: 300",
            "timeoutS: 300\ntimeoutS: 3",
            "components/lws.yaml: not readable as YAML: ",
        ),
        (
            "components/lws.yaml",
            "name: lws\n",
            "name: lwss\n",
            "components/lws.yaml: the component inside is called `lwss`",
        ),
        (
            "components/lws.yaml",
            "compatibility: lws",
            "compatibility: lsw",
            "components/lws.yaml: compatibility: there is no table `lsw`",
        ),
        (
            "components/gpu-operator.yaml",
            "{component: kube-prometheus-stack, reason",
            "{component: promethius, reason",
            "components/gpu-operator.yaml: needs: there is no component `promethius`",
        ),
        (
            "components/kube-prometheus-stack.yaml",
            "needs:\n",
            "needs:\n  - {component: gpu-operator, reason: x}\n",
            "components: these need each other in a circle: ",
        ),
        ("compatibility.yaml", "confidence: high}", "confidence: sure}", "compatibility.yaml: runai.\"2.17\""),
        ("compatibility.yaml", "\">=1.27.0, <1.30.0\"", "\"newest\"", "is not a version range"),
        (
            "kubespray.yaml",
            "default: v2.27.1",
            "default: v2.27.9",
            "kubespray.yaml: the default v2.27.9 is not among the releases",
        ),
        ("kubespray.yaml", "schema: 1", "schema: 2", "kubespray.yaml: schema 2 is not known"),
    ];
    for (file, from, to, wanted) in cases {
        let error = copy_with(file, from, to).unwrap_err().to_string();
        assert!(error.replace("runai.2.17", "runai.\"2.17\"").contains(wanted), "{wanted}\n{error}");
    }
    assert!(matches!(Catalog::load(std::path::Path::new("not/there")), Err(CatalogError::Read { .. })));
}

/// The shipped catalog with one text replaced, read from a folder.
fn copy_with(file: &str, from: &str, to: &str) -> Result<Catalog, CatalogError> {
    let folder = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    for part in ["", "components", "keys", "kubespray"] {
        std::fs::create_dir_all(folder.path().join(part)).unwrap();
        for entry in
            std::fs::read_dir(root.join(part)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
        {
            std::fs::copy(entry.path(), folder.path().join(part).join(entry.file_name())).unwrap();
        }
    }
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} does not contain {from}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    Catalog::load(folder.path())
}
