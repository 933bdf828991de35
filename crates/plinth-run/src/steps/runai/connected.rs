//! The cluster reports to the control plane.

use super::register::registered;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, differs, done, refused, todo};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::{RunaiConnected, RunaiTarget};
use plinth_model::{Finding, Step, amount};
use plinth_world::runai::RunaiCluster;
use plinth_world::{ClientError, deadlines};

const CLIENT: &str = "runai";

/// State of a cluster that reports.
const CONNECTED: &str = "Connected";

impl StepKind for RunaiConnected {
    const EXPLANATION: Explanation = Explanation {
        kind: RunaiConnected::KIND,
        title: "The cluster reports to the control plane.",
        probe: "Reads the cluster's state and the dependencies it misses; behind a change of certificates, waits for its next report too.",
        act: "Waits until its deadline, looking often at first and then every ten seconds.",
    };

    /// The cluster reports to the control plane.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, next_report } = self;
        let found = registered(env, target).await?;
        let silent = match &found {
            Ok(Some(cluster)) if *next_report && cluster.state == CONNECTED => silent(env, target, cluster).await?,
            _ => None,
        };
        if let Some(line) = silent {
            return todo(line);
        }
        match found {
            Err(finding) => blocked(finding),
            Ok(None) => todo(format!("! no cluster is registered as `{}`", target.cluster)),
            Ok(Some(cluster)) if cluster.state == CONNECTED => {
                if *next_report && cluster.reported.is_none() {
                    return done("Connected; this release does not tell when it last reported");
                }
                let Some(names) = cluster.gpu_nodes else {
                    return done("Connected; this release does not tell its nodes in a way that is known");
                };
                let nodes = amount(names.len(), "GPU node");
                done(format!("Connected, {nodes}: {}", names.join(", ")))
            }
            Ok(Some(cluster)) => {
                let missing =
                    cluster.missing.iter().map(|dependency| format!("! required dependency {dependency} is missing"));
                let unwell = cluster.unwell.iter().map(|line| format!("! {line}"));
                let state = std::iter::once(format!("~ state {} → {CONNECTED}", cluster.state));
                Ok(differs(state.chain(missing).chain(unwell).collect()))
            }
        }
    }

    /// Waits until the cluster reports; a cluster that is not registered will never do so.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, .. } = self;
        let before = registered(env, target).await?;
        if matches!(before, Ok(None)) {
            let message = format!("no cluster is registered as `{}`", target.cluster);
            let finding = Finding::error(code::RUNAI_CLUSTER_NOT_REGISTERED, &target.cluster, message)
            .fix("somebody removed it since it was registered: find out who, and put it back in the control plane, or choose another runai.cluster.name; then run again");
            return Err(refused(CLIENT, format!("waiting for cluster {}", target.cluster), finding));
        }
        let late = |seen: &[String]| not_connected(target, seen);
        wait::until(&wait::Limit::of(step, env), env, CLIENT, || self.probe(env), late).await
    }
}

/// That no report came after the one that this was seen with; none where one came, and where the release does not tell.
async fn silent(env: &StepEnv, target: &RunaiTarget, seen: &RunaiCluster) -> Result<Option<String>, ClientError> {
    let Some(last) = &seen.reported else { return Ok(None) };
    let clock = env.ctx.clock();
    let began = clock.elapsed();
    while clock.elapsed().saturating_sub(began) < deadlines::RUNAI_REPORT {
        clock.sleep(deadlines::POLL).await;
        match registered(env, target).await? {
            Ok(Some(now)) if now.state == CONNECTED && now.reported.as_ref() == Some(last) => {}
            Ok(Some(now)) if now.state == CONNECTED => return Ok(None),
            Ok(Some(now)) => return Ok(Some(format!("~ state {} → {CONNECTED}", now.state))),
            Ok(None) | Err(_) => return Ok(Some(format!("! cluster {} is not registered", target.cluster))),
        }
    }
    Ok(Some(format!("~ no report since {last}")))
}

fn not_connected(target: &RunaiTarget, seen: &[String]) -> Finding {
    let mut finding = Finding::error(
        code::RUNAI_NOT_CONNECTED,
        &target.cluster,
        "the cluster did not report to the control plane in time",
    )
    .fix(where_to_look(seen));
    finding.evidence = seen.to_vec();
    finding
}

/// By the state seen last (NVIDIA Run:ai docs 2.25, "Clusters").
fn where_to_look(seen: &[String]) -> &'static str {
    let state = |name: &str| seen.iter().any(|line| line.contains(name));
    if state("MissingPrerequisites") {
        "install the missing dependencies; the same list is in ConfigMap runai-public of namespace runai"
    } else if state("ServiceIssues") {
        "look at the condition Available and the operands of object runai of runaiconfigs.run.ai, in namespace runai"
    } else if state("WaitingToConnect") {
        "nothing ever arrived: look at the logs of runai-agent and cluster-sync in namespace runai for names that do not resolve and certificates that are not trusted"
    } else {
        "look at the logs of runai-agent, cluster-sync and assets-sync in namespace runai, and whether pods reach the control plane's URL"
    }
}
