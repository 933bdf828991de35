use crate::fixture::catalog::Shelf;
use crate::fixture::{codes, example, inventory as data, planned, site, unseen};
use plinth_model::Code;
use plinth_model::facts::{Containerd, NodeFacts, Space};
use plinth_model::gate::GateAnswer;
use plinth_model::plan::{Change, Plan, Step};
use plinth_model::steps::{
    ClusterDns, Health, HelmRelease, KubesprayInventory, Namespace, NodeStorage, PodSecurity, RunaiIssuer,
};
use plinth_model::{Finding, NodeName, StepId, Values, Work};
use plinth_plan::{Observed, StepObservation, plan};
use plinth_site::desired::{ArtifactSource, ComponentChoice, Department, Engine, NodeOverride, Project, TlsTrust};

fn step<'a>(plan: &'a Plan, id: &str) -> &'a Step {
    plan.steps.iter().find(|s| s.id.as_str() == id).unwrap_or_else(|| panic!("no step {id}"))
}

fn has(plan: &Plan, id: &str) -> bool {
    plan.steps.iter().any(|s| s.id.as_str() == id)
}

fn needs(plan: &Plan, id: &str) -> Vec<String> {
    step(plan, id).needs.iter().map(ToString::to_string).collect()
}

fn refused(desired: &plinth_site::Desired) -> Vec<Finding> {
    plan(desired, &unseen(data::basepod()), &Shelf::default()).unwrap_err()
}

#[test]
fn the_example_has_exactly_these_steps() {
    let lines: Vec<String> = example()
        .steps
        .iter()
        .map(|s| {
            let needs: Vec<&str> = s.needs.iter().map(StepId::as_str).collect();
            format!("{} <- {}", s.id, needs.join(" "))
        })
        .collect();
    insta::assert_snapshot!("steps", lines.join("\n"));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let bytes = || serde_json::to_string(&example()).unwrap();
    assert_eq!(bytes(), bytes());
    let mut turned = data::basepod();
    turned.nodes.reverse();
    turned.networks.reverse();
    let turned = planned(&site::basepod(), &unseen(turned));
    assert_eq!(turned, example());
}

#[test]
fn a_plan_of_a_finished_world_is_empty_and_has_the_same_hash() {
    let first = example();
    assert_eq!(first.pending(), first.steps.iter().filter(|s| !matches!(s.change, Change::Check)).count());
    let mut observed = unseen(data::basepod());
    observed.steps = first.steps.iter().map(|s| (s.id.clone(), StepObservation::Done)).collect();
    let again = planned(&site::basepod(), &observed);
    assert_eq!(again.pending(), 0);
    assert_eq!(again.hash, first.hash);
}

#[test]
fn what_was_seen_decides_what_a_step_would_do() {
    let id = |text: &str| StepId::try_from(text.to_owned()).unwrap();
    let mut observed = unseen(data::basepod());
    let diff = vec!["+ user ansiblebcm (60000)".to_owned()];
    observed.steps.insert(id("nodes/account/cpu-03"), StepObservation::Todo(diff.clone()));
    observed.steps.insert(id("nodes/account/cpu-05"), StepObservation::Unknown("no route".into()));
    observed.steps.insert(id("nodes/storage/cpu-06"), StepObservation::Done);
    observed.answers.insert("storage/dgx-05".parse().unwrap(), GateAnswer::FITS);
    observed.answers.insert("storage/dgx-06".parse().unwrap(), GateAnswer::RELOCATE);
    let plan = planned(&site::basepod(), &observed);
    let change = |text: &str| step(&plan, text).change.clone();
    assert_eq!(change("nodes/account/cpu-03"), Change::Apply { diff });
    assert_eq!(change("nodes/account/cpu-05"), Change::Apply { diff: vec![] });
    assert_eq!(change("nodes/storage/cpu-03"), Change::Maybe);
    assert_eq!(change("nodes/storage/cpu-06"), Change::None);
    assert_eq!(change("nodes/storage/dgx-05"), Change::Skip);
    assert_eq!(change("nodes/storage/dgx-06"), Change::Apply { diff: vec![] });
    assert_eq!(change("nodes/facts/cpu-03"), Change::Check);
    assert_eq!(change("checks/storage/default"), Change::Check);
    observed.answers.insert("storage/dgx-06".parse().unwrap(), "melt".parse().unwrap());
    let findings = plinth_plan::plan(&site::basepod(), &observed, &Shelf::default()).unwrap_err();
    assert!(codes(&findings).contains(&"plan.answer-unknown"));
}

