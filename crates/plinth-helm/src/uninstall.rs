//! helm's own uninstallation of a release.

use crate::failure::CLIENT;
use crate::local::LocalHelm;
use crate::mark::Attempt;
use crate::process::{self, Job};
use crate::program::Words;
use plinth_model::ReleaseName;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use std::time::Duration;

impl LocalHelm {
    /// Uninstalls it, if it is there and nobody else is at work on it.
    pub(super) async fn taken_away(&self, ctx: &Context, release: &ReleaseName, limit: Duration) -> ClientResult<()> {
        let records = self.records(ctx, release).await?;
        if records.is_empty() {
            return Ok(());
        }
        self.must_be_free(ctx, release, &records, limit, &format!("uninstalling release {release}"))?;
        self.uninstall_all(ctx, release, limit).await
    }

    /// Runs helm's own uninstallation.
    pub(super) async fn uninstall_all(&self, ctx: &Context, name: &ReleaseName, limit: Duration) -> ClientResult<()> {
        let doing = format!("uninstalling release {name}");
        let program = self.program.program(ctx).await?;
        let newest = self.records(ctx, name).await?.last().map_or(0, |last| last.revision);
        let job = Job {
            program: &program,
            release: name,
            words: Words::uninstall(program.major, name, &self.kubeconfig, limit),
            input: None,
            limit: limit + deadlines::HELM_MARGIN,
            state: &self.state,
            title: "helm uninstall",
            doing: &doing,
            attempt: Attempt::to_uninstall(newest, ctx.clock().now()),
        };
        process::run(ctx, job, &*self.cluster, &self.secrets).await?;
        if let Some(left) = self.records(ctx, name).await?.last() {
            let happened = format!("helm says that it is gone, and its revision {} is still there", left.revision);
            return Err(ClientError::new(CLIENT, doing).happened(happened).attempt("run again"));
        }
        Ok(())
    }
}
