//! What an attempt before left behind. helm refuses to touch a release that a killed one left pending, skips the hooks of an installation
//! when the first attempt failed, and knows no upgrade of a release whose uninstallation was broken off. What failed stays as a record.

use crate::client::LocalHelm;
use crate::failure;
use crate::mark::{ABANDONED, Note};
use crate::payload;
use jiff::{SignedDuration, Timestamp};
use plinth_model::ReleaseName;
use plinth_world::helm::{DEPLOYED, ReleaseRecord, SUPERSEDED};
use plinth_world::{ClientResult, Context};
use std::time::Duration;

pub(super) const UNINSTALLING: &str = "uninstalling";
const FAILED: &str = "failed";
/// Records before one more is made.
const KEPT: usize = 9;

fn said_by_a_person(record: &ReleaseRecord) -> bool {
    record.labels.iter().any(|(key, value)| key == ABANDONED && *value == record.revision.to_string())
}

/// Whether helm is at work on it, or was.
pub(super) fn is_open(record: &ReleaseRecord) -> bool {
    record.status.starts_with("pending-") || record.status == UNINSTALLING
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
        let note = Note::read(&self.state, release);
        if let Some(process) = note.as_ref().and_then(Note::lives) {
            return Err(failure::ours_lives(doing, release, process));
        }
        let Some(last) = records.last().filter(|last| is_open(last)) else { return Ok(()) };
        let until = self.nobodys_from(last, limit);
        let ours = note.is_some_and(|note| note.attempt.made(last));
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

/// How helm is told to go on from a release whose open records are marked as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `helm upgrade --install`.
    Upgrade,
    /// `helm install --replace`: nothing of it was ever deployed, and helm would call it an upgrade, which does not run the hooks of
    /// an installation. What failed before stays as evidence; objects stay: helm takes over those that carry its marks of this release.
    Anew,
}

pub(super) fn way(records: &[ReleaseRecord]) -> Way {
    let since = since_uninstalled(records);
    let was_deployed = since.iter().any(|record| record.status == DEPLOYED || record.status == SUPERSEDED);
    let ends = since.last().is_none_or(|last| last.status == UNINSTALLING);
    if was_deployed || ends { Way::Upgrade } else { Way::Anew }
}

/// The revision whose objects helm removes when an upgrade has them no more: the newest that was installed to its end, and only without
/// such a one the newest of all. An installation removes none.
pub(super) fn compared_by_helm(records: &[ReleaseRecord]) -> Option<&ReleaseRecord> {
    if way(records) == Way::Anew {
        return None;
    }
    let since = since_uninstalled(records);
    let last = since.last().filter(|last| last.status != UNINSTALLING)?;
    Some(since.iter().rev().find(|record| record.status == DEPLOYED).unwrap_or(last))
}

/// What came after the last uninstallation that kept its history.
fn since_uninstalled(records: &[ReleaseRecord]) -> &[ReleaseRecord] {
    records.rsplit(|record| record.status == "uninstalled").next().unwrap_or_default()
}

/// An upgrade leaves ten revisions, helm's own number; an installation counts none.
fn too_many(records: &[ReleaseRecord]) -> &[ReleaseRecord] {
    &records[..records.len().saturating_sub(KEPT)]
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn records(statuses: &[&str]) -> Vec<ReleaseRecord> {
        let record = |(at, status): (u32, &&str)| ReleaseRecord {
            revision: at,
            status: (*status).to_owned(),
            written: Timestamp::UNIX_EPOCH,
            labels: Vec::new(),
            state: String::new(),
        };
        (1..).zip(statuses).map(record).collect()
    }

    #[test]
    fn helm_goes_on_from_what_was_deployed_or_begins_anew() {
        // What is there, the way, and the revision that helm compares with.
        let cases: [(&[&str], Way, Option<u32>); 13] = [
            (&[], Way::Upgrade, None),
            (&["deployed"], Way::Upgrade, Some(1)),
            (&["superseded", "deployed", "failed"], Way::Upgrade, Some(2)),
            (&["superseded", "deployed", "pending-upgrade"], Way::Upgrade, Some(2)),
            (&["deployed", "failed", "pending-rollback"], Way::Upgrade, Some(1)),
            // helm was killed between the two writes at its end.
            (&["superseded", "pending-upgrade"], Way::Upgrade, Some(2)),
            (&["pending-install"], Way::Anew, None),
            (&["failed"], Way::Anew, None),
            (&["failed", "failed", "pending-upgrade"], Way::Anew, None),
            (&["superseded", "uninstalled"], Way::Upgrade, None),
            (&["superseded", "uninstalled", "failed"], Way::Anew, None),
            (&["deployed", "uninstalling"], Way::Upgrade, None),
            (&["uninstalling"], Way::Upgrade, None),
        ];
        for (statuses, want, compared) in cases {
            let records = records(statuses);
            assert_eq!(way(&records), want, "{statuses:?}");
            assert_eq!(compared_by_helm(&records).map(|record| record.revision), compared, "{statuses:?}");
        }
    }

    #[test]
    fn installations_that_fail_again_and_again_leave_a_bounded_history() {
        let many = records(&["failed"; 14]);
        let gone: Vec<u32> = too_many(&many).iter().map(|record| record.revision).collect();
        assert_eq!(gone, [1, 2, 3, 4, 5]);
        assert!(too_many(&many[..9]).is_empty() && too_many(&[]).is_empty());
    }
}
