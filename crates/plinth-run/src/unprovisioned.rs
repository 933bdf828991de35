//! Whether nothing of Kubernetes is on any node of a site, seen without an engine and without the service account: nodes that BCM
//! re-provisioned have neither.

use crate::awaited::Awaited;
use crate::behaviour::StepEnv;
use crate::steps::node::account;
use crate::survey::check_host_key;
use futures::stream::{self, StreamExt as _};
use plinth_model::steps::Credential;
use plinth_model::{Finding, NodeName};
use plinth_plan::Visit;
use plinth_world::ClientError;
use plinth_world::node::Leftovers;

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Provisioned {
    /// The nodes of which it is not certain: something of Kubernetes is there, or it could not be seen.
    pub nodes: Vec<NodeName>,
    /// Host keys that were never seen before, and are pinned now.
    pub pinned: Vec<Finding>,
}

/// Looks at all nodes, at most `parallel` at a time; `awaited` knows which of them have not answered yet. Host keys that were never seen
/// are pinned.
pub async fn provisioned(visits: &[Visit], env: &StepEnv, parallel: usize, awaited: &Awaited) -> Provisioned {
    let looks = visits.iter().map(|visit| async move {
        let node = &visit.first.node;
        (node.clone(), awaited.during(node.as_str(), look(visit, env)).await)
    });
    let looks: Vec<(NodeName, Look)> = stream::iter(looks).buffer_unordered(parallel.max(1)).collect().await;
    let mut seen = Provisioned::default();
    for (node, look) in looks {
        seen.pinned.extend(look.pinned);
        if !look.left.is_some_and(|left| left.running.is_empty() && left.left.is_empty()) {
            seen.nodes.push(node);
        }
    }
    seen
}

/// What one node told.
#[derive(Default)]
struct Look {
    pinned: Option<Finding>,
    /// What is left there; none when that could not be seen.
    left: Option<Leftovers>,
}

async fn look(visit: &Visit, env: &StepEnv) -> Look {
    let pinned = match check_host_key(&visit.first, env).await {
        Ok((_, finding)) if !finding.as_ref().is_some_and(Finding::is_error) => finding,
        _ => return Look::default(),
    };
    match read(visit, env).await {
        Ok(left) => Look { pinned, left: Some(left) },
        Err(error) => {
            tracing::info!(node = %visit.first.node, %error, "what is left of Kubernetes could not be seen");
            Look { pinned, left: None }
        }
    }
}

/// With the service account, or with the first-contact login where that account is not there.
async fn read(visit: &Visit, env: &StepEnv) -> Result<Leftovers, ClientError> {
    let Visit { first, account, .. } = visit;
    if let Credential::Key(key) = &account.credential
        && account::is_there(env, key)
    {
        match env.clients.node.leftovers(&env.ctx, account).await {
            Err(error) if error.transient.is_none() => {}
            answer => return answer,
        }
    }
    env.clients.node.leftovers(&env.ctx, first).await
}
