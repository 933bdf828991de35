//! The service account on a node: compared, and made, in one round trip each.
//!
//! Making looks for clashes first and changes nothing when there is one; it makes only what is missing, and ends with a look of
//! its own, so that its answer is what is there and not what was tried. It may be interrupted anywhere: the next one completes it.
//! `useradd` and its family of the shadow suite are needed; the accounts of a busybox system are not covered. An `AuthorizedKeysFile`
//! other than sshd's default is not covered either.

use super::answer::{failure, owned};
use crate::frame::Frames;
use crate::nodes::SshNodes;
use crate::nodes::unusable;
use crate::script::Script;
use async_trait::async_trait;
use plinth_model::steps::Account;
use plinth_model::steps::NodeTarget;
use plinth_world::node::{AccountState, NodeAccounts};
use plinth_world::{ClientResult, Context, deadlines};

const BODY: &str = concat!(
    include_str!("sh/files.sh"),
    include_str!("sh/manager.sh"),
    include_str!("sh/account.sh"),
    include_str!("sh/account_main.sh")
);

/// Compares the account with what is there. `public_key` is our own key as OpenSSH writes it: `ssh-ed25519 AAAA... comment`.
#[must_use]
pub(crate) fn look_script(account: &Account, public_key: &str) -> Script {
    script("looking at the account", "look", "", account, public_key)
}

/// Makes what is missing of the account, then looks at it.
#[must_use]
pub(crate) fn make_script(account: &Account, public_key: &str) -> Script {
    script("making the account", "make", "", account, public_key).changing()
}

fn script(doing: &'static str, action: &str, root: &str, account: &Account, public_key: &str) -> Script {
    let keys = keys(account, public_key);
    Script::new(doing, BODY, deadlines::SSH_ACCOUNT)
        .as_root()
        .text("action", action)
        .text("root", root)
        .text("name", &account.name)
        .text("uid", &account.uid.to_string())
        .text("gid", &account.gid.to_string())
        .text("home", &account.home)
        .text("shell", &account.shell)
        .lines("keys", keys.iter().map(String::as_str))
        .text("sudoers", &sudoers(&account.name))
        .text("sudoers_name", &sudoers_name(&account.name))
}

/// Everything without a password, and without a terminal where a system's default asks for one.
fn sudoers(name: &str) -> String {
    format!("# Written by plinth.\nDefaults:{name} !requiretty\n{name} ALL=(ALL:ALL) NOPASSWD: ALL\n")
}

/// sudo leaves out files whose name has a dot or ends in a tilde.
fn sudoers_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect()
}

/// Each key once, ours first, one line each.
fn keys(account: &Account, public_key: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for line in std::iter::once(public_key).chain(account.authorized_keys.iter().map(String::as_str)) {
        let line = line.split(['\n', '\r']).map(str::trim).find(|part| !part.is_empty()).unwrap_or_default();
        if !line.is_empty() && !keys.iter().any(|known| body(known) == body(line)) {
            keys.push(line.to_owned());
        }
    }
    keys
}

/// The encoded key of a line, without its options and comment.
fn body(line: &str) -> &str {
    line.split_whitespace().find(|word| word.starts_with("AAAA")).unwrap_or(line)
}

/// How the account compares.
///
/// # Errors
/// When the script failed or did not answer; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<AccountState, String> {
    failure(frames)?;
    if let Some(manager) = owned(frames, "manager").into_iter().next() {
        return Ok(AccountState::Managed(manager));
    }
    let clashes = owned(frames, "clash");
    if !clashes.is_empty() {
        return Ok(AccountState::Clash(clashes));
    }
    let (present, missing) = (frames.all("present"), owned(frames, "missing"));
    let obstacles = owned(frames, "obstacle");
    match (present.is_empty(), missing.is_empty() && obstacles.is_empty()) {
        (true, true) => Err("the node did not say anything about the account".to_owned()),
        (false, true) => Ok(AccountState::Same),
        (true, false) => Ok(AccountState::Absent),
        (false, false) => Ok(AccountState::Partial(missing.into_iter().chain(obstacles).collect())),
    }
}

/// Whether the account is in the desired state now.
///
/// # Errors
/// When there is a clash or an obstacle, and nothing was changed; when something could not be made; in words.
pub(crate) fn make_parse(frames: &Frames) -> Result<(), String> {
    match look_parse(frames)? {
        AccountState::Same => Ok(()),
        AccountState::Managed(manager) => Err(format!("nothing was changed: it is managed from elsewhere ({manager})")),
        AccountState::Clash(clashes) => Err(format!("nothing was changed: {}", clashes.join("; "))),
        AccountState::Absent | AccountState::Partial(_) if !frames.all("obstacle").is_empty() => {
            Err(format!("nothing was changed: {}", frames.all("obstacle").join("; ")))
        }
        AccountState::Absent => Err("nothing of the account is there after making it".to_owned()),
        AccountState::Partial(missing) => Err(format!("still missing after making it: {}", missing.join("; "))),
    }
}

#[async_trait]
impl NodeAccounts for SshNodes {
    async fn account(&self, ctx: &Context, target: &NodeTarget, wanted: &Account) -> ClientResult<AccountState> {
        let key = self.public_key(target, &wanted.key)?;
        let script = self.managed(look_script(wanted, key.as_deref().unwrap_or_default()));
        let state = self.operation(ctx, target, script, look_parse).await?;
        Ok(match (state, key) {
            (AccountState::Same, None) => AccountState::Partial(vec!["our key is not made yet".to_owned()]),
            (state, _) => state,
        })
    }

    async fn make_account(&self, ctx: &Context, target: &NodeTarget, wanted: &Account) -> ClientResult<()> {
        let Some(key) = self.public_key(target, &wanted.key)? else {
            return Err(unusable(target, "our key is not made yet"));
        };
        self.operation(ctx, target, self.managed(make_script(wanted, &key)), make_parse).await
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
