mod names;
mod releases;
mod upgrade_path;

use super::*;
use indexmap::IndexMap;
use jiff::Timestamp;
use plinth_model::engine::{Begun, KubesprayRecord, Play};
use plinth_model::steps::{
    AcceptanceCheck, Certificate, CertificateSource, Check, ClusterDns, CrdPolicy, Health, HelmRelease, HostInputs,
    KubeObjects, Kubeconfig, KubesprayEnvironment, KubesprayInventory, KubesprayRelease, KubesprayRun, KubespraySource,
    Namespace, NodeLabels, NodeReady, PodSecurity, Release, RunInputs,
};
use plinth_model::{Digest, Stage};
use plinth_world::ansible::{HostStats, PlayStats};
use plinth_world::deadlines;
use plinth_world::helm::ReleaseState;
use plinth_world::keystore::CertificateState;
use plinth_world::kube::{CheckSeen, HealthState, HeldConfig, KubeNode, NameSeen};
use plinth_world::node::{Bootstrap, ControlPlane};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

pub(super) fn kubespray() -> KubesprayRelease {
    KubesprayRelease {
        tag: "v2.27.1".parse().unwrap(),
        source: "https://git.test/kubespray".to_owned(),
        commit: "c0ffee".to_owned(),
        tree: "7ee7ee".to_owned(),
        python: ">=3.10, <3.13".to_owned(),
        ansible_core: ">=2.16.4, <2.17.0".to_owned(),
        ansible: "9.13.0".to_owned(),
    }
}

fn run() -> Work {
    Work::KubesprayRun(KubesprayRun {
        release: kubespray(),
        targets: vec![at("cpu-03"), at("dgx-05")],
        parts: parts(),
        without: Vec::new(),
        removes_docker: false,
    })
}

pub(super) fn at(name: &str) -> NodeTarget {
    NodeTarget { node: node(name), ..target() }
}

pub(super) fn parts() -> RunInputs {
    let host = |name: &str, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        (node(name), HostInputs { groups, variables: Digest::of(name) })
    };
    RunInputs {
        tag: "v2.27.1".parse().unwrap(),
        version: "v1.31.9".parse().unwrap(),
        variables: Digest::of("variables"),
        hosts: [host("cpu-03", &["kube_control_plane", "etcd"]), host("dgx-05", &["kube_node"])].into(),
    }
}

pub(super) fn stats(hosts: &[(&str, u64, u64)]) -> PlayStats {
    let host = |(name, failures, unreachable): &(&str, u64, u64)| {
        ((*name).to_owned(), HostStats { ok: 700, changed: 3, failures: *failures, unreachable: *unreachable })
    };
    PlayStats { hosts: hosts.iter().map(host).collect(), ..PlayStats::default() }
}

#[tokio::test]
async fn kubespray_source_and_environment_must_be_the_pinned_ones() {
    let bench = Bench::new();
    let source = Work::KubespraySource(KubespraySource { release: kubespray() });
    let ids = |commit: &str, tree: &str| Some((commit.to_owned(), tree.to_owned()));
    bench.fake.on("source", ids("c0ffee", "7ee7ee"));
    done(bench.look(&source).await);
    for (commit, tree) in [("c0ffee", "other"), ("other", "7ee7ee")] {
        bench.fake.on("source", ids(commit, tree));
        assert_eq!(blocked(bench.look(&source).await).code, "kubespray.source-differs");
    }
    let environment = Work::KubesprayEnvironment(KubesprayEnvironment { release: kubespray() });
    for (version, ready) in
        [("2.16.4", true), ("2.16.19", true), ("2.17.0", false), ("2.16.3", false), ("nonsense", false)]
    {
        bench.fake.on("environment", Some(version.to_owned()));
        let seen = bench.look(&environment).await.unwrap().probe;
        assert_eq!(matches!(seen, Probe::Done(_)), ready, "{version}");
    }
}

