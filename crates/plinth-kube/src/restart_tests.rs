#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use serde_json::{Value, json};

const SECRET: &str = "runai-ca-cert";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn spec(volume: &Value, mount: &Value, env: &Value) -> PodSpec {
    serde_json::from_value(json!({
        "volumes": [volume], "containers": [{"name": "main", "volumeMounts": [mount], "env": env}],
    }))
    .unwrap()
}

fn by_sub_path() -> Value {
    json!({"volumes": [{"name": "ca", "secret": {"secretName": SECRET}}],
        "containers": [{"name": "main", "volumeMounts": [{"name": "ca", "mountPath": "/ca.pem", "subPath": "runai-ca.pem"}]}]})
}

fn pod(name: &str, owner: (&str, &str), created: i64, mark: Option<&str>) -> Pod {
    let hash = owner.1.rsplit('-').next().unwrap();
    serde_json::from_value(json!({
        "metadata": {"name": name, "creationTimestamp": at(created).to_string(),
            "labels": {"pod-template-hash": hash}, "annotations": mark.map(|mark| json!({MARK: mark})),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": owner.0, "name": owner.1, "uid": "u", "controller": true}]},
        "spec": by_sub_path(), "status": {"phase": "Running"},
    }))
    .unwrap()
}

fn workload(ready: i32, rolled: bool) -> Workload {
    let (kind, name, reads) = ("Deployment", "agent".to_owned(), Some(Use::Keeps));
    Workload { kind, name, reads, wanted: 1, ready, rolled, before: Some(1), by_hand: false }
}

#[test]
fn a_file_by_sub_path_and_a_variable_keep_what_they_had() {
    let volume = json!({"name": "ca", "secret": {"secretName": SECRET}});
    let projected = json!({"name": "ca", "projected": {"sources": [{"secret": {"name": SECRET}}]}});
    let other = json!({"name": "ca", "secret": {"secretName": "another"}});
    let folder = json!({"name": "ca", "mountPath": "/ca"});
    let file = json!({"name": "ca", "mountPath": "/ca.pem", "subPath": "runai-ca.pem"});
    let variable = json!([{"name": "CA", "valueFrom": {"secretKeyRef": {"name": SECRET, "key": "runai-ca.pem"}}}]);
    let cases = [
        (&volume, &folder, json!([]), Some(Use::Follows)),
        (&volume, &file, json!([]), Some(Use::Keeps)),
        (&projected, &file, json!([]), Some(Use::Keeps)),
        (&volume, &folder, variable.clone(), Some(Use::Keeps)),
        (&other, &file, json!([]), None),
        (&other, &folder, variable, Some(Use::Keeps)),
    ];
    for (volume, mount, env, wanted) in cases {
        assert_eq!(reads(&spec(volume, mount, &env), SECRET), wanted, "{volume} {mount} {env}");
    }
}

#[test]
fn who_began_before_the_change_is_behind() {
    let owner = ("ReplicaSet", "agent-5d4f");
    let mark = mark(SECRET, at(100));
    let cases = [
        (pod("a", owner, 50, None), vec!["a"]),
        (pod("a", owner, 100, None), vec!["a"]),
        (pod("a", owner, 100, Some(&mark)), vec![]),
        (pod("a", owner, 101, None), vec![]),
        // For an earlier change.
        (pod("a", owner, 100, Some("runai-ca-cert 1970-01-01T00:00:50Z")), vec!["a"]),
    ];
    for (pod, old) in cases {
        let behind = judged(&[pod], &[workload(1, true)], (SECRET, true), at(100));
        let names: Vec<&str> = behind.iter().flat_map(|one| one.old.iter().map(String::as_str)).collect();
        assert_eq!(names, old);
        assert!(
            behind.iter().all(|one| (one.kind.as_str(), one.name.as_str()) == ("Deployment", "agent")),
            "{behind:?}"
        );
    }
}

#[test]
fn what_is_not_ready_is_waited_for_and_what_ends_is_left_alone() {
    let behind = judged(&[], &[workload(0, true)], (SECRET, true), at(100));
    assert_eq!((behind[0].seen.as_str(), behind[0].old.len()), ("0/1 ready", 0));
    assert_eq!(judged(&[], &[workload(1, false)], (SECRET, true), at(100)).len(), 1, "the rollout goes on");
    assert_eq!(judged(&[], &[workload(1, true)], (SECRET, true), at(100)), []);

    let job = pod("hook", ("Job", "pre-install"), 50, None);
    let other = pod("odd", ("Thing", "maker"), 50, None);
    let mut over = pod("over", ("ReplicaSet", "agent-5d4f"), 50, None);
    over.status.as_mut().unwrap().phase = Some("Succeeded".to_owned());
    let behind = judged(&[job, over, other], &[], (SECRET, true), at(100));
    assert_eq!(behind.iter().map(|one| (one.kind.as_str(), one.name.as_str())).collect::<Vec<_>>(), [("Pod", "maker")]);
}

#[test]
fn a_mounted_folder_counts_only_for_what_is_read_at_the_start() {
    let mut follows = pod("a", ("ReplicaSet", "agent-5d4f"), 50, None);
    let mounts = &mut follows.spec.as_mut().unwrap().containers[0].volume_mounts;
    mounts.as_mut().unwrap()[0].sub_path = None;
    let one = Workload { reads: Some(Use::Follows), ..workload(1, true) };
    assert_eq!(judged(std::slice::from_ref(&follows), &[], (SECRET, false), at(100)), []);
    assert_eq!(judged(&[follows], &[one], (SECRET, true), at(100)).len(), 1);
}

#[test]
fn the_change_that_counts_is_ours() {
    let meta: ObjectMeta = serde_json::from_value(json!({
        "creationTimestamp": "1970-01-01T00:00:10Z",
        "managedFields": [
            {"manager": "plinth", "operation": "Update", "time": "1970-01-01T00:00:40Z"},
            {"manager": "somebody", "operation": "Update", "time": "1970-01-01T00:00:55Z"},
        ],
    }))
    .unwrap();
    assert_eq!(changed(&meta), at(40));
    assert_eq!(changed(&ObjectMeta { managed_fields: None, ..meta }), at(10));
}

#[test]
fn what_was_not_ready_before_or_was_not_restarted_holds_nobody_up() {
    let waits = |one: Workload| !judged(&[], &[one], (SECRET, true), at(100)).is_empty();
    assert!(waits(workload(0, true)));
    assert!(!waits(Workload { before: Some(0), ..workload(0, true) }), "it was not ready before");
    assert!(!waits(Workload { before: None, ..workload(0, false) }), "nobody restarted it");
    assert!(!waits(Workload { wanted: 5, before: Some(4), ..workload(4, true) }), "one node is dead");
    let annotated = |value: &str| ObjectMeta {
        annotations: Some([(BEFORE.to_owned(), value.to_owned())].into()),
        ..ObjectMeta::default()
    };
    let mark = mark(SECRET, at(100));
    assert_eq!(before(&annotated(&format!("3 {mark}")), &mark), Some(3));
    assert_eq!(before(&annotated("3 runai-ca-cert 1970-01-01T00:00:50Z"), &mark), None, "for an earlier change");
}

#[test]
fn pods_that_no_mark_replaces_are_ended() {
    let one = Workload { by_hand: true, before: None, ..workload(1, true) };
    let behind = judged(&[pod("a", ("ReplicaSet", "agent-5d4f"), 50, None)], &[one], (SECRET, true), at(100));
    assert_eq!((behind[0].kind.as_str(), behind[0].old.as_slice()), ("Pod", &["a".to_owned()][..]));
}
