//! What Kubernetes needs of a node, and the engine does not do itself.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::compared;
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::amount;
use plinth_model::steps::NodePrepare;
use plinth_world::ClientError;
impl StepKind for NodePrepare {
    const EXPLANATION: Explanation = Explanation {
        kind: NodePrepare::KIND,
        title: "The node has what Kubernetes needs and the engine does not do itself.",
        probe: "Compares names in /etc/hosts, kernel modules and settings, swap and the time service.",
        act: "Writes what differs, now and for the next restart.",
    };

    /// What the node lacks.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, wanted } = self;
        let differences = env.clients.node.preparation(&env.ctx, target, wanted).await?;
        Ok(compared(differences, || "prepared already".to_owned()))
    }

    /// Prepares the node.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, wanted } = self;
        env.clients.node.prepare(&env.ctx, target, wanted).await?;
        let mut done = Vec::new();
        let mut say = |count: usize, noun: &str, done_to: &str| {
            if count > 0 {
                done.push(amount(count, noun) + done_to);
            }
        };
        say(wanted.hosts.len(), "name", " in /etc/hosts");
        say(wanted.modules.len(), "kernel module", " loaded");
        say(wanted.sysctls.len(), "kernel setting", " made");
        done.extend(wanted.swap_off.then(|| "swap off".to_owned()));
        done.extend(wanted.time_service.then(|| "time service".to_owned()));
        Ok(done.join(", "))
    }
}
