//! What the GPU nodes have decides who brings the driver and the toolkit, and which InfiniBand adapters pods get.

use crate::fixture;
use plinth_catalog::Catalog;
use plinth_model::facts::{Adapter, Link, NodeFacts};
use plinth_model::plan::Plan;
use plinth_model::steps::{HelmRelease, KubeObjects};
use plinth_model::{Finding, NodeName, Work};
use plinth_plan::Observed;
use plinth_site::Desired;
use plinth_site::desired::Infiniband;
use serde_json::Value;

/// Of one GPU node: interfaces of InfiniBand, and virtual functions of their firmware.
fn node(driver: bool, adapters: &[&str], functions: Option<u32>) -> NodeFacts {
    let adapter = |name: &&str| Adapter {
        interface: (*name).to_owned(),
        link: if name.starts_with("ib") { Link::Infiniband } else { Link::Ethernet },
        firmware_functions: functions,
    };
    NodeFacts {
        driver_installed: Some(driver),
        toolkit_installed: Some(false),
        adapters: adapters.iter().map(adapter).collect(),
        ..NodeFacts::default()
    }
}

fn planned(desired: &Desired, facts: &[(&str, NodeFacts)]) -> Plan {
    let mut observed = Observed::new(fixture::inventory::basepod());
    let facts = facts.iter().map(|(name, facts)| (NodeName::new(name).unwrap(), facts.clone()));
    observed.facts = facts.collect();
    plinth_plan::plan(desired, &observed, &Catalog::embedded().unwrap()).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn value(plan: &Plan, component: &str, pointer: &str) -> Value {
    let values = plan.steps.iter().find_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) if release.component == component => {
            Some(serde_json::to_value(&release.values).unwrap())
        }
        _ => None,
    });
    values.unwrap().pointer(pointer).cloned().unwrap_or_default()
}

fn policies(plan: &Plan) -> Vec<String> {
    let objects = plan.steps.iter().filter_map(|step| match &step.work {
        Work::KubeObjects(KubeObjects { objects, .. }) => Some(objects),
        _ => None,
    });
    let of_kind = objects.flatten().filter(|object| object["kind"] == "SriovNetworkNodePolicy");
    of_kind.map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn found<'a>(plan: &'a Plan, code: &str) -> Vec<&'a Finding> {
    plan.findings.iter().filter(|finding| finding.code == code).collect()
}

fn with_infiniband(model: Option<&str>, interfaces: &[&str]) -> Desired {
    let mut desired = fixture::site::basepod();
    desired.platform.infiniband = Some(Infiniband {
        model: model.map(str::to_owned),
        interfaces: interfaces.iter().map(|name| (*name).to_owned()).collect(),
        addresses: "192.168.0.0/16".parse().unwrap(),
        virtual_functions: 8,
        max_unavailable: 1,
    });
    desired
}

const BOTH: [&str; 2] = ["dgx-05", "dgx-06"];

fn alike(node: &NodeFacts) -> Vec<(&'static str, NodeFacts)> {
    BOTH.map(|name| (name, node.clone())).to_vec()
}

#[test]
fn the_driver_comes_from_where_the_nodes_have_it() {
    let mut desired = fixture::site::basepod();
    let driver = |plan: &Plan| value(plan, "gpu-operator", "/driver/enabled");
    assert_eq!(driver(&planned(&desired, &[])), Value::Bool(false), "before anybody looked");
    assert_eq!(driver(&planned(&desired, &alike(&node(true, &[], None)))), Value::Bool(false));
    assert_eq!(driver(&planned(&desired, &alike(&node(false, &[], None)))), Value::Bool(true));

    let mixed = [("dgx-05", node(true, &[], None)), ("dgx-06", node(false, &[], None))];
    let plan = planned(&desired, &mixed);
    assert_eq!(driver(&plan), Value::Bool(false), "never both");
    let told = found(&plan, "gpu.nodes-differ");
    assert!(told[0].message.starts_with("the NVIDIA driver is installed on dgx-05, and not on dgx-06"), "{told:?}");

    desired.platform.gpu.driver_on_host = Some(false);
    let plan = planned(&desired, &mixed);
    assert_eq!(driver(&plan), Value::Bool(true), "the site decides");
    assert!(found(&plan, "gpu.driver-twice")[0].message.contains("dgx-05 already has one"), "{:?}", plan.findings);
    assert_eq!(found(&plan, "gpu.nodes-differ").len(), 0);
}

#[test]
fn an_adapter_that_every_gpu_node_has_gets_a_policy() {
    let desired = with_infiniband(None, &[]);
    let plan = planned(&desired, &alike(&node(true, &["ibp24s0", "ibp64s0", "enp41s0"], Some(8))));
    assert_eq!(policies(&plan), ["ibp24s0", "ibp64s0"]);
    assert_eq!(found(&plan, "platform.adapters-differ").len(), 0);
    assert_eq!(found(&plan, "platform.nodes-restart").len(), 0, "the firmware is as wanted");

    let other =
        [("dgx-05", node(true, &["ibp24s0"], Some(8))), ("dgx-06", node(true, &["ibp24s0", "ibp64s0"], Some(16)))];
    let plan = planned(&desired, &other);
    assert_eq!(policies(&plan), ["ibp24s0"]);
    assert_eq!(found(&plan, "platform.adapters-differ")[0].evidence, ["dgx-06: ibp64s0"]);
    let restart = found(&plan, "platform.nodes-restart");
    assert_eq!(
        (restart.len(), restart[0].evidence.as_slice()),
        (1, &["dgx-06: 16 in the firmware, 8 wanted".to_owned()][..])
    );

    let plan = planned(&desired, &[]);
    assert_eq!(policies(&plan), Vec::<String>::new());
    assert!(found(&plan, "platform.adapters-differ")[0].fix.contains("plinth preflight"));
}

#[test]
fn a_model_counts_before_what_nodes_have_and_differences_are_told() {
    let desired = with_infiniband(Some("dgx-gb200"), &[]);
    let plan = planned(&desired, &[]);
    assert_eq!(policies(&plan), ["ibp3s0", "ibP2p3s0", "ibP16p3s0", "ibP18p3s0"].map(str::to_lowercase));
    assert_eq!(found(&plan, "platform.nodes-restart").len(), 1, "nobody knows the firmware");

    let plan = planned(&with_infiniband(Some("dgx-h100"), &[]), &alike(&node(true, &["ibp24s0", "ibp12s0"], Some(8))));
    let told = found(&plan, "platform.adapters-differ");
    assert!(told[0].message.contains("of a dgx-h100 are not those of 2 GPU nodes"), "{told:?}");
    assert!(told[0].evidence[0].starts_with("dgx-05: lacks ibp64s0,"), "{told:?}");
    assert!(told[0].evidence[0].ends_with("has others: ibp12s0"), "{told:?}");
}

#[test]
fn no_node_restarts_for_an_adapter_that_the_model_does_not_name() {
    let desired = with_infiniband(Some("dgx-h100"), &[]);
    let named = policies(&planned(&desired, &[]));
    let mut all: Vec<&str> = named.iter().map(String::as_str).collect();
    all.push("ibp999s0");
    let mut known = node(true, &all, Some(8));
    known.adapters.last_mut().unwrap().firmware_functions = Some(16);
    assert_eq!(found(&planned(&desired, &alike(&known)), "platform.nodes-restart").len(), 0, "a foreign one");
    known.adapters[0].firmware_functions = Some(16);
    assert_eq!(found(&planned(&desired, &alike(&known)), "platform.nodes-restart").len(), 1);
}
