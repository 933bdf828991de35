//! A claim of the default storage class: bound, written by one pod, read by another.

use super::pods::{FOLDER, Until, pod};
use super::room::Room;
use super::seen;
use crate::api::{Call, KubeApi, OWNER};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{Api, ListParams, Patch, PatchParams};
use plinth_world::kube::{CheckSeen, KubeNode, KubeNodes as _};
use plinth_world::{ClientResult, Context, deadlines};
use serde_json::{Value, json};

/// Marks the class of claims that name none.
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
/// Taint of a node that was cordoned.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// Nodes that the pods may run on, of a large site.
const CANDIDATES: usize = 50;
/// What is written, and must be read again.
const PROOF: &str = "written-by-plinth";

/// Makes a claim without a class, as databases do.
pub(super) async fn check(api: &KubeApi, call: &Call<'_>, image: &str) -> ClientResult<CheckSeen> {
    let defaults = defaults(call).await?;
    let [class] = defaults.as_slice() else {
        let line = match defaults.as_slice() {
            [] => "no storage class is the default".to_owned(),
            several => format!("{} storage classes are the default: {}", several.len(), several.join(", ")),
        };
        return Ok(seen(false, [line]));
    };
    let nodes = ready(api, call.ctx()).await?;
    let room = Room::make(call, "storage").await?;
    let seen = carried_out(&room, class, &nodes, image).await;
    room.leave().await;
    seen
}

async fn carried_out(room: &Room<'_>, class: &str, nodes: &[String], image: &str) -> ClientResult<CheckSeen> {
    room.put::<PersistentVolumeClaim>(claim()).await?;
    let write = format!("echo {PROOF} > {FOLDER}/proof && sync");
    let read = format!("cat {FOLDER}/proof");
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    for (name, script) in [("write", &write), ("read", &read)] {
        room.put::<Pod>(with_claim(pod(name, image, &["sh", "-c", script], &nodes))).await?;
        let late = room.wait(&[name.to_owned()], Until::Ended, deadlines::CHECK_PODS).await?;
        let (volume, is_bound) = of_claim(room).await?;
        if is_bound {
            let_go(room).await?;
        }
        if !late.is_empty() && is_bound {
            return Err(room.not_placed(&late));
        }
        if !late.is_empty() {
            return Ok(seen(false, late.into_iter().map(|late| late.why).chain([volume])));
        }
        let outcome = room.outcome(name).await?;
        if !outcome.well || (name == "read" && outcome.log.trim() != PROOF) {
            let said: String = outcome.log.trim().chars().take(400).collect();
            return Ok(seen(false, [format!("the pod that should {name} said `{said}` ({})", outcome.why), volume]));
        }
    }
    let line = format!("a claim of 64 MiB of class {class} was bound, written by one pod and read by another");
    Ok(seen(true, [line, of_claim(room).await?.0]))
}

/// Nodes on which a pod that tolerates everything may run: the scheduler would also take one that is dead.
async fn ready(api: &KubeApi, ctx: &Context) -> ClientResult<Vec<String>> {
    let fit = |node: &KubeNode| node.ready && !node.taints.iter().any(|taint| taint.starts_with(UNSCHEDULABLE));
    let nodes = api.nodes(ctx).await?;
    Ok(nodes.into_iter().filter(|(_, node)| fit(node)).map(|(name, _)| name).take(CANDIDATES).collect())
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

/// What the claim is at (`claim Bound to pvc-1234`), and whether it is bound.
async fn of_claim(room: &Room<'_>) -> ClientResult<(String, bool)> {
    let found = claimed(room).await?;
    let phase = found.status.and_then(|status| status.phase).unwrap_or_else(|| "Pending".to_owned());
    let volume = found.spec.and_then(|spec| spec.volume_name).filter(|name| !name.is_empty());
    let is_bound = phase == "Bound";
    Ok((volume.map_or_else(|| format!("claim {phase}"), |volume| format!("claim {phase} to {volume}")), is_bound))
}

async fn claimed(room: &Room<'_>) -> ClientResult<PersistentVolumeClaim> {
    let claims = room.api::<PersistentVolumeClaim>();
    room.call.read(|| claims.get("proof")).await
}

/// The volume goes with its claim, whatever its class says: else each check would leave one behind.
async fn let_go(room: &Room<'_>) -> ClientResult<()> {
    let Some(volume) = claimed(room).await?.spec.and_then(|spec| spec.volume_name) else { return Ok(()) };
    let volumes = Api::<PersistentVolume>::all(room.call.client());
    let patch = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
    let params = PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() };
    room.call.write(|| volumes.patch(&volume, &params, &patch)).await.map(drop)
}
