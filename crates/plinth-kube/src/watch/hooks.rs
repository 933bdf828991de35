//! What Jobs of hooks left behind that did not complete: helm says no more of them than that, and the reason stands in the logs of their pods,
//! which go with the Job. Not covered: a pod that is gone already, as where a Job starts its pod again in place and gives up.

use super::pod;
use crate::api::{Call, KubeApi};
use async_trait::async_trait;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::api::{Api, ListParams, LogParams};
use plinth_world::kube::KubeHooks;
use plinth_world::{ClientResult, Context};
use std::cmp::Reverse;
use std::fmt::Write as _;

/// By what helm knows a hook.
const HOOK: &str = "helm.sh/hook";
/// Pods of a Job whose logs are read, the newest.
const PODS: usize = 5;
/// Most of one log that is read: its last lines, and bytes.
const LINES: i64 = 400;
const BYTES: i64 = 256 * 1024;
/// Most warnings of a namespace that are read.
const WARNINGS: u32 = 500;

#[async_trait]
impl KubeHooks for KubeApi {
    async fn jobs_said(&self, ctx: &Context, namespace: &str, names: Option<&[String]>) -> ClientResult<String> {
        let call = self.call(ctx, format!("reading what Jobs of hooks in {namespace} left")).await?;
        let (jobs, all) = (Api::<Job>::namespaced(call.client(), namespace), ListParams::default());
        let mut jobs = call.read(|| jobs.list(&all)).await?.items;
        jobs.retain(|job| match names {
            Some(names) => names.iter().any(|name| *name == name_of(job)),
            None => is_hook(job) && !is_complete(job),
        });
        if jobs.is_empty() {
            return Ok(String::new());
        }
        jobs.sort_by_key(|job| Reverse(job.metadata.creation_timestamp.as_ref().map(|time| time.0)));
        let api = Api::<Pod>::namespaced(call.client(), namespace);
        let mut pods = call.read(|| api.list(&all)).await?.items;
        pods.sort_by_key(|pod| Reverse(pod.metadata.creation_timestamp.as_ref().map(|time| time.0)));
        let (events, warnings) = (
            Api::<Event>::namespaced(call.client(), namespace),
            ListParams::default().fields("type=Warning").limit(WARNINGS),
        );
        let warnings = call.read(|| events.list(&warnings)).await?.items;
        let mut text = String::new();
        for job in &jobs {
            about_job(&mut text, job, &warnings);
            for pod in pods.iter().filter(|pod| belongs_to(pod, job)).take(PODS) {
                about_pod(&call, &mut text, &api, pod, &warnings).await;
            }
        }
        Ok(text)
    }
}

fn name_of(job: &Job) -> &str {
    job.metadata.name.as_deref().unwrap_or_default()
}

fn is_hook(job: &Job) -> bool {
    job.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(HOOK))
}

fn is_complete(job: &Job) -> bool {
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|one| one.type_ == "Complete" && one.status == "True")
}

fn belongs_to(pod: &Pod, job: &Job) -> bool {
    pod.metadata.owner_references.iter().flatten().any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref())
}

/// `== Job runai/pre-install: Failed, BackoffLimitExceeded: Job has reached the specified backoff limit`, and what was complained about.
fn about_job(text: &mut String, job: &Job, warnings: &[Event]) {
    let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let failed = conditions.find(|one| one.status == "True" && one.type_ == "Failed");
    let state = failed.map_or_else(
        || "neither complete nor failed".to_owned(),
        |failed| {
            let reason = failed.reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
            format!("Failed{reason}: {}", failed.message.as_deref().unwrap_or_default())
        },
    );
    let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
    let _ = writeln!(text, "== Job {namespace}/{}: {state}", name_of(job));
    warned(text, "Job", name_of(job), warnings);
}

async fn about_pod(call: &Call<'_>, text: &mut String, api: &Api<Pod>, pod: &Pod, warnings: &[Event]) {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let place = node.map(|node| format!(" on {node}")).unwrap_or_default();
    let why = pod::waiting(pod).map_or_else(|| "ended well, or runs".to_owned(), |waiting| waiting.why);
    let _ = writeln!(text, "== Pod {name}{place}: {why}");
    warned(text, "Pod", name, warnings);
    let Some(status) = &pod.status else { return };
    let all = status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    for container in all.filter(|container| has_begun(container)) {
        let _ = writeln!(text, "== Log of container {} of pod {name}", container.name);
        let params = LogParams {
            container: Some(container.name.clone()),
            previous: waits(container),
            tail_lines: Some(LINES),
            limit_bytes: Some(BYTES),
            ..LogParams::default()
        };
        match call.patiently(|| api.logs(name, &params)).await {
            Ok(log) => text.push_str(&log),
            Err(failure) => {
                let _ = write!(text, "it cannot be read: {}", failure.happened);
            }
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
}

fn waits(container: &ContainerStatus) -> bool {
    container.state.as_ref().is_some_and(|state| state.waiting.is_some())
}

/// Whether there is a log of it: it runs, has ended, or waits to be started again.
fn has_begun(container: &ContainerStatus) -> bool {
    !waits(container) || container.restart_count > 0
}

fn warned(text: &mut String, kind: &str, name: &str, warnings: &[Event]) {
    let about = |event: &&Event| {
        let of = &event.involved_object;
        of.kind.as_deref() == Some(kind) && of.name.as_deref() == Some(name)
    };
    for event in warnings.iter().filter(about) {
        let (reason, message) =
            (event.reason.as_deref().unwrap_or_default(), event.message.as_deref().unwrap_or_default());
        let _ = writeln!(text, "Warning {reason}: {message}");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(conditions: serde_json::Value) -> Job {
        let hook = json!({HOOK: "pre-install"});
        serde_json::from_value(json!({"metadata": {"name": "pre-install", "namespace": "runai", "annotations": hook},
            "status": {"conditions": conditions}}))
        .unwrap()
    }

    #[test]
    fn a_job_is_told_with_its_reason_and_what_was_complained_about() {
        let failed = job(json!([{"type": "FailureTarget", "status": "True"},
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]));
        assert!(
            is_hook(&failed)
                && !is_complete(&failed)
                && is_complete(&job(json!([{"type": "Complete", "status": "True"}])))
        );
        let warning: Event =
            serde_json::from_value(json!({"metadata": {}, "reason": "BackoffLimitExceeded", "message": "enough",
            "involvedObject": {"kind": "Job", "name": "pre-install"}}))
            .unwrap();
        let mut text = String::new();
        about_job(&mut text, &failed, &[warning]);
        assert_eq!(
            text,
            "== Job runai/pre-install: Failed, BackoffLimitExceeded: Job has reached the specified backoff limit\nWarning BackoffLimitExceeded: enough\n"
        );
        text.clear();
        about_job(&mut text, &job(json!([])), &[]);
        assert!(text.contains("neither complete nor failed"), "{text}");
    }

    #[test]
    fn only_what_has_begun_has_a_log() {
        let container = |state: serde_json::Value, restarts: i32| -> ContainerStatus {
            serde_json::from_value(json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": restarts, "state": state})).unwrap()
        };
        assert!(!has_begun(&container(json!({"waiting": {"reason": "ErrImagePull"}}), 0)));
        assert!(has_begun(&container(json!({"waiting": {"reason": "CrashLoopBackOff"}}), 2)));
        assert!(has_begun(&container(json!({"terminated": {"exitCode": 1}}), 0)));
    }
}
