//! Whether a control plane has just been installed.

use crate::behaviour::StepEnv;
use plinth_model::ReleaseName;
use plinth_world::{ClientError, deadlines};
use std::time::Duration;

/// Whether the release is in its first revision and no older than a control plane takes to make its administrator. One that was installed anew
/// knows nothing of what an earlier one was told.
pub(super) async fn is_new(env: &StepEnv, release: Option<&ReleaseName>) -> Result<bool, ClientError> {
    let Some(ReleaseName { namespace, name }) = release else { return Ok(false) };
    let there = env.clients.helm.release(&env.ctx, namespace, name).await?;
    let age = |since| Duration::try_from(env.ctx.clock().now().duration_since(since)).unwrap_or_default();
    Ok(there.is_some_and(|there| there.revision == 1 && age(there.since) < deadlines::RUNAI_NEW))
}
