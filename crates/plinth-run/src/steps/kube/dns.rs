//! Names that pods resolve.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::ClusterDns;
use plinth_world::ClientError;
use std::net::Ipv4Addr;
impl StepKind for ClusterDns {
    const EXPLANATION: Explanation = Explanation {
        kind: ClusterDns::KIND,
        title: "Pods resolve the platform's name to its ingress address.",
        probe: "Asks the DNS of the pods.",
        act: "Adds the name to the cluster's DNS, marked as ours. Better is the engine's own setting, which the inventory holds already.",
    };

    /// Pods get exactly this address for the name.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { name, address } = self;
        let address = *address;
        let seen = env.clients.kube.resolve_in_pod(&env.ctx, name).await?;
        if !seen.is_empty() && seen.iter().all(|seen| *seen == address) {
            return done(format!("pods resolve {name} to {address}"));
        }
        if seen.is_empty() {
            return todo(format!("+ {name} → {address}"));
        }
        let seen: Vec<String> = seen.iter().map(Ipv4Addr::to_string).collect();
        todo(format!("~ {name}: {} → {address}", seen.join(", ")))
    }

    /// Puts the name into the cluster's DNS.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { name, address } = self;
        let address = *address;
        env.clients.kube.add_dns(&env.ctx, name, address).await?;
        Ok(format!("{name} → {address} added to the cluster's DNS"))
    }
}
