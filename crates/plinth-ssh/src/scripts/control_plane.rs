//! What a node tells of the control plane: the administrator's kubeconfig, etcd, certificates, kubelet, NVIDIA's runtime.
//!
//! Places: Kubespray keeps certificates in `/etc/kubernetes/ssl` (with `pki` linked to it) and etcd's in `/etc/ssl/etcd/ssl`, and
//! writes the settings of etcdctl into `/etc/etcd.env`; kubeadm keeps all in `/etc/kubernetes/pki`. Certificates travel as
//! they are and are read here, so the node needs no openssl; keys stay where they are.
//! Not covered: etcd for events only, and an etcd with which the node speaks but which runs elsewhere.

use super::answer::failure;
use super::bootstrap;
use crate::frame::{Frame, Frames};
use crate::nodes::SshNodes;
use crate::script::Script;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::Secret;
use plinth_model::steps::NodeTarget;
use plinth_world::node::Bootstrap;
use plinth_world::node::{CertificateFile, ControlPlane, Etcd, EtcdMember, NodeControlPlane};
use plinth_world::{ClientResult, Context, deadlines};
use serde::Deserialize;
use serde_json::Value;
use x509_parser::pem::Pem;

const ADMIN_CONFIG: &str = include_str!("sh/admin_config.sh");
const LOOK: &str = include_str!("sh/control_plane.sh");

/// Reads the administrator's kubeconfig. Its answer holds a key.
#[must_use]
pub(crate) fn admin_config_script() -> Script {
    admin_config_at("")
}

fn admin_config_at(root: &str) -> Script {
    Script::new("reading the administrator's kubeconfig", ADMIN_CONFIG, deadlines::SSH_ADMIN_CONFIG)
        .as_root()
        .text("root", root)
}

/// The kubeconfig.
///
/// # Errors
/// When it is not there or empty; in words, never with any of its content.
pub(crate) fn admin_config_parse(frames: &Frames) -> Result<Secret, String> {
    failure(frames)?;
    let text = frames.all("line").join("\n");
    if text.trim().is_empty() {
        return Err("/etc/kubernetes/admin.conf is empty".to_owned());
    }
    Ok(Secret::new(text + "\n"))
}

/// Looks at etcd, certificates and kubelet.
#[must_use]
pub(crate) fn look_script() -> Script {
    look_at("")
}

fn look_at(root: &str) -> Script {
    Script::new("looking at the control plane", LOOK, deadlines::SSH_CONTROL_PLANE).as_root().text("root", root)
}

/// What was seen.
///
/// # Errors
/// When the script failed, or when a certificate or an answer of etcd makes no sense; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<ControlPlane, String> {
    failure(frames)?;
    frames.get("looked").ok_or("the node did not say anything about the control plane")?;
    Ok(ControlPlane {
        etcd: frames.get("etcd.here").map(|_| etcd(frames)).transpose()?,
        certificates: certificates(frames)?,
        kubelet: frames.get("kubelet").unwrap_or_default().to_owned(),
        nvidia_runtime: frames.get("nvidia").map(|answer| answer == "yes"),
    })
}

fn etcd(frames: &Frames) -> Result<Etcd, String> {
    let mut unhealthy: Vec<String> =
        frames.all("etcd.silent").into_iter().map(|why| format!("etcd does not answer: {why}")).collect();
    let members = frames.get("etcd.members").map_or(Ok(Vec::new()), members)?;
    if let Some(answer) = frames.get("etcd.health") {
        unhealthy.extend(ill(answer)?);
    }
    Ok(Etcd { members, unhealthy })
}

/// The answer of etcdctl and of the gateway differ in how ids are written.
#[derive(Deserialize)]
struct MemberList {
    #[serde(default)]
    members: Vec<ListedMember>,
}

