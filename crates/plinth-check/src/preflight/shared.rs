//! What the nodes of a role must have together. One node by itself may be large enough for its share and all of them too small for the sum.

use plinth_model::facts::{NodeFacts, SharedNeeds};
use plinth_model::finding::code;
use plinth_model::{Finding, NodeName};

/// Subject: the nodes that carry it.
const SYSTEM: &str = "nodes.system";

/// A finding when these nodes together have less than what is needed. Memory is asked a tenth lower, since machines report less than what is
/// built in. `volumes`: the directory in which claims of volumes end, when it is to have room still. Nothing is said when one of the nodes did
/// not tell.
#[must_use]
pub fn shared(
    nodes: &[(&NodeName, Option<&NodeFacts>)],
    needs: &SharedNeeds,
    volumes: Option<&str>,
) -> Option<Finding> {
    let facts: Vec<&NodeFacts> = nodes.iter().map(|(_, facts)| *facts).collect::<Option<_>>()?;
    if facts.is_empty() {
        return None;
    }
    let cpus: u32 = facts.iter().map(|facts| facts.cpus).sum();
    let memory_gb = facts.iter().map(|facts| facts.memory_mib).sum::<u64>() * 1024 * 1024 / 1_000_000_000;
    let mut short = Vec::new();
    short.extend((cpus < needs.cpus).then(|| format!("{cpus} cores of {}", needs.cpus)));
    let memory_wanted = u64::from(needs.memory_gb) * 9 / 10;
    short.extend((memory_gb < memory_wanted).then(|| format!("{memory_gb} GB of memory of {}", needs.memory_gb)));
    short.extend(volumes.and_then(|path| no_room(&facts, path, needs.disk_gb)));
    if short.is_empty() {
        return None;
    }
    let message = format!("{} needs more than its system nodes have together: {}", needs.who, short.join(", "));
    let mut finding = Finding::warning(code::NODES_SYSTEM_TOO_SMALL, SYSTEM, message)
        .fix("give the role to more nodes, or larger ones: `nodes.system` in the site file");
    finding.evidence = nodes.iter().filter_map(|(node, facts)| Some(line(node, (*facts)?, volumes))).collect();
    finding.evidence.extend(needs.sources.iter().map(|title| format!("source: {title}")));
    Some(finding)
}

/// Nothing where one node was not asked about the directory.
fn no_room(facts: &[&NodeFacts], path: &str, wanted: u32) -> Option<String> {
    let free: u64 = facts.iter().map(|facts| facts.free_gib(path)).sum::<Option<u64>>()?;
    (free < u64::from(wanted)).then(|| format!("{free} GiB free at {path} of {wanted} for volumes"))
}

fn line(node: &NodeName, facts: &NodeFacts, volumes: Option<&str>) -> String {
    let room = volumes.and_then(|path| Some(format!(", {} GiB free at {path}", facts.free_gib(path)?)));
    format!("{node}: {} cores, {} MiB of memory{}", facts.cpus, facts.memory_mib, room.unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::facts::Space;

    fn node(cpus: u32, memory_gib: u64, free_gib: u64) -> NodeFacts {
        let space = Space { path: "/local".into(), free_mib: free_gib * 1024, ..Space::default() };
        NodeFacts { cpus, memory_mib: memory_gib * 1024, spaces: vec![space], ..NodeFacts::default() }
    }

    #[test]
    fn nodes_that_do_alone_may_be_too_small_together() {
        let needs = SharedNeeds {
            who: "Run:ai 2.25".into(),
            cpus: 20,
            memory_gb: 32,
            disk_gb: 160,
            sources: vec!["a document".into()],
        };
        let name = NodeName::new("cpu-03").unwrap();
        let say = |nodes: &[NodeFacts], volumes| {
            let all: Vec<(&NodeName, Option<&NodeFacts>)> = nodes.iter().map(|facts| (&name, Some(facts))).collect();
            shared(&all, &needs, volumes).map(|finding| finding.message)
        };
        assert!(say(&[node(10, 64, 400)], Some("/local")).unwrap().ends_with("together: 10 cores of 20"));
        assert!(say(&[node(32, 16, 400)], Some("/local")).unwrap().ends_with("17 GB of memory of 32"));
        assert!(say(&[node(32, 64, 100)], Some("/local")).unwrap().contains("100 GiB free at /local of 160"));
        assert_eq!(say(&[node(32, 64, 100)], None), None, "what is installed already has its room");
        assert_eq!(say(&[node(10, 16, 80), node(10, 16, 80)], Some("/local")), None, "together they are enough");
        assert_eq!(say(&[node(32, 64, 100)], Some("/opt")), None, "nobody asked about it");
        let silent = [(&name, Some(&node(1, 1, 1))), (&name, None)];
        assert_eq!(shared(&silent, &needs, None), None, "one of them did not tell");
    }
}
