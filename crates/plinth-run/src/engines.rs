//! What an engine can say before it touches a node. Verbs ask here and know no engine.

use crate::behaviour::StepEnv;
use crate::steps::downloads;
use plinth_model::download::DownloadList;
use plinth_model::engine::Play;
use plinth_model::steps::{
    KubesprayInventory, KubesprayRecovery, KubesprayRelease, KubesprayRemoval, KubespraySource, Removal,
};
use plinth_model::{Digest, Plan, Work};
use plinth_world::ansible::{PlayHosts, PlayRun};
use plinth_world::{ClientError, ClientResult};

/// The hosts that the plays of a plan would touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    plays: Vec<PlayHosts>,
}

impl Preview {
    /// For people: plays of the same hosts as one line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
        for play in self.plays.iter().filter(|play| !play.hosts.is_empty()) {
            let hosts = play.hosts.join(", ");
            match lines.iter_mut().find(|(known, _)| *known == hosts) {
                Some((_, names)) => names.push(&play.play),
                None => lines.push((hosts, vec![&play.play])),
            }
        }
        let line = |(hosts, names): (String, Vec<&str>)| format!("  {hosts}: {}", names.join("; "));
        let lines: Vec<String> = lines.into_iter().map(line).collect();
        format!("Kubespray's plays touch these hosts:\n{}", lines.join("\n"))
    }
}

/// The hosts that a removal or a recovery would touch; none when the plan has neither. The engine's tools must be there for that
/// ([`plinth_plan::engines::tools`]).
///
/// # Errors
/// When the engine cannot read its files.
pub async fn preview(plan: &Plan, env: &StepEnv) -> ClientResult<Option<Preview>> {
    let Some(run) = plan.steps.iter().find_map(|step| play(&step.work)) else { return Ok(None) };
    let plays = env.clients.ansible.preview(&env.ctx, &run).await?;
    Ok(Some(Preview { plays }))
}

/// What the engine of a plan would fetch onto the nodes; none when it fetches nothing. A kept list is taken when it was made for the
/// same files; otherwise the engine is asked, whose tools must be there for that ([`plinth_plan::engines::tools`]). No node is touched.
///
/// # Errors
/// When the engine cannot be asked, or it names a file that is no plain file with a checksum.
pub async fn downloads(plan: &Plan, env: &StepEnv) -> ClientResult<Option<DownloadList>> {
    let works = || plan.steps.iter().map(|step| &step.work);
    let files = works().find_map(|work| match work {
        Work::KubesprayInventory(KubesprayInventory { files }) => Some(files),
        _ => None,
    });
    let (Some(release), Some(files)) = (works().find_map(release), files) else { return Ok(None) };
    let inputs = Digest::of(files);
    if let Some(list) = env.clients.fetch.list(&env.ctx).await?
        && list.inputs == inputs
    {
        return Ok(Some(list));
    }
    let asked = env.clients.ansible.downloads(&env.ctx, release).await?;
    downloads::list(asked, &inputs, None).map(Some).map_err(|finding| {
        ClientError::new("ansible", "listing downloads").happened(finding.message.clone()).attempt(finding.fix.clone())
    })
}

const fn release(work: &Work) -> Option<&KubesprayRelease> {
    match work {
        Work::KubespraySource(KubespraySource { release }) => Some(release),
        _ => None,
    }
}

/// The play of a step that takes Kubernetes away or brings members back.
fn play(work: &Work) -> Option<PlayRun> {
    let (release, play, targets, inputs) = match work {
        Work::KubesprayRemoval(KubesprayRemoval { release, targets, removal, parts }) => {
            let play = match removal.clone() {
                Removal::Unprovisioned => return None,
                Removal::All => Play::Reset,
                Removal::Nodes { nodes, reachable } => Play::Remove { nodes, reachable },
            };
            (release, play, targets, parts.clone())
        }
        Work::KubesprayRecovery(KubesprayRecovery { release, targets, broken, parts }) => {
            (release, Play::Recover { nodes: broken.clone(), reset: Vec::new() }, targets, parts.clone())
        }
        _ => return None,
    };
    Some(PlayRun { release: release.clone(), play, targets: targets.clone(), inputs })
}