#[test]
fn a_storage_override_decides_the_gate_beforehand() {
    let with = |path: &str| {
        let mut desired = site::basepod();
        let storage = Some(plinth_model::HostPath::new(path).unwrap());
        desired
            .nodes
            .overrides
            .insert(NodeName::new("dgx-05").unwrap(), NodeOverride { storage, ..NodeOverride::default() });
        planned(&desired, &unseen(data::basepod()))
    };
    let moved = with("/raid/containerd");
    assert!(moved.gates.iter().all(|g| g.id.as_str() != "storage/dgx-05"));
    assert_eq!(step(&moved, "nodes/storage/dgx-05").when, None);
    assert!(
        matches!(&step(&moved, "nodes/storage/dgx-05").work, Work::NodeStorage(NodeStorage { to, .. }) if to.as_str() == "/raid/containerd")
    );
    let stays = with("/var/lib/containerd");
    assert!(!has(&stays, "nodes/storage/dgx-05") && stays.gates.len() == 4);
    assert_eq!(needs(&stays, "nodes/prepare/dgx-05"), ["nodes/facts/dgx-05"]);
    assert!(!has(&stays, "nodes/registries/dgx-05"), "there is nothing to write");
}

/// Facts of a node with 6 GiB where images are and 3,000 GiB at the larger place.
fn small(containerd: Option<(&str, u64)>) -> NodeFacts {
    let space =
        |path: &str, gib: u64| Space { path: path.into(), exists: true, free_mib: gib * 1024, ..Space::default() };
    NodeFacts {
        spaces: vec![space("/var/lib/containerd", 6), space("/local/containerd", 3_000)],
        containerd: containerd.map(|(root, mib)| Containerd {
            root: root.into(),
            data_mib: Some(mib),
            ..Containerd::default()
        }),
        ..NodeFacts::default()
    }
}

#[test]
fn a_node_without_images_is_left_to_the_engine() {
    let storage_dir = |facts: NodeFacts| {
        let mut observed = unseen(data::basepod());
        observed.facts.insert(NodeName::new("dgx-05").unwrap(), facts);
        let plan = planned(&site::basepod(), &observed);
        let Work::KubesprayInventory(KubesprayInventory { files }) =
            &step(&plan, "kubernetes/inventory/kubespray").work
        else {
            panic!()
        };
        let inventory: serde_json::Value = serde_json::from_str(&files[plinth_plan::kubespray::INVENTORY]).unwrap();
        let told = inventory["all"]["hosts"]["dgx-05"]["containerd_storage_dir"].as_str().map(str::to_owned);
        assert_eq!(told.is_none(), has(&plan, "nodes/storage/dgx-05"), "either the engine or a move");
        assert_eq!(told.is_some(), plan.findings.iter().any(|f| f.code == "node.images-by-engine"));
        told
    };
    let larger = Some("/local/containerd".to_owned());
    assert_eq!(storage_dir(small(None)), larger);
    assert_eq!(storage_dir(small(Some(("/var/lib/containerd", 1)))), larger);
    assert_eq!(storage_dir(small(Some(("/local/containerd", 90_000)))), larger, "the engine put them there before");
    assert_eq!(storage_dir(small(Some(("/var/lib/containerd", 900)))), None, "there is something to move");
    let moved = NodeFacts { relocated: true, ..small(Some(("/var/lib/containerd", 0))) };
    assert_eq!(storage_dir(moved), None, "moved before");
    let mut roomy = small(None);
    roomy.spaces[0].free_mib = 900 * 1024;
    assert_eq!(storage_dir(roomy), None, "they fit where they are");
}

