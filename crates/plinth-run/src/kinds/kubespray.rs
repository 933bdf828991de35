//! Kubespray: source, environment, inventory, and the run of its playbook.

use super::outcome::{amount, blocked, compared, done, refused, todo, unseen};
use crate::behaviour::{Probe, StepEnv};
use indexmap::IndexMap;
use plinth_model::work::KubesprayRelease;
use plinth_model::{Digest, Finding, NodeName, Observed, Version};
use plinth_world::DoorError;
use plinth_world::ansible::{Deployed, HostStats, PlayStats};
use semver::VersionReq;

const DOOR: &str = "ansible";

/// The source is here and is the pinned one: commit and tree, since a tarball has no history to check.
pub(super) async fn probe_source(env: &StepEnv, release: &KubesprayRelease) -> Result<Probe, DoorError> {
    match env.doors.ansible.source(&env.ctx, release).await? {
        Observed::Known((commit, tree)) if commit == release.commit && tree == release.tree => {
            done(format!("{} is here, tree {} verified", release.tag, short(&tree)))
        }
        Observed::Known((commit, tree)) => blocked(source_differs(release, &commit, &tree)),
        Observed::Absent => todo(format!("+ Kubespray {} (commit {})", release.tag, short(&release.commit))),
        Observed::Unknown(reason) => Err(unseen(DOOR, format!("looking at Kubespray {}", release.tag), &reason)),
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn source_differs(release: &KubesprayRelease, commit: &str, tree: &str) -> Finding {
    Finding::error("kubespray.source-differs", &release.tag, format!("the source of Kubespray {} is not the pinned one", release.tag))
        .evidence(format!("commit: {commit}; pinned {}", release.commit))
        .evidence(format!("tree: {tree}; pinned {}", release.tree))
        .evidence(format!("source: {}", release.source))
        .fix("remove the local copy so that it is fetched again; if it differs again, do not use this source: its tag was moved, or it was changed")
}

/// Fetches and verifies.
pub(super) async fn fetch(env: &StepEnv, release: &KubesprayRelease) -> Result<String, DoorError> {
    env.doors.ansible.fetch_source(&env.ctx, release).await?;
    Ok(format!("{} fetched and verified", release.tag))
}

/// The environment is here, with an ansible-core that this release accepts (its own playbook enforces the range).
pub(super) async fn probe_environment(env: &StepEnv, release: &KubesprayRelease) -> Result<Probe, DoorError> {
    match env.doors.ansible.environment(&env.ctx, release).await? {
        Observed::Known(version) if accepts(&release.ansible_core, &version)? => {
            done(format!("ansible-core {version} is ready for {}", release.tag))
        }
        Observed::Known(version) => todo(format!("~ ansible-core {version} → {}", release.ansible_core)),
        Observed::Absent => todo(format!("+ Python environment with ansible {}", release.ansible)),
        Observed::Unknown(reason) => {
            Err(unseen(DOOR, format!("looking at the environment of {}", release.tag), &reason))
        }
    }
}

fn accepts(range: &str, version: &str) -> Result<bool, DoorError> {
    let requirement = VersionReq::parse(range).map_err(|error| {
        let doing = format!("reading the accepted ansible-core range `{range}`");
        DoorError::permanent(DOOR, doing, error.to_string(), "make the plan again; the catalog holds this range")
    })?;
    Ok(version.parse::<Version>().is_ok_and(|version| requirement.matches(version.semver())))
}

/// Makes the environment.
pub(super) async fn make_environment(env: &StepEnv, release: &KubesprayRelease) -> Result<String, DoorError> {
    env.doors.ansible.make_environment(&env.ctx, release).await?;
    Ok(format!("environment with ansible {} made", release.ansible))
}

/// Every file is written with this content. Further files are left alone.
pub(super) async fn probe_inventory(env: &StepEnv, files: &IndexMap<String, String>) -> Result<Probe, DoorError> {
    let written = env.doors.ansible.inventory(&env.ctx).await?;
    let difference = |(name, content): (&String, &String)| match written.get(name) {
        Some(digest) if *digest == Digest::of_bytes(content.as_bytes()) => None,
        Some(_) => Some(format!("~ {name}")),
        None => Some(format!("+ {name}")),
    };
    Ok(compared(files.iter().filter_map(difference).collect(), || format!("{} files are as planned", files.len())))
}

/// Writes the files.
pub(super) async fn write_inventory(env: &StepEnv, files: &IndexMap<String, String>) -> Result<String, DoorError> {
    env.doors.ansible.write_inventory(&env.ctx, files).await?;
    Ok(format!("{} written", amount(files.len(), "file")))
}

/// The last run that succeeded was made with this release, these files and these hosts.
pub(super) async fn probe_run(
    env: &StepEnv,
    release: &KubesprayRelease,
    hosts: &[NodeName],
    inputs: &Digest,
    version: &str,
) -> Result<Probe, DoorError> {
    match env.doors.ansible.deployed(&env.ctx).await? {
        Observed::Known(deployed) => Ok(compared(run_differences(&deployed, release, hosts, inputs), || {
            format!("Kubernetes {version} was deployed on {} hosts with {}", hosts.len(), release.tag)
        })),
        Observed::Absent => {
            todo(format!("+ Kubernetes {version} on {} hosts, with Kubespray {}", hosts.len(), release.tag))
        }
        Observed::Unknown(reason) => Err(unseen(DOOR, "looking at the last run of Kubespray", &reason)),
    }
}

fn run_differences(
    deployed: &Deployed,
    release: &KubesprayRelease,
    hosts: &[NodeName],
    inputs: &Digest,
) -> Vec<String> {
    let mut differences = Vec::new();
    if deployed.tag != release.tag {
        differences.push(format!("~ Kubespray {} → {}", deployed.tag, release.tag));
    }
    if deployed.inputs != *inputs {
        differences.push(format!("~ inventory and variables {} → {}", deployed.inputs.short(), inputs.short()));
    }
    differences.extend(hosts.iter().filter(|h| !deployed.hosts.contains(h)).map(|h| format!("+ host {h}")));
    differences.extend(deployed.hosts.iter().filter(|h| !hosts.contains(h)).map(|h| format!("- host {h}")));
    differences
}

/// Runs the playbook and judges its final statistics: exit codes say too little (a missing inventory ends with 0).
pub(super) async fn deploy(
    env: &StepEnv,
    release: &KubesprayRelease,
    hosts: &[NodeName],
    inputs: &Digest,
) -> Result<String, DoorError> {
    let stats = env.doors.ansible.deploy(&env.ctx, release, hosts, inputs).await?;
    match judge(&stats, hosts) {
        None => {
            let changed: u64 = stats.hosts.values().map(|host| host.changed).sum();
            Ok(format!("{} hosts, {changed} tasks changed something, none failed", stats.hosts.len()))
        }
        Some(finding) => Err(refused(DOOR, format!("running cluster.yml of {}", release.tag), finding)),
    }
}

/// What went wrong with a host in a play.
enum Wrong {
    /// It answered no more; no task failed.
    Unreachable,
    /// This many tasks failed.
    Failed(u64),
    /// The final statistics do not have it.
    Missing,
}

impl Wrong {
    fn of(host: &HostStats) -> Option<Self> {
        match (host.failures, host.unreachable) {
            (0, 0) => None,
            (0, _) => Some(Self::Unreachable),
            (failures, _) => Some(Self::Failed(failures)),
        }
    }

    fn sentence(&self, host: &str) -> String {
        match self {
            Self::Unreachable => format!("{host}: became unreachable"),
            Self::Failed(1) => format!("{host}: 1 task failed"),
            Self::Failed(tasks) => format!("{host}: {tasks} tasks failed"),
            Self::Missing => format!("{host}: not in the final statistics, so nothing is known of it"),
        }
    }
}

/// Every expected host must be in the statistics; no host at all may have failed or been unreachable.
fn judge(stats: &PlayStats, expected: &[NodeName]) -> Option<Finding> {
    let judged = stats.hosts.iter().filter_map(|(name, host)| Some((name.as_str(), Wrong::of(host)?)));
    let missing = expected.iter().map(NodeName::as_str).filter(|host| !stats.hosts.contains_key(*host));
    let wrong: Vec<(&str, Wrong)> = judged.chain(missing.map(|host| (host, Wrong::Missing))).collect();
    if wrong.is_empty() {
        return None;
    }
    let names = wrong.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let message = format!("Kubespray did not succeed on {} of {} hosts: {names}", wrong.len(), expected.len());
    let mut finding = Finding::error("kubespray.host-failed", names, message).fix(remedy(&wrong));
    finding.evidence = wrong.iter().map(|(name, wrong)| wrong.sentence(name)).collect();
    Some(finding)
}

/// What to try: lost hosts must answer again, failed tasks must be mended.
fn remedy(wrong: &[(&str, Wrong)]) -> String {
    let (lost, others): (Vec<_>, Vec<_>) = wrong.iter().partition(|(_, wrong)| matches!(wrong, Wrong::Unreachable));
    let mut parts = Vec::new();
    if !others.is_empty() {
        parts.push("mend what the first failed task of each host names".to_owned());
    }
    if !lost.is_empty() {
        let names: Vec<&str> = lost.iter().map(|(name, _)| *name).collect();
        let answer = if lost.len() == 1 { "answers" } else { "answer" };
        parts.push(format!("see that {} {answer} over SSH again", names.join(", ")));
    }
    format!("{}, then run again: Kubespray goes over finished tasks quickly", parts.join(", "))
}
