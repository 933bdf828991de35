#![allow(clippy::unwrap_used)]

use super::mirrors::Mirrors;
use super::*;
use serde_json::json;

fn manifests(component: &str, objects: Vec<Value>) -> Manifests {
    let release = ReleaseName { namespace: format!("{component}-ns"), name: component.to_owned() };
    Manifests { component: component.to_owned(), release, objects, definitions: Vec::new() }
}

/// `b` comes behind `a`; the namespace of `a` is restricted, that of `b` baseline.
fn around() -> Surroundings {
    let levels =
        [("a-ns", PodSecurity::Restricted), ("b-ns", PodSecurity::Baseline), ("kube-system", PodSecurity::Privileged)];
    Surroundings {
        kubernetes: Some("v1.31.9".parse().unwrap()),
        levels: levels.map(|(name, level)| (name.to_owned(), level)).into(),
        before: [("b".to_owned(), ["a".to_owned()].into())].into(),
        ..Surroundings::default()
    }
}

fn told(all: &[Manifests], around: &Surroundings, seen: &Seen) -> Vec<(String, String, String)> {
    let findings = judge(all, around, seen);
    assert!(findings.iter().all(|finding| !finding.fix.is_empty() && !finding.evidence.is_empty()), "{findings:?}");
    findings
        .into_iter()
        .map(|found| (found.code.as_str().to_owned(), found.subject, found.evidence.join("; ")))
        .collect()
}

fn one(all: &[Manifests], around: &Surroundings, seen: &Seen) -> (String, String, String) {
    let mut told = told(all, around, seen);
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

fn deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": spec}}})
}

fn plain() -> Value {
    json!({"containers": [{"name": "c", "image": "quay.io/x/y:1"}]})
}

fn service(name: &str, port: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80, "nodePort": port}]}})
}

#[test]
fn pods_are_held_against_the_level_of_their_namespace() {
    let all = |component: &str, object: Value| vec![manifests(component, vec![object])];
    let (code, subject, evidence) = one(&all("a", deployment(&plain())), &around(), &Seen::NoCluster);
    assert_eq!((code.as_str(), subject.as_str()), ("platform.pod-security", "a"));
    assert!(evidence.starts_with("Deployment a-ns/d: ") && evidence.contains("runAsNonRoot"), "{evidence}");
    assert_eq!(told(&all("b", deployment(&plain())), &around(), &Seen::NoCluster), []);
    let host = json!({"hostNetwork": true, "containers": [{"name": "c"}]});
    assert_eq!(one(&all("b", deployment(&host)), &around(), &Seen::NoCluster).0, "platform.pod-security");
    let mut elsewhere = deployment(&host);
    elsewhere["metadata"]["namespace"] = "kube-system".into();
    assert_eq!(told(&all("b", elsewhere.clone()), &around(), &Seen::NoCluster), []);
    elsewhere["metadata"]["namespace"] = "unknown".into();
    assert_eq!(told(&all("b", elsewhere), &around(), &Seen::NoCluster), [], "nobody says which level it has");
}

#[test]
fn of_many_pods_a_person_reads_the_first_and_how_many_more_there_are() {
    let many = (0..20).map(|number| {
        let mut object = deployment(&plain());
        object["metadata"]["name"] = format!("d{number:02}").into();
        object
    });
    let (_, _, evidence) = one(&[manifests("a", many.collect())], &around(), &Seen::NoCluster);
    assert!(evidence.ends_with("; and 8 more"), "{evidence}");
}

