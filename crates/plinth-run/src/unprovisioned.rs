//! Whether nothing of Kubernetes is on any node of a site, seen without an engine and without the service account: nodes that BCM
//! re-provisioned have neither.

use crate::awaited::Awaited;
use crate::behaviour::StepEnv;
use crate::steps::node::account;
use crate::survey::check_host_key;
use futures::stream::{self, StreamExt as _};
use plinth_model::NodeName;
use plinth_model::steps::Credential;
use plinth_plan::Visit;
use plinth_world::ClientError;
use plinth_world::node::Leftovers;

/// The nodes of which that is not certain: something of Kubernetes is there, or it could not be seen. Host keys that were never seen are
/// pinned. Nodes are asked at the same time, at most `parallel`; `awaited` knows which of them have not answered yet.
pub async fn provisioned(visits: &[Visit], env: &StepEnv, parallel: usize, awaited: &Awaited) -> Vec<NodeName> {
    let looks = visits.iter().map(|visit| async move {
        let look = awaited.during(visit.first.node.as_str(), left(visit, env)).await;
        let is_empty = look.is_some_and(|left| left.running.is_empty() && left.left.is_empty());
        (!is_empty).then(|| visit.first.node.clone())
    });
    stream::iter(looks).buffer_unordered(parallel.max(1)).filter_map(|node| async { node }).collect().await
}

/// What is left on a node; none when that could not be seen.
async fn left(visit: &Visit, env: &StepEnv) -> Option<Leftovers> {
    let (_, key) = check_host_key(&visit.first, env).await.ok()?;
    if key.is_some_and(|finding| finding.is_error()) {
        return None;
    }
    match read(visit, env).await {
        Ok(left) => Some(left),
        Err(error) => {
            tracing::info!(node = %visit.first.node, %error, "what is left of Kubernetes could not be seen");
            None
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
