//! What hooks wrote, kept beside helm's own words: the reason of a Job that failed goes with the Job.

use crate::kept::{LOGS, LOGS_KEPT};
use crate::local::{HelmCluster, LocalHelm};
use plinth_model::steps::Release;
use plinth_world::Context;
use plinth_world::program_log::{LOG_TIME, ProgramLog};
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

impl LocalHelm {
    /// Keeps what Jobs of an earlier attempt left before they are removed; answers where, for people.
    pub(super) async fn keep_words(&self, ctx: &Context, release: &Release, jobs: &[String]) -> String {
        let name = format!("{}-{}-earlier.log", ctx.clock().now().strftime(LOG_TIME), release.release);
        let log = match ProgramLog::begin(&self.state.join(LOGS), &name, LOGS_KEPT) {
            Ok(log) => log,
            Err(error) => return format!("what it left could not be kept ({error})"),
        };
        let lines = left(ctx, &*self.cluster, &release.namespace, Some(jobs), &log, &self.secrets).await;
        match lines.last().filter(|line| line.starts_with("what hooks wrote could not be read")) {
            Some(why) => why.clone(),
            None => format!("what it left is in {}", log.path().display()),
        }
    }
}