#[test]
fn images_that_the_mirror_lacks_are_told_where_there_is_no_internet() {
    let all = vec![manifests("b", vec![deployment(&plain())]), manifests("runai", vec![deployment(&plain())])];
    assert_eq!(told(&all, &around(), &Seen::NoCluster), [], "with the internet nobody asks");
    let mirrors = |registries: &[&str], listed: &[&str], hosts: &[&str]| Surroundings {
        mirrors: Some(Mirrors::new(registries, (listed, &[]), hosts, &["runai"])),
        ..around()
    };
    let lacking = [
        mirrors(&["quay.io"], &["quay.io/x/other:1"], &[]),
        mirrors(&["docker.io"], &["quay.io/x/y:1"], &[]),
        mirrors(&["quay.io"], &["quay.io/x/y:2"], &[]),
    ];
    for around in lacking {
        let (code, subject, evidence) = one(&all, &around, &Seen::NoCluster);
        assert_eq!((code.as_str(), subject.as_str()), ("platform.image-not-listed", "b"));
        assert_eq!(evidence, "quay.io/x/y:1");
    }
    for around in [mirrors(&["quay.io"], &["quay.io/x/y:1"], &[]), mirrors(&[], &[], &["quay.io"])] {
        assert_eq!(told(&all, &around, &Seen::NoCluster), []);
    }
}

#[test]
fn images_of_operators_are_held_against_the_mirror_too() {
    let policy = json!({"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": {
        "driver": {"repository": "quay.io/x", "image": "driver", "version": "580"},
        "sandbox": {"repository": "quay.io/x", "image": "sandbox", "version": "v1"}}});
    let all = [manifests("b", vec![policy.clone()])];
    let judged = |listed: &[&str], idle: &[&str], beside: Vec<Value>| {
        let mirrors = Some(Mirrors::new(&["quay.io"], (listed, idle), &[], &[]));
        let around = Surroundings { mirrors, beside: [("b".to_owned(), beside)].into(), ..around() };
        told(&all, &around, &Seen::NoCluster).into_iter().map(|(_, _, evidence)| evidence).collect::<Vec<_>>()
    };
    let listed = ["quay.io/x/driver:580-ubuntu22.04", "quay.io/x/sandbox:v1"];
    assert_eq!(
        judged(&listed, &[], Vec::new()),
        Vec::<String>::new(),
        "an operator writes the node's system behind a tag"
    );
    assert_eq!(judged(&listed[..1], &[], Vec::new()), ["quay.io/x/sandbox:v1"]);
    assert_eq!(judged(&listed[..1], &["quay.io/x/sandbox"], Vec::new()), Vec::<String>::new(), "it is not pulled");
    assert_eq!(judged(&listed[1..], &[], Vec::new()), ["quay.io/x/driver:580"]);
    assert_eq!(judged(&["quay.io/x/driver:5801", listed[1]], &[], Vec::new()), ["quay.io/x/driver:580"]);
    let mut own = policy;
    own["spec"] = json!({"nvIpam": {"repository": "quay.io/x", "image": "ipam", "version": "v1"}});
    assert_eq!(judged(&listed, &[], vec![own]), ["quay.io/x/ipam:v1"], "what the plan applies beside the release");
}

#[test]
fn a_node_port_is_for_one_service() {
    let all =
        vec![manifests("a", vec![service("s", 30080)]), manifests("b", vec![service("t", 30080), service("u", 30081)])];
    let (code, subject, evidence) = one(&all, &around(), &Seen::NoCluster);
    assert_eq!((code.as_str(), subject.as_str()), ("platform.port-taken", "a"));
    assert_eq!(evidence, "Service a-ns/s of a; Service b-ns/t of b");
    let mut udp = service("t", 30080);
    udp["spec"]["ports"][0]["protocol"] = "UDP".into();
    assert_eq!(told(&[all[0].clone(), manifests("b", vec![udp])], &around(), &Seen::NoCluster), []);

    let port = Port { number: 30080, protocol: Protocol::Tcp };
    let holder = |namespace: &str| ObjectName {
        api_version: "v1".to_owned(),
        kind: "Service".to_owned(),
        namespace: namespace.to_owned(),
        name: "s".to_owned(),
    };
    let of_release = |service: ObjectName, release: Option<ReleaseName>| {
        Seen::Cluster(Content { node_ports: vec![TakenPort { port, service, release }], ..Content::default() })
    };
    let cluster = |service| of_release(service, None);
    let (code, _, evidence) = one(&all[..1], &around(), &cluster(holder("ingress-nginx")));
    assert_eq!(code, "platform.port-taken");
    assert!(evidence.ends_with("Service ingress-nginx/s, which is there"), "{evidence}");
    assert_eq!(told(&all[..1], &around(), &cluster(holder("a-ns"))), [], "it is the service itself");
    let old = ReleaseName { namespace: "old".to_owned(), name: "a".to_owned() };
    let leaving = of_release(holder("old"), Some(old.clone()));
    assert_eq!(one(&all[..1], &around(), &leaving).0, "platform.port-taken", "nobody takes it away before");
    let around = Surroundings { gone: [("a".to_owned(), [old].into())].into(), ..around() };
    assert_eq!(told(&all[..1], &around, &leaving), [], "the release goes before this one comes");
}

