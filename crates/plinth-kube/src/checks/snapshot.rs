//! A snapshot of a volume, and a volume that is made from it. What can take one: a CSI driver that a VolumeSnapshotClass names
//! (external-snapshotter, `snapshot.storage.k8s.io/v1`). Not covered: snapshots of groups of volumes.

use super::cluster::first;
use super::room::Room;
use super::seen;
use super::storage::{self, DEFAULT, PROOF};
use crate::api::{Call, KubeApi, OWNER};
use crate::failure::Cause;
use crate::object::kind;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::{CSIDriver, StorageClass};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Group of the kinds, and the version that is stored.
const GROUP: &str = "snapshot.storage.k8s.io";
const VERSION: &str = "snapshot.storage.k8s.io/v1";
/// Marks the snapshot class of a driver that is taken when none is named.
const DEFAULT_SNAPSHOTS: &str = "snapshot.storage.kubernetes.io/is-default-class";
/// What the snapshot and the claim that it is of are called.
const NAME: &str = "proof";
/// The claim that is made from it.
const RESTORED: &str = "restored";

/// What is used: a class of volumes and a class of snapshots of one driver.
#[derive(Debug, PartialEq, Eq)]
struct Classes {
    volumes: String,
    snapshots: String,
    driver: String,
}

/// Kinds of the snapshot controller.
struct Kinds {
    snapshot: ApiResource,
    content: ApiResource,
}

/// Writes, takes a snapshot, restores, and reads.
pub(super) async fn check(api: &KubeApi, call: &Call<'_>, image: &str) -> ClientResult<CheckSeen> {
    let known = |name| kind(call, VERSION, name);
    let (class, snapshot, content) =
        (known("VolumeSnapshotClass").await?, known("VolumeSnapshot").await?, known("VolumeSnapshotContent").await?);
    let (Some((class, _)), Some((snapshot, _)), Some((content, _))) = (class, snapshot, content) else {
        let line = format!("the API server does not know VolumeSnapshot and its kinds ({VERSION})");
        return Ok(seen(false, [line]));
    };
    let classes = match chosen(call, &class).await? {
        Ok(classes) => classes,
        Err(seen) => return Ok(seen),
    };
    let nodes = storage::ready(api, call.ctx()).await?;
    let room = Room::make(call, "snapshot").await?;
    let seen = carried_out(&room, &classes, &Kinds { snapshot, content }, (&nodes, image)).await;
    room.leave().await;
    seen
}

/// The default class if its driver takes snapshots, else the first whose driver does. The error is a verdict.
async fn chosen(call: &Call<'_>, class: &ApiResource) -> ClientResult<Result<Classes, CheckSeen>> {
    let all = ListParams::default();
    let (volumes, drivers) = (Api::<StorageClass>::all(call.client()), Api::<CSIDriver>::all(call.client()));
    let snapshots = Api::<DynamicObject>::all_with(call.client(), class);
    let volumes = call.read(|| volumes.list(&all)).await?.items;
    let drivers = call.read(|| drivers.list(&all)).await?.items;
    let snapshots = call.read(|| snapshots.list(&all)).await?.items;
    let drivers: BTreeSet<String> = drivers.into_iter().filter_map(|driver| driver.metadata.name).collect();
    Ok(of_one_driver(&volumes, &snapshots, &drivers))
}

