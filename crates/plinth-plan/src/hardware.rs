//! What the GPU nodes have decides who brings the driver and the container toolkit, and which InfiniBand adapters pods get. The site file
//! decides where it says so; a node of which nothing is known decides nothing.

use crate::catalog::Components;
use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use crate::facts;
use crate::gpu::GPU_OPERATOR;
use crate::known_hardware::{Firmware, Hardware};
use plinth_model::facts::{Adapter, Link, NodeFacts};
use plinth_model::finding::code;
use plinth_model::{Finding, NodeName, amount};
use plinth_site::Desired;
use plinth_site::desired::Engine;
use std::collections::BTreeMap;

type Known<'a> = [(&'a Member, &'a NodeFacts)];

/// Notes in the cluster what is known of its GPU nodes; findings where they differ, among each other or from what the site says. Adapters that
/// the site, or its model of machine, does not name are left as they are, and no node restarts for them.
pub(crate) fn place(
    desired: &Desired,
    cluster: &mut Cluster,
    facts: &BTreeMap<NodeName, NodeFacts>,
    catalog: &dyn Components,
) -> Vec<Finding> {
    let named = catalog.interfaces(&facts::facts(desired, cluster));
    let (hardware, findings) = of(desired, cluster, |node| facts.get(node), Some(&named));
    cluster.hardware = hardware;
    findings
}

/// What follows from these facts for the plan; compared to learn whether more knowledge leads to another one. Without a catalog all InfiniBand
/// adapters count where a model names them, so that the answer may be yes too often. Planning again costs time on a
/// large site, so what was assumed and turned out to be so counts as the same.
pub(crate) fn decided<'f>(
    desired: &Desired,
    cluster: &Cluster,
    facts: impl Fn(&NodeName) -> Option<&'f NodeFacts>,
) -> (Hardware, Vec<Finding>) {
    let (known, findings) = of(desired, cluster, facts, None);
    let assumed = Hardware {
        driver_on_host: Some(known.driver(desired)),
        toolkit_on_host: Some(known.toolkit_on_host == Some(true)),
        ..known
    };
    (assumed, findings)
}

fn of<'f>(
    desired: &Desired,
    cluster: &Cluster,
    facts: impl Fn(&NodeName) -> Option<&'f NodeFacts>,
    named: Option<&[String]>,
) -> (Hardware, Vec<Finding>) {
    let gpu: Vec<&Member> = cluster.with(Role::Gpu).collect();
    let known: Vec<(&Member, &NodeFacts)> =
        gpu.iter().filter_map(|member| Some((*member, facts(&member.name)?))).collect();
    let whole = !gpu.is_empty() && known.len() == gpu.len();
    let mut findings = Vec::new();
    let driver = of_all(&known, |facts| facts.driver_installed);
    findings.extend(about_driver(desired, &driver));
    let toolkit = of_all(&known, |facts| facts.toolkit_installed);
    findings.extend(about_toolkit(desired, &toolkit));
    let (adapters, more) = adapters(desired, &known, whole);
    findings.extend(more);
    let (firmware, more) =
        firmware(desired, &known, whole, named.map(|named| if named.is_empty() { &adapters } else { named }));
    findings.extend(more);
    let hardware = Hardware { driver_on_host: driver.same(), toolkit_on_host: toolkit.same(), adapters, firmware };
    (hardware, findings)
}

/// Who says yes and who says no; who says nothing is in neither.
struct Answers<'a> {
    yes: Vec<&'a str>,
    no: Vec<&'a str>,
}

impl Answers<'_> {
    const fn same(&self) -> Option<bool> {
        match (self.yes.is_empty(), self.no.is_empty()) {
            (false, true) => Some(true),
            (true, false) => Some(false),
            _ => None,
        }
    }
}

fn of_all<'a>(known: &Known<'a>, ask: impl Fn(&NodeFacts) -> Option<bool>) -> Answers<'a> {
    let named = |wanted: bool| {
        let said = known.iter().filter(|(_, facts)| ask(facts) == Some(wanted));
        said.map(|(member, _)| member.name.as_str()).collect()
    };
    Answers { yes: named(true), no: named(false) }
}

