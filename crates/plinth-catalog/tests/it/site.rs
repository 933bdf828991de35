//! The five-node example as values.

use plinth_catalog::{Catalog, Facts, Resolution};
use plinth_model::steps::{Account, CertificateSource, Credential};
use plinth_model::{Finding, SecretRef};
use plinth_site::Desired;
use plinth_site::desired::*;
use serde_json::{Value, json};

fn env(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

pub(crate) fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

fn account() -> Account {
    Account {
        name: "ansiblebcm".to_owned(),
        uid: 60000,
        gid: 60000,
        home: plinth_model::HostPath::fixed("/home/ansiblebcm"),
        shell: plinth_model::HostPath::fixed("/bin/bash"),
        key: SecretRef::Generated("account-key".to_owned()),
        key_algorithm: plinth_model::steps::KeyAlgorithm::default(),
        authorized_keys: Vec::new(),
    }
}

pub(crate) fn desired() -> Desired {
    Desired {
        name: "basepod-a".to_owned().try_into().unwrap(),
        inventory: InventorySource::Static(Vec::new()),
        networks: Networks {
            production: ProductionNetwork::Cidr("10.184.162.0/24".parse().unwrap()),
            forbidden: Vec::new(),
        },
        nodes: Nodes {
            control_plane: ["cpu-03", "cpu-05", "cpu-06"].map(|n| Selector::Name(n.to_owned())).to_vec(),
            workers: vec![Selector::Glob("dgx-*".to_owned())],
            etcd: None,
            gpu: vec![Selector::Glob("dgx-*".to_owned())],
            system: Vec::new(),
            exclude: Vec::new(),
            overrides: Default::default(),
        },
        access: Access {
            bootstrap: Login { user: "ibm".to_owned(), credential: Credential::Agent },
            account: account(),
            port: 22,
            legacy_keys: Vec::new(),
            jump: None,
        },
        kubernetes: kubernetes(),
        registries: Registries::default(),
        checks: Checks {
            image: "docker.io/library/busybox:1.36.1".to_owned(),
            gpu_image: "nvcr.io/nvidia/cuda:13".to_owned(),
            names: None,
            skip: Vec::new(),
        },
        storage: Storage {
            images: plinth_model::HostPath::fixed("/var/lib/containerd"),
            images_gib: 100,
            larger: plinth_model::HostPath::fixed("/local/containerd"),
        },
        platform: Platform {
            ingress: Ingress { http: 30080, https: 30443, address: None },
            load_balancer: Vec::new(),
            components: Default::default(),
            gpu: GpuSharing { mig: "none".to_owned(), time_slicing: None, rename_shared: false, driver_on_host: None },
            infiniband: None,
            accept: Vec::new(),
            charts: None,
            helm: None,
        },
        runai: Some(runai()),
        run: RunLimits { parallel: 10, node_failures: 0, without: Vec::new(), unfit: Vec::new() },
        notify: Vec::new(),
    }
}

fn kubernetes() -> Kubernetes {
    Kubernetes {
        engine: Engine::Kubespray,
        version: Some("v1.31.9".parse().unwrap()),
        kubeconfig: None,
        kubespray: None,
        kubespray_source: None,
        kubespray_tools: plinth_site::desired::KubesprayTools::default(),
        plugin: "calico".to_owned(),
        pods: Some("172.29.0.0/16".parse().unwrap()),
        services: Some("10.150.0.0/16".parse().unwrap()),
        node_prefix: 24,
        mtu: None,
        proxy_mode: "ipvs".to_owned(),
        calico: Default::default(),
        extra_names: Vec::new(),
        endpoint: ApiEndpoint::NodeProxy,
        oidc: None,
        max_pods: None,
        system_reserved: Default::default(),
        kube_reserved: Default::default(),
        feature_gates: Default::default(),
        node_dns_cache: true,
        dns_servers: Vec::new(),
        proxy: None,
        downloads: Downloads { push: true, files: None, images: Default::default() },
        renew_certificates: true,
        remove_docker: false,
        extra_vars: Default::default(),
    }
}

fn runai() -> Runai {
    Runai {
        version: "2.21".parse().unwrap(),
        domain: plinth_model::Domain::fixed("bcm-head-01.eth.cluster"),
        port: 443,
        source: ArtifactSource::Jfrog,
        mirror: None,
        registry_user: None,
        registry_token: Some(env("RUNAI_REGISTRY_TOKEN")),
        admin_email: "admin@example.com".to_owned(),
        admin_password: env("RUNAI_ADMIN_PASSWORD"),
        cluster: "bcm-gpu-cluster".to_owned(),
        certificate: CertificateSource::Generated { authority_days: 3650, leaf_days: 825 },
        inference_domain: None,
        departments: Vec::new(),
        control_plane: None,
    }
}

/// Of the control plane; and of GPU nodes.
pub(crate) fn tolerations(gpu: bool) -> Value {
    let control_plane =
        json!({"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"});
    let on_gpus = json!({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"});
    if gpu { json!([control_plane, on_gpus]) } else { json!([control_plane]) }
}

/// Facts of a site that wants the InfiniBand adapters of these machines for pods.
pub(crate) fn infiniband() -> Value {
    json!({
        "infiniband.wanted": true, "infiniband.model": "dgx-h100", "infiniband.interfaces": [],
        "infiniband.addresses": "192.168.0.0/16", "infiniband.virtualFunctions": 8, "infiniband.maxUnavailable": 1,
    })
}

/// Facts of a site whose control plane is a tenant of the service.
pub(crate) fn elsewhere() -> Value {
    json!({"runai.selfHosted": false, "runai.controlPlaneUrl": "https://acme.run.ai"})
}

fn merged(mut one: Value, more: Value) -> Value {
    one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one
}

/// Every fact that catalog values may speak of.
pub(crate) fn facts() -> Facts {
    let facts = json!({
        "site.name": "basepod-a", "nodes.count": 5, "nodes.gpuCount": 2,
        "nodes.controlPlane": ["cpu-03", "cpu-05", "cpu-06"], "nodes.workers": ["dgx-05", "dgx-06"],
        "nodes.gpu": ["dgx-05", "dgx-06"], "nodes.system": ["cpu-03", "cpu-05", "cpu-06"],
        "kubernetes.version": "v1.31.9", "kubernetes.engine": "kubespray",
        "ingress.http": 30080, "ingress.https": 30443, "ingress.address": "10.184.162.103",
        "loadBalancer.addresses": [], "loadBalancer.ingress": null, "storage.parent": "/local", "storage.defaults": [],
        "loadBalancer.spare": false, "loadBalancer.others": [],
        "nodes.untainted": 2, "nodes.bothWorkers": false, "nodes.tolerations": tolerations(true), "system.tolerations": tolerations(false),
        "metrics.scheduler": true, "metrics.controllerManager": true, "metrics.proxy": false, "metrics.etcd": false,
        "infiniband.wanted": false, "infiniband.addresses": null, "infiniband.firmware": "unknown",
        "gpu.mig": "none", "gpu.timeSlicing": null, "gpu.renameShared": false, "gpu.resource": "nvidia.com/gpu",
        "checks.image": "busybox:1", "checks.gpuImage": "nvcr.io/nvidia/cuda:13", "gpu.driverOnHost": true, "gpu.toolkitOnHost": false, "gpu.tolerations": [], "gpu.migLabelled": 0,
        "runai.enabled": true, "runai.selfHosted": true, "runai.controlPlaneUrl": "https://bcm-head-01.eth.cluster", "runai.version": "2.21", "runai.minor": "2.21", "runai.domain": "bcm-head-01.eth.cluster",
        "runai.port": 443, "runai.standardPort": true, "runai.url": "https://bcm-head-01.eth.cluster",
        "runai.endpoint": "bcm-head-01.eth.cluster", "runai.source": "jfrog", "runai.mirror": null,
        "runai.cluster": "bcm-gpu-cluster", "runai.adminEmail": "admin@example.com", "runai.privateAuthority": true,
        "runai.givenRegistryUser": null, "runai.inferenceDomain": null, "runai.inferenceDomains": null, "runai.mirrorHost": null,
        "runai.adminPassword": {"$secret": {"env": "RUNAI_ADMIN_PASSWORD"}},
        "runai.registryToken": {"$secret": {"env": "RUNAI_REGISTRY_TOKEN"}},
        "runai.clientSecret": {"$secret": {"generated": "runai-client-secret"}},
        "runai.bootstrapToken": {"$secret": {"generated": "runai-bootstrap-token"}},
        "runai.clientSecretIfKept": {"$secretIfKept": {"generated": "runai-client-secret"}},
        "runai.bootstrapTokenIfKept": {"$secretIfKept": {"generated": "runai-bootstrap-token"}},
        "runai.controlPlaneAuthority": null,
        "runai.clusterUid": {"$secret": {"generated": "runai-cluster-uid"}},
        "grafana.adminPassword": {"$secret": {"generated": "grafana-admin-password"}},
    });
    facts.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(crate) fn with(changes: Value) -> Facts {
    let mut facts = facts();
    for (name, value) in changes.as_object().unwrap() {
        let known = facts.insert(name.clone(), value.clone()).is_some();
        assert!(known || name.starts_with("infiniband."), "{name} is not a fact");
    }
    facts
}

/// Changes one component's choice.
pub(crate) fn choose(desired: &mut Desired, component: &str, change: impl FnOnce(&mut ComponentChoice)) {
    change(desired.platform.components.entry(component.to_owned()).or_default());
}

pub(crate) fn values<'a>(resolution: &'a Resolution, component: &str) -> &'a Value {
    let found = resolution.components.iter().find(|c| c.name == component);
    &found.unwrap_or_else(|| panic!("{component} is off")).release.values
}

pub(crate) fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Sites that between them switch every variant of the catalog on.
pub(crate) fn every_way() -> Vec<(&'static str, Desired, Facts)> {
    let mut network = desired();
    choose(&mut network, "network-operator", |choice| choice.enabled = Some(true));
    let mut own_discovery = network.clone();
    choose(&mut own_discovery, "gpu-operator", |choice| choice.enabled = Some(false));
    let mut elsewhere = desired();
    choose(&mut elsewhere, "gpu-operator", |choice| choice.namespace = Some("gpus".to_owned()));
    let mut without_runai = desired();
    without_runai.runai = None;
    let mut facts_without_runai = with(json!({"runai.enabled": false, "runai.selfHosted": false}));
    let stays = ["runai.enabled", "runai.selfHosted"];
    facts_without_runai.retain(|name, _| !name.starts_with("runai.") || stays.contains(&name.as_str()));
    let mut knative = desired();
    choose(&mut knative, "knative-operator", |choice| choice.version = Some("v1.19.2".parse().unwrap()));
    let port = json!({"runai.standardPort": false, "runai.port": 30443, "runai.url": "https://a.example:30443", "runai.endpoint": "a.example:30443"});
    vec![
        ("as in the example", desired(), facts()),
        (
            "load balancer",
            desired(),
            with(
                json!({"loadBalancer.addresses": ["10.184.162.200/32"], "loadBalancer.ingress": "10.184.162.200"}),
            ),
        ),
        (
            "time-slicing, driver in a container",
            desired(),
            with(json!({"gpu.timeSlicing": 4, "gpu.driverOnHost": false})),
        ),
        ("MIG", desired(), with(json!({"gpu.mig": "mixed"}))),
        (
            "NGC, 2.25",
            desired(),
            with(json!({"runai.source": "ngc", "runai.version": "2.25.10", "runai.minor": "2.25"})),
        ),
        (
            "air-gapped",
            desired(),
            with(
                json!({"runai.source": "airgapped", "runai.mirror": "charts.example/runai", "runai.mirrorHost": "charts.example"}),
            ),
        ),
        ("GPU operator elsewhere", elsewhere.clone(), facts()),
        ("GPU operator elsewhere, 2.25", elsewhere, with(json!({"runai.version": "2.25.10", "runai.minor": "2.25"}))),
        ("URL with a port", desired(), with(port)),
        ("engine bcm", desired(), with(json!({"kubernetes.engine": "bcm"}))),
        ("no Run:ai", without_runai, facts_without_runai),
        ("network operator", network, facts()),
        ("network operator alone", own_discovery, facts()),
        ("newer Knative", knative, facts()),
    ]
    .into_iter()
    .chain(more_ways())
    .collect()
}

fn more_ways() -> Vec<(&'static str, Desired, Facts)> {
    vec![
        ("all nodes tainted", desired(), with(json!({"nodes.untainted": 0}))),
        (
            "load balancer with more addresses",
            desired(),
            with(
                json!({"loadBalancer.addresses": ["10.0.0.0/28"], "loadBalancer.ingress": "10.0.0.1", "loadBalancer.spare": true,
                    "loadBalancer.others": ["10.0.0.0/32", "10.0.0.2-10.0.0.15"]}),
            ),
        ),
        (
            "3.0",
            desired(),
            with(merged(infiniband(), json!({"runai.source": "oss", "runai.version": "3.0.1", "runai.minor": "3.0"}))),
        ),
        ("InfiniBand", desired(), with(infiniband())),
        ("metrics of another engine", desired(), with(json!({"metrics.scheduler": null, "metrics.proxy": null}))),
        (
            "metrics on loopback",
            desired(),
            with(json!({"metrics.scheduler": false, "metrics.controllerManager": false})),
        ),
        ("everything that is off", everything(), facts()),
        ("control plane elsewhere", desired(), with(elsewhere())),
        (
            "control plane elsewhere, 2.25",
            desired(),
            with(merged(elsewhere(), json!({"runai.version": "2.25.10", "runai.minor": "2.25"}))),
        ),
    ]
}

/// Components that a site has to ask for.
pub(crate) const NEVER: [&str; 7] = [
    "cert-manager",
    "kyverno",
    "kyverno-policies",
    "spark-operator",
    "postgres-operator",
    "k8s-nim-operator",
    "snapshot-controller",
];

/// With all of them.
fn everything() -> Desired {
    let mut site = desired();
    for name in NEVER {
        choose(&mut site, name, |choice| choice.enabled = Some(true));
    }
    site
}
