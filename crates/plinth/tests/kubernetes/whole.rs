//! A whole cluster on a node of a lab, by kubeadm: what only pods, kubelet and SSH can show.

use crate::stand::SITE;
use plinth_keystore::FileKeystore;
use plinth_keystore::SiteSecrets;
use plinth_kube::KubeApi;
use plinth_lab::{ETCD, KUBERNETES, Lab, LabSpec, Mirror};
use plinth_model::steps::{Credential, NodeTarget};
use plinth_model::{SecretRef, SiteName};
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::kube::{
    ClusterDns as _, KubeAccess as _, KubeJoins as _, KubeNodes as _, KubeObjects as _, KubeSystem as _,
    KubeToolkits as _,
};
use plinth_world::node::NodeClient;
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const INSTALL: &str = include_str!("install.sh");
const PODS: &str = "10.233.64.0/18";
/// Images start, and CoreDNS reads its configuration again, within this time.
const SETTLES: Duration = Duration::from_secs(240);

fn lab() -> (Lab, plinth_lab::Served) {
    let lab = Lab::up(&LabSpec::unique("whole").usual(1).kubernetes(PODS.parse().unwrap())).unwrap();
    let served = Mirror::have().unwrap().serve(&lab).unwrap();
    let node = lab.node("n1").unwrap();
    let address = node.address().to_string();
    node.exec(&["sh", "-euc", INSTALL, "sh", &served.url(), &address, PODS, KUBERNETES, ETCD]).unwrap();
    (lab, served)
}

