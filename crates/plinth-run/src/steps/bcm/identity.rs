//! The BCM that answers is the one the inventory came from.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, done, only_looks};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::BcmIdentity;
use plinth_model::{Finding, Owner, Step};
use plinth_world::ClientError;
impl StepKind for BcmIdentity {
    const EXPLANATION: Explanation = Explanation {
        kind: BcmIdentity::KIND,
        title: "The BCM that answers is the one the inventory came from.",
        probe: "Asks BCM for its head nodes. All head nodes of the inventory must be among them.",
        act: Explanation::ONLY_LOOKS,
    };

    /// Every head node of the inventory must be among those that answer now; a further one (a second head node was added) is fine.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { endpoint, head_nodes: wanted } = self;
        if wanted.is_empty() {
            let finding = Finding::error(
                code::BCM_IDENTITY_UNKNOWN,
                endpoint,
                "the inventory names no head node to compare with",
            )
            .fix("run `plinth discover` against this BCM, and make the plan again");
            return blocked(finding);
        }
        let answered = env.clients.bcm.identity(&env.ctx).await?;
        let missing: Vec<&str> =
            wanted.iter().filter(|id| !answered.head_nodes.contains(id)).map(String::as_str).collect();
        if missing.is_empty() {
            return done(format!("head nodes {} answer", answered.names.join(", ")));
        }
        let finding = Finding::error(
            code::BCM_OTHER_SYSTEM,
            endpoint,
            "another BCM answers than the one the inventory came from",
        )
        .owner(Owner::BcmAdmin)
        .evidence(format!("head nodes of the inventory that do not answer: {}", missing.join(", ")))
        .evidence(format!("answered: {} ({})", answered.names.join(", "), answered.head_nodes.join(", ")))
        .fix("check inventory.bcm.endpoint; if BCM was reinstalled, run `plinth discover` and make a new plan");
        blocked(finding)
    }

    async fn act(&self, step: &Step, _: &StepEnv) -> Result<String, ClientError> {
        Err(only_looks(step))
    }
}