#[tokio::test]
async fn a_run_that_succeeded_with_the_same_inputs_is_done_unless_the_cluster_lost_a_node() {
    let deployed = || recorded(KubesprayRecord { last: Some(parts()), begun: None, at: None });
    let bench = Bench::new();
    let away = ClientError::new("kube", "asking").happened("no kubeconfig yet").attempt("wait");
    bench.fake.on("record", deployed()).fails::<IndexMap<String, KubeNode>>("nodes", away).on("control_plane", there());
    assert_eq!(done(bench.look(&run()).await), "Kubernetes v1.31.9 was deployed on 2 hosts with v2.27.1");
    bench.fake.on("record", deployed()).on("nodes", listed(&["cpu-03", "dgx-05"], "v1.31.9"));
    bench.fake.on("control_plane", there()).on("control_plane", there());
    done(bench.look(&run()).await);
    bench.fake.on("record", deployed()).on("nodes", listed(&["cpu-03"], "v1.31.9"));
    bench.fake.on("control_plane", there()).on("control_plane", there());
    let lines = todo(bench.look(&run()).await);
    assert_eq!(lines, ["+ host dgx-05, which the cluster has lost", "→ scale.yml: only these workers are touched"]);
    bench.fake.on("record", None::<EngineRecord>);
    assert_eq!(todo(bench.look(&run()).await), ["+ Kubernetes v1.31.9 on 2 hosts, with Kubespray v2.27.1"]);
    let unreadable = ClientError::new("engine", "reading the record").happened("no right").attempt("give it");
    bench.fake.fails::<Option<EngineRecord>>("record", unreadable);
    assert!(bench.look(&run()).await.is_err(), "unknown is not absent");
}

/// These nodes, Ready, as one list tells of them.
pub(super) fn listed(names: &[&str], version: &str) -> IndexMap<String, KubeNode> {
    let ready = || KubeNode { ready: true, version: version.to_owned(), ..KubeNode::default() };
    names.iter().map(|name| ((*name).to_owned(), ready())).collect()
}

/// A node with nothing of Kubernetes, and one on which kubelet runs.
fn blank() -> ControlPlane {
    ControlPlane { etcd: None, certificates: Vec::new(), kubelet: "inactive".to_owned(), nvidia_runtime: None }
}

pub(super) fn there() -> ControlPlane {
    ControlPlane { kubelet: "active".to_owned(), ..blank() }
}

#[tokio::test]
async fn a_node_that_was_made_anew_says_so_itself_while_the_cluster_calls_it_ready() {
    let bench = Bench::new();
    let known = || {
        bench.fake.on("record", recorded(KubesprayRecord { last: Some(parts()), begun: None, at: None }));
        bench.fake.on("nodes", listed(&["cpu-03", "dgx-05"], "v1.31.9"));
    };
    known();
    bench.fake.on("control_plane", there()).on("control_plane", blank());
    let lines = todo(bench.look(&run()).await);
    assert_eq!(lines, ["+ host dgx-05, which has lost Kubernetes", "→ scale.yml: only these workers are touched"]);
    known();
    bench.fake.on("control_plane", blank()).on("control_plane", there());
    assert_eq!(blocked(bench.look(&run()).await).code, "kubespray.control-plane-lost");
    // One that cannot be asked has lost nothing.
    let stopped = ClientError::new("ssh", "asking").happened("no answer").attempt("look");
    known();
    bench.fake.on("control_plane", there()).fails::<ControlPlane>("control_plane", stopped);
    done(bench.look(&run()).await);
    let away = ClientError::new("kube", "asking").happened("no answer").attempt("look");
    bench.fake.on("record", recorded(KubesprayRecord { last: Some(parts()), begun: None, at: None }));
    bench.fake.fails::<IndexMap<String, KubeNode>>("nodes", away).on("control_plane", blank());
    assert_eq!(blocked(bench.look(&run()).await).code, "kubespray.control-plane-lost");
}

