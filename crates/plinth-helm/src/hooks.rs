//! What hooks wrote, kept beside helm's own words: the reason of a Job that failed goes with the Job.

use crate::local::HelmCluster;
use plinth_world::Context;
use plinth_world::program_log::ProgramLog;
use plinth_world::secrets::Secrets;
use std::sync::Arc;

/// Writes into the log what Jobs of hooks in the namespace left: those of these names, or those that did not complete. Answers the last
/// lines of it, without secrets; nothing when they left nothing. That it cannot be read is no second failure: it is told.
pub(super) async fn left(
    ctx: &Context,
    cluster: &dyn HelmCluster,
    namespace: &str,
    names: Option<&[String]>,
    log: &ProgramLog,
    secrets: &Arc<dyn Secrets>,
) -> Vec<String> {
    match cluster.jobs_said(ctx, namespace, names).await {
        Ok(text) => log.clone().take(Some(text.as_bytes()), Arc::clone(secrets)).await,
        Err(error) => vec![format!("what hooks wrote could not be read: {}", error.happened)],
    }
}
