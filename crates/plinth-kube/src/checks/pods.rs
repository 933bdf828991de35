//! Test pods: what they look like, how they are waited for, and why one does not run.

use super::cluster::first;
use super::room::{AT_ONCE, Room};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::api::{ListParams, LogParams};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_world::{ClientError, ClientResult, deadlines};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Largest log that is read of a test pod, bytes.
pub(super) const LONGEST_LOG: i64 = 256 * 1024;
/// Longest reason that a line of evidence holds, characters.
const LONGEST_REASON: usize = 400;
/// Most warnings that are read for the pods of one check.
const MOST_WARNINGS: u32 = 500;
/// Port on which test pods answer; not a privileged one.
pub(super) const PORT: u16 = 8080;
/// Folder in which a test pod may write.
pub(super) const FOLDER: &str = "/work";

/// A pod that fits the strictest Pod Security level and is not started again. With nodes, it runs on one of them and tolerates every taint.
pub(super) fn pod(name: &str, image: &str, command: &[&str], nodes: &[&str]) -> Value {
    let mut spec = json!({
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": deadlines::CHECK_ABANDONED.as_secs(),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
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
    if !nodes.is_empty() {
        // By the scheduler, which says why it does not fit; the label of the host name may be another.
        let fields: Vec<Value> = nodes
            .iter()
            .map(|node| json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}))
            .collect();
        spec["affinity"] = json!({"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": fields},
        }});
        spec["tolerations"] = json!([{"operator": "Exists"}]);
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "plinth"}},
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

/// What came of a pod's program.
pub(super) struct Outcome {
    /// It ended with 0.
    pub(super) well: bool,
    /// What it wrote.
    pub(super) log: String,
    /// Why it did not end well, if it did not.
    pub(super) why: String,
}

impl Room<'_> {
    /// Waits for these pods; a line for each that did not come so far, which says why.
    ///
    /// # Errors
    /// When the API server cannot be asked, or an image cannot be pulled.
    pub(super) async fn wait(&self, names: &[String], until: Until, limit: Duration) -> ClientResult<Vec<Late>> {
        let mut late = self.look_for(names, until, limit).await?;
        if late.is_empty() {
            return Ok(late);
        }
        self.add_warnings(&mut late).await?;
        match late.iter().find(|late| late.lacks_image) {
            Some(late) => Err(self.no_image(late)),
            None => Ok(late),
        }
    }

    /// The same for who waits on: an image that does not come at first is no reason to give up.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(super) async fn look_for(&self, names: &[String], until: Until, limit: Duration) -> ClientResult<Vec<Late>> {
        let clock = self.call.ctx().clock();
        let began = clock.elapsed();
        loop {
            let found: HashMap<String, Pod> =
                self.all::<Pod>().await?.into_iter().map(|pod| (name(&pod).to_owned(), pod)).collect();
            let late: Vec<Late> = names.iter().filter_map(|name| Late::of(name, found.get(name), until)).collect();
            let Some(first) = late.first() else { return Ok(late) };
            let waited = clock.elapsed().saturating_sub(began);
            if waited > limit || late.iter().any(|late| late.is_final) {
                return Ok(late);
            }
            let (done, all) = (names.len() - late.len(), names.len());
            self.call.ctx().progress(done as u64, all as u64, format!("waiting for test pods: {}", first.why));
            // A list of thousands is not asked for every second.
            let pause = (waited / 8).clamp(deadlines::CHECK_LOOK_FIRST, deadlines::CHECK_LOOK);
            clock.sleep(pause * (1 + u32::try_from(all / 200).unwrap_or(10))).await;
        }
    }

    /// Adds what kubelet and the scheduler last complained about: a pod that runs and is not ready, or has no sandbox, says no more
    /// than that in its status.
    async fn add_warnings(&self, late: &mut [Late]) -> ClientResult<()> {
        let params = ListParams::default().fields("involvedObject.kind=Pod,type=Warning").limit(MOST_WARNINGS);
        let (api, mut last) = (self.api::<Event>(), HashMap::new());
        for event in self.call.read(|| api.list(&params)).await?.items {
            if let (Some(pod), Some(words)) = (event.involved_object.name, event.message) {
                let at = event.last_timestamp.map(|time| time.0);
                let newest = last.entry(pod).or_insert_with(|| (at, words.clone()));
                if newest.0 <= at {
                    *newest = (at, words);
                }
            }
        }
        for late in late {
            if let Some((_, words)) = last.get(&late.name).filter(|(_, words)| !late.why.contains(words.as_str())) {
                late.why = format!("{}; last warning: {}", late.why, shortened(words));
            }
        }
        Ok(())
    }

    /// A pod whose image cannot be pulled says nothing about what is checked.
    fn no_image(&self, late: &Late) -> ClientError {
        let attempt = "let the nodes reach the registry, or name a mirror under `registries.mirrors`, or another image under `checks`";
        let finding = Finding::error(code::CHECKS_IMAGE, &late.name, "the image of a test pod cannot be pulled")
            .evidence(&late.why)
            .fix(attempt);
        self.call.fails(&late.why, attempt).finding(finding)
    }

    /// Pods that were not placed, or did not come up, say nothing about what they were to find out.
    pub(super) fn not_placed(&self, late: &[Late]) -> ClientError {
        let attempt = "look at `kubectl describe node` of the nodes that are named, and run again";
        let happened = late.first().map(|late| late.why.clone()).unwrap_or_default();
        let mut finding =
            Finding::error(code::CHECKS_NOT_PLACED, "test pods", "test pods did not come up").fix(attempt);
        finding.evidence = first(late.iter().map(|late| late.why.clone()).collect());
        self.call.fails(happened, attempt).finding(finding)
    }

    /// What came of pods that ended, in this order.
    pub(super) async fn outcomes(&self, names: &[String]) -> ClientResult<Vec<Outcome>> {
        let asked: Vec<_> = names.iter().map(|name| self.outcome(name)).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }

    /// What came of a pod that ended.
    pub(super) async fn outcome(&self, pod: &str) -> ClientResult<Outcome> {
        let pods = self.api::<Pod>();
        let found = self.call.read(|| pods.get(pod)).await?;
        let (well, why) = (is_well(&found), why(&found));
        if !has_run(&found) {
            // kubelet refused it: there is no log, and its status says why.
            return Ok(Outcome { well: false, log: String::new(), why });
        }
        Ok(Outcome { well, log: self.log(pod).await?, why })
    }

    /// What a pod wrote so far.
    pub(super) async fn log(&self, pod: &str) -> ClientResult<String> {
        let (pods, params) = (self.api::<Pod>(), LogParams { limit_bytes: Some(LONGEST_LOG), ..LogParams::default() });
        self.call.read(|| pods.logs(pod, &params)).await
    }
}