#[tokio::test]
async fn a_play_is_judged_by_its_final_statistics() {
    type Case = (&'static [(&'static str, u64, u64)], &'static [&'static str]);
    let cases: [Case; 6] = [
        (&[("cpu-03", 0, 0), ("dgx-05", 0, 0)], &[]),
        (&[("cpu-03", 0, 0), ("dgx-05", 0, 1)], &["dgx-05"]),
        (&[("cpu-03", 2, 0), ("dgx-05", 0, 1)], &["cpu-03", "dgx-05"]),
        (&[("cpu-03", 0, 0)], &["dgx-05"]),
        (&[], &["cpu-03", "dgx-05"]),
        (&[("cpu-03", 0, 0), ("dgx-05", 0, 0), ("localhost", 1, 0)], &["localhost"]),
    ];
    for (hosts, bad) in cases {
        let bench = Bench::new();
        bench.fake.on("record", None::<EngineRecord>).on("validate_inventory", no_opinion()).on("play", stats(hosts));
        let said = bench.act(&run()).await;
        if bad.is_empty() {
            assert_eq!(said.unwrap(), "2 hosts, 6 tasks changed something, none failed");
            continue;
        }
        let finding = refused(said);
        assert_eq!(finding.code, "kubespray.host-failed");
        assert_eq!(finding.subject, bad.join(", "));
        assert_eq!(finding.evidence.len(), bad.len());
        assert!(finding.evidence.iter().zip(bad).all(|(line, host)| line.starts_with(host)), "{:?}", finding.evidence);
    }
}

fn no_opinion() -> Option<Vec<String>> {
    None
}

#[tokio::test]
async fn input_that_kubespray_does_not_take_reaches_no_node() {
    let bench = Bench::new();
    let complaint = "cpu-03: failed at task `Stop if the pod network is too small`".to_owned();
    bench.fake.on("record", None::<EngineRecord>).on("validate_inventory", Some(vec![complaint.clone()]));
    let finding = refused(bench.act(&run()).await);
    assert_eq!((finding.code.as_str(), finding.evidence), ("kubespray.input-refused", vec![complaint]));
    assert!(!bench.fake.calls().contains(&"play"));
}

#[tokio::test]
async fn an_installation_that_broke_off_in_kubeadm_begins_anew() {
    let begun = Begun { play: Play::Cluster, inputs: parts(), since: Timestamp::from_second(-86_400).ok() };
    let deployed = || recorded(KubesprayRecord { last: None, begun: Some(begun.clone()), at: None });
    let birth = |ready: bool| Some(Bootstrap { age: Duration::from_secs(60), whole: false, ready });
    let bench = Bench::new();
    bench.fake.on("record", deployed()).on("bootstrap", birth(false));
    let lines = todo(bench.look(&run()).await);
    assert!(lines[2].starts_with("! kubeadm broke off on cpu-03"), "{lines:?}");
    let good = stats(&[("cpu-03", 0, 0), ("dgx-05", 0, 0)]);
    bench.fake.on("record", deployed()).on("bootstrap", birth(false)).on("play", good.clone());
    bench.fake.on("validate_inventory", no_opinion()).on("play", good);
    bench.act(&run()).await.unwrap();
    let plays = bench.fake.calls().iter().filter(|call| **call == "play").count();
    assert_eq!(plays, 2, "reset.yml, then cluster.yml");
    bench.fake.on("record", deployed()).on("bootstrap", birth(true));
    let lines = todo(bench.look(&run()).await);
    assert!(!lines.iter().any(|line| line.contains("kubeadm")), "a node was Ready: {lines:?}");
}

#[tokio::test]
async fn a_lost_host_is_not_a_failed_task() {
    let cases = [
        ((0, 1), "dgx-05: became unreachable", "see that dgx-05 answers over SSH again, then run again"),
        ((1, 0), "dgx-05: 1 task failed", "fix what the failed task of dgx-05 says above, then run again"),
        ((2, 1), "dgx-05: 2 tasks failed", "fix what the failed task of dgx-05 says above, then run again"),
    ];
    for ((failures, unreachable), evidence, fix) in cases {
        let bench = Bench::new();
        bench
            .fake
            .on("record", None::<EngineRecord>)
            .on("validate_inventory", Some(Vec::<String>::new()))
            .on("play", stats(&[("cpu-03", 0, 0), ("dgx-05", failures, unreachable)]));
        let finding = refused(bench.act(&run()).await);
        assert_eq!(finding.evidence, [evidence]);
        assert!(finding.fix.starts_with(fix), "{}", finding.fix);
    }
}

