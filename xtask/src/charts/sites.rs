//! Sites that the catalog is held against: every example, as it is and with settings that lead to other values.

use crate::commands::{Failure, root};
use plinth_catalog::{Catalog, ResolvedComponent};
use plinth_plan::facts::facts;
use plinth_plan::{Cluster, discover, static_inventory};
use plinth_site::desired::InventorySource;
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;
use std::path::Path;

/// One site, with the components that it gets.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) kubernetes: Option<String>,
    pub(super) components: Vec<ResolvedComponent>,
}

/// Settings that are put over an example, by name.
fn variants() -> Vec<(&'static str, Value)> {
    let optional = [
        "cert-manager",
        "k8s-nim-operator",
        "kyverno",
        "kyverno-policies",
        "mpi-operator",
        "postgres-operator",
        "snapshot-controller",
        "spark-operator",
    ];
    let on: Map<String, Value> = optional.iter().map(|name| ((*name).to_owned(), json!({"enabled": true}))).collect();
    let platform = |value: Value| json!({"platform": value});
    vec![
        ("as it is", json!({})),
        ("time slicing", platform(json!({"gpu": {"timeSlicing": 4}}))),
        ("MIG single", platform(json!({"gpu": {"mig": "single"}}))),
        ("MIG mixed", platform(json!({"gpu": {"mig": "mixed"}}))),
        ("driver in a container", platform(json!({"gpu": {"driverOnHost": false}}))),
        ("no monitoring", platform(json!({"components": {"kube-prometheus-stack": {"enabled": false}}}))),
        ("InfiniBand", platform(json!({"infiniband": {"model": "dgx-h100", "addresses": "192.168.0.0/16"}}))),
        ("all optional", platform(json!({"components": on}))),
        (
            "HAProxy",
            platform(
                json!({"components": {"haproxy-ingress": {"enabled": true}, "ingress-nginx": {"enabled": false}}}),
            ),
        ),
    ]
}

/// All of them. A setting that does not go with an example is left out there.
pub(super) fn cases(catalog: &Catalog) -> Result<Vec<Case>, Failure> {
    let folder = root().join("examples");
    let read = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    let mut cases = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut site: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        with_static_inventory(&mut site);
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (variant, over) in variants() {
            let mut site = site.clone();
            merge(&mut site, &over);
            match case(&format!("{name}, {variant}"), &site, file, catalog) {
                Some(case) => cases.push(case),
                None if variant == "as it is" => return Err(format!("{} cannot be read as a site", file.display())),
                None => {}
            }
        }
    }
    Ok(cases)
}

fn case(name: &str, site: &Value, file: &Path, catalog: &Catalog) -> Option<Case> {
    let desired = plinth_site::parse(site.to_string(), file).ok()?.desired;
    let InventorySource::Static(nodes) = &desired.inventory else { return None };
    let (mut cluster, _) = Cluster::new(&desired, &discover(&desired, &static_inventory(nodes)));
    cluster.add_role_labels(&desired, &catalog.runai().node_roles);
    let resolution = catalog.resolve(&desired, &facts(&desired, &cluster));
    let kubernetes = desired.kubernetes.version.as_ref().map(|version| version.prefixed());
    Some(Case { name: name.to_owned(), kubernetes, components: resolution.components })
}

/// BCM is not asked here: the nodes that the site names stand in for its inventory.
fn with_static_inventory(site: &mut Value) {
    if site["inventory"].get("static").is_some() {
        return;
    }
    let network =
        site["networks"]["production"].as_str().and_then(|text| text.split('/').next()?.parse::<Ipv4Addr>().ok());
    if network.is_none() {
        site["networks"]["production"] = json!("10.200.0.0/24");
    }
    let first = u32::from(network.unwrap_or(Ipv4Addr::new(10, 200, 0, 0))) + 50;
    let mut nodes: Vec<Value> = Vec::new();
    for role in ["controlPlane", "workers", "gpu", "system"] {
        let selectors = site["nodes"][role].as_array().into_iter().flatten();
        for (name, category) in selectors.flat_map(named) {
            if nodes.iter().all(|node| node["name"] != name.as_str()) {
                let address = Ipv4Addr::from(first + u32::try_from(nodes.len()).unwrap_or_default());
                nodes.push(json!({"name": name, "address": address.to_string(), "category": category}));
            }
        }
    }
    site["inventory"] = json!({"static": nodes});
}

/// Nodes that a selector finds, with their category.
fn named(selector: &Value) -> Vec<(String, String)> {
    let usual = "default".to_owned();
    match (selector.as_str(), selector["category"].as_str()) {
        (Some(glob), _) if glob.contains('*') => {
            ["01", "02"].map(|number| (glob.replace('*', number), usual.clone())).to_vec()
        }
        (Some(name), _) => vec![(name.to_owned(), usual)],
        (None, Some(category)) => {
            ["01", "02"].map(|number| (format!("{category}-{number}"), category.to_owned())).to_vec()
        }
        (None, None) => Vec::new(),
    }
}

fn merge(site: &mut Value, over: &Value) {
    match (site, over) {
        (Value::Object(site), Value::Object(over)) => {
            over.iter().for_each(|(key, value)| merge(site.entry(key.clone()).or_insert(Value::Null), value));
        }
        (site, over) => *site = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_case_and_all_of_the_catalog_but_a_few_is_in_one() {
        let catalog = Catalog::embedded().expect("the catalog");
        let cases = cases(&catalog).expect("the examples");
        assert!(cases.len() > 30, "{}", cases.len());
        let has = |name: &str| cases.iter().any(|case| case.components.iter().any(|component| component.name == name));
        // Their files are made by a person, who gives their digests.
        let missing: Vec<&String> = catalog.components().keys().filter(|name| !has(name)).collect();
        assert_eq!(missing, ["cosi-controller", "training-operator"]);
    }
}