fn about_driver(desired: &Desired, driver: &Answers<'_>) -> Option<Finding> {
    let said = desired.platform.gpu.driver_on_host;
    let subject = "platform.gpu.driverOnHost";
    match said {
        Some(false) if !driver.yes.is_empty() => {
            let text = format!(
                "the GPU Operator is to bring the driver, and {} already has one installed",
                driver.yes.join(", ")
            );
            let fix =
                "remove `driverOnHost: false`, so that the driver of the nodes is used, or take it out of their image";
            Some(Finding::warning(code::GPU_DRIVER_TWICE, subject, text).fix(fix))
        }
        Some(_) => None,
        None => mixture(driver, "the NVIDIA driver is installed", (subject, "platform: {gpu: {driverOnHost: true}}")),
    }
}

/// Only a cluster that is there already is left its own toolkit, and only where the site does not say whose there is to be.
fn about_toolkit(desired: &Desired, toolkit: &Answers<'_>) -> Option<Finding> {
    let values = desired.platform.components.get(GPU_OPERATOR).and_then(|choice| choice.values.as_ref());
    let values = values.and_then(|values| serde_json::to_value(values).ok());
    let is_said = values.is_some_and(|values| values.pointer("/toolkit/enabled").is_some());
    if desired.kubernetes.engine != Engine::Existing || is_said {
        return None;
    }
    let holds = "platform: {components: {gpu-operator: {values: {toolkit: {enabled: true}}}}}";
    let what = "NVIDIA's container runtime is in containerd's own settings";
    mixture(toolkit, what, ("platform.components.gpu-operator.values.toolkit.enabled", holds))
}

/// A decision for all GPU nodes cannot follow from two kinds of them: what holds without any knowledge is planned.
fn mixture(answers: &Answers<'_>, what: &str, (subject, holds): (&str, &str)) -> Option<Finding> {
    let Answers { yes, no } = answers;
    (!yes.is_empty() && !no.is_empty()).then(|| {
        let text = format!("{what} on {}, and not on {}", yes.join(", "), no.join(", "));
        let fix = format!("make the images of the GPU nodes alike, or say which holds: `{holds}`");
        Finding::warning(code::GPU_NODES_DIFFER, subject, text).fix(fix)
    })
}

fn infiniband(facts: &NodeFacts) -> impl Iterator<Item = &Adapter> {
    facts.adapters.iter().filter(|adapter| adapter.link == Link::Infiniband)
}

/// Adapters that all GPU nodes have; used where the site names neither interfaces nor a model.
fn adapters(desired: &Desired, known: &Known<'_>, whole: bool) -> (Vec<String>, Vec<Finding>) {
    let Some(wanted) = &desired.platform.infiniband else { return (Vec::new(), Vec::new()) };
    let open = wanted.model.is_none() && wanted.interfaces.is_empty();
    let names = |facts: &NodeFacts| infiniband(facts).map(|one| one.interface.clone()).collect::<Vec<_>>();
    let mut common = known.first().map(|(_, facts)| names(facts)).unwrap_or_default();
    for (_, facts) in known {
        let there = names(facts);
        common.retain(|name| there.contains(name));
    }
    if !open {
        return (common, Vec::new());
    }
    let mut findings = Vec::new();
    if !whole {
        let text = "the adapters are those that the GPU nodes have, and not all of them were looked at yet";
        let fix = "run `plinth preflight`, or name them: `model: dgx-h100` or `interfaces: [ibp24s0, ..]`";
        findings.push(Finding::warning(code::PLATFORM_ADAPTERS_DIFFER, "platform.infiniband", text).fix(fix));
        return (Vec::new(), findings);
    }
    let more: Vec<String> = known
        .iter()
        .filter_map(|(member, facts)| {
            let own: Vec<String> = names(facts).into_iter().filter(|name| !common.contains(name)).collect();
            (!own.is_empty()).then(|| format!("{}: {}", member.name, own.join(", ")))
        })
        .collect();
    if common.is_empty() || !more.is_empty() {
        let text = format!(
            "the GPU nodes have {} in common, and some have others",
            amount(common.len(), "InfiniBand adapter")
        );
        let fix = "only those in common are given to pods; name those that are meant: `interfaces: [ibp24s0, ..]`";
        let mut finding = Finding::warning(code::PLATFORM_ADAPTERS_DIFFER, "platform.infiniband", text).fix(fix);
        finding.evidence = more;
        findings.push(finding);
    }
    (common, findings)
}