#[tokio::test]
async fn inventory_files_are_compared_one_by_one() {
    let files: IndexMap<String, String> =
        [("a", "1"), ("b", "2"), ("c", "3")].map(|(n, c)| (n.to_owned(), c.to_owned())).into();
    let written =
        IndexMap::from([("a".to_owned(), Digest::of_bytes(b"1")), ("b".to_owned(), Digest::of_bytes(b"old"))]);
    let bench = Bench::new();
    bench.fake.on("written_files", written);
    assert_eq!(todo(bench.look(&Work::KubesprayInventory(KubesprayInventory { files })).await), ["~ b", "+ c"]);
}

pub(super) fn kube_node(ready: bool, version: &str) -> Option<KubeNode> {
    Some(KubeNode { ready, version: version.to_owned(), ..KubeNode::default() })
}

#[tokio::test]
async fn readiness_is_waited_for_within_the_deadline() {
    let work = Work::NodeReady(NodeReady { node: node("dgx-05"), version: Some("v1.31.9".parse().unwrap()) });
    let bench = Bench::new();
    bench.fake.on("node", kube_node(false, "v1.30.4"));
    assert_eq!(todo(bench.look(&work).await), ["~ version v1.30.4 → v1.31.9", "! not Ready"]);
    let hiccup =
        ClientError::new("kube", "looking").happened("connection reset").attempt("wait").transient("a restart");
    bench.fake.on("node", None::<KubeNode>).fails::<Option<KubeNode>>("node", hiccup);
    bench.fake.on("node", kube_node(true, "v1.31.9"));
    assert_eq!(bench.act(&work).await.unwrap(), "Ready, v1.31.9");
    assert_eq!(bench.clock.elapsed(), deadlines::POLL_FIRST * 2);

    let never = Bench::new();
    for _ in 0..looks(&work) {
        never.fake.on("node", kube_node(false, "v1.31.9"));
    }
    let finding = refused(never.act(&work).await);
    assert_eq!(finding.code, "kubernetes.node-not-ready");
    assert!(finding.evidence.contains(&"! not Ready".to_owned()));
    let waited = never.clock.elapsed();
    let last = Duration::from_secs(890) - deadlines::POLL..=Duration::from_secs(890);
    assert!(last.contains(&waited), "within a round of the last moment at which it can be told: {waited:?}");

    let broken = Bench::new();
    broken
        .fake
        .fails::<Option<KubeNode>>("node", ClientError::new("kube", "looking").happened("forbidden").attempt("ask"));
    assert_eq!(broken.act(&work).await.unwrap_err().happened, "forbidden", "a permanent failure ends the wait");
}

#[tokio::test]
async fn labels_taints_and_names_are_compared() {
    let labels = IndexMap::from([("gpu".to_owned(), "true".to_owned()), ("role".to_owned(), "worker".to_owned())]);
    let work = Work::NodeLabels(NodeLabels {
        node: node("dgx-05"),
        labels: labels.clone(),
        taints: vec!["a=b:NoSchedule".to_owned()],
    });
    let bench = Bench::new();
    let mut seen = KubeNode { ready: true, labels: labels.clone(), ..KubeNode::default() };
    seen.labels.insert("role".to_owned(), "old".to_owned());
    bench.fake.on("node", Some(seen));
    assert_eq!(todo(bench.look(&work).await), ["~ label role: old → worker", "+ taint a=b:NoSchedule"]);
    let mut ours = KubeNode { labels, taints: vec!["a=b:NoSchedule".to_owned()], ..KubeNode::default() };
    ours.own_labels = ["gpu", "old"].map(str::to_owned).into();
    ours.own_taints = ["a:NoSchedule", "old:NoExecute"].map(str::to_owned).into();
    bench.fake.on("node", Some(ours));
    assert_eq!(todo(bench.look(&work).await), ["- label old", "- taint old:NoExecute"], "what the site dropped goes");
    let wanted = Ipv4Addr::new(10, 0, 0, 1);
    let dns = Work::ClusterDns(ClusterDns { name: NAME, address: Some(wanted), own: false });
    for (seen, is_done) in [(vec![wanted], true), (vec![], false), (vec![wanted, Ipv4Addr::LOCALHOST], false)] {
        bench.fake.on("own_entries", BTreeSet::<String>::new()).on("look_up", names::name_seen(&seen, None));
        assert_eq!(matches!(bench.look(&dns).await.unwrap().probe, Probe::Done(_)), is_done, "{seen:?}");
    }
}

