//! What comparing the catalog with the real charts brought to light: each of these was wrong once.

use crate::site::{NEVER, catalog, choose, codes, desired, facts, infiniband, values, with};
use plinth_catalog::{Facts, Resolution, ResolvedComponent};
use plinth_model::steps::{Health, PodSecurity};
use plinth_model::{Finding, Severity};
use plinth_site::Desired;
use serde_json::{Value, json};

fn of<'a>(resolution: &'a Resolution, component: &str) -> &'a ResolvedComponent {
    resolution.components.iter().find(|c| c.name == component).unwrap_or_else(|| panic!("{component} is off"))
}

/// The example site with values of its own for one component.
fn with_values(component: &str, given: Value) -> Resolution {
    let mut site = desired();
    choose(&mut site, component, |choice| choice.values = Some(given.try_into().unwrap()));
    catalog().resolve(&site, &facts())
}

/// Workloads, and names of objects, that health rules look for.
fn looked_for(component: &ResolvedComponent) -> Vec<String> {
    let text = |rule: &Health| match rule {
        Health::Workload { kind, name } => format!("{kind} {name}"),
        Health::Field { name, .. } | Health::Condition { name, .. } => name.clone(),
        Health::Allocatable { resource, .. } => resource.clone(),
    };
    component.release.health.iter().map(text).collect()
}

fn found(findings: &[Finding], code: &str) -> Option<Severity> {
    findings.iter().find(|finding| finding.code == code).map(|finding| finding.severity)
}

fn switched(changes: Value, off: &[&str]) -> Resolution {
    let mut site = desired();
    for name in off {
        choose(&mut site, name, |choice| choice.enabled = Some(false));
    }
    catalog().resolve(&site, &with(changes))
}

/// Every list of tolerations, by its path.
fn tolerations(value: &Value, path: &str, lists: &mut Vec<(String, Vec<Value>)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = format!("{path}/{key}");
                match inner {
                    Value::Array(list) if key == "tolerations" => lists.push((path, list.clone())),
                    inner => tolerations(inner, &path, lists),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| tolerations(item, path, lists)),
        _ => {}
    }
}

#[test]
fn pods_tolerate_the_taints_of_the_nodes_that_they_are_for() {
    let taint = json!({"key": "example.com/reserved", "operator": "Equal", "value": "team-a", "effect": "NoSchedule"});
    let changes = json!({"nodes.tolerations": [taint], "system.tolerations": [taint], "gpu.tolerations": [taint], "nodes.untainted": 0, "loadBalancer.addresses": ["10.0.0.1/32"]});
    let mut site = desired();
    let with_pods = NEVER.into_iter().filter(|name| *name != "kyverno-policies");
    for name in with_pods.chain(["network-operator"]) {
        choose(&mut site, name, |choice| choice.enabled = Some(true));
    }
    let resolution = catalog().resolve(&site, &with(changes));
    // Below 2.25 no document names a key for tolerations of Run:ai's cluster part.
    for component in resolution.components.iter().filter(|component| component.name != "runai-cluster") {
        let mut lists = Vec::new();
        tolerations(&component.release.values, "", &mut lists);
        component.objects.iter().for_each(|object| tolerations(object, "object", &mut lists));
        assert!(!lists.is_empty(), "{}", component.name);
        for (path, list) in lists {
            assert!(list.contains(&taint), "{}{path}: {list:?}", component.name);
        }
    }
    let policy = of(&resolution, "network-operator").objects.iter().find(|o| o["kind"] == "NicClusterPolicy").unwrap();
    assert_eq!(policy["spec"]["tolerations"], json!([taint]));
    let places = [
        "/daemonsets/tolerations",
        "/operator/tolerations",
        "/node-feature-discovery/worker/tolerations",
        "/node-feature-discovery/master/tolerations",
        "/node-feature-discovery/gc/tolerations",
    ];
    for place in places {
        assert!(values(&resolution, "gpu-operator").pointer(place).is_some(), "{place}");
    }
}

