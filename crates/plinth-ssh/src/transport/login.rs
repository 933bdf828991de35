//! Proves to a peer who we are. A password is sent once: a second try could lock the account.

use super::failure::{lost, permanent};
use super::handler::Client;
use super::peer::Peer;
use crate::key;
use plinth_model::finding::code;
use plinth_model::steps::Credential;
use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult};
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Reply, Prompt};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{Error, MethodKind, MethodSet};
use std::sync::Arc;

/// Keys of an agent that are tried. sshd ends the connection after six by default (MaxAuthTries).
const AGENT_KEYS: usize = 5;
/// Questions of a keyboard-interactive login that are answered, empty ones included.
const QUESTIONS: usize = 4;

/// Logs in.
pub(super) async fn login(handle: &mut Handle<Client>, peer: &Peer, secrets: &dyn Secrets) -> ClientResult<()> {
    match &peer.credential {
        Credential::Password(reference) => {
            let password = secret(peer, secrets, reference)?;
            by_password(handle, peer, &password).await
        }
        Credential::Key(reference) => {
            let text = secret(peer, secrets, reference)?;
            let key = key::read(text.expose()).map_err(|happened| {
                let happened = format!("the private key ({reference}): {happened}");
                let fix = "give another key, or convert this one";
                super::failure::found(code::ACCESS_BAD_KEY, peer, "logging in", &happened, fix, Vec::new())
            })?;
            by_key(handle, peer, Arc::new(key)).await
        }
        Credential::Agent => by_agent(handle, peer).await,
    }
}

/// The secret behind a reference.
pub(super) fn secret(peer: &Peer, secrets: &dyn Secrets, reference: &SecretRef) -> ClientResult<Secret> {
    secrets.get(reference).map_err(|error| {
        permanent("logging in", peer, error.to_string(), "put the secret where the site file says it is")
    })
}

/// The hash of RSA signatures: the best that the server names; SHA-1 only where that is allowed.
async fn hash(handle: &Handle<Client>, peer: &Peer, is_rsa: bool) -> ClientResult<Option<HashAlg>> {
    if !is_rsa {
        return Ok(None);
    }
    match handle.best_supported_rsa_hash().await.map_err(|error| gone(peer, &error))? {
        Some(Some(hash)) => Ok(Some(hash)),
        Some(None) | None if peer.legacy => Ok(None),
        Some(None) => Err(permanent(
            "logging in",
            peer,
            "it takes RSA keys with SHA-1 only, which is not accepted by default",
            format!(
                "update sshd on {0}, use an Ed25519 key, or list {0} under `legacyKeys` of the site file's access part",
                peer.name
            ),
        )),
        None => Ok(Some(HashAlg::Sha512)),
    }
}

/// A peer that may use SHA-1 is asked with SHA-1 when it refused the better signature: some announce what they do not take.
async fn by_key(handle: &mut Handle<Client>, peer: &Peer, key: Arc<PrivateKey>) -> ClientResult<()> {
    let hash = hash(handle, peer, key.algorithm().is_rsa()).await?;
    let mut result =
        handle.authenticate_publickey(&peer.user, PrivateKeyWithHashAlg::new(Arc::clone(&key), hash)).await;
    let refused = matches!(result, Ok(AuthResult::Failure { partial_success: false, .. }));
    if refused && hash.is_some() && peer.legacy && !handle.is_closed() {
        result = handle.authenticate_publickey(&peer.user, PrivateKeyWithHashAlg::new(key, None)).await;
    }
    judge(handle, peer, result, "its key")
}

async fn by_password(handle: &mut Handle<Client>, peer: &Peer, password: &Secret) -> ClientResult<()> {
    let offered = match handle.authenticate_none(&peer.user).await {
        Ok(AuthResult::Success) => return Ok(()),
        Ok(AuthResult::Failure { remaining_methods, .. }) => remaining_methods,
        Err(error) => return Err(gone(peer, &error)),
    };
    if offered.contains(&MethodKind::Password) {
        let result = handle.authenticate_password(&peer.user, password.expose()).await;
        return judge(handle, peer, result, "the password").map_err(|error| once(peer, error));
    }
    if offered.contains(&MethodKind::KeyboardInteractive) {
        return by_questions(handle, peer, password).await;
    }
    if offered.is_empty() && handle.is_closed() {
        return Err(gone(peer, &Error::Disconnect));
    }
    Err(refused(peer, "it takes no passwords", &offered))
}

