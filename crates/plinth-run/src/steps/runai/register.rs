//! The registration of the cluster.

use super::installed;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, differs, done, refused};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::{RunaiRegister, RunaiTarget};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::runai::RunaiCluster;

const CLIENT: &str = "runai";

impl StepKind for RunaiRegister {
    const EXPLANATION: Explanation = Explanation {
        kind: RunaiRegister::KIND,
        title: "The cluster is registered with the control plane, under one entry.",
        probe: "Lists clusters by exact name. Several of one name stop the step.",
        act: "Lists again, registers if there is none, and keeps client secret and id in the state directory. Never repeated on mere suspicion, nor because of an upgrade: registering twice makes two entries. Credentials of an entry that is there may be read again at any time; with a control plane that was installed after the last registration the cluster is registered anew.",
    };

    /// Registered under one entry, and its credentials are kept here.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, release } = self;
        match registered(env, target).await? {
            Err(finding) => blocked(finding),
            Ok(None) => {
                let missing = differs(vec![
                    format!("+ cluster {} at {}", target.cluster, target.url),
                    "+ its credentials in the state directory".to_owned(),
                ]);
                Ok(match installed(env, release.as_ref()).await? {
                    Some(installed) => missing.since(installed),
                    None => missing,
                })
            }
            Ok(Some(cluster)) if env.clients.runai.credentials_kept(&env.ctx, target, &cluster.uuid).await? => {
                done(format!("registered once, as {}", cluster.uuid))
            }
            Ok(Some(cluster)) => {
                let kept = format!("~ credentials of cluster {} in the state directory", cluster.uuid);
                Ok(differs(vec![kept]).completing())
            }
        }
    }

    /// Looks again before registering, since registering twice makes two entries; then keeps the credentials.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, .. } = self;
        let found = registered(env, target)
            .await?
            .map_err(|finding| refused(CLIENT, format!("registering cluster {}", target.cluster), finding))?;
        let (cluster, what) = match found {
            Some(cluster) => (cluster, "was registered already"),
            None => (env.clients.runai.register(&env.ctx, target).await?, "registered"),
        };
        let charts = env.clients.runai.keep_credentials(&env.ctx, target, &cluster.uuid).await?;
        // A control plane here has its charts where the site says; elsewhere only its own word tells.
        let charts = charts.filter(|_| !target.is_here());
        let charts = charts.map(|place| format!("; it says that the charts of the cluster part are at {place}"));
        let charts = charts.unwrap_or_default();
        Ok(format!("cluster {} {what} as {}, credentials kept{charts}", target.cluster, cluster.uuid))
    }
}

/// The cluster, if there is exactly one of that name; several are a finding.
pub(super) async fn registered(
    env: &StepEnv,
    target: &RunaiTarget,
) -> Result<Result<Option<RunaiCluster>, Finding>, ClientError> {
    let mut clusters = env.clients.runai.clusters(&env.ctx, target).await?;
    if clusters.len() > 1 {
        return Ok(Err(registered_twice(target, &clusters)));
    }
    Ok(Ok(clusters.pop()))
}

/// The interface knows no conflict of cluster names, so two entries of one name are possible, and two installations that
/// share one name fight over it.
fn registered_twice(target: &RunaiTarget, clusters: &[RunaiCluster]) -> Finding {
    let message = format!("{} clusters are registered as `{}`", clusters.len(), target.cluster);
    let mut finding = Finding::error(code::RUNAI_CLUSTER_REGISTERED_TWICE, &target.cluster, message).fix(
        "remove the entries that do not belong to this site in the control plane, or choose another runai.cluster.name; then run again",
    );
    finding.evidence = clusters.iter().map(|c| format!("{}: {}", c.uuid, c.state)).collect();
    finding
}