#[test]
fn where_every_node_is_tainted_the_knative_operator_is_one_that_tolerates() {
    let version = |resolution: &Resolution| of(resolution, "knative-operator").release.version.to_string();
    let tainted = with(json!({"nodes.untainted": 0}));
    let resolution = catalog().resolve(&desired(), &tainted);
    assert_eq!(version(&resolution), "v1.19.2");
    let chart = values(&resolution, "knative-operator");
    for pod in ["knative_operator", "operator_webhook"] {
        assert_eq!(chart["knative_operator"][pod]["tolerations"], crate::site::tolerations(false), "{pod}");
    }
    let serving = &of(&resolution, "knative-operator").objects[0]["spec"];
    assert_eq!(serving["version"], json!("1.16.3"), "what Run:ai 2.21 takes");
    let named: Vec<&str> = serving["workloads"].as_array().unwrap().iter().filter_map(|w| w["name"].as_str()).collect();
    assert_eq!(named.len(), 9, "every Deployment and Job of Serving and Kourier: {named:?}");
    assert_eq!(catalog().check_versions(&desired(), &resolution).iter().find(|f| f.severity > Severity::Info), None);
    let told: Vec<&str> = resolution
        .findings
        .iter()
        .filter(|f| f.code == "platform.not-schedulable")
        .map(|f| f.subject.as_str())
        .collect();
    assert_eq!(told, ["platform.components.runai-cluster"], "of it nothing is known");
    assert_eq!(version(&catalog().resolve(&desired(), &facts())), "v1.16.0");
    let mut pinned = desired();
    choose(&mut pinned, "knative-operator", |choice| choice.version = Some("v1.16.0".parse().unwrap()));
    let findings = catalog().resolve(&pinned, &tainted).findings;
    assert_eq!(found(&findings, "platform.not-schedulable"), Some(Severity::Error), "{findings:?}");
    assert_eq!(found(&catalog().resolve(&pinned, &facts()).findings, "platform.not-schedulable"), None);
}

#[test]
fn helm_4_gets_no_null_from_the_gpu_operator() {
    let resolution = catalog().resolve(&desired(), &facts());
    let plugin = &values(&resolution, "gpu-operator")["validator"]["plugin"];
    assert_eq!(plugin["env"], json!([{"name": "WITH_WORKLOAD", "value": "false"}]));
    let newer = catalog().resolve(&desired(), &with(json!({"runai.version": "2.25.10", "runai.minor": "2.25"})));
    assert_eq!(values(&newer, "gpu-operator").get("validator"), None);
}

#[test]
fn health_rules_follow_the_sites_values() {
    let stack = |given: Value| looked_for(of(&with_values("kube-prometheus-stack", given), "kube-prometheus-stack"));
    let exporter = "DaemonSet kube-prometheus-stack-prometheus-node-exporter";
    let alerts = "kube-prometheus-stack-alertmanager";
    let usual = stack(json!({}));
    assert_eq!(usual.len(), 6, "{usual:?}");
    assert!(usual.iter().any(|rule| rule == exporter) && usual.iter().any(|rule| rule == alerts), "{usual:?}");
    let less = stack(json!({"alertmanager": {"enabled": false}, "nodeExporter": {"enabled": false}}));
    assert!(less.len() == 4 && !less.iter().any(|rule| rule == exporter || rule == alerts), "{less:?}");
    assert!(stack(json!({"fullnameOverride": "prom"})).contains(&"Deployment prom-operator".to_owned()));
    let cases = [
        ("ingress-nginx", json!({"controller": {"kind": "DaemonSet"}}), "DaemonSet ingress-nginx-controller"),
        ("metrics-server", json!({"fullnameOverride": "ms"}), "Deployment ms"),
        ("prometheus-adapter", json!({"fullnameOverride": "pa"}), "Deployment pa"),
        ("lws", json!({"fullnameOverride": "sets"}), "Deployment sets-controller-manager"),
        ("local-path-provisioner", json!({"storageClass": {"name": "fast"}}), "fast"),
    ];
    for (component, given, wanted) in cases {
        let rules = looked_for(of(&with_values(component, given.clone()), component));
        assert!(rules.contains(&wanted.to_owned()), "{component} {given}: {rules:?}");
    }
    let none = looked_for(of(
        &with_values("local-path-provisioner", json!({"storageClass": {"create": false}})),
        "local-path-provisioner",
    ));
    assert_eq!(none, ["Deployment local-path-provisioner"]);
}

