//! The copy that a move of containerd's data left.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::NodeStorageOld;
use plinth_world::ClientError;
use plinth_world::node::StorageState;
impl StepKind for NodeStorageOld {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeStorageOld::KIND,
        title: "The old copy of container images takes no space.",
        probe: "Sees whether a copy is left beside the old place. Images must live at the larger place, and containerd must work.",
        act: "Removes the old copy. It comes after the journal recorded that the move succeeded.",
    };

    /// Whether the old copy is gone.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, from, to } = self;
        match env.clients.node.storage(&env.ctx, target, from, to).await? {
            StorageState::New { old_copy_mib: None } => done(format!("no old copy beside {from}")),
            StorageState::New { old_copy_mib: Some(mib) } => todo(format!("- old copy beside {from}, {mib} MiB")),
            StorageState::Old | StorageState::Begun(_) => todo(format!("- {from} as it was, once images live in {to}")),
        }
    }

    /// Removes the old copy.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, from, to } = self;
        env.clients.node.remove_old_storage(&env.ctx, target, from, to).await?;
        Ok(format!("old copy beside {from} removed"))
    }
}
