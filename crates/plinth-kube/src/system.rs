//! The API server's own checks, and what runs in `kube-system`.

use crate::api::{Call, KubeApi};
use crate::failure::Cause;
use async_trait::async_trait;
use http::Request;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use kube::Client;
use kube::api::{Api, ListParams};
use plinth_world::kube::{ClusterHealth, KubeSystem, SystemWorkload};
use plinth_world::{ClientResult, Context};

/// Namespace of what keeps a cluster going.
pub(super) const NAMESPACE: &str = "kube-system";
/// The API server's checks, one line each: `[+]ping ok`, `[-]etcd failed: reason withheld`.
const READINESS: &str = "/readyz?verbose";

#[async_trait]
impl KubeSystem for KubeApi {
    async fn cluster_health(&self, ctx: &Context) -> ClientResult<ClusterHealth> {
        let call = self.call(ctx, "looking at the health of the cluster").await?;
        let failing = failing(&call).await?;
        let list = ListParams::default();
        let deployments = Api::<Deployment>::namespaced(call.client(), NAMESPACE);
        let deployments = call.read(|| deployments.list(&list)).await?;
        let sets = Api::<DaemonSet>::namespaced(call.client(), NAMESPACE);
        let sets = call.read(|| sets.list(&list)).await?;
        let workloads = deployments.items.iter().map(deployment).chain(sets.items.iter().map(daemon_set)).collect();
        Ok(ClusterHealth { failing, workloads })
    }
}

/// The checks that fail; an API server that says so answers, so it is no error.
async fn failing(call: &Call<'_>) -> ClientResult<Vec<String>> {
    match call.attempt(|| readiness(call.client())).await {
        Ok(lines) => Ok(lines),
        Err(failure) if failure.cause == Cause::Busy => Ok(vec![failure.happened]),
        Err(failure) => Err(call.error(failure)),
    }
}

pub(super) async fn readiness(client: Client) -> kube::Result<Vec<String>> {
    let request = Request::get(READINESS).body(Vec::new()).map_err(kube::Error::HttpError)?;
    let text = match client.request_text(request).await {
        Err(kube::Error::Api(status)) if status.message.contains("[-]") => status.message,
        other => other?,
    };
    Ok(checks(&text))
}

/// Names of checks that fail.
fn checks(text: &str) -> Vec<String> {
    let failed = text.lines().filter_map(|line| line.trim().strip_prefix("[-]"));
    failed.map(|rest| rest.split(' ').next().unwrap_or(rest).to_owned()).collect()
}

fn count(number: Option<i32>) -> u32 {
    u32::try_from(number.unwrap_or(0)).unwrap_or(0)
}

/// While a controller has not seen the newest wish, its numbers are about an older one.
fn current(generation: Option<i64>, observed: Option<i64>) -> bool {
    observed >= generation
}

pub(super) fn deployment(one: &Deployment) -> SystemWorkload {
    let status = one.status.as_ref();
    let fresh = current(one.metadata.generation, status.and_then(|status| status.observed_generation));
    let ready = if fresh { count(status.and_then(|status| status.ready_replicas)) } else { 0 };
    let wanted = one.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    SystemWorkload { kind: "Deployment", name: name(one.metadata.name.as_ref()), ready, wanted: count(Some(wanted)) }
}

pub(super) fn daemon_set(one: &DaemonSet) -> SystemWorkload {
    let status = one.status.as_ref();
    let fresh = current(one.metadata.generation, status.and_then(|status| status.observed_generation));
    let wanted = count(status.map(|status| status.desired_number_scheduled));
    let ready = count(status.map(|status| status.number_ready));
    // Not yet looked at by its controller: nothing is ready, and it is not known how many should be.
    let (ready, wanted) = if fresh { (ready, wanted) } else { (0, wanted.max(1)) };
    SystemWorkload { kind: "DaemonSet", name: name(one.metadata.name.as_ref()), ready, wanted }
}

fn name(name: Option<&String>) -> String {
    name.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_checks_are_named() {
        let text = "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n";
        assert_eq!(checks(text), ["etcd", "shutdown"]);
        assert_eq!(checks("[+]ping ok\nreadyz check passed\n"), Vec::<String>::new());
    }
}