#[test]
fn the_provisioners_name_follows_the_sites_values() {
    let provisioner = |given: Value| {
        let resolution = with_values("local-path-provisioner", given);
        of(&resolution, "local-path-provisioner").release.health.iter().find_map(|rule| match rule {
            Health::Field { equals, .. } => Some(equals.clone()),
            _ => None,
        })
    };
    assert_eq!(provisioner(json!({})).as_deref(), Some("cluster.local/local-path-provisioner"));
    assert_eq!(provisioner(json!({"fullnameOverride": "lp"})).as_deref(), Some("cluster.local/lp"));
    assert_eq!(provisioner(json!({"storageClass": {"provisionerName": "a.b/c"}})).as_deref(), Some("a.b/c"));
}

#[test]
fn a_value_that_renames_what_is_looked_for_is_refused() {
    for component in ["metrics-server", "ingress-nginx", "kube-prometheus-stack", "lws", "local-path-provisioner"] {
        let findings = with_values(component, json!({"nameOverride": "x"})).findings;
        assert_eq!(found(&findings, "platform.renamed-objects"), Some(Severity::Error), "{component}");
    }
    assert_eq!(found(&with_values("lws", json!({})).findings, "platform.renamed-objects"), None);
}

#[test]
fn host_ports_raise_the_level_of_the_namespace() {
    let level = |given: Value| of(&with_values("ingress-nginx", given), "ingress-nginx").pod_security;
    assert_eq!(level(json!({})), PodSecurity::Restricted);
    assert_eq!(level(json!({"controller": {"hostPort": {"enabled": true}}})), PodSecurity::Privileged);
    assert_eq!(level(json!({"controller": {"hostNetwork": true}})), PodSecurity::Privileged);
}

#[test]
fn addresses_that_nobody_hands_out_are_refused() {
    let addresses = json!({"loadBalancer.addresses": ["192.0.2.200-192.0.2.210"], "loadBalancer.ingress": "192.0.2.200", "loadBalancer.spare": true});
    let findings = switched(addresses.clone(), &["metallb"]).findings;
    assert_eq!(found(&findings, "platform.addresses-unused"), Some(Severity::Error), "{findings:?}");
    let fine = switched(addresses.clone(), &[]).findings;
    assert_eq!(codes(&fine), ["runai.version-not-pinned"]);
    let mut own = desired();
    choose(&mut own, "metallb", |choice| choice.enabled = Some(false));
    choose(&mut own, "ingress-nginx", |choice| {
        choice.values = Some(json!({"controller": {"service": {"type": "LoadBalancer"}}}).try_into().unwrap());
    });
    let findings = catalog().resolve(&own, &with(addresses)).findings;
    assert_eq!(found(&findings, "platform.addresses-unused"), None, "another load balancer has them");
    assert_eq!(found(&findings, "platform.no-load-balancer"), Some(Severity::Warning));
    let without = with_values("ingress-nginx", json!({"controller": {"service": {"type": "LoadBalancer"}}})).findings;
    assert_eq!(found(&without, "platform.no-load-balancer"), Some(Severity::Warning));
}

