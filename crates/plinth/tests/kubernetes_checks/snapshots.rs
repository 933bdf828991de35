//! A storage driver of this test: volumes are folders of n2, and a snapshot is a copy of one. Pods write and read for real.

use crate::ground::Ground;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const DRIVER: &str = "standin.example";
const GROUP: &str = "snapshot.storage.k8s.io";

fn definition(plural: &str, kind: &str, scope: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{GROUP}"),
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter"},
        },
        "spec": {
            "group": GROUP, "scope": scope, "names": {"plural": plural, "kind": kind},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    })
}

fn class_of(driver: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "VolumeSnapshotClass", "metadata": {"name": "copies"},
        "driver": driver, "deletionPolicy": "Retain",
    })
}

/// Provisioner, snapshot controller and driver in one.
struct Driver<'a> {
    ground: &'a Ground,
    ends: AtomicBool,
    /// It takes snapshots of nothing.
    forgets: AtomicBool,
}

impl Driver<'_> {
    fn work(&self) {
        while !self.ends.load(Ordering::Relaxed) {
            self.volumes();
            self.snapshots();
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn list(&self, kind: &str) -> Vec<Value> {
        let output = self.ground.try_kubectl(&["get", kind, "-A", "-o", "json"]);
        let list: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    fn on_node(&self, script: &str) {
        self.ground.bench.lab.node("n2").unwrap().exec(&["sh", "-euc", script]).unwrap();
    }

    /// A folder and a volume for each claim that has none; from a snapshot, what is in that.
    fn volumes(&self) {
        for claim in self.list("persistentvolumeclaims") {
            let uid = claim["metadata"]["uid"].as_str().unwrap_or_default();
            let is_ours = claim["spec"]["storageClassName"] == "copied" && claim["spec"]["volumeName"].is_null();
            if !is_ours || self.ground.try_kubectl(&["get", "pv", &format!("pv-{uid}")]).status.success() {
                continue;
            }
            let from = claim["spec"]["dataSource"]["name"].as_str().map(|name| self.taken_as(&claim, name));
            let copy =
                from.map(|from| format!("; cp -a /lab/snapshots/{from}/. /lab/volumes/{uid}/")).unwrap_or_default();
            self.on_node(&format!("mkdir -p -m 0777 /lab/volumes/{uid}{copy}"));
            let place = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": ["n2"]});
            self.ground.apply(&[json!({
                "apiVersion": "v1", "kind": "PersistentVolume",
                "metadata": {"name": format!("pv-{uid}"), "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}},
                "spec": {
                    "capacity": {"storage": "64Mi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "copied",
                    "local": {"path": format!("/lab/volumes/{uid}")},
                    "claimRef": {"namespace": claim["metadata"]["namespace"], "name": claim["metadata"]["name"], "uid": uid,
                        "apiVersion": "v1", "kind": "PersistentVolumeClaim"},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [place]}]}},
                },
            })]);
        }
    }

    fn taken_as(&self, claim: &Value, snapshot: &str) -> String {
        let namespace = claim["metadata"]["namespace"].as_str().unwrap();
        self.ground.text(&["volumesnapshot", snapshot, "-n", namespace], ".metadata.uid")
    }

    /// A copy and a content for each snapshot that has none.
    fn snapshots(&self) {
        for snapshot in self.list(&format!("volumesnapshots.{GROUP}")) {
            if !snapshot["status"].is_null() || snapshot["metadata"]["deletionTimestamp"].is_string() {
                continue;
            }
            let text = |path: &str| snapshot.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (uid, namespace, name) = (text("/metadata/uid"), text("/metadata/namespace"), text("/metadata/name"));
            let claim = text("/spec/source/persistentVolumeClaimName");
            let source = self.ground.text(&["pvc", &claim, "-n", &namespace], ".metadata.uid");
            let what = if self.forgets.load(Ordering::Relaxed) { "true" } else { "false" };
            self.on_node(&format!(
                "mkdir -p /lab/snapshots/{uid}; {what} || cp -a /lab/volumes/{source}/. /lab/snapshots/{uid}/"
            ));
            self.ground.apply(&[json!({
                "apiVersion": format!("{GROUP}/v1"), "kind": "VolumeSnapshotContent",
                "metadata": {"name": format!("content-{uid}")},
                "spec": {"driver": DRIVER, "deletionPolicy": "Retain", "volumeSnapshotRef": {
                    "namespace": namespace, "name": name, "uid": uid, "kind": "VolumeSnapshot"}},
            })]);
            let status = json!({"status": {"readyToUse": true, "restoreSize": "64Mi",
                "boundVolumeSnapshotContentName": format!("content-{uid}")}});
            let place = ["volumesnapshot", &name, "-n", &namespace, "--type=merge", "-p"];
            self.ground.kubectl(&[&["patch"], &place[..], &[&status.to_string()]].concat());
        }
    }
}

/// What was written is in the copy; then the driver copies nothing, and then no snapshot class names it.
pub(crate) fn restored(ground: &Ground) {
    let kinds = [
        ("volumesnapshotclasses", "VolumeSnapshotClass", "Cluster"),
        ("volumesnapshotcontents", "VolumeSnapshotContent", "Cluster"),
        ("volumesnapshots", "VolumeSnapshot", "Namespaced"),
    ];
    ground.apply(&kinds.map(|(plural, kind, scope)| definition(plural, kind, scope)));
    for (plural, ..) in kinds {
        let name = format!("crd/{plural}.{GROUP}");
        ground.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", &name]);
    }
    ground.apply(&[
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": DRIVER}, "spec": {}}),
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "copied"},
            "provisioner": DRIVER, "volumeBindingMode": "Immediate"}),
        class_of(DRIVER),
    ]);
    ground.site(&json!({}), &["snapshot-controller"], &json!({}));
    let driver = Driver { ground, ends: AtomicBool::new(false), forgets: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        scope.spawn(|| driver.work());
        let proved = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ground.holds(
                "snapshot",
                &["a snapshot of a claim of class copied was taken (class copies, driver standin.example)"],
            );
            let policies =
                || ground.text(&[&format!("volumesnapshotcontents.{GROUP}")], ".items[*].spec.deletionPolicy");
            assert_eq!(policies(), "Delete", "what was made for the check goes with it, whatever the class says");
            driver.forgets.store(true, Ordering::Relaxed);
            ground.fails(
                "snapshot",
                "storage.snapshot-does-not-restore",
                &["the pod that should read said", "claim Bound"],
            );
        }));
        driver.ends.store(true, Ordering::Relaxed);
        proved.unwrap();
    });
    ground.kubectl(&["delete", "volumesnapshotclass", "copies"]);
    ground.apply(&[class_of("standni.example")]);
    ground.fails(
        "snapshot",
        "storage.snapshot-does-not-restore",
        &[
            "storage class copied is of driver standin.example",
            "VolumeSnapshotClass copies is of driver standni.example",
        ],
    );
}
