//! Where the platform's pods and addresses are.

use crate::site::{catalog, choose, codes, desired, values, with};
use plinth_catalog::Resolution;
use serde_json::{Value, json};

/// What others make of an object lands on GPU nodes as well, unless the object says where.
#[test]
fn objects_say_that_the_platform_runs_on_system_nodes() {
    let addresses = json!({"loadBalancer.addresses": ["10.0.0.1/32", "10.0.0.2/32"], "loadBalancer.ingress": "10.0.0.1",
        "loadBalancer.others": ["10.0.0.2/32"], "loadBalancer.spare": true});
    let role = json!([{"matchExpressions": [{"key": "node-role.kubernetes.io/runai-system", "operator": "Exists"}]}]);
    let spread = |resolution: &Resolution, component: &str, kind: &str| -> Vec<Value> {
        let objects = resolution.components.iter().find(|one| one.name == component).unwrap().objects.iter();
        objects.filter(|object| object["kind"] == kind).map(|object| object["spec"].clone()).collect()
    };
    let there = catalog().resolve(&desired(), &with(addresses.clone()));
    let advertised = spread(&there, "metallb", "L2Advertisement");
    assert_eq!(advertised.len(), 2);
    assert!(advertised.iter().all(|spec| spec["nodeSelectors"] == role), "{advertised:?}");
    let serving = &spread(&there, "knative-operator", "KnativeServing")[0]["workloads"];
    let preferred = values(&there, "metrics-server")["affinity"]["nodeAffinity"].clone();
    assert_eq!(serving.as_array().unwrap().len(), 9);
    for workload in serving.as_array().unwrap() {
        assert_eq!(workload["affinity"]["nodeAffinity"], preferred, "{workload}");
        let apart = "/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm/labelSelector/matchLabels/app";
        assert_eq!(workload.pointer(apart), Some(&workload["name"]));
    }
    let mut without = addresses;
    without["nodes.system"] = json!([]);
    let none = catalog().resolve(&desired(), &with(without));
    let advertised = spread(&none, "metallb", "L2Advertisement");
    assert!(advertised.iter().all(|spec| spec.get("nodeSelectors").is_none()), "every node announces: {advertised:?}");
    let serving = &spread(&none, "knative-operator", "KnativeServing")[0]["workloads"];
    assert!(
        serving.as_array().unwrap().iter().all(|one| one.get("affinity").is_none() && one["tolerations"].is_array())
    );
}

/// Claims that name no class go to the newest default: a second one takes them away from storage that was there first.
#[test]
fn a_cluster_has_one_default_storage_class() {
    let with_classes = |classes: Value, given: Value| {
        let mut site = desired();
        choose(&mut site, "local-path-provisioner", |choice| choice.values = Some(given.try_into().unwrap()));
        let resolution = catalog().resolve(&site, &with(json!({"storage.defaults": classes})));
        let codes: Vec<String> = codes(&resolution.findings)
            .into_iter()
            .filter(|code| code.contains("storage"))
            .map(|code| code.trim_start_matches("platform.").to_owned())
            .collect();
        (values(&resolution, "local-path-provisioner")["storageClass"]["defaultClass"].clone(), codes.join(" "))
    };
    let class = |name: &str, own: bool, release: Value| json!({"name": name, "own": own, "release": release});
    let other = class("nfs", false, json!(null));
    let ours = class("local-path", true, json!("elsewhere/before"));
    let by_name = class("local-path", false, json!("local-path-storage/local-path-provisioner"));
    let one = |default: bool, codes: &str| (json!(default), codes.to_owned());
    assert_eq!(with_classes(json!([]), json!({})), one(true, ""));
    assert_eq!(with_classes(json!([other]), json!({})), one(false, "other-default-storage"));
    assert_eq!(with_classes(json!([class("x", false, json!("a/b"))]), json!({})), one(false, "other-default-storage"));
    for own in [ours, by_name] {
        assert_eq!(with_classes(json!([own]), json!({})), one(true, ""), "ours stays: {own}");
        assert_eq!(with_classes(json!([other, own]), json!({})), one(true, "two-default-storages"), "{own}");
    }
    let wanted = json!({"storageClass": {"defaultClass": true}});
    assert_eq!(with_classes(json!([other]), wanted), one(true, "two-default-storages"));
    let unwanted = json!({"storageClass": {"defaultClass": false}});
    assert_eq!(with_classes(json!([]), unwanted), one(false, "no-default-storage"));
    let mut off = desired();
    choose(&mut off, "local-path-provisioner", |choice| choice.enabled = Some(false));
    let told = |classes: Value| {
        let findings = catalog().resolve(&off, &with(json!({"storage.defaults": classes}))).findings;
        codes(&findings).contains(&"platform.no-default-storage")
    };
    assert!(told(json!([])) && !told(json!([other])));
}
