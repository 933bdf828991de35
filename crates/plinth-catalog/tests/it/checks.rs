//! Checks that components bring: under which conditions, and what they are about.

use crate::site::{catalog, choose, desired, with};
use plinth_model::steps::Check;
use plinth_model::{NodeName, Values};
use serde_json::{Value, json};

fn brought(facts: Value, components: Value) -> Vec<Check> {
    let mut site = desired();
    for (name, choice) in components.as_object().unwrap() {
        choose(&mut site, name, |wanted| {
            wanted.enabled = choice["enabled"].as_bool();
            wanted.values = choice.get("values").map(|values| Values::new(values.clone()).unwrap());
        });
    }
    let resolution = catalog().resolve(&site, &with(facts));
    resolution.components.iter().flat_map(|component| component.checks.iter().map(|one| one.check.clone())).collect()
}

fn names(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().map(Check::verb).collect()
}

#[test]
fn the_example_measures_its_gpus() {
    let all = catalog().resolve(&desired(), &crate::site::facts());
    let checks: Vec<&Check> = all.components.iter().flat_map(|c| c.checks.iter().map(|one| &one.check)).collect();
    let [Check::GpuMetrics { nodes, monitor, prometheus, port, .. }] = checks.as_slice() else { panic!("{checks:?}") };
    assert_eq!(*nodes, ["dgx-05", "dgx-06"].map(|name| NodeName::new(name).unwrap()));
    assert_eq!((monitor.namespace.as_str(), monitor.name.as_str()), ("gpu-operator", "nvidia-dcgm-exporter"));
    assert_eq!((prometheus.namespace.as_str(), *port), ("prometheus", 9090));
    let every = all.components.iter().flat_map(|component| &component.checks);
    assert!(every.into_iter().all(|one| !one.reason.is_empty()));
}

#[test]
fn nobody_is_asked_for_what_is_off() {
    assert_eq!(names(&brought(json!({}), json!({"kube-prometheus-stack": {"enabled": false}}))), [""; 0]);
    let no_exporter = json!({"gpu-operator": {"values": {"dcgmExporter": {"enabled": false}}}});
    assert_eq!(names(&brought(json!({}), no_exporter)), [""; 0]);
    let no_gpus = json!({"nodes.gpuCount": 0, "nodes.gpu": []});
    assert_eq!(names(&brought(no_gpus, json!({}))), [""; 0]);
}

#[test]
fn shares_are_checked_by_the_name_that_the_site_gives_them() {
    let shares = |facts: Value, components: Value| {
        brought(facts, components).into_iter().find_map(|check| match check {
            Check::GpuSharing { resource, replicas, .. } => Some((resource, replicas)),
            _ => None,
        })
    };
    let four = || json!({"gpu.timeSlicing": 4});
    assert_eq!(shares(four(), json!({})), Some(("nvidia.com/gpu".to_owned(), 4)));
    let renamed = json!({"gpu.timeSlicing": 4, "gpu.renameShared": true, "gpu.resource": "nvidia.com/gpu.shared"});
    assert_eq!(shares(renamed, json!({})), Some(("nvidia.com/gpu.shared".to_owned(), 4)));
    assert_eq!(shares(json!({"gpu.timeSlicing": 4, "gpu.mig": "mixed", "gpu.migLabelled": 2}), json!({})), None);
    let own = json!({"gpu-operator": {"values": {"devicePlugin": {"config": {"name": "own", "create": false}}}}});
    assert_eq!(shares(four(), own), None, "what a configuration of the site's own says is not known");
}

#[test]
fn snapshots_and_functions_are_checked_where_they_are_wanted() {
    let snapshots = brought(json!({}), json!({"snapshot-controller": {"enabled": true}}));
    assert!(names(&snapshots).contains(&"snapshot"), "{snapshots:?}");
    let infiniband = json!({
        "infiniband.wanted": true, "infiniband.model": null, "infiniband.interfaces": ["ibp24s0", "ibp64s0"],
        "infiniband.addresses": "10.99.0.0/16", "infiniband.virtualFunctions": 8, "infiniband.maxUnavailable": 1,
    });
    let all = brought_with_new(infiniband);
    let rdma = all.iter().find_map(|check| match check {
        Check::Rdma { resources, networks, .. } => Some((resources.clone(), networks.clone())),
        _ => None,
    });
    let (resources, networks) = rdma.unwrap();
    assert_eq!(resources, ["nvidia.com/resibp24s0", "nvidia.com/resibp64s0"]);
    assert_eq!(networks, ["default/ibp24s0", "default/ibp64s0"]);
}

/// Facts of InfiniBand are there only where it is wanted.
fn brought_with_new(more: Value) -> Vec<Check> {
    let mut facts = crate::site::facts();
    facts.extend(more.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())));
    let resolution = catalog().resolve(&desired(), &facts);
    resolution.components.iter().flat_map(|component| component.checks.iter().map(|one| one.check.clone())).collect()
}
