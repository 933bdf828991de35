//! Kubespray: source, environment, inventory, and the run of its playbook.

mod birth;
mod choice;
mod recovery;
mod removal;
mod run;

pub(super) use recovery::{probe_recovery, recover};
pub(super) use removal::{Leaving, probe_removal, remove};
pub(super) use run::{Wanted, play, probe_run};

use super::outcome::{amount, blocked, compared, done, todo};
use crate::behaviour::{Probe, StepEnv};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Digest, Finding, Version};
use plinth_world::ClientError;
use semver::VersionReq;

const DOOR: &str = "ansible";

/// The source is here and is the pinned one: commit and tree, since a tarball has no history to check.
pub(super) async fn probe_source(env: &StepEnv, release: &KubesprayRelease) -> Result<Probe, ClientError> {
    match env.clients.ansible.source(&env.ctx, release).await? {
        Some((commit, tree)) if commit == release.commit && tree == release.tree => {
            done(format!("{} is here, tree {} verified", release.tag, short(&tree)))
        }
        Some((commit, tree)) => blocked(source_differs(release, &commit, &tree)),
        None => todo(format!("+ Kubespray {} (commit {})", release.tag, short(&release.commit))),
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn source_differs(release: &KubesprayRelease, commit: &str, tree: &str) -> Finding {
    Finding::error(code::KUBESPRAY_SOURCE_DIFFERS, &release.tag, format!("the source of Kubespray {} is not the pinned one", release.tag))
        .evidence(format!("commit: {commit}; pinned {}", release.commit))
        .evidence(format!("tree: {tree}; pinned {}", release.tree))
        .evidence(format!("source: {}", release.source))
        .fix("remove the local copy so that it is fetched again; if it differs again, do not use this source: its tag was moved, or it was changed")
}

/// Fetches and verifies.
pub(super) async fn fetch(env: &StepEnv, release: &KubesprayRelease) -> Result<String, ClientError> {
    env.clients.ansible.fetch_source(&env.ctx, release).await?;
    Ok(format!("{} fetched and verified", release.tag))
}

/// The environment is here, with an ansible-core that this release accepts (its own playbook enforces the range).
pub(super) async fn probe_environment(env: &StepEnv, release: &KubesprayRelease) -> Result<Probe, ClientError> {
    match env.clients.ansible.environment(&env.ctx, release).await? {
        Some(version) if accepts(&release.ansible_core, &version)? => {
            done(format!("ansible-core {version} is ready for {}", release.tag))
        }
        Some(version) => todo(format!("~ ansible-core {version} → {}", release.ansible_core)),
        None => todo(format!("+ Python environment with ansible {}", release.ansible)),
    }
}

fn accepts(range: &str, version: &str) -> Result<bool, ClientError> {
    let requirement = VersionReq::parse(range).map_err(|error| {
        let doing = format!("reading the accepted ansible-core range `{range}`");
        ClientError::permanent(DOOR, doing, error.to_string(), "make the plan again; the catalog holds this range")
    })?;
    Ok(version.parse::<Version>().is_ok_and(|version| requirement.matches(version.semver())))
}

/// Makes the environment.
pub(super) async fn make_environment(env: &StepEnv, release: &KubesprayRelease) -> Result<String, ClientError> {
    env.clients.ansible.make_environment(&env.ctx, release).await?;
    Ok(format!("environment with ansible {} made", release.ansible))
}

/// Every file is written with this content. Further files are left alone.
pub(super) async fn probe_inventory(env: &StepEnv, files: &IndexMap<String, String>) -> Result<Probe, ClientError> {
    let written = env.clients.ansible.inventory(&env.ctx).await?;
    let difference = |(name, content): (&String, &String)| match written.get(name) {
        Some(digest) if *digest == Digest::of_bytes(content.as_bytes()) => None,
        Some(_) => Some(format!("~ {name}")),
        None => Some(format!("+ {name}")),
    };
    Ok(compared(files.iter().filter_map(difference).collect(), || format!("{} files are as planned", files.len())))
}

/// Writes the files.
pub(super) async fn write_inventory(env: &StepEnv, files: &IndexMap<String, String>) -> Result<String, ClientError> {
    env.clients.ansible.write_inventory(&env.ctx, files).await?;
    Ok(format!("{} written", amount(files.len(), "file")))
}
