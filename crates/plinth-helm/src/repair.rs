//! What an attempt before left behind. helm refuses to touch a release that a killed one left pending, skips the hooks of an installation
//! when the first attempt failed, and knows no upgrade of a release whose uninstallation was broken off. What failed stays as a record.

use crate::failure;
use crate::local::LocalHelm;
use crate::mark::{ABANDONED, Note};
use crate::payload;
use crate::records::{FAILED, UNINSTALLING, Way, is_open, too_many, way};
use jiff::{SignedDuration, Timestamp};
use plinth_model::ReleaseName;
use plinth_world::helm::ReleaseRecord;
use plinth_world::{ClientResult, Context};
use std::time::Duration;

fn said_by_a_person(record: &ReleaseRecord) -> bool {
    record.labels.iter().any(|(key, value)| key == ABANDONED && *value == record.revision.to_string())
}

impl LocalHelm {
    /// Refuses a release that another helm may be at work on: a helm of ours that lives, whether it has written anything yet or not;
    /// and a record that is open, unless it is of a helm of ours that is gone, is open for longer than any operation takes, or a
    /// person says that nobody is at work on it.
    pub(super) fn must_be_free(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        records: &[ReleaseRecord],
        limit: Duration,
        doing: &str,
    ) -> ClientResult<()> {
        let unseen = |error| failure::local(doing, failure::UNSEEN, &error);
        let note = Note::read(&self.state, release).map_err(unseen)?;
        if let Some(process) = note.as_ref().map_or(Ok(None), Note::lives).map_err(unseen)? {
            return Err(failure::ours_lives(doing, release, process));
        }
        let Some(last) = records.last().filter(|last| is_open(last)) else { return Ok(()) };
        let until = self.nobodys_from(last, limit);
        let ours = note.is_some_and(|note| note.made(last));
        if ours || said_by_a_person(last) || ctx.clock().now() >= until {
            return Ok(());
        }
        Err(failure::in_use(doing, release, last, until))
    }

    /// When an open operation of whoever it may be is nobody's any more. Its own limit is not known; ours may have been raised.
    fn nobodys_from(&self, last: &ReleaseRecord, limit: Duration) -> Timestamp {
        let patience = SignedDuration::try_from(self.abandoned.max(limit)).unwrap_or(SignedDuration::MAX);
        last.written.checked_add(patience).unwrap_or(Timestamp::MAX)
    }

    /// Makes a free release one that helm can upgrade or install; says what was done. No record goes but those that are too many.
    pub(super) async fn repair(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        records: &[ReleaseRecord],
        limit: Duration,
    ) -> ClientResult<Vec<String>> {
        let Some(last) = records.last() else { return Ok(Vec::new()) };
        if last.status == UNINSTALLING {
            let said = format!("{release} was {UNINSTALLING} since {}: that was brought to its end", last.written);
            ctx.progress(0, 0, said.clone());
            self.uninstall_all(ctx, release, limit).await?;
            return Ok(vec![said]);
        }
        let anew = way(records) == Way::Anew;
        let open: Vec<&ReleaseRecord> = records.iter().rev().take_while(|record| is_open(record)).collect();
        if open.is_empty() && !anew {
            return Ok(Vec::new());
        }
        let said = told(release, last, anew);
        ctx.progress(0, 0, said.clone());
        // The newest goes last: until then helm still sees that something is wrong.
        for record in open.into_iter().rev() {
            self.mark_failed(ctx, release, record).await?;
        }
        if anew {
            for record in too_many(records) {
                self.cluster.remove_record(ctx, release, record).await?;
            }
        }
        Ok(vec![said])
    }

    /// helm would have written it, had it not been killed. What it did stays to be seen.
    async fn mark_failed(&self, ctx: &Context, release: &ReleaseName, record: &ReleaseRecord) -> ClientResult<()> {
        let doing = format!("marking revision {} of {release} {FAILED}", record.revision);
        let Some(content) = self.cluster.content(ctx, release, record.revision).await? else { return Ok(()) };
        let said = format!("it was {} and broken off, says plinth", record.status);
        let content = payload::with_status(&content, &release.name, FAILED, &said)
            .map_err(|why| failure::unreadable(&doing, release, record.revision, &why))?;
        self.cluster.rewrite_record(ctx, release, record, FAILED, &content).await
    }
}

fn told(release: &ReleaseName, last: &ReleaseRecord, anew: bool) -> String {
    let ReleaseRecord { revision, status, written, .. } = last;
    if !anew {
        return format!(
            "revision {revision} of {release}, {status} since {written}, was broken off: helm goes on from the one before"
        );
    }
    let what = if status == FAILED { "failed" } else { "was broken off" };
    format!(
        "the installation of {release} {what} (revision {revision}, {status} since {written}): it starts over, and takes over what is there"
    )
}
