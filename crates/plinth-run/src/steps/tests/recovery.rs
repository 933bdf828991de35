use super::cluster::{kube_node, kubespray, stats};
use super::control_plane::{at, member, members, seen};
use super::*;
use plinth_model::Digest;
use plinth_model::engine::{Begun, EngineRecord, KubesprayRecord, Play};
use plinth_model::steps::{HostInputs, KubesprayRecovery, RunInputs};
use plinth_world::ansible::PlayStats;
use plinth_world::kube::KubeNode;
use plinth_world::node::{ControlPlane, Leftovers};

fn parts() -> RunInputs {
    let host = |name: &str| {
        let groups = ["kube_control_plane", "etcd"].map(str::to_owned).to_vec();
        (node(name), HostInputs { groups, variables: Digest::of(name) })
    };
    RunInputs {
        tag: "v2.27.1".parse().unwrap(),
        version: "v1.31.9".parse().unwrap(),
        variables: Digest::of("variables"),
        hosts: [host("n1"), host("n2")].into(),
    }
}

fn work() -> Work {
    Work::KubesprayRecovery(KubesprayRecovery {
        release: kubespray(),
        targets: vec![at("n1", 1), at("n2", 2)],
        broken: vec![node("n1")],
        parts: parts(),
    })
}

fn begun(play: Play) -> Option<EngineRecord> {
    recorded(KubesprayRecord {
        last: Some(parts()),
        begun: Some(Begun { play, inputs: parts(), since: None }),
        at: None,
    })
}

fn whole() -> ControlPlane {
    seen(members(), 300)
}

fn bare() -> ControlPlane {
    ControlPlane { etcd: None, certificates: Vec::new(), kubelet: String::new(), nvidia_runtime: None }
}

const CHOSEN: &str = "→ recover-control-plane.yml: n2 takes in n1";

/// Looks at n1 and n2 as they are given; the API knows nothing.
async fn look(deployed: Option<EngineRecord>, nodes: [ControlPlane; 2]) -> Result<Probed, ClientError> {
    let bench = Bench::new();
    bench.fake.on("record", deployed);
    for seen in nodes {
        bench.fake.on("control_plane", seen);
    }
    bench.fake.fails::<Option<KubeNode>>("node", ClientError::new("fake", "looking").happened("away").attempt("look"));
    bench.look(&work()).await
}

#[tokio::test]
async fn a_member_says_itself_what_it_lacks() {
    let usual = || recorded(KubesprayRecord { last: Some(parts()), begun: None, at: None });
    done(look(usual(), [whole(), whole()]).await);
    let lines = todo(look(usual(), [bare(), whole()]).await);
    let lacks =
        ["! etcd is not set up on n1", "! n1 has no certificate of an API server", "! kubelet on n1 is not there"];
    assert_eq!(lines, [&lacks[..], &[CHOSEN]].concat());
    let mut stranger = whole();
    stranger.etcd.as_mut().unwrap().members = vec![member("etcd-n2", 2)];
    assert_eq!(todo(look(usual(), [stranger, whole()]).await), ["! n1 is no member of etcd", CHOSEN]);
    let mut others = whole();
    others.etcd.as_mut().unwrap().unhealthy =
        vec!["https://10.0.0.2:2379 is not healthy: it does not say why".to_owned()];
    done(look(usual(), [others, whole()]).await);
    let lines =
        todo(look(begun(Play::Recover { nodes: vec![node("n1")], reset: Vec::new() }), [whole(), whole()]).await);
    assert_eq!(lines, ["! an earlier recover-control-plane.yml did not end", CHOSEN]);
}

#[tokio::test]
async fn what_the_cluster_says_counts_too() {
    for (said, line) in [(kube_node(false, "v1.31.9"), "! n1 is not Ready"), (None, "! the cluster has no node n1")] {
        let bench = Bench::new();
        bench.fake.on("record", None::<EngineRecord>).on("control_plane", whole()).on("control_plane", whole());
        bench.fake.on("node", said);
        assert_eq!(todo(bench.look(&work()).await), [line, CHOSEN]);
    }
}

