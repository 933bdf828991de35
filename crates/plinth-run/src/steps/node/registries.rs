//! Registry mirrors and logins of a node.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{amounts, compared};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::NodeRegistries;
use plinth_world::ClientError;
use plinth_world::node::Registries;

impl StepKind for NodeRegistries {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeRegistries::KIND,
        title: "Registry mirrors and logins are in place, and the registries answer from the node.",
        probe: "Compares containerd's registry files and asks the registries.",
        act: "Writes mirrors and logins.",
    };

    /// Mirrors and logins in place, registries reachable.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let (target, wanted) = (&self.target, &registries(self));
        match env.clients.node.registries(&env.ctx, target, wanted).await? {
            Some(differences) => Ok(compared(differences, || format!("{} in place", counted(wanted)))),
            None => Ok(compared(additions(wanted), || format!("{} in place", counted(wanted)))),
        }
    }

    /// Writes mirrors and logins.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let (target, wanted) = (&self.target, &registries(self));
        env.clients.node.set_registries(&env.ctx, target, wanted).await?;
        Ok(format!("{} written", counted(wanted)))
    }
}

/// Everything that is wanted, as differences to nothing.
fn additions(wanted: &Registries<'_>) -> Vec<String> {
    let mirrors = wanted.mirrors.iter().map(|m| format!("+ mirror {} → {}", m.registry, m.endpoints.join(", ")));
    let logins = wanted.logins.iter().map(|l| format!("+ login {} as {}", l.registry, l.username));
    mirrors.filter(|_| !wanted.mirrors_by_engine).chain(logins).collect()
}

fn counted(wanted: &Registries<'_>) -> String {
    amounts([(wanted.mirrors.len(), "mirror"), (wanted.logins.len(), "login")])
}

fn registries(params: &NodeRegistries) -> Registries<'_> {
    let NodeRegistries { mirrors, mirrors_by_engine, logins, .. } = params;
    Registries { mirrors, mirrors_by_engine: *mirrors_by_engine, logins }
}