#[test]
fn storage_of_the_control_plane_moves_one_node_after_the_other() {
    let plan = example();
    assert_eq!(needs(&plan, "nodes/storage/cpu-05"), ["nodes/facts/cpu-05", "nodes/storage-old/cpu-03"]);
    assert_eq!(needs(&plan, "nodes/storage/cpu-06"), ["nodes/facts/cpu-06", "nodes/storage-old/cpu-05"]);
    assert_eq!(needs(&plan, "nodes/storage/dgx-05"), ["nodes/facts/dgx-05"]);
}

#[test]
fn namespaces_exist_once_with_the_highest_level_wanted() {
    let plan = example();
    let level = |name: &str| {
        let levels: Vec<PodSecurity> = plan
            .steps
            .iter()
            .filter_map(|s| match &s.work {
                Work::Namespace(Namespace { name: n, pod_security }) if n == name => Some(*pod_security),
                _ => None,
            })
            .collect();
        assert_eq!(levels.len(), 1, "{name}");
        levels[0]
    };
    assert_eq!(level("prometheus"), PodSecurity::Privileged);
    assert_eq!(level("knative-serving"), PodSecurity::Baseline);
    assert_eq!(level("kube-system"), PodSecurity::Privileged, "Kubernetes' own pods live there");
}

#[test]
fn secrets_have_the_names_that_charts_read_and_hold_references_only() {
    let plan = example();
    let names: Vec<&str> = plan.steps.iter().filter(|s| s.id.verb() == "secret").map(|s| s.id.target()).collect();
    assert_eq!(
        names,
        [
            "runai-backend.runai-reg-creds",
            "runai.runai-reg-creds",
            "runai-backend.runai-backend-tls",
            "runai.runai-cluster-domain-tls-secret",
            "runai-backend.runai-ca-cert",
            "runai.runai-ca-cert",
            "prometheus.grafana-admin",
        ]
    );
    let login = serde_json::to_value(&step(&plan, "platform/secret/runai.runai-reg-creds").work).unwrap();
    let login = &login["params"]["content"]["login"];
    assert_eq!(login["registry"], "https://runai.jfrog.io");
    assert_eq!(login["username"], "self-hosted-image-puller-prod");
    assert_eq!(login["password"]["env"], "RUNAI_REGISTRY_TOKEN");
    let spread = serde_json::to_value(&step(&plan, "platform/secret/runai.runai-ca-cert").work).unwrap();
    assert_eq!(spread["params"]["labels"]["run.ai/cluster-wide"], "true");
    let mut desired = site::basepod();
    desired.runai.as_mut().unwrap().source = ArtifactSource::Ngc;
    let ngc = planned(&desired, &unseen(data::basepod()));
    let login = serde_json::to_value(&step(&ngc, "platform/secret/runai.runai-reg-creds").work).unwrap();
    assert_eq!(login["params"]["content"]["login"]["username"], "$oauthtoken");
}

#[test]
fn one_url_feeds_everything_that_compares_issuers() {
    let plan = example();
    let Work::RunaiIssuer(RunaiIssuer { target, .. }) = &step(&plan, "runai/issuer/bcm-head-01.eth.cluster").work
    else {
        panic!()
    };
    assert_eq!(target.issuer(), "https://bcm-head-01.eth.cluster:30443/auth/realms/runai");
    let Work::HelmRelease(HelmRelease { release, .. }) = &step(&plan, "platform/release/runai-cluster").work else {
        panic!()
    };
    assert_eq!(release.values["url"], "https://bcm-head-01.eth.cluster:30443");
    assert_eq!(release.values["clientSecret"]["$secret"]["generated"], "runai-client-secret");
    let mut desired = site::basepod();
    desired.runai.as_mut().unwrap().port = 443;
    let standard = planned(&desired, &unseen(data::basepod()));
    let Work::RunaiIssuer(RunaiIssuer { target, .. }) = &step(&standard, "runai/issuer/bcm-head-01.eth.cluster").work
    else {
        panic!()
    };
    assert_eq!(target.url, "https://bcm-head-01.eth.cluster");
}