#[test]
fn the_platform_would_rather_run_on_system_nodes() {
    let affinity = |runai: bool| {
        let mut site = desired();
        if !runai {
            site.runai = None;
        }
        let resolution = catalog().resolve(&site, &with(json!({"runai.enabled": runai})));
        let places = [
            ("ingress-nginx", "/controller/affinity"),
            ("kube-prometheus-stack", "/prometheus/prometheusSpec/affinity"),
            ("kube-prometheus-stack", "/prometheusOperator/affinity"),
            ("kube-prometheus-stack", "/alertmanager/alertmanagerSpec/affinity"),
            ("kube-prometheus-stack", "/grafana/affinity"),
            ("kube-prometheus-stack", "/kube-state-metrics/affinity"),
            ("prometheus-adapter", "/affinity"),
            ("metrics-server", "/affinity"),
            ("local-path-provisioner", "/affinity"),
            ("lws", "/affinity"),
            ("gpu-operator", "/operator/affinity"),
            ("gpu-operator", "/node-feature-discovery/gc/affinity"),
        ];
        let given: Vec<Value> =
            places.iter().map(|(name, path)| values(&resolution, name).pointer(path).unwrap().clone()).collect();
        assert!(given.windows(2).all(|pair| pair[0] == pair[1]), "{given:?}");
        given[0].clone()
    };
    let expression =
        "/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/preference/matchExpressions/0/key";
    assert_eq!(affinity(true).pointer(expression), Some(&json!("node-role.kubernetes.io/runai-system")));
    assert_eq!(affinity(false).pointer(expression), Some(&json!("node-role.kubernetes.io/control-plane")));
    assert_eq!(affinity(true)["nodeAffinity"].as_object().unwrap().len(), 1, "a wish and no order");
}

#[test]
fn one_address_is_the_ingresses() {
    let kourier = |spare: bool| {
        let resolution = switched(json!({"loadBalancer.addresses": ["10.0.0.1/32"], "loadBalancer.spare": spare}), &[]);
        let kind = of(&resolution, "knative-operator").objects[0]["spec"]["ingress"]["kourier"]["service-type"].clone();
        (kind, found(&resolution.findings, "platform.one-address"))
    };
    assert_eq!(kourier(true), (json!("LoadBalancer"), None));
    assert_eq!(kourier(false), (json!("NodePort"), Some(Severity::Info)));
    assert_eq!(found(&switched(json!({}), &[]).findings, "platform.one-address"), None);
}

#[test]
fn no_other_service_gets_the_address_of_the_ingress() {
    let pools = |site: &plinth_site::Desired, changes: Value| -> Vec<Value> {
        let resolution = catalog().resolve(site, &with(changes));
        let metallb = of(&resolution, "metallb");
        let advertised: Vec<&Value> = metallb
            .objects
            .iter()
            .filter(|o| o["kind"] == "L2Advertisement")
            .map(|o| &o["spec"]["ipAddressPools"][0])
            .collect();
        let pools: Vec<&Value> = metallb.objects.iter().filter(|o| o["kind"] == "IPAddressPool").collect();
        assert_eq!(advertised, pools.iter().map(|pool| &pool["metadata"]["name"]).collect::<Vec<_>>());
        assert_eq!(metallb.objects_health.len(), pools.len());
        pools.into_iter().map(|pool| json!([pool["metadata"]["name"], pool["spec"]])).collect()
    };
    let kept = |namespace: &str| json!(["ingress-10.0.0.1", {"addresses": ["10.0.0.1/32"], "autoAssign": false, "serviceAllocation": {"namespaces": [namespace]}}]);
    let one = json!({"loadBalancer.addresses": ["10.0.0.1/32"], "loadBalancer.ingress": "10.0.0.1"});
    assert_eq!(pools(&desired(), one.clone()), [kept("ingress-nginx")]);
    let newer = json!({"runai.version": "2.25.10", "runai.minor": "2.25"});
    let newer: Value = merged(&one, &newer);
    assert_eq!(pools(&desired(), newer), [kept("haproxy-ingress")]);
    let mut moved = desired();
    choose(&mut moved, "ingress-nginx", |choice| choice.namespace = Some("entry".to_owned()));
    let more = merged(&one, &json!({"loadBalancer.others": ["10.0.0.2-10.0.0.9"], "loadBalancer.spare": true}));
    let others = json!(["platform", {"addresses": ["10.0.0.2-10.0.0.9"], "autoAssign": true}]);
    assert_eq!(
        pools(&moved, more),
        [others, kept("entry")],
        "the larger pool becomes smaller before the other one comes"
    );
    let elsewhere = json!({"loadBalancer.addresses": ["10.0.0.1/32"], "loadBalancer.others": ["10.0.0.1/32"]});
    assert_eq!(pools(&desired(), elsewhere), [json!(["platform", {"addresses": ["10.0.0.1/32"], "autoAssign": true}])]);
}

