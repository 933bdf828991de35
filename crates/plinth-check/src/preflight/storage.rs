//! Room for images, and for what Kubernetes keeps beside them.

use super::{Case, Judged, Rule};
use plinth_model::facts::Space;
use plinth_model::finding::code;
use plinth_model::{Finding, HostPath};

pub(super) const RULES: &[Rule] = &[no_space, small_var, low_space, low_inodes];

/// kubelet puts pods out below 10 % free space of its own file system, 15 % of that with images, 5 % of inodes (Kubernetes
/// documentation, "Node-pressure Eviction", default hard thresholds).
const LEAST_FREE_PERCENT: u64 = 10;
const LEAST_FREE_IMAGES_PERCENT: u64 = 15;
const LEAST_INODES_PERCENT: u8 = 5;
/// etcd's default quota of 2 GiB (etcd documentation, "System limits") and the journal's cap of 4 GiB (systemd's journald.conf).
const VAR_GIB: u64 = 6;

/// Before Kubernetes only: afterwards its own images fill the space.
fn no_space(case: &Case<'_>) -> Option<Judged> {
    let (facts, expected) = (case.facts, case.expected);
    let enough = |path: &str| facts.free_gib(path).is_some_and(|gib| gib >= expected.images_gib);
    let asked = |path: &str| facts.space(path).is_some();
    if expected.deployed || facts.relocated || enough(&expected.images) || enough(&expected.larger) {
        return None;
    }
    if !asked(&expected.images) && !asked(&expected.larger) {
        return None;
    }
    let say = |path: &HostPath| match facts.space(path) {
        Some(space) if space.mount.is_empty() => format!("{path} has {} GiB free", space.free_mib / 1024),
        Some(space) => format!("{path} has {} GiB free, on {}", space.free_mib / 1024, space.mount),
        None => format!("{path} is not there"),
    };
    let mut seen: Vec<String> = [&expected.images, &expected.larger].into_iter().map(say).collect();
    seen.dedup();
    let message = format!("{} GiB are wanted for images: {}", expected.images_gib, seen.join(", "));
    let fix = "free space there (`df -h` shows all), name another directory in storage.larger or in the node's override, or lower storage.imagesGib";
    Some(Finding::error(code::NODE_NO_SPACE, case.node, message).fix(fix).into())
}

/// BCM's default layout makes /var 6 GB large.
fn small_var(case: &Case<'_>) -> Option<Judged> {
    let var = case.facts.space("/var").filter(|space| space.mount == "/var" && !case.expected.deployed)?;
    (var.free_mib / 1024 < VAR_GIB).then(|| {
        let message = format!("/var is a partition of its own with {} MiB free; logs, etcd and kubelet want {VAR_GIB} GiB", var.free_mib);
        Finding::warning(code::NODE_SMALL_VAR, case.node, message)
            .evidence(line(var))
            .fix("enlarge /var in the category's disk setup (`cmsh -c \"category; use NAME; set disksetup\"`); it takes effect when the node is re-provisioned")
            .into()
    })
}

fn low_space(case: &Case<'_>) -> Option<Judged> {
    let least = |space: &Space| {
        if space.path == case.expected.images.as_str() { LEAST_FREE_IMAGES_PERCENT } else { LEAST_FREE_PERCENT }
    };
    let low = |space: &&Space| {
        space.total_mib > 0 && space.free_mib.saturating_mul(100) < space.total_mib.saturating_mul(least(space))
    };
    let evidence = lines(case, low);
    let message = "kubelet would put pods out at once: a file system is nearly full";
    (!evidence.is_empty()).then(|| {
        with(Finding::warning(code::NODE_LOW_SPACE, case.node, message), evidence)
            .fix("free space: `du -xhd1 MOUNT | sort -h` shows where it went")
            .into()
    })
}

fn low_inodes(case: &Case<'_>) -> Option<Judged> {
    let low = |space: &&Space| space.free_inodes_percent.is_some_and(|percent| percent < LEAST_INODES_PERCENT);
    let evidence = lines(case, low);
    let message = "kubelet would put pods out at once: a file system has hardly any free inodes";
    (!evidence.is_empty()).then(|| {
        with(Finding::warning(code::NODE_LOW_INODES, case.node, message), evidence)
            .fix("remove small files: `du --inodes -xd1 MOUNT | sort -n` shows where they are")
            .into()
    })
}

/// What is known of each directory that is meant and that Kubernetes will use; each mount once.
fn lines(case: &Case<'_>, meant: impl Fn(&&Space) -> bool) -> Vec<String> {
    let spare = case.expected.larger != case.expected.images && !case.facts.relocated;
    let used = |space: &&Space| space.path != "/local" && !(spare && space.path == case.expected.larger.as_str());
    let mut found: Vec<String> = case.facts.spaces.iter().filter(used).filter(meant).map(line).collect();
    found.sort();
    found.dedup();
    found
}

fn line(space: &Space) -> String {
    let inodes = space.free_inodes_percent.map_or_else(String::new, |percent| format!(", {percent} % of inodes"));
    format!("{} ({}): {} of {} MiB free{inodes}", space.mount, space.filesystem, space.free_mib, space.total_mib)
}

fn with(mut finding: Finding, evidence: Vec<String>) -> Finding {
    finding.evidence = evidence;
    finding
}
