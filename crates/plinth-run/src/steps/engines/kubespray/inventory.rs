//! Inventory and variables, as files.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::compared;
use crate::steps::{Explanation, StepKind};
use plinth_model::amount;
use plinth_model::steps::KubesprayInventory;
use plinth_model::{Digest, Step};
use plinth_world::ClientError;
impl StepKind for KubesprayInventory {
    const EXPLANATION: Explanation = Explanation {
        kind: KubesprayInventory::KIND,
        title: "Kubespray's inventory and variables are written as planned.",
        probe: "Compares the digest of every file.",
        act: "Writes the files, each as a whole.",
    };

    /// Every file is written with this content. Further files are left alone.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { files } = self;
        let written = env.clients.ansible.inventory(&env.ctx).await?;
        let difference = |(name, content): (&String, &String)| match written.get(name) {
            Some(digest) if *digest == Digest::of_bytes(content.as_bytes()) => None,
            Some(_) => Some(format!("~ {name}")),
            None => Some(format!("+ {name}")),
        };
        Ok(compared(files.iter().filter_map(difference).collect(), || {
            format!("{} as planned", amount(files.len(), "file"))
        }))
    }

    /// Writes the files.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { files } = self;
        env.clients.ansible.write_inventory(&env.ctx, files).await?;
        Ok(format!("{} written", amount(files.len(), "file")))
    }
}