async fn by_questions(handle: &mut Handle<Client>, peer: &Peer, password: &Secret) -> ClientResult<()> {
    let mut reply = handle.authenticate_keyboard_interactive_start(&peer.user, None).await;
    let mut answered = false;
    for _ in 0..QUESTIONS {
        let prompts = match reply.map_err(|error| gone(peer, &error))? {
            Reply::Success => return Ok(()),
            Reply::Failure { remaining_methods, partial_success } => {
                let what =
                    if partial_success { "the password alone is not enough" } else { "the password was refused" };
                return Err(refused(peer, what, &remaining_methods));
            }
            Reply::InfoRequest { prompts, .. } => prompts,
        };
        let answers = match prompts.as_slice() {
            [] => Vec::new(),
            [prompt] if !answered && asks_password(prompt) => {
                answered = true;
                vec![password.expose().to_owned()]
            }
            other => return Err(strange_question(peer, other, answered)),
        };
        reply = handle.authenticate_keyboard_interactive_respond(answers).await;
        if let Err(error) = &reply
            && answered
        {
            return Err(once(peer, gone(peer, error)));
        }
    }
    Err(refused(peer, "it asks one empty question after the other", &MethodSet::empty()))
}

/// One hidden question for the password that we have: not for a new one, and not for a code of another device.
fn asks_password(prompt: &Prompt) -> bool {
    let text = prompt.prompt.to_lowercase();
    let other = ["new", "one-time", "otp", "token", "code", "again", "retype"];
    !prompt.echo && text.contains("passw") && !other.iter().any(|word| text.contains(word))
}

fn strange_question(peer: &Peer, prompts: &[Prompt], answered: bool) -> ClientError {
    let asked: Vec<String> =
        prompts.iter().map(|p| p.prompt.chars().filter(|c| !c.is_control()).take(80).collect()).collect();
    let when = if answered { "after the password it asks" } else { "it asks" };
    permanent(
        "logging in",
        peer,
        format!("{when} `{}`, which plinth does not answer", asked.join("`, `")),
        format!(
            "log in by hand as {} to see what it wants (an expired password, a second factor), or use a key",
            peer.user
        ),
    )
}

