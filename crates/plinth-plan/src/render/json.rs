//! The plan for scripts: every step complete, with what follows from its kind, so that a script need not know the kinds.

use plinth_model::plan::{Change, Condition, Expected, Gate, MadeFrom, Plan, Step};
use plinth_model::steps::Undo;
use plinth_model::{Digest, Finding, SiteName, Stage, StepId, Work};
use serde::{Serialize, Serializer};

/// The plan, to be written as JSON.
#[must_use]
pub fn json(plan: &Plan) -> impl Serialize + '_ {
    let Plan { schema, hash, site, made_from, steps, gates, findings, expected } = plan;
    Complete { schema: *schema, hash, site, made_from, steps, gates, findings, expected }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Complete<'a> {
    schema: u32,
    hash: &'a Digest,
    site: &'a SiteName,
    made_from: &'a MadeFrom,
    #[serde(serialize_with = "complete")]
    steps: &'a [Step],
    gates: &'a [Gate],
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: &'a Option<Expected>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CompleteStep<'a> {
    id: &'a StepId,
    #[serde(flatten)]
    work: &'a Work,
    stage: Stage,
    target: &'a str,
    needs: &'a [StepId],
    reason: &'a str,
    #[serde(serialize_with = "with_differences")]
    change: &'a Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'a Condition>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    once: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    destructive: Option<String>,
    undo: Undo,
    deadline_s: u32,
}

/// One step, to be written as JSON.
#[must_use]
pub fn step_json(step: &Step) -> impl Serialize + '_ {
    complete_step(step)
}

fn complete<S: Serializer>(steps: &&[Step], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(steps.iter().map(complete_step))
}

/// What would be applied has its list of differences, also when nothing is known of them.
fn with_differences<S: Serializer>(change: &&Change, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Apply<'a> {
        change: &'static str,
        diff: &'a [String],
    }
    match change {
        Change::Apply { diff } => Apply { change: "apply", diff }.serialize(serializer),
        other => other.serialize(serializer),
    }
}

fn complete_step(step: &Step) -> CompleteStep<'_> {
    let Step { id, work, needs, reason, change, when } = step;
    CompleteStep {
        id,
        work,
        stage: work.stage(),
        target: step.target(),
        needs,
        reason,
        change,
        when: when.as_ref(),
        once: work.properties().once,
        destructive: work.destroys(),
        undo: work.properties().undo,
        deadline_s: work.deadline_s(),
    }
}
