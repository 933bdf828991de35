//! What somebody changed of what the last run left in the cluster. The steps of its plan about releases and objects are looked at as a plan
//! looks at them; neither BCM nor a node is asked, no lock is taken and nothing is written, so it works beside a run.

use crate::failure::Failure;
use crate::input::Input;
use crate::state;
use crate::world::{OpenWorld, World};
use futures::stream::{self, StreamExt as _};
use plinth_model::{Finding, Plan, Step, Work, amount};
use plinth_run::steps::Kinds;
use plinth_run::{Behaviour as _, Probe, Probed, StepEnv};
use plinth_world::deadlines;
use serde::Serialize;
use std::path::Path;
use tokio::time::timeout;

/// Looks at the same time.
const AT_ONCE: usize = 32;

/// What a look at the cluster told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDrift {
    /// Why the cluster was not asked, or did not answer. None: it was, and did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<String>,
    /// Releases and groups of objects that were looked at.
    pub compared: usize,
    /// Those of which there is something to say.
    pub steps: Vec<Drifted>,
}

/// One release or group of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drifted {
    /// Its step: `platform/release/gpu-operator`.
    pub step: String,
    /// What is otherwise than it was left, or does not work, one line each; `apply` puts it right.
    pub differences: Vec<String>,
    /// What is doubtful and stays so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it could not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

impl ClusterDrift {
    /// The cluster was not asked.
    #[must_use]
    pub fn not_asked(why: impl Into<String>) -> Self {
        Self { not_asked: Some(why.into()), compared: 0, steps: Vec::new() }
    }

    /// Whether something is otherwise.
    #[must_use]
    pub fn is_drift(&self) -> bool {
        self.steps.iter().any(|one| !one.differences.is_empty())
    }

    /// Whether everything could be seen.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.not_asked.is_none() && self.steps.iter().all(|one| one.unknown.is_none())
    }

    /// In lines for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if let Some(why) = &self.not_asked {
            return vec![format!("drift: the cluster was not asked: {why}")];
        }
        let compared = format!("{} of releases and objects", amount(self.compared, "step"));
        let otherwise = self.steps.iter().filter(|one| !one.differences.is_empty()).count();
        let mut lines = vec![match otherwise {
            0 => format!("drift: none in {compared}"),
            otherwise => {
                format!("drift: {otherwise} of {compared}; `plinth apply` puts it right, after showing the plan")
            }
        }];
        for Drifted { step, differences, notes, unknown } in &self.steps {
            lines.push(format!("  {step}"));
            lines.extend(differences.iter().chain(notes).map(|line| format!("    {line}")));
            lines.extend(unknown.iter().map(|why| format!("    could not be seen: {why}")));
        }
        lines
    }
}

/// Whether a step is about something in the cluster that can be changed behind our back.
#[must_use]
pub const fn is_compared(step: &Step) -> bool {
    matches!(step.work, Work::HelmRelease(_) | Work::KubeObjects(_))
}

/// Asks the cluster of a site what is otherwise than by this plan. The wait is bounded.
///
/// # Errors
/// When the state directory cannot be read. A cluster that does not answer is no error.
pub async fn look(input: &Input, state: Option<&Path>, plan: &Plan) -> Result<ClusterDrift, Failure> {
    let directory = state::directory(state, &input.site.desired.name)?;
    let (world, desired, _) = OpenWorld::open(World::Real, input, &directory, None)?;
    let env = world.env(&desired)?;
    let steps: Vec<&Step> = plan.steps.iter().filter(|step| is_compared(step)).collect();
    if let Some(why) = unreachable(&env).await {
        return Ok(ClusterDrift::not_asked(env.secrets.redact(&why)));
    }
    let seen = stream::iter(steps.iter().map(|step| see(step, &env))).buffered(AT_ONCE);
    let seen: Vec<Option<Drifted>> = seen.collect().await;
    Ok(ClusterDrift { not_asked: None, compared: steps.len(), steps: seen.into_iter().flatten().collect() })
}

/// Why there is no way to the cluster.
async fn unreachable(env: &StepEnv) -> Option<String> {
    let limit = deadlines::STATUS_ASKS;
    match timeout(limit, env.clients.kube.kubeconfig(&env.ctx)).await {
        Err(_) => Some(format!("there was no answer within {} s", limit.as_secs())),
        Ok(Err(error)) => Some(error.to_string()),
        Ok(Ok(None)) => Some("there is no kubeconfig yet".to_owned()),
        Ok(Ok(Some(held))) => held.refused.map(|why| format!("{} refuses the kubeconfig: {why}", held.server)),
    }
}

async fn see(step: &Step, env: &StepEnv) -> Option<Drifted> {
    let limit = deadlines::STATUS_LOOKS;
    let probed = timeout(limit, Kinds.probe(step, env)).await;
    let redact = |lines: Vec<String>| -> Vec<String> { lines.iter().map(|line| env.secrets.redact(line)).collect() };
    let nothing = Drifted { step: step.id.to_string(), differences: Vec::new(), notes: Vec::new(), unknown: None };
    let unknown = |why: &str| Some(Drifted { unknown: Some(env.secrets.redact(why)), ..nothing.clone() });
    match probed {
        Err(_) => unknown(&format!("there was no answer within {} s", limit.as_secs())),
        Ok(Err(error)) => unknown(&error.to_string()),
        Ok(Ok(Probed { probe: Probe::Todo(differences), .. })) => {
            Some(Drifted { differences: redact(differences), ..nothing })
        }
        Ok(Ok(Probed { probe: Probe::Blocked(finding), .. })) => {
            Some(Drifted { differences: redact(vec![format!("! {}", finding.message)]), ..nothing })
        }
        Ok(Ok(Probed { probe: Probe::Done(_), notes, .. })) => {
            let told = |finding: &Finding| {
                std::iter::once(format!("! {}", finding.message))
                    .chain(finding.evidence.iter().map(|line| format!("  {line}")))
                    .collect::<Vec<_>>()
            };
            let notes: Vec<String> = notes.iter().flat_map(told).collect();
            (!notes.is_empty()).then(|| Drifted { notes: redact(notes), ..nothing })
        }
    }
}
