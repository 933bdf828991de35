//! What only shows when nodes are held against each other.

use super::time::OFFSET_MAX_MS;
use plinth_model::facts::NodeFacts;
use plinth_model::finding::code;
use plinth_model::{Finding, NodeName};
use std::collections::BTreeMap;

/// Subject of findings that no node is to blame for.
const ALL: &str = "nodes";

/// Judges all nodes together.
#[must_use]
pub fn across(nodes: &[(NodeName, NodeFacts)]) -> Vec<Finding> {
    let gpu: Vec<&(NodeName, NodeFacts)> = nodes.iter().filter(|(_, facts)| facts.gpus > 0).collect();
    let cpu: Vec<&(NodeName, NodeFacts)> = nodes.iter().filter(|(_, facts)| facts.gpus == 0).collect();
    let alike = [("with GPUs", gpu), ("without GPUs", cpu)];
    let mut found: Vec<Finding> =
        [clock_skew(nodes), duplicate_hostnames(nodes), duplicate_addresses(nodes)].into_iter().flatten().collect();
    for (kind, nodes) in &alike {
        found.extend(systems(kind, nodes));
        found.extend(kernels(kind, nodes));
    }
    found.extend(drivers(&alike[0].1));
    found
}

/// The official diagnostics of Run:ai allow one minute between two nodes (NVIDIA Run:ai Preinstall Diagnostics).
fn clock_skew(nodes: &[(NodeName, NodeFacts)]) -> Option<Finding> {
    let offset = |(_, facts): &&(NodeName, NodeFacts)| facts.clock_offset_ms;
    let (behind, ahead) = (nodes.iter().min_by_key(offset)?, nodes.iter().max_by_key(offset)?);
    let apart = ahead.1.clock_offset_ms.abs_diff(behind.1.clock_offset_ms);
    (apart > OFFSET_MAX_MS).then(|| {
        Finding::error(code::NODE_CLOCK_SKEW, ALL, format!("clocks of nodes are {} s apart", apart / 1000))
            .evidence(format!("{}: {} ms", behind.0, behind.1.clock_offset_ms))
            .evidence(format!("{}: {} ms", ahead.0, ahead.1.clock_offset_ms))
            .fix("let all nodes ask the same time server; `chronyc tracking` shows how far each is off")
    })
}

fn duplicate_hostnames(nodes: &[(NodeName, NodeFacts)]) -> Option<Finding> {
    let evidence = shared(nodes.iter().map(|(node, facts)| (facts.hostname.to_lowercase(), node)));
    (!evidence.is_empty()).then(|| {
        let finding = Finding::error(code::NODE_DUPLICATE_HOSTNAME, ALL, "several nodes call themselves the same")
            .fix("look whether two addresses lead to one machine; else `hostnamectl set-hostname NODE` on each");
        with(finding, evidence)
    })
}

fn duplicate_addresses(nodes: &[(NodeName, NodeFacts)]) -> Option<Finding> {
    let all = nodes
        .iter()
        .flat_map(|(node, facts)| facts.own_addresses().map(move |address| (address.address.to_string(), node)));
    let evidence = shared(all);
    (!evidence.is_empty()).then(|| {
        let finding = Finding::error(code::NODE_DUPLICATE_ADDRESS, ALL, "several nodes have the same address").fix(
            "give each node addresses of its own in BCM; `arping -D ADDRESS` shows whether another machine answers",
        );
        with(finding, evidence)
    })
}

/// Values that several nodes have: `10.0.0.5: a, b`.
fn shared<'a>(values: impl Iterator<Item = (String, &'a NodeName)>) -> Vec<String> {
    let several = |(_, nodes): &(String, Vec<&str>)| nodes.len() > 1;
    grouped(values).into_iter().filter(several).map(|(value, nodes)| format!("{value}: {}", nodes.join(", "))).collect()
}

fn grouped<'a>(values: impl Iterator<Item = (String, &'a NodeName)>) -> Vec<(String, Vec<&'a str>)> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (value, node) in values.filter(|(value, _)| !value.is_empty()) {
        let nodes = groups.entry(value).or_default();
        if nodes.last() != Some(&node.as_str()) {
            nodes.push(node.as_str());
        }
    }
    groups.into_iter().collect()
}

fn systems(kind: &str, nodes: &[&(NodeName, NodeFacts)]) -> Option<Finding> {
    let evidence = differing(nodes, |facts| facts.os.clone())?;
    let finding = Finding::info(code::NODE_SYSTEMS_DIFFER, ALL, format!("nodes {kind} run different systems"))
        .fix("give nodes of one role the same software image (`cmsh -c \"category; use NAME; get softwareimage\"`)");
    Some(with(finding, evidence))
}

fn kernels(kind: &str, nodes: &[&(NodeName, NodeFacts)]) -> Option<Finding> {
    let evidence = differing(nodes, |facts| facts.kernel.clone())?;
    let finding = Finding::info(code::NODE_KERNELS_DIFFER, ALL, format!("nodes {kind} run different kernels"))
        .fix("restart the nodes that run an older kernel than their image holds; `uname -r` shows the running one");
    Some(with(finding, evidence))
}

/// Jobs over several nodes load one CUDA and expect one driver.
fn drivers(nodes: &[&(NodeName, NodeFacts)]) -> Option<Finding> {
    let evidence = differing(nodes, |facts| facts.driver.clone().unwrap_or_else(|| "no driver".to_owned()))?;
    let finding = Finding::warning(code::NODE_DRIVERS_DIFFER, ALL, "GPU nodes have different NVIDIA drivers")
        .fix("bring them to one version in their software image; `nvidia-smi` shows the loaded one");
    Some(with(finding, evidence))
}

/// Each value with its nodes, when there are several values.
fn differing(nodes: &[&(NodeName, NodeFacts)], value: impl Fn(&NodeFacts) -> String) -> Option<Vec<String>> {
    let groups = grouped(nodes.iter().map(|(node, facts)| (value(facts), node)));
    let lines = groups.iter().map(|(value, nodes)| format!("{value}: {}", nodes.join(", ")));
    (groups.len() > 1).then(|| lines.collect())
}

fn with(mut finding: Finding, evidence: Vec<String>) -> Finding {
    finding.evidence = evidence;
    finding
}
