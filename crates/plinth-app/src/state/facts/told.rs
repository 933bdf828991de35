//! Facts of a node for people: what it is, and what may explain why it alone fails.

use plinth_model::facts::NodeFacts;
use std::fmt::Display;

/// Names and values in the order in which people look at a machine; what it did not tell is left out.
pub(super) fn rows(facts: &NodeFacts) -> Vec<(&'static str, String)> {
    let number = |value: u32| if value > 0 { value.to_string() } else { String::new() };
    let mut rows = vec![
        ("system", facts.os.clone()),
        ("DGX release", facts.dgx_release.clone().unwrap_or_default()),
        ("kernel", facts.kernel.clone()),
        ("architecture", facts.architecture.clone()),
        ("host name", facts.hostname.clone()),
        ("CPUs", number(facts.cpus)),
        ("memory", gib(facts.memory_mib)),
        ("swap", gib(facts.swap_mib)),
        ("GPUs", gpus(facts)),
        ("driver", facts.driver.clone().unwrap_or_default()),
        ("adapters", joined(facts.adapters.iter().map(|one| &one.interface))),
        ("NVSwitches", number(facts.nvswitches)),
        ("SELinux", facts.selinux.clone().unwrap_or_default()),
        ("clock", clock(facts)),
    ];
    rows.extend(network(facts));
    rows.extend(facts.spaces.iter().map(|space| {
        let (free, all) = (space.free_mib / 1024, space.total_mib / 1024);
        ("space", format!("{}: {free} of {all} GiB free, {} on {}", space.path, space.filesystem, space.mount))
    }));
    rows.extend(
        facts.containerd.iter().map(|one| {
            ("containerd", format!("{}, data in {}, {} containers run", one.version, one.root, one.running))
        }),
    );
    rows.extend(facts.obstacles.iter().map(|one| ("in the way", one.clone())));
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

fn network(facts: &NodeFacts) -> [(&'static str, String); 4] {
    let addresses = facts.addresses.iter().map(|one| format!("{}/{} on {}", one.address, one.prefix, one.interface));
    let route = facts.default_route.as_ref().map(|route| {
        let via = route.via.map(|via| format!(" via {via}")).unwrap_or_default();
        format!("{}{via}", route.interface)
    });
    let listens = facts.listening.iter().map(|(port, name)| format!("{port} {name}"));
    [
        ("addresses", joined(addresses)),
        ("default route", route.unwrap_or_default()),
        ("name servers", facts.nameservers.join(", ")),
        ("listens on", joined(listens)),
    ]
}

fn gpus(facts: &NodeFacts) -> String {
    let mut names = facts.gpu_names.clone();
    names.dedup();
    match (facts.gpus, names.join(", ")) {
        (0, _) => String::new(),
        (count, names) if names.is_empty() => count.to_string(),
        (count, names) => format!("{count}: {names}"),
    }
}

fn clock(facts: &NodeFacts) -> String {
    let service = facts.time_service.iter().cloned();
    let synchronised =
        facts.time_synchronised.map(|is| if is { "synchronised" } else { "not synchronised" }.to_owned());
    let offset = (facts.clock_offset_ms != 0).then(|| format!("{} ms from ours", facts.clock_offset_ms));
    joined(service.chain(synchronised).chain(offset))
}

fn gib(mib: u64) -> String {
    match mib {
        0 => String::new(),
        1..1024 => format!("{mib} MiB"),
        _ => format!("{} GiB", mib / 1024),
    }
}

fn joined(texts: impl Iterator<Item = impl Display>) -> String {
    texts.map(|text| text.to_string()).collect::<Vec<_>>().join(", ")
}
