//! A claim of the default storage class: bound, written by one pod, read by another.

use super::pods::{FOLDER, Until, pod};
use super::room::Room;
use super::seen;
use crate::api::{Call, KubeApi, OWNER};
use crate::content::owner;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, ListParams, Patch, PatchParams};
use plinth_model::DefaultClass;
use plinth_world::kube::{CheckSeen, KubeNode, KubeNodes as _};
use plinth_world::{ClientResult, Context, deadlines};
use serde_json::{Value, json};

/// Says which provisioner made a volume.
const PROVISIONED: &str = "pv.kubernetes.io/provisioned-by";
/// Marks the class of claims that name none.
pub(super) const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
/// Taint of a node that was cordoned.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// Nodes that the pods may run on, of a large site.
const CANDIDATES: usize = 50;
/// What is written, and must be read again.
pub(super) const PROOF: &str = "written-by-plinth";
/// What the claim is called.
const CLAIM: &str = "proof";

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
    room.put::<PersistentVolumeClaim>(claim(CLAIM, None)).await?;
    if let Err(seen) = written(room, CLAIM, nodes, image).await? {
        return Ok(seen);
    }
    if let Err(seen) = read(room, CLAIM, nodes, image).await? {
        return Ok(seen);
    }
    let line = format!("a claim of 64 MiB of class {class} was bound, written by one pod and read by another");
    Ok(seen(true, [line, of_claim(room, CLAIM).await?.0]))
}

/// A pod writes into the claim. The inner error is a verdict.
pub(super) async fn written(
    room: &Room<'_>,
    claim: &str,
    nodes: &[String],
    image: &str,
) -> ClientResult<Result<(), CheckSeen>> {
    let script = format!("echo {PROOF} > {FOLDER}/proof && sync");
    worked(room, claim, ("write", &script), nodes, image).await.map(|said| said.map(drop))
}

/// Another one reads it. The inner error is a verdict.
pub(super) async fn read(
    room: &Room<'_>,
    claim: &str,
    nodes: &[String],
    image: &str,
) -> ClientResult<Result<(), CheckSeen>> {
    let said = worked(room, claim, ("read", &format!("cat {FOLDER}/proof")), nodes, image).await?;
    let (volume, _) = of_claim(room, claim).await?;
    Ok(said.and_then(|log| match log.trim() {
        PROOF => Ok(()),
        other => Err(unfit("read", other, "another content", volume)),
    }))
}

fn unfit(name: &str, said: &str, why: &str, volume: String) -> CheckSeen {
    let said: String = said.trim().chars().take(400).collect();
    seen(false, [format!("the pod that should {name} said `{said}` ({why})"), volume])
}

/// What a pod with the claim said. The inner error is a verdict.
async fn worked(
    room: &Room<'_>,
    claim: &str,
    (name, script): (&str, &str),
    nodes: &[String],
    image: &str,
) -> ClientResult<Result<String, CheckSeen>> {
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    room.put::<Pod>(with_claim(pod(name, image, &["sh", "-c", script], &nodes), claim)).await?;
    let late = room.wait(&[name.to_owned()], Until::Ended, deadlines::CHECK_PODS).await?;
    let (volume, is_bound) = of_claim(room, claim).await?;
    if is_bound {
        let_go(room, claim).await?;
    }
    // A pod that no node took proves nothing about a volume; one that a node cannot start with it does.
    if is_bound && late.iter().any(|late| !late.has_node) {
        return Err(room.not_placed(&late));
    }
    if !late.is_empty() {
        return Ok(Err(seen(false, late.into_iter().map(|late| late.why).chain([volume]))));
    }
    let outcome = room.outcome(name).await?;
    Ok(if outcome.well { Ok(outcome.log) } else { Err(unfit(name, &outcome.log, &outcome.why, volume)) })
}

/// Nodes on which a pod that tolerates everything may run: the scheduler would also take one that is dead.
pub(super) async fn ready(api: &KubeApi, ctx: &Context) -> ClientResult<Vec<String>> {
    let fit = |node: &KubeNode| node.ready && !node.taints.iter().any(|taint| taint.starts_with(UNSCHEDULABLE));
    let nodes = api.nodes(ctx).await?;
    Ok(nodes.into_iter().filter(|(_, node)| fit(node)).map(|(name, _)| name).take(CANDIDATES).collect())
}