#[test]
fn registration_is_once_and_before_the_cluster_part() {
    let plan = example();
    assert!(step(&plan, "runai/register/bcm-gpu-cluster").work.properties().once);
    assert_eq!(plan.steps.iter().filter(|s| s.work.properties().once).count(), 1);
    assert!(needs(&plan, "platform/release/runai-cluster").contains(&"runai/register/bcm-gpu-cluster".to_owned()));
    assert!(needs(&plan, "platform/release/runai-cluster").contains(&"platform/objects/knative-operator".to_owned()));
}

#[test]
fn gpu_health_names_the_gpu_nodes() {
    let plan = example();
    let Work::HelmRelease(HelmRelease { release, .. }) = &step(&plan, "platform/release/gpu-operator").work else {
        panic!()
    };
    let Health::Allocatable { nodes, .. } = &release.health[0] else { panic!() };
    assert_eq!(nodes.iter().map(|n| n.as_str()).collect::<Vec<_>>(), ["dgx-05", "dgx-06"]);
    assert_eq!(needs(&plan, "checks/gpu-pod/dgx-05"), ["platform/release/gpu-operator"]);
}

#[test]
fn without_run_ai_there_is_nothing_of_it_and_the_platform_still_waits_for_all_nodes() {
    let mut desired = site::basepod();
    desired.runai = None;
    let plan = planned(&desired, &unseen(data::basepod()));
    assert!(plan.steps.iter().all(|s| !s.id.as_str().contains("runai")));
    let join = "kubernetes/dns/kubernetes.default.svc.cluster.local";
    let health = format!("kubernetes/health/{}", desired.name);
    let runtime = format!("kubernetes/gpu-runtime/{}", desired.name);
    assert_eq!(needs(&plan, join), [runtime.as_str()]);
    assert_eq!(needs(&plan, &runtime), [health.as_str()]);
    assert_eq!(needs(&plan, &health).len(), 1 + 5);
    assert!(
        matches!(&step(&plan, join).work, Work::ClusterDns(ClusterDns { address, .. }) if address.to_string() == "10.150.0.1")
    );
    assert!(needs(&plan, "platform/release/ingress-nginx").contains(&join.to_owned()));
    assert!(!has(&plan, "kubernetes/labels/cpu-03"), "no labels are wanted");
}

#[test]
fn a_component_switched_off_takes_its_steps_along() {
    let mut desired = site::basepod();
    let off = ComponentChoice { enabled: Some(false), ..ComponentChoice::default() };
    desired.platform.components.insert("runai-cluster".into(), off.clone());
    desired.platform.components.insert("gpu-operator".into(), off);
    let plan = planned(&desired, &unseen(data::basepod()));
    for id in ["runai/register/bcm-gpu-cluster", "checks/runai/bcm-gpu-cluster", "platform/secret/runai.runai-ca-cert"]
    {
        assert!(!has(&plan, id), "{id}");
    }
    assert!(plan.steps.iter().all(|step| !matches!(step.work, Work::GpuRuntime(_))), "nobody promised a runtime");
    assert!(has(&plan, "runai/issuer/bcm-head-01.eth.cluster"));
    assert_eq!(needs(&plan, "checks/gpu-pod/dgx-06"), ["kubernetes/dns/bcm-head-01.eth.cluster"]);
}

#[test]
fn without_a_platform_its_storage_is_not_checked() {
    let mut desired = site::basepod();
    desired.runai = None;
    let every =
        ["local-path-provisioner", "ingress-nginx", "metrics-server", "kube-prometheus-stack", "prometheus-adapter"];
    for component in every.into_iter().chain(["gpu-operator", "lws", "knative-operator"]) {
        let off = ComponentChoice { enabled: Some(false), ..ComponentChoice::default() };
        desired.platform.components.insert(component.into(), off);
    }
    let plan = planned(&desired, &unseen(data::basepod()));
    assert!(!has(&plan, "checks/storage/default"));
    assert!(has(&planned(&site::basepod(), &unseen(data::basepod())), "checks/storage/default"));
}