fn of_one_driver(
    volumes: &[StorageClass],
    snapshots: &[DynamicObject],
    drivers: &BTreeSet<String>,
) -> Result<Classes, CheckSeen> {
    let marked = |annotations: &Option<std::collections::BTreeMap<String, String>>, name: &str| {
        annotations.as_ref().and_then(|all| all.get(name)).is_some_and(|value| value == "true")
    };
    let mut volumes: Vec<&StorageClass> = volumes.iter().collect();
    volumes.sort_by_key(|class| (!marked(&class.metadata.annotations, DEFAULT), class.metadata.name.clone()));
    let mut snapshots: Vec<(&str, &str, bool)> = snapshots
        .iter()
        .map(|class| {
            let driver = class.data.get("driver").and_then(Value::as_str).unwrap_or_default();
            let name = class.metadata.name.as_deref().unwrap_or_default();
            (driver, name, !marked(&class.metadata.annotations, DEFAULT_SNAPSHOTS))
        })
        .collect();
    snapshots.sort_by_key(|(_, name, is_other)| (*is_other, *name));
    for class in &volumes {
        if let Some((driver, name, _)) = snapshots.iter().find(|(driver, ..)| *driver == class.provisioner) {
            return Ok(Classes {
                volumes: class.metadata.name.clone().unwrap_or_default(),
                snapshots: (*name).to_owned(),
                driver: (*driver).to_owned(),
            });
        }
    }
    let able: Vec<String> = volumes
        .iter()
        .filter(|class| drivers.contains(&class.provisioner))
        .map(|class| {
            format!(
                "storage class {} is of driver {}",
                class.metadata.name.as_deref().unwrap_or_default(),
                class.provisioner
            )
        })
        .collect();
    if able.is_empty() {
        return Err(CheckSeen::Skipped("no storage class is of a CSI driver, and no other takes snapshots".to_owned()));
    }
    let there = snapshots.iter().map(|(driver, name, _)| format!("VolumeSnapshotClass {name} is of driver {driver}"));
    let line = "no VolumeSnapshotClass names the driver of a storage class".to_owned();
    Err(seen(false, std::iter::once(line).chain(first(able)).chain(first(there.collect()))))
}

async fn carried_out(
    room: &Room<'_>,
    classes: &Classes,
    kinds: &Kinds,
    (nodes, image): (&[String], &str),
) -> ClientResult<CheckSeen> {
    let mut claim = storage::claim(NAME, None);
    claim["spec"]["storageClassName"] = json!(classes.volumes);
    room.put::<PersistentVolumeClaim>(claim).await?;
    if let Err(seen) = storage::written(room, NAME, nodes, image).await? {
        return Ok(seen);
    }
    let size = match taken(room, classes, kinds).await? {
        Ok(size) => size,
        Err(why) => return Ok(seen(false, [why])),
    };
    let mut claim = storage::claim(RESTORED, size.as_deref());
    claim["spec"]["storageClassName"] = json!(classes.volumes);
    claim["spec"]["dataSource"] = json!({"apiGroup": GROUP, "kind": "VolumeSnapshot", "name": NAME});
    room.put::<PersistentVolumeClaim>(claim).await?;
    if let Err(seen) = storage::read(room, RESTORED, nodes, image).await? {
        return Ok(seen);
    }
    let Classes { volumes, snapshots, driver } = classes;
    let line = format!(
        "a snapshot of a claim of class {volumes} was taken (class {snapshots}, driver {driver}), and `{PROOF}` was read from a claim made from it"
    );
    Ok(seen(true, [line]))
}

