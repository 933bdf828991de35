//! The move of containerd's data to the larger partition.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::NodeStorage;
use plinth_world::ClientError;
use plinth_world::node::StorageState;
impl StepKind for NodeStorage {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeStorage::KIND,
        title: "Container images live on a partition that is large enough.",
        probe: "Sees whether the data already lives at the larger place.",
        act: "Stops containerd, moves its data without losing any, starts it again. An interrupted move is resumed or rolled back.",
    };

    /// Whether images live at the larger place.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, from, to } = self;
        match env.clients.node.storage(&env.ctx, target, from, to).await? {
            StorageState::New { .. } => done(format!("images live in {to}")),
            StorageState::Old => todo(format!("~ images {from} → {to}")),
            StorageState::Begun(stage) => todo(format!("~ images {from} → {to}; a move was begun: {stage}")),
        }
    }

    /// Moves images.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, from, to } = self;
        env.clients.node.relocate_storage(&env.ctx, target, from, to).await?;
        Ok(format!("images moved from {from} to {to}"))
    }
}