const NAME: plinth_model::Domain = plinth_model::Domain::fixed("a.test");

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_tried_is_not_taken_for_absent() {
    let work = Work::Kubeconfig(Kubeconfig { target: target(), server: "https://10.0.0.1:6443".to_owned() });
    let bench = Bench::new();
    bench.fake.fails::<Option<HeldConfig>>(
        "kubeconfig",
        ClientError::new("fake", "looking").happened("timeout").attempt("look"),
    );
    assert!(bench.look(&work).await.is_err());
    let held = |server: &str, refused: Option<&str>| {
        Some(HeldConfig { server: server.to_owned(), refused: refused.map(str::to_owned) })
    };
    bench.fake.on("kubeconfig", held("https://127.0.0.1:6443", None));
    assert_eq!(todo(bench.look(&work).await), ["~ server https://127.0.0.1:6443 → https://10.0.0.1:6443"]);
    bench.fake.on("kubeconfig", held("https://10.0.0.1:6443", Some("its certificate expired")));
    assert_eq!(todo(bench.look(&work).await), ["~ kubeconfig: its certificate expired"]);
    bench.fake.on("kubeconfig", held("https://10.0.0.1:6443", None));
    done(bench.look(&work).await);
    let namespace = Work::Namespace(Namespace { name: "runai".to_owned(), pod_security: PodSecurity::Privileged });
    bench.fake.on("namespace", Some(None::<PodSecurity>));
    assert_eq!(todo(bench.look(&namespace).await), ["~ Pod Security unset → privileged"]);
}

#[tokio::test]
async fn certificates_are_renewed_when_a_third_is_left() {
    let own = CertificateSource::Generated { authority_days: 3650, leaf_days: 825 };
    let files =
        CertificateSource::Files { certificate: "c".to_owned(), key: SecretRef::File("k".to_owned()), authority: None };
    let cases = [
        (&own, &["a.test"][..], 276, true),
        (&own, &["a.test"], 275, false),
        (&own, &["a.test", "b.test"], 800, false),
        (&files, &["*.test"], 1, true),
        (&files, &["*.test"], 0, false),
        (&files, &["b.test"], 300, false),
    ];
    for (source, names, days_left, is_done) in cases {
        let kept = CertificateState {
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            days_left,
            fingerprint: String::new(),
            authority: None,
        };
        let work = Work::Certificate(Certificate {
            name: "runai".to_owned(),
            names: vec![plinth_model::CertificateName::Host(plinth_model::Domain::fixed("a.test"))],
            source: source.clone(),
        });
        let bench = Bench::new();
        bench.fake.on("certificate", Some(kept));
        assert_eq!(
            matches!(bench.look(&work).await.unwrap().probe, Probe::Done(_)),
            is_done,
            "{source:?} {names:?} {days_left}"
        );
    }
}

fn release(version: &str) -> Release {
    Release {
        component: "gpu-operator".to_owned(),
        release: "gpu-operator".to_owned(),
        namespace: "gpu-operator".to_owned(),
        chart: "gpu-operator".to_owned(),
        repository: String::new(),
        login: None,
        version: version.parse().unwrap(),
        digest: None,
        manifest_digest: None,
        values: json!({"driver": {"enabled": false}}).try_into().unwrap(),
        crds: CrdPolicy::None,
        timeout_s: 600,
        health: vec![Health::Workload { kind: "Deployment".to_owned(), name: "operator".to_owned() }],
        stale_jobs: Vec::new(),
        remove_first: Vec::new(),
        upgrades_from: None,
        meaning_of: None,
        named_by_site: false,
        upgrade_path: None,
        of_objects: false,
    }
}

fn health(holds: bool) -> HealthState {
    HealthState { holds, seen: "0/1 ready".to_owned() }
}

fn helm_release() -> Work {
    Work::HelmRelease(HelmRelease { release: Box::new(release("1.0.0")), stage: Stage::Platform })
}