#[tokio::test]
async fn without_a_survivor_and_in_the_middle_of_something_else_nothing_is_begun() {
    let refused = async |deployed: Option<EngineRecord>, nodes: &[ControlPlane]| {
        let bench = Bench::new();
        bench.fake.on("record", deployed);
        for seen in nodes {
            bench.fake.on("control_plane", seen.clone());
        }
        blocked(bench.look(&work()).await).code
    };
    assert_eq!(refused(None, &[whole(), bare()]).await, "kubespray.none-survived");
    assert_eq!(refused(begun(Play::Reset), &[]).await, "kubespray.removal-unfinished");
    let more = Play::Recover { nodes: vec![node("n1"), node("n3")], reset: Vec::new() };
    assert_eq!(refused(begun(more), &[]).await, "kubespray.recovery-unfinished");
}

/// A bench on which Kubespray has no opinion.
fn begun_well() -> Bench {
    let bench = Bench::new();
    bench.fake.on("validate_inventory", None::<Vec<String>>).on("record", None::<EngineRecord>);
    bench
}

fn good() -> PlayStats {
    stats(&[("n1", 0, 0), ("n2", 0, 0)])
}

#[tokio::test]
async fn a_recovery_leads_who_joins_to_a_survivor_and_is_judged_by_its_final_statistics() {
    let bench = begun_well();
    bench
        .fake
        .on("fetch_kubeconfig", ())
        .on("redirect_joins", true)
        .on("leftovers", Leftovers::default())
        .on("play", good())
        .on("fetch_kubeconfig", ());
    let line = bench.act(&work()).await.unwrap();
    assert!(line.starts_with("1 member taken in again; recover-control-plane.yml: 2 hosts"), "{line}");
    let bench = begun_well();
    bench
        .fake
        .on("fetch_kubeconfig", ())
        .on("redirect_joins", false)
        .on("leftovers", Leftovers::default())
        .on("play", stats(&[("n2", 0, 0)]));
    assert_eq!(refused(bench.act(&work()).await).code, "kubespray.host-failed");
}

#[tokio::test]
async fn without_a_majority_the_playbook_makes_one_and_is_run_once_more() {
    let away = || ClientError::new("kube", "fetching").happened("no answer").attempt("look");
    let failed = || stats(&[("n1", 1, 0), ("n2", 0, 0)]);
    let bench = begun_well();
    bench.fake.fails::<()>("fetch_kubeconfig", away()).on("leftovers", Leftovers::default()).on("play", failed());
    bench
        .fake
        .on("fetch_kubeconfig", ())
        .on("redirect_joins", true)
        .on("leftovers", Leftovers::default())
        .on("record", None::<EngineRecord>)
        .on("play", good());
    bench.fake.on("fetch_kubeconfig", ());
    bench.act(&work()).await.unwrap();
    // It led nobody astray: then it failed for another reason.
    let bench = begun_well();
    bench.fake.fails::<()>("fetch_kubeconfig", away()).on("leftovers", Leftovers::default()).on("play", failed());
    bench.fake.on("fetch_kubeconfig", ()).on("redirect_joins", false);
    assert_eq!(refused(bench.act(&work()).await).code, "kubespray.host-failed");
}

#[tokio::test]
async fn a_member_on_which_something_is_left_is_reset_first() {
    let running = |running: &[&str], left: &[&str]| Leftovers {
        running: running.iter().map(|what| (*what).to_owned()).collect(),
        left: left.iter().map(|what| (*what).to_owned()).collect(),
    };
    let cases = [
        (running(&["kubelet"], &[]), true),
        (running(&[], &["content of /var/lib/etcd"]), true),
        (running(&[], &["content of /etc/containerd"]), false),
        (Leftovers::default(), false),
    ];
    for (leftovers, is_reset) in cases {
        let bench = begun_well();
        bench
            .fake
            .on("fetch_kubeconfig", ())
            .on("redirect_joins", false)
            .on("leftovers", leftovers.clone())
            .on("play", good());
        bench.fake.on("fetch_kubeconfig", ());
        bench.act(&work()).await.unwrap();
        let reset = if is_reset { vec![node("n1")] } else { Vec::new() };
        let wanted = [Play::Recover { nodes: vec![node("n1")], reset }];
        assert_eq!(*bench.fake.plays.lock().unwrap(), wanted, "{leftovers:?}");
    }
}
