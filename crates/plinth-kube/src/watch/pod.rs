//! What a pod waits for, in a sentence.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// Most that is remembered of a message of somebody else, characters. It is cut to what is shown when secrets have been taken out: half a
/// secret would not be found.
const MESSAGE: usize = 2000;

/// How much it tells, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It will not pass by itself.
    Broken,
    /// Nobody takes it.
    NoNode,
    /// It is on its way.
    Starting,
    /// It runs, and does not say that it is ready.
    NotReady,
}

/// A pod that is not well, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) rank: Rank,
    /// `container a is not ready`, behind the name of the pod.
    pub(super) why: String,
}

/// A message of somebody else: its first line, in short.
pub(super) fn short(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(MESSAGE).collect()
}

/// None: it is well, has ended well, or is on its way out.
pub(super) fn waiting(pod: &Pod) -> Option<Waiting> {
    let status = pod.status.as_ref()?;
    let ends = pod.metadata.deletion_timestamp.is_some();
    if ends || status.phase.as_deref() == Some("Succeeded") {
        return None;
    }
    let said = |rank, why: String| Some(Waiting { rank, why });
    if status.phase.as_deref() == Some("Failed") {
        let why = status.message.as_deref().or(status.reason.as_deref()).unwrap_or("its program ended with an error");
        return said(Rank::Broken, format!("failed: {}", short(why)));
    }
    let unplaced = status.conditions.iter().flatten().find(|one| one.type_ == "PodScheduled" && one.status == "False");
    if let Some(unplaced) = unplaced {
        return said(
            Rank::NoNode,
            format!("has no node: {}", short(unplaced.message.as_deref().unwrap_or("it waits"))),
        );
    }
    let init = status.init_container_statuses.iter().flatten();
    let all = init.chain(status.container_statuses.iter().flatten());
    let mut found: Vec<Waiting> = all.filter_map(|container| of_container(pod, container)).collect();
    found.sort_by_key(|waiting| waiting.rank);
    let known = status.container_statuses.as_ref().is_some_and(|all| !all.is_empty());
    let starts = || Waiting { rank: Rank::Starting, why: "is being started".to_owned() };
    found.into_iter().next().or_else(|| (!known).then(starts))
}

fn of_container(pod: &Pod, container: &ContainerStatus) -> Option<Waiting> {
    let (name, state) = (&container.name, container.state.as_ref()?);
    let said = |rank, why: String| Some(Waiting { rank, why });
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waits");
        let message = waiting.message.as_deref().map(short).filter(|text| !text.is_empty());
        let because = message.map(|text| format!(": {text}")).unwrap_or_default();
        return match reason {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
                said(Rank::Broken, format!("cannot pull image {}{because}", image(pod, container)))
            }
            "CrashLoopBackOff" => {
                said(Rank::Broken, format!("ends again and again: container {name}{}", last_end(container)))
            }
            "ContainerCreating" | "PodInitializing" => said(Rank::Starting, "is being started".to_owned()),
            _ => said(Rank::Broken, format!("container {name}: {reason}{because}")),
        };
    }
    if let Some(ended) = &state.terminated {
        let failed = ended.exit_code != 0;
        return failed
            .then(|| Waiting { rank: Rank::Broken, why: format!("container {name} ended with {}", ended.exit_code) });
    }
    let is_init = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten()).any(|one| one.name == *name);
    if is_init {
        return said(Rank::Starting, format!("is prepared by container {name}"));
    }
    if container.ready { None } else { said(Rank::NotReady, format!("runs, and container {name} is not ready")) }
}

/// As the pod asks for it; its status may name another form.
fn image<'a>(pod: &'a Pod, container: &'a ContainerStatus) -> &'a str {
    let spec = pod.spec.as_ref();
    let inits = spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let all = inits.chain(spec.iter().flat_map(|spec| spec.containers.iter()));
    let asked = all.into_iter().find(|one| one.name == container.name).and_then(|one| one.image.as_deref());
    asked.unwrap_or(&container.image)
}

fn last_end(container: &ContainerStatus) -> String {
    let ended = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    ended.map(|ended| format!(" ended with {}", ended.exit_code)).unwrap_or_default()
}

/// The container that ended with an error, if one did.
pub(super) fn failed(pod: &Pod) -> Option<&str> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten();
    let mut all = init.chain(status.container_statuses.iter().flatten());
    let ended = |one: &&ContainerStatus| {
        let states = [one.state.as_ref(), one.last_state.as_ref()];
        states.into_iter().flatten().filter_map(|state| state.terminated.as_ref()).any(|ended| ended.exit_code != 0)
    };
    all.find(ended).map(|one| one.name.as_str())
}

/// The container that runs, if one does.
pub(super) fn running(pod: &Pod) -> Option<&str> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten();
    let mut all = init.chain(status.container_statuses.iter().flatten());
    let runs = |container: &&ContainerStatus| container.state.as_ref().is_some_and(|state| state.running.is_some());
    all.find(runs).map(|container| container.name.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: Value) -> Pod {
        let spec = json!({"containers": [{"name": "a", "image": "r.example/a:1"}], "initContainers": [{"name": "i"}]});
        serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec, "status": status})).unwrap()
    }

    fn container(state: Value, ready: bool) -> Value {
        json!({"containerStatuses": [{"name": "a", "image": "x", "imageID": "", "ready": ready, "restartCount": 0, "state": state,
            "lastState": {"terminated": {"exitCode": 3}}}]})
    }

    #[test]
    fn it_says_what_a_pod_waits_for() {
        let waits =
            |reason: &str, message: &str| container(json!({"waiting": {"reason": reason, "message": message}}), false);
        let init = json!({"initContainerStatuses": [{"name": "i", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"running": {}}}], "containerStatuses": []});
        let unplaced = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes"}]});
        let cases = [
            (waits("ImagePullBackOff", "back-off\nmore"), Rank::Broken, "cannot pull image r.example/a:1: back-off"),
            (waits("CrashLoopBackOff", "back-off"), Rank::Broken, "ends again and again: container a ended with 3"),
            (
                waits("CreateContainerConfigError", "no secret s"),
                Rank::Broken,
                "container a: CreateContainerConfigError: no secret s",
            ),
            (waits("ContainerCreating", ""), Rank::Starting, "is being started"),
            (container(json!({"terminated": {"exitCode": 2}}), false), Rank::Broken, "container a ended with 2"),
            (container(json!({"running": {}}), false), Rank::NotReady, "runs, and container a is not ready"),
            (init, Rank::Starting, "is prepared by container i"),
            (unplaced, Rank::NoNode, "has no node: 0/2 nodes"),
            (json!({"phase": "Pending"}), Rank::Starting, "is being started"),
            (json!({"phase": "Failed", "reason": "Evicted"}), Rank::Broken, "failed: Evicted"),
        ];
        for (status, rank, why) in cases {
            assert_eq!(waiting(&pod(status.clone())), Some(Waiting { rank, why: why.to_owned() }), "{status}");
        }
        assert_eq!(waiting(&pod(container(json!({"running": {}}), true))), None);
        assert_eq!(waiting(&pod(json!({"phase": "Succeeded"}))), None);
        assert_eq!(running(&pod(container(json!({"running": {}}), false))), Some("a"));
        assert_eq!(running(&pod(waits("ContainerCreating", ""))), None);
    }
}
