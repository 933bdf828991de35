//! A small site for tests: three servers, two DGX machines, and the main job done by plain calls of the clients.

use indexmap::IndexMap;
use plinth_model::engine::Play;
use plinth_model::facts::Asked;
use plinth_model::inventory::{Inventory, SCHEMA};
use plinth_model::steps::{
    Account, CertificateSource, CrdPolicy, Credential, Health, HostInputs, KubesprayRelease, Mirror, NodeTarget,
    PodSecurity, RegistryLogin, Release, RunInputs, RunaiApi, RunaiTarget, SecretContent,
};
use plinth_model::{Digest, NodeName, Observed, SecretRef};
use plinth_sim::{Fault, Scenario, SimOptions, Simulation};
use plinth_world::ansible::PlayRun;
use plinth_world::node::Registries;
use plinth_world::{ClientError, ClientResult, Clock, Context};
use serde_json::{Value, json};
use std::future::Future;
use std::path::Path;
use std::time::Duration;

pub(crate) const SEED: u64 = 7;
pub(crate) const NODES: [&str; 5] = ["cpu-03", "cpu-05", "cpu-06", "dgx-05", "dgx-06"];
pub(crate) const DOMAIN: &str = "bcm-head-01.eth.cluster";

pub(crate) fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

pub(crate) fn nodes() -> Vec<NodeName> {
    NODES.into_iter().map(name).collect()
}

fn address(node: &str) -> std::net::Ipv4Addr {
    let at = NODES.iter().position(|n| *n == node).map_or(99, |at| u8::try_from(at).unwrap());
    std::net::Ipv4Addr::new(10, 184, 162, 100 + at)
}

pub(crate) fn scenario() -> Scenario {
    let inventory = Inventory {
        schema: SCHEMA,
        source: "static".to_owned(),
        nodes: Vec::new(),
        networks: Vec::new(),
        categories: Vec::new(),
        overlays: Observed::Absent,
    };
    let addresses = NODES.into_iter().map(|node| (name(node), address(node))).collect();
    Scenario::from_inventory(&inventory, &addresses, &[name("dgx-05"), name("dgx-06")].into(), SEED)
}

pub(crate) fn options(dir: Option<&Path>, faults: &[&str]) -> SimOptions {
    let mut options = SimOptions::new(scenario());
    options.state_dir = dir.map(Path::to_owned);
    options.faults = faults.iter().map(|text| text.parse::<Fault>().unwrap()).collect();
    options
}

pub(crate) fn start(dir: Option<&Path>, faults: &[&str]) -> Simulation {
    Simulation::start(options(dir, faults)).unwrap()
}

/// Runs something on a runtime of its own.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs something on the simulation's time.
pub(crate) fn run<F: Future>(sim: &Simulation, future: F) -> F::Output {
    block_on(sim.clock.drive_strictly(future)).unwrap()
}

