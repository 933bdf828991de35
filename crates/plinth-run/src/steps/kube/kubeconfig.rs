//! A kubeconfig that works.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::Kubeconfig;
use plinth_world::ClientError;
use plinth_world::kube::HeldConfig;

impl StepKind for Kubeconfig {
    const EXPLANATION: Explanation = Explanation {
        kind: Kubeconfig::KIND,
        title: "A kubeconfig that works is in the state directory.",
        probe: "Uses it: its server must answer, and be the planned one.",
        act: "Fetches it from a control-plane node and sets its server address; kept with mode 0600.",
    };

    /// A kubeconfig that works is here and names this server.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { server, .. } = self;
        match env.clients.kube.kubeconfig(&env.ctx).await? {
            Some(HeldConfig { server: held, .. }) if held != *server => todo(format!("~ server {held} → {server}")),
            Some(HeldConfig { refused: Some(why), .. }) => todo(format!("~ kubeconfig: {why}")),
            Some(_) => done(format!("{server} answers")),
            None => todo(format!("+ kubeconfig for {server}")),
        }
    }

    /// Fetches the kubeconfig from a control-plane node.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, server } = self;
        env.clients.kube.fetch_kubeconfig(&env.ctx, target, server).await?;
        Ok(format!("kubeconfig fetched from {} for {server}", target.node))
    }
}
