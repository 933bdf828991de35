//! A department, or a project of one, with its quota.

use super::register::registered;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, differs, done, refused, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::{OrgUnit, RunaiOrgUnit};
use plinth_model::{Finding, Step, amount};
use plinth_world::ClientError;
use plinth_world::runai::RunaiOrgUnit as Seen;

const CLIENT: &str = "runai";

impl StepKind for RunaiOrgUnit {
    const EXPLANATION: Explanation = Explanation {
        kind: RunaiOrgUnit::KIND,
        title: "A department or a project is there, with its quota of GPUs.",
        probe: "Lists departments and projects of the cluster by exact name, and compares the quota in the node pool `default`.",
        act: "Lists again, makes it if it is not there, and sets a quota that differs. Nothing is ever removed or moved.",
    };

    /// There, in its department, with its quota.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, unit } = self;
        let cluster = match registered(env, target).await? {
            Err(finding) => return blocked(finding),
            Ok(None) => return todo(format!("! no cluster is registered as `{}`", target.cluster)),
            Ok(Some(cluster)) => cluster,
        };
        match env.clients.runai.org_unit(&env.ctx, target, &cluster.uuid, unit).await? {
            None => Ok(differs(vec![format!("+ {}", unit.title()), format!("+ quota {}", gpus(unit))])),
            Some(seen) if is_elsewhere(unit, &seen) => blocked(elsewhere(unit, &seen)),
            Some(seen) if has_quota(unit, &seen) => done(format!("{} is there with {}", unit.title(), gpus(unit))),
            Some(seen) => todo(format!("~ quota of {}: {} → {}", unit.title(), quota(&seen), gpus(unit))),
        }
    }

    /// Looks again, then makes it or sets its quota.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, unit } = self;
        let doing = || format!("making {}", unit.title());
        let found = registered(env, target).await?.map_err(|finding| refused(CLIENT, doing(), finding))?;
        let Some(cluster) = found else {
            let message = format!("no cluster is registered as `{}`", target.cluster);
            let finding = Finding::error(code::RUNAI_CLUSTER_NOT_REGISTERED, &target.cluster, message)
                .fix("look in the control plane who removed it, then run again");
            return Err(refused(CLIENT, doing(), finding));
        };
        let runai = &env.clients.runai;
        let (seen, what) = match runai.org_unit(&env.ctx, target, &cluster.uuid, unit).await? {
            Some(seen) => (seen, "was there"),
            None => (runai.make_org_unit(&env.ctx, target, &cluster.uuid, unit).await?, "made"),
        };
        if is_elsewhere(unit, &seen) {
            return Err(refused(CLIENT, doing(), elsewhere(unit, &seen)));
        }
        if !has_quota(unit, &seen) {
            runai.set_quota(&env.ctx, target, &cluster.uuid, unit).await?;
        }
        Ok(format!("{} {what}, quota {}", unit.title(), gpus(unit)))
    }
}

fn gpus(unit: &OrgUnit) -> String {
    amount(usize::try_from(unit.gpus).unwrap_or(usize::MAX), "GPU")
}

fn quota(seen: &Seen) -> String {
    seen.gpus.map_or_else(|| "none".to_owned(), |gpus| format!("{gpus}"))
}

/// Quotas may have parts of a GPU, and ours have none, so only what is exactly the same is.
fn has_quota(unit: &OrgUnit, seen: &Seen) -> bool {
    seen.gpus.is_some_and(|gpus| (gpus - f64::from(unit.gpus)).abs() < f64::EPSILON)
}

fn is_elsewhere(unit: &OrgUnit, seen: &Seen) -> bool {
    unit.department.is_some() && unit.department != seen.department
}

fn elsewhere(unit: &OrgUnit, seen: &Seen) -> Finding {
    let other = seen.department.as_deref().unwrap_or("none that is there");
    let wanted = unit.department.as_deref().unwrap_or_default();
    let message = format!("{} is there in another department: {other}", unit.title());
    Finding::error(code::RUNAI_PROJECT_ELSEWHERE, &unit.name, message)
        .evidence(format!("department in Run:ai: {other}; in the site file: {wanted}; id {}", seen.id))
        .fix("write it under the department where it is, or choose another name")
}
