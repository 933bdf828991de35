//! Nodes: host key, service account, storage, registries.

use super::outcome::{amount, blocked, compared, done, refused, todo};
use crate::behaviour::{Probe, StepEnv};
use plinth_model::finding::code;
use plinth_model::steps::{Account, Credential, NodeTarget, Preparation};
use plinth_model::{Finding, Owner, SecretRef};
use plinth_world::ClientError;
use plinth_world::node::{AccountState, HostKey, HostKeyState, Registries, StorageState};

const DOOR: &str = "node";

/// Pinned and the same, not pinned yet, or pinned and different.
pub(super) async fn probe_host_key(env: &StepEnv, target: &NodeTarget) -> Result<Probe, ClientError> {
    let state = env.clients.node.host_key(&env.ctx, target).await?;
    match &state.pinned {
        Some(pinned) if *pinned == state.presented => done(format!("host key {} is pinned", pinned.fingerprint)),
        Some(pinned) => blocked(key_changed(target, pinned, &state.presented)),
        None => {
            todo(format!("+ host key {} {} (first contact)", state.presented.algorithm, state.presented.fingerprint))
        }
    }
}

/// Pins the key that is presented now, unless another one was pinned meanwhile.
pub(super) async fn pin(env: &StepEnv, target: &NodeTarget) -> Result<String, ClientError> {
    let HostKeyState { presented, pinned } = env.clients.node.host_key(&env.ctx, target).await?;
    if let Some(pinned) = pinned.filter(|pinned| *pinned != presented) {
        return Err(refused(
            DOOR,
            format!("pinning the host key of {}", target.node),
            key_changed(target, &pinned, &presented),
        ));
    }
    env.clients.node.pin_host_key(&env.ctx, target, &presented).await?;
    Ok(format!("host key {} accepted on first contact and pinned", presented.fingerprint))
}

pub(crate) fn key_changed(target: &NodeTarget, pinned: &HostKey, presented: &HostKey) -> Finding {
    Finding::error(code::NODE_HOST_KEY_CHANGED, target.node.as_str(), "the host key is not the one that was pinned")
        .evidence(format!("pinned: {} {}", pinned.algorithm, pinned.fingerprint))
        .evidence(format!("presented: {} {}", presented.algorithm, presented.fingerprint))
        .evidence(format!("address: {}", target.address))
        .fix(format!(
            "find out why: BCM gives a re-provisioned node a new key, and an attacker has another one too; \
             if it was provisioned anew, `plinth trust {}` pins the new key",
            target.node
        ))
}