#[derive(Deserialize)]
struct ListedMember {
    #[serde(rename = "ID")]
    id: Value,
    #[serde(default)]
    name: String,
    #[serde(default, rename = "peerURLs")]
    peers: Vec<String>,
    #[serde(default, rename = "isLearner")]
    learner: bool,
}

fn members(answer: &str) -> Result<Vec<EtcdMember>, String> {
    let list: MemberList =
        serde_json::from_str(answer).map_err(|_| "etcd's list of members makes no sense".to_owned())?;
    let member = |listed: ListedMember| {
        let id = listed.id.as_u64().or_else(|| listed.id.as_str()?.parse().ok());
        let id = id.ok_or("etcd names a member without an id")?;
        Ok(EtcdMember { name: listed.name, id: format!("{id:x}"), peers: listed.peers, learner: listed.learner })
    };
    let mut members = list.members.into_iter().map(member).collect::<Result<Vec<_>, String>>()?;
    members.sort();
    Ok(members)
}

/// What is not healthy: etcdctl answers a list of end points, the gateway one object whose `health` is a text.
fn ill(answer: &str) -> Result<Vec<String>, String> {
    let value: Value = serde_json::from_str(answer).map_err(|_| "etcd's health makes no sense".to_owned())?;
    let points = match value {
        Value::Array(points) => points,
        one => vec![one],
    };
    let told = |point: &Value| {
        let place = point["endpoint"].as_str().unwrap_or("etcd");
        let why = point["error"].as_str().or_else(|| point["reason"].as_str()).filter(|why| !why.is_empty());
        format!("{place} is not healthy: {}", why.unwrap_or("it does not say why"))
    };
    let well = |point: &Value| point["health"] == true || point["health"] == "true";
    Ok(points.iter().filter(|point| !well(point)).map(told).collect())
}

/// Each file's frames follow the one that names it.
fn certificates(frames: &Frames) -> Result<Vec<CertificateFile>, String> {
    let mut files: Vec<(&str, Vec<&Frame>)> = Vec::new();
    for frame in frames.iter() {
        match (frame.key.as_str(), files.last_mut()) {
            ("certificate", _) => files.push((&frame.value, Vec::new())),
            ("pem" | "encoded", Some((_, parts))) => parts.push(frame),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (file, parts) in files {
        found.extend(certificate(file, &parts)?);
    }
    Ok(found)
}

fn certificate(file: &str, parts: &[&Frame]) -> Result<Option<CertificateFile>, String> {
    let unreadable = || format!("{file} holds no readable certificate");
    let mut text = String::new();
    for part in parts {
        if part.key == "encoded" {
            let bytes = STANDARD.decode(part.value.trim()).map_err(|_| unreadable())?;
            text.push_str(&String::from_utf8(bytes).map_err(|_| unreadable())?);
        } else {
            text.push_str(&part.value);
        }
        text.push('\n');
    }
    let mut first = None;
    for pem in Pem::iter_from_buffer(text.as_bytes()) {
        let pem = pem.map_err(|_| unreadable())?;
        let seconds = pem.parse_x509().map_err(|_| unreadable())?.validity().not_after.timestamp();
        let expires = jiff::Timestamp::from_second(seconds).map_err(|_| unreadable())?;
        first = Some(first.map_or(expires, |known: jiff::Timestamp| known.min(expires)));
    }
    Ok(first.map(|expires| CertificateFile { file: file.to_owned(), expires }))
}

#[async_trait]
impl NodeControlPlane for SshNodes {
    async fn bootstrap(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Option<Bootstrap>> {
        self.operation(ctx, target, bootstrap::look_script(), bootstrap::look_parse).await
    }

    async fn admin_config(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Secret> {
        self.operation(ctx, target, admin_config_script(), admin_config_parse).await
    }

    async fn control_plane(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<ControlPlane> {
        self.operation(ctx, target, look_script(), look_parse).await
    }
}

#[cfg(test)]
#[path = "control_plane_tests.rs"]
mod tests;
