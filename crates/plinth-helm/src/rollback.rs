//! Going back to an earlier revision: `helm rollback`, which makes a new revision that is as the earlier one was.

use crate::crds;
use crate::failure;
use crate::local::LocalHelm;
use crate::mark::Attempt;
use crate::payload::Payload;
use crate::process::{self, Job};
use crate::program::Words;
use crate::records::UNINSTALLING;
use plinth_model::ReleaseName;
use plinth_world::helm::{DEPLOYED, ReleaseRecord, ReleaseState, SUPERSEDED};
use plinth_world::{ClientResult, Context, deadlines};
use std::time::Duration;

impl LocalHelm {
    /// All revisions that helm remembers.
    pub(super) async fn remembered(&self, ctx: &Context, release: &ReleaseName) -> ClientResult<Vec<ReleaseState>> {
        let doing = format!("reading the history of release {release}");
        let mut all = Vec::new();
        for record in self.records(ctx, release).await? {
            // One that went meanwhile is not remembered any more.
            let there = self.written(ctx, release, Some(&record), &doing).await?;
            all.extend(there.map(|there| ReleaseState {
                version: there.version.without_v(),
                status: record.status,
                revision: record.revision,
                since: record.written,
                first_deployed: there.first_deployed,
            }));
        }
        Ok(all)
    }

    /// The newest revision, and the one that is gone back to, with what is written in them.
    async fn both(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        (records, revision): (&[ReleaseRecord], u32),
        doing: &str,
    ) -> ClientResult<(Payload, Payload)> {
        let known: Vec<u32> = records.iter().filter(|record| worked(record)).map(|record| record.revision).collect();
        let target = records.iter().find(|record| record.revision == revision && worked(record));
        let goal = self.written(ctx, release, target, doing).await?;
        let newest = self.written(ctx, release, records.last(), doing).await?;
        newest.zip(goal).ok_or_else(|| failure::no_revision(doing, release, revision, &known))
    }

    pub(super) async fn unlike(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
    ) -> ClientResult<Vec<String>> {
        let doing = format!("comparing release {release} with its revision {revision}");
        let records = self.records(ctx, release).await?;
        let (newest, goal) = self.both(ctx, release, (&records, revision), &doing).await?;
        Ok(differences(records.last(), &newest, &goal))
    }

    pub(super) async fn go_back(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
        limit: Duration,
    ) -> ClientResult<Vec<String>> {
        let doing = format!("rolling release {release} back to revision {revision}");
        // It may be fetched, which takes time: what is there is looked at behind that.
        let program = self.program.program(ctx).await?;
        let records = self.records(ctx, release).await?;
        let (newest, goal) = self.both(ctx, release, (&records, revision), &doing).await?;
        if differences(records.last(), &newest, &goal).is_empty() {
            return Ok(Vec::new());
        }
        self.must_be_free(ctx, release, &records, limit, &doing)?;
        if records.last().is_some_and(|last| last.status == UNINSTALLING) {
            return Err(failure::is_uninstalled(&doing, release));
        }
        // helm removes what the newest revision has and the goal has not.
        crds::none_goes(ctx, &*self.cluster, release, (&newest.manifest, &goal.manifest), &doing).await?;
        let said = self.repair(ctx, release, &records, limit).await?;
        let next = records.last().map_or(1, |last| last.revision + 1);
        let job = Job {
            program: &program,
            release,
            words: Words::rollback(program.major, release, revision, &self.kubeconfig, limit),
            input: None,
            limit: limit + deadlines::HELM_MARGIN,
            state: &self.state,
            title: "helm rollback",
            doing: &doing,
            attempt: Attempt::to_roll_back(next, ctx.clock().now()),
        };
        process::run(ctx, job, &*self.cluster, &self.secrets).await?;
        Ok(said)
    }
}

fn worked(record: &ReleaseRecord) -> bool {
    record.status == DEPLOYED || record.status == SUPERSEDED
}

/// Values are named as a whole: they hold secrets.
fn differences(last: Option<&ReleaseRecord>, newest: &Payload, goal: &Payload) -> Vec<String> {
    let mut lines = Vec::new();
    if newest.version != goal.version {
        lines.push(format!("~ version {} → {}", newest.version.bare(), goal.version.bare()));
    }
    if let Some(last) = last.filter(|last| last.status != DEPLOYED) {
        lines.push(format!("~ status {} → {DEPLOYED}", last.status));
    }
    if newest.values != goal.values {
        lines.push("~ values as they were".to_owned());
    }
    if newest.manifest != goal.manifest {
        lines.push("~ objects as they were".to_owned());
    }
    lines
}