pub(crate) fn secret(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

pub(crate) fn account() -> Account {
    Account {
        name: "ansiblebcm".to_owned(),
        uid: 60000,
        gid: 60000,
        home: plinth_model::HostPath::fixed("/home/ansiblebcm"),
        shell: plinth_model::HostPath::fixed("/bin/bash"),
        key: SecretRef::Generated("node-key".to_owned()),
        key_algorithm: plinth_model::steps::KeyAlgorithm::default(),
        authorized_keys: Vec::new(),
    }
}

/// The account signs in with plinth's own key, everybody else with the first-contact password, as in a plan.
pub(crate) fn target(node: &str, user: &str) -> NodeTarget {
    let credential = match user {
        "ansiblebcm" => Credential::Key(SecretRef::Generated("ssh-key".to_owned())),
        _ => Credential::Password(secret("BOOTSTRAP_PASSWORD")),
    };
    NodeTarget {
        node: name(node),
        address: address(node),
        port: 22,
        user: user.to_owned(),
        credential,
        legacy_keys: false,
        jump: None,
    }
}

pub(crate) fn kubespray() -> KubesprayRelease {
    KubesprayRelease {
        tag: "v2.27.1".parse().unwrap(),
        source: "https://example.com/kubespray.git".to_owned(),
        commit: "c".repeat(40),
        tree: "d".repeat(40),
        python: ">=3.10, <3.13".to_owned(),
        ansible_core: ">=2.16.4, <2.18".to_owned(),
        ansible: "9.13.0".to_owned(),
    }
}

pub(crate) fn inputs() -> RunInputs {
    let host =
        |name: NodeName| (name, HostInputs { groups: vec!["kube_node".to_owned()], variables: Digest::of("host") });
    RunInputs {
        tag: kubespray().tag,
        version: "v1.31.9".parse().unwrap(),
        variables: Digest::of("variables"),
        hosts: nodes().into_iter().map(host).collect(),
    }
}

pub(crate) fn files() -> IndexMap<String, String> {
    [
        ("inventory.yaml".to_owned(), "all: {}\n".to_owned()),
        ("group_vars/all.yaml".to_owned(), "kube_version: v1.31.9\n".to_owned()),
    ]
    .into()
}

pub(crate) fn release(component: &str, namespace: &str, values: Value) -> Release {
    Release {
        component: component.to_owned(),
        release: component.to_owned(),
        namespace: namespace.to_owned(),
        chart: component.to_owned(),
        repository: "https://charts.example.com".to_owned(),
        login: None,
        version: "1.2.3".parse().unwrap(),
        digest: None,
        manifest_digest: None,
        values: values.try_into().unwrap(),
        crds: CrdPolicy::None,
        timeout_s: 600,
        health: vec![Health::Workload { kind: "Deployment".to_owned(), name: component.to_owned() }],
        stale_jobs: Vec::new(),
        remove_first: Vec::new(),
        upgrades_from: None,
        meaning_of: None,
        named_by_site: false,
        upgrade_path: None,
        of_objects: false,
    }
}

pub(crate) fn runai() -> RunaiTarget {
    RunaiTarget {
        url: format!("https://{DOMAIN}:30443"),
        address: None,
        realm: "runai".to_owned(),
        admin: "admin@example.com".to_owned(),
        password: secret("RUNAI_ADMIN_PASSWORD"),
        authority: Some("runai".to_owned()),
        cluster: "bcm-gpu-cluster".to_owned(),
        authority_text: None,
        cluster_url: None,
        version: "2.21.43".parse().unwrap(),
        api: RunaiApi::default(),
    }
}

pub(crate) fn control_plane() -> Release {
    release("runai-control-plane", "runai-backend", json!({"global": {"domain": DOMAIN}}))
}

pub(crate) fn cluster_part() -> Release {
    let secret = json!({"$secret": SecretRef::Generated("runai-client-secret".to_owned())});
    release(
        "runai-cluster",
        "runai",
        json!({"global": {"customCA": {"enabled": true}}, "controlPlane": {"clientSecret": secret}}),
    )
}

pub(crate) fn pull_secret() -> SecretContent {
    SecretContent::RegistryLogin {
        login: RegistryLogin {
            registry: "runai.jfrog.io".to_owned(),
            username: "self-hosted-image-puller-prod".to_owned(),
            password: secret("RUNAI_REGISTRY_TOKEN"),
        },
    }
}

/// Waits until something holds, at most an hour.
pub(crate) async fn until<F: Future<Output = ClientResult<bool>>>(
    ctx: &Context,
    look: impl Fn() -> F,
) -> ClientResult<bool> {
    for _ in 0..360 {
        if look().await? {
            return Ok(true);
        }
        ctx.clock().sleep(Duration::from_secs(10)).await;
    }
    Ok(false)
}

/// Free space at some paths; images may move from the first to the second.
pub(crate) fn asked(paths: &[String]) -> Asked {
    let images = paths.first().cloned().zip(paths.get(1).cloned());
    Asked { paths: paths.to_vec(), images, ..Asked::default() }
}

pub(crate) const fn registries(mirrors: &[Mirror]) -> Registries<'_> {
    Registries { mirrors, mirrors_by_engine: false, logins: &[] }
}

pub(crate) async fn prepare_node(sim: &Simulation, node: &str) -> ClientResult<()> {
    let (ctx, client) = (sim.context(), &sim.clients.node);
    let first = target(node, "ibm");
    let key = client.host_key(&ctx, &first).await?.presented;
    client.pin_host_key(&ctx, &first, &key).await?;
    client.make_account(&ctx, &first, &account()).await?;
    let ours = target(node, "ansiblebcm");
    let paths = ["/var/lib/containerd".to_owned(), "/local/containerd".to_owned()];
    let facts = client.facts(&ctx, &ours, &asked(&paths)).await?;
    if facts.free_gib(&paths[0]).unwrap_or(0) < 200 {
        client.relocate_storage(&ctx, &ours, &paths[0], &paths[1]).await?;
    }
    client.set_registries(&ctx, &ours, &registries(&[])).await
}

pub(crate) async fn prepare_nodes(sim: &Simulation) -> ClientResult<()> {
    for done in futures::future::join_all(NODES.map(|node| prepare_node(sim, node))).await {
        done?;
    }
    Ok(())
}

pub(crate) async fn deploy(sim: &Simulation) -> ClientResult<plinth_world::ansible::PlayStats> {
    let (ctx, client) = (sim.context(), &sim.clients.ansible);
    client.fetch_source(&ctx, &kubespray()).await?;
    client.make_environment(&ctx, &kubespray()).await?;
    client.write_inventory(&ctx, &files()).await?;
    client.play(&ctx, &play()).await
}

/// cluster.yml on all nodes.
pub(crate) fn play() -> PlayRun {
    PlayRun { release: kubespray(), play: Play::Cluster, targets: targets(&nodes()), inputs: inputs() }
}

pub(crate) fn targets(nodes: &[NodeName]) -> Vec<NodeTarget> {
    nodes.iter().map(|node| target(node.as_str(), "ansiblebcm")).collect()
}