/// The same, missing, partly there, or in conflict with something else.
pub(super) async fn probe_account(env: &StepEnv, target: &NodeTarget, account: &Account) -> Result<Probe, ClientError> {
    let state = match by_itself(env, target, account).await {
        Some(state) => state,
        None => env.clients.node.account(&env.ctx, target, account).await?,
    };
    match state {
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

/// The account as it sees itself, when it can sign in: the first-contact login may be gone by then.
async fn by_itself(env: &StepEnv, target: &NodeTarget, account: &Account) -> Option<AccountState> {
    if !is_there(env, &account.key) {
        return None;
    }
    let credential = Credential::Key(account.key.clone());
    let ours = NodeTarget { user: account.name.clone(), credential, ..target.clone() };
    env.clients.node.account(&env.ctx, &ours, account).await.ok().filter(|state| *state == AccountState::Same)
}

/// Whether the account's key was given, or made already: without it there is nothing to try.
pub(crate) fn is_there(env: &StepEnv, key: &SecretRef) -> bool {
    !matches!(key, SecretRef::Generated(_)) || env.secrets.get(key).is_ok()
}

fn account_clash(target: &NodeTarget, account: &Account, clashes: Vec<String>) -> Finding {
    let message = format!(
        "user {} (uid {}, gid {}) cannot be made: something else has its name or its ids; nothing was changed",
        account.name, account.uid, account.gid
    );
    let mut finding = Finding::error(code::NODE_ACCOUNT_CLASH, target.node.as_str(), message)
        .owner(Owner::BcmAdmin)
        .fix("choose another access.account.name, uid or gid that is free on every node, or remove what is in the way");
    finding.evidence = clashes;
    finding
}

/// Makes our key if nobody made it before, then the account.
pub(super) async fn make_account(env: &StepEnv, target: &NodeTarget, account: &Account) -> Result<String, ClientError> {
    if matches!(account.key, SecretRef::Generated(_)) {
        env.clients.node_key.ssh_key(&env.ctx, account.key_algorithm).await?;
    }
    env.clients.node.make_account(&env.ctx, target, account).await?;
    Ok(format!("user {} (uid {}) made", account.name, account.uid))
}

/// Whether images live at the larger place.
pub(super) async fn probe_storage(
    env: &StepEnv,
    target: &NodeTarget,
    from: &str,
    to: &str,
) -> Result<Probe, ClientError> {
    match env.clients.node.storage(&env.ctx, target, from, to).await? {
        StorageState::New { .. } => done(format!("images live in {to}")),
        StorageState::Old => todo(format!("~ images {from} → {to}")),
        StorageState::Begun(stage) => todo(format!("~ images {from} → {to}; a move was begun: {stage}")),
    }
}

/// Whether the old copy is gone.
pub(super) async fn probe_old_storage(
    env: &StepEnv,
    target: &NodeTarget,
    from: &str,
    to: &str,
) -> Result<Probe, ClientError> {
    match env.clients.node.storage(&env.ctx, target, from, to).await? {
        StorageState::New { old_copy_mib: None } => done(format!("no old copy beside {from}")),
        StorageState::New { old_copy_mib: Some(mib) } => todo(format!("- old copy beside {from}, {mib} MiB")),
        StorageState::Old | StorageState::Begun(_) => todo(format!("- {from} as it was, once images live in {to}")),
    }
}

/// Removes the old copy.
pub(super) async fn remove_old_storage(
    env: &StepEnv,
    target: &NodeTarget,
    from: &str,
    to: &str,
) -> Result<String, ClientError> {
    env.clients.node.remove_old_storage(&env.ctx, target, from, to).await?;
    Ok(format!("old copy beside {from} removed"))
}

/// What the node lacks.
pub(super) async fn probe_preparation(
    env: &StepEnv,
    target: &NodeTarget,
    wanted: &Preparation,
) -> Result<Probe, ClientError> {
    let differences = env.clients.node.preparation(&env.ctx, target, wanted).await?;
    Ok(compared(differences, || "prepared as wanted".to_owned()))
}

/// Prepares the node.
pub(super) async fn prepare(env: &StepEnv, target: &NodeTarget, wanted: &Preparation) -> Result<String, ClientError> {
    env.clients.node.prepare(&env.ctx, target, wanted).await?;
    let mut done = Vec::new();
    let mut say = |count: usize, noun: &str| {
        if count > 0 {
            done.push(amount(count, noun));
        }
    };
    say(wanted.hosts.len(), "host name");
    say(wanted.modules.len(), "kernel module");
    say(wanted.sysctls.len(), "kernel setting");
    done.extend(wanted.swap_off.then(|| "swap off".to_owned()));
    done.extend(wanted.time_service.then(|| "time service".to_owned()));
    Ok(format!("prepared: {}", done.join(", ")))
}

/// Nothing of Kubernetes is left. What runs is named as well: before a removal that is no fault.
pub(super) async fn probe_leftovers(env: &StepEnv, target: &NodeTarget) -> Result<Probe, ClientError> {
    let leftovers = env.clients.node.leftovers(&env.ctx, target).await?;
    let lines = leftovers.running.into_iter().chain(leftovers.left).map(|what| format!("- {what}")).collect();
    Ok(compared(lines, || "nothing of Kubernetes is left".to_owned()))
}

/// Clears what is left, if nothing of it runs: ending that is the removal's own work.
pub(super) async fn clear_leftovers(env: &StepEnv, target: &NodeTarget) -> Result<String, ClientError> {
    let running = env.clients.node.leftovers(&env.ctx, target).await?.running.join(", ");
    if !running.is_empty() {
        let text = format!("{} still runs Kubernetes", target.node);
        let finding = Finding::error(code::NODE_KUBERNETES_RUNS, target.node.as_str(), text)
            .evidence(running)
            .fix("run the removal again; if it stays, stop these programs on the node");
        return Err(refused(DOOR, format!("clearing leftovers of Kubernetes on {}", target.node), finding));
    }
    env.clients.node.clear_leftovers(&env.ctx, target).await?;
    Ok("nothing of Kubernetes is left".to_owned())
}

/// Moves images.
pub(super) async fn relocate(env: &StepEnv, target: &NodeTarget, from: &str, to: &str) -> Result<String, ClientError> {
    env.clients.node.relocate_storage(&env.ctx, target, from, to).await?;
    Ok(format!("images moved from {from} to {to}"))
}

/// Mirrors and logins in place, registries reachable.
pub(super) async fn probe_registries(
    env: &StepEnv,
    target: &NodeTarget,
    wanted: &Registries<'_>,
) -> Result<Probe, ClientError> {
    match env.clients.node.registries(&env.ctx, target, wanted).await? {
        Some(differences) => Ok(compared(differences, || format!("{} in place", counted(wanted)))),
        None => Ok(compared(additions(wanted), || format!("{} in place", counted(wanted)))),
    }
}

/// Everything that is wanted, as differences to nothing.
fn additions(wanted: &Registries<'_>) -> Vec<String> {
    let mirrors = wanted.mirrors.iter().map(|m| format!("+ mirror {} → {}", m.registry, m.endpoints.join(", ")));
    let logins = wanted.logins.iter().map(|l| format!("+ login {} as {}", l.registry, l.username));
    mirrors.filter(|_| !wanted.mirrors_by_engine).chain(logins).collect()
}

fn counted(wanted: &Registries<'_>) -> String {
    format!("{} and {}", amount(wanted.mirrors.len(), "mirror"), amount(wanted.logins.len(), "login"))
}

/// Writes mirrors and logins.
pub(super) async fn set_registries(
    env: &StepEnv,
    target: &NodeTarget,
    wanted: &Registries<'_>,
) -> Result<String, ClientError> {
    env.clients.node.set_registries(&env.ctx, target, wanted).await?;
    Ok(format!("{} written", counted(wanted)))
}
