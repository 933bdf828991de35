//! What the records of a release say: whether helm is at work on it, and how helm goes on from them.

use plinth_world::helm::{DEPLOYED, ReleaseRecord, SUPERSEDED};

pub(super) const UNINSTALLING: &str = "uninstalling";

pub(super) const FAILED: &str = "failed";

/// Records before one more is made.
const KEPT: usize = 9;

/// Whether helm is at work on it, or was.
pub(super) fn is_open(record: &ReleaseRecord) -> bool {
    record.status.starts_with("pending-") || record.status == UNINSTALLING
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
pub(super) fn too_many(records: &[ReleaseRecord]) -> &[ReleaseRecord] {
    &records[..records.len().saturating_sub(KEPT)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn records(statuses: &[&str]) -> Vec<ReleaseRecord> {
        let record = |(at, status): (u32, &&str)| ReleaseRecord {
            revision: at,
            status: (*status).to_owned(),
            written: Timestamp::UNIX_EPOCH,
            labels: Vec::new(),
            state: String::new(),
            settled: None,
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