/// Findings where the interfaces that the site or the catalog names differ from what the nodes have.
pub(crate) fn against(
    desired: &Desired,
    cluster: &Cluster,
    facts: &BTreeMap<NodeName, NodeFacts>,
    named: &[String],
) -> Vec<Finding> {
    let Some(wanted) = &desired.platform.infiniband else { return Vec::new() };
    if named.is_empty() || (wanted.model.is_none() && wanted.interfaces.is_empty()) {
        return Vec::new();
    }
    let lacking = cluster.with(Role::Gpu).filter_map(|member| {
        let there: Vec<&str> = infiniband(facts.get(&member.name)?).map(|one| one.interface.as_str()).collect();
        let missing: Vec<&str> = named.iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
        let other: Vec<&str> = there.iter().copied().filter(|name| !named.iter().any(|known| known == name)).collect();
        (!missing.is_empty()).then(|| {
            let others = if other.is_empty() { "none".to_owned() } else { other.join(", ") };
            format!("{}: lacks {}, has others: {others}", member.name, missing.join(", "))
        })
    });
    let lacking: Vec<String> = lacking.collect();
    if lacking.is_empty() {
        return Vec::new();
    }
    let whose = wanted.model.as_ref().map_or_else(|| "that the site names".to_owned(), |model| format!("of a {model}"));
    let text = format!("the InfiniBand adapters {whose} are not those of {}", amount(lacking.len(), "GPU node"));
    let fix =
        "remove `model` and `interfaces`, so that what the nodes have is used, or name the interfaces that are meant";
    let mut finding = Finding::warning(code::PLATFORM_ADAPTERS_DIFFER, "platform.infiniband", text).fix(fix);
    finding.evidence = lacking;
    vec![finding]
}

/// A node restarts when its firmware has another number of functions than the policy wants.
fn firmware(desired: &Desired, known: &Known<'_>, whole: bool, meant: Option<&[String]>) -> (Firmware, Vec<Finding>) {
    let Some(wanted) = &desired.platform.infiniband else { return (Firmware::Unknown, Vec::new()) };
    let functions = u32::from(wanted.virtual_functions);
    let is_meant = |one: &&Adapter| meant.is_none_or(|meant| meant.contains(&one.interface));
    let mut differing = Vec::new();
    let mut unknown = !whole;
    for (member, facts) in known {
        let numbers: Vec<Option<u32>> = infiniband(facts).filter(is_meant).map(|one| one.firmware_functions).collect();
        unknown |= numbers.is_empty() || numbers.contains(&None);
        if let Some(other) = numbers.iter().flatten().find(|number| **number != functions) {
            differing.push(format!("{}: {other} in the firmware, {functions} wanted", member.name));
        }
    }
    if differing.is_empty() {
        return (if unknown { Firmware::Unknown } else { Firmware::Same }, Vec::new());
    }
    let text = format!(
        "{} will restart, because the firmware of InfiniBand adapters there has another number of virtual functions",
        amount(differing.len(), "GPU node")
    );
    let fix = "set the firmware beforehand (NUM_OF_VFS; it needs a cold power cycle), or apply while no jobs run; platform.infiniband.maxUnavailable says how many nodes restart at a time";
    let mut finding =
        Finding::warning(code::PLATFORM_NODES_RESTART, "platform.infiniband.virtualFunctions", text).fix(fix);
    finding.evidence = differing;
    (Firmware::Differs, vec![finding])
}
