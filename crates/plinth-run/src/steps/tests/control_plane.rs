use super::*;
use plinth_world::kube::{ClusterHealth, SystemWorkload};
use plinth_world::node::{CertificateFile, ControlPlane, Etcd, EtcdMember};

/// The tests' clock stands at the epoch.
const DAY: i64 = 86_400;

pub(super) fn at(name: &str, last: u8) -> NodeTarget {
    NodeTarget { node: node(name), address: std::net::Ipv4Addr::new(10, 0, 0, last), ..target() }
}

fn work() -> Work {
    let targets = vec![at("n1", 1), at("n2", 2)];
    Work::ControlPlane(plinth_model::steps::ControlPlane { targets, etcd: vec![node("n1"), node("n2")] })
}

pub(super) fn member(name: &str, last: u8) -> EtcdMember {
    let peers = vec![format!("https://10.0.0.{last}:2380")];
    EtcdMember { name: name.to_owned(), id: format!("{last:x}"), peers, learner: false }
}

pub(super) fn members() -> Vec<EtcdMember> {
    vec![member("etcd-n1", 1), member("etcd-n2", 2)]
}

pub(super) fn seen(members: Vec<EtcdMember>, days: i64) -> ControlPlane {
    let expires = jiff::Timestamp::from_second(days * DAY).unwrap();
    ControlPlane {
        etcd: Some(Etcd { members, unhealthy: Vec::new() }),
        certificates: vec![CertificateFile { file: "/etc/kubernetes/ssl/apiserver.crt".to_owned(), expires }],
        kubelet: "active".to_owned(),
        nvidia_runtime: None,
    }
}

fn workload(kind: &'static str, name: &str, ready: u32, wanted: u32) -> SystemWorkload {
    SystemWorkload { kind, name: name.to_owned(), ready, wanted }
}

fn well() -> ClusterHealth {
    let workloads = vec![workload("Deployment", "coredns", 2, 2), workload("DaemonSet", "kube-proxy", 3, 3)];
    ClusterHealth { failing: Vec::new(), workloads }
}

async fn look(cluster: ClusterHealth, nodes: [ControlPlane; 2]) -> Result<Probed, ClientError> {
    let bench = Bench::new();
    bench.fake.on("cluster_health", cluster);
    for seen in nodes {
        bench.fake.on("control_plane", seen);
    }
    bench.look(&work()).await
}

#[tokio::test]
async fn all_is_well_only_when_everybody_says_so() {
    let line = done(look(well(), [seen(members(), 364), seen(members(), 300)]).await);
    assert_eq!(line, "API ready, etcd of 2 members agrees, 5 pods of kube-system ready, certificates last 300 days");
}

#[tokio::test]
async fn what_is_ill_is_named() {
    let cluster = ClusterHealth {
        failing: vec!["etcd".to_owned()],
        workloads: vec![workload("DaemonSet", "kube-proxy", 2, 3), workload("Deployment", "coredns", 0, 2)],
    };
    let mut ill = seen(vec![member("etcd-n1", 1)], 100);
    ill.kubelet = "failed".to_owned();
    if let Some(etcd) = &mut ill.etcd {
        etcd.unhealthy.push("https://10.0.0.2:2379 is not healthy: no leader".to_owned());
    }
    assert_eq!(
        todo(look(cluster, [seen(members(), 100), ill]).await),
        [
            "! API server: etcd fails",
            "! DaemonSet kube-proxy: 2/3 ready",
            "! Deployment coredns: 0/2 ready",
            "! no pod of coredns is ready in kube-system",
            "! n2: https://10.0.0.2:2379 is not healthy: no leader",
            "! etcd: n1 sees etcd-n1 etcd-n2, n2 sees etcd-n1",
            "! kubelet on n2 is failed",
        ]
    );
}

#[tokio::test]
async fn the_members_of_etcd_are_the_sites() {
    let mut others = vec![member("etcd-n1", 1), member("", 9), EtcdMember { learner: true, ..member("late", 2) }];
    others.sort();
    let mut lacks = todo(look(well(), [seen(others.clone(), 100), seen(others, 100)]).await);
    lacks.sort();
    let wanted = [
        "! etcd has a member that the site does not have: 9",
        "! etcd member 9 has not started",
        "! etcd member late does not vote yet",
    ];
    assert_eq!(lacks, wanted);
    let none = ControlPlane { etcd: None, ..seen(Vec::new(), 100) };
    let lacks = todo(look(well(), [seen(vec![member("etcd-n1", 1)], 100), none]).await);
    assert_eq!(lacks, ["! etcd is not set up on n2", "! n2 is no member of etcd"]);
}

#[tokio::test]
async fn certificates_are_named_before_they_expire_and_stop_afterwards() {
    let probed = look(well(), [seen(members(), 29), seen(members(), 12)]).await.unwrap();
    let [note] = &probed.notes[..] else { panic!("{probed:?}") };
    assert_eq!(
        (note.code.as_str(), note.severity),
        ("kubernetes.certificate-ends-soon", plinth_model::Severity::Warning)
    );
    assert_eq!(note.message, "2 certificates of the control plane end within 30 days, the first in 12 days");
    assert_eq!(note.evidence[0], "/etc/kubernetes/ssl/apiserver.crt on n2: 12 days");
    assert!(done(Ok(probed)).ends_with("certificates last 12 days"));
    assert!(look(well(), [seen(members(), 30), seen(members(), 31)]).await.unwrap().notes.is_empty());
    let finding = blocked(look(well(), [seen(members(), 0), seen(members(), 12)]).await);
    assert_eq!(finding.code, "kubernetes.certificate-expired");
    assert!(finding.evidence[0].starts_with("n1: /etc/kubernetes/ssl/apiserver.crt expired at 1970"), "{finding:?}");
}

#[tokio::test]
async fn a_wait_ends_with_what_was_seen_last() {
    let bench = Bench::new();
    let late =
        || ClientError::new("kube", "asking").happened("connection refused").attempt("wait").transient("it starts");
    bench.fake.fails::<ClusterHealth>("cluster_health", late());
    bench.fake.on("cluster_health", well());
    for _ in 0..2 {
        bench.fake.on("control_plane", seen(members(), 100));
    }
    assert!(bench.act(&work()).await.unwrap().starts_with("API ready"));
    let bench = Bench::new();
    for _ in 0..looks(&work()) {
        bench.fake.on("cluster_health", ClusterHealth::default());
        bench.fake.on("control_plane", seen(members(), 100));
        bench.fake.on("control_plane", seen(members(), 100));
    }
    let finding = refused(Kinds.act(&step(&work()), &bench.env()).await);
    assert_eq!(finding.code, "kubernetes.control-plane-ill");
    assert_eq!(finding.evidence[0], "! no pod of coredns is ready in kube-system");
}
