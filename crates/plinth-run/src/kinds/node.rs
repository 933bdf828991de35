//! Nodes: host key, service account, storage, registries.

use super::outcome::{amount, blocked, compared, done, refused, todo, unseen};
use crate::behaviour::{Probe, StepEnv};
use plinth_model::work::{Account, Mirror, NodeTarget, RegistryLogin};
use plinth_model::{Finding, Observed, Owner, SecretRef};
use plinth_world::DoorError;
use plinth_world::node::{AccountState, HostKey, HostKeyState};

const DOOR: &str = "node";

/// Pinned and the same, not pinned yet, or pinned and different.
pub(super) async fn probe_host_key(env: &StepEnv, target: &NodeTarget) -> Result<Probe, DoorError> {
    let state = env.doors.node.host_key(&env.ctx, target).await?;
    match &state.pinned {
        Some(pinned) if *pinned == state.presented => done(format!("host key {} is pinned", pinned.fingerprint)),
        Some(pinned) => blocked(key_changed(target, pinned, &state.presented)),
        None => {
            todo(format!("+ host key {} {} (first contact)", state.presented.algorithm, state.presented.fingerprint))
        }
    }
}

/// Pins the key that is presented now, unless another one was pinned meanwhile.
pub(super) async fn pin(env: &StepEnv, target: &NodeTarget) -> Result<String, DoorError> {
    let HostKeyState { presented, pinned } = env.doors.node.host_key(&env.ctx, target).await?;
    if let Some(pinned) = pinned.filter(|pinned| *pinned != presented) {
        return Err(refused(
            DOOR,
            format!("pinning the host key of {}", target.node),
            key_changed(target, &pinned, &presented),
        ));
    }
    env.doors.node.pin_host_key(&env.ctx, target, &presented).await?;
    Ok(format!("host key {} accepted on first contact and pinned", presented.fingerprint))
}

fn key_changed(target: &NodeTarget, pinned: &HostKey, presented: &HostKey) -> Finding {
    Finding::error("node.host-key-changed", target.node.as_str(), "the host key is not the one that was pinned")
        .evidence(format!("pinned: {} {}", pinned.algorithm, pinned.fingerprint))
        .evidence(format!("presented: {} {}", presented.algorithm, presented.fingerprint))
        .evidence(format!("address: {}", target.address))
        .fix(format!(
            "find out why: BCM gives a re-provisioned node a new key, and an attacker has another one too; \
             `plinth trust {}`, which pins a new key, comes with the SSH door",
            target.node
        ))
}

/// The same, missing, partly there, or in conflict with something else.
pub(super) async fn probe_account(env: &StepEnv, target: &NodeTarget, account: &Account) -> Result<Probe, DoorError> {
    match env.doors.node.account(&env.ctx, target, account).await? {
        AccountState::Same => done(format!("user {} (uid {}) is as wanted", account.name, account.uid)),
        AccountState::Absent => Ok(Probe::Todo(vec![
            format!("+ group {} (gid {})", account.name, account.gid),
            format!("+ user {} (uid {})", account.name, account.uid),
            format!("+ {}", amount(1 + account.authorized_keys.len(), "authorized key")),
        ])),
        AccountState::Partial(missing) => {
            Ok(Probe::Todo(missing.into_iter().map(|line| format!("~ {line}")).collect()))
        }
        AccountState::Clash(clashes) => blocked(account_clash(target, account, clashes)),
    }
}

fn account_clash(target: &NodeTarget, account: &Account, clashes: Vec<String>) -> Finding {
    let message = format!(
        "user {} (uid {}, gid {}) cannot be made: something else has its name or its ids; nothing was changed",
        account.name, account.uid, account.gid
    );
    let mut finding = Finding::error("node.account-clash", target.node.as_str(), message)
        .owner(Owner::BcmAdmin)
        .fix("choose another access.account.name, uid or gid that is free on every node, or remove what is in the way");
    finding.evidence = clashes;
    finding
}

/// Makes our key if nobody made it before, then the account.
pub(super) async fn make_account(env: &StepEnv, target: &NodeTarget, account: &Account) -> Result<String, DoorError> {
    if matches!(account.key, SecretRef::Generated(_)) {
        env.doors.keystore.ssh_key(&env.ctx, account.key_algorithm).await?;
    }
    env.doors.node.make_account(&env.ctx, target, account).await?;
    Ok(format!("user {} (uid {}) made", account.name, account.uid))
}

/// Whether images live at the larger place.
pub(super) async fn probe_storage(
    env: &StepEnv,
    target: &NodeTarget,
    from: &str,
    to: &str,
) -> Result<Probe, DoorError> {
    let facts = env.doors.node.facts(&env.ctx, target, &[from.to_owned(), to.to_owned()]).await?;
    if facts.relocated { done(format!("images live in {to}")) } else { todo(format!("~ images {from} → {to}")) }
}

/// Moves images.
pub(super) async fn relocate(env: &StepEnv, target: &NodeTarget, from: &str, to: &str) -> Result<String, DoorError> {
    env.doors.node.relocate_storage(&env.ctx, target, from, to).await?;
    Ok(format!("images moved from {from} to {to}"))
}

/// Mirrors and logins in place, registries reachable.
pub(super) async fn probe_registries(
    env: &StepEnv,
    target: &NodeTarget,
    mirrors: &[Mirror],
    logins: &[RegistryLogin],
) -> Result<Probe, DoorError> {
    let wanted = || format!("{} and {} in place", amount(mirrors.len(), "mirror"), amount(logins.len(), "login"));
    match env.doors.node.registries(&env.ctx, target, mirrors, logins).await? {
        Observed::Known(differences) => Ok(compared(differences, wanted)),
        Observed::Absent => {
            let mirrors = mirrors.iter().map(|m| format!("+ mirror {} → {}", m.registry, m.endpoints.join(", ")));
            let logins = logins.iter().map(|l| format!("+ login {} as {}", l.registry, l.username));
            Ok(compared(mirrors.chain(logins).collect(), wanted))
        }
        Observed::Unknown(reason) => Err(unseen(DOOR, format!("comparing registries of {}", target.node), &reason)),
    }
}

/// Writes mirrors and logins.
pub(super) async fn set_registries(
    env: &StepEnv,
    target: &NodeTarget,
    mirrors: &[Mirror],
    logins: &[RegistryLogin],
) -> Result<String, DoorError> {
    env.doors.node.set_registries(&env.ctx, target, mirrors, logins).await?;
    Ok(format!("{} and {} written", amount(mirrors.len(), "mirror"), amount(logins.len(), "login")))
}