/// Takes a snapshot and waits until it can be used. Answers the size that a claim made from it must have, or what went wrong.
async fn taken(room: &Room<'_>, classes: &Classes, kinds: &Kinds) -> ClientResult<Result<Option<String>, String>> {
    let all = Api::<DynamicObject>::namespaced_with(room.call.client(), &room.name, &kinds.snapshot);
    let mut object = DynamicObject::new(NAME, &kinds.snapshot);
    object.data = json!({"spec": {
        "volumeSnapshotClassName": classes.snapshots, "source": {"persistentVolumeClaimName": NAME},
    }});
    let params = PostParams::default();
    match room.call.attempt(|| all.create(&params, &object)).await {
        Ok(_) => {}
        Err(failure) if failure.cause == Cause::Rejected => {
            return Ok(Err(format!("the API server refuses the snapshot: {}", failure.happened)));
        }
        Err(failure) => return Err(room.call.error(failure)),
    }
    let (clock, mut is_let_go) = (room.call.ctx().clock(), false);
    let began = clock.elapsed();
    loop {
        let found = room.call.read(|| all.get(NAME)).await?;
        let said = |pointer: &str| found.data.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        if !is_let_go && let Some(content) = said("/status/boundVolumeSnapshotContentName") {
            let_go(room, kinds, &content, found.metadata.uid.as_deref()).await?;
            is_let_go = true;
        }
        if found.data.pointer("/status/readyToUse") == Some(&json!(true)) {
            return Ok(Ok(said("/status/restoreSize").filter(|size| size != "0")));
        }
        let why = match (said("/status/error/message"), found.data.get("status")) {
            (Some(message), _) => message.chars().take(400).collect(),
            (None, None) => "no snapshot controller has looked at it".to_owned(),
            (None, Some(_)) if !is_let_go => "the snapshot controller has not made its content".to_owned(),
            (None, Some(_)) => format!("driver {} does not call it ready", classes.driver),
        };
        if clock.elapsed().saturating_sub(began) > deadlines::CHECK_SNAPSHOT {
            let limit = deadlines::CHECK_SNAPSHOT.as_secs();
            return Ok(Err(format!("a snapshot of class {} was not ready within {limit} s: {why}", classes.snapshots)));
        }
        room.call.ctx().progress(0, 0, format!("waiting for a snapshot: {why}"));
        clock.sleep(deadlines::CHECK_SNAPSHOT_LOOK).await;
    }
}

/// What was made for the snapshot goes with it, whatever its class says; only if it is for this very one.
async fn let_go(room: &Room<'_>, kinds: &Kinds, content: &str, snapshot: Option<&str>) -> ClientResult<()> {
    let all = Api::<DynamicObject>::all_with(room.call.client(), &kinds.content);
    let Some(found) = room.call.read(|| all.get_opt(content)).await? else { return Ok(()) };
    let of = found.data.pointer("/spec/volumeSnapshotRef/uid").and_then(Value::as_str);
    if snapshot.is_none() || of != snapshot {
        return Ok(());
    }
    let patch = Patch::Merge(json!({"spec": {"deletionPolicy": "Delete"}}));
    let params = PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() };
    room.call.write(|| all.patch(content, &params, &patch)).await.map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn volumes(name: &str, driver: &str, is_default: bool) -> StorageClass {
        let annotations = if is_default { json!({DEFAULT: "true"}) } else { json!({}) };
        serde_json::from_value(json!({"metadata": {"name": name, "annotations": annotations}, "provisioner": driver}))
            .unwrap()
    }

    fn snapshots(name: &str, driver: &str) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": VERSION, "kind": "VolumeSnapshotClass", "metadata": {"name": name},
            "driver": driver, "deletionPolicy": "Delete",
        }))
        .unwrap()
    }

    #[test]
    fn a_class_whose_driver_takes_snapshots_is_chosen_and_the_default_first() {
        let drivers = BTreeSet::from(["ceph".to_owned(), "nfs".to_owned()]);
        let all =
            [volumes("a", "ceph", false), volumes("b", "ceph", true), volumes("local", "rancher.io/local-path", false)];
        let chosen = of_one_driver(&all, &[snapshots("s", "ceph")], &drivers).unwrap();
        assert_eq!(chosen, Classes { volumes: "b".to_owned(), snapshots: "s".to_owned(), driver: "ceph".to_owned() });
        let Err(CheckSeen::Fails { evidence, .. }) = of_one_driver(&all, &[snapshots("s", "cehp")], &drivers) else {
            panic!("no class names the driver")
        };
        assert_eq!(
            evidence,
            [
                "no VolumeSnapshotClass names the driver of a storage class",
                "storage class b is of driver ceph",
                "storage class a is of driver ceph",
                "VolumeSnapshotClass s is of driver cehp",
            ]
        );
        let cannot = of_one_driver(&all[2..], &[], &drivers);
        assert!(matches!(cannot, Err(CheckSeen::Skipped(_))), "{cannot:?}");
    }
}
