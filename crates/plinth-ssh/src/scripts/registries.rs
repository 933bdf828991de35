//! Registry mirrors and logins on a node.
//!
//! Mirrors are containerd's `certs.d/<registry>/hosts.toml`. Logins are kubelet's own `config.json` in Docker's form, which kubelet
//! uses for every pull of every pod, and which Kubespray does not touch. A file that somebody else wrote is never overwritten.
//! Contents are compared by digest: a login is never read back.
//! Not covered: a proxy that only containerd's unit knows; addresses are asked directly.

use super::answer::{digest, failure, owned};
use crate::frame::Frames;
use crate::nodes::SshNodes;
use crate::script::Script;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use plinth_model::Secret;
use plinth_model::registry::{MirrorPath, api_root, mirror_path};
use plinth_model::steps::NodeTarget;
use plinth_model::steps::{Mirror, RegistryLogin};
use plinth_world::node::NodeRegistries;
use plinth_world::{ClientResult, Context, deadlines};
use serde_json::json;
use std::fmt::Write as _;

const BODY: &str = concat!(include_str!("sh/files.sh"), include_str!("sh/registries.sh"));
/// Where the digests of what plinth wrote are kept on a node.
const STATE: &str = "/var/lib/plinth";
/// kubelet reads it from its root directory before any other.
const LOGINS: &str = "/var/lib/kubelet/config.json";

/// What a node should have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Registries<'a> {
    pub(crate) mirrors: &'a [Mirror],
    /// The engine writes the mirrors: only that they answer is looked at.
    pub(crate) engine_writes_mirrors: bool,
    /// Logins with their passwords.
    pub(crate) logins: &'a [(&'a RegistryLogin, Secret)],
}

struct Wanted {
    path: String,
    mode: &'static str,
    words: String,
    content: Secret,
}

/// Compares, and asks every registry for an answer.
#[must_use]
pub(crate) fn look_script(wanted: &Registries<'_>) -> Script {
    script("looking at registries", "look", "", wanted)
}

/// Writes what is missing, then compares.
#[must_use]
pub(crate) fn set_script(wanted: &Registries<'_>) -> Script {
    script("setting registries", "set", "", wanted).changing()
}

fn script(doing: &'static str, action: &str, root: &str, wanted: &Registries<'_>) -> Script {
    let (files, urls) = (files(wanted), urls(wanted));
    let reads = if wanted.mirrors.is_empty() || wanted.engine_writes_mirrors { "no" } else { "yes" };
    let mut script = Script::new(doing, BODY, deadlines::SSH_REGISTRIES)
        .as_root()
        .text("action", action)
        .text("root", root)
        .text("state", STATE)
        .text("mirrors", reads)
        .lines("urls", urls.iter().map(String::as_str))
        .text("count", &files.len().to_string());
    for (n, file) in (1_usize..).zip(&files) {
        script = script
            .text(&format!("path_{n}"), &file.path)
            .text(&format!("mode_{n}"), file.mode)
            .text(&format!("words_{n}"), &file.words)
            .text(&format!("digest_{n}"), &digest(file.content.expose()));
        // A look needs no content: what is not sent cannot be seen.
        script = match action {
            "set" => script.secret(&format!("content_{n}"), &file.content),
            _ => script.text(&format!("content_{n}"), ""),
        };
    }
    script
}

fn files(wanted: &Registries<'_>) -> Vec<Wanted> {
    let mirrors = if wanted.engine_writes_mirrors { &[] } else { wanted.mirrors };
    let mut files: Vec<Wanted> = mirrors.iter().map(mirror_file).collect();
    if !wanted.logins.is_empty() {
        let logins = wanted.logins.iter().map(|(login, _)| format!("{} as {}", login.registry, login.username));
        files.push(Wanted {
            path: LOGINS.to_owned(),
            mode: "0600",
            words: format!("login {}", logins.collect::<Vec<_>>().join(", ")),
            content: logins_file(wanted.logins),
        });
    }
    files
}

fn mirror_file(mirror: &Mirror) -> Wanted {
    let mut text = format!("# Written by plinth.\nserver = {}\n", toml(&server(&mirror.registry)));
    for endpoint in &mirror.endpoints {
        let place = toml(endpoint.trim_end_matches('/'));
        let _ = write!(text, "\n[host.{place}]\n  capabilities = [\"pull\", \"resolve\"]\n");
        if mirror_path(endpoint) == MirrorPath::Interface {
            text.push_str("  override_path = true\n");
        }
    }
    Wanted {
        path: format!("/etc/containerd/certs.d/{}/hosts.toml", mirror.registry),
        mode: "0644",
        words: format!("mirror {} → {}", mirror.registry, mirror.endpoints.join(", ")),
        content: Secret::new(text),
    }
}

