//! The service account.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, differs, done};
use crate::steps::{Explanation, StepKind, managed};
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{Account, Credential, NodeAccount, NodeTarget};
use plinth_model::{Finding, Owner, SecretRef, Step};
use plinth_world::ClientError;
use plinth_world::node::AccountState;
impl StepKind for NodeAccount {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeAccount::KIND,
        title: "The service account exists with the wanted name, ids and keys.",
        probe: "Compares user, group, home, shell, sudo rule and keys. A name or id that something else has stops the node before anything is changed.",
        act: "Makes what is missing: group, user, sudo rule, authorized keys. Our own key pair is made before, if there is none.",
    };

    /// The same, missing, partly there, or in conflict with something else.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, account } = self;
        let state = match by_itself(env, target, account).await {
            Some(state) => state,
            None => env.clients.node.account(&env.ctx, target, account).await?,
        };
        match state {
            AccountState::Same => done(format!("user {} (uid {}) is as the site file says", account.name, account.uid)),
            AccountState::Absent => Ok(differs(vec![
                format!("+ group {} (gid {})", account.name, account.gid),
                format!("+ user {} (uid {})", account.name, account.uid),
                format!("+ {}", amount(1 + account.authorized_keys.len(), "authorized key")),
            ])),
            AccountState::Partial(missing) => {
                Ok(differs(missing.into_iter().map(|line| format!("~ {line}")).collect()))
            }
            AccountState::Managed(manager) => blocked(managed_elsewhere(target, &manager)),
            AccountState::Clash(clashes) => blocked(account_clash(target, account, clashes)),
        }
    }

    /// Makes our key if nobody made it before, then the account.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, account } = self;
        if matches!(account.key, SecretRef::Generated(_)) {
            env.clients.node_key.ssh_key(&env.ctx, account.key_algorithm).await?;
        }
        env.clients.node.make_account(&env.ctx, target, account).await?;
        Ok(format!("user {} (uid {}) made", account.name, account.uid))
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

fn managed_elsewhere(target: &NodeTarget, manager: &str) -> Finding {
    let place = "/etc/plinth/managed-by on the node";
    managed::elsewhere(code::NODE_MANAGED_ELSEWHERE, ("node", target.node.as_str()), manager, place)
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

/// Whether the account's key was given, or made already: without it there is nothing to try.
pub(crate) fn is_there(env: &StepEnv, key: &SecretRef) -> bool {
    !matches!(key, SecretRef::Generated(_)) || env.secrets.get(key).is_ok()
}
