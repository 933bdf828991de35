//! Programs that are started in a test pod that runs, as `kubectl exec` does: what is asked needs no further pod, which takes seconds to come.

use super::pods::{LONGEST_LOG, Outcome};
use super::room::Room;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, AttachedProcess};
use plinth_world::{ClientError, ClientResult};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

impl Room<'_> {
    /// Runs a program in a pod of this room, and gives what it wrote and how it ended.
    ///
    /// # Errors
    /// When the API server or the node's kubelet cannot be asked, or the program does not end within `limit`.
    pub(super) async fn exec(&self, pod: &str, command: &[&str], limit: Duration) -> ClientResult<Outcome> {
        let (pods, params) = (self.api::<Pod>(), AttachParams::default().stderr(false));
        let process = self.call.read(|| pods.exec(pod, command.iter().copied(), &params)).await?;
        match timeout(limit, ended(process)).await {
            Ok(Ok((log, status))) => Ok(outcome(pod, log, &status)),
            Ok(Err(lost)) => Err(self.lost(pod, lost)),
            Err(_) => Err(self.lost(pod, format!("its program did not end within {} s", limit.as_secs()))),
        }
    }

    fn lost(&self, pod: &str, happened: String) -> ClientError {
        self.call.fails(format!("pod {pod}: {happened}"), "look at kubelet on the pod's node, and run again")
    }
}

/// What it wrote, and what the API server says of its end.
async fn ended(mut process: AttachedProcess) -> Result<(String, Status), String> {
    let status = process.take_status().ok_or("it has no end")?;
    let stdout = process.stdout().ok_or("it has no output")?;
    let mut written = Vec::new();
    let bytes = u64::try_from(LONGEST_LOG).unwrap_or(u64::MAX);
    stdout.take(bytes).read_to_end(&mut written).await.map_err(|error| format!("reading its output: {error}"))?;
    let status = status.await.ok_or("the connection to it was lost")?;
    Ok((String::from_utf8_lossy(&written).into_owned(), status))
}

fn outcome(pod: &str, log: String, status: &Status) -> Outcome {
    let well = status.status.as_deref() == Some("Success");
    let why = status.message.clone().or_else(|| status.reason.clone());
    Outcome { well, log, why: format!("pod {pod}: {}", why.as_deref().unwrap_or("ended")) }
}