/// A pod that is not yet as far as it is waited for.
#[derive(Debug)]
pub(super) struct Late {
    name: String,
    pub(super) why: String,
    lacks_image: bool,
    /// A node has taken it.
    pub(super) has_node: bool,
    /// It never will be.
    is_final: bool,
    /// No node has enough left of a resource.
    pub(super) lacks_room: bool,
}

impl Late {
    /// Whether it is this pod.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    fn of(name: &str, pod: Option<&Pod>, until: Until) -> Option<Self> {
        let Some(pod) = pod else {
            let why = format!("pod {name}: somebody removed it");
            let (name, is_final) = (name.to_owned(), true);
            return Some(Self { name, why, lacks_image: false, has_node: false, is_final, lacks_room: false });
        };
        let is_final = until == Until::Ready && has_ended(pod);
        let why = why(pod);
        let lacks_room = why.contains("Insufficient ");
        (!is_there(pod, until)).then(|| Self {
            name: name.to_owned(),
            lacks_image: lacks_image(pod),
            has_node: pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()),
            is_final,
            lacks_room,
            why,
        })
    }
}

pub(super) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Whether its program ended with 0.
fn is_well(pod: &Pod) -> bool {
    let ended = |status: &ContainerStatus| {
        status.state.as_ref().and_then(|state| state.terminated.as_ref()).map(|end| end.exit_code)
    };
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    phase(pod) == "Succeeded"
        || statuses.is_some_and(|all| !all.is_empty() && all.iter().all(|one| ended(one) == Some(0)))
}

fn has_ended(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether its program was ever started and has ended.
fn has_run(pod: &Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    statuses.into_iter().any(|status| status.state.as_ref().is_some_and(|state| state.terminated.is_some()))
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
        // kubelet says of the container that it ended before it says so of the pod.
        Until::Ended => has_ended(pod) || has_run(pod),
    }
}

/// `pod ask-2 on n2: ErrImagePull: ...`.
fn why(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let place = node.map(|node| format!(" on {node}")).unwrap_or_default();
    format!("pod {}{place}: {}", name(pod), shortened(&reason(pod)))
}

fn shortened(words: &str) -> String {
    words.trim().chars().take(LONGEST_REASON).collect()
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
    fn a_pod_that_kubelet_refused_has_no_log_and_one_that_is_gone_is_late() {
        let refused = seen(
            json!({"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": "no healthy devices present"}),
        );
        assert!(!has_run(&refused) && why(&refused).ends_with("no healthy devices present"));
        let gone = Late::of("ask-2", None, Until::Ended).unwrap();
        assert!(gone.is_final && gone.why.contains("somebody removed it"));
        let full = seen(json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
        }]}));
        assert!(Late::of("ask-2", Some(&full), Until::Ended).unwrap().lacks_room);
    }

    #[test]
    fn a_test_pod_is_restricted_and_bound_to_its_node() {
        let of = |nodes: &[&str]| {
            serde_json::from_value::<Pod>(pod("a", "x.example/y:1", &["true"], nodes)).unwrap().spec.unwrap()
        };
        let spec = of(&["dgx-05"]);
        assert_eq!(spec.security_context.unwrap().run_as_non_root, Some(true));
        assert!(spec.affinity.unwrap().node_affinity.is_some() && spec.tolerations.unwrap().len() == 1);
        assert!(of(&[]).tolerations.is_none(), "it must not land on a node that is dead");
    }
}
