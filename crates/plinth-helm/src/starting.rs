//! helm and an API server that has just started. Such a server refuses what it would grant seconds later, and it names only a part of its
//! kinds, by which charts decide what they are made of. So helm is not started before the server is ready, and what it refused all the same,
//! because it was started again under a helm at work, is not its last word.

use crate::failure::{self, is_refused};
use crate::local::{HelmCluster, LocalHelm};
use plinth_model::ReleaseName;
use plinth_world::kube::Readiness;
use plinth_world::{ClientResult, Context, deadlines};

/// Waits until helm can be started.
///
/// # Errors
/// When the API server does not become ready in the time that one needs to start.
pub(super) async fn ready(
    ctx: &Context,
    cluster: &dyn HelmCluster,
    release: &ReleaseName,
    doing: &str,
) -> ClientResult<()> {
    match cluster.readiness(ctx).await? {
        Readiness::IsNot => Err(failure::not_ready(doing, release)),
        Readiness::Is | Readiness::Became | Readiness::Untold => Ok(()),
    }
}

impl LocalHelm {
    /// Does what starts helm, and once more when the API server refused something: it may have been started again meanwhile. It looks at
    /// what is there first each time, so what was half done is gone on with.
    ///
    /// # Errors
    /// As for the work.
    pub(super) async fn refused_twice<T, F>(&self, ctx: &Context, work: impl Fn() -> F + Send + Sync) -> ClientResult<T>
    where
        F: Future<Output = ClientResult<T>> + Send,
        T: Send,
    {
        let (until, mut was_ready) = (ctx.clock().elapsed() + deadlines::KUBE_STARTS, false);
        loop {
            let error = match work().await {
                Err(error) if is_refused(&error) => error,
                other => return other,
            };
            match self.cluster.readiness(ctx).await? {
                Readiness::Is if was_ready => return Err(error),
                Readiness::Became if ctx.clock().elapsed() > until => return Err(failure::may_pass(error)),
                Readiness::Is | Readiness::Became => was_ready = true,
                Readiness::IsNot => return Err(failure::may_pass(error)),
                Readiness::Untold => return Err(error),
            }
            ctx.progress(
                0,
                0,
                format!("once more, since an API server that has just started has no last word: {}", error.happened),
            );
        }
    }
}