async fn defaults(call: &Call<'_>) -> ClientResult<Vec<String>> {
    Ok(default_classes(call).await?.into_iter().map(|class| class.name).collect())
}

/// Storage classes that are marked as the default.
pub(crate) async fn default_classes(call: &Call<'_>) -> ClientResult<Vec<DefaultClass>> {
    let (classes, params) = (Api::<StorageClass>::all(call.client()), ListParams::default());
    let list = call.read(|| classes.list(&params)).await?;
    let is_default = |class: &StorageClass| {
        let annotations = class.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(DEFAULT)).is_some_and(|value| value == "true")
    };
    let of = |class: StorageClass| {
        let release = owner(&class.metadata);
        Some(DefaultClass { name: class.metadata.name?, release })
    };
    Ok(list.items.into_iter().filter(is_default).filter_map(of).collect())
}

/// A claim of this size; none: a small one.
pub(super) fn claim(name: &str, size: Option<&str>) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size.unwrap_or("64Mi")}}},
    })
}

fn with_claim(mut pod: Value, claim: &str) -> Value {
    pod["spec"]["volumes"] = json!([{"name": "work", "persistentVolumeClaim": {"claimName": claim}}]);
    pod
}

/// What the claim is at (`claim Bound to pvc-1234`), and whether it is bound.
async fn of_claim(room: &Room<'_>, claim: &str) -> ClientResult<(String, bool)> {
    let found = claimed(room, claim).await?;
    let phase = found.status.and_then(|status| status.phase).unwrap_or_else(|| "Pending".to_owned());
    let volume = found.spec.and_then(|spec| spec.volume_name).filter(|name| !name.is_empty());
    let is_bound = phase == "Bound";
    Ok((volume.map_or_else(|| format!("claim {phase}"), |volume| format!("claim {phase} to {volume}")), is_bound))
}

async fn claimed(room: &Room<'_>, claim: &str) -> ClientResult<PersistentVolumeClaim> {
    let claims = room.api::<PersistentVolumeClaim>();
    room.call.read(|| claims.get(claim)).await
}

/// A volume that was made for the claim goes with it, whatever its class says: else each check would leave one behind. One that was there
/// before may hold what somebody wants to keep.
async fn let_go(room: &Room<'_>, claim: &str) -> ClientResult<()> {
    let claim = claimed(room, claim).await?;
    let Some(volume) = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()) else { return Ok(()) };
    let volumes = Api::<PersistentVolume>::all(room.call.client());
    let found = room.call.read(|| volumes.get(&volume)).await?;
    if !is_made_for(&claim, &found) {
        return Ok(());
    }
    let patch = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
    let params = PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() };
    room.call.write(|| volumes.patch(&volume, &params, &patch)).await.map(drop)
}

/// Whether a provisioner made the volume, and not before the claim.
fn is_made_for(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let is_provisioned = volume.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(PROVISIONED));
    let since = |time: Option<&Time>| time.map(|time| time.0);
    let (claimed, made) =
        (since(claim.metadata.creation_timestamp.as_ref()), since(volume.metadata.creation_timestamp.as_ref()));
    is_provisioned && claimed.is_some() && made >= claimed
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_volume_that_was_made_for_the_claim_goes_with_it() {
        let claim: PersistentVolumeClaim =
            serde_json::from_value(json!({"metadata": {"creationTimestamp": "2026-11-30T02:00:00Z"}})).unwrap();
        let volume = |made: &str, annotations: Value| -> PersistentVolume {
            serde_json::from_value(json!({"metadata": {"creationTimestamp": made, "annotations": annotations}}))
                .unwrap()
        };
        let provisioned = json!({PROVISIONED: "rancher.io/local-path"});
        assert!(is_made_for(&claim, &volume("2026-11-30T02:00:00Z", provisioned.clone())));
        assert!(
            !is_made_for(&claim, &volume("2026-11-30T01:59:59Z", provisioned)),
            "somebody keeps it for another use"
        );
        assert!(!is_made_for(&claim, &volume("2026-11-30T02:00:01Z", json!({}))), "somebody made it by hand");
    }
}