/// Asks again until the answer is good.
async fn until<T: std::fmt::Debug>(what: &str, ask: impl AsyncFn() -> T, good: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + SETTLES;
    loop {
        let answer = ask().await;
        if good(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: {answer:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn target(lab: &Lab) -> NodeTarget {
    NodeTarget {
        node: crate::stand::name("n1"),
        address: lab.node("n1").unwrap().address(),
        port: 22,
        user: lab.user().to_owned(),
        credential: Credential::Password(SecretRef::File("password".to_owned())),
        legacy_keys: false,
        jump: None,
    }
}

fn clients(folder: &Path) -> (Arc<dyn NodeClient>, KubeApi) {
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder).below(folder));
    let nodes: Arc<dyn NodeClient> = Arc::new(SshNodes::new(SshConfig::new(folder), Arc::clone(&secrets)));
    let keystore = Arc::new(FileKeystore::new(folder, Arc::clone(&secrets)));
    let kube = KubeApi::new(folder, &SiteName::new(SITE).unwrap(), nodes.clone(), keystore, secrets);
    (nodes, kube)
}

async fn look(target: &NodeTarget, folder: &Path) {
    let ctx = &Context::quiet(Arc::new(SystemClock::new()));
    let (nodes, kube) = clients(folder);
    let key = nodes.host_key(ctx, target).await.unwrap().presented;
    nodes.pin_host_key(ctx, target, &key).await.unwrap();
    kube.fetch_kubeconfig(ctx, target, &format!("https://{}:6443", target.address)).await.unwrap();
    until(
        "the node",
        async || kube.node(ctx, &target.node).await.unwrap(),
        |node| node.as_ref().is_some_and(|node| node.ready),
    )
    .await;
    let well = |health: &plinth_world::kube::ClusterHealth| {
        let ready = health.workloads.iter().all(|workload| workload.wanted > 0 && workload.ready == workload.wanted);
        health.failing.is_empty() && ready && health.workloads.len() == 2
    };
    until("kube-system", async || kube.cluster_health(ctx).await.unwrap(), well).await;

    let seen = nodes.control_plane(ctx, target).await.unwrap();
    let etcd = seen.etcd.unwrap();
    assert_eq!((etcd.members.len(), etcd.unhealthy), (1, Vec::new()), "etcd answers without etcdctl");
    assert_eq!(etcd.members[0].peers, [format!("https://{}:2380", target.address)]);
    let files: Vec<&str> = seen.certificates.iter().map(|found| found.file.as_str()).collect();
    for file in ["pki/apiserver.crt", "pki/etcd/server.crt", "scheduler.conf", "kubelet-client-current.pem"] {
        assert!(files.iter().any(|found| found.ends_with(file)), "{file}: {files:?}");
    }
    assert!(seen.certificates.iter().all(|found| found.expires > jiff::Timestamp::now()), "{:?}", seen.certificates);
    assert_eq!((seen.kubelet.as_str(), seen.nvidia_runtime), ("active", Some(false)));

    names(ctx, &kube).await;
    start_toolkits_again(ctx, &kube).await;
    redirect_joins(ctx, &kube, target).await;
}

/// A name comes into the configuration of the real CoreDNS, which reads it again; another one takes its place, and it goes.
async fn names(ctx: &Context, kube: &KubeApi) {
    let seen = async |name| kube.look_up(ctx, name).await.map(|seen| seen.addresses);
    let own = "kubernetes.default.svc.cluster.local";
    assert_eq!(seen(own).await.unwrap(), [Ipv4Addr::new(10, 96, 0, 1)]);
    assert_eq!(seen("nobody.default.svc.cluster.local").await.unwrap(), Vec::<Ipv4Addr>::new());
    let address = Ipv4Addr::new(10, 184, 162, 5);
    for _ in 0..2 {
        kube.set_entry(ctx, Some(("runai.lab.example", address))).await.unwrap();
    }
    assert_eq!(kube.own_entries(ctx).await.unwrap(), ["runai.lab.example".to_owned()].into());
    let is = |wanted: &'static [Ipv4Addr]| {
        move |answer: &plinth_world::ClientResult<Vec<Ipv4Addr>>| answer.as_ref().is_ok_and(|all| *all == wanted)
    };
    const FOUND: &[Ipv4Addr] = &[Ipv4Addr::new(10, 184, 162, 5)];
    until("the new name", async || seen("runai.lab.example").await, is(FOUND)).await.unwrap();
    assert_eq!(seen(own).await.unwrap(), [Ipv4Addr::new(10, 96, 0, 1)]);
    kube.set_entry(ctx, Some(("other.lab.example", address))).await.unwrap();
    until("the other name", async || seen("other.lab.example").await, is(FOUND)).await.unwrap();
    assert!(!is(FOUND)(&seen("runai.lab.example").await), "the former name is gone");
    kube.set_entry(ctx, None).await.unwrap();
    assert!(kube.own_entries(ctx).await.unwrap().is_empty());
}

/// kubeadm's own `cluster-info` names the only server; it is replaced when that one is away, and only then.
async fn redirect_joins(ctx: &Context, kube: &KubeApi, target: &NodeTarget) {
    let elsewhere = NodeTarget { address: Ipv4Addr::new(10, 77, 3, 254), ..target.clone() };
    let url = |target: &NodeTarget| format!("https://{}:6443", target.address);
    let away = std::slice::from_ref(target);
    assert!(!kube.redirect_joins(ctx, std::slice::from_ref(&elsewhere), &url(target)).await.unwrap());
    assert!(kube.redirect_joins(ctx, away, &url(&elsewhere)).await.unwrap());
    assert!(!kube.redirect_joins(ctx, away, &url(&elsewhere)).await.unwrap(), "nobody is led there any more");
}

/// Pods of a daemon set with the toolkit's label are found by their nodes; an ended one has a successor.
async fn start_toolkits_again(ctx: &Context, kube: &KubeApi) {
    assert!(kube.toolkits(ctx).await.unwrap().is_empty());
    let labels = serde_json::json!({"app": "nvidia-container-toolkit-daemonset"});
    let set = serde_json::json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "nvidia-container-toolkit-daemonset", "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "toolkit", "image": "registry.k8s.io/pause:3.10.1", "imagePullPolicy": "Never"}],
        }}},
    });
    kube.apply(ctx, &[set]).await.unwrap();
    let pod = async || kube.toolkits(ctx).await.unwrap().get("n1").cloned();
    let first = until("a toolkit", pod, Option::is_some).await.unwrap();
    kube.end_pod(ctx, &first).await.unwrap();
    until("another toolkit", pod, |now| now.as_ref().is_some_and(|now| *now != first)).await;
    kube.end_pod(ctx, &first).await.unwrap();
}

#[test]
#[ignore = "needs root, the lab, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_cluster_of_real_pods_is_read_over_ssh_and_its_api() {
    let (lab, _served) = lab();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), lab.password()).unwrap();
    let target = target(&lab);
    let all = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(look(&target, folder.path()));
    };
    lab.inside(all).unwrap();
}
