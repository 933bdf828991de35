//! Logins and the service account.

use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use crate::raw::access::Access;
use crate::raw::rules::short;
use crate::raw::secret::SecretSource;
use plinth_model::finding::code;
use plinth_model::{Finding, SecretRef};

/// Below are users of the system (Debian and Ubuntu `login.defs`), above are ids with special meaning.
const IDS: std::ops::RangeInclusive<u32> = 1000..=65533;

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(access) = &site.access else { return };
    bootstrap(access, diagnostics);
    jump(access, diagnostics);
    private_keys(access, diagnostics);
    let Some(account) = &access.account else { return };
    for (key, id) in [("uid", account.uid), ("gid", account.gid)] {
        if let Some(id) = id.filter(|id| !IDS.contains(id)) {
            let message =
                format!("{key} {id} is outside {} to {}, the ids of people and services", IDS.start(), IDS.end());
            let finding = Finding::error(code::SITE_ACCOUNT_ID, format!("access.account.{key}"), message);
            diagnostics.report(finding.fix("choose an id that is free on every node, such as 60000"));
        }
    }
    if account.name.as_ref().is_some_and(|name| name.0.0 == "root") {
        let message = "the service account cannot be `root`: it is made, changed and removed";
        diagnostics
            .report(Finding::error(code::SITE_ACCOUNT_ROOT, "access.account.name", message).fix("choose another name"));
    }
    for (at, key) in account.authorized_keys.iter().enumerate() {
        public_key(at, key, diagnostics);
    }
}

fn bootstrap(access: &Access, diagnostics: &mut Diagnostics<'_>) {
    let login = &access.bootstrap;
    let given = [login.password.is_some(), login.key.is_some(), login.agent == Some(true)];
    if given.iter().filter(|given| **given).count() != 1 && diagnostics.is_whole(&["access", "bootstrap"]) {
        let message = "the first login needs exactly one proof";
        diagnostics.report(
            Finding::error(code::SITE_BOOTSTRAP_LOGIN, "access.bootstrap", message)
                .fix("give one of `password: {env: NAME}`, `key: {file: PATH}` and `agent: true`"),
        );
    }
}

fn jump(access: &Access, diagnostics: &mut Diagnostics<'_>) {
    let Some(login) = &access.jump else { return };
    let given = [login.password.is_some(), login.key.is_some(), login.agent == Some(true)];
    if given.iter().filter(|given| **given).count() != 1 && diagnostics.is_whole(&["access", "jump"]) {
        let message = "the login at the jump host needs exactly one proof";
        diagnostics.report(
            Finding::error(code::SITE_JUMP_LOGIN, "access.jump", message)
                .fix("give one of `password: {env: NAME}`, `key: {file: PATH}` and `agent: true`"),
        );
    }
}

/// The public half beside a key is named by mistake often enough; the file itself is not read.
fn private_keys(access: &Access, diagnostics: &mut Diagnostics<'_>) {
    let jump = access.jump.as_ref().and_then(|jump| jump.key.as_ref());
    let account = access.account.as_ref().and_then(|account| account.key.as_ref());
    for (place, key) in [("bootstrap", access.bootstrap.key.as_ref()), ("jump", jump), ("account", account)] {
        if let Some(SecretSource(SecretRef::File(file))) = key
            && let Some(private) = file.strip_suffix(".pub")
        {
            let message = format!("`{}` is the public half of a key by its name", short(file));
            let finding = Finding::error(code::SITE_WRONG_VALUE, format!("access.{place}.key"), message);
            diagnostics.report(finding.fix(format!("name the private half, such as `{}`", short(private))));
        }
    }
}

/// The text is never repeated: somebody may have pasted the private half.
fn public_key(at: usize, key: &str, diagnostics: &mut Diagnostics<'_>) {
    let path = format!("access.account.authorizedKeys[{at}]");
    let mut words = key.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let known = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|prefix| kind.starts_with(prefix));
    if !known || words.next().is_none() || key.contains(['\n', '\r']) {
        let message = "this is not a public key in OpenSSH form";
        let fix = "paste the one line of the `.pub` file, beginning with its kind, such as `ssh-ed25519`";
        diagnostics.report(Finding::error(code::SITE_PUBLIC_KEY, path, message).fix(fix));
    }
}