async fn by_agent(handle: &mut Handle<Client>, peer: &Peer) -> ClientResult<()> {
    let failed = |error: &dyn std::fmt::Display| {
        permanent(
            "logging in",
            peer,
            format!("the SSH agent: {error}"),
            "start an agent, load the key with `ssh-add`, and see that SSH_AUTH_SOCK names it",
        )
    };
    let mut agent = AgentClient::connect_env().await.map_err(|error| failed(&error))?;
    let identities = agent.request_identities().await.map_err(|error| failed(&error))?;
    let keys: Vec<PublicKey> = identities.iter().filter_map(plain).collect();
    if keys.is_empty() {
        return Err(failed(&"it holds no keys"));
    }
    let mut offered = MethodSet::empty();
    let held = keys.len();
    for (tried, key) in keys.into_iter().take(AGENT_KEYS).enumerate() {
        let hash = hash(handle, peer, key.algorithm().is_rsa()).await?;
        match handle.authenticate_publickey_with(&peer.user, key, hash, &mut agent).await {
            Ok(AuthResult::Success) => return Ok(()),
            Ok(AuthResult::Failure { partial_success: true, remaining_methods }) => {
                return Err(refused(peer, "a key of the agent alone is not enough", &remaining_methods));
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) if handle.is_closed() => {
                return Err(agent_refused(peer, tried + 1, held, &remaining_methods));
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) => offered = remaining_methods,
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(agent_refused(peer, held.min(AGENT_KEYS), held, &offered))
}

/// sshd ends the connection after a few keys, so an agent with many may never come to the right one.
fn agent_refused(peer: &Peer, tried: usize, held: usize, offered: &MethodSet) -> ClientError {
    if tried == held {
        return refused(peer, "the keys of the agent were refused", offered);
    }
    let part = if peer.between { "jump" } else { "bootstrap" };
    let what = format!(
        "{tried} of the {held} keys of the agent were tried and refused; the others were not, since sshd ends a connection after a few"
    );
    let fix = format!(
        "load fewer keys (`ssh-add -D`, then `ssh-add FILE` for the right one), or name the key: `access.{part}.key: {{file: PATH}}`"
    );
    refused_with(peer, &what, offered, fix)
}

fn plain(identity: &AgentIdentity) -> Option<PublicKey> {
    match identity {
        AgentIdentity::PublicKey { key, .. } => Some(key.clone()),
        AgentIdentity::Certificate { .. } => None,
    }
}

fn judge(handle: &Handle<Client>, peer: &Peer, result: Result<AuthResult, Error>, proof: &str) -> ClientResult<()> {
    match result {
        Ok(AuthResult::Success) => Ok(()),
        Ok(AuthResult::Failure { partial_success: true, remaining_methods }) => {
            Err(refused(peer, &format!("{proof} alone is not enough"), &remaining_methods))
        }
        Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() && handle.is_closed() => {
            Err(gone(peer, &Error::Disconnect))
        }
        Ok(AuthResult::Failure { remaining_methods, .. }) => {
            Err(refused(peer, &format!("{proof} was refused"), &remaining_methods))
        }
        Err(error) => Err(gone(peer, &error)),
    }
}

/// sshd also hangs up when it cannot finish a login that it took: PAM refuses the account, or its shell cannot be started.
fn gone(peer: &Peer, error: &Error) -> ClientError {
    let attempt = format!(
        "look at sshd's log on {0} for {1} (`journalctl -u ssh -u sshd`): an account that PAM refuses looks like this; or at the link, if \
         other logins to {0} are lost too",
        peer.name, peer.user
    );
    ClientError {
        attempt,
        ..lost("logging in", peer, format!("the connection was closed or lost during the login: {error}"))
    }
}

/// A loss after the password was sent is not tried again: sshd hangs up after too many wrong ones.
fn once(peer: &Peer, error: ClientError) -> ClientError {
    if error.transient.is_none() {
        return error;
    }
    permanent(
        "logging in",
        peer,
        "the connection was closed right after the password was sent; it is not sent again, since the try may have counted as a wrong one",
        format!("log in by hand as {} once, then run again", peer.user),
    )
}

fn refused(peer: &Peer, what: &str, offered: &MethodSet) -> ClientError {
    let fix = format!(
        "correct user and proof of the site file's access part, or allow this login on {} (sshd_config, shell, expiry)",
        peer.name
    );
    refused_with(peer, what, offered, fix)
}

fn refused_with(peer: &Peer, what: &str, offered: &MethodSet, fix: String) -> ClientError {
    let names: Vec<String> = offered.iter().map(String::from).collect();
    let offers =
        if names.is_empty() { "it offers no other way".to_owned() } else { format!("it offers: {}", names.join(", ")) };
    let happened = format!("login as {} was refused: {what}; {offers}", peer.user);
    super::failure::found(code::NODE_LOGIN_REFUSED, peer, "logging in", &happened, fix, vec![offers])
        .because(plinth_world::Cause::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hidden_question_for_the_password_is_answered() {
        let cases = [
            ("Password: ", false, true),
            ("(root@dgx-01) Password: ", false, true),
            ("Passwort: ", false, true),
            ("Password: ", true, false),
            ("New password: ", false, false),
            ("Verification code: ", false, false),
            ("One-time password (OTP): ", false, false),
        ];
        for (text, echo, expected) in cases {
            assert_eq!(asks_password(&Prompt { prompt: text.to_owned(), echo }), expected, "{text}");
        }
    }
}
