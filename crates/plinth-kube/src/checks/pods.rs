//! Test pods: what they look like, how they are waited for, and why one does not run.

use super::room::Room;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::LogParams;
use plinth_model::finding::code;
use plinth_model::{Finding, NodeName};
use plinth_world::{ClientError, ClientResult, deadlines};
use serde_json::{Value, json};
use std::time::Duration;

/// Largest log that is read of a test pod, bytes.
const LONGEST_LOG: i64 = 256 * 1024;
/// Port on which test pods answer; not a privileged one.
pub(super) const PORT: u16 = 8080;
/// Folder in which a test pod may write.
pub(super) const FOLDER: &str = "/work";

/// A pod that fits the strictest Pod Security level, tolerates every taint, and is not started again.
pub(super) fn pod(name: &str, image: &str, command: &[&str], node: Option<&NodeName>) -> Value {
    let mut spec = json!({
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": deadlines::CHECK_LARGE_PODS.as_secs(),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65534, "runAsGroup": 65534, "fsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "check", "image": image, "command": command,
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "work", "mountPath": FOLDER}],
        }],
        "volumes": [{"name": "work", "emptyDir": {}}],
    });
    if let Some(node) = node {
        // By the scheduler, which says why it does not fit; the label of the host name may be another.
        let term = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node.as_str()]}]});
        spec["affinity"] = json!({"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
        }});
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "plinth", "plinth.dev/pod": name}},
        "spec": spec,
    })
}

/// What a pod must be before it is no longer waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Its readiness probe holds.
    Ready,
    /// Its program has ended, well or not.
    Ended,
}

impl Room<'_> {
    /// Waits for every pod whose name begins so; a line for each that did not come so far, which says why.
    pub(super) async fn wait(&self, prefix: &str, until: Until, limit: Duration) -> ClientResult<Vec<String>> {
        let clock = self.call.ctx().clock();
        let began = clock.elapsed();
        loop {
            let all = self.all::<Pod>().await?;
            let ours: Vec<&Pod> = all.iter().filter(|pod| name(pod).starts_with(prefix)).collect();
            let late: Vec<&&Pod> = ours.iter().filter(|pod| !is_there(pod, until)).collect();
            let failed = until == Until::Ready && ours.iter().any(|pod| has_ended(pod));
            if late.is_empty() || failed || clock.elapsed().saturating_sub(began) > limit {
                return match late.iter().find(|pod| lacks_image(pod)) {
                    Some(pod) => Err(self.no_image(pod)),
                    None => Ok(late.iter().map(|pod| why(pod)).collect()),
                };
            }
            let (done, all) = (ours.len() - late.len(), ours.len());
            let waits = late.first().map(|pod| why(pod)).unwrap_or_default();
            self.call.ctx().progress(done as u64, all as u64, format!("waiting for test pods: {waits}"));
            clock.sleep(deadlines::CHECK_LOOK).await;
        }
    }

    /// A pod whose image cannot be pulled says nothing about what is checked.
    fn no_image(&self, pod: &Pod) -> ClientError {
        let attempt = "let the nodes reach the registry, or name a mirror under `registries.mirrors`, or another image under `checks`";
        let finding = Finding::error(code::CHECKS_IMAGE, name(pod), "the image of a test pod cannot be pulled")
            .evidence(why(pod))
            .fix(attempt);
        self.call.fails(why(pod), attempt).finding(finding)
    }

    /// What a pod wrote, and whether its program ended with 0.
    pub(super) async fn outcome(&self, pod: &str) -> ClientResult<(bool, String)> {
        let pods = self.api::<Pod>();
        let found = self.call.read(|| pods.get(pod)).await?;
        let well = found.status.and_then(|status| status.phase).as_deref() == Some("Succeeded");
        let params = LogParams { limit_bytes: Some(LONGEST_LOG), ..LogParams::default() };
        let log = self.call.read(|| pods.logs(pod, &params)).await?;
        Ok((well, log))
    }
}

pub(super) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

fn has_ended(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether it waits for its image, by kubelet's own words.
fn lacks_image(pod: &Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let reasons = statuses.filter_map(|status| status.state.as_ref()?.waiting.as_ref()?.reason.as_deref());
    reasons
        .into_iter()
        .any(|reason| matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull"))
}

fn is_there(pod: &Pod, until: Until) -> bool {
    let ready = || {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
    };
    match until {
        Until::Ready => ready(),
        Until::Ended => has_ended(pod),
    }
}

/// `pod ask-2 on n2: ErrImagePull: ...`.
fn why(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let place = node.map(|node| format!(" on {node}")).unwrap_or_default();
    format!("pod {}{place}: {}", name(pod), reason(pod).chars().take(400).collect::<String>())
}

fn reason(pod: &Pod) -> String {
    let Some(status) = &pod.status else { return "not seen by the scheduler yet".to_owned() };
    if let Some(words) = status.container_statuses.iter().flatten().find_map(of_container) {
        return words;
    }
    let refused = status.conditions.iter().flatten().find(|one| one.status == "False" && one.message.is_some());
    let message = refused.and_then(|one| one.message.clone()).or_else(|| status.message.clone());
    message.unwrap_or_else(|| phase(pod).to_owned())
}

fn of_container(status: &ContainerStatus) -> Option<String> {
    let state = status.state.as_ref()?;
    let words = |reason: Option<&String>, message: Option<&String>| {
        let parts: Vec<&str> = [reason, message].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    };
    if let Some(waiting) = &state.waiting {
        return words(waiting.reason.as_ref(), waiting.message.as_ref());
    }
    let ended = state.terminated.as_ref()?;
    let code = format!("ended with {}", ended.exit_code);
    Some(words(Some(&code), ended.message.as_ref().or(ended.reason.as_ref())).unwrap_or(code))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seen(status: Value) -> Pod {
        let pod =
            json!({"metadata": {"name": "ask-2"}, "spec": {"containers": [], "nodeName": "n2"}, "status": status});
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_pod_that_does_not_run_says_why() {
        let pull = json!({"phase": "Pending", "containerStatuses": [{
            "name": "check", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}},
        }]});
        assert!(lacks_image(&seen(pull.clone())));
        assert_eq!(why(&seen(pull)), "pod ask-2 on n2: ErrImagePull: no such host");
        let full = json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
        }]});
        assert!(!lacks_image(&seen(full.clone())) && why(&seen(full)).ends_with("3 Insufficient nvidia.com/gpu."));
        let ended = json!({"phase": "Failed", "containerStatuses": [{
            "name": "check", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 127, "reason": "Error"}},
        }]});
        assert_eq!(why(&seen(ended.clone())), "pod ask-2 on n2: ended with 127: Error");
        assert!(is_there(&seen(ended.clone()), Until::Ended) && !is_there(&seen(ended), Until::Ready));
        assert_eq!(why(&seen(json!({"phase": "Pending"}))), "pod ask-2 on n2: Pending");
    }

    #[test]
    fn a_test_pod_is_restricted_and_bound_to_its_node() {
        let node = NodeName::new("dgx-05").unwrap();
        let pod: Pod = serde_json::from_value(pod("a", "x.example/y:1", &["true"], Some(&node))).unwrap();
        let spec = pod.spec.unwrap();
        assert_eq!(spec.security_context.unwrap().run_as_non_root, Some(true));
        assert!(spec.affinity.unwrap().node_affinity.is_some() && spec.tolerations.unwrap().len() == 1);
    }
}
