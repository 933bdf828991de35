//! Small jobs on nodes: fixing what checking them found, and trusting their host keys.

use crate::failure::Failure;
use crate::failure::client_problem;
use crate::operation::{Discovered, Operation, Planned};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use globset::Glob;
use plinth_model::Problem;
use plinth_model::steps::{NodeTarget, NodeTrust};
use plinth_plan::{Cluster, Member, Observed};
use plinth_run::survey::Survey;
use plinth_world::node::{HostKey, HostKeyState};

/// A node, and its host key before and now.
pub type NodeKey = (NodeTarget, HostKeyState);

impl Operation<'_> {
    /// A plan that fixes what checking the nodes found to be safe to fix, with the login that answered.
    ///
    /// # Errors
    /// When the plan is flawed, which is our bug.
    pub fn plan_fixes(&self, discovered: &Discovered, survey: &Survey) -> Result<Planned, Failure> {
        let observed = Observed::new(discovered.inventory.clone());
        let fixes =
            survey.fixes.iter().filter_map(|(node, fix)| Some((survey.told.get(node)?.login.clone(), fix.clone())));
        let plan = plinth_plan::fixes(self.desired(), &observed, &self.input().catalog, fixes.collect());
        let plan = plan.map_err(|findings| self.input().rejected_after_contact(findings))?;
        Ok(self.planned(plan, &discovered.cluster, "preflight --fix"))
    }

    /// A plan that pins the keys which nodes present now, and which a person compared. Keys that are pinned already are left out.
    ///
    /// # Errors
    /// When the plan is flawed, which is our bug.
    pub fn plan_trust(&self, discovered: &Discovered, keys: Vec<NodeKey>) -> Result<Planned, Failure> {
        let observed = Observed::new(discovered.inventory.clone());
        let new = keys.into_iter().filter(|(_, key)| key.pinned.as_ref() != Some(&key.presented));
        let trust = new.map(|(target, key)| {
            let HostKey { algorithm, fingerprint } = key.presented;
            NodeTrust { target, algorithm, fingerprint }
        });
        let plan = plinth_plan::trust(self.desired(), &observed, &self.input().catalog, trust.collect());
        let plan = plan.map_err(|findings| self.input().rejected_after_contact(findings))?;
        Ok(self.planned(plan, &discovered.cluster, "trust"))
    }

    /// The host keys that nodes present now, with those that are pinned. Nodes are given by name or glob; each must match something.
    ///
    /// # Errors
    /// When a name matches no node of the site, or a node does not answer.
    pub async fn host_keys(&self, discovered: &Discovered, wanted: &[String]) -> Result<Vec<NodeKey>, Failure> {
        let targets = targets(self, &discovered.cluster, wanted)?;
        let env = self.env()?;
        let key = async |target: NodeTarget| {
            let state = env.clients.node.host_key(&env.ctx, &target).await;
            state.map(|state| (target, state))
        };
        let keys = stream::iter(targets).map(key).buffered(self.desired().run.parallel.max(1));
        let keys: Vec<NodeKey> = keys.try_collect().await.map_err(|error| client_problem(&error))?;
        Ok(keys)
    }
}

/// Members by name or glob, each once, with the first-contact login.
fn targets(operation: &Operation<'_>, cluster: &Cluster, wanted: &[String]) -> Result<Vec<NodeTarget>, Problem> {
    let mut chosen: Vec<&Member> = Vec::new();
    for pattern in wanted {
        let glob = Glob::new(pattern).map_err(|error| unknown(pattern, &error.to_string()))?.compile_matcher();
        let matching = |member: &&Member| glob.is_match(member.name.as_str());
        let found: Vec<&Member> = cluster.members.iter().filter(matching).collect();
        if found.is_empty() {
            return Err(unknown(pattern, "no node of the site matches"));
        }
        for member in found {
            if !chosen.iter().any(|known| known.name == member.name) {
                chosen.push(member);
            }
        }
    }
    Ok(chosen.into_iter().map(|member| Cluster::first_contact(operation.desired(), member)).collect())
}

fn unknown(pattern: &str, happened: &str) -> Problem {
    Problem::while_doing("choosing nodes by")
        .to(format!("`{pattern}`"))
        .wrong_input(happened)
        .try_this("`plinth discover` lists the nodes")
}