#[test]
fn ports_of_the_node_are_for_one_and_for_bcm() {
    let pod = |port: u16, host_network: bool| {
        let key = if host_network { "containerPort" } else { "hostPort" };
        let mut object =
            deployment(&json!({"hostNetwork": host_network, "containers": [{"name": "c", "ports": [{key: port}]}]}));
        object["metadata"] = json!({"name": format!("d-{host_network}"), "namespace": "kube-system"});
        object
    };
    let all = |port: u16| vec![manifests("a", vec![pod(port, true)]), manifests("b", vec![pod(port, false)])];
    let (code, _, evidence) = one(&all(9100), &around(), &Seen::NoCluster);
    assert_eq!(code, "platform.port-taken");
    assert_eq!(evidence, "Deployment kube-system/d-true of a; Deployment kube-system/d-false of b");
    let alone = |port| vec![manifests("a", vec![pod(port, true)])];
    for (port, with_bcm, with_proxy, who) in
        [(8081, true, false, "cmd"), (10443, true, true, "BCM's proxy"), (10250, false, false, "kubelet")]
    {
        let around = Surroundings { has_bcm: with_bcm, has_bcm_proxy: with_proxy, ..around() };
        let (code, _, evidence) = one(&alone(port), &around, &Seen::NoCluster);
        assert!(code == "platform.port-taken" && evidence.contains(who), "{evidence}");
    }
    assert_eq!(told(&alone(8081), &around(), &Seen::NoCluster), [], "no BCM, no daemon");
    let mut inside = pod(8081, true);
    inside["spec"]["template"]["spec"]["hostNetwork"] = false.into();
    let bcm = Surroundings { has_bcm: true, ..around() };
    assert_eq!(
        told(&[manifests("a", vec![inside])], &bcm, &Seen::NoCluster),
        [],
        "a port of the pod is no port of the node"
    );
}

fn definition(kind: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {
        "group": "example.com", "names": {"kind": kind}, "versions": [{"name": "v1", "served": true}, {"name": "v1alpha1", "served": false}]}})
}

fn custom(version: &str) -> Value {
    json!({"apiVersion": format!("example.com/{version}"), "kind": "Thing", "metadata": {"name": "t"}})
}