/// A TOML string; JSON's escapes are a part of TOML's.
fn toml(text: &str) -> String {
    json!(text).to_string()
}

/// Where a registry itself answers: Docker Hub's API has a host of its own.
fn server(registry: &str) -> String {
    let host = registry.split('/').next().unwrap_or(registry);
    if host == "docker.io" { "https://registry-1.docker.io".to_owned() } else { format!("https://{host}") }
}

/// Docker's form; Docker Hub has a name of its own in it, which kubelet looks for.
fn logins_file(logins: &[(&RegistryLogin, Secret)]) -> Secret {
    let auths: IndexMap<&str, serde_json::Value> = logins
        .iter()
        .map(|(login, password)| {
            let registry = match login.registry.trim_end_matches('/') {
                "docker.io" => "https://index.docker.io/v1/",
                other => other,
            };
            (registry, json!({ "auth": STANDARD.encode(format!("{}:{}", login.username, password.expose())) }))
        })
        .collect();
    Secret::new(format!("{:#}\n", json!({ "auths": auths })))
}

/// What must answer, once each.
fn urls(wanted: &Registries<'_>) -> Vec<String> {
    let mirrors =
        wanted.mirrors.iter().flat_map(|mirror| &mirror.endpoints).map(|url| url.trim_end_matches('/').to_owned());
    let logins = wanted.logins.iter().map(|(login, _)| {
        let bare = login.registry.trim_start_matches("https://");
        server(bare)
    });
    let mut urls: Vec<String> = Vec::new();
    for base in mirrors.chain(logins) {
        let url = api_root(&base);
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// Differences and registries that do not answer; absent when nothing of it is there and nothing else is wrong.
///
/// # Errors
/// When the script failed or was cut off; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<Option<Vec<String>>, String> {
    failure(frames)?;
    let foreign = owned(frames, "foreign");
    if frames.get("looked").is_none() && foreign.is_empty() {
        return Err("the node did not say anything about registries".to_owned());
    }
    let lack = owned(frames, "lack");
    let others: Vec<String> = ["unread", "silent"].iter().flat_map(|key| owned(frames, key)).chain(foreign).collect();
    let fresh = lack.iter().all(|words| words.starts_with('+')) && frames.all("same").is_empty();
    if fresh && !lack.is_empty() && others.is_empty() {
        return Ok(None);
    }
    Ok(Some(lack.into_iter().chain(others).collect()))
}

/// Whether everything is in the desired state now.
///
/// # Errors
/// What was refused, before anything was changed, or what is still different; in words.
pub(crate) fn set_parse(frames: &Frames) -> Result<(), String> {
    let foreign = owned(frames, "foreign");
    if frames.get("looked").is_none() && !foreign.is_empty() {
        return Err(format!("nothing was changed: {}", foreign.join("; ")));
    }
    match look_parse(frames)? {
        Some(differences) if differences.is_empty() => Ok(()),
        Some(differences) => Err(differences.join("; ")),
        None => Err("nothing is there after writing it".to_owned()),
    }
}

#[async_trait]
impl NodeRegistries for SshNodes {
    async fn registries(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        wanted: &plinth_world::node::Registries<'_>,
    ) -> ClientResult<Option<Vec<String>>> {
        let logins = self.passwords(target, wanted.logins)?;
        let script = look_script(&with_passwords(wanted, &logins));
        self.operation(ctx, target, script, look_parse).await
    }

    async fn set_registries(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        wanted: &plinth_world::node::Registries<'_>,
    ) -> ClientResult<()> {
        let logins = self.passwords(target, wanted.logins)?;
        let script = set_script(&with_passwords(wanted, &logins));
        self.operation(ctx, target, script, set_parse).await
    }
}

const fn with_passwords<'a>(
    wanted: &plinth_world::node::Registries<'a>,
    logins: &'a [(&'a RegistryLogin, Secret)],
) -> Registries<'a> {
    Registries { mirrors: wanted.mirrors, engine_writes_mirrors: wanted.mirrors_by_engine, logins }
}

#[cfg(test)]
#[path = "registries_tests.rs"]
mod tests;
