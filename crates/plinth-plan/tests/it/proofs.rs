//! Which acceptance checks a site has, and what they are about.

use crate::fixture::{inventory as data, planned, site, unseen};
use plinth_model::Work;
use plinth_model::inventory::NodeKind;
use plinth_model::steps::{AcceptanceCheck, AddressRange, Check};
use plinth_plan::{Observed, plan};
use plinth_site::Desired;
use plinth_site::desired::{ArtifactSource, ComponentChoice, Department, Project, WebProxy};
use std::net::Ipv4Addr;

fn checks(desired: &Desired, observed: &Observed) -> Vec<Check> {
    let of = |work: &Work| match work {
        Work::AcceptanceCheck(AcceptanceCheck { check }) => Some(check.clone()),
        _ => None,
    };
    planned(desired, observed).steps.iter().filter_map(|step| of(&step.work)).collect()
}

/// The names that pods are to resolve; none: nothing is checked.
fn names(desired: &Desired, observed: &Observed) -> Option<Vec<String>> {
    checks(desired, observed).into_iter().find_map(|check| match check {
        Check::DnsOut { names, nodes, .. } => {
            assert_eq!(nodes.len(), 5, "every node of the cluster");
            Some(names)
        }
        _ => None,
    })
}

#[test]
fn names_of_others_are_those_that_the_site_is_known_to_need() {
    let desired = site::basepod();
    let mut inventory = data::basepod();
    let observed = unseen(inventory.clone());
    assert_eq!(names(&desired, &observed).unwrap(), ["nvcr.io"]);

    let mut closed = desired.clone();
    closed.runai.as_mut().unwrap().source = ArtifactSource::Airgapped;
    closed.runai.as_mut().unwrap().mirror = Some("https://mirror.example.com".to_owned());
    assert_eq!(names(&closed, &observed), None, "nothing is known that its pods need");

    let mut behind = desired.clone();
    let https = Some("http://proxy.example.com:3128".to_owned());
    behind.kubernetes.proxy = Some(WebProxy { http: None, https, no_proxy: Vec::new() });
    assert_eq!(names(&behind, &observed), None, "the proxy resolves the names of others");

    let network = inventory.networks.iter_mut().find(|network| network.kind == "INTERNAL").unwrap();
    network.domain = "eth.Cluster".to_owned();
    let name = network.name.clone();
    let mut head = inventory.nodes[0].clone();
    (head.name, head.kind, head.category) = ("bcm-head-02".to_owned(), NodeKind::Head, None);
    head.interfaces.truncate(1);
    (head.interfaces[0].network, head.interfaces[0].address) = (Some(name), "10.184.162.250".to_owned());
    inventory.nodes.push(head);
    assert_eq!(names(&closed, &unseen(inventory.clone())).unwrap(), ["bcm-head-02.eth.cluster"]);

    closed.runai.as_mut().unwrap().domain = "bcm-head-02.eth.cluster".to_owned().try_into().unwrap();
    let other = names(&closed, &unseen(inventory)).unwrap();
    assert_eq!(other, ["bcm-head-01.eth.cluster"], "the platform's own name is led to the ingress");

    let mut given = desired;
    given.checks.names = Some(vec!["a.example".to_owned()]);
    assert_eq!(names(&given, &observed).unwrap(), ["a.example"]);
    given.checks.names = Some(Vec::new());
    assert_eq!(names(&given, &observed), None);
}

#[test]
fn a_training_is_of_the_first_project_and_of_a_gpu_where_there_is_one() {
    let training = |desired: &Desired| {
        let all = checks(desired, &unseen(data::basepod()));
        all.into_iter().find_map(|check| match check {
            Check::RunaiWorkload { project, gpus, image, .. } => Some((project, gpus, image)),
            _ => None,
        })
    };
    let mut desired = site::basepod();
    let image = desired.checks.gpu_image.clone();
    assert_eq!(training(&desired), None, "the site makes no project");
    let project = Project { name: "team-a".to_owned(), gpus: 8 };
    let department = Department { name: "research".to_owned(), gpus: 16, projects: vec![project] };
    desired.runai.as_mut().unwrap().departments = vec![department];
    assert_eq!(training(&desired), Some(("team-a".to_owned(), 1, image)));
    desired.platform.gpu.mig = "mixed".to_owned();
    assert_eq!(training(&desired), Some(("team-a".to_owned(), 0, desired.checks.image.clone())));
    desired.runai = None;
    assert_eq!(training(&desired), None);
}

#[test]
fn what_a_component_brings_is_planned_with_it_and_may_be_skipped() {
    let has = |desired: &Desired| {
        checks(desired, &unseen(data::basepod())).iter().any(|check| matches!(check, Check::GpuMetrics { .. }))
    };
    let mut desired = site::basepod();
    assert!(has(&desired));
    desired.checks.skip = vec!["gpu-metrics".to_owned()];
    assert!(!has(&desired));
}

#[test]
fn the_load_balancer_and_the_ingress_are_asked_with_run_ai_and_without() {
    let catalog = plinth_catalog::Catalog::embedded().unwrap();
    let ways = |desired: &Desired| {
        let mut balancers = Vec::new();
        let mut controllers = Vec::new();
        let plan = plan(desired, &unseen(data::basepod()), &catalog).unwrap_or_else(|found| panic!("{found:#?}"));
        for step in plan.steps {
            let Work::AcceptanceCheck(AcceptanceCheck { check }) = step.work else { continue };
            match check {
                Check::LoadBalancer { service, pool, .. } => balancers.push((service.namespace, service.name, pool)),
                Check::IngressController { address, port, .. } => controllers.push((address, port)),
                _ => {}
            }
        }
        (balancers, controllers)
    };
    let mut desired = site::basepod();
    assert_eq!(ways(&desired), (Vec::new(), Vec::new()), "no load balancer, and Run:ai's URL is asked");
    desired.platform.load_balancer = vec!["10.184.162.200-10.184.162.210".to_owned()];
    let first = Ipv4Addr::new(10, 184, 162, 200);
    let pool = vec![AddressRange { first, last: [10, 184, 162, 210].into() }];
    let service = ("ingress-nginx".to_owned(), "ingress-nginx-controller".to_owned(), pool.clone());
    assert_eq!(ways(&desired), (vec![service.clone()], Vec::new()));
    desired.runai = None;
    assert_eq!(ways(&desired), (vec![service], vec![(first, 80)]));
    desired.platform.load_balancer = Vec::new();
    let (balancers, controllers) = ways(&desired);
    assert!(balancers.is_empty() && controllers.len() == 1, "{controllers:?}");
    assert_eq!(controllers[0].1, 30080, "a port of the nodes");
    for (component, enabled) in [("ingress-nginx", false), ("haproxy-ingress", true)] {
        let choice = ComponentChoice { enabled: Some(enabled), ..ComponentChoice::default() };
        desired.platform.components.insert(component.into(), choice);
    }
    desired.platform.load_balancer = vec!["10.184.162.200-10.184.162.210".to_owned()];
    let service = ("haproxy-ingress".to_owned(), "kubernetes-ingress".to_owned(), pool);
    assert_eq!(ways(&desired).0, [service]);
}
