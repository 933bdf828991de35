//! A small training that Run:ai's scheduler must place. It ends by itself, and Run:ai removes it a minute later: so it goes also when
//! plinth is killed. One that never began goes before the next one is started.

use crate::verdict::{fail, pass};
use plinth_model::Verdict;
use plinth_model::steps::{Check, RunaiTarget};
use plinth_world::runai::{RunaiClient, RunaiProject, RunaiTraining, RunaiWorkload};
use plinth_world::{ClientError, ClientResult, Context, deadlines};

/// Its name; nobody else's has it.
pub const NAME: &str = "plinth-check-workload";
/// It stays long enough to be seen.
const SCRIPT: &str = "nvidia-smi -L; sleep 30";

/// Starts it, waits until it runs, and removes it. `project`: its name, the GPUs that the training asks for, and its image.
///
/// # Errors
/// When Run:ai cannot be asked, or does not take the training: that is no verdict.
pub async fn check(
    ctx: &Context,
    runai: &dyn RunaiClient,
    check: &Check,
    target: &RunaiTarget,
    (project, gpus, image): (&str, u32, &str),
) -> ClientResult<Verdict> {
    let clusters = runai.clusters(ctx, target).await?;
    let [cluster] = clusters.as_slice() else {
        let line = format!("{} clusters are named `{}`; exactly one should be", clusters.len(), target.cluster);
        return Ok(fail(check, vec![line]));
    };
    let all = runai.projects(ctx, target, &cluster.uuid).await?;
    let Some(found) = all.iter().find(|one| one.name == project) else {
        return Ok(fail(check, vec![format!("there is no project {project} in cluster {}", target.cluster)]));
    };
    clear(ctx, runai, target, found).await?;
    let training = RunaiTraining { name: NAME.to_owned(), image: image.to_owned(), script: SCRIPT.to_owned(), gpus };
    let started = runai.start_training(ctx, target, (&cluster.uuid, &found.id), &training).await?;
    let id = started.id.clone();
    let seen = until_it_runs(ctx, runai, target, started).await;
    // Whether or not it is known how far it came.
    if let Err(error) = runai.remove_training(ctx, target, &id).await {
        ctx.progress(0, 0, format!("the training is left to Run:ai, which removes it: {}", error.happened));
    }
    Ok(judged(check, &seen?, found, gpus))
}

/// Removes what an earlier check left, and waits until it is gone: its name is used until then.
async fn clear(
    ctx: &Context,
    runai: &dyn RunaiClient,
    target: &RunaiTarget,
    project: &RunaiProject,
) -> ClientResult<()> {
    let clock = ctx.clock();
    let began = clock.elapsed();
    loop {
        let left = runai.workloads(ctx, target, &project.id, NAME).await?;
        if left.is_empty() {
            return Ok(());
        }
        for one in &left {
            runai.remove_training(ctx, target, &one.id).await?;
        }
        if clock.elapsed().saturating_sub(began) > deadlines::CHECK_WORKLOAD_GONE {
            let attempt = format!("remove workload {NAME} of project {} by hand", project.name);
            return Err(ClientError::new("runai", "clearing up behind an earlier check")
                .happened(format!("workload {NAME} of an earlier check does not go"))
                .attempt(attempt));
        }
        ctx.progress(0, 0, format!("waiting for workload {NAME} of an earlier check to go"));
        clock.sleep(deadlines::CHECK_WORKLOAD_LOOK).await;
    }
}

/// How it stands when it runs, when it has ended, or when its time is up.
async fn until_it_runs(
    ctx: &Context,
    runai: &dyn RunaiClient,
    target: &RunaiTarget,
    started: RunaiWorkload,
) -> ClientResult<RunaiWorkload> {
    let clock = ctx.clock();
    let (began, mut last) = (clock.elapsed(), started);
    loop {
        match runai.workload(ctx, target, &last.id).await? {
            Some(now) => last = now,
            // The list of all workloads follows the list of trainings a moment later; one that was seen and is gone was removed.
            None if last.phase == CREATING => {}
            None => return Ok(RunaiWorkload { phase: "removed by somebody".to_owned(), ..last }),
        }
        let is_over = matches!(last.phase.as_str(), RUNNING | COMPLETED | "Failed");
        if is_over || clock.elapsed().saturating_sub(began) > deadlines::CHECK_WORKLOAD {
            return Ok(last);
        }
        let said = last.said.first().map(|said| format!(": {said}")).unwrap_or_default();
        ctx.progress(0, 0, format!("the training is {}{said}", last.phase));
        clock.sleep(deadlines::CHECK_WORKLOAD_LOOK).await;
    }
}

const CREATING: &str = "Creating";
const PENDING: &str = "Pending";
const RUNNING: &str = "Running";
const COMPLETED: &str = "Completed";

fn judged(check: &Check, seen: &RunaiWorkload, project: &RunaiProject, gpus: u32) -> Verdict {
    let asked = if gpus > 0 { format!("{gpus} GPU") } else { "no GPU".to_owned() };
    let line = format!("a training of project {} that asks for {asked} is {}", project.name, seen.phase);
    let evidence = std::iter::once(line).chain(seen.said.iter().cloned()).collect();
    match seen.phase.as_str() {
        RUNNING | COMPLETED => pass(evidence),
        // The scheduler works, and has no room: that is a matter of quotas and of others' jobs.
        PENDING if seen.said.iter().any(|line| tells_no_room(line)) => Verdict::Skip { reason: evidence.join("; ") },
        _ => fail(check, evidence),
    }
}

/// Whether the scheduler says that nothing is left for it.
fn tells_no_room(line: &str) -> bool {
    let line = line.to_lowercase();
    ["enough resources", "insufficient", "quota"].iter().any(|word| line.contains(word))
}
