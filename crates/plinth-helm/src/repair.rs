//! What an attempt before left behind. helm refuses to touch a release that a killed one left pending, skips the hooks of an installation
//! when the first attempt failed, and knows no upgrade of a release whose uninstallation was broken off.

use crate::client::LocalHelm;
use crate::failure;
use crate::mark::Note;
use jiff::{SignedDuration, Timestamp};
use plinth_model::ReleaseName;
use plinth_world::helm::{DEPLOYED, ReleaseRecord};
use plinth_world::{ClientResult, Context};
use std::time::Duration;

const UNINSTALLING: &str = "uninstalling";
const FAILED: &str = "failed";

/// Label by which a person says that nobody is at work on an open record. Its value is the revision: helm hands labels on.
pub(super) const ABANDONED: &str = "plinth-abandoned";

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

    /// Makes a free release one that helm can upgrade or install; says what was done.
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
        let (gone, said) = given_up(release, records);
        if !gone.is_empty() {
            ctx.progress(0, 0, said.clone());
        }
        // The newest goes last: until then helm still sees that something is wrong.
        for record in gone.iter().copied() {
            self.cluster.remove_record(ctx, release, record).await?;
        }
        Ok(if gone.is_empty() { Vec::new() } else { vec![said] })
    }
}

/// Records that are removed so that helm goes on, and why. Objects stay: helm takes over those that carry its marks of this release.
/// - A pending revision of a release that was deployed once: helm goes on from the revision before, as it does after one that failed.
/// - Everything that failed or is pending when nothing was ever deployed: helm would upgrade then, and an upgrade does not run the
///   hooks of an installation.
fn given_up<'a>(release: &ReleaseName, records: &'a [ReleaseRecord]) -> (Vec<&'a ReleaseRecord>, String) {
    let is_pending = |record: &&ReleaseRecord| is_open(record) && record.status != UNINSTALLING;
    let was_deployed = records.iter().any(|record| record.status == DEPLOYED || record.status == "superseded");
    let Some(last) = records.last() else { return (Vec::new(), String::new()) };
    if was_deployed {
        // One further back disturbs nobody.
        let gone: Vec<&ReleaseRecord> = records.iter().rev().take_while(is_pending).collect();
        let said = format!(
            "revision {} of {release}, {} since {}, was broken off: helm goes on from the one before",
            last.revision, last.status, last.written
        );
        return (gone, said);
    }
    let gone = records.iter().filter(|record| is_pending(record) || record.status == FAILED).collect();
    let what = if last.status == FAILED { "failed" } else { "was broken off" };
    let said = format!(
        "the installation of {release} {what} ({} since {}): it begins anew, and takes over what is there",
        last.status, last.written
    );
    (gone, said)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_in_the_way_goes() {
        let release = ReleaseName { namespace: "n".into(), name: "a".into() };
        let cases: [(&[&str], &[u32], &str); 8] = [
            (&["deployed"], &[], ""),
            (&["superseded", "deployed", "failed"], &[], ""),
            (&["superseded", "deployed", "pending-upgrade"], &[3], "goes on from the one before"),
            (&["deployed", "failed", "pending-rollback"], &[3], "goes on from the one before"),
            (&["pending-install"], &[1], "begins anew"),
            (&["failed"], &[1], "failed (failed since"),
            (&["failed", "failed", "pending-upgrade"], &[1, 2, 3], "begins anew"),
            (&["uninstalled", "failed"], &[2], "begins anew"),
        ];
        for (statuses, want, words) in cases {
            let record = |(at, status): (u32, &&str)| ReleaseRecord {
                revision: at,
                status: (*status).to_owned(),
                written: Timestamp::UNIX_EPOCH,
                labels: Vec::new(),
                state: String::new(),
            };
            let records: Vec<ReleaseRecord> = (1..).zip(statuses).map(record).collect();
            let (gone, said) = given_up(&release, &records);
            assert_eq!(gone.iter().map(|record| record.revision).collect::<Vec<_>>(), want, "{statuses:?}");
            assert!(said.contains(words), "{statuses:?}: {said}");
        }
    }
}