#[tokio::test]
async fn objects_are_applied_and_then_waited_for() {
    let work = Work::KubeObjects(KubeObjects {
        component: "metallb".to_owned(),
        objects: vec![json!({"metadata": {"name": "pool", "namespace": "metallb-system"}})],
        health: release("1").health,
        timeout_s: 0,
        stage: Stage::Platform,
        upgrade_path: None,
    });
    let bench = Bench::new();
    bench.fake.on("diff", vec!["+ pool".to_owned()]);
    assert_eq!(todo(bench.look(&work).await), ["+ pool"]);
    bench.fake.on("apply", ());
    for holds in [false, true] {
        bench.fake.on("diff", Vec::<String>::new()).on("health", health(holds));
    }
    bench.act(&work).await.unwrap();
}

#[tokio::test]
async fn a_failed_check_blocks_and_one_that_could_not_be_carried_out_is_an_error() {
    let check = |check: Check| Work::AcceptanceCheck(AcceptanceCheck { check });
    let gpu =
        check(Check::GpuPod { node: node("dgx-05"), image: String::new(), resource: "nvidia.com/gpu".to_owned() });
    let bench = Bench::new();
    let evidence = || vec!["one".to_owned(), "two".to_owned()];
    let seen = |holds| {
        if holds { CheckSeen::Holds(evidence()) } else { CheckSeen::Fails { evidence: evidence(), code: None } }
    };
    bench.fake.on("run_check", seen(true));
    assert_eq!(done(bench.look(&gpu).await), "one; two");
    bench.fake.on("run_check", CheckSeen::Skipped("every GPU is in use".to_owned()));
    let skipped = bench.look(&gpu).await.unwrap();
    assert_eq!(skipped.notes[0].code, "checks.skipped", "nothing is wrong, and people are told");
    assert_eq!(done(Ok(skipped)), "skipped: every GPU is in use");
    bench.fake.on("run_check", seen(false));
    assert_eq!(blocked(bench.look(&gpu).await).code, "gpu.pod-does-not-run");
    bench
        .fake
        .fails::<CheckSeen>("run_check", ClientError::new("kube", "running").happened("forbidden").attempt("ask"));
    assert!(bench.look(&gpu).await.is_err());
    let ingress = check(Check::Ingress {
        url: "https://a.test".to_owned(),
        address: None,
        certificate: Some("runai".to_owned()),
        nobody_behind: false,
    });
    bench.fake.on("certificate", None::<CertificateState>);
    assert_eq!(blocked(bench.look(&ingress).await).code, "ingress.certificate-not-trusted");
    bench.fake.fails::<Option<CertificateState>>(
        "certificate",
        ClientError::new("fake", "looking").happened("no right").attempt("look"),
    );
    assert!(bench.look(&ingress).await.unwrap_err().happened.contains("no right"));
    let kept = CertificateState { names: vec![], days_left: 9, fingerprint: "ab".to_owned(), authority: None };
    bench.fake.on("certificate", Some(kept)).on("run_check", seen(true));
    assert!(done(bench.look(&ingress).await).contains("valid for 9 more days"));
    assert!(bench.act(&gpu).await.is_err(), "a check has nothing to act");
}

#[tokio::test]
async fn an_upgrade_over_too_many_releases_is_refused_before_anything_is_changed() {
    let wanted = Release { upgrades_from: Some("2.23".parse().unwrap()), ..release("3.0.4") };
    let work = Work::HelmRelease(HelmRelease { release: Box::new(wanted), stage: Stage::Platform });
    for (deployed, goes) in [("2.22.15", false), ("2.23.1", true)] {
        let bench = Bench::new();
        let there = ReleaseState {
            version: deployed.parse().unwrap(),
            status: "deployed".to_owned(),
            revision: 3,
            since: jiff::Timestamp::UNIX_EPOCH,
            first_deployed: None,
        };
        bench.fake.on("differences", vec!["~ version".to_owned()]).on("release", Some(there));
        let seen = bench.look(&work).await.unwrap().probe;
        match seen {
            Probe::Blocked(finding) => {
                assert!(!goes, "{deployed}: {finding:?}");
                assert_eq!(finding.code, "helm.upgrade-gap");
                assert!(finding.fix.contains("2.23"), "{finding:?}");
            }
            Probe::Todo(_) => assert!(goes, "{deployed} is too old"),
            Probe::Done(_) => panic!("it differs"),
        }
    }
}
