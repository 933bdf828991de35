//! Names in the cluster's DNS.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::compared;
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::ClusterDns;
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use std::net::Ipv4Addr;

const CLIENT: &str = "kube";

impl StepKind for ClusterDns {
    const EXPLANATION: Explanation = Explanation {
        kind: ClusterDns::KIND,
        title: "The cluster's DNS leads the platform's name to its ingress address.",
        probe: "Asks the servers of the cluster's DNS, and reads the configuration of a cache on the nodes: what it has by itself and whom it asks. What pods get is proved by the check `dns`.",
        act: "Adds the name to the configuration of CoreDNS and of the cache on the nodes, marked as ours; another name that plinth put there goes. Then waits until they have read it. Better is the engine's own setting, which the inventory holds already.",
    };

    /// Servers and caches lead the name to exactly this address, and no other name is ours.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let entries = env.clients.kube.own_entries(&env.ctx).await?;
        let others = entries.iter().filter(|entry| self.own || **entry != self.name.as_str());
        let mut differences: Vec<String> = others.map(|entry| format!("- {entry}")).collect();
        let Some(address) = self.address else {
            return Ok(compared(differences, || "no name of plinth's is in the cluster's DNS".to_owned()));
        };
        let seen = env.clients.kube.look_up(&env.ctx, &self.name).await?;
        differences.extend(difference(&self.name, address, "", &seen.addresses));
        for (cache, addresses) in &seen.caches {
            differences.extend(difference(&self.name, address, &format!("{cache}: "), addresses));
        }
        let line = || format!("the cluster's DNS leads {} to {address}", self.name);
        Ok(compared(differences, line))
    }

    /// Puts the name in, takes others of ours out, and waits until the servers have read it.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let limit = wait::Limit::of(step, env);
        let entry = self.address.filter(|_| !self.own).map(|address| (self.name.as_str(), address));
        env.clients.kube.set_entry(&env.ctx, entry).await?;
        let line = wait::until(&limit, env, CLIENT, || self.probe(env), |seen| not_read(&self.name, seen)).await?;
        Ok(entry.map_or(line, |(name, address)| format!("{name} → {address} added to the cluster's DNS")))
    }
}

fn difference(name: &str, wanted: Ipv4Addr, place: &str, seen: &[Ipv4Addr]) -> Option<String> {
    if !seen.is_empty() && seen.iter().all(|seen| *seen == wanted) {
        return None;
    }
    if seen.is_empty() {
        return Some(format!("+ {place}{name} → {wanted}"));
    }
    let seen: Vec<String> = seen.iter().map(Ipv4Addr::to_string).collect();
    Some(format!("~ {place}{name}: {} → {wanted}", seen.join(", ")))
}

fn not_read(name: &str, seen: &[String]) -> Finding {
    let mut finding = Finding::error(
        code::DNS_NAME_DOES_NOT_RESOLVE,
        name,
        format!("the cluster's DNS does not lead {name} where it should"),
    );
    finding.evidence = seen.to_vec();
    finding.fix("look at the logs of CoreDNS (`kubectl logs -n kube-system -l k8s-app=kube-dns`): they say whether the configuration was read again, and why not; then run again")
}