pub(crate) async fn kubernetes(sim: &Simulation) -> ClientResult<()> {
    let ctx = sim.context();
    let stats = deploy(sim).await?;
    if stats.hosts.values().any(|host| host.failures + host.unreachable > 0) {
        return Err(ClientError::new("ansible", "running cluster.yml").happened("hosts failed").attempt(""));
    }
    let kube = &sim.clients.kube;
    kube.fetch_kubeconfig(&ctx, &target("cpu-03", "ansiblebcm"), "https://10.184.162.100:6443").await?;
    for node in nodes() {
        until(&ctx, || async { Ok(kube.node(&ctx, &node).await?.as_ref().is_some_and(|node| node.ready)) }).await?;
    }
    kube.set_entry(&ctx, Some((DOMAIN, address("cpu-03")))).await
}

pub(crate) async fn install(sim: &Simulation, release: &Release) -> ClientResult<()> {
    let ctx = sim.context();
    let Health::Workload { .. } = &release.health[0] else { panic!("a workload is expected") };
    sim.clients.kube.make_namespace(&ctx, &release.namespace, PodSecurity::Privileged).await?;
    sim.clients.helm.upgrade(&ctx, release).await?;
    let healthy = || async { Ok(sim.clients.kube.health(&ctx, &release.namespace, &release.health[0]).await?.holds) };
    assert!(until(&ctx, healthy).await?, "{} never became healthy", release.release);
    Ok(())
}

pub(crate) async fn platform(sim: &Simulation) -> ClientResult<()> {
    let ctx = sim.context();
    let source = CertificateSource::Generated { authority_days: 3650, leaf_days: 365 };
    sim.clients
        .keystore
        .make_certificate(
            &ctx,
            "runai",
            &[plinth_model::CertificateName::Host(plinth_model::Domain::fixed(DOMAIN))],
            &source,
        )
        .await?;
    for component in ["local-path-provisioner", "ingress-nginx", "kube-prometheus-stack", "gpu-operator"] {
        install(sim, &release(component, component, json!({}))).await?;
    }
    for namespace in ["runai-backend", "runai"] {
        sim.clients.kube.make_namespace(&ctx, namespace, PodSecurity::Privileged).await?;
        sim.clients.kube.make_secret(&ctx, namespace, "runai-reg-creds", &pull_secret(), &IndexMap::new()).await?;
        let authority = SecretContent::Authority { certificate: "runai".to_owned(), key: "runai-ca.pem".to_owned() };
        sim.clients.kube.make_secret(&ctx, namespace, "runai-ca-cert", &authority, &IndexMap::new()).await?;
        let tls = SecretContent::Tls { certificate: "runai".to_owned() };
        sim.clients.kube.make_secret(&ctx, namespace, "runai-tls", &tls, &IndexMap::new()).await?;
    }
    Ok(())
}

pub(crate) async fn connect(sim: &Simulation) -> ClientResult<()> {
    let ctx = sim.context();
    let client = &sim.clients.runai;
    install(sim, &control_plane()).await?;
    let answers = || async { Ok(client.up(&ctx, &runai(), false).await.is_ok()) };
    if !until(&ctx, answers).await? {
        let last = client.up(&ctx, &runai(), false).await.err().map_or_else(String::new, |error| error.happened);
        return Err(ClientError::new("runai", "comparing the issuer")
            .happened(format!("it never was the expected one, or the control plane never came up: {last}"))
            .attempt(""));
    }
    let uuid = match client.clusters(&ctx, &runai()).await?.pop() {
        Some(cluster) => cluster.uuid,
        None => client.register(&ctx, &runai()).await?.uuid,
    };
    client.keep_credentials(&ctx, &runai(), &uuid).await?;
    install(sim, &cluster_part()).await?;
    let connected = || async { Ok(client.clusters(&ctx, &runai()).await?[0].state == "Connected") };
    if !until(&ctx, connected).await? {
        return Err(ClientError::new("runai", "waiting for the cluster").happened("it never connected").attempt(""));
    }
    Ok(())
}

/// The main job.
pub(crate) async fn everything(sim: &Simulation) -> ClientResult<()> {
    prepare_nodes(sim).await?;
    kubernetes(sim).await?;
    platform(sim).await?;
    connect(sim).await
}

pub(crate) fn elapsed(sim: &Simulation) -> Duration {
    sim.clock.elapsed()
}

/// The error's text; the call must fail and change nothing.
pub(crate) async fn refused<T>(sim: &Simulation, call: impl Future<Output = ClientResult<T>>) -> String {
    let before = sim.snapshot();
    let error = call.await.err().expect("the call must fail");
    assert_eq!(sim.snapshot(), before, "{error}");
    assert!(!error.attempt.is_empty(), "{error} must say what to try");
    error.to_string()
}

pub(crate) fn ready(sim: &Simulation) {
    run(sim, async {
        prepare_nodes(sim).await.unwrap();
        kubernetes(sim).await.unwrap();
    });
}
