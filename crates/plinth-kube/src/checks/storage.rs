//! A claim of the default storage class: bound, written by one pod, read by another.

use super::pods::{FOLDER, Until, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{Api, ListParams};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::{Value, json};

/// Marks the class of claims that name none.
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
/// What is written, and must be read again.
const PROOF: &str = "written-by-plinth";

/// Makes a claim without a class, as databases do.
pub(super) async fn check(call: &Call<'_>, image: &str) -> ClientResult<CheckSeen> {
    let defaults = defaults(call).await?;
    let [class] = defaults.as_slice() else {
        let line = match defaults.as_slice() {
            [] => "no storage class is the default".to_owned(),
            several => format!("{} storage classes are the default: {}", several.len(), several.join(", ")),
        };
        return Ok(seen(false, [line]));
    };
    let room = Room::make(call, "storage").await?;
    room.put::<PersistentVolumeClaim>(claim()).await?;
    let write = format!("echo {PROOF} > {FOLDER}/proof && sync");
    let read = format!("cat {FOLDER}/proof");
    for (name, script) in [("write", &write), ("read", &read)] {
        room.put::<Pod>(with_claim(pod(name, image, &["sh", "-c", script], None))).await?;
        let late = room.wait(name, Until::Ended, deadlines::CHECK_PODS).await?;
        if !late.is_empty() {
            return Ok(seen(false, late.into_iter().chain([of_claim(&room).await?])));
        }
        let (well, log) = room.outcome(name).await?;
        if !well || (name == "read" && log.trim() != PROOF) {
            let said: String = log.trim().chars().take(400).collect();
            return Ok(seen(false, [format!("the pod that should {name} said: {said}"), of_claim(&room).await?]));
        }
    }
    let line = format!("a claim of 64 MiB of class {class} was bound, written by one pod and read by another");
    Ok(seen(true, [line, of_claim(&room).await?]))
}

async fn defaults(call: &Call<'_>) -> ClientResult<Vec<String>> {
    let (classes, params) = (Api::<StorageClass>::all(call.client()), ListParams::default());
    let list = call.read(|| classes.list(&params)).await?;
    let is_default = |class: &StorageClass| {
        let annotations = class.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(DEFAULT)).is_some_and(|value| value == "true")
    };
    Ok(list.items.into_iter().filter(is_default).filter_map(|class| class.metadata.name).collect())
}

fn claim() -> Value {
    json!({
        "metadata": {"name": "proof"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    })
}

fn with_claim(mut pod: Value) -> Value {
    pod["spec"]["volumes"] = json!([{"name": "work", "persistentVolumeClaim": {"claimName": "proof"}}]);
    pod
}

/// What the claim is at: `claim Bound to pvc-1234`.
async fn of_claim(room: &Room<'_>) -> ClientResult<String> {
    let claims = room.api::<PersistentVolumeClaim>();
    let found = room.call.read(|| claims.get("proof")).await?;
    let phase = found.status.and_then(|status| status.phase).unwrap_or_else(|| "Pending".to_owned());
    let volume = found.spec.and_then(|spec| spec.volume_name).filter(|name| !name.is_empty());
    Ok(volume.map_or_else(|| format!("claim {phase}"), |volume| format!("claim {phase} to {volume}")))
}
