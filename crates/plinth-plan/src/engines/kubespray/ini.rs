//! The inventory as INI, for people and tools that want it. Kubespray's configuration ignores `*.ini` in a directory: give the
//! file itself.

use super::inventory::{all_vars, host_vars};
use crate::cluster::{Cluster, Member};
use plinth_site::Desired;
use serde_json::{Map, Value};
use std::fmt::Write;

/// The inventory as INI text.
#[must_use]
pub fn inventory_ini(desired: &Desired, cluster: &Cluster) -> String {
    let mut text = String::from("[all]\n");
    for member in &cluster.members {
        let _ = writeln!(text, "{}{}", member.name, pairs(&host_vars(member)));
    }
    group(&mut text, "kube_control_plane", cluster.control_plane());
    group(&mut text, "kube_node", cluster.workers());
    group(&mut text, "etcd", cluster.etcd());
    text.push_str("\n[calico_rr]\n\n[k8s_cluster:children]\nkube_control_plane\nkube_node\ncalico_rr\n\n[all:vars]\n");
    for (name, value) in &all_vars(desired) {
        let _ = writeln!(text, "{name}={}", plain(value));
    }
    text
}

fn group<'a>(text: &mut String, name: &str, members: impl Iterator<Item = &'a Member>) {
    let _ = write!(text, "\n[{name}]\n");
    members.for_each(|m| {
        let _ = writeln!(text, "{}", m.name);
    });
}

fn pairs(vars: &Map<String, Value>) -> String {
    vars.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, " {name}={}", quoted(value));
        text
    })
}

/// A value in a host line: Ansible reads it as a Python literal, which JSON texts, lists and maps of texts are. The line is
/// split like a shell line first, so everything but plain words stands in single quotes.
fn quoted(value: &Value) -> String {
    let text = plain(value);
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:".contains(&b));
    if is_plain { text } else { format!("'{}'", text.replace('\'', "'\"'\"'")) }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