fn merged(one: &Value, more: &Value) -> Value {
    let both = one.as_object().unwrap().iter().chain(more.as_object().unwrap());
    Value::Object(both.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[test]
fn a_platform_without_a_default_class_is_a_doubt() {
    let code = "platform.no-default-storage";
    assert_eq!(found(&switched(json!({}), &["local-path-provisioner"]).findings, code), Some(Severity::Warning));
    for class in [json!({"defaultClass": false}), json!({"create": false})] {
        let findings = with_values("local-path-provisioner", json!({"storageClass": class})).findings;
        assert_eq!(found(&findings, code), Some(Severity::Warning), "{class}");
    }
    assert_eq!(found(&switched(json!({}), &[]).findings, code), None);
}

#[test]
fn what_mig_needs_beside_its_strategy_is_said() {
    let of_site = |changes: Value| catalog().resolve(&desired(), &with(changes)).findings;
    let plain = of_site(json!({"gpu.mig": "single"}));
    assert_eq!(found(&plain, "platform.mig-not-cut"), Some(Severity::Warning));
    assert_eq!(found(&plain, "platform.mig-mixed"), None);
    assert_eq!(found(&of_site(json!({"gpu.mig": "single", "gpu.migLabelled": 2})), "platform.mig-not-cut"), None);
    let shared = of_site(json!({"gpu.mig": "mixed", "gpu.timeSlicing": 4, "gpu.migLabelled": 2}));
    let mixed: Vec<&Finding> = shared.iter().filter(|f| f.code == "platform.mig-mixed").collect();
    assert_eq!(mixed.iter().map(|f| f.severity).max(), Some(Severity::Warning), "{mixed:?}");
    assert_eq!(found(&of_site(json!({})), "platform.mig-not-cut"), None);
}

#[test]
fn infiniband_for_pods_is_made_in_its_order() {
    let resolution = catalog().resolve(&desired(), &with(infiniband()));
    let operator = of(&resolution, "network-operator");
    let objects: Vec<&Value> = operator.all_objects().collect();
    let kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    let mut order = kinds.clone();
    order.dedup();
    assert_eq!(
        order,
        ["NicClusterPolicy", "SriovNetworkPoolConfig", "SriovNetworkNodePolicy", "IPPool", "SriovIBNetwork"]
    );
    assert_eq!(kinds.len(), 2 + 3 * 8);
    assert_eq!(objects[1]["spec"]["maxUnavailable"], json!(1));
    let policy = objects.iter().find(|o| o["kind"] == "SriovNetworkNodePolicy").unwrap();
    assert_eq!(policy["spec"]["nicSelector"], json!({"vendor": "15b3", "pfNames": ["ibp24s0"]}));
    assert_eq!((&policy["spec"]["numVfs"], &policy["spec"]["linkType"]), (&json!(8), &json!("ib")));
    let pool = objects.iter().find(|o| o["kind"] == "IPPool").unwrap();
    let gpu_nodes = json!([{"key": "nvidia.com/gpu.present", "operator": "In", "values": ["true"]}]);
    let spec = json!({
        "subnet": "192.168.0.0/19", "gateway": "192.168.0.1", "perNodeBlockSize": 9,
        "nodeSelector": {"nodeSelectorTerms": [{"matchExpressions": gpu_nodes}]},
    });
    assert_eq!(pool["spec"], spec, "blocks only for GPU nodes, with an address for the gateway");
    let network = objects.last().unwrap();
    let ipam: Value = serde_json::from_str(network["spec"]["ipam"].as_str().unwrap()).unwrap();
    assert_eq!(ipam, json!({"type": "nv-ipam", "poolName": "ibp220s0"}));
    assert_eq!(network["spec"]["resourceName"], json!("resibp220s0"));
    let chart = &operator.release.values;
    assert_eq!(chart["sriovNetworkOperator"]["enabled"], json!(true));
    let gates = chart.pointer("/sriov-network-operator/sriovOperatorConfig/featureGates");
    assert_eq!(gates, Some(&json!({"parallelNicConfig": true})));
    let stages: Vec<(&str, usize, usize)> =
        operator.stages.iter().map(|stage| (stage.name.as_str(), stage.objects.len(), stage.health.len())).collect();
    assert_eq!(
        stages,
        [("policies", 1 + 8, 2 + 8), ("pools", 8, 0), ("networks", 8, 8)],
        "each waits for the one before"
    );
    assert_eq!(operator.objects_health.len(), 1, "the policy of the whole operator");
    assert_eq!(found(&resolution.findings, "platform.nodes-restart"), Some(Severity::Warning));
    let off = catalog().resolve(&desired(), &facts());
    assert!(off.components.iter().all(|c| c.name != "network-operator"), "off by default");
}

#[test]
fn the_operator_alone_makes_no_virtual_functions() {
    let mut site = desired();
    choose(&mut site, "network-operator", |choice| choice.enabled = Some(true));
    let resolution = catalog().resolve(&site, &facts());
    let operator = of(&resolution, "network-operator");
    assert_eq!(operator.objects.len(), 1);
    assert_eq!(operator.release.values["sriovNetworkOperator"]["enabled"], json!(false));
}

#[test]
fn images_are_those_that_are_pulled() {
    let images = |changes: Value, name: &str, wanted: &[&str]| {
        let mut site = desired();
        wanted.iter().for_each(|one| choose(&mut site, one, |choice| choice.enabled = Some(true)));
        of(&catalog().resolve(&site, &with(changes)), name).images.clone()
    };
    let has = |list: &[String], part: &str| list.iter().any(|image| image.contains(part));
    let knative = images(json!({}), "knative-operator", &[]);
    assert_eq!(knative.iter().filter(|image| image.starts_with("gcr.io/")).count(), 2 + 9, "{knative:?}");
    assert!(has(&knative, "docker.io/envoyproxy/envoy"));
    assert!(!has(&images(json!({}), "gpu-operator", &[]), "nvcr.io/nvidia/driver:"));
    assert!(has(&images(json!({"gpu.driverOnHost": false}), "gpu-operator", &[]), "nvcr.io/nvidia/driver:"));
    let network = images(json!({}), "network-operator", &["network-operator"]);
    assert!(!has(&network, "init-container") && !has(&network, "node-feature-discovery"), "{network:?}");
    assert!(has(&images(infiniband(), "network-operator", &[]), "ib-sriov-cni"));
}

#[test]
fn the_ingress_controller_follows_the_line_of_runai() {
    let newer = json!({"runai.version": "2.25.10", "runai.minor": "2.25", "runai.source": "ngc"});
    let on = |site: &Desired, facts: &Facts| -> (Vec<String>, Option<Severity>, Value) {
        let resolution = catalog().resolve(site, facts);
        let names =
            resolution.components.iter().map(|c| c.name.clone()).filter(|name| name.contains("ingress")).collect();
        let class = values(&resolution, "runai-control-plane")["global"]["ingress"]["ingressClass"].clone();
        (names, found(&resolution.findings, "platform.two-ingresses"), class)
    };
    assert_eq!(on(&desired(), &facts()), (vec!["ingress-nginx".to_owned()], None, json!("nginx")));
    assert_eq!(on(&desired(), &with(newer.clone())), (vec!["haproxy-ingress".to_owned()], None, json!("haproxy")));
    let mut kept = desired();
    choose(&mut kept, "ingress-nginx", |choice| choice.enabled = Some(true));
    assert_eq!(on(&kept, &with(newer.clone())).1, Some(Severity::Error));
    choose(&mut kept, "haproxy-ingress", |choice| choice.enabled = Some(false));
    assert_eq!(on(&kept, &with(newer.clone())), (vec!["ingress-nginx".to_owned()], None, json!("nginx")));
    let mut neither = desired();
    choose(&mut neither, "haproxy-ingress", |choice| choice.enabled = Some(false));
    let findings = catalog().resolve(&neither, &with(newer)).findings;
    let missing = findings.iter().find(|f| f.code == "platform.missing-need").unwrap();
    assert!(missing.message.contains("ingress-nginx or haproxy-ingress, of which none is on"), "{missing:?}");
}

#[test]
fn versions_follow_the_line_of_runai() {
    let newer = with(json!({"runai.version": "2.25.10", "runai.minor": "2.25", "runai.source": "ngc"}));
    let mut site = desired();
    site.runai.as_mut().unwrap().version = "2.25.10".parse().unwrap();
    site.runai.as_mut().unwrap().source = plinth_site::desired::ArtifactSource::Ngc;
    site.kubernetes.version = Some("v1.34.3".parse().unwrap());
    let resolution = catalog().resolve(&site, &newer);
    let versions: Vec<String> = ["gpu-operator", "knative-operator", "haproxy-ingress"]
        .iter()
        .map(|name| of(&resolution, name).release.version.to_string())
        .collect();
    assert_eq!(versions, ["v25.10.1", "v1.19.6", "1.52.1"]);
    let refused: Vec<Finding> = resolution
        .findings
        .iter()
        .cloned()
        .chain(catalog().check_versions(&site, &resolution))
        .filter(Finding::is_error)
        .collect();
    assert_eq!(refused, [], "a site of this line can be planned");
}

#[test]
fn components_that_a_site_must_ask_for_work_together() {
    let mut site = desired();
    for name in ["cert-manager", "kyverno-policies", "spark-operator", "postgres-operator", "k8s-nim-operator"] {
        choose(&mut site, name, |choice| choice.enabled = Some(true));
    }
    let findings = catalog().resolve(&site, &facts()).findings;
    let missing = findings.iter().find(|f| f.code == "platform.missing-need").unwrap();
    assert!(missing.message.starts_with("kyverno-policies needs kyverno"), "{missing:?}");
    choose(&mut site, "kyverno", |choice| choice.enabled = Some(true));
    let resolution = catalog().resolve(&site, &facts());
    assert_eq!(codes(&resolution.findings), ["runai.version-not-pinned"], "{:?}", resolution.findings);
    let placed = values(&resolution, "kyverno").pointer("/reportsController/nodeAffinity").unwrap();
    assert!(placed.get("preferredDuringSchedulingIgnoredDuringExecution").is_some(), "{placed}");
    let policies = values(&resolution, "kyverno-policies");
    assert_eq!(policies["validationFailureAction"], json!("Audit"), "enforced it would refuse the GPU operator's pods");
}

#[test]
fn exactly_one_class_is_the_default_and_prometheus_reads_dcgm() {
    for (way, desired, facts) in crate::site::every_way() {
        let resolution = catalog().resolve(&desired, &facts);
        assert_eq!(values(&resolution, "local-path-provisioner")["storageClass"]["defaultClass"], json!(true), "{way}");
        let stack = &values(&resolution, "kube-prometheus-stack")["prometheus"]["prometheusSpec"];
        assert_eq!(stack["serviceMonitorSelectorNilUsesHelmValues"], json!(false), "{way}");
        let classes = ["ingress-nginx", "haproxy-ingress"].map(|name| {
            let found = resolution.components.iter().find(|c| c.name == name);
            found.is_some_and(|c| c.release.values["controller"]["ingressClassResource"]["default"] == json!(true))
        });
        assert_eq!(classes.iter().filter(|is| **is).count(), 1, "{way}: one default ingress class");
        if let Some(gpus) = resolution.components.iter().find(|c| c.name == "gpu-operator") {
            assert_eq!(gpus.release.values["dcgmExporter"]["serviceMonitor"]["enabled"], json!(true), "{way}");
        }
    }
}

#[test]
fn a_sub_charts_values_are_no_unknown_ones() {
    let mut site = desired();
    choose(&mut site, "metallb", |choice| {
        choice.values = Some(json!({"frr-k8s": {"prometheus": {"namespace": "x"}}}).try_into().unwrap());
    });
    let findings = catalog().resolve(&site, &with(json!({"loadBalancer.addresses": ["10.0.0.1/32"]}))).findings;
    assert_eq!(found(&findings, "platform.unknown-value"), None, "{findings:?}");
}
