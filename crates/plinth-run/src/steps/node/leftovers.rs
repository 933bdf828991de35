//! What Kubernetes leaves on a node.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, refused};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::NodeLeftovers;
use plinth_model::{Finding, Step};
use plinth_world::ClientError;

const CLIENT: &str = "node";

impl StepKind for NodeLeftovers {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeLeftovers::KIND,
        title: "Nothing of Kubernetes is left on the node.",
        probe: "Looks for programs, directories, network links and packet filter chains. While a part of Kubernetes runs, nothing is taken away.",
        act: "Clears what Kubespray leaves behind. containerd, its images and other programs' files stay.",
    };

    /// Nothing of Kubernetes is left. What runs is named as well: before a removal that is no fault.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target } = self;
        let leftovers = env.clients.node.leftovers(&env.ctx, target).await?;
        let lines = leftovers.running.into_iter().chain(leftovers.left).map(|what| format!("- {what}")).collect();
        Ok(compared(lines, || "nothing of Kubernetes is left".to_owned()))
    }

    /// Clears what is left, if nothing of it runs: ending that is the removal's own work.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target } = self;
        let running = env.clients.node.leftovers(&env.ctx, target).await?.running.join(", ");
        if !running.is_empty() {
            let text = format!("{} still runs Kubernetes", target.node);
            let finding = Finding::error(code::NODE_KUBERNETES_RUNS, target.node.as_str(), text)
                .evidence(running)
                .fix("run the removal again; if it stays, stop these programs on the node");
            return Err(refused(CLIENT, format!("clearing leftovers of Kubernetes on {}", target.node), finding));
        }
        env.clients.node.clear_leftovers(&env.ctx, target).await?;
        Ok("nothing of Kubernetes is left".to_owned())
    }
}