#[test]
fn kinds_must_come_with_something_that_is_before() {
    let bringing =
        |component: &str| Manifests { definitions: vec![definition("Thing")], ..manifests(component, Vec::new()) };
    let asking = |component: &str, version: &str| manifests(component, vec![custom(version)]);
    let none = manifests("a", Vec::new());
    let (code, subject, evidence) = one(&[none.clone(), asking("b", "v1")], &around(), &Seen::NoCluster);
    assert_eq!((code.as_str(), subject.as_str()), ("platform.kind-unknown", "b"));
    assert_eq!(evidence, "Thing b-ns/t is of example.com/v1/Thing");
    assert_eq!(told(&[bringing("a"), asking("b", "v1")], &around(), &Seen::NoCluster), []);
    assert_eq!(one(&[bringing("a"), asking("b", "v1alpha1")], &around(), &Seen::NoCluster).0, "platform.kind-unknown");
    let (_, _, evidence) = one(&[asking("a", "v1"), bringing("b")], &around(), &Seen::NoCluster);
    assert!(evidence.ends_with("comes with b, and that is not before it"), "{evidence}");
    let own = Manifests { definitions: vec![definition("Thing")], ..asking("a", "v1") };
    assert_eq!(told(&[own], &around(), &Seen::NoCluster), []);
    let served = Seen::Cluster(Content { kinds: ["example.com/v1/Thing".to_owned()].into(), ..Content::default() });
    assert_eq!(told(&[none.clone(), asking("b", "v1")], &around(), &served), []);
    assert_eq!(told(&[asking("b", "v1")], &around(), &Seen::NoCluster), [], "nobody knows what a brings");
    assert_eq!(told(&[none, asking("b", "v1")], &around(), &Seen::NotLookedAt), []);
    let empty = Seen::Cluster(Content::default());
    let done = around().with_pending(["b".to_owned()]);
    assert_eq!(one(&[asking("b", "v1")], &done, &empty).0, "platform.kind-unknown", "a is there, and did not bring it");
    let open = around().with_pending(["a".to_owned(), "b".to_owned()]);
    assert_eq!(told(&[asking("b", "v1")], &open, &empty), [], "a is still to come");
}

#[test]
fn a_chart_is_told_the_kinds_that_are_before_it() {
    let all = [Manifests { definitions: vec![definition("Thing")], ..manifests("a", Vec::new()) }];
    let seen = Seen::Cluster(Content { kinds: ["other.com/v1/Other".to_owned()].into(), ..Content::default() });
    assert_eq!(kinds_for("b", &all, &around(), &seen), ["example.com/v1/Thing", "other.com/v1/Other"]);
    assert_eq!(kinds_for("a", &all, &around(), &Seen::NoCluster), Vec::<String>::new());
}

#[test]
fn objects_of_somebody_else_are_told_before_helm_refuses_them() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}});
    let mut hook = role.clone();
    hook["metadata"] = json!({"name": "h", "annotations": {"helm.sh/hook": "pre-install"}});
    let all = [manifests("a", vec![role.clone(), hook])];
    let asked = asked(&all);
    assert_eq!(asked.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ClusterRole r"], "hooks are nobody's");
    let owned_by = |owner: Option<(&str, &str)>| {
        let owner =
            owner.map(|(namespace, name)| ReleaseName { namespace: namespace.to_owned(), name: name.to_owned() });
        Seen::Cluster(Content { owners: vec![(asked[0].clone(), owner)], ..Content::default() })
    };
    assert_eq!(told(&all, &around(), &owned_by(Some(("a-ns", "a")))), []);
    let moved = ReleaseName { namespace: "other".to_owned(), name: "a".to_owned() };
    let leaving = Surroundings { gone: [("a".to_owned(), [moved].into())].into(), ..around() };
    assert_eq!(told(&all, &leaving, &owned_by(Some(("other", "a")))), [], "it goes before");
    assert_eq!(one(&all, &leaving, &owned_by(Some(("third", "a")))).0, "platform.object-owned");
    for (owner, words) in [(Some(("other", "a")), "belongs to release other/a"), (None, "belongs to no release")] {
        let (code, subject, evidence) = one(&all, &around(), &owned_by(owner));
        assert_eq!((code.as_str(), subject.as_str()), ("platform.object-owned", "a"));
        assert!(evidence.contains(words), "{evidence}");
    }
    let both = [all[0].clone(), manifests("b", vec![role])];
    let (code, subject, evidence) = one(&both, &around(), &Seen::NoCluster);
    assert_eq!(
        (code.as_str(), subject.as_str(), evidence.as_str()),
        ("platform.object-owned", "b", "ClusterRole r is made by a too")
    );
}