#[test]
fn taints_of_gpu_nodes_become_tolerations() {
    let mut desired = site::basepod();
    let taints = ["dedicated=ai:NoSchedule", "spot:NoExecute"].map(str::to_owned).to_vec();
    let over = NodeOverride { taints, ..NodeOverride::default() };
    desired.nodes.overrides.insert(NodeName::new("dgx-05").unwrap(), over);
    let (cluster, _) = plinth_plan::Cluster::new(&desired, &plinth_plan::discover(&desired, &data::basepod()));
    let facts = plinth_plan::facts::facts(&desired, &cluster);
    let wanted = serde_json::json!([
        {"key": "dedicated", "operator": "Equal", "value": "ai", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists", "effect": "NoExecute"},
    ]);
    assert_eq!(facts["gpu.tolerations"], wanted);
    let catalog = plinth_catalog::Catalog::embedded().unwrap();
    let resolution = catalog.resolve(&desired, &facts);
    let operator = resolution.components.iter().find(|c| c.name == "gpu-operator").unwrap();
    for place in ["/daemonsets/tolerations", "/node-feature-discovery/worker/tolerations"] {
        let given = operator.release.values.pointer(place).unwrap().as_array().unwrap();
        assert!(wanted.as_array().unwrap().iter().all(|toleration| given.contains(toleration)), "{place}: {given:?}");
    }
}

#[test]
fn a_node_that_had_labels_once_is_looked_at_although_the_site_gives_it_none() {
    let mut desired = site::basepod();
    desired.runai = None;
    let mut observed = unseen(data::basepod());
    assert!(!has(&planned(&desired, &observed), "kubernetes/labels/dgx-05"));
    let before =
        ["kubernetes/labels/dgx-05", "nodes/account/dgx-06"].map(|id| StepId::try_from(id.to_owned()).unwrap());
    observed.labelled = plinth_plan::labelled(&before);
    let plan = planned(&desired, &observed);
    assert!(has(&plan, "kubernetes/labels/dgx-05") && !has(&plan, "kubernetes/labels/dgx-06"));
    assert!(step(&plan, "kubernetes/labels/dgx-05").reason.contains("any more"));
}

#[test]
fn labels_of_a_node_that_only_runs_etcd_are_a_finding() {
    let mut desired = site::basepod();
    desired.nodes.etcd = Some(site::names(&["cpu-03", "cpu-05", "cpu-09"]));
    let labels = [("rack".to_owned(), "a1".to_owned())].into();
    desired
        .nodes
        .overrides
        .insert(NodeName::new("cpu-09").unwrap(), NodeOverride { labels, ..NodeOverride::default() });
    let plan = planned(&desired, &unseen(data::basepod()));
    let found = plan.findings.iter().find(|finding| finding.code == "nodes.labels-unused").unwrap();
    assert_eq!(found.subject, "nodes.overrides.cpu-09");
}

#[test]
fn all_findings_come_at_once() {
    let mut desired = site::basepod();
    desired.nodes.workers.push(site::name("dgx-08"));
    desired.nodes.workers.push(site::name("dgx-99"));
    desired.kubernetes.engine = Engine::Bcm;
    desired.runai.as_mut().unwrap().registry_token = None;
    desired.kubernetes.extra_vars.insert("vault_token".into(), "s.123".into());
    let found = refused(&desired);
    for code in [
        "nodes.no-match",
        "bcm.address-none-safe",
        "site.engine-not-in-release",
        "site.registry-token",
        "kubernetes.extra-var-secret",
    ] {
        assert!(codes(&found).contains(&code), "{code} is missing in {:?}", codes(&found));
    }
    let errors = found.iter().position(|f| !f.is_error()).unwrap_or(found.len());
    assert!(found[errors..].iter().all(|f| !f.is_error()), "errors come first");
    let shelf = Shelf {
        no_engine: true,
        findings: vec![Finding::error(Code::named("catalog.x"), "y", "z")],
        ..Shelf::default()
    };
    let found = plan(&site::basepod(), &unseen(data::basepod()), &shelf).unwrap_err();
    assert_eq!(codes(&found), ["catalog.x", "kubernetes.version-unknown"]);
}

#[test]
fn warnings_stay_in_the_plan_and_strangers_are_not_mentioned() {
    let mut desired = site::basepod();
    let plinth_site::desired::InventorySource::Bcm(bcm) = &mut desired.inventory else { panic!() };
    bcm.tls = TlsTrust::Insecure;
    desired.access.legacy_keys.push("dgx-*".into());
    let plan = planned(&desired, &unseen(data::basepod()));
    assert_eq!(codes(&plan.findings), ["bcm.tls-insecure", "access.legacy-keys", "kubernetes.lost-by-imaging"]);
}

#[test]
fn a_secret_in_a_components_values_stops_the_plan() {
    let mut shelf = Shelf::default();
    shelf.off.push("runai-cluster");
    struct Leaky(Shelf);
    impl plinth_plan::Components for Leaky {
        fn check_kubespray_vars(
            &self,
            desired: &plinth_site::Desired,
            release: &plinth_model::steps::KubesprayRelease,
        ) -> Vec<plinth_model::Finding> {
            Shelf::default().check_kubespray_vars(desired, release)
        }
        fn digest(&self) -> plinth_model::Digest {
            self.0.digest()
        }
        fn resolve(&self, d: &plinth_site::Desired, f: &plinth_catalog::Facts) -> plinth_catalog::Resolution {
            let mut resolution = self.0.resolve(d, f);
            resolution.components[0].release.values =
                Values::new(serde_json::json!({"adminPassword": "hunter2"})).unwrap();
            resolution
        }
        fn check_versions(&self, d: &plinth_site::Desired, r: &plinth_catalog::Resolution) -> Vec<Finding> {
            self.0.check_versions(d, r)
        }
        fn kubespray(&self, d: &plinth_site::Desired) -> Result<plinth_plan::catalog::KubesprayChoice, Box<Finding>> {
            self.0.kubespray(d)
        }
        fn removable(&self, component: &str) -> Option<plinth_plan::catalog::Removable> {
            self.0.removable(component)
        }
        fn runai(&self) -> &plinth_catalog::RunaiNames {
            self.0.runai()
        }
    }
    let found = plan(&site::basepod(), &unseen(data::basepod()), &Leaky(shelf)).unwrap_err();
    assert_eq!(codes(&found), ["plan.secret-in-clear", "kubernetes.lost-by-imaging"]);
    assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
}

#[test]
fn needs_grow_with_nodes_plus_components() {
    let edges = |nodes: usize| {
        let desired = site::large(nodes);
        let plinth_site::desired::InventorySource::Static(list) = &desired.inventory else { panic!() };
        let observed: Observed = unseen(plinth_plan::static_inventory(list));
        planned(&desired, &observed).steps.iter().map(|s| s.needs.len()).sum::<usize>()
    };
    let (few, many) = (edges(100), edges(200));
    assert!(many < few * 2 + 10, "{few} edges became {many}");
}

#[test]
fn departments_and_projects_come_behind_the_connection() {
    let mut desired = site::basepod();
    let project = |name: &str, gpus| Project { name: name.to_owned(), gpus };
    desired.runai.as_mut().unwrap().departments = vec![Department {
        name: "research".into(),
        gpus: 16,
        projects: vec![project("team-a", 8), project("team-b", 4)],
    }];
    let plan = planned(&desired, &unseen(data::basepod()));
    assert_eq!(needs(&plan, "runai/department/research"), ["runai/connected/bcm-gpu-cluster"]);
    for name in ["team-a", "team-b"] {
        assert_eq!(needs(&plan, &format!("runai/project/{name}")), ["runai/department/research"]);
    }
    desired
        .platform
        .components
        .insert("runai-cluster".into(), ComponentChoice { enabled: Some(false), ..ComponentChoice::default() });
    assert!(
        !has(&planned(&desired, &unseen(data::basepod())), "runai/department/research"),
        "no cluster to make it in"
    );
}
