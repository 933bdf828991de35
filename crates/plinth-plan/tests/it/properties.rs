use crate::fixture::catalog::Shelf;
use crate::fixture::{inventory as data, site, unseen};
use plinth_model::NodeName;
use plinth_model::inventory::{InterfaceKind, Inventory};
use plinth_model::plan::Plan;
use plinth_plan::lint::lint;
use plinth_plan::{StepObservation, discover, plan, saved};
use plinth_site::Desired;
use plinth_site::desired::{NodeOverride, Selector};
use proptest::prelude::*;
use std::collections::HashSet;

/// What is chosen at random about a site.
#[derive(Clone, Debug)]
struct Mix {
    control_plane: usize,
    etcd_apart: bool,
    gpu: usize,
    cpu: usize,
    off: Vec<&'static str>,
    runai: bool,
    load_balancer: bool,
    storage: Vec<usize>,
}

const SWITCHES: [&str; 6] = [
    "gpu-operator",
    "knative-operator",
    "kube-prometheus-stack",
    "runai-cluster",
    "runai-control-plane",
    "ingress-nginx",
];

fn mix() -> impl Strategy<Value = Mix> {
    let counts = (prop::sample::select(vec![1usize, 3, 5]), any::<bool>(), 0usize..6, 1usize..6);
    let off = prop::sample::subsequence(SWITCHES.to_vec(), 0..=SWITCHES.len());
    let storage = prop::collection::vec(0usize..5, 0..3);
    (counts, off, any::<(bool, bool)>(), storage).prop_map(|(counts, off, (runai, load_balancer), storage)| {
        let (control_plane, etcd_apart, gpu, cpu) = counts;
        Mix { control_plane, etcd_apart, gpu, cpu, off, runai, load_balancer, storage }
    })
}

fn build(mix: &Mix) -> (Desired, Inventory, Shelf) {
    let named = |prefix: &str, count: usize| (0..count).map(|i| format!("{prefix}-{i}")).collect::<Vec<String>>();
    let groups = [
        named("cp", mix.control_plane),
        named("etcd", 3 * usize::from(mix.etcd_apart)),
        named("gpu", mix.gpu),
        named("cpu", mix.cpu),
    ];
    let nodes = groups.iter().flatten().enumerate().map(|(i, name)| {
        let address = format!("10.184.162.{}", i + 10);
        data::node(name, "some", vec![data::interface("bond0", InterfaceKind::Bond, &address, "dgxnet")])
    });
    let inventory = data::inventory(nodes.collect(), vec![data::network("dgxnet", "10.184.162.0/24", None)]);
    let select = |names: &[String]| names.iter().map(|n| site::name(n)).collect::<Vec<Selector>>();
    let mut desired = site::basepod();
    desired.nodes.control_plane = select(&groups[0]);
    desired.nodes.etcd = mix.etcd_apart.then(|| select(&groups[1]));
    desired.nodes.workers = select(&[groups[2].clone(), groups[3].clone()].concat());
    desired.nodes.gpu = select(&groups[2]);
    for i in &mix.storage {
        if let Some(name) = groups.iter().flatten().nth(*i) {
            let storage = Some(plinth_model::HostPath::fixed("/raid/containerd"));
            desired
                .nodes
                .overrides
                .insert(NodeName::new(name).unwrap(), NodeOverride { storage, ..NodeOverride::default() });
        }
    }
    if !mix.runai {
        desired.runai = None;
    }
    if mix.load_balancer {
        desired.platform.load_balancer = vec!["10.184.162.240/28".into()];
    }
    (desired, inventory, Shelf { off: mix.off.clone(), ..Shelf::default() })
}

fn satisfied(plan: &Plan) -> bool {
    let mut done = HashSet::new();
    plan.steps.iter().all(|step| {
        let ready = step.needs.iter().all(|need| done.contains(need));
        done.insert(&step.id);
        ready
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_mix_has_a_sound_plan_that_ends(mix in mix()) {
        let (desired, inventory, shelf) = build(&mix);
        let mut observed = unseen(inventory);
        let first = plan(&desired, &observed, &shelf).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
        prop_assert_eq!(lint(&first), vec![]);
        prop_assert!(satisfied(&first));
        observed.inventory.nodes.reverse();
        prop_assert_eq!(&plan(&desired, &observed, &shelf).unwrap(), &first);
        observed.steps = first.steps.iter().map(|s| (s.id.clone(), StepObservation::Done)).collect();
        let last = plan(&desired, &observed, &shelf).unwrap();
        prop_assert_eq!((last.pending(), &last.hash), (0, &first.hash));
        let text = saved::write(&first).unwrap();
        prop_assert_eq!(saved::read("plan.json", text.as_bytes(), Some(&first.site)).unwrap(), first);
    }

    #[test]
    fn no_inventory_makes_discovery_panic_or_choose_a_forbidden_address(
        interfaces in prop::collection::vec(("[a-z0-9:.]{0,6}", 0usize..9, "[0-9.]{0,15}|10\\.(184|229)\\.(10|162)\\.[0-9]{1,3}", any::<bool>(), "dgxnet|ipminet|"), 0..6),
    ) {
        let kinds = [
            InterfaceKind::Bond, InterfaceKind::Bridge, InterfaceKind::Vlan, InterfaceKind::Physical, InterfaceKind::Alias,
            InterfaceKind::Bmc, InterfaceKind::Tunnel, InterfaceKind::NetMap, InterfaceKind::Other("x".into()),
        ];
        let mut inventory = data::basepod();
        inventory.nodes[4].interfaces = interfaces.into_iter().map(|(name, kind, address, dhcp, network)| {
            let mut interface = data::interface(&name, kinds[kind].clone(), &address, &network);
            interface.dhcp = dhcp;
            interface
        }).collect();
        let desired = site::basepod();
        let discovery = discover(&desired, &inventory);
        let node = discovery.nodes.iter().find(|n| n.name == "dgx-05").unwrap();
        match node.address {
            Some(address) => prop_assert_eq!(&address.octets()[..3], &[10, 184, 162]),
            None => prop_assert!(discovery.findings.iter().any(|f| f.is_error())),
        }
    }
}
