//! Labels and taints of nodes, as Kubernetes takes them, and those that are not the site's to set.

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::raw::nodes::Override;
use crate::raw::rules::short;
use plinth_model::Finding;
use plinth_model::finding::code;
use std::collections::HashMap;

/// Labels that kubelet or kubeadm writes; another value is written back, or moves pods to where they do not belong.
const OWNED_LABELS: [&str; 7] = [
    "kubernetes.io/hostname",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
];
/// Taints that Kubernetes sets and takes away by what it sees of a node.
const OWNED_TAINTS: [&str; 8] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/out-of-service",
];

/// Judges what one node is given. `path`: of its entry under `nodes.overrides`.
pub(super) fn check(path: &str, over: &Override, diagnostics: &mut Diagnostics<'_>) {
    for (key, value) in &over.labels {
        let subject = Path::parse(path).key("labels").key(key).to_string();
        diagnostics.report_some(
            label(key, value).map(|(message, fix)| Finding::error(code::SITE_LABEL, subject, message).fix(fix)),
        );
    }
    let mut seen = HashMap::new();
    for (at, taint) in over.taints.iter().enumerate() {
        let subject = format!("{path}.taints[{at}]");
        let Some((key, effect)) = key_and_effect(taint) else {
            let message = format!("`{}` is not a Kubernetes taint", short(taint));
            let fix = "write `key=value:Effect` or `key:Effect`; effects: NoSchedule, PreferNoSchedule, NoExecute";
            diagnostics.report(Finding::error(code::SITE_TAINT, subject, message).fix(fix));
            continue;
        };
        if OWNED_TAINTS.contains(&key) {
            let message = format!("Kubernetes itself sets and removes the taint `{key}`");
            diagnostics.report(
                Finding::error(code::SITE_TAINT, subject.clone(), message).fix("remove it, or use a key of your own"),
            );
        }
        if let Some(first) = seen.insert((key, effect), subject.clone()) {
            let message = format!("a node has one taint of key `{key}` and effect {effect}; this is the second");
            diagnostics
                .report_pair(Finding::error(code::SITE_TAINT, subject, message).fix("keep one of the two"), &first);
        }
    }
}

/// What is wrong with a label, and what to do.
fn label(key: &str, value: &str) -> Option<(String, &'static str)> {
    if !is_qualified(key) || !is_label_value(value) {
        let fix = "write `prefix/name: value`: at most 63 letters, digits, `-`, `_`, `.`, with letters or digits at both ends";
        return Some((format!("`{}` is not a Kubernetes label", short(key)), fix));
    }
    let owned = OWNED_LABELS.contains(&key);
    owned.then(|| {
        (
            format!("the label `{key}` is not yours to set: kubelet or kubeadm writes it"),
            "remove it, or use a key of your own, such as `example.com/rack`",
        )
    })
}

fn is_name_part(text: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// `name` or `prefix/name`.
fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => {
            prefix.len() <= 253
                && prefix.split('.').all(|label| is_name_part(label) && !label.contains('_'))
                && is_name_part(name)
        }
        None => is_name_part(key),
    }
}

fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_name_part(value)
}

fn is_taint(text: &str) -> bool {
    let Some((left, effect)) = text.rsplit_once(':') else { return false };
    let (key, value) = left.split_once('=').unwrap_or((left, ""));
    matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") && is_qualified(key) && is_label_value(value)
}

/// Key and effect of a taint; none when it is none.
fn key_and_effect(text: &str) -> Option<(&str, &str)> {
    let (left, effect) = text.rsplit_once(':').filter(|_| is_taint(text))?;
    Some((left.split_once('=').map_or(left, |(key, _)| key), effect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_taints_follow_kubernetes() {
        for good in ["a=b:NoSchedule", "nvidia.com/gpu:NoExecute", "node-role.kubernetes.io/x=:PreferNoSchedule"] {
            assert!(is_taint(good), "{good}");
        }
        for bad in ["a=b", "a=b:Never", ":NoSchedule", "a b:NoSchedule", "a/b/c:NoSchedule", ""] {
            assert!(!is_taint(bad), "{bad}");
        }
        assert!(is_qualified("nvidia.com/gpu.present") && !is_qualified("-a") && !is_qualified("/a"));
        assert!(is_label_value("") && !is_label_value("a b"));
    }
}
