//! Since when a control plane is there, and whether it is new.

use crate::behaviour::StepEnv;
use jiff::Timestamp;
use plinth_model::ReleaseName;
use plinth_world::{ClientError, deadlines};
use std::time::Duration;

/// When the release was installed. One that was taken away and installed anew knows nothing of what the one before was told. An upgrade and a
/// rollback change nothing about it; a second try of a first installation is an installation of its own, with a time of its own. None: it is
/// not there, or not installed by plinth.
pub(in crate::steps) async fn installed(
    env: &StepEnv,
    release: Option<&ReleaseName>,
) -> Result<Option<Timestamp>, ClientError> {
    let Some(ReleaseName { namespace, name }) = release else { return Ok(None) };
    let there = env.clients.helm.release(&env.ctx, namespace, name).await?;
    Ok(there.and_then(|there| there.first_deployed))
}

/// Whether it is no older than a control plane takes to make its administrator.
pub(in crate::steps) async fn is_new(env: &StepEnv, release: Option<&ReleaseName>) -> Result<bool, ClientError> {
    let age = |since| Duration::try_from(env.ctx.clock().now().duration_since(since)).unwrap_or_default();
    Ok(installed(env, release).await?.is_some_and(|since| age(since) < deadlines::RUNAI_NEW))
}
